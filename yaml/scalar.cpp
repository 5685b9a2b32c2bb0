#include "yaml/scalar.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/ascii.hpp"
#include "core/digest.hpp"
#include "yaml/timestamp.hpp"

namespace skep::yaml {
namespace {

/// Go's ParseUint without a sign; base 0 reads the prefix. Nothing for a bad digit or > 64 bits.
std::optional<std::uint64_t> unsigned_from(std::string_view text, unsigned base) {
  if (base == 0) {
    base = 10;
    if (text.size() > 1 && text[0] == '0') {
      const char prefix = static_cast<char>(text[1] | 0x20);
      base = prefix == 'x' ? 16 : prefix == 'b' ? 2 : 8;
      text.remove_prefix(prefix == 'x' || prefix == 'b' || prefix == 'o' ? 2 : 1);
    }
  }
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  const auto* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, static_cast<int>(base));
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

/// Go's ParseInt: an optional sign, within 64 bits signed.
std::optional<std::int64_t> signed_from(std::string_view text, unsigned base) {
  bool minus = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    minus = text[0] == '-';
    text.remove_prefix(1);
  }
  const auto magnitude = unsigned_from(text, base);
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
  if (!magnitude || *magnitude > kMax + (minus ? 1U : 0U)) return std::nullopt;
  return minus ? static_cast<std::int64_t>(0U - *magnitude) : static_cast<std::int64_t>(*magnitude);
}

/// [-+]?(\.d+|d+(\.d*)?)([eE][-+]?d+)?
bool looks_like_float(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const auto start = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i - start;
  };
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
  const auto whole = digits();
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() + whole == 0) return false;
  } else if (whole == 0) {
    return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

/// Of a text that looks like a float. Nothing where it overflows; too small a number is zero.
std::optional<double> double_from(std::string_view text) {
  const bool minus = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  double value = 0;
  const auto* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::result_out_of_range) {
    const auto exponent = text.find_first_of("eE");
    const auto mantissa = text.substr(0, exponent);
    const bool tiny = exponent == std::string_view::npos
                          ? mantissa.substr(0, mantissa.find('.')).find_first_not_of('0') ==
                                std::string_view::npos
                          : text.substr(exponent + 1).starts_with('-') ||
                                mantissa.find_first_not_of("0.") == std::string_view::npos;
    if (!tiny) return std::nullopt;
    value = 0;
  } else if (error != std::errc() || stop != end) {
    return std::nullopt;
  }
  return minus ? -value : value;
}

/// `_` only between digits, as Go's ParseFloat wants it.
std::optional<std::string> without_separators(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      plain += text[i];
    } else if (i == 0 || i + 1 == text.size() || !is_digit(text[i - 1]) || !is_digit(text[i + 1])) {
      return std::nullopt;
    }
  }
  return plain;
}

std::optional<Node::Value> number_from(std::string_view text) {
  std::string plain(text);
  plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
  if (const auto value = signed_from(plain, 0)) return Node::Value(*value);
  if (const auto value = unsigned_from(plain, 0)) return Node::Value(*value);
  if (looks_like_float(plain)) {
    if (const auto value = double_from(plain)) return Node::Value(*value);
  }
  // Go cuts these prefixes itself and so takes a sign after them, too.
  const std::string_view view = plain;
  if (view.starts_with("0b")) {
    if (const auto value = signed_from(view.substr(2), 2)) return Node::Value(*value);
  } else if (view.starts_with("0o")) {
    if (const auto value = signed_from(view.substr(2), 8)) return Node::Value(*value);
  }
  return std::nullopt;
}

std::optional<Node::Value> word_from(std::string_view text) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
    return Node::Value(Null{});
  }
  if (text == "true" || text == "True" || text == "TRUE") return Node::Value(true);
  if (text == "false" || text == "False" || text == "FALSE") return Node::Value(false);
  if (text == ".nan" || text == ".NaN" || text == ".NAN") {
    return Node::Value(std::numeric_limits<double>::quiet_NaN());
  }
  const bool minus = text.starts_with('-');
  if (minus || text.starts_with('+')) text.remove_prefix(1);
  if (text == ".inf" || text == ".Inf" || text == ".INF") {
    return Node::Value(minus ? -kInfinity : kInfinity);
  }
  return std::nullopt;
}

Node::Value resolve(std::string_view text, bool timestamps) {
  const char first = text.empty() ? '~' : text[0];
  const bool number = is_digit(first) || first == '+' || first == '-';
  const bool word = first == '~' || first == '.' || first == '+' || first == '-' ||
                    std::string_view("nNtTfF").find(first) != std::string_view::npos;
  if (word) {
    if (auto value = word_from(text)) return *std::move(value);
  }
  if (first == '.') {
    const auto plain = without_separators(text);
    if (plain && looks_like_float(*plain)) {
      if (const auto value = double_from(*plain)) return *value;
    }
  } else if (number) {
    if (timestamps) {
      if (auto value = timestamp_from(text)) return *std::move(value);
    }
    if (auto value = number_from(text)) return *std::move(value);
  }
  return std::string(text);
}

std::string_view tag_of(const Node::Value& value) {
  switch (value.index()) {
    case 0:
      return "!!null";
    case 1:
      return "!!bool";
    case 2:
    case 3:
      return "!!int";
    case 4:
      return "!!float";
    case 6:
      return "!!timestamp";
    default:
      return "!!str";
  }
}

}  // namespace

Node::Value resolve_plain(std::string_view text) { return resolve(text, true); }

std::optional<Node::Value> resolve_tagged(std::string_view tag,
                                          std::string_view text,
                                          std::string& reason) {
  if (tag == "!!binary") {
    std::string packed(text);
    packed.erase(
        std::remove_if(packed.begin(), packed.end(), [](char c) { return c == '\n' || c == '\r'; }),
        packed.end());
    if (auto bytes = from_base64(packed)) return Node::Value(*std::move(bytes));
    reason = "!!binary value contains invalid base64 data";
    return std::nullopt;
  }
  const bool known = tag == "!!bool" || tag == "!!int" || tag == "!!float" || tag == "!!null" ||
                     tag == "!!timestamp";
  if (!known) return Node::Value(std::string(text));
  auto value = resolve(text, tag == "!!timestamp");
  if (tag_of(value) == tag) return value;
  if (const auto* integer = std::get_if<std::int64_t>(&value);
      integer != nullptr && tag == "!!float") {
    return Node::Value(static_cast<double>(*integer));
  }
  reason = "cannot decode " + std::string(tag_of(value)) + " `" + std::string(text) + "` as a " +
           std::string(tag);
  return std::nullopt;
}

}  // namespace skep::yaml
