#pragma once

#include <string>

#include "core/clock.hpp"
#include "core/result.hpp"

namespace skep::cli {

/// A moment as people type it: how long ago ("10m", "1h30m"), RFC 3339 with its zone, or seconds
/// since 1970. As the engine takes it: "SECONDS" or "SECONDS.FRACTION" since 1970. Errors:
/// invalid_input.
[[nodiscard]] Result<std::string> unix_time_of(const std::string& text, WallTime now);

}  // namespace skep::cli
