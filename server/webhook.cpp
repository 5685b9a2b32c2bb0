#include "server/webhook.hpp"

#include <memory>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/ascii.hpp"
#include "core/logfmt.hpp"
#include "server/webhook_memory.hpp"
#include "server/webhook_repository.hpp"

namespace skep::server {
namespace {

constexpr std::string_view kPathPrefix = "/webhook/";
constexpr std::size_t kLargestBody = 1U << 20U;
constexpr std::size_t kLongestQuote = 200;  ///< Of a payload, in answers and logs.

/// "application/json; charset=utf-8" → "application/json"
std::string media_type(const Request& request) {
  const auto value = request.header("content-type");
  auto type = lower(value.substr(0, value.find(';')));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
  return type;
}

std::string_view first_header(const Request& request, std::initializer_list<const char*> names) {
  for (const auto* name : names) {
    if (const auto value = request.header(name); !value.empty()) return value;
  }
  return {};
}

std::string_view event_of(WebhookProvider provider, const Request& request) {
  switch (provider) {
    case WebhookProvider::github:
      return request.header("x-github-event");
    case WebhookProvider::gitlab:
      return request.header("x-gitlab-event");
    case WebhookProvider::gitea:
    case WebhookProvider::forgejo:
      return first_header(request, {"x-forgejo-event", "x-gitea-event"});
    case WebhookProvider::generic:
    case WebhookProvider::registry:
      break;
  }
  return {};
}

std::string_view delivery_of(WebhookProvider provider, const Request& request) {
  switch (provider) {
    case WebhookProvider::github:
      return request.header("x-github-delivery");
    case WebhookProvider::gitlab:
      return first_header(request, {"x-gitlab-event-uuid", "idempotency-key"});
    case WebhookProvider::gitea:
    case WebhookProvider::forgejo:
      return first_header(request, {"x-forgejo-delivery", "x-gitea-delivery"});
    case WebhookProvider::generic:
    case WebhookProvider::registry:
      break;
  }
  return request.header("x-skep-delivery");
}

/// distribution counts the versions of its form.
bool is_registry_type(std::string_view type) {
  return type.starts_with("application/vnd.docker.distribution.events.") ||
         type == "application/cloudevents+json";
}

std::string excerpt(const std::string& text) {
  return text.size() <= kLongestQuote ? text : text.substr(0, kLongestQuote) + "…";
}

Response answer(int status, std::string_view result, std::string_view reason) {
  const nlohmann::json body = {{"result", result}, {"reason", reason}};
  return {.status = status,
          .body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
}

class Webhooks {
 public:
  Webhooks(const Clock& clock, WebhookOptions options)
      : clock_(clock), options_(std::move(options)), rate_(options_.burst, options_.per_second) {}

  Response receive(WebhookProvider provider, const Request& request) {
    const auto name = std::string(to_string(provider));
    if (!options_.proofs.configured(provider)) {
      say("webhook refused: no proof is configured; set --webhook-secret-file for " + name,
          provider,
          request);
      return error_response(404, "no proof is configured for this provider");
    }
    if (!rate_.allowed(request.peer_name, clock_.steady())) {
      say("webhook refused: too many calls from this address", provider, request);
      auto refused = error_response(429, "too many calls; the next poll finds the change too");
      refused.headers.emplace_back("Retry-After", "5");
      return refused;
    }
    const auto coding = lower(request.header("content-encoding"));
    if (!coding.empty() && coding != "identity")
      return error_response(415, "a body with a Content-Encoding is not taken; send it as it is");
    if (request.body.size() > kLargestBody) return error_response(413, "the body is too large");
    const auto proof = options_.proofs.check(provider, request, clock_.now());
    if (!proof) {
      // The time is part of this one's proof.
      const bool timed = provider == WebhookProvider::generic;
      say("webhook refused: its proof is missing or wrong; compare the secret of the host's hook "
          "with the file of --webhook-secret-file " +
              name + (timed ? ", X-Skep-Timestamp with this machine's clock" : ""),
          provider,
          request);
      return error_response(401, "the proof of this call is missing or wrong");
    }
    return genuine(provider, request, *proof);
  }

 private:
  Response genuine(WebhookProvider provider, const Request& request, const std::string& proof) {
    const auto payload = read(provider, request);
    if (const auto* refused = std::get_if<Response>(&payload)) return *refused;
    std::vector<std::string> marks;
    const auto prefix = std::string(to_string(provider));
    if (const auto id = delivery_of(provider, request); !id.empty())
      marks.push_back(prefix + " id " + std::string(id));
    if (!proof.empty()) marks.push_back(prefix + " proof " + proof);
    const auto& read_payload = std::get<WebhookPayload>(payload);
    const auto* images = std::get_if<WebhookImages>(&read_payload);
    if (images != nullptr && !images->id.empty()) marks.push_back(prefix + " id " + images->id);
    if (!seen_.first_time(marks)) return answer(200, "ignored", "already seen");
    if (images != nullptr) return tags_moved(*images);
    if (const auto* nothing = std::get_if<WebhookNothing>(&read_payload))
      return answer(200, "ignored", nothing->reason);
    return pushed(provider, request, std::get<WebhookPush>(read_payload));
  }

  static std::variant<WebhookPayload, Response> read(WebhookProvider provider,
                                                     const Request& request) {
    const auto type = media_type(request);
    const bool form = type == "application/x-www-form-urlencoded";
    const bool json = type == "application/json" ||
                      (provider == WebhookProvider::generic && request.body.empty()) ||
                      (provider == WebhookProvider::registry && is_registry_type(type));
    const bool may_be_form =
        provider != WebhookProvider::generic && provider != WebhookProvider::registry;
    if (!json && !(form && may_be_form)) {
      return error_response(415,
                            "the Content-Type must be application/json; choose it where the hook "
                            "is set up");
    }
    std::string text;
    if (form) {
      auto payload = payload_of_form(request.body);
      if (!payload) return error_response(400, payload.error().message);
      text = *std::move(payload);
    }
    auto parsed = parse_webhook(provider, event_of(provider, request), form ? text : request.body);
    if (!parsed) return error_response(400, parsed.error().message);
    return *std::move(parsed);
  }

  Response pushed(WebhookProvider provider, const Request& request, const WebhookPush& push) {
    if (!push.repositories.empty() && !names_repository(push.repositories, options_.repositories)) {
      const auto other = excerpt(push.repositories.front());
      say("webhook ignored: it is about another repository (" + other +
              "); if it is ours under another address, give that by --webhook-repository",
          provider,
          request);
      return answer(200, "ignored", "another repository than the agent follows: " + other);
    }
    if (!push.ref.empty() && !moves_ref(push.ref, options_.ref)) {
      return answer(
          200, "ignored", excerpt(push.ref) + " is not what the agent follows: " + options_.ref);
    }
    if (push.deleted) return answer(200, "ignored", excerpt(push.ref) + " was deleted");
    options_.hint();
    return answer(202, "accepted", "the repository is fetched now");
  }

  [[nodiscard]] Response tags_moved(const WebhookImages& pushed) const {
    std::string followed;
    for (const auto& image : pushed.images) {
      if (options_.image_hint && options_.image_hint(image.repository, image.tag))
        followed += (followed.empty() ? "" : ", ") + image.repository + ":" + image.tag;
    }
    if (!followed.empty())
      return answer(
          202, "accepted", "the registry is asked now for " + excerpt(std::as_const(followed)));
    const auto& first = pushed.images.front();
    return answer(
        200,
        "ignored",
        "no stack with resolve_image: always uses " + excerpt(first.repository + ":" + first.tag));
  }

  void say(const std::string& sentence, WebhookProvider provider, const Request& request) {
    if (!options_.say) return;
    const auto kind = sentence.substr(0, sentence.find_first_of(";("));
    if (!seldom_.due(kind + std::string(to_string(provider)), clock_.steady())) return;
    options_.say(
        logfmt(sentence, {{"provider", to_string(provider)}, {"from", request.peer_name}}));
  }

  const Clock& clock_;
  const WebhookOptions options_;
  CallRate rate_;
  SeenDeliveries seen_;
  SeldomSaid seldom_;
};

}  // namespace

void add_webhook_routes(Router& router, const Clock& clock, WebhookOptions options) {
  const auto webhooks = std::make_shared<Webhooks>(clock, std::move(options));
  for (const auto provider : kWebhookProviders) {
    router.add(RouteSet::webhook,
               "POST",
               std::string(kPathPrefix) + std::string(to_string(provider)),
               [webhooks, provider](const Request& request) {
                 return webhooks->receive(provider, request);
               });
  }
}

std::string_view webhook_provider(std::string_view pattern) {
  return pattern.starts_with(kPathPrefix) ? pattern.substr(kPathPrefix.size()) : std::string_view();
}

std::string_view webhook_result(int status) {
  switch (status) {
    case 202:
      return "accepted";
    case 200:
      return "ignored";
    case 401:
      return "bad_signature";
    case 404:
      return {};
    case 413:
    case 503:  // All bodies together are too large.
      return "too_large";
    case 429:
      return "rate_limited";
    default:
      return "malformed";
  }
}

}  // namespace skep::server
