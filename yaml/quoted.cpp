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

/// Steps over blanks and line ends. The first line end is a blank, unless more follow; one that a
/// backslash has `escaped` was none.
void append_fold(std::string_view between, std::size_t& at, bool escaped, std::string& text) {
  const auto start = at;
  std::size_t breaks = 0;
  for (; at < between.size(); ++at) {
    if (between[at] == '\n') {
      ++breaks;
    } else if (!is_quoted_blank(between[at]) && between[at] != '\r') {
      break;
    }
  }
  if (escaped) {
    text.append(breaks, '\n');
  } else if (breaks == 0) {
    text += between.substr(start, at - start);
  } else if (breaks == 1) {
    text += ' ';
  } else {
    text.append(breaks - 1, '\n');
  }
}

}  // namespace

std::string quoted_text(std::string_view between, char quote) {
  std::string text;
  for (std::size_t at = 0; at < between.size();) {
    const char c = between[at];
    if (is_quoted_blank(c) || c == '\n' || c == '\r') {
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
