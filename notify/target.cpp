#include "notify/target.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include <nlohmann/json.hpp>

#include "core/digest.hpp"
#include "helm-like-templates/renderer/render.hpp"
#include "notify/commit_status.hpp"
#include "notify/message.hpp"

namespace skep::notify {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kSlackText = 2900;  ///< Of one section; Slack takes 3,000 characters.

/// Units of UTF-16, which is what chats count as characters.
std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    count += byte >= 0xF0 ? 2 : (byte & 0xC0U) == 0x80U ? 0 : 1;
  }
  return count;
}

std::size_t bytes(std::string_view text) { return text.size(); }

/// As it stands in a JSON body, where a quote is two bytes and a control character is six.
std::size_t bytes_of_json(std::string_view text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace).size();
}

/// Nothing that a task prints or a commit says ends the code block that Discord shows it in.
std::string without_backquotes(std::string text) {
  std::replace(text.begin(), text.end(), '`', '\'');
  return text;
}

/// Of the markdown that Teams reads only a link is more than a look: it may lead elsewhere than it
/// says.
std::string without_links(std::string text) {
  std::string result;
  for (const char c : text) {
    if (c == '(' && result.ends_with(']')) result += ' ';
    result += c;
  }
  return result;
}

std::string as_it_is(std::string text) { return text; }

/// How long the text of a message may be. What a chat is told that is longer than it takes, it
/// refuses as a whole; room is left for the title and what stands around both.
struct TextLimit {
  std::string_view type;
  std::size_t most;
  std::size_t (*measure)(std::string_view);
  std::string (*escaped)(std::string) = &as_it_is;
};
constexpr std::array<TextLimit, 6> kTextLimits = {{
    {"teams", 24'000, &bytes_of_json, &without_links},  // 28 KB, the whole message.
    {"matrix", 48'000, &bytes_of_json},  // 65,536 bytes, the whole event, with what servers add.
    {"gotify", 48'000, &bytes_of_json},  // 65,535 bytes in its database, where that is MySQL.
    {"discord", 4'000, &characters, &without_backquotes},  // 4,096 of a description.
    {"telegram", 3'800, &characters},                      // 4,096, with the title.
    {"ntfy", 3'500, &bytes},                               // 4,096; more becomes a file.
}};

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// The text of a message, as much of it as fits.
std::string text_that(const std::function<bool(const std::string&)>& fits,
                      const std::string& body) {
  std::string text = Json::parse(body).at("text");
  if (fits(text)) return text;
  Message told;
  told.stories = stories_of(body);
  text = text_within(told, fits);
  for (auto length = characters(text); length > 1 && !fits(text); length /= 2)
    text = at_most(text, length / 2);
  return text;
}

/// Slack reads these three as markup, whoever wrote them.
std::string slack_escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else if (c == '>') {
      result += "&gt;";
    } else if (c == '`') {
      result += '\'';  // It would end the block that the text stands in.
    } else {
      result += c;
    }
  }
  return result;
}

std::string slack_body(const std::string& body) {
  const auto message = Json::parse(body);
  const std::string severity = message.at("severity");
  const auto* sign = severity == "problem" ? ":red_circle: "
                     : severity == "good"  ? ":large_green_circle: "
                                           : ":large_yellow_circle: ";
  const auto title = slack_escaped(message.at("title"));
  const auto fits = [](const std::string& some) {
    return characters(slack_escaped(some)) <= kSlackText;
  };
  // Cut before it is escaped, so that no entity is cut in two.
  const auto text = slack_escaped(text_that(fits, body));
  const auto section = [](const std::string& words) {
    return Json{{"type", "section"}, {"text", {{"type", "mrkdwn"}, {"text", words}}}};
  };
  return dump({{"text", sign + title},  // For notifications and screen readers.
               {"blocks", {section(sign + ("*" + title + "*")), section("```" + text + "```")}}});
}

/// Alertmanager's API v2. Labels are what an alert is, so that a recovery ends what a failure
/// began: the reason stands in the annotations.
std::string alerts_body(const Target& target, const Json& message, const Delivery& delivery) {
  constexpr auto kUntilRecovered = std::chrono::hours(24 * 30);
  constexpr auto kForAMoment = std::chrono::minutes(5);
  const std::string reason = message.at("reason");
  const bool over = reason == "recovered", event = reason == "drift_healed";
  Json alerts = Json::array();
  for (const auto& story : message.at("stacks")) {
    Json labels = target.values;
    labels["alertname"] = event ? "SkepDriftHealed" : "SkepStack";
    labels["stack"] = story.at("stack");
    labels["skep_instance"] = message.at("instance");
    const WallTime end = over    ? delivery.created
                         : event ? delivery.created + kForAMoment
                                 : delivery.created + kUntilRecovered;
    Json alert = {{"labels", std::move(labels)},
                  {"annotations",
                   {{"reason", reason},
                    {"severity", message.at("severity")},
                    {"summary", story.at("stack").get<std::string>() + ": " + reason},
                    {"description", story.at("what")},
                    {"remedy", story.at("remedy")}}},
                  {"endsAt", to_rfc3339(end)}};
    if (!over) alert["startsAt"] = to_rfc3339(delivery.created);
    if (!story.at("link").get<std::string>().empty()) alert["generatorURL"] = story.at("link");
    alerts.push_back(std::move(alert));
  }
  return dump(alerts);
}

templates::Value value_of(const Json& json) {
  if (json.is_object()) {
    templates::Map map;
    for (const auto& [key, value] : json.items()) map.entries.emplace(key, value_of(value));
    return templates::Value(std::move(map));
  }
  if (json.is_array()) {
    templates::List list;
    for (const auto& item : json) list.items.push_back(value_of(item));
    return templates::Value(std::move(list));
  }
  // The message's form knows texts only.
  return json.is_string() ? templates::Value(json.get<std::string>()) : templates::Value();
}

Result<std::string> body_for(const Target& target, const Delivery& delivery) {
  if (!target.body.empty()) return rendered(target, target.body, delivery);
  if (const auto text = template_of(target.type); !text.empty())
    return rendered(target, text, delivery);
  if (target.type == "alertmanager")
    return alerts_body(target, Json::parse(delivery.body), delivery);
  if (target.type == "slack") return slack_body(delivery.body);
  return delivery.body;
}

}  // namespace

Result<std::string> rendered(const Target& target,
                             std::string_view text,
                             const Delivery& delivery) {
  auto data = Json::parse(delivery.body);
  data["target"] = target.values;
  for (const auto& limit : kTextLimits) {
    if (limit.type != target.type) continue;
    const auto fits = [&](const std::string& some) {
      return limit.measure(limit.escaped(some)) <= limit.most;
    };
    data["text"] = limit.escaped(text_that(fits, delivery.body));
  }
  auto body = templates::render({{target.name, std::string(text)}}, target.name, value_of(data));
  if (!body) return std::move(body).error();
  if (target.content_type == "application/json" && !Json::accept(*body)) {
    return Error{ErrorKind::invalid_input,
                 "the template gives no JSON; write texts as {{ toRawJson .text }}, or set "
                 "content_type",
                 std::nullopt};
  }
  return body;
}

Result<HttpCall> call_for(const Target& target, const Delivery& delivery, WallTime now) {
  auto body = body_for(target, delivery);
  if (!body) return std::move(body).error().within("notification target " + target.name);
  HttpCall call;
  call.url = std::string(target.url.reveal());
  call.body = *std::move(body);
  if (target.type == "matrix") {
    call.method = "PUT";  // With an id of its own the server takes each message once.
    call.url += (call.url.ends_with('/') ? "" : "/") + delivery.id;
  }
  constexpr std::string_view kAlerts = "/api/v2/alerts";
  if (target.type == "alertmanager" && !call.url.ends_with(kAlerts)) {
    while (call.url.ends_with('/')) call.url.pop_back();
    call.url += kAlerts;
  }
  call.headers = {{"Content-Type", target.content_type},
                  {"User-Agent", "skep"},
                  {"X-Skep-Delivery", delivery.id}};
  if (!target.secret.empty()) {
    const auto time = std::to_string(
        std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
    call.headers.emplace_back("X-Skep-Timestamp", time);
    call.headers.emplace_back(
        "X-Skep-Signature",
        "sha256=" + hmac_sha256_hex(target.secret.reveal(), time + "." + call.body));
  }
  if (!target.token.empty())
    call.headers.emplace_back("Authorization", "Bearer " + std::string(target.token.reveal()));
  for (const auto& [name, value] : target.headers) call.headers.emplace_back(name, value);
  return call;
}

}  // namespace skep::notify
