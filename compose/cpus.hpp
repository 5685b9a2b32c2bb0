#pragma once

#include <cstdint>
#include <string_view>

#include "core/result.hpp"

namespace skep::compose {

/// "0.5", "1/4", "1e-3", "0x10" → billionths of a CPU, exactly (rule B12). Errors: invalid_input,
/// "value is too precise" or "failed to parse … as a rational number".
Result<std::int64_t> parse_nano_cpus(std::string_view text);

}  // namespace skep::compose
