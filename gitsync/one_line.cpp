#include "gitsync/one_line.hpp"

#include <cstdint>

namespace skep::gitsync {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Length of the well-formed UTF-8 sequence at the start of `text`, 0 where there is none; its code
/// point in `point`. Shortest forms only, no surrogates (RFC 3629).
std::size_t sequence(std::string_view text, std::uint32_t& point) {
  const auto byte = [text](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
  };
  const unsigned first = byte(0);
  if (first < 0x80) {
    point = first;
    return 1;
  }
  std::size_t length = 0;
  if ((first & 0xE0U) == 0xC0U) {
    length = 2;
    point = first & 0x1FU;
  } else if ((first & 0xF0U) == 0xE0U) {
    length = 3;
    point = first & 0x0FU;
  } else if ((first & 0xF8U) == 0xF0U) {
    length = 4;
    point = first & 0x07U;
  } else {
    return 0;
  }
  for (std::size_t at = 1; at < length; ++at) {
    if ((byte(at) & 0xC0U) != 0x80U) return 0;
    point = (point << 6U) | (byte(at) & 0x3FU);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (point < kSmallest[length] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
    return 0;
  return length;
}

bool is_unfit(std::uint32_t point) {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x2028 || point == 0x2029 ||
         (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}

}  // namespace

std::string one_line(std::string_view text, std::size_t limit) {
  std::string clean;
  while (!text.empty()) {
    std::uint32_t point = 0;
    const std::size_t length = sequence(text, point);
    std::string_view piece = text.substr(0, length);
    if (length == 0) piece = kReplacement;
    if (length != 0 && (is_unfit(point) || point == ' ')) {
      piece = clean.empty() || clean.back() == ' ' ? std::string_view() : " ";
    }
    if (clean.size() + piece.size() > limit) break;
    clean += piece;
    text.remove_prefix(length == 0 ? 1 : length);
  }
  while (!clean.empty() && clean.back() == ' ') clean.pop_back();
  return clean;
}

}  // namespace skep::gitsync
