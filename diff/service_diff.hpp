#pragma once

#include <vector>

#include "diff/plan.hpp"
#include "swarm/service_spec.hpp"

namespace skep::diff {

/// Every difference from `live` to `desired` in compose words, or by JSON pointer where there is no
/// word. Empty exactly when both are equal. Credentials are masked. Both sides canonical.
[[nodiscard]] std::vector<FieldChange> service_changes(const swarm::ServiceSpec& live,
                                                       const swarm::ServiceSpec& desired);

/// Differences of two string maps under one path, values masked by their names and content.
[[nodiscard]] std::vector<FieldChange> map_changes(std::string_view path,
                                                   const swarm::StringMap& live,
                                                   const swarm::StringMap& desired);

}  // namespace skep::diff
