#include "server/api.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <memory>
#include <optional>
#include <variant>

#include <nlohmann/json.hpp>

#include "diff/render.hpp"
#include "server/event_feed.hpp"
#include "server/history_json.hpp"
#include "server/parameters.hpp"
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

std::string json_string(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// A value that a plan marks as secret is not shown, whatever the plan holds.
diff::Plan without_secrets(diff::Plan plan) {
  for (auto& action : plan.actions) {
    for (auto& change : action.changes) {
      if (!change.secret) continue;
      if (!change.before.empty()) change.before = "***";
      if (!change.after.empty()) change.after = "***";
    }
  }
  return plan;
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

constexpr std::size_t kMostRecords = 1'000;  ///< Of one answer.
constexpr std::size_t kLongestRevision = 64;
constexpr std::size_t kOperationsOfAStack = 10;
constexpr std::array<std::string_view, 5> kLevels = {"error", "warning", "info", "debug", "trace"};

/// A parameter of the query; "" where it is not given.
std::string query_of(const Request& request, const char* name) {
  const auto at = request.query.find(name);
  return at == request.query.end() ? std::string() : at->second;
}

/// Nothing where the text is no whole number from 0 on.
std::optional<std::int64_t> number_of(const std::string& text) {
  std::int64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || at != end || number < 0) return std::nullopt;
  return number;
}

/// ?stack= ?n= ?since= ?after=; the error is what the client is told.
std::variant<ports::HistoryQuery, Response> history_query(const Request& request) {
  ports::HistoryQuery query;
  query.stack = query_of(request, "stack");
  constexpr std::int64_t kFarFuture = 253'402'300'800;  // The year 10000, in seconds.
  const auto read = [&](const char* name, std::int64_t most, std::optional<std::int64_t>& into) {
    const auto text = query_of(request, name);
    if (text.empty()) return true;
    into = number_of(text);
    return into && *into <= most;
  };
  std::optional<std::int64_t> limit, since, after;
  if (!read("n", kMostRecords, limit) || limit == 0)
    return error_response(400, "n must be a number from 1 to 1000");
  if (!read("since", kFarFuture, since))
    return error_response(400, "since must be a Unix time in seconds");
  if (!read("after", std::numeric_limits<std::int64_t>::max(), after))
    return error_response(400, "after must be the id of an event");
  if (limit) query.limit = static_cast<std::size_t>(*limit);
  if (since) query.since = WallTime(std::chrono::seconds(*since));
  query.after = after.value_or(0);
  return query;
}

std::string why_not_ready(const ports::Control& control) {
  const auto trouble = control.status().docker_error;
  return trouble.empty() ? "no first pass has ended yet" : "the swarm cannot be read: " + trouble;
}

class Api {
 public:
  Api(ports::Control& control, ApiOptions options)
      : control_(control),
        options_(std::move(options)),
        access_({.tokens = options_.tokens, .to_read = options_.token_to_read}) {
    if (history_ != nullptr) feed_.emplace(*history_);
  }

  /// Answers who may read.
  template <typename Read>
  [[nodiscard]] Response read(const Request& request, Read&& answer) const {
    auto allowed = access_.check(request, Role::viewer);
    if (auto* refused = std::get_if<Response>(&allowed)) return std::move(*refused);
    return answer();
  }

  [[nodiscard]] Response description(const Request& /*request*/) const {
    return {.body = std::string(openapi())};
  }

  [[nodiscard]] Response metrics(const Request& /*request*/) const {
    return {.status = 200,
            .content_type = "text/plain; version=0.0.4; charset=utf-8",
            .body = options_.metrics()};
  }

  [[nodiscard]] static Response probe(bool good, std::string_view bad_sentence) {
    if (!good) return error_response(503, bad_sentence);
    return {.status = 200, .body = "{\"status\":\"ok\"}\n"};
  }

  [[nodiscard]] Response status(const Request& /*request*/) const {
    return {.body = to_json(control_.status()) + "\n"};
  }

  [[nodiscard]] Response stacks(const Request& /*request*/) const {
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
    const auto id = id_of(request);
    std::string body = "{\"stack\":" + to_json(*found);
    body += ",\"plan\":" +
            (found->plan ? diff::to_json(without_secrets(*found->plan), id) : std::string("null"));
    const auto explanation = control_.explain(id);
    body += ",\"conditions\":" +
            to_json(explanation ? explanation->conditions : std::vector<ports::Condition>());
    const auto tasks = control_.tasks(id);
    body += ",\"tasks\":" + (tasks ? to_json(*tasks) : std::string("null"));
    body += ",\"tasks_error\":" + json_string(tasks ? std::string() : to_string(tasks.error()));
    std::vector<ports::OperationRecord> done;
    if (history_ != nullptr) {
      ports::HistoryQuery query;
      query.stack = id;
      query.limit = kOperationsOfAStack;
      if (auto known = history_->operations(query)) done = *std::move(known);
    }
    return {.body = body + ",\"operations\":" + to_json(done) + "}\n"};
  }

  [[nodiscard]] Response tasks(const Request& request) const {
    if (!find(request)) return unknown_stack(request);
    const auto tasks = control_.tasks(id_of(request));
    if (!tasks) return not_told(tasks.error());
    return {.body = "{\"tasks\":" + to_json(*tasks) + "}\n"};
  }

  [[nodiscard]] Response stream(const Request& request) const {
    if (!feed_) return error_response(404, "this agent keeps no history");
    // The header is what a browser sends by itself when it comes back.
    auto text = std::string(request.header("last-event-id"));
    if (text.empty()) text = query_of(request, "after");
    std::optional<std::int64_t> after;
    if (!text.empty()) {
      after = number_of(text);
      if (!after) return error_response(400, "Last-Event-ID must be the id of an event");
    }
    return {.content_type = "text/event-stream",
            .body = {},
            .pieces = feed_->open(query_of(request, "stack"), after)};
  }

  [[nodiscard]] Response log_level(const Request& /*request*/) const {
    return {.body = "{\"level\":" + json_string(options_.log_level()) + "}\n"};
  }

  [[nodiscard]] Response set_log_level(const Request& request) const {
    const auto level = query_of(request, "level");
    if (std::find(kLevels.begin(), kLevels.end(), level) == kLevels.end())
      return error_response(400, "level must be error, warning, info, debug or trace");
    return act(request,
               [&](const std::string& actor) { return options_.set_log_level(level, actor); });
  }

  [[nodiscard]] Response explain(const Request& request) const {
    if (!find(request)) return unknown_stack(request);
    const auto explanation = control_.explain(id_of(request));
    if (!explanation) return not_told(explanation.error());
    return {.body = to_json(*explanation) + "\n"};
  }

  [[nodiscard]] Response trace(const Request& request) const {
    const auto found = control_.trace(request.parameters.at("name"));
    if (!found) return not_told(found.error());
    return {.body = to_json(*found) + "\n"};
  }

  [[nodiscard]] Response history(const Request& request) const {
    return records(request,
                   [&](const ports::HistoryQuery& query) { return history_->operations(query); });
  }

  [[nodiscard]] Response events(const Request& request) const {
    return records(request,
                   [&](const ports::HistoryQuery& query) { return history_->events(query); });
  }

  [[nodiscard]] Response rollback(const Request& request) const {
    const auto revision = query_of(request, "revision");
    if (revision.size() > kLongestRevision)
      return error_response(400, "revision must be a commit's id, or its beginning");
    return act_on_stack(request, [&](const std::string& actor) {
      return control_.rollback(id_of(request), revision, actor);
    });
  }

  [[nodiscard]] Response sync_all(const Request& request) const {
    return act(request, [&](const std::string& actor) { return control_.sync("", actor); });
  }

  [[nodiscard]] Response accept_history(const Request& request) const {
    return act(request, [&](const std::string& actor) { return control_.accept_history(actor); });
  }

  [[nodiscard]] Response sync(const Request& request) const {
    return act_on_stack(
        request, [&](const std::string& actor) { return control_.sync(id_of(request), actor); });
  }

  [[nodiscard]] Response suspend(const Request& request) const {
    ports::SuspendRequest wanted;
    wanted.reason = query_of(request, "reason");
    if (wanted.reason.size() > kLongestReason)
      return error_response(400, "the reason is longer than 500 bytes");
    if (const auto text = query_of(request, "for"); !text.empty()) {
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

  /// Of a question: what is not there is not found.
  static Response not_told(const Error& error) {
    const int status = error.kind == ErrorKind::invalid_input ? 404 : status_of(error.kind);
    return error_response(status, to_string(error));
  }

  template <typename Read>
  [[nodiscard]] Response records(const Request& request, Read&& read) const {
    if (history_ == nullptr) return error_response(404, "this agent keeps no history");
    const auto query = history_query(request);
    if (const auto* refused = std::get_if<Response>(&query)) return *refused;
    const auto found = read(std::get<ports::HistoryQuery>(query));
    if (!found) return error_response(503, "the history cannot be read: " + found.error().message);
    return {.body = to_json(*found, history_->trouble()) + "\n"};
  }

  [[nodiscard]] Response unknown_stack(const Request& request) const {
    const auto elsewhere = control_.status().stands_by();
    return error_response(404,
                          elsewhere ? elsewhere->message : "there is no stack " + id_of(request));
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

  template <typename Do>
  [[nodiscard]] Response act(const Request& request, Do&& act_as) const {
    auto allowed = access_.check(request, Role::operator_);
    if (auto* refused = std::get_if<Response>(&allowed)) return std::move(*refused);
    const Result<void> done = act_as(std::get<std::string>(allowed));
    return done ? accepted() : refusal(done.error());
  }

  // Permission comes first: who may not write does not learn from the answer what there is.
  template <typename Do>
  [[nodiscard]] Response act_on_stack(const Request& request, Do&& act_as) const {
    auto allowed = access_.check(request, Role::operator_);
    if (auto* refused = std::get_if<Response>(&allowed)) return std::move(*refused);
    if (const auto elsewhere = control_.status().stands_by()) return refusal(*elsewhere);
    if (!find(request)) return unknown_stack(request);
    const Result<void> done = act_as(std::get<std::string>(allowed));
    return done ? accepted() : refusal(done.error());
  }

  static Response accepted() { return {.status = 202, .body = "{\"accepted\":true}\n"}; }
  static Response refusal(const Error& error) {
    return error_response(status_of(error.kind), to_string(error));
  }

  ports::Control& control_;
  const ApiOptions options_;
  const ports::History* const history_ = options_.history;
  mutable Access access_;
  mutable std::optional<EventFeed> feed_;
};

}  // namespace

Response error_response(int status, std::string_view message) {
  const nlohmann::json body = {{"error", message}};
  return {.status = status,
          .body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
}

void add_routes(Router& router, ports::Control& control, ApiOptions options) {
  const bool metrics = static_cast<bool>(options.metrics);
  const bool log_level = options.log_level && options.set_log_level;
  const auto api = std::make_shared<const Api>(control, std::move(options));
  const auto reading = [api](Response (Api::*answer)(const Request&) const) -> Handler {
    return [api, answer](const Request& request) {
      return api->read(request, [&] { return ((*api).*answer)(request); });
    };
  };
  const auto acting = [api](Response (Api::*answer)(const Request&) const) -> Handler {
    return [api, answer](const Request& request) { return ((*api).*answer)(request); };
  };
  if (metrics) router.add(RouteSet::metrics, "GET", "/metrics", reading(&Api::metrics));
  router.add(RouteSet::health, "GET", "/healthz", [&control](const Request&) {
    return Api::probe(control.alive(), "the loop has not turned for too long");
  });
  router.add(RouteSet::health, "GET", "/readyz", [&control](const Request&) {
    return Api::probe(control.ready(), why_not_ready(control));
  });
  const auto get = [&](const std::string& path,
                       auto answer,
                       Pace pace = Pace::at_once,
                       const Parameters& parameters = {}) {
    auto handler = [api, answer, parameters](const Request& request) {
      return api->read(request, [&]() -> Response {
        if (auto refused = refuse_unknown(request, parameters)) return *std::move(refused);
        return ((*api).*answer)(request);
      });
    };
    router.add(RouteSet::api, "GET", "/api/v1/" + path, std::move(handler), pace);
  };
  const auto post = [&](const std::string& path, auto answer, const Parameters& parameters = {}) {
    auto handler = [act = acting(answer), parameters](Request request) -> Response {
      if (auto refused = take_body(request, parameters)) return *std::move(refused);
      if (auto refused = refuse_unknown(request, parameters)) return *std::move(refused);
      return act(request);
    };
    router.add(RouteSet::api, "POST", "/api/v1/" + path, std::move(handler), Pace::may_wait);
  };
  const std::string stack = "stacks/{group}/{name}";
  get("openapi.json", &Api::description);
  get("status", &Api::status);
  get("stacks", &Api::stacks);
  get(stack, &Api::stack, Pace::asks_engine);
  get(stack + "/explain", &Api::explain, Pace::asks_engine);
  get(stack + "/tasks", &Api::tasks, Pace::asks_engine);
  get("services/{name}/trace", &Api::trace, Pace::may_wait);
  const Parameters records = {
      {"stack", Parameter::text}, {"n", Parameter::number}, {"since", Parameter::number}};
  auto newer = records;
  newer.emplace("after", Parameter::number);
  get("history", &Api::history, Pace::may_wait, records);
  get("events", &Api::events, Pace::may_wait, newer);
  get("events/stream",
      &Api::stream,
      Pace::may_wait,
      {{"stack", Parameter::text}, {"after", Parameter::number}});
  if (log_level) {
    get("log-level", &Api::log_level);
    post("log-level", &Api::set_log_level, {{"level", Parameter::word}});
  }
  post("approve-history", &Api::accept_history);
  post("sync", &Api::sync_all);
  post(stack + "/sync", &Api::sync);
  post(stack + "/approve", &Api::approve);
  post(
      stack + "/suspend", &Api::suspend, {{"reason", Parameter::text}, {"for", Parameter::number}});
  post(stack + "/resume", &Api::resume);
  post(stack + "/rollback", &Api::rollback, {{"revision", Parameter::word}});
}

}  // namespace skep::server
