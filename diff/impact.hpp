#pragma once

#include "diff/plan.hpp"
#include "swarm/service_spec.hpp"

namespace skep::diff {

/// What an update from `live` to `desired`, both canonical, does to the tasks (rule E4).
[[nodiscard]] Impact impact_of(const swarm::ServiceSpec& live, const swarm::ServiceSpec& desired);

/// Tasks that the service wants: replicas or completions; 0 for one per node.
[[nodiscard]] std::uint64_t task_count(const swarm::ServiceSpec& spec);

}  // namespace skep::diff
