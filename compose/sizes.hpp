#pragma once

#include <cstdint>
#include <string_view>

#include "core/result.hpp"

namespace skep::compose {

/// "64M", "1.5g", "512 kib" → bytes (rule B10). Errors: invalid_input with the CLI's reason.
Result<std::int64_t> parse_size(std::string_view text);

}  // namespace skep::compose
