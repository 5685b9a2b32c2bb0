#include "helm-like-templates/renderer/format.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "helm-like-templates/renderer/binary_float.hpp"
#include "helm-like-templates/renderer/literal.hpp"
#include "helm-like-templates/renderer/unicode.hpp"

namespace skep::templates {
namespace {

// Go takes no wider field.
constexpr std::int64_t kMaxWidth = 1'000'000;

struct Spec {
  bool plus = false;
  bool minus = false;
  bool sharp = false;
  bool space = false;
  bool zero = false;
  std::optional<std::int64_t> width;
  std::optional<std::int64_t> precision;
  char32_t verb = 'v';
};

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

class Printer {
 public:
  explicit Printer(Env& env) : env_(env) {}

  std::string out;

  Result<void> value(const Value& value, const Spec& spec, int depth = 0) {
    if (depth > kMaxNesting) return failure("the value is nested too deeply; does it hold itself?");
    if (out.size() > env_.room()) return env_.charge(out.size());
    if (auto paid = env_.spend(depth > 0 ? 1 : 0); !paid) return paid;
    if (value.is_nil()) {
      if (spec.verb == 'v' || spec.verb == 'T' || depth > 0)
        pad(spec.sharp && depth > 0 ? "interface {}(nil)" : "<nil>", spec);
      else
        bad_verb(value, spec);
      return {};
    }
    if (spec.verb == 'T') {
      pad(type_name(value), spec);
      return {};
    }
    if (const auto* map = value.map()) return print_map(*map, spec, depth);
    if (const auto* list = value.list()) return print_list(*list, spec, depth);
    scalar(value, spec);
    return {};
  }

 private:
  Result<void> print_map(const Map& map, const Spec& spec, int depth) {
    if (map.type == Map::Type::version) return value(map.entries.at("String"), spec, depth);
    const bool go_syntax = spec.sharp && spec.verb == 'v';
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

  Result<void> print_list(const List& list, const Spec& spec, int depth) {
    const bool go_syntax = spec.sharp && spec.verb == 'v';
    if (go_syntax) {
      const auto type = list.type == List::Type::string ? "[]string"
                        : list.type == List::Type::int_ ? "[]int"
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

  void scalar(const Value& value, const Spec& spec) {
    if (const auto* truth = value.boolean()) {
      if (spec.verb != 't' && spec.verb != 'v') return bad_verb(value, spec);
      return pad(*truth ? "true" : "false", spec);
    }
    if (const auto* number = value.integer()) return integer(value, *number, spec);
    if (const auto* number = value.real()) return real(value, *number, spec);
    text(value, *value.text(), spec);
  }

  void integer(const Value& value, const Int& number, const Spec& spec) {
    const bool is_unsigned = number.type == Int::Type::uint8 || number.type == Int::Type::uint64;
    switch (spec.verb) {
      case 'v':
        if (spec.sharp && is_unsigned) return digits(number.value, 16, spec, true);
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
        std::snprintf(
            buffer, sizeof(buffer), "U+%04llX", static_cast<unsigned long long>(number.value));
        std::string text = buffer;
        if (spec.sharp && number.value >= 0 && is_print(rune_of(number.value))) {
          text += " '";
          append(text, rune_of(number.value));
          text += '\'';
        }
        return pad(text, spec);
      }
      default:
        return bad_verb(value, spec);
    }
  }

  static Rune rune_of(std::int64_t number) {
    return number < 0 || number > 0x10FFFF ? kReplacement : static_cast<Rune>(number);
  }

  void digits(std::int64_t number, unsigned base, const Spec& spec, bool prefixed) {
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

  static std::string float_text(double number, char verb, int precision) {
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

  void real(const Value& value, double number, const Spec& spec) {
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
    auto plain = spec;
    if (spec.space && text[0] == '+' && !spec.plus) text[0] = ' ';
    if (std::isinf(number) || std::isnan(number)) {
      plain.zero = false;
      if (std::isnan(number) && !spec.space && !spec.plus) text.erase(0, 1);
    }
    if (!text.empty() && text[0] == '+' && !spec.plus) text.erase(0, 1);
    if (plain.zero && !plain.minus && plain.width &&
        (text[0] == '-' || text[0] == '+' || text[0] == ' ')) {
      out += text[0];
      text.erase(0, 1);
      plain.width = *plain.width - 1;
    }
    pad(text, plain);
  }

  void text(const Value& value, const std::string& text, const Spec& spec) {
    const auto cut = [&] {
      if (!spec.precision) return std::string_view(text);
      std::size_t end = 0;
      std::string_view rest = text;
      for (std::int64_t i = 0; i < *spec.precision && !rest.empty(); ++i) {
        const auto size = decode(rest).size;
        end += size;
        rest.remove_prefix(size);
      }
      return std::string_view(text).substr(0, end);
    };
    switch (spec.verb) {
      case 'v':
        if (spec.sharp) return pad(quote(text), spec);
        return pad(cut(), spec);
      case 's':
        return pad(cut(), spec);
      case 'q':
        if (spec.sharp && text.find('`') == std::string::npos && is_utf8(text) &&
            std::none_of(text.begin(), text.end(), [](char c) {
              return (c >= 0 && c < ' ' && c != '\t') || c == 0x7F;
            }))
          return pad('`' + std::string(cut()) + '`', spec);
        return pad(quote(cut(), spec.plus), spec);
      case 'x':
      case 'X':
        return hex(text, spec);
      default:
        return bad_verb(value, spec);
    }
  }

  void hex(const std::string& text, const Spec& spec) {
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

  void pad(std::string_view text, const Spec& spec) {
    const auto size = static_cast<std::int64_t>(characters(text));
    const auto fill = spec.width && *spec.width > size ? *spec.width - size : 0;
    const auto padding =
        std::string(static_cast<std::size_t>(fill), spec.zero && !spec.minus ? '0' : ' ');
    if (!spec.minus) out += padding;
    out += text;
    if (spec.minus) out += padding;
  }

  void bad_verb(const Value& value, const Spec& spec) {
    out += "%!";
    append(out, spec.verb);
    out += '(';
    if (value.is_nil()) {
      out += "<nil>";
    } else {
      out += type_name(value);
      out += '=';
      auto plain = spec;  // Width and precision stay; # means nothing here.
      plain.verb = 'v';
      plain.sharp = false;
      scalar(value, plain);
    }
    out += ')';
  }

  Env& env_;
};

// Reads a format's verbs and gives each its argument.
class Format {
 public:
  Format(Env& env, std::string_view format, Args args)
      : env_(env), format_(format), args_(args), printer_(env) {}

  Result<std::string> run() {
    while (at_ < format_.size()) {
      const auto percent = std::min(format_.find('%', at_), format_.size());
      printer_.out += format_.substr(at_, percent - at_);
      at_ = percent + 1;
      if (percent >= format_.size()) break;
      if (auto done = verb(); !done) return std::move(done).error();
      if (printer_.out.size() > env_.room()) {
        auto over = env_.charge(printer_.out.size());
        if (!over) return std::move(over).error();
      }
    }
    if (!reordered_ && next_ < args_.size()) {
      printer_.out += "%!(EXTRA ";
      for (auto i = next_; i < args_.size(); ++i) {
        if (i > next_) printer_.out += ", ";
        if (args_[i].is_nil()) {
          printer_.out += "<nil>";
          continue;
        }
        printer_.out += type_name(args_[i]);
        printer_.out += '=';
        if (auto done = printer_.value(args_[i], Spec()); !done) return std::move(done).error();
      }
      printer_.out += ')';
    }
    return std::move(printer_.out);
  }

 private:
  std::optional<std::int64_t> number() {
    std::optional<std::int64_t> value;
    while (at_ < format_.size() && format_[at_] >= '0' && format_[at_] <= '9') {
      if (value.value_or(0) > kMaxWidth) {
        at_ = format_.size();
        return std::nullopt;
      }
      value = value.value_or(0) * 10 + (format_[at_++] - '0');
    }
    return value;
  }

  // [n]: which argument comes next.
  void index() {
    after_index_ = false;
    if (at_ >= format_.size() || format_[at_] != '[') return;
    reordered_ = true;
    const auto close = format_.find(']', at_);
    if (close == std::string_view::npos) {
      good_ = false;
      ++at_;
      return;
    }
    const auto which = parse_int(format_.substr(at_ + 1, close - at_ - 1), 10);
    at_ = close + 1;
    if (!which || *which < 1 || *which > static_cast<std::int64_t>(args_.size())) {
      good_ = false;
      return;
    }
    next_ = static_cast<std::size_t>(*which - 1);
    after_index_ = true;
  }

  // The argument of a *; nothing where it is no fitting number.
  std::optional<std::int64_t> star() {
    ++at_;
    after_index_ = false;
    if (next_ >= args_.size()) return std::nullopt;
    const auto* number = args_[next_++].integer();
    if (number == nullptr || std::abs(number->value) > kMaxWidth) return std::nullopt;
    return number->value;
  }

  Result<void> verb() {
    Spec spec;
    good_ = true;
    after_index_ = false;
    for (; at_ < format_.size(); ++at_) {
      const char c = format_[at_];
      if (c == '#')
        spec.sharp = true;
      else if (c == '0')
        spec.zero = !spec.minus;
      else if (c == '+')
        spec.plus = true;
      else if (c == '-') {
        spec.minus = true;
        spec.zero = false;
      } else if (c == ' ')
        spec.space = true;
      else
        break;
    }
    index();
    if (at_ < format_.size() && format_[at_] == '*') {
      spec.width = star();
      if (!spec.width) printer_.out += "%!(BADWIDTH)";
      if (spec.width && *spec.width < 0) {
        spec.width = -*spec.width;
        spec.minus = true;
        spec.zero = false;
      }
    } else {
      const auto before = at_;
      spec.width = number();
      if (after_index_ && at_ > before) good_ = false;
    }
    if (at_ < format_.size() && format_[at_] == '.') {
      ++at_;
      if (after_index_) good_ = false;
      index();
      if (at_ < format_.size() && format_[at_] == '*') {
        spec.precision = star();
        if (spec.precision && *spec.precision < 0) spec.precision.reset();
        if (!spec.precision) printer_.out += "%!(BADPREC)";
      } else {
        spec.precision = number().value_or(0);
      }
    }
    if (!after_index_) index();
    if (at_ >= format_.size()) {
      printer_.out += "%!(NOVERB)";
      return {};
    }
    const auto next = decode(format_.substr(at_));
    at_ += next.size;
    spec.verb = next.rune;
    if (spec.verb == '%') {
      printer_.out += '%';
      return {};
    }
    if (!good_ || next_ >= args_.size()) {
      printer_.out += "%!";
      append(printer_.out, spec.verb);
      printer_.out += good_ ? "(MISSING)" : "(BADINDEX)";
      return {};
    }
    if (spec.verb == 'v') spec.plus = false;  // Is about fields of structs.
    const auto& arg = args_[next_++];
    return printer_.value(arg, spec);
  }

  Env& env_;
  std::string_view format_;
  Args args_;
  Printer printer_;
  std::size_t at_ = 0;
  std::size_t next_ = 0;
  bool reordered_ = false;
  bool good_ = true;
  bool after_index_ = false;
};

}  // namespace

Result<std::string> show(Env& env, const Value& value) {
  if (const auto* text = value.text()) return *text;
  Printer printer(env);
  if (auto done = printer.value(value, Spec()); !done) return std::move(done).error();
  return std::move(printer.out);
}

Result<std::string> sprint(Env& env, Args values) {
  Printer printer(env);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0 && values[i].text() == nullptr && values[i - 1].text() == nullptr) printer.out += ' ';
    if (auto done = printer.value(values[i], Spec()); !done) return std::move(done).error();
  }
  return std::move(printer.out);
}

Result<std::string> sprintln(Env& env, Args values) {
  Printer printer(env);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) printer.out += ' ';
    if (auto done = printer.value(values[i], Spec()); !done) return std::move(done).error();
  }
  return printer.out + '\n';
}

Result<std::string> sprintf(Env& env, std::string_view format, Args values) {
  return Format(env, format, values).run();
}

}  // namespace skep::templates
