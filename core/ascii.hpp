#pragma once

#include <string>
#include <string_view>

/// Letters as protocols and file formats mean them: ASCII only, whatever the locale.
namespace skep {

[[nodiscard]] constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] inline std::string lower(std::string_view text) {
  std::string result(text);
  for (auto& c : result) c = lower(c);
  return result;
}

}  // namespace skep
