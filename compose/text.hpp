#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/ascii.hpp"

/// Small text tools that several rules need; ASCII only, as the rules are.
namespace skep::compose {

/// Always at least one part; "" is one empty part.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);
/// As Go's %q: between double quotes, with control characters, `"` and `\` escaped.
[[nodiscard]] std::string quoted(std::string_view text);

/// Without blanks, tabs, line breaks, \v and \f at its ends, as Go's strings.TrimSpace of ASCII.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// What stands before and after the first separator.
struct Cut {
  std::string_view before, after;
  bool found = false;
};
[[nodiscard]] Cut cut(std::string_view text, char separator);

}  // namespace skep::compose
