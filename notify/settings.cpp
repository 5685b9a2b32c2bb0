#include "notify/settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "core/ascii.hpp"
#include "notify/mail.hpp"
#include "notify/template_names.hpp"
#include "yaml/parse.hpp"

namespace skep::notify {
namespace {

Error at(const yaml::Node& node, std::string message) {
  return Error{ErrorKind::invalid_input, std::move(message), node.at()};
}

std::string in_a_row(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.pop_back();
  return text;
}

bool is_plain(std::string_view text) {
  return std::none_of(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

/// "SCHEME://HOST[:PORT]…", where the port is one that there is.
bool has_host_and_port(std::string_view url) {
  auto host = url.substr(std::min(url.find("://") + 3, url.size()));
  host = host.substr(0, host.find_first_of("/?#"));
  if (const auto user = host.rfind('@'); user != std::string_view::npos)
    host.remove_prefix(user + 1);
  const auto colon = host.find(':', host.starts_with('[') ? host.find(']') : 0);
  if (host.substr(0, colon).empty()) return false;
  if (colon == std::string_view::npos || colon + 1 == host.size()) return true;
  const auto text = host.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

bool is_web_address(std::string_view text) {
  return (text.starts_with("https://") || text.starts_with("http://")) && is_plain(text) &&
         text.find(' ') == std::string_view::npos && has_host_and_port(text);
}

Result<void> only_keys(const yaml::Map& map, const std::vector<std::string>& known) {
  for (const auto& entry : map) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    return Error{ErrorKind::invalid_input,
                 "there is no setting \"" + entry.key + "\" here; there are " + in_a_row(known),
                 entry.key_at};
  }
  return {};
}

/// Into `into` where the key is there.
Result<void> take_text(const yaml::Node& node, std::string_view key, std::string& into) {
  const auto* found = node.find(key);
  if (found == nullptr) return {};
  const auto* text = found->as<std::string>();
  if (text == nullptr) return at(*found, std::string(key) + " must be a text");
  into = *text;
  return {};
}

Result<void> take_secret(const yaml::Node& node,
                         const std::string& key,
                         const ReadFile& read,
                         Secret& into) {
  std::string path;
  if (auto taken = take_text(node, key, path); !taken) return taken;
  if (path.empty()) return {};
  auto text = read(path);
  if (!text) return at(*node.find(key), key + ": " + text.error().message);
  auto value = trimmed(*std::move(text));
  if (value.empty()) return at(*node.find(key), key + ": " + path + " is empty");
  if (!is_plain(value)) return at(*node.find(key), key + ": " + path + " holds more than one line");
  into = Secret(std::move(value));
  return {};
}

Result<void> take_texts(const yaml::Node& node,
                        std::string_view key,
                        std::map<std::string, std::string>& into) {
  const auto* found = node.find(key);
  if (found == nullptr) return {};
  const auto* map = found->as<yaml::Map>();
  if (map == nullptr) return at(*found, std::string(key) + " must be a mapping");
  for (const auto& entry : *map) {
    const auto* text = entry.value.as<std::string>();
    if (text == nullptr || !is_plain(*text) || !is_plain(entry.key))
      return at(entry.value, entry.key + " must be a text of one line (a number in quotes)");
    into[entry.key] = *text;
  }
  return {};
}

Result<void> take_reasons(const yaml::Node& node, std::set<std::string>& into) {
  const auto* found = node.find("only");
  if (found == nullptr) return {};
  const auto* list = found->as<yaml::List>();
  if (list == nullptr) return at(*found, "only must be a list");
  const std::vector<std::string> known(std::begin(kReasons), std::end(kReasons));
  for (const auto& item : *list) {
    const auto* text = item.as<std::string>();
    if (text == nullptr || std::find(known.begin(), known.end(), *text) == known.end())
      return at(item, "only takes these words: " + in_a_row(known));
    into.insert(*text);
  }
  return {};
}

Result<void> take_url(const yaml::Node& node, const ReadFile& read, Secret& into) {
  std::string url;
  if (auto taken = take_text(node, "url", url); !taken) return taken;
  if (!url.empty()) into = Secret(url);
  if (auto taken = take_secret(node, "url_file", read, into); !taken) return taken;
  const auto text = into.reveal();
  if (text.empty()) return at(node, "a target needs url or url_file");
  if (!is_web_address(text))
    return at(
        node,
        "the address of a target must begin with https:// or http://, then a host, and a port "
        "from 1 to 65535 where one is given");
  return {};
}

Result<void> take_addresses(const yaml::Node& node, std::vector<std::string>& into) {
  const auto* found = node.find("to");
  if (found == nullptr) return at(node, "a target of type email needs to:");
  std::vector<const yaml::Node*> items = {found};
  if (const auto* list = found->as<yaml::List>()) {
    items.clear();
    for (const auto& item : *list) items.push_back(&item);
  }
  for (const auto* item : items) {
    const auto* text = item->as<std::string>();
    if (text == nullptr || !is_mail_address(*text))
      return at(*item, "to must be an address such as ops@example.com, or a list of them");
    into.push_back(*text);
  }
  if (into.empty() || into.size() > 50) return at(*found, "to must be 1 to 50 addresses");
  return {};
}

/// What may come: several stacks in one message, with all that breaks a format; one; and what
/// concerns no stack, of which little is known.
std::vector<Message> samples() {
  Message several;
  several.reason = "failed";
  several.instance = "sample";
  auto& first = several.stories.emplace_back();
  first.stack = "apps/sample";
  first.revision = "0123456789abcdef0123456789abcdef01234567";
  first.author = "Ada \"the first\" <ada@example.com>";
  first.subject = "a \"quoted\" word, a back\\slash";
  first.link = "https://git.example.com/commit/0123456789abcdef0123456789abcdef01234567";
  first.what = "service app: \"exit 1\" in C:\\app\n\tand a second line";
  first.words = {"sample_app: \"no such image\"", "sample_db: C:\\data\nnot there"};
  first.changes = {"update sample_app (image, command)", "create sample_db: \"no\" \\"};
  first.done = "skep tries it again by itself at 2027-01-15T08:01:00Z";
  first.remedy = "`skep explain sample` tells \"more\"";
  auto second = first;
  second.stack = "apps/another";
  several.stories.push_back(std::move(second));
  Message one = several;
  one.stories.pop_back();
  Message little;
  little.reason = "unreachable";
  little.instance = "sample";
  auto& story = little.stories.emplace_back();
  story.stack = kGit;
  story.what = "since 2027-01-15T08:00:00Z: no route to host";
  return {several, one, little};
}

Result<void> names_are_known(const Target& target) {
  if (target.body.empty()) return {};
  std::vector<std::string> values;
  for (const auto& [name, value] : target.values) values.push_back(name);
  auto checked = check_names(target.name, target.body, values);
  if (!checked) return std::move(checked).error().within("notification target " + target.name);
  return {};
}

/// Who wrote a template should know for which message it fails.
std::string tried_with(const Message& sample, const Error& error) {
  return error.message + " (tried with " +
         (sample.stories.size() > 1 ? "a message of two stacks"
          : sample.stories.front().words.empty()
              ? "a message of no stack: \"git cannot be reached\""
              : "a message of one stack") +
         ", with quotes, backslashes and line ends in its texts)";
}

/// Without which a type's server takes nothing; "" where all is there. Whoever sends something of
/// their own knows what they do.
std::string what_is_lacking(const Target& target) {
  const auto has_header = [&](std::string_view name) {
    return std::any_of(target.headers.begin(), target.headers.end(), [&](const auto& header) {
      return lower(header.first) == name;
    });
  };
  const auto value = [&](const char* name) {
    const bool there = target.values.contains(name) || !target.body.empty();
    return there ? std::string() : std::string("values: { ") + name + ": \"...\" }";
  };
  if (target.type == "telegram") return value("chat_id");
  if (target.type == "ntfy") return value("topic");
  const auto url = target.url.reveal();
  if (target.type == "matrix" && target.token.empty() && !has_header("authorization") &&
      url.find("access_token=") == std::string_view::npos)
    return "token_file: with the access token of its user";
  if (target.type == "gotify" && target.token.empty() && !has_header("x-gotify-key") &&
      !has_header("authorization") && url.find("token=") == std::string_view::npos)
    return "headers: { X-Gotify-Key: ... } with the token of an application";
  return {};
}

/// smtps:// is encrypted from the start, smtp:// by STARTTLS.
Result<Target> mail_target_of(const yaml::Node& node, const ReadFile& read) {
  auto taken = only_keys(*node.as<yaml::Map>(),
                         {"name",
                          "type",
                          "url",
                          "from",
                          "to",
                          "user",
                          "password_file",
                          "tls",
                          "ca_file",
                          "values",
                          "body",
                          "only"});
  Target target;
  target.content_type = "text/plain";
  std::string url, tls = "required";
  if (taken) taken = take_text(node, "name", target.name);
  if (taken) taken = take_text(node, "type", target.type);
  if (taken) taken = take_text(node, "url", url);
  if (taken) taken = take_text(node, "from", target.mail.from);
  if (taken) taken = take_addresses(node, target.mail.to);
  if (taken) taken = take_text(node, "user", target.mail.user);
  if (taken) taken = take_secret(node, "password_file", read, target.mail.password);
  if (taken) taken = take_text(node, "tls", tls);
  if (taken) taken = take_text(node, "ca_file", target.mail.ca_file);
  if (taken) taken = take_texts(node, "values", target.values);
  if (taken) taken = take_text(node, "body", target.body);
  if (taken) taken = take_reasons(node, target.only);
  if (!taken) return std::move(taken).error();
  if (target.name.empty() || !is_plain(target.name)) return at(node, "a target needs a name");
  if ((!url.starts_with("smtp://") && !url.starts_with("smtps://")) || !is_plain(url) ||
      url.find_first_of(" @") != std::string::npos || !has_host_and_port(url))
    return at(
        node,
        "the url of an email target must be smtp://HOST:PORT or smtps://HOST:PORT, with a port "
        "from 1 to 65535");
  target.url = Secret(url);
  if (!is_mail_address(target.mail.from))
    return at(node, "from must be an address such as skep@example.com");
  if (target.mail.user.empty() != target.mail.password.empty() || !is_plain(target.mail.user))
    return at(node, "user and password_file go together");
  if (tls != "required" && tls != "off")
    return at(*node.find("tls"), "tls must be required or off");
  target.mail.encrypted = tls == "required";
  if (!target.mail.encrypted && !target.mail.user.empty() && url.starts_with("smtp://"))
    return at(*node.find("tls"), "a password is not sent without TLS");
  if (auto named = names_are_known(target); !named) return at(node, named.error().message);
  for (const auto& sample : samples()) {
    const auto mail = mail_for(target, {"0", target.name, to_json(sample, "0"), 0, {}});
    if (!mail) return at(node, tried_with(sample, mail.error()));
  }
  return target;
}

Result<Target> target_of(const yaml::Node& node, const ReadFile& read) {
  const auto* map = node.as<yaml::Map>();
  if (map == nullptr) return at(node, "a target must be a mapping");
  if (const auto* type = node.find("type");
      type != nullptr && type->as<std::string>() != nullptr && *type->as<std::string>() == "email")
    return mail_target_of(node, read);
  auto taken = only_keys(*map,
                         {"name",
                          "type",
                          "url",
                          "url_file",
                          "secret_file",
                          "token_file",
                          "headers",
                          "values",
                          "body",
                          "content_type",
                          "only"});
  Target target;
  if (taken) taken = take_text(node, "name", target.name);
  if (taken) taken = take_text(node, "type", target.type);
  if (taken) taken = take_text(node, "body", target.body);
  if (taken) taken = take_text(node, "content_type", target.content_type);
  if (taken) taken = take_url(node, read, target.url);
  if (taken) taken = take_secret(node, "secret_file", read, target.secret);
  if (taken) taken = take_secret(node, "token_file", read, target.token);
  if (taken) taken = take_texts(node, "headers", target.headers);
  if (taken) taken = take_texts(node, "values", target.values);
  if (taken) taken = take_reasons(node, target.only);
  if (!taken) return std::move(taken).error();
  const auto types = target_types();
  if (std::find(types.begin(), types.end(), target.type) == types.end())
    return at(node, "type must be one of " + in_a_row(types) + ", email");
  if (target.name.empty() || !is_plain(target.name)) return at(node, "a target needs a name");
  if (!is_plain(target.content_type)) return at(node, "content_type must be one line");
  if (const auto lacks = what_is_lacking(target); !lacks.empty())
    return at(node, target.type + " needs " + lacks);
  // A first rendering shows what is missing now, and not when something has failed.
  if (auto named = names_are_known(target); !named) return at(node, named.error().message);
  for (const auto& sample : samples()) {
    const auto call = call_for(target, {"0", target.name, to_json(sample, "0"), 0, {}}, {});
    if (!call) return at(node, tried_with(sample, call.error()));
  }
  return target;
}

Result<void> take_truth(const yaml::Node& node, std::string_view key, bool& into) {
  const auto* found = node.find(key);
  if (found == nullptr) return {};
  const auto* truth = found->as<bool>();
  if (truth == nullptr) return at(*found, std::string(key) + " must be true or false");
  into = *truth;
  return {};
}

Result<GitHost> status_host_of(const yaml::Node& node,
                               const ReadFile& read,
                               const Followed& followed) {
  const auto* map = node.as<yaml::Map>();
  if (map == nullptr) return at(node, "each of commit_statuses must be a mapping");
  GitHost host;
  std::string type, repository = followed.repository, api;
  auto taken = only_keys(
      *map,
      {"name", "type", "token_file", "repository", "api", "context", "target_url", "each_stack"});
  if (taken) taken = take_text(node, "type", type);
  host.name = type;
  if (taken) taken = take_text(node, "name", host.name);
  if (taken) taken = take_secret(node, "token_file", read, host.token);
  if (taken) taken = take_text(node, "repository", repository);
  if (taken) taken = take_text(node, "api", api);
  if (taken) taken = take_text(node, "context", host.context);
  if (taken) taken = take_text(node, "target_url", host.target_url);
  if (taken) taken = take_truth(node, "each_stack", host.each_stack);
  if (!taken) return std::move(taken).error();
  const auto known = git_host_type(type);
  if (!known) return at(node, "type must be one of github, gitlab, gitea, forgejo");
  host.type = *known;
  if (host.token.empty()) return at(node, "commit statuses need a token_file");
  if (host.name.empty() || !is_plain(host.name)) return at(node, "name must be one line");
  if (host.context.empty() || host.context.size() > 100 || !is_plain(host.context))
    return at(*node.find("context"), "context must be one line of at most 100 bytes");
  if (!api.empty() && !is_web_address(api))
    return at(*node.find("api"), "api must begin with https:// or http://");
  while (api.ends_with('/')) api.pop_back();
  if (!host.target_url.empty() && !is_web_address(host.target_url))
    return at(*node.find("target_url"), "target_url must begin with https:// or http://");
  host.api = api;
  host.branch = followed.branch;
  if (auto located = locate(host, repository); !located) {
    const auto* given = node.find("repository");
    return at(given == nullptr ? node : *given,
              located.error().message + "; give it as repository:");
  }
  return host;
}

Result<void> take_statuses(const yaml::Node& root,
                           const ReadFile& read,
                           const Followed& followed,
                           std::vector<GitHost>& into) {
  const auto* found = root.find("commit_statuses");
  if (found == nullptr) return {};
  const auto* list = found->as<yaml::List>();
  if (list == nullptr || list->empty())
    return at(*found, "commit_statuses must be a list of at least one");
  std::set<std::string> names;
  for (const auto& item : *list) {
    auto host = status_host_of(item, read, followed);
    if (!host) return std::move(host).error();
    if (!names.insert(host->name).second)
      return at(item, "two of commit_statuses are named " + host->name);
    into.push_back(*std::move(host));
  }
  return {};
}

}  // namespace

Result<Settings> parse_settings(std::string_view text,
                                const std::string& file,
                                const ReadFile& read,
                                const Followed& followed) {
  const auto root = yaml::parse(text, file);
  if (!root) return root.error();
  const auto* map = root->as<yaml::Map>();
  if (map == nullptr) return at(*root, "the settings must be a mapping with targets");
  if (auto known = only_keys(*map, {"commit_url", "targets", "commit_statuses"}); !known)
    return std::move(known).error();
  Settings settings;
  if (auto taken = take_text(*root, "commit_url", settings.commit_url); !taken)
    return std::move(taken).error();
  if (!settings.commit_url.empty() && settings.commit_url.find("{commit}") == std::string::npos)
    return at(*root->find("commit_url"), "commit_url must hold {commit}");
  if (!settings.commit_url.empty() && !is_web_address(settings.commit_url))
    return at(*root->find("commit_url"), "commit_url must begin with https:// or http://");
  if (auto taken = take_statuses(*root, read, followed, settings.statuses); !taken)
    return std::move(taken).error();
  const auto* targets = root->find("targets");
  if (targets == nullptr && !settings.statuses.empty()) return settings;
  const auto* list = targets == nullptr ? nullptr : targets->as<yaml::List>();
  if (list == nullptr || list->empty()) return at(*root, "targets must be a list of at least one");
  std::set<std::string> names;
  for (const auto& item : *list) {
    auto target = target_of(item, read);
    if (!target) return std::move(target).error();
    if (!names.insert(target->name).second)
      return at(item, "two targets are named " + target->name);
    settings.targets.push_back(*std::move(target));
  }
  return settings;
}

}  // namespace skep::notify
