#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "helm-like-templates/renderer/value.hpp"

namespace skep::templates {

// Numbers and quoted text as Go's package strconv reads and writes them.

/// base 0 takes Go's prefixes (0x 0o 0b 0) and underscores between digits.
[[nodiscard]] std::optional<std::int64_t> parse_int(std::string_view text, int base);
/// As Sprig's atoi: what does not fit is the nearest number that does, what is no number is 0.
[[nodiscard]] std::int64_t clamped_int(std::string_view text);
/// Without a sign.
[[nodiscard]] std::optional<std::uint64_t> parse_uint(std::string_view text, int base);
[[nodiscard]] std::optional<double> parse_float(std::string_view text);
/// verb: e E f F g G; precision -1: as many digits as the number needs.
[[nodiscard]] std::string format_float(double number, char verb, int precision);

/// "…" with Go's escapes; with `ascii` everything beyond ASCII is escaped too.
[[nodiscard]] std::string quote(std::string_view text, bool ascii = false);
[[nodiscard]] std::string quote_rune(char32_t rune, bool ascii = false);
/// The content of a "…" or `…` literal. Errors: invalid_input.
Result<std::string> unquote(std::string_view literal);
/// The number of a '…' literal. Errors: invalid_input.
Result<char32_t> unquote_rune(std::string_view literal);

/// A number of a template: Int or double; `whole` is set where a double is a whole number, since Go
/// takes 2.0 where an int is asked for.
struct Number {
  Value value;
  std::optional<std::int64_t> whole;
  double real = 0;
};
Result<Number> parse_number(std::string_view text);

}  // namespace skep::templates
