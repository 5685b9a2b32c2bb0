#include "helm-like-templates/renderer/printer.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "helm-like-templates/renderer/binary_float.hpp"
#include "helm-like-templates/renderer/literal.hpp"

namespace skep::templates {
namespace {

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

}  // namespace

Result<void> Printer::value(const Value& value, const Spec& spec, int depth) {
  if (depth > kMaxNesting) return failure("the value is nested too deeply; does it hold itself?");
  if (out.size() > env_.room()) return env_.charge(out.size());
  if (auto paid = env_.spend(depth > 0 ? 1 : 0); !paid) return paid;
  if (value.is_nil()) {
    if (depth > 0)
      out += spec.go_syntax ? "interface {}(nil)" : "<nil>";
    else if (spec.verb == 'v' || spec.verb == 'T')
      pad("<nil>", spec);
    else
      bad_verb(value, spec);
    return {};
  }
  if (spec.verb == 'T') {
    pad(cut(type_name(value), spec), spec);
    return {};
  }
  if (spec.verb == 'w' && depth == 0 && (value.map() != nullptr || value.list() != nullptr)) {
    out += "%!w(" + std::string(type_name(value)) + "=";
    auto plain = spec;
    plain.verb = 'v';
    auto done = this->value(value, plain, 1);
    out += ')';
    return done;
  }
  if (const auto* map = value.map()) return print_map(*map, spec, depth);
  if (const auto* list = value.list()) return print_list(*list, spec, depth);
  scalar(value, spec);
  return {};
}

Result<void> Printer::print_map(const Map& map, const Spec& spec, int depth) {
  if (map.type == Map::Type::version) return value(map.entries.at("String"), spec, depth);
  const bool go_syntax = spec.go_syntax;
  if (go_syntax)
    out += map.type == Map::Type::string ? "map[string]string{" : "map[string]interface {}{";
  else
    out += "map[";
  bool first = true;
  for (const auto& [key, item] : map.entries) {
    if (!first) out += go_syntax ? ", " : " ";
    first = false;
    if (auto done = value(Value(key), spec, depth + 1); !done) return done;
    out += ':';
    if (auto done = value(item, spec, depth + 1); !done) return done;
  }
  out += go_syntax ? '}' : ']';
  return {};
}

Result<void> Printer::print_list(const List& list, const Spec& spec, int depth) {
  const bool go_syntax = spec.go_syntax;
  if (go_syntax) {
    const auto type = list.type == List::Type::string ? "[]string"
                      : list.type == List::Type::int_ ? "[]int"
                      : list.type == List::Type::list ? "[][]interface {}"
                                                      : "[]interface {}";
    out += list.nil ? std::string(type) + "(nil)" : std::string(type) + "{";
    if (list.nil) return {};
  } else {
    out += '[';
  }
  bool first = true;
  for (const auto& item : list.items) {
    if (!first) out += go_syntax ? ", " : " ";
    first = false;
    if (auto done = value(item, spec, depth + 1); !done) return done;
  }
  out += go_syntax ? '}' : ']';
  return {};
}

void Printer::scalar(const Value& value, const Spec& spec) {
  if (const auto* truth = value.boolean()) {
    if (spec.verb != 't' && spec.verb != 'v') return bad_verb(value, spec);
    return pad(*truth ? "true" : "false", spec);
  }
  if (const auto* number = value.integer()) return integer(value, *number, spec);
  if (const auto* number = value.real()) return real(value, *number, spec);
  text(value, *value.text(), spec);
}

void Printer::integer(const Value& value, const Int& number, const Spec& spec) {
  const bool is_unsigned = number.type == Int::Type::uint8 || number.type == Int::Type::uint64;
  switch (spec.verb) {
    case 'v':
      if (spec.go_syntax && is_unsigned) return digits(number.value, 16, spec, true);
      return digits(number.value, 10, spec, false);
    case 'd':
      return digits(number.value, 10, spec, false);
    case 'b':
      return digits(number.value, 2, spec, spec.sharp);
    case 'o':
    case 'O':
      return digits(number.value, 8, spec, spec.sharp);
    case 'x':
    case 'X':
      return digits(number.value, 16, spec, spec.sharp);
    case 'c': {
      std::string text;
      append(text, rune_of(number.value));
      return pad(text, spec);
    }
    case 'q':
      return pad(quote_rune(rune_of(number.value), spec.plus), spec);
    case 'U': {
      char buffer[32];
      const auto least =
          static_cast<int>(std::clamp<std::int64_t>(spec.precision.value_or(0), 4, 20));
      std::snprintf(
          buffer, sizeof(buffer), "U+%0*llX", least, static_cast<unsigned long long>(number.value));
      std::string text = buffer;
      if (spec.sharp && number.value >= 0 && number.value <= 0x10FFFF &&
          is_print(rune_of(number.value))) {
        text += " '";
        append(text, rune_of(number.value));
        text += '\'';
      }
      auto blank = spec;
      blank.zero = false;
      return pad(text, blank);
    }
    default:
      return bad_verb(value, spec);
  }
}

Rune Printer::rune_of(std::int64_t number) {
  return number < 0 || number > 0x10FFFF ? kReplacement : static_cast<Rune>(number);
}

void Printer::digits(std::int64_t number, unsigned base, const Spec& spec, bool prefixed) {
  const bool negative = number < 0;
  auto rest =
      negative ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
  std::int64_t least = 0;
  if (spec.precision) {
    least = *spec.precision;
    if (least == 0 && number == 0) {
      out += std::string(static_cast<std::size_t>(spec.width.value_or(0)), ' ');
      return;
    }
  } else if (spec.zero && !spec.minus && spec.width) {
    least = *spec.width - (negative || spec.plus || spec.space ? 1 : 0);
  }
  const std::string_view letters = spec.verb == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string text;
  do {
    text += letters[rest % base];
    rest /= base;
  } while (rest != 0);
  while (static_cast<std::int64_t>(text.size()) < least) text += '0';
  if (prefixed) {
    if (base == 2) text += "b0";
    if (base == 8 && text.back() != '0') text += '0';
    if (base == 16) text += spec.verb == 'X' ? "X0" : "x0";
  }
  if (spec.verb == 'O') text += "o0";
  if (negative)
    text += '-';
  else if (spec.plus)
    text += '+';
  else if (spec.space)
    text += ' ';
  std::reverse(text.begin(), text.end());
  auto plain = spec;
  plain.zero = false;
  pad(text, plain);
}

std::string Printer::float_text(double number, char verb, int precision) {
  if (!std::isfinite(number) || (verb != 'x' && verb != 'X' && verb != 'b'))
    return format_float(number, std::isfinite(number) ? verb : 'g', precision);
  if (verb == 'b') return format_binary_float(number);
  const auto digits = precision < 0 ? std::nullopt : std::optional(precision);
  auto text = format_hex_float(number, digits);
  if (verb == 'X') {
    for (auto& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return text;
}

std::string Printer::with_zeros(std::string number, char verb, int precision) {
  const bool counts = verb == 'g' || verb == 'G' || verb == 'x';
  int missing = !counts ? 0 : precision < 0 ? 6 : precision;
  const bool hexadecimal = verb == 'x' || verb == 'X';
  const auto exponent = number.find_first_of(hexadecimal ? "pP" : "eE");
  const auto tail = exponent == std::string::npos ? std::string() : number.substr(exponent);
  if (exponent != std::string::npos) number.resize(exponent);
  bool significant = false;
  for (const char c : std::string_view(number).substr(1)) {
    if (c == '.') continue;
    significant = significant || c != '0';
    if (significant) --missing;
  }
  if (number.find('.') == std::string::npos) {
    if (number.size() == 2 && number[1] == '0') --missing;
    number += '.';
  }
  if (missing > 0) number.append(static_cast<std::size_t>(missing), '0');
  return number + tail;
}

void Printer::real(const Value& value, double number, const Spec& spec) {
  char verb = 'g';
  int precision = -1;
  switch (spec.verb) {
    case 'v':
      break;
    case 'e':
    case 'E':
    case 'f':
    case 'F':
      verb = spec.verb == 'F' ? 'f' : static_cast<char>(spec.verb);
      precision = 6;
      break;
    case 'g':
    case 'G':
    case 'x':
    case 'X':
    case 'b':
      verb = static_cast<char>(spec.verb);
      break;
    default:
      return bad_verb(value, spec);
  }
  if (spec.precision) precision = static_cast<int>(*spec.precision);
  auto text = float_text(number, verb, precision);
  if (text[0] != '-' && text[0] != '+') text.insert(text.begin(), '+');
  if (spec.sharp && verb != 'b' && std::isfinite(number))
    text = with_zeros(std::move(text), verb, precision);
  auto plain = spec;
  if (spec.space && text[0] == '+' && !spec.plus) text[0] = ' ';
  if (std::isinf(number) || std::isnan(number)) {
    plain.zero = false;
    if (std::isnan(number) && !spec.space && !spec.plus) text.erase(0, 1);
  }
  if (text.starts_with('+') && !spec.plus && std::isfinite(number)) text.erase(0, 1);
  if (plain.zero && !plain.minus && plain.width &&
      (text[0] == '-' || text[0] == '+' || text[0] == ' ')) {
    out += text[0];
    text.erase(0, 1);
    plain.width = *plain.width - 1;
  }
  pad(text, plain);
}

std::string_view Printer::cut(std::string_view text, const Spec& spec) {
  if (!spec.precision) return text;
  std::size_t end = 0;
  for (std::int64_t i = 0; i < *spec.precision && end < text.size(); ++i)
    end += decode(text.substr(end)).size;
  return text.substr(0, end);
}

void Printer::text(const Value& value, const std::string& text, const Spec& spec) {
  const auto shown = cut(text, spec);
  switch (spec.verb) {
    case 'v':
      if (spec.go_syntax) return pad(quote(shown), spec);
      return pad(shown, spec);
    case 's':
      return pad(shown, spec);
    case 'q':
      if (spec.sharp && shown.find('`') == std::string_view::npos &&
          shown.find("\xef\xbb\xbf") == std::string_view::npos && is_utf8(shown) &&
          std::none_of(shown.begin(), shown.end(), [](char c) {
            return (c >= 0 && c < ' ' && c != '\t') || c == 0x7F;
          }))
        return pad('`' + std::string(shown) + '`', spec);
      return pad(quote(shown, spec.plus), spec);
    case 'x':
    case 'X':
      return hex(text, spec);
    default:
      return bad_verb(value, spec);
  }
}

void Printer::hex(const std::string& text, const Spec& spec) {
  const std::string_view letters = spec.verb == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
  const std::string_view prefix = !spec.sharp ? "" : spec.verb == 'X' ? "0X" : "0x";
  auto count = text.size();
  if (spec.precision) count = std::min(count, static_cast<std::size_t>(*spec.precision));
  std::string shown;
  for (std::size_t i = 0; i < count; ++i) {
    if (i == 0 || spec.space) {
      if (i > 0) shown += ' ';
      shown += prefix;
    }
    const auto byte = static_cast<unsigned char>(text[i]);
    shown += letters[byte >> 4U];
    shown += letters[byte & 0xFU];
  }
  pad(shown, spec);
}

void Printer::pad(std::string_view text, const Spec& spec) {
  const auto size = static_cast<std::int64_t>(characters(text));
  const auto fill = spec.width && *spec.width > size ? *spec.width - size : 0;
  const auto padding =
      std::string(static_cast<std::size_t>(fill), spec.zero && !spec.minus ? '0' : ' ');
  if (!spec.minus) out += padding;
  out += text;
  if (spec.minus) out += padding;
}

void Printer::bad_verb(const Value& value, const Spec& spec) {
  out += "%!";
  append(out, spec.verb);
  out += '(';
  if (value.is_nil()) {
    out += "<nil>";
  } else {
    out += type_name(value);
    out += '=';
    auto plain = spec;  // Flags, width and precision stay.
    plain.verb = 'v';
    scalar(value, plain);
  }
  out += ')';
}

}  // namespace skep::templates
