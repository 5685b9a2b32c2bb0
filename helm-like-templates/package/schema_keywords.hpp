#pragma once

#include <string_view>

#include "yaml/node.hpp"

namespace skep::package {

/// What a reference inside of one file names: "#", "#/definitions/image". nullptr where there is
/// no such place, and for references to other files.
[[nodiscard]] const yaml::Node* resolve_pointer(const yaml::Node& root, std::string_view reference);

}  // namespace skep::package
