#include "engine/api.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace skep::engine {
namespace {

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// The engine's {"message": "…"}, or the body as it is where it is something else.
std::string words_of(const HttpResponse& response) {
  const auto json = nlohmann::json::parse(response.body, nullptr, false);
  if (json.is_object() && json.contains("message") && json["message"].is_string()) {
    auto words = json["message"].get<std::string>();
    while (!words.empty() && (words.back() == '\n' || words.back() == ' ')) words.pop_back();
    if (!words.empty()) return words;
  }
  constexpr std::size_t kEnough = 300;
  auto words = response.body.substr(0, kEnough);
  while (!words.empty() && static_cast<unsigned char>(words.back()) <= ' ') words.pop_back();
  return words.empty() ? fmt::format("status {}", response.status) : words;
}

ErrorKind kind_of(const ApiCall& call, int status, std::string_view words) {
  const bool removes = call.method == "DELETE";
  const bool reads = call.method == "GET" || call.method == "HEAD";
  if (has(words, "update out of sequence") || has(words, "name conflicts") ||
      has(words, "already exists"))
    return ErrorKind::conflict;
  // What still uses it may be about to go: a service's tasks leave their networks a moment after
  // it.
  if (removes && (has(words, "in use") || has(words, "active endpoints")))
    return ErrorKind::unavailable;
  // Not a matter of rights, whatever the status says (403).
  if (has(words, "cannot be used with services")) return ErrorKind::invalid_input;
  // A driver that no node has: 404, but nothing of the swarm is gone.
  if (has(words, "plugin \"") && has(words, "not found")) return ErrorKind::invalid_input;
  switch (status) {
    case 400:
    case 406:
    case 413:
    case 501:
      return ErrorKind::invalid_input;
    case 401:
    case 403:
      return ErrorKind::unauthorized;
    // Gone since it was observed; a read names something that does not exist.
    case 404:
      return reads ? ErrorKind::invalid_input : ErrorKind::conflict;
    case 409:
      return ErrorKind::conflict;
    default:
      break;
  }
  // A registry's refusals come through as a 500 (seen on 20.10).
  if (call.operation == "distribution_inspect") {
    if (has(words, "no basic auth credentials") || has(words, "unauthorized") ||
        has(words, "authentication required") || has(words, "denied"))
      return ErrorKind::unauthorized;
    if (has(words, "manifest unknown") || has(words, "name unknown"))
      return ErrorKind::invalid_input;
  }
  // A service's network that is not there is a 500 (seen on 20.10).
  // While its last tasks leave, a network that was removed is still listed, and removing it once
  // more is one too.
  if (words.starts_with("network ") && words.ends_with(" not found"))
    return removes ? ErrorKind::unavailable : ErrorKind::conflict;
  // Refusals of the content that the engine wraps into a 500.
  if (has(words, "code = InvalidArgument") || has(words, "constraint expected") ||
      has(words, "service mode change is not allowed"))
    return ErrorKind::invalid_input;
  return ErrorKind::unavailable;
}

std::array<int, 2> numbers_of(std::string_view version) {
  std::array<int, 2> numbers{0, 0};
  const auto dot = version.find('.');
  std::from_chars(version.data(), version.data() + std::min(dot, version.size()), numbers[0]);
  if (dot != std::string_view::npos)
    std::from_chars(version.data() + dot + 1, version.data() + version.size(), numbers[1]);
  return numbers;
}

}  // namespace

std::string older_version(const std::string& left, const std::string& right) {
  return numbers_of(left) < numbers_of(right) ? left : right;
}

Error api_error(const ApiCall& call, const HttpResponse& response) {
  const auto words = words_of(response);
  if (has(words, "Worker nodes can"))
    return {
        ErrorKind::unavailable,
        "this engine is a worker of its swarm and can tell nothing: name a manager's engine with "
        "-H or DOCKER_HOST, or make it a manager with \"docker node promote\" on one that is "
        "(the engine says: " +
            words + ")",
        {}};
  if (has(words, "not a swarm manager") || has(words, "not part of a swarm"))
    return {ErrorKind::unavailable,
            "this engine is not a swarm manager: name a manager's engine with -H or DOCKER_HOST, "
            "or make this "
            "one a manager with \"docker swarm init\" (the engine says: " +
                words + ")",
            {}};
  if (response.status < 400)
    return {ErrorKind::unavailable,
            fmt::format("the engine answered {} with status {}",
                        call.path.substr(0, call.path.find('?')),
                        response.status),
            {}};
  return {kind_of(call, response.status, words), words, {}};
}

namespace {

std::chrono::milliseconds timeout_of(const ApiCall& call, const EngineOptions& options) {
  // The engine answers these from its memory.
  if (call.operation == "ping") return std::min(options.ping_timeout, options.request_timeout);
  if (call.operation == "manager_ping")
    return std::min(options.leader_timeout, options.request_timeout);
  if (call.operation.ends_with("_list"))
    return std::min(options.list_timeout, options.request_timeout);
  return options.request_timeout;
}

}  // namespace

Api::Api(EngineOptions options)
    : options_(std::move(options)),
      http_(options_.endpoint, options_.connect_timeout),
      version_(options_.endpoint.api_version) {}

HttpRequest Api::request_of(const ApiCall& call, const std::string& version) const {
  return {.method = call.method,
          .path = (version.empty() ? "" : "/v" + version) + call.path,
          .headers = call.headers,
          .body = call.body,
          .timeout = timeout_of(call, options_),
          .response_limit = options_.response_limit};
}

void Api::report(const ApiCall& call,
                 const Result<HttpResponse>& answer,
                 std::chrono::nanoseconds duration) {
  if (options_.on_request)
    options_.on_request(call.operation, answer ? answer->status : 0, duration);
  // The engine behind the socket was replaced by an older or a much newer one: negotiate again next
  // time.
  if (answer && answer->status == 400 && has(answer->body, "client version") &&
      options_.endpoint.api_version.empty()) {
    const std::lock_guard lock(mutex_);
    version_.clear();
  }
}

Result<std::string> Api::negotiate(std::stop_token stop) {
  ApiCall ping{.operation = "ping", .method = "HEAD", .path = "/_ping"};
  for (const char* method : {"HEAD", "GET"}) {
    ping.method = method;
    const auto started = std::chrono::steady_clock::now();
    auto answer = http_.send(request_of(ping, ""), stop);
    report(ping, answer, std::chrono::steady_clock::now() - started);
    if (!answer) return std::move(answer).error();
    const auto header = answer->headers.find("api-version");
    if (header == answer->headers.end()) continue;
    if (older_version(header->second, std::string(kMinimumApi)) != kMinimumApi)
      return Error{
          ErrorKind::invalid_input,
          fmt::format("the engine at {} speaks API {}; skep needs {} (Docker 20.10) or newer",
                      options_.endpoint.text(),
                      header->second,
                      kMinimumApi),
          {}};
    return older_version(header->second, std::string(kNewestApi));
  }
  return Error{ErrorKind::unavailable,
               fmt::format("what answers at {} is not a Docker engine", options_.endpoint.text()),
               {}};
}

Result<std::string> Api::version(std::stop_token stop) {
  {
    const std::lock_guard lock(mutex_);
    if (!version_.empty()) return version_;
  }
  auto negotiated = negotiate(std::move(stop));
  if (!negotiated) return negotiated;
  const std::lock_guard lock(mutex_);
  version_ = *negotiated;
  return version_;
}

Result<HttpResponse> Api::ask(const ApiCall& call, std::stop_token stop) {
  auto spoken = version(stop);
  if (!spoken) return std::move(spoken).error();
  const auto started = std::chrono::steady_clock::now();
  auto answer = http_.send(request_of(call, *spoken), std::move(stop));
  report(call, answer, std::chrono::steady_clock::now() - started);
  return answer;
}

Result<std::string> Api::call(const ApiCall& call, std::stop_token stop) {
  auto answer = ask(call, std::move(stop));
  if (!answer) return std::move(answer).error();
  if (answer->status >= 300) return api_error(call, *answer);
  return std::move(answer->body);
}

Result<std::vector<std::string>> Api::call_all(const std::vector<ApiCall>& calls,
                                               std::stop_token stop) {
  auto spoken = version(stop);
  if (!spoken) return std::move(spoken).error();
  std::vector<HttpRequest> requests;
  requests.reserve(calls.size());
  for (const auto& call : calls) requests.push_back(request_of(call, *spoken));
  const auto started = std::chrono::steady_clock::now();
  auto answers = http_.send_all(requests, std::move(stop));
  const auto duration = std::chrono::steady_clock::now() - started;
  for (std::size_t i = 0; i < calls.size(); ++i) report(calls[i], answers[i], duration);
  std::vector<std::string> bodies;
  bodies.reserve(calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (!answers[i]) return std::move(answers[i]).error();
    if (answers[i]->status >= 300) return api_error(calls[i], *answers[i]);
    bodies.push_back(std::move(answers[i]->body));
  }
  return bodies;
}

Result<void> Api::stream(const ApiCall& call,
                         const std::function<void()>& on_open,
                         const std::function<void(std::string_view)>& on_data,
                         std::stop_token stop) {
  auto spoken = version(stop);
  if (!spoken) return std::move(spoken).error();
  auto request = request_of(call, *spoken);
  request.timeout = {};
  request.response_limit = 0;
  request.on_head = [&](const HttpResponse& head) {
    if (head.status < 300 && on_open) on_open();
  };
  request.on_data = on_data;
  const auto started = std::chrono::steady_clock::now();
  auto answer = http_.send(request, std::move(stop));
  report(call, answer, std::chrono::steady_clock::now() - started);
  if (!answer) return std::move(answer).error();
  if (answer->status >= 300) return api_error(call, *answer);
  return {};
}

}  // namespace skep::engine
