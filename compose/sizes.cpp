#include "compose/sizes.hpp"

#include <charconv>
#include <cmath>
#include <optional>
#include <string>

#include "compose/text.hpp"
#include "core/ascii.hpp"

namespace skep::compose {
namespace {

Error no_size(std::string message) { return {ErrorKind::invalid_input, std::move(message)}; }

/// Go's ParseFloat for decimals: an underscore may stand between two digits.
std::optional<double> parse_float(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      plain += text[i];
    } else if (i == 0 || i + 1 == text.size() || !is_digit(text[i - 1]) || !is_digit(text[i + 1])) {
      return std::nullopt;
    }
  }
  if (!plain.empty() && plain.front() == '+') plain.erase(0, 1);
  const auto digits = plain.find_first_not_of('-');
  if (digits == std::string::npos || digits > 1) return std::nullopt;
  if (!is_digit(plain[digits]) && plain[digits] != '.') return std::nullopt;  // inf, nan
  double value = 0;
  const char* end = plain.data() + plain.size();
  const auto [stop, problem] = std::from_chars(plain.data(), end, value);
  if (problem != std::errc() || stop != end) return std::nullopt;
  return value;
}

/// The factor of "k", "kb", "kib" …; 0 for anything else.
double factor(std::string_view suffix) {
  if (suffix.empty() || suffix == "b") return 1;
  const auto power = std::string_view("kmgtp").find(suffix.front());
  if (power == std::string_view::npos) return 0;
  const auto rest = suffix.substr(1);
  if (!rest.empty() && rest != "b" && rest != "ib") return 0;
  return std::pow(1024.0, static_cast<double>(power + 1));
}

}  // namespace

Result<std::int64_t> parse_size(std::string_view text) {
  const auto last = text.find_last_of("0123456789. ");
  if (last == std::string_view::npos) return no_size("invalid size: '" + std::string(text) + "'");
  const auto number = text.substr(0, text[last] == ' ' ? last : last + 1);
  const auto suffix = lower(text.substr(last + 1));
  const auto value = parse_float(number);
  if (!value) {
    return no_size("strconv.ParseFloat: parsing " + quoted(number) + ": invalid syntax");
  }
  if (*value < 0) return no_size("invalid size: '" + std::string(text) + "'");
  const double scale = factor(suffix);
  if (scale == 0) return no_size("invalid suffix: '" + suffix + "'");
  const double bytes = *value * scale;
  if (bytes >= 9223372036854775808.0) return no_size("invalid size: '" + std::string(text) + "'");
  return static_cast<std::int64_t>(bytes);
}

}  // namespace skep::compose
