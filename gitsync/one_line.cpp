#include "gitsync/one_line.hpp"

#include <cstdint>

#include "core/utf8.hpp"

namespace skep::gitsync {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool is_unfit(std::uint32_t point) {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x2028 || point == 0x2029 ||
         (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}

}  // namespace

std::string one_line(std::string_view text, std::size_t limit) {
  std::string clean;
  while (!text.empty()) {
    const auto character = first_character(text);
    auto piece = character ? text.substr(0, character->length) : kReplacement;
    if (character && (is_unfit(character->point) || character->point == ' ')) {
      piece = clean.empty() || clean.back() == ' ' ? std::string_view() : " ";
    }
    if (clean.size() + piece.size() > limit) break;
    clean += piece;
    text.remove_prefix(character ? character->length : 1);
  }
  while (!clean.empty() && clean.back() == ' ') clean.pop_back();
  return clean;
}

}  // namespace skep::gitsync
