#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compose/types.hpp"
#include "core/result.hpp"

namespace skep::compose {

/// `[source:]target[:options]` (rules B2.1 … B2.5); the source is as written. `ignored`, where
/// given, gets the options that the CLI passes over without a word (rule B2.4), but for those that
/// mean nothing outside of Docker Desktop. Errors: invalid_input.
Result<ServiceVolume> parse_volume(std::string_view text,
                                   std::vector<std::string>* ignored = nullptr);

}  // namespace skep::compose
