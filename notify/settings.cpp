#include "notify/settings.hpp"

#include <algorithm>

#include "yaml/parse.hpp"

namespace skep::notify {
namespace {

Error at(const yaml::Node& node, std::string message) {
  return Error{ErrorKind::invalid_input, std::move(message), node.at()};
}

std::string joined(const std::vector<std::string>& words) {
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

Result<void> only_keys(const yaml::Map& map, const std::vector<std::string>& known) {
  for (const auto& entry : map) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    return Error{ErrorKind::invalid_input,
                 "there is no setting \"" + entry.key + "\" here; there are " + joined(known),
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
      return at(item, "only takes these words: " + joined(known));
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
  if ((!text.starts_with("https://") && !text.starts_with("http://")) || !is_plain(text) ||
      text.find(' ') != std::string_view::npos)
    return at(node, "the address of a target must begin with https:// or http://");
  return {};
}

Result<Target> target_of(const yaml::Node& node, const ReadFile& read) {
  const auto* map = node.as<yaml::Map>();
  if (map == nullptr) return at(node, "a target must be a mapping");
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
    return at(node, "type must be one of " + joined(types));
  if (target.name.empty() || !is_plain(target.name)) return at(node, "a target needs a name");
  if (!is_plain(target.content_type)) return at(node, "content_type must be one line");
  const auto* needed = target.type == "telegram" ? "chat_id"
                       : target.type == "ntfy"   ? "topic"
                                                 : nullptr;
  if (needed != nullptr && target.body.empty() && target.values.count(needed) == 0)
    return at(node, target.type + " needs values: { " + needed + ": \"...\" }");
  // A first rendering shows what is missing now, and not when something has failed.
  Message sample;
  sample.reason = "failed";
  sample.stories.emplace_back().stack = "apps/sample";
  const auto call = call_for(target, {"0", target.name, to_json(sample, "0"), 0, {}}, {});
  if (!call) return at(node, call.error().message);
  return target;
}

}  // namespace

Result<Settings> parse_settings(std::string_view text,
                                const std::string& file,
                                const ReadFile& read) {
  const auto root = yaml::parse(text, file);
  if (!root) return root.error();
  const auto* map = root->as<yaml::Map>();
  if (map == nullptr) return at(*root, "the settings must be a mapping with targets");
  if (auto known = only_keys(*map, {"commit_url", "targets"}); !known)
    return std::move(known).error();
  Settings settings;
  if (auto taken = take_text(*root, "commit_url", settings.commit_url); !taken)
    return std::move(taken).error();
  if (!settings.commit_url.empty() && settings.commit_url.find("{commit}") == std::string::npos)
    return at(*root->find("commit_url"), "commit_url must hold {commit}");
  const auto* targets = root->find("targets");
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
