#include "core/utf8.hpp"

#include <array>

namespace skep {

std::optional<Utf8Character> first_character(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const unsigned first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return Utf8Character{first, 1};
  Utf8Character character;
  if ((first & 0xE0U) == 0xC0U) {
    character = {first & 0x1FU, 2};
  } else if ((first & 0xF0U) == 0xE0U) {
    character = {first & 0x0FU, 3};
  } else if ((first & 0xF8U) == 0xF0U) {
    character = {first & 0x07U, 4};
  } else {
    return std::nullopt;
  }
  auto& point = character.point;
  if (character.length > text.size()) return std::nullopt;
  for (std::size_t at = 1; at < character.length; ++at) {
    const unsigned byte = static_cast<unsigned char>(text[at]);
    if ((byte & 0xC0U) != 0x80U) return std::nullopt;
    point = (point << 6U) | (byte & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  if (point < kSmallest.at(character.length) || point > 0x10FFFF ||
      (point >= 0xD800 && point <= 0xDFFF))
    return std::nullopt;
  return character;
}

}  // namespace skep
