#include "server/api.hpp"

#include <charconv>
#include <memory>
#include <optional>
#include <variant>

#include <nlohmann/json.hpp>

#include "diff/render.hpp"
#include "server/status_json.hpp"

namespace skep::server {
namespace {

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid_input:
    case ErrorKind::conflict:
      return 409;
    case ErrorKind::unauthorized:
      return 403;
    case ErrorKind::unavailable:
    case ErrorKind::cancelled:
      break;
  }
  return 503;
}

constexpr std::size_t kLongestReason = 500;

std::optional<std::chrono::seconds> seconds_of(const std::string& text) {
  constexpr std::int64_t kTenYears = 315'360'000;
  std::int64_t seconds = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, seconds);
  if (error != std::errc() || at != end || seconds < 1 || seconds > kTenYears) return std::nullopt;
  return std::chrono::seconds(seconds);
}

class Api {
 public:
  Api(ports::Control& control, ApiOptions options)
      : control_(control), options_(std::move(options)) {}

  [[nodiscard]] Response metrics() const {
    return {.status = 200,
            .content_type = "text/plain; version=0.0.4; charset=utf-8",
            .body = options_.metrics()};
  }

  [[nodiscard]] static Response probe(bool good, std::string_view bad_sentence) {
    if (!good) return error_response(503, bad_sentence);
    return {.status = 200, .body = "{\"status\":\"ok\"}\n"};
  }

  [[nodiscard]] Response status() const { return {.body = to_json(control_.status()) + "\n"}; }

  [[nodiscard]] Response stacks() const {
    std::string body = "{\"stacks\":[";
    const auto status = control_.status();
    for (const auto& stack : status.stacks) {
      if (&stack != &status.stacks.front()) body += ',';
      body += to_json(stack);
    }
    return {.body = body + "]}\n"};
  }

  [[nodiscard]] Response stack(const Request& request) const {
    const auto found = find(request);
    if (!found) return unknown_stack(request);
    auto plan = found->plan ? diff::to_json(*found->plan, id_of(request)) : std::string("null");
    return {.body = "{\"stack\":" + to_json(*found) + ",\"plan\":" + plan + "}\n"};
  }

  [[nodiscard]] Response sync_all(const Request& request) const {
    return act(request, [&](const std::string& actor) { return control_.sync("", actor); });
  }

  [[nodiscard]] Response sync(const Request& request) const {
    return act_on_stack(
        request, [&](const std::string& actor) { return control_.sync(id_of(request), actor); });
  }

  [[nodiscard]] Response suspend(const Request& request) const {
    ports::SuspendRequest wanted;
    const auto query = [&](const char* name) {
      const auto at = request.query.find(name);
      return at == request.query.end() ? std::string() : at->second;
    };
    wanted.reason = query("reason");
    if (wanted.reason.size() > kLongestReason)
      return error_response(400, "the reason is longer than 500 bytes");
    if (const auto text = query("for"); !text.empty()) {
      const auto seconds = seconds_of(text);
      if (!seconds)
        return error_response(400, "for must be a number of seconds, from 1 to ten years");
      wanted.duration = *seconds;
    }
    return act_on_stack(request, [&](const std::string& actor) {
      return control_.suspend(id_of(request), wanted, actor);
    });
  }

  [[nodiscard]] Response resume(const Request& request) const {
    return act_on_stack(
        request, [&](const std::string& actor) { return control_.resume(id_of(request), actor); });
  }

  [[nodiscard]] Response approve(const Request& request) const {
    return act_on_stack(
        request, [&](const std::string& actor) { return control_.approve(id_of(request), actor); });
  }

 private:
  static std::string id_of(const Request& request) {
    return request.parameters.at("group") + "/" + request.parameters.at("name");
  }

  static Response unknown_stack(const Request& request) {
    return error_response(404, "there is no stack " + id_of(request));
  }

  [[nodiscard]] std::optional<ports::StackStatus> find(const Request& request) const {
    auto status = control_.status();
    for (auto& stack : status.stacks) {
      if (stack.group == request.parameters.at("group") &&
          stack.name == request.parameters.at("name")) {
        return std::move(stack);
      }
    }
    return std::nullopt;
  }

  // Who writes, or why nobody may.
  [[nodiscard]] std::variant<std::string, Response> writer(const Request& request) const {
    if (request.peer == Peer::unix_socket) return request.peer_name;
    if (options_.tokens.empty()) {
      return error_response(403,
                            "writing over TCP is off: no API token is configured; use the agent's "
                            "unix socket, or give the agent the SHA-256 of a token and send the "
                            "token as \"Authorization: Bearer TOKEN\"");
    }
    if (auto actor = options_.tokens.actor(request.header("authorization"))) {
      return *actor + " from " + request.peer_name;
    }
    auto refused = error_response(
        401, "this needs a token that the agent knows: \"Authorization: Bearer TOKEN\"");
    refused.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"skep\"");
    return refused;
  }

  template <typename Do>
  [[nodiscard]] Response act(const Request& request, Do&& act_as) const {
    auto allowed = writer(request);
    if (auto* refused = std::get_if<Response>(&allowed)) return std::move(*refused);
    if (const Result<void> done = act_as(std::get<std::string>(allowed)); !done) {
      return error_response(status_of(done.error().kind), to_string(done.error()));
    }
    return {.status = 202, .body = "{\"accepted\":true}\n"};
  }

  // Permission comes first: who may not write does not learn from the answer what there is.
  template <typename Do>
  [[nodiscard]] Response act_on_stack(const Request& request, Do&& act_as) const {
    auto allowed = writer(request);
    if (auto* refused = std::get_if<Response>(&allowed)) return std::move(*refused);
    if (!find(request)) return unknown_stack(request);
    return act(request, std::forward<Do>(act_as));
  }

  ports::Control& control_;
  const ApiOptions options_;
};

}  // namespace

Response error_response(int status, std::string_view message) {
  const nlohmann::json body = {{"error", message}};
  return {.status = status,
          .body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
}

void add_routes(Router& router, ports::Control& control, ApiOptions options) {
  const bool metrics = static_cast<bool>(options.metrics);
  const auto api = std::make_shared<const Api>(control, std::move(options));
  if (metrics) {
    router.add(
        RouteSet::metrics, "GET", "/metrics", [api](const Request&) { return api->metrics(); });
  }
  router.add(RouteSet::health, "GET", "/healthz", [&control](const Request&) {
    return Api::probe(control.alive(), "the loop has not turned for too long");
  });
  router.add(RouteSet::health, "GET", "/readyz", [&control](const Request&) {
    return Api::probe(control.ready(), "no first pass has ended yet");
  });
  router.add(
      RouteSet::api, "GET", "/api/v1/status", [api](const Request&) { return api->status(); });
  router.add(
      RouteSet::api, "GET", "/api/v1/stacks", [api](const Request&) { return api->stacks(); });
  router.add(RouteSet::api, "GET", "/api/v1/stacks/{group}/{name}", [api](const Request& request) {
    return api->stack(request);
  });
  router.add(RouteSet::api, "POST", "/api/v1/sync", [api](const Request& request) {
    return api->sync_all(request);
  });
  router.add(
      RouteSet::api, "POST", "/api/v1/stacks/{group}/{name}/sync", [api](const Request& request) {
        return api->sync(request);
      });
  router.add(RouteSet::api,
             "POST",
             "/api/v1/stacks/{group}/{name}/approve",
             [api](const Request& request) { return api->approve(request); });
  router.add(RouteSet::api,
             "POST",
             "/api/v1/stacks/{group}/{name}/suspend",
             [api](const Request& request) { return api->suspend(request); });
  router.add(
      RouteSet::api, "POST", "/api/v1/stacks/{group}/{name}/resume", [api](const Request& request) {
        return api->resume(request);
      });
}

}  // namespace skep::server
