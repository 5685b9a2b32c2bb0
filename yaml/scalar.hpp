#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "yaml/node.hpp"

namespace skep::yaml {

/// What an untagged, unquoted scalar is in Go's yaml.v3 (rules A2.6 … A2.10).
[[nodiscard]] Node::Value resolve_plain(std::string_view text);

/// A scalar with an explicit short tag ("!!int", "!local"), quoted or not. `text` is already free
/// of quotes and escapes. Nothing where the tag does not fit the text, with `reason` set as Go
/// words it; a tag that Go does not know leaves a string (rule A2.12).
[[nodiscard]] std::optional<Node::Value> resolve_tagged(std::string_view tag,
                                                        std::string_view text,
                                                        std::string& reason);

}  // namespace skep::yaml
