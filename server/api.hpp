#pragma once

#include <functional>
#include <string>

#include "core/result.hpp"
#include "reconciler/ports/control.hpp"
#include "reconciler/ports/history.hpp"
#include "server/access.hpp"
#include "server/router.hpp"

namespace skep::server {

struct ApiOptions {
  Tokens tokens;                         ///< Known over TCP; none: nobody may write there.
  std::function<std::string()> metrics;  ///< The text of GET /metrics; empty: no such route.
  /// Outlives the router; nullptr: nothing is kept, and the routes say so.
  const ports::History* history = nullptr;
  /// Over TCP also API and metrics need a token to be read. Probes never do.
  bool token_to_read = false;
  /// The level of the log, and another one (error, warning, info, debug, trace); empty: no such
  /// route. Errors: invalid_input.
  std::function<std::string()> log_level = {};
  std::function<Result<void>(const std::string& level, const std::string& actor)> set_log_level =
      {};
};

/// The routes of the agent; openapi.json, which is served, describes those of the API:
///   metrics  GET  /metrics
///   health   GET  /healthz, /readyz                       200, or 503 while it is not so
///   api      GET  /api/v1/openapi.json
///            GET  /api/v1/status                          the form of status_json.hpp
///            GET  /api/v1/stacks                          {"stacks": [...]}
///            GET  /api/v1/stacks/{group}/{name}           with plan, conditions, tasks, operations
///            GET  /api/v1/stacks/{group}/{name}/explain   the form of history_json.hpp, like
///            GET  /api/v1/stacks/{group}/{name}/tasks     these
///            GET  /api/v1/services/{name}/trace
///            GET  /api/v1/history                         ?stack= ?n= ?since=SECONDS (Unix time)
///            GET  /api/v1/events                          the same, and ?after=ID
///            POST /api/v1/approve-history                 202; 409 where none was refused
///            GET  /api/v1/events/stream                   server-sent events; Last-Event-ID
///            GET  /api/v1/log-level
///            POST /api/v1/log-level                       ?level=; 202
///            POST /api/v1/sync                            202
///            POST /api/v1/stacks/{group}/{name}/sync      202
///            POST …/approve, …/suspend, …/resume          202; 409 where there is nothing to do
///            POST …/rollback                              ?revision=; 202; 409 where it cannot be
/// Reading is open to whoever reaches a listener, unless the options say otherwise; writing to the
/// unix socket, and over TCP to a bearer token of an operator. Errors are {"error": "..."}. An
/// agent that stands by knows no stack (404), and says which one is active where it is to do
/// something (409). `control` must outlive the router.
void add_routes(Router& router, ports::Control& control, ApiOptions options);

/// The API's description: OpenAPI 3.1 in JSON.
[[nodiscard]] std::string_view openapi();

}  // namespace skep::server
