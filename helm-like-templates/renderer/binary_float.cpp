#include "helm-like-templates/renderer/binary_float.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace skep::templates {
namespace {

constexpr int kFractionBits = 52;
constexpr int kBias = 1023;

struct Parts {
  bool negative = false;
  std::uint64_t mantissa = 0;
  int exponent = 0;  ///< Of two, for the mantissa as a whole number.
};

Parts parts_of(double number) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &number, sizeof(bits));
  Parts parts;
  parts.negative = (bits >> 63U) != 0;
  parts.mantissa = bits & ((std::uint64_t{1} << kFractionBits) - 1);
  const auto exponent = static_cast<int>((bits >> kFractionBits) & 0x7FFU);
  if (exponent != 0) parts.mantissa |= std::uint64_t{1} << kFractionBits;
  parts.exponent = std::max(exponent, 1) - kBias - kFractionBits;
  return parts;
}

std::string with_exponent(std::string text, int exponent, std::size_t digits) {
  auto shown = std::to_string(std::abs(exponent));
  if (shown.size() < digits) shown.insert(0, digits - shown.size(), '0');
  text += 'p';
  text += exponent < 0 ? '-' : '+';
  return text + shown;
}

}  // namespace

std::string format_hex_float(double number, std::optional<int> precision) {
  auto parts = parts_of(number);
  auto exponent = parts.mantissa == 0 ? 0 : parts.exponent + kFractionBits;
  // One bit before the point.
  while (parts.mantissa != 0 && (parts.mantissa >> kFractionBits) == 0) {
    parts.mantissa <<= 1U;
    --exponent;
  }
  constexpr int kDigits = kFractionBits / 4;
  if (precision && *precision < kDigits) {
    const auto cut = static_cast<unsigned>(4 * (kDigits - std::max(*precision, 0)));
    const auto half = std::uint64_t{1} << (cut - 1);
    const auto rest = parts.mantissa & ((std::uint64_t{1} << cut) - 1);
    parts.mantissa >>= cut;
    if (rest > half || (rest == half && (parts.mantissa & 1U) != 0)) ++parts.mantissa;
    parts.mantissa <<= cut;
    if ((parts.mantissa >> (kFractionBits + 1)) != 0) {
      parts.mantissa >>= 1U;
      ++exponent;
    }
  }
  std::string text = parts.negative ? "-0x" : "0x";
  text += static_cast<char>('0' + (parts.mantissa >> kFractionBits));
  std::string fraction;
  for (int i = kDigits - 1; i >= 0; --i)
    fraction += "0123456789abcdef"[(parts.mantissa >> static_cast<unsigned>(4 * i)) & 0xFU];
  if (precision) {
    fraction.resize(static_cast<std::size_t>(std::max(*precision, 0)), '0');
  } else {
    fraction.erase(fraction.find_last_not_of('0') + 1);
  }
  if (!fraction.empty()) text += '.' + fraction;
  return with_exponent(std::move(text), exponent, 2);
}

std::string format_binary_float(double number) {
  const auto parts = parts_of(number);
  return with_exponent(
      (parts.negative ? "-" : "") + std::to_string(parts.mantissa), parts.exponent, 1);
}

}  // namespace skep::templates
