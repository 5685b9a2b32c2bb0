#pragma once

#include <functional>
#include <string>

#include "reconciler/ports/control.hpp"
#include "server/router.hpp"
#include "server/tokens.hpp"

namespace skep::server {

struct ApiOptions {
  Tokens tokens;                         ///< That may write over TCP; none: nobody may.
  std::function<std::string()> metrics;  ///< The text of GET /metrics; empty: no such route.
};

/// The routes of the agent:
///   metrics  GET  /metrics
///   health   GET  /healthz, /readyz                       200, or 503 while it is not so
///   api      GET  /api/v1/status                          the form of status_json.hpp
///            GET  /api/v1/stacks                          {"stacks": [...]}
///            GET  /api/v1/stacks/{group}/{name}           {"stack": {...}, "plan": {...} or null}
///            POST /api/v1/sync                            202
///            POST /api/v1/stacks/{group}/{name}/sync      202
///            POST /api/v1/stacks/{group}/{name}/approve   202; 409 where nothing is held
/// Reading is open to whoever reaches a listener; writing to the unix socket, and over TCP to a
/// bearer token (401 for none or a wrong one, 403 where none is configured). Errors are
/// {"error": "..."}. `control` must outlive the router.
void add_routes(Router& router, ports::Control& control, ApiOptions options);

}  // namespace skep::server
