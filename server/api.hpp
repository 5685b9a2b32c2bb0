#pragma once

#include <functional>
#include <string>

#include "reconciler/ports/control.hpp"
#include "reconciler/ports/history.hpp"
#include "server/router.hpp"
#include "server/tokens.hpp"

namespace skep::server {

struct ApiOptions {
  Tokens tokens;                         ///< That may write over TCP; none: nobody may.
  std::function<std::string()> metrics;  ///< The text of GET /metrics; empty: no such route.
  /// Outlives the router; nullptr: nothing is kept, and the routes say so.
  const ports::History* history = nullptr;
};

/// The routes of the agent:
///   metrics  GET  /metrics
///   health   GET  /healthz, /readyz                       200, or 503 while it is not so
///   api      GET  /api/v1/status                          the form of status_json.hpp
///            GET  /api/v1/stacks                          {"stacks": [...]}
///            GET  /api/v1/stacks/{group}/{name}           {"stack": {...}, "plan": {...} or null}
///            GET  /api/v1/stacks/{group}/{name}/explain   the form of history_json.hpp, like
///            GET  /api/v1/services/{name}/trace           these
///            GET  /api/v1/history                         ?stack= ?n= ?since=SECONDS (Unix time)
///            GET  /api/v1/events                          the same, and ?after=ID
///            POST /api/v1/sync                            202
///            POST /api/v1/stacks/{group}/{name}/sync      202
///            POST /api/v1/stacks/{group}/{name}/approve   202; 409 where nothing is held
///            POST /api/v1/stacks/{group}/{name}/rollback  ?revision=; 202; 409 where it cannot be
/// Reading is open to whoever reaches a listener; writing to the unix socket, and over TCP to a
/// bearer token (401 for none or a wrong one, 403 where none is configured). Errors are
/// {"error": "..."}. `control` must outlive the router.
void add_routes(Router& router, ports::Control& control, ApiOptions options);

}  // namespace skep::server
