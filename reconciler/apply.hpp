#pragma once

#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "diff/plan.hpp"
#include "reconciler/ports/engine.hpp"
#include "reconciler/ports/observer.hpp"
#include "swarm/live_state.hpp"

namespace skep::reconciler {

struct ApplyOptions {
  /// Services (object names) that must wait this time, and for what: "shop_db is not healthy yet".
  std::map<std::string, std::string> postponed;
  /// Whether what git does not name any more goes now. False until the rest is healthy (trap 13); a
  /// service whose published port another one takes goes first in any case.
  bool removals = true;
};

struct ActionResult {
  diff::Action action;
  std::optional<Error> error;  ///< Nothing where it was carried out.
  std::vector<std::string> warnings;
};

struct ApplyResult {
  std::vector<ActionResult>
      results;             ///< In order; actions that were postponed or not reached are missing.
  bool postponed = false;  ///< Something was left for a later turn.
  [[nodiscard]] const Error* first_error() const;
  [[nodiscard]] std::size_t writes() const;
};

/// The engine still counts a port as somebody's who gave it up or left a moment ago: not a failure
/// yet.
[[nodiscard]] bool waits_for_port(const Error& error);

/// Carries out a plan made from exactly this `live`. Goes on with independent services after one
/// failed (trap 22), but not past a failed network, secret or config that services need.
/// `on_action` is told before each write.
[[nodiscard]] ApplyResult apply(const diff::Plan& plan,
                                const swarm::LiveState& live,
                                const ApplyOptions& options,
                                ports::Engine& engine,
                                ports::Observer& observer,
                                const std::function<void(const diff::Action&)>& on_action,
                                std::stop_token stop);

}  // namespace skep::reconciler
