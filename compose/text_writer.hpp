#pragma once

#include <string>

#include "yaml/node.hpp"

namespace skep::compose {

/// Appends a value as block style YAML, as it follows a key or a dash: " text\n", or a line end and
/// lines indented by `indent`. Reading it gives the same value.
void write_yaml(const yaml::Node& value, int indent, std::string& text);

/// A mapping's entries, each on lines of its own.
void write_yaml(const yaml::Map& map, int indent, std::string& text);

/// A key, or a text that must stay a text.
[[nodiscard]] std::string yaml_scalar(const std::string& text);

}  // namespace skep::compose
