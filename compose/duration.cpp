#include "compose/duration.hpp"

#include <array>
#include <cstdint>
#include <utility>

#include "compose/schema_formats.hpp"
#include "core/ascii.hpp"

namespace skep::compose {
namespace {

// The longer spelling of two that begin alike stands first.
constexpr std::array<std::pair<std::string_view, std::uint64_t>, 8> kUnits = {{
    {"ns", 1},
    {"us", 1'000},
    {"\xC2\xB5s", 1'000},  // micro sign
    {"\xCE\xBCs", 1'000},  // Greek mu
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
}};
constexpr std::uint64_t kLimit = std::uint64_t{1} << 63U;

std::uint64_t take_unit(std::string_view& text) {
  for (const auto& [name, nanoseconds] : kUnits) {
    if (text.substr(0, name.size()) != name) continue;
    text.remove_prefix(name.size());
    return nanoseconds;
  }
  return 0;
}

/// One `digits[.digits]unit` off the front of the text.
std::optional<std::uint64_t> take_term(std::string_view& text) {
  std::uint64_t whole = 0;
  bool any_digit = false;
  for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1), any_digit = true) {
    if (whole > kLimit / 10) return std::nullopt;
    whole = whole * 10 + static_cast<std::uint64_t>(text.front() - '0');
    if (whole > kLimit) return std::nullopt;
  }
  std::uint64_t fraction = 0;
  double scale = 1;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1), any_digit = true) {
      if (fraction > (kLimit - 9) / 10) continue;  // too fine to matter
      fraction = fraction * 10 + static_cast<std::uint64_t>(text.front() - '0');
      scale *= 10;
    }
  }
  if (!any_digit) return std::nullopt;
  const std::uint64_t unit = take_unit(text);
  if (unit == 0 || whole > kLimit / unit) return std::nullopt;
  // In floating point, as Go does it: the results agree to the nanosecond.
  const auto part = static_cast<std::uint64_t>(static_cast<double>(fraction) *
                                               (static_cast<double>(unit) / scale));
  const std::uint64_t term = whole * unit + part;
  if (term > kLimit) return std::nullopt;
  return term;
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text == "0") return std::chrono::nanoseconds::zero();
  if (text.empty()) return std::nullopt;
  std::uint64_t total = 0;
  while (!text.empty()) {
    const auto term = take_term(text);
    if (!term || total + *term > kLimit) return std::nullopt;
    total += *term;
  }
  if (negative) return std::chrono::nanoseconds(static_cast<std::int64_t>(~total + 1));
  if (total >= kLimit) return std::nullopt;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(total));
}

bool valid_duration_text(std::string_view text) { return parse_duration(text).has_value(); }

}  // namespace skep::compose
