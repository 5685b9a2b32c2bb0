#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <re2/re2.h>

#include "core/digest.hpp"
#include "helm-like-templates/renderer/data_text.hpp"
#include "helm-like-templates/renderer/literal.hpp"
#include "helm-like-templates/renderer/unicode.hpp"
#include "yaml/timestamp.hpp"

namespace skep::templates {
namespace {

constexpr int kIndent = 2;
constexpr int kWidth = 80;            // a blank beyond it becomes a line end
constexpr std::size_t kMaxKey = 128;  // longer keys are written "? key"

// Texts that YAML 1.1 reads as something else, as Go's yaml.v2 knows them.
bool is_word(std::string_view text) {
  constexpr std::array<std::string_view, 39> kWords = {
      "",     "~",     "null",  "Null",  "NULL",  "y",     "Y",     "yes",   "Yes",  "YES",
      "true", "True",  "TRUE",  "on",    "On",    "ON",    "n",     "N",     "no",   "No",
      "NO",   "false", "False", "FALSE", "off",   "Off",   "OFF",   ".nan",  ".NaN", ".NAN",
      ".inf", ".Inf",  ".INF",  "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"};
  return std::find(kWords.begin(), kWords.end(), text) != kWords.end();
}

bool reads_as_text(const std::string& text) {
  if (is_word(text)) return false;
  const char first = text[0];
  if (first == '.') return !parse_float(text).has_value();
  const bool digit = first >= '0' && first <= '9';
  if (!digit && first != '+' && first != '-') return true;
  if (yaml::timestamp_from(text)) return false;
  std::string plain = text;
  plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
  if (parse_int(plain, 0) || parse_uint(plain, 0)) return false;
  static const re2::RE2 real("[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?");
  if (re2::RE2::FullMatch(plain, real) && parse_float(plain)) return false;
  static const re2::RE2 base60("[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\\.[0-9_]*)?");
  return !re2::RE2::FullMatch(text, base60);
}

bool is_break(Rune rune) {
  return rune == '\r' || rune == '\n' || rune == 0x85 || rune == 0x2028 || rune == 0x2029;
}
// What libyaml writes as it is; tabs and characters beyond the basic plane are escaped.
bool is_printable(Rune rune) {
  return rune == '\n' || (rune >= ' ' && rune <= '~') ||
         (rune >= 0xA0 && rune < 0xFFFE && rune != 0xFEFF);
}

struct Traits {
  bool plain = true;
  bool single_quoted = true;
  bool block = true;
  bool lines = false;
};

Traits traits_of(std::u32string_view text) {
  Traits traits;
  if (text.empty()) {
    traits.block = false;
    return traits;
  }
  const auto blank = [](Rune rune) { return rune == ' ' || rune == '\t'; };
  bool indicators = text.starts_with(U"---") || text.starts_with(U"...");
  bool special = false;
  bool break_space = false;
  bool space_break = false;
  bool after_blank = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto rune = text[i];
    const bool before_blank = i + 1 >= text.size() || blank(text[i + 1]);
    if (i == 0 && std::u32string_view(U"#,[]{}&*!|>'\"%@`").find(rune) != std::u32string_view::npos)
      indicators = true;
    if (i == 0 && (rune == '?' || rune == '-') && before_blank) indicators = true;
    if (rune == ':' && before_blank) indicators = true;
    if (i > 0 && rune == '#' && after_blank) indicators = true;
    if (!is_printable(rune)) special = true;
    if (is_break(rune)) traits.lines = true;
    if (i > 0 && rune == ' ' && is_break(text[i - 1])) break_space = true;
    if (i > 0 && is_break(rune) && text[i - 1] == ' ') space_break = true;
    after_blank = blank(rune) || is_break(rune) || rune == 0;
  }
  const auto first = text.front();
  const auto last = text.back();
  if (first == ' ' || is_break(first) || last == ' ' || is_break(last)) traits.plain = false;
  if (last == ' ') traits.block = false;
  if (break_space) traits.plain = traits.single_quoted = false;
  if (space_break || special) traits.plain = traits.single_quoted = traits.block = false;
  if (traits.lines || indicators) traits.plain = false;
  return traits;
}

// Keys in the order in which yaml.v2 writes them: numbers inside of them count as numbers.
bool key_less(const std::u32string& a, const std::u32string& b) {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (a[i] == b[i]) continue;
    const bool letter_a = is_letter(a[i]);
    const bool letter_b = is_letter(b[i]);
    if (letter_a && letter_b) return a[i] < b[i];
    if (letter_a || letter_b) return letter_b;
    std::uint64_t number_a = 0;
    std::uint64_t number_b = 0;
    if (a[i] == '0' || b[i] == '0') {
      for (auto j = i; j-- > 0 && is_digit(a[j]);) {
        if (a[j] != '0') {
          number_a = number_b = 1;
          break;
        }
      }
    }
    auto end_a = i;
    auto end_b = i;
    for (; end_a < a.size() && is_digit(a[end_a]); ++end_a)
      number_a = number_a * 10 + a[end_a] - '0';
    for (; end_b < b.size() && is_digit(b[end_b]); ++end_b)
      number_b = number_b * 10 + b[end_b] - '0';
    if (number_a != number_b)
      return static_cast<std::int64_t>(number_a) < static_cast<std::int64_t>(number_b);
    if (end_a != end_b) return end_a < end_b;
    return a[i] < b[i];
  }
  return a.size() < b.size();
}

class YamlWriter {
 public:
  explicit YamlWriter(Env& env) : env_(env) {}

  std::string out;

  // A node that begins at the current place; `indent` is its parent's, -2 at the top.
  Result<void> node(const Value& value, int indent, bool in_map, int depth) {
    if (depth > kMaxNesting) return failure("the value is nested too deeply; does it hold itself?");
    if (auto paid = env_.spend(2); !paid) return paid;
    if (out.size() > env_.room()) return env_.charge(out.size());
    const auto* map = value.map();
    if (map != nullptr && map->type != Map::Type::version) return mapping(*map, indent, depth);
    if (const auto* list = value.list()) return sequence(*list, indent, in_map, depth);
    return scalar(value, std::max(indent, 0) + kIndent, false);
  }

 private:
  [[nodiscard]] int column() const {
    const auto start = out.rfind('\n');
    const auto from = start == std::string::npos ? 0 : start + 1;
    return static_cast<int>(
        std::count_if(out.begin() + static_cast<std::ptrdiff_t>(from), out.end(), [](char c) {
          return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
        }));
  }
  void new_line(int indent) {
    if (!out.empty() && out.back() != '\n') out += '\n';
    out += std::string(static_cast<std::size_t>(std::max(indent, 0)), ' ');
  }
  // The first entry of a collection in a list stands on the dash's line.
  void start_entry(bool first, bool here, int indent) {
    if (first && here) {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else {
      new_line(indent);
    }
  }
  void space() {
    if (!out.empty() && out.back() != ' ' && out.back() != '\n') out += ' ';
  }
  [[nodiscard]] bool after_dash() const { return after_dash_ == out.size(); }

  Result<void> mapping(const Map& map, int parent, int depth) {
    if (map.nil) return scalar(Value(), parent + kIndent, false);
    if (map.entries.empty()) {
      space();
      out += "{}";
      return {};
    }
    const int indent = parent + kIndent;
    const bool here = out.empty() || after_dash();
    std::vector<std::pair<std::u32string, const Value*>> entries;
    for (const auto& [key, item] : map.entries) entries.emplace_back(runes(key), &item);
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
      return key_less(a.first, b.first);
    });
    if (auto paid = env_.charge(entries.size() * 48); !paid) return paid;
    bool first = true;
    for (const auto& [runes_of_key, item] : entries) {
      const auto key = utf8(runes_of_key);
      start_entry(first, here, indent);
      first = false;
      const bool simple = !traits_of(runes_of_key).lines && key.size() <= kMaxKey;
      if (!simple) out += "? ";
      if (auto done = scalar(Value(key), indent + kIndent, simple); !done) return done;
      if (!simple) new_line(indent);
      out += ':';
      after_dash_ = simple ? std::string::npos : out.size();
      if (auto done = node(*item, indent, simple, depth + 1); !done) return done;
    }
    return {};
  }

  Result<void> sequence(const List& list, int parent, bool in_map, int depth) {
    if (list.nil) return scalar(Value(), parent + kIndent, false);
    if (list.items.empty()) {
      space();
      out += "[]";
      return {};
    }
    const int indent = in_map ? parent : parent + kIndent;
    const bool here = out.empty() || after_dash();
    bool first = true;
    for (const auto& item : list.items) {
      start_entry(first, here, indent);
      first = false;
      out += '-';
      after_dash_ = out.size();
      if (auto done = node(item, indent, false, depth + 1); !done) return done;
    }
    return {};
  }

  Result<void> scalar(const Value& value, int indent, bool key) {
    space();
    if (const auto* map = value.map()) {
      text(*map->entries.at("String").text(), indent, key);
    } else if (const auto* content = value.text()) {
      text(*content, indent, key);
    } else if (value.is_nil()) {
      out += "null";
    } else if (const auto* truth = value.boolean()) {
      out += *truth ? "true" : "false";
    } else if (const auto* number = value.integer()) {
      out += std::to_string(number->value);
    } else {
      if (!std::isfinite(*value.real())) return failure("JSON and YAML here have no such number");
      const auto json = json_number(*value.real() == 0 ? 0 : *value.real());  // There is no -0.
      out += parse_int(json, 10) || parse_uint(json, 10)                      // yaml.v2 knows both.
                 ? json
                 : format_float(*value.real(), 'g', -1);
    }
    return {};
  }

  void text(const std::string& original, int indent, bool key) {
    const auto characters = runes(original);
    const auto content = utf8(characters);  // malformed bytes become U+FFFD, as in JSON
    const auto traits = traits_of(characters);
    if (content.find('\n') != std::string::npos && traits.block && !key)
      return literal(content, indent);
    const bool plain = content.find('\n') == std::string::npos && reads_as_text(content);
    if (plain && traits.plain && !(key && traits.lines)) return folded(content, indent, !key);
    if (plain && traits.single_quoted && !(key && traits.lines))
      return single(characters, indent, !key);
    double_quoted(characters, indent, !key);
  }

  void literal(const std::string& content, int indent) {
    out += '|';
    if (content[0] == ' ' || content[0] == '\n') out += std::to_string(kIndent);
    const bool ends = content.back() == '\n';
    if (!ends)
      out += '-';
    else if (content.size() == 1 || content[content.size() - 2] == '\n')
      out += '+';
    out += '\n';
    bool at_start = true;
    for (const char c : content) {
      if (c != '\n' && at_start) out += std::string(static_cast<std::size_t>(indent), ' ');
      at_start = c == '\n';
      out += c;
    }
  }

  void folded(const std::string& content, int indent, bool may_break) {
    bool after_space = false;
    int at = column();
    for (std::size_t i = 0; i < content.size(); ++i) {
      const char c = content[i];
      if (c == ' ' && may_break && !after_space && at > kWidth && content[i + 1] != ' ') {
        new_line(indent);
        at = indent;
      } else {
        out += c;
        at += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
      }
      after_space = c == ' ';
    }
  }

  void single(const std::u32string& content, int indent, bool may_break) {
    out += '\'';
    int at = column();
    bool after_space = false;
    for (std::size_t i = 0; i < content.size(); ++i) {
      const auto c = content[i];
      if (c == ' ' && may_break && !after_space && at > kWidth && i > 0 && i + 1 < content.size() &&
          content[i + 1] != ' ') {
        new_line(indent);
        at = indent;
      } else {
        if (c == '\'') {
          out += '\'';
          ++at;
        }
        append(out, c);
        ++at;
      }
      after_space = c == ' ';
    }
    out += '\'';
  }

  void double_quoted(const std::u32string& content, int indent, bool may_break) {
    out += '"';
    int at = column();
    bool after_space = false;
    for (std::size_t i = 0; i < content.size(); ++i) {
      const auto c = content[i];
      if (!is_printable(c) || is_break(c) || c == '"' || c == '\\') {
        const auto before = out.size();
        escape(c);
        at += static_cast<int>(out.size() - before);
        after_space = false;
        continue;
      }
      if (c == ' ' && may_break && !after_space && at > kWidth && i > 0 && i + 1 < content.size()) {
        new_line(indent);
        at = indent;
        if (content[i + 1] == ' ') {
          out += '\\';
          ++at;
        }
      } else {
        append(out, c);
        ++at;
      }
      after_space = c == ' ';
    }
    out += '"';
  }

  void escape(Rune rune) {
    constexpr std::array<std::pair<Rune, char>, 15> kNamed = {{{0x00, '0'},
                                                               {0x07, 'a'},
                                                               {0x08, 'b'},
                                                               {0x09, 't'},
                                                               {0x0A, 'n'},
                                                               {0x0B, 'v'},
                                                               {0x0C, 'f'},
                                                               {0x0D, 'r'},
                                                               {0x1B, 'e'},
                                                               {'"', '"'},
                                                               {'\\', '\\'},
                                                               {0x85, 'N'},
                                                               {0xA0, '_'},
                                                               {0x2028, 'L'},
                                                               {0x2029, 'P'}}};
    out += '\\';
    for (const auto& [code, letter] : kNamed) {
      if (code == rune) {
        out += letter;
        return;
      }
    }
    char buffer[16];
    const auto code = static_cast<unsigned>(rune);
    const char* format = rune <= 0xFF ? "x%02X" : rune <= 0xFFFF ? "u%04X" : "U%08X";
    std::snprintf(buffer, sizeof(buffer), format, code);
    out += buffer;
  }

  Env& env_;
  std::size_t after_dash_ = std::string::npos;  ///< Size of `out` right behind "-" or "? … :".
};

}  // namespace

Result<std::string> to_yaml(Env& env, const Value& value) {
  YamlWriter writer(env);
  if (auto done = writer.node(value, -kIndent, false, 0); !done) return std::move(done).error();
  if (writer.out.ends_with('\n')) writer.out.pop_back();
  return std::move(writer.out);
}

}  // namespace skep::templates
