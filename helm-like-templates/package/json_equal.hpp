#pragma once

#include <cstddef>
#include <optional>

#include "yaml/node.hpp"

namespace skep::package {

/// A number of either kind; nothing for anything else.
[[nodiscard]] std::optional<long double> number_of(const yaml::Node& node);

/// Equal as JSON values: 1 and 1.0 are, keys in any order, places do not count. `visited` grows by
/// the nodes that were compared.
[[nodiscard]] bool json_equal(const yaml::Node& a, const yaml::Node& b, std::size_t& visited);

}  // namespace skep::package
