#include "helm-like-templates/renderer/unicode.hpp"

#include <algorithm>
#include <iterator>

#include <re2/re2.h>

#include "helm-like-templates/renderer/case_table.hpp"

namespace skep::templates {
namespace {

bool in_class(Rune rune, const re2::RE2& pattern) {
  std::string text;
  append(text, rune);
  return re2::RE2::FullMatch(text, pattern);
}

// 0: upper, 1: lower, 2: title. Go marks ranges in which upper and lower alternate.
Rune map_case(Rune rune, int which) {
  const auto* end = kCaseRanges + kCaseRangeCount;
  const auto* range = std::upper_bound(
      kCaseRanges, end, rune, [](Rune value, const CaseRange& r) { return value < r.low; });
  if (range == kCaseRanges) return rune;
  --range;
  if (rune > range->high) return rune;
  const auto delta = range->delta[which];
  if (delta == kAlternating) {
    const auto offset = (rune - range->low) & ~Rune{1};
    return range->low + (offset | (which == 1 ? 1U : 0U));
  }
  return static_cast<Rune>(static_cast<std::int64_t>(rune) + delta);
}

}  // namespace

Decoded decode(std::string_view text) {
  if (text.empty()) return {};
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto first = byte(0);
  if (first < 0x80) return {first, 1, true};
  const Decoded bad{kReplacement, 1, false};
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return bad;
  Rune rune = first & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return bad;
    rune = (rune << 6U) | (byte(i) & 0x3FU);
  }
  constexpr Rune kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (rune < kSmallest[size] || rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF)) return bad;
  return {rune, size, true};
}

void append(std::string& text, Rune rune) {
  if (rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF)) rune = kReplacement;
  const auto put = [&](Rune byte) { text += static_cast<char>(byte); };
  if (rune < 0x80) {
    put(rune);
  } else if (rune < 0x800) {
    put(0xC0 | (rune >> 6U));
    put(0x80 | (rune & 0x3FU));
  } else if (rune < 0x10000) {
    put(0xE0 | (rune >> 12U));
    put(0x80 | ((rune >> 6U) & 0x3FU));
    put(0x80 | (rune & 0x3FU));
  } else {
    put(0xF0 | (rune >> 18U));
    put(0x80 | ((rune >> 12U) & 0x3FU));
    put(0x80 | ((rune >> 6U) & 0x3FU));
    put(0x80 | (rune & 0x3FU));
  }
}

std::u32string runes(std::string_view text) {
  std::u32string out;
  while (!text.empty()) {
    const auto next = decode(text);
    out += next.rune;
    text.remove_prefix(next.size);
  }
  return out;
}

std::string utf8(std::u32string_view runes) {
  std::string out;
  for (const auto rune : runes) append(out, rune);
  return out;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto next = decode(text);
    if (!next.valid) return false;
    text.remove_prefix(next.size);
  }
  return true;
}

bool is_letter(Rune rune) {
  if (rune < 0x80) return (rune >= 'a' && rune <= 'z') || (rune >= 'A' && rune <= 'Z');
  static const re2::RE2 pattern("\\pL");
  return in_class(rune, pattern);
}

bool is_digit(Rune rune) {
  if (rune < 0x80) return rune >= '0' && rune <= '9';
  static const re2::RE2 pattern("\\p{Nd}");
  return in_class(rune, pattern);
}

bool is_number(Rune rune) {
  if (rune < 0x80) return rune >= '0' && rune <= '9';
  static const re2::RE2 pattern("\\pN");
  return in_class(rune, pattern);
}

bool is_upper(Rune rune) {
  if (rune < 0x80) return rune >= 'A' && rune <= 'Z';
  static const re2::RE2 pattern("\\p{Lu}");
  return in_class(rune, pattern);
}

bool is_lower(Rune rune) {
  if (rune < 0x80) return rune >= 'a' && rune <= 'z';
  static const re2::RE2 pattern("\\p{Ll}");
  return in_class(rune, pattern);
}

bool is_title(Rune rune) {
  static const re2::RE2 pattern("\\p{Lt}");
  return rune >= 0x80 && in_class(rune, pattern);
}

bool is_punct(Rune rune) {
  static const re2::RE2 pattern("\\pP");
  return in_class(rune, pattern);
}

bool is_space(Rune rune) {
  return rune == ' ' || (rune >= '\t' && rune <= '\r') || rune == 0x85 || rune == 0xA0 ||
         rune == 0x1680 || (rune >= 0x2000 && rune <= 0x200A) || rune == 0x2028 || rune == 0x2029 ||
         rune == 0x202F || rune == 0x205F || rune == 0x3000;
}

bool is_print(Rune rune) {
  if (rune < 0x80) return rune >= ' ' && rune < 0x7F;
  static const re2::RE2 pattern("[\\pL\\pM\\pN\\pP\\pS]");
  return rune <= 0x10FFFF && in_class(rune, pattern);
}

Rune to_upper(Rune rune) { return map_case(rune, 0); }
Rune to_lower(Rune rune) { return map_case(rune, 1); }
Rune to_title(Rune rune) { return map_case(rune, 2); }

}  // namespace skep::templates
