#include "notify/target.hpp"

#include <nlohmann/json.hpp>

#include "core/digest.hpp"
#include "helm-like-templates/renderer/render.hpp"

namespace skep::notify {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kSlackText = 2900;  ///< Of one section; Slack takes 3,000 characters.

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// At most `most` bytes, cut between characters.
std::string shortened(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  auto end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "…";
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

std::string slack_body(const Json& message) {
  const std::string severity = message.at("severity");
  const auto* sign = severity == "problem" ? ":red_circle: "
                     : severity == "good"  ? ":large_green_circle: "
                                           : ":large_yellow_circle: ";
  const auto title = slack_escaped(message.at("title"));
  // Cut before it is escaped, so that no entity is cut in two; escaping makes few texts longer.
  auto text = slack_escaped(shortened(message.at("text"), kSlackText / 2));
  if (text.size() > kSlackText) text = slack_escaped(shortened(message.at("text"), kSlackText / 5));
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
  if (target.type == "slack") return slack_body(Json::parse(delivery.body));
  return delivery.body;
}

}  // namespace

Result<std::string> rendered(const Target& target,
                             std::string_view text,
                             const Delivery& delivery) {
  auto data = Json::parse(delivery.body);
  data["target"] = target.values;
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
