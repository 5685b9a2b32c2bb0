#pragma once

#include <string_view>

#include "compose/types.hpp"
#include "core/result.hpp"

namespace skep::compose {

/// `[source:]target[:options]` (rules B2.1 … B2.5); the source is as written. Errors:
/// invalid_input.
Result<ServiceVolume> parse_volume(std::string_view text);

}  // namespace skep::compose
