#pragma once

#include <optional>
#include <set>
#include <stop_token>
#include <vector>

#include "reconciler/ports/engine.hpp"
#include "swarm/live_state.hpp"

namespace skep::reconciler {

/// The secrets and configs that tasks of these services use which run or are still to run: a paused
/// rollout leaves old ones behind that neither Spec nor PreviousSpec describes (trap 19). Nothing
/// where the engine did not answer.
[[nodiscard]] std::optional<std::set<swarm::ObjectId>> held_by_tasks(
    ports::Engine& engine, const std::vector<swarm::ObjectId>& services, std::stop_token stop);

}  // namespace skep::reconciler
