#include "yaml/quoted.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "yaml/source_text.hpp"

namespace skep::yaml {
namespace {

bool is_quoted_blank(char c) { return c == ' ' || c == '\t'; }

/// Reads the escape behind the backslash before `at`, and steps over it.
void append_escaped(std::string_view between, std::size_t& at, std::string& text) {
  const char c = between[at++];
  const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  if (digits > 0) {
    const auto* begin = between.data() + at;
    at = std::min(at + digits, between.size());
    std::uint32_t code = 0;
    std::from_chars(begin, between.data() + at, code, 16);
    return append_utf8(text, code);
  }
  switch (c) {
    case '0':
      text += '\0';
      break;
    case 'a':
      text += '\a';
      break;
    case 'b':
      text += '\b';
      break;
    case 't':
      text += '\t';
      break;
    case 'n':
      text += '\n';
      break;
    case 'v':
      text += '\v';
      break;
    case 'f':
      text += '\f';
      break;
    case 'r':
      text += '\r';
      break;
    case 'e':
      text += '\x1B';
      break;
    case 'N':
      append_utf8(text, 0x85);
      break;
    case '_':
      append_utf8(text, 0xA0);
      break;
    case 'L':
      append_utf8(text, 0x2028);
      break;
    case 'P':
      append_utf8(text, 0x2029);
      break;
    default:
      text += c;
  }
}

/// What a line end at `at` stands for, and its length; nothing for any other character. U+2028 and
/// U+2029 end a line and stay.
std::string_view line_end(std::string_view between, std::size_t at, std::size_t& length) {
  const auto rest = between.substr(at);
  length = 1;
  if (rest.starts_with('\n')) return "\n";
  length = 2;
  if (rest.starts_with("\r\n") || rest.starts_with("\xC2\x85")) return "\n";
  length = 3;
  if (rest.starts_with("\xE2\x80\xA8") || rest.starts_with("\xE2\x80\xA9"))
    return rest.substr(0, 3);
  return {};
}

/// Steps over blanks and line ends. The first line end is a blank, unless more follow; one that a
/// backslash has `escaped` was none.
void append_fold(std::string_view between, std::size_t& at, bool escaped, std::string& text) {
  const auto start = at;
  auto blanks = at;  // Behind those before the first line end.
  std::string_view first;
  std::string others;
  for (std::size_t length = 0; at < between.size(); at += length) {
    const auto end = line_end(between, at, length);
    if (end.empty()) {
      if (!is_quoted_blank(between[at])) break;
      length = 1;
      if (first.empty() && !escaped) blanks = at + 1;
    } else if (first.empty() && !escaped) {
      first = end;
    } else {
      others += end;
    }
  }
  if (first.empty() && !escaped) {
    text += between.substr(start, blanks - start);
  } else if (first == "\n") {
    text += others.empty() ? " " : others;
  } else {
    text += first;
    text += others;
  }
}

}  // namespace

std::string quoted_text(std::string_view between, char quote) {
  std::string text;
  for (std::size_t at = 0; at < between.size();) {
    const char c = between[at];
    std::size_t length = 0;
    if (is_quoted_blank(c) || !line_end(between, at, length).empty()) {
      append_fold(between, at, false, text);
    } else if (quote == '\'' && c == '\'') {
      text += c;
      at += 2;
    } else if (quote == '"' && c == '\\' && at + 1 < between.size()) {
      ++at;
      if (between[at] == '\r') ++at;
      if (at < between.size() && between[at] == '\n') {
        append_fold(between, ++at, true, text);
      } else if (at < between.size()) {
        append_escaped(between, at, text);
      }
    } else {
      text += c;
      ++at;
    }
  }
  return text;
}

}  // namespace skep::yaml
