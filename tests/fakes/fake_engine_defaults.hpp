#pragma once

#include "swarm/object_spec.hpp"
#include "swarm/service_spec.hpp"

namespace skep::fakes {

/// What the engine stores for a service spec that it was sent (rules E3.1 to E3.15).
[[nodiscard]] swarm::ServiceSpec stored(swarm::ServiceSpec spec);
/// What it stores for a network (rule E3.28); `number` makes subnet and VXLAN id unique.
[[nodiscard]] swarm::NetworkSpec stored(swarm::NetworkSpec spec, unsigned number);
/// Rule D8.1.
[[nodiscard]] bool is_service_name(const std::string& name);
[[nodiscard]] bool is_object_name(const std::string& name);
/// Rule E4.1, E4.2: whether tasks are replaced.
[[nodiscard]] bool restarts_tasks(const swarm::ServiceSpec& before,
                                  const swarm::ServiceSpec& after);

}  // namespace skep::fakes
