#pragma once

#include <optional>
#include <string_view>

#include "yaml/node.hpp"

namespace skep::yaml {

/// `YYYY-M-D`, or that and a time in one of the three forms that Go's yaml.v3 takes (rule A2.10);
/// nothing for any other text.
[[nodiscard]] std::optional<Timestamp> timestamp_from(std::string_view text);

}  // namespace skep::yaml
