#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "yaml/node.hpp"

namespace skep::compose {

/// What a text becomes that a substitution changed, by the dotted path of its place, where list
/// items are "[]" (rule A6.1): an integer, a number or a boolean in the places of the CLI's table,
/// else the text. Errors: invalid_input with the CLI's reason (rule A6.3).
/// Off strict mode also in the places that the CLI forgot (rule A6.4).
Result<yaml::Node::Value> cast(std::string_view path, const std::string& text, bool strict);

/// What stands in this place, where it cannot be empty: "a number"; else "".
[[nodiscard]] std::string_view needed_value(std::string_view path);

}  // namespace skep::compose
