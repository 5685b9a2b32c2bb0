#include "server/webhook_payload.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "core/ascii.hpp"
#include "server/webhook_registry.hpp"

namespace skep::server {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kDeepestPayload = 64;
constexpr std::size_t kLongestText = 2048;  ///< Of a ref or an address; git itself allows less.

/// What a wanted place of the document holds.
struct Found {
  enum class Type { null, boolean, text, other };
  Type type = Type::null;
  bool truth = false;
  std::string text;
  bool too_long = false;
};

/// Paths are at most two names long: "ref", "repository.clone_url".
using Fields = std::map<std::string, Found, std::less<>>;

const std::set<std::string, std::less<>> kWanted = {
    "ref",
    "after",
    "deleted",
    "object_kind",
    "event_name",
    "repository",
    "repository.url",
    "repository.clone_url",
    "repository.ssh_url",
    "repository.git_url",
    "repository.html_url",
    "repository.homepage",
    "repository.git_http_url",
    "repository.git_ssh_url",
    "project",
    "project.url",
    "project.git_http_url",
    "project.git_ssh_url",
    "project.http_url",
    "project.ssh_url",
    "project.web_url",
    "project.homepage",
};

/// Passes through the document once and keeps what is wanted: no tree is built, so that a megabyte
/// of brackets costs nothing. The names are nlohmann's.
class PayloadReader {
 public:
  Fields fields;
  std::string trouble;  ///< "" where all was read.
  bool object = false;  ///< The document is one.

  bool null() { return value({Found::Type::null, false, {}, false}); }
  bool boolean(bool truth) { return value({Found::Type::boolean, truth, {}, false}); }
  bool number_integer(Json::number_integer_t) { return other(); }
  bool number_unsigned(Json::number_unsigned_t) { return other(); }
  bool number_float(Json::number_float_t, const std::string&) { return other(); }
  bool binary(Json::binary_t&) { return other(); }

  bool string(std::string& text) {
    const bool too_long = text.size() > kLongestText;
    return value({Found::Type::text, false, too_long ? std::string() : text, too_long});
  }

  bool start_object(std::size_t) {
    if (depth_ == 0) object = true;
    return open();
  }
  bool start_array(std::size_t) {
    const bool taken = open();
    arrays_ += 1;
    return taken;
  }
  bool end_object() { return close(); }
  bool end_array() {
    arrays_ -= 1;
    return close();
  }

  bool key(std::string& name) {
    if (depth_ == 1) outer_ = name;
    if (depth_ == 2) inner_ = name;
    return true;
  }

  bool parse_error(std::size_t at, const std::string&, const Json::exception& error) {
    constexpr int kNumberTooLarge = 406;
    trouble = error.id == kNumberTooLarge ? "the JSON holds a number that is too large"
                                          : "the body is no JSON, from byte " + std::to_string(at);
    return false;
  }

 private:
  bool open() {
    other();  // A wanted name that holds an object or a list is of another type than a text.
    if (++depth_ <= kDeepestPayload) return true;
    trouble = "the JSON is nested more than " + std::to_string(kDeepestPayload) + " levels deep";
    return false;
  }
  bool close() {
    --depth_;
    return true;
  }
  bool other() { return value({Found::Type::other, false, {}, false}); }

  bool value(Found found) {
    if (arrays_ > 0 || depth_ == 0 || depth_ > 2) return true;
    const auto path = depth_ == 1 ? outer_ : outer_ + "." + inner_;
    if (kWanted.contains(path)) fields[path] = std::move(found);
    return true;
  }

  std::size_t depth_ = 0, arrays_ = 0;
  std::string outer_, inner_;
};

Error malformed(std::string message) {
  return Error{ErrorKind::invalid_input, std::move(message), std::nullopt};
}

Result<Fields> read(std::string_view json) {
  PayloadReader reader;
  const bool whole = Json::sax_parse(json.begin(), json.end(), &reader);
  if (!whole || !reader.trouble.empty()) return malformed(reader.trouble);
  if (!reader.object) return malformed("the JSON must be an object");
  return std::move(reader.fields);
}

/// A text that must be there.
Result<std::string> text_of(const Fields& fields, const std::string& path) {
  const auto found = fields.find(path);
  if (found == fields.end()) return malformed("\"" + path + "\" is missing");
  if (found->second.type != Found::Type::text) return malformed("\"" + path + "\" must be a text");
  if (found->second.too_long) return malformed("\"" + path + "\" is too long");
  return found->second.text;
}

/// "" where it is not there.
Result<std::string> optional_text(const Fields& fields, const std::string& path) {
  const auto found = fields.find(path);
  if (found == fields.end() || found->second.type == Found::Type::null) return std::string();
  return text_of(fields, path);
}

bool is_zero_commit(std::string_view id) {
  return !id.empty() && id.find_first_not_of('0') == std::string_view::npos;
}

/// What addresses stand below `repository` and `project`.
std::vector<std::string> addresses(const Fields& fields) {
  std::vector<std::string> found;
  for (const auto& [path, field] : fields) {
    const bool below = path.starts_with("repository.") || path.starts_with("project.");
    if (below && field.type == Found::Type::text && !field.text.empty())
      found.push_back(field.text);
  }
  return found;
}

Result<WebhookPayload> push_of(const Fields& fields) {
  WebhookPush push;
  auto ref = text_of(fields, "ref");
  if (!ref) return std::move(ref).error();
  push.ref = *std::move(ref);
  if (!push.ref.starts_with("refs/"))
    return malformed("\"ref\" must be a full one, such as refs/heads/main");
  const auto after = optional_text(fields, "after");
  if (!after) return after.error();
  push.deleted = is_zero_commit(*after);
  if (const auto deleted = fields.find("deleted"); deleted != fields.end()) {
    if (deleted->second.type != Found::Type::boolean)
      return malformed("\"deleted\" must be true or false");
    push.deleted = push.deleted || deleted->second.truth;
  }
  push.repositories = addresses(fields);
  if (push.repositories.empty()) return malformed("the payload names no address of its repository");
  return WebhookPayload(std::move(push));
}

Result<WebhookPayload> generic_of(std::string_view json) {
  if (json.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return WebhookPayload(WebhookPush());
  const auto fields = read(json);
  if (!fields) return fields.error();
  WebhookPush push;
  auto ref = optional_text(*fields, "ref");
  if (!ref) return std::move(ref).error();
  if (!ref->empty() && !ref->starts_with("refs/")) *ref = "refs/heads/" + *ref;
  push.ref = *std::move(ref);
  auto repository = optional_text(*fields, "repository");
  if (!repository) return std::move(repository).error();
  if (!repository->empty()) push.repositories.push_back(*std::move(repository));
  return WebhookPayload(std::move(push));
}

bool is_push(WebhookProvider provider, std::string_view event, const Fields& fields) {
  if (provider != WebhookProvider::gitlab) return event == "push";
  if (event == "Push Hook" || event == "Tag Push Hook") return true;
  // A hook of the whole instance says in the body what it is about.
  const auto name = fields.find("event_name");
  return event == "System Hook" && name != fields.end() &&
         (name->second.text == "push" || name->second.text == "tag_push");
}

}  // namespace

std::string_view to_string(WebhookProvider provider) {
  switch (provider) {
    case WebhookProvider::github:
      return "github";
    case WebhookProvider::gitlab:
      return "gitlab";
    case WebhookProvider::gitea:
      return "gitea";
    case WebhookProvider::forgejo:
      return "forgejo";
    case WebhookProvider::registry:
      return "registry";
    case WebhookProvider::generic:
      break;
  }
  return "generic";
}

Result<WebhookPayload> parse_webhook(WebhookProvider provider,
                                     std::string_view event,
                                     std::string_view json) {
  if (provider == WebhookProvider::generic) return generic_of(json);
  if (provider == WebhookProvider::registry) return parse_registry_event(json);
  if (event.empty()) return malformed("the header that names the event is missing");
  const auto fields = read(json);
  if (!fields) return fields.error();
  if (event == "ping") return WebhookPayload(WebhookNothing{"pong"});
  if (!is_push(provider, event, *fields))
    return WebhookPayload(WebhookNothing{"this event is no push"});
  return push_of(*fields);
}

Result<std::string> payload_of_form(std::string_view body) {
  constexpr std::string_view kName = "payload=";
  while (!body.empty()) {
    const auto end = std::min(body.find('&'), body.size());
    const auto field = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (!field.starts_with(kName)) continue;
    std::string text;
    for (std::size_t at = kName.size(); at < field.size(); ++at) {
      if (field[at] != '%') {
        text += field[at] == '+' ? ' ' : field[at];
        continue;
      }
      const int high = at + 2 < field.size() ? hex_digit(field[at + 1]) : -1;
      const int low = high >= 0 ? hex_digit(field[at + 2]) : -1;
      if (low < 0) return malformed("the form holds a broken escape");
      text += static_cast<char>(high * 16 + low);
      at += 2;
    }
    return text;
  }
  return malformed("the form has no field \"payload\"");
}

}  // namespace skep::server
