#include "helm-like-templates/renderer/literal.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "helm-like-templates/renderer/unicode.hpp"

namespace skep::templates {
namespace {

Error invalid(std::string message) { return {ErrorKind::invalid_input, std::move(message)}; }

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  return 99;
}

// An underscore stands between digits or between a prefix and a digit.
bool underscores_fit(std::string_view digits, bool after_prefix, int base) {
  char before = after_prefix ? '0' : '.';
  for (const char c : digits) {
    if (c == '_' && digit_of(before) >= base) return false;
    if (before == '_' && digit_of(c) >= base) return false;
    before = c;
  }
  return before != '_';
}

struct Escape {
  char32_t rune = 0;
  bool byte = false;  ///< \x41 and \101 are bytes, not characters.
  std::size_t size = 0;
};

// `text` starts behind the backslash.
std::optional<Escape> read_escape(std::string_view text, char closing) {
  if (text.empty()) return std::nullopt;
  const auto hex = [&](std::size_t count) -> std::optional<char32_t> {
    if (text.size() < count + 1) return std::nullopt;
    char32_t number = 0;
    for (std::size_t i = 1; i <= count; ++i) {
      const int digit = digit_of(text[i]);
      if (digit > 15) return std::nullopt;
      number = number * 16 + static_cast<char32_t>(digit);
    }
    return number;
  };
  constexpr std::string_view kLetters = "abfnrtv\\";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\";
  if (const auto at = kLetters.find(text[0]); at != std::string_view::npos)
    return Escape{static_cast<char32_t>(kMeanings[at]), false, 1};
  if (text[0] == closing) return Escape{static_cast<char32_t>(closing), false, 1};
  if (text[0] == 'x') {
    const auto number = hex(2);
    if (!number) return std::nullopt;
    return Escape{*number, true, 3};
  }
  if (text[0] == 'u' || text[0] == 'U') {
    const std::size_t count = text[0] == 'u' ? 4 : 8;
    const auto number = hex(count);
    if (!number || *number > 0x10FFFF || (*number >= 0xD800 && *number <= 0xDFFF))
      return std::nullopt;
    return Escape{*number, false, count + 1};
  }
  if (text.size() >= 3 && digit_of(text[0]) < 4 && digit_of(text[1]) < 8 && digit_of(text[2]) < 8)
    return Escape{
        static_cast<char32_t>(digit_of(text[0]) * 64 + digit_of(text[1]) * 8 + digit_of(text[2])),
        true,
        3};
  return std::nullopt;
}

void append_escaped(std::string& out, const Decoded& next, unsigned char byte, char q, bool ascii) {
  char buffer[16];
  const auto rune = next.rune;
  if (!next.valid) {
    std::snprintf(buffer, sizeof(buffer), "\\x%02x", byte);
  } else if (rune == static_cast<Rune>(q) || rune == '\\') {
    out += '\\';
    out += static_cast<char>(rune);
    return;
  } else if (rune < 0x80 ? is_print(rune) : (!ascii && is_print(rune))) {
    append(out, rune);
    return;
  } else if (rune >= '\a' && rune <= '\r') {
    out += '\\';
    out += "abtnvfr"[rune - '\a'];
    return;
  } else if (rune < ' ' || rune == 0x7F) {
    std::snprintf(buffer, sizeof(buffer), "\\x%02x", static_cast<unsigned>(rune));
  } else if (rune < 0x10000) {
    std::snprintf(buffer, sizeof(buffer), "\\u%04x", static_cast<unsigned>(rune));
  } else {
    std::snprintf(buffer, sizeof(buffer), "\\U%08x", static_cast<unsigned>(rune));
  }
  out += buffer;
}

}  // namespace

std::optional<std::uint64_t> parse_uint(std::string_view text, int base) {
  if (text.empty()) return std::nullopt;
  bool prefixed = false;
  const bool underscores = base == 0;
  if (base == 0) {
    base = 10;
    if (text[0] == '0' && text.size() > 1) {
      const char letter = static_cast<char>(text[1] | 0x20);
      base = letter == 'x' ? 16 : letter == 'o' || letter != 'b' ? 8 : 2;
      prefixed = true;
      text.remove_prefix(letter == 'x' || letter == 'o' || letter == 'b' ? 2 : 1);
      if (text.empty()) return std::nullopt;
    }
  }
  if (underscores && !underscores_fit(text, prefixed, base)) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : text) {
    if (c == '_' && underscores) continue;
    const int digit = digit_of(c);
    if (digit >= base) return std::nullopt;
    if (number > (std::numeric_limits<std::uint64_t>::max() - static_cast<unsigned>(digit)) /
                     static_cast<unsigned>(base))
      return std::nullopt;
    number = number * static_cast<unsigned>(base) + static_cast<unsigned>(digit);
  }
  return number;
}

std::optional<std::int64_t> parse_int(std::string_view text, int base) {
  bool negative = false;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  const auto number = parse_uint(text, base);
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!number || *number > kMax + (negative ? 1 : 0)) return std::nullopt;
  return static_cast<std::int64_t>(negative ? 0 - *number : *number);
}

std::int64_t clamped_int(std::string_view text) {
  if (const auto number = parse_int(text, 10)) return *number;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  // Go looks no further than to where the number became too large.
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const bool too_large = digits > 0 && !parse_uint(text.substr(0, digits), 10);
  if (!too_large && (digits == 0 || digits < text.size())) return 0;
  return negative ? std::numeric_limits<std::int64_t>::min()
                  : std::numeric_limits<std::int64_t>::max();
}

std::optional<double> parse_float(std::string_view text) {
  std::string plain(text);
  std::string_view body = text;
  if (!body.empty() && (body[0] == '+' || body[0] == '-')) body.remove_prefix(1);
  if (body.empty()) return std::nullopt;
  std::string lower(body);
  for (auto& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  const bool named = lower == "inf" || lower == "infinity" || lower == "nan";
  if (lower == "nan" && body.size() != text.size()) return std::nullopt;
  if (!named && digit_of(body[0]) > 9 && body[0] != '.') return std::nullopt;
  const bool hex = lower.starts_with("0x");
  if (hex && lower.find('p') == std::string::npos) return std::nullopt;
  if (!named && lower.find_first_not_of(hex ? "0123456789abcdefxp+-._" : "0123456789e+-._") !=
                    std::string::npos)
    return std::nullopt;
  if (lower.find('_') != std::string::npos) {
    if (!underscores_fit(hex ? lower.substr(2) : lower, hex, hex ? 16 : 10)) return std::nullopt;
    plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
  }
  char* end = nullptr;
  const double number = std::strtod(plain.c_str(), &end);
  if (end != plain.c_str() + plain.size()) return std::nullopt;
  if (!named && std::isinf(number)) return std::nullopt;
  return number;
}

std::string format_float(double number, char verb, int precision) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number < 0 ? "-Inf" : "+Inf";
  if (precision >= 0) {
    const char format[] = {'%', '.', '*', verb, '\0'};
    const int size = std::snprintf(nullptr, 0, format, precision, number);
    std::string text(static_cast<std::size_t>(size) + 1, '\0');
    std::snprintf(text.data(), text.size(), format, precision, number);
    text.pop_back();
    return text;
  }
  // Shortest digits that read back as the same number, in the layout of the verb.
  char buffer[64];
  const auto shortest =
      std::to_chars(buffer, buffer + sizeof(buffer), number, std::chars_format::scientific);
  std::string text(buffer, shortest.ptr);
  const auto at = text.find('e');
  const int exponent = std::atoi(text.c_str() + at + 1);
  const bool upper = verb == 'E' || verb == 'G';
  const char lower = static_cast<char>(verb | 0x20);
  if (lower == 'e' || (lower == 'g' && (exponent < -4 || exponent >= 6))) {
    if (upper) text[at] = 'E';
    return text;
  }
  std::string digits;
  for (const char c : text.substr(0, at)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  std::string out = text[0] == '-' ? "-" : "";
  const int count = static_cast<int>(digits.size());
  if (exponent < 0) {
    out += "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  } else if (exponent + 1 >= count) {
    out += digits + std::string(static_cast<std::size_t>(exponent + 1 - count), '0');
  } else {
    const auto point = static_cast<std::size_t>(exponent + 1);
    out += digits.substr(0, point) + '.' + digits.substr(point);
  }
  return out;
}

std::string quote(std::string_view text, bool ascii) {
  std::string out = "\"";
  while (!text.empty()) {
    const auto next = decode(text);
    append_escaped(out, next, static_cast<unsigned char>(text[0]), '"', ascii);
    text.remove_prefix(next.size);
  }
  return out + '"';
}

std::string quote_rune(char32_t rune, bool ascii) {
  std::string out = "'";
  if (rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF)) rune = kReplacement;
  append_escaped(out, {rune, 1, true}, 0, '\'', ascii);
  return out + '\'';
}

Result<std::string> unquote(std::string_view literal) {
  if (literal.size() < 2 || literal.front() != literal.back()) return invalid("invalid syntax");
  auto body = literal.substr(1, literal.size() - 2);
  std::string out;
  if (literal.front() == '`') {
    for (const char c : body) {
      if (c != '\r') out += c;
    }
    return out;
  }
  while (!body.empty()) {
    if (body[0] != '\\') {
      out += body[0];
      body.remove_prefix(1);
      continue;
    }
    const auto escape = read_escape(body.substr(1), '"');
    if (!escape) return invalid("unknown escape in a quoted string");
    if (escape->byte)
      out += static_cast<char>(escape->rune);
    else
      append(out, escape->rune);
    body.remove_prefix(escape->size + 1);
  }
  return out;
}

Result<char32_t> unquote_rune(std::string_view literal) {
  const auto malformed = invalid("malformed character constant: " + std::string(literal));
  if (literal.size() < 3 || literal.back() != '\'') return malformed;
  const auto body = literal.substr(1, literal.size() - 2);
  if (body[0] == '\\') {
    const auto escape = read_escape(body.substr(1), '\'');
    if (!escape || escape->size + 1 != body.size()) return malformed;
    return escape->rune;
  }
  const auto next = decode(body);
  if (next.size != body.size() || body[0] == '\'') return malformed;
  return next.rune;
}

Result<Number> parse_number(std::string_view text) {
  Number number;
  if (!text.empty() && text[0] == '\'') {
    const auto rune = unquote_rune(text);
    if (!rune) return rune.error();
    number.value = Value(static_cast<std::int64_t>(*rune));
    number.whole = static_cast<std::int64_t>(*rune);
    number.real = static_cast<double>(*rune);
    return number;
  }
  if (!text.empty() && text.back() == 'i')
    return invalid("complex numbers are not supported: " + std::string(text));
  if (const auto whole = parse_int(text, 0)) {
    number.value = Value(*whole);
    number.whole = whole;
    number.real = static_cast<double>(*whole);
    return number;
  }
  const auto real = parse_float(text);
  if (!real || std::isinf(*real)) {
    if (text.find_first_of(".eEpPxX") == std::string_view::npos &&
        text.find_first_not_of("+-0123456789_") == std::string_view::npos && text.size() > 18)
      return invalid("integer overflow: " + std::string(text));
    return invalid("illegal number syntax: " + std::string(text));
  }
  if (text.find_first_of(".eEpP") == std::string_view::npos)
    return invalid("integer overflow: " + std::string(text));
  number.value = Value(*real);
  number.real = *real;
  if (std::abs(*real) < 9.2e18 && std::trunc(*real) == *real)
    number.whole = static_cast<std::int64_t>(*real);
  return number;
}

}  // namespace skep::templates
