#pragma once

#include <string>
#include <string_view>

namespace skep::sops {

// A line feed within a value of a dotenv file, or of INI metadata, is written as \n.

[[nodiscard]] std::string with_line_feeds(std::string_view text);
[[nodiscard]] std::string without_line_feeds(std::string_view text);

/// A value of an INI file, in the quotes that it needs.
[[nodiscard]] std::string ini_text(std::string_view text);

}  // namespace skep::sops
