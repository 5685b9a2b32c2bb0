#pragma once

#include <map>
#include <string>

#include "swarm/stack_spec.hpp"

namespace skep::repository {

/// What git wants of each job of a stack, as a short hash by key: the template and the data of the
/// configs that it mounts; labels, and secrets, whose values leave no trace, are not in it.
[[nodiscard]] std::map<std::string, std::string> job_hashes(const swarm::StackSpec& spec);

}  // namespace skep::repository
