#pragma once

#include <stop_token>

#include "core/result.hpp"
#include "reconciler/ports/engine.hpp"
#include "swarm/live_state.hpp"

namespace skep::reconciler {

/// The engine goes on counting the tasks of a node that went down as running, although others are
/// to take their places. While a node of `live` is down, the running tasks of all services are
/// counted anew: those that should run, do, and are on a node that is not down. No call where all
/// nodes are up. Errors: of Engine::tasks.
Result<void> discount_lost_tasks(swarm::LiveState& live,
                                 ports::Engine& engine,
                                 std::stop_token stop);

}  // namespace skep::reconciler
