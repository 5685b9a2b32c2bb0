#pragma once

#include <string>
#include <vector>

#include "diff/plan.hpp"
#include "swarm/object_spec.hpp"

namespace skep::diff {

/// Of a network, what cannot be changed in place (rule E3.28). Only what was asked for is compared:
/// the engine adds the rest.
[[nodiscard]] std::vector<FieldChange> fixed_network_changes(const swarm::NetworkSpec& live,
                                                             const swarm::NetworkSpec& desired);

/// "driver_opts encrypted, attachable"
[[nodiscard]] std::string names_of(const std::vector<FieldChange>& changes);

}  // namespace skep::diff
