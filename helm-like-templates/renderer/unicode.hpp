#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace skep::templates {

using Rune = char32_t;
constexpr Rune kReplacement = 0xFFFD;

struct Decoded {
  Rune rune = kReplacement;
  std::size_t size = 0;  ///< Bytes; 1 of malformed UTF-8, 0 at the end of the text.
  bool valid = false;
};

/// The first character of a text, as Go's range over a string sees it.
[[nodiscard]] Decoded decode(std::string_view text);
void append(std::string& text, Rune rune);
[[nodiscard]] std::u32string runes(std::string_view text);
[[nodiscard]] std::string utf8(std::u32string_view runes);
[[nodiscard]] bool is_utf8(std::string_view text);

// Go's package unicode, by the categories that RE2 knows.
[[nodiscard]] bool is_letter(Rune rune);
[[nodiscard]] bool is_digit(Rune rune);
[[nodiscard]] bool is_number(Rune rune);
[[nodiscard]] bool is_upper(Rune rune);
[[nodiscard]] bool is_lower(Rune rune);
[[nodiscard]] bool is_title(Rune rune);
[[nodiscard]] bool is_punct(Rune rune);
[[nodiscard]] bool is_space(Rune rune);
/// Letters, marks, numbers, punctuation, symbols and the ASCII space.
[[nodiscard]] bool is_print(Rune rune);
[[nodiscard]] Rune to_upper(Rune rune);
[[nodiscard]] Rune to_lower(Rune rune);
[[nodiscard]] Rune to_title(Rune rune);

}  // namespace skep::templates
