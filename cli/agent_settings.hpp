#pragma once

#include <chrono>
#include <string>

#include "core/result.hpp"

namespace skep::cli {

// What the agent wants of its settings, for those who write them down for it, too.

/// An instance's name becomes part of object names and labels. Errors: invalid_input.
Result<void> check_instance(const std::string& name);

/// Between two looks at the repository. Errors: invalid_input.
Result<std::chrono::milliseconds> interval_of(const std::string& text);

}  // namespace skep::cli
