#include "compose/cpus.hpp"

#include <charconv>
#include <limits>
#include <optional>
#include <string>

#include "compose/text.hpp"

namespace skep::compose {
namespace {

// Wide enough for every count of CPUs that means something; larger texts are refused.
__extension__ using Wide = __int128;
constexpr Wide kWideLimit = Wide{1} << 100;
constexpr std::int64_t kNano = 1'000'000'000;

struct Rational {
  Wide numerator = 0;
  Wide denominator = 1;
};

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

Wide greatest_common_divisor(Wide a, Wide b) {
  while (b != 0) {
    const Wide rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/// Takes "0x", "0o", "0b" off the front. `octal_zero`: so does a plain leading 0.
int take_base(std::string_view& text, bool octal_zero) {
  if (text.size() < 2 || text[0] != '0') return 10;
  const char letter = lower(text.substr(1, 1))[0];
  const int base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
  if (base != 0) {
    text.remove_prefix(2);
    return base;
  }
  if (!octal_zero) return 10;
  text.remove_prefix(1);
  return 8;
}

/// Digits of one base with single underscores between them and at most one point (if allowed).
struct Digits {
  Wide value = 0;
  int behind_point = 0;
};
std::optional<Digits> read_digits(std::string_view text, int base, bool point_allowed) {
  Digits result;
  bool point = false;
  bool any = false;
  char previous = '_';
  for (const char c : text) {
    if (c == '.' && point_allowed && !point) {
      if (any && previous == '_') return std::nullopt;
      point = true;
    } else if (c == '_') {
      if (digit_value(previous) >= base) return std::nullopt;
    } else {
      const int digit = digit_value(c);
      if (digit >= base || result.value > kWideLimit / 16) return std::nullopt;
      result.value = result.value * base + digit;
      result.behind_point += point ? 1 : 0;
      any = true;
    }
    previous = c;
  }
  if (!any || previous == '_') return std::nullopt;
  return result;
}

std::optional<Rational> parse_fraction(std::string_view above, std::string_view below) {
  const int above_base = take_base(above, true);
  const int below_base = take_base(below, true);
  const auto numerator = read_digits(above, above_base, false);
  const auto denominator = read_digits(below, below_base, false);
  if (!numerator || !denominator || denominator->value == 0) return std::nullopt;
  return Rational{numerator->value, denominator->value};
}

std::optional<Rational> parse_decimal(std::string_view text) {
  const int base = take_base(text, false);
  int exponent = 0;
  if (const auto e = text.find_first_of("eE"); base == 10 && e != std::string_view::npos) {
    auto digits = text.substr(e + 1);
    if (!digits.empty() && digits.front() == '+') digits.remove_prefix(1);
    const char* end = digits.data() + digits.size();
    const auto [stop, problem] = std::from_chars(digits.data(), end, exponent);
    if (problem != std::errc() || stop != end || exponent > 40 || exponent < -40) {
      return std::nullopt;
    }
    text = text.substr(0, e);
  }
  const auto digits = read_digits(text, base, true);
  if (!digits) return std::nullopt;
  Rational result{digits->value, 1};
  for (int i = 0; i < digits->behind_point; ++i) {
    if (result.denominator > kWideLimit) return std::nullopt;
    result.denominator *= base;
  }
  for (int i = 0; i < exponent; ++i) {
    if (result.numerator > kWideLimit) return std::nullopt;
    result.numerator *= 10;
  }
  for (int i = 0; i > exponent; --i) {
    if (result.denominator > kWideLimit) return std::nullopt;
    result.denominator *= 10;
  }
  return result;
}

}  // namespace

Result<std::int64_t> parse_nano_cpus(std::string_view text) {
  const Error unreadable{ErrorKind::invalid_input,
                         "failed to parse " + std::string(text) + " as a rational number"};
  auto rest = text;
  bool negative = false;
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) {
    negative = rest.front() == '-';
    rest.remove_prefix(1);
  }
  const auto parts = cut(rest, '/');
  auto value = parts.found ? parse_fraction(parts.before, parts.after) : parse_decimal(rest);
  if (!value) return unreadable;
  const Wide shared = greatest_common_divisor(value->numerator, value->denominator);
  value->numerator /= shared;
  value->denominator /= shared;
  const Wide with_nano = greatest_common_divisor(kNano, value->denominator);
  if (value->denominator != with_nano) {
    return Error{ErrorKind::invalid_input, "value is too precise"};
  }
  const Wide scale = kNano / with_nano;
  if (value->numerator > std::numeric_limits<std::int64_t>::max() / scale) return unreadable;
  const auto nano = static_cast<std::int64_t>(value->numerator * scale);
  return negative ? -nano : nano;
}

}  // namespace skep::compose
