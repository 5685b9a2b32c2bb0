#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "swarm/service_spec.hpp"

namespace skep::diff {

/// What makes a new generation of a config or secret (trap 17), as one unambiguous text: the input
/// of the digest in its name. Labels are updated in place and no part of it.
[[nodiscard]] std::string generation_content(std::string_view data,
                                             const std::optional<swarm::Driver>& driver,
                                             const std::optional<swarm::Driver>& templating);

}  // namespace skep::diff
