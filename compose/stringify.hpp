#pragma once

#include <optional>
#include <string>

#include "yaml/node.hpp"

namespace skep::compose {

/// Shortest digits that round-trip; with an exponent where it is below -4 or above 5 (rule B0.1).
[[nodiscard]] std::string print_float(double value);

/// A scalar as Go's %v prints it (rule B0.1). Nothing for null, lists and mappings.
[[nodiscard]] std::optional<std::string> stringify(const yaml::Node& node);

}  // namespace skep::compose
