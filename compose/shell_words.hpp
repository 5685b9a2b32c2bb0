#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace skep::compose {

/// A command line cut into words: quotes, escapes and comments are understood, nothing is expanded
/// (rule B3.1). Errors: invalid_input with the CLI's reason (rule B3.2).
Result<std::vector<std::string>> shell_words(std::string_view text);

}  // namespace skep::compose
