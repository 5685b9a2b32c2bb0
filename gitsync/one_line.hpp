#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace skep::gitsync {

/// Text from outside (commit, path, server's message) made fit for a terminal, a log and JSON:
/// valid UTF-8, no control characters and no marks that turn the writing direction (both become a
/// blank), blanks trimmed, cut to `limit` bytes at a character.
[[nodiscard]] std::string one_line(std::string_view text, std::size_t limit = 200);

}  // namespace skep::gitsync
