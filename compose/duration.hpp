#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace skep::compose {

/// "1m30s", "1.5h", "-3ms", "0" (rule B11); nothing where the text is no duration or does not fit
/// 63 bits of nanoseconds.
[[nodiscard]] std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace skep::compose
