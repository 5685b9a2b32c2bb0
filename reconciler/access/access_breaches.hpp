#pragma once

#include <set>
#include <string>
#include <vector>

#include "reconciler/access/access_policy.hpp"
#include "swarm/service_spec.hpp"

namespace skep::reconciler {

/// Everything that the service asks for and `profile` does not allow. Pure; looks at the spec that
/// would be sent, so it does not matter by which way something got into it. `own_networks`: names
/// of the networks that the service's own stack makes, which any profile may join.
[[nodiscard]] std::vector<AccessBreach> breaches(const swarm::ServiceSpec& spec,
                                                 const AccessProfile& profile,
                                                 const std::set<std::string>& own_networks);

}  // namespace skep::reconciler
