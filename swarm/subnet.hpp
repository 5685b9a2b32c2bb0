#pragma once

#include <string_view>

namespace skep::swarm {

/// Whether two subnets ("10.0.2.0/24", "fd00::/64") have an address in common. False where one of
/// them is none.
[[nodiscard]] bool subnets_overlap(std::string_view a, std::string_view b);

}  // namespace skep::swarm
