#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compose/types.hpp"
#include "core/result.hpp"

namespace skep::compose {

/// `[source:]target[:options]` (rules B2.1 … B2.5); the source is as written. Errors:
/// invalid_input.
Result<ServiceVolume> parse_volume(std::string_view text);

/// The options of such a text that the CLI passes over without a word (rule B2.4), but for those
/// that mean nothing outside of Docker Desktop.
[[nodiscard]] std::vector<std::string> ignored_options(std::string_view text);

}  // namespace skep::compose
