#include "yaml/hints.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace skep::yaml {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kWordLetters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

constexpr std::string_view kTabIndents = "; the line begins with a tab: indent with spaces";
constexpr std::string_view kNotIndentedAlike =
    "; this line is not indented like the lines that it belongs to";

std::size_t line_start(const SourceText& source, std::size_t offset) {
  return offset - static_cast<std::size_t>(source.indent_of(offset));
}

/// The line of an offset up to that offset.
std::string_view line_before(const SourceText& source, std::size_t offset) {
  const auto start = line_start(source, offset);
  return std::string_view(source.text()).substr(start, offset - start);
}

bool only_blanks(std::string_view text) {
  return text.find_first_not_of(" \t-") == std::string_view::npos;
}

/// The nearest line that is not blank above the one that begins at `below`, which becomes where it
/// begins; empty where there is none.
std::string_view line_above(std::string_view text, std::size_t& below) {
  while (below > 0) {
    const auto last = below - 1;  // The line break.
    const auto start = last == 0 ? std::string_view::npos : text.rfind('\n', last - 1);
    below = start == std::string_view::npos ? 0 : start + 1;
    const auto line = text.substr(below, last - below);
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) return line;
  }
  return {};
}

/// Without indentation, dashes and what is blank at the end.
std::string_view content_of(std::string_view line) {
  const auto first = line.find_first_not_of(" -");
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(" \t\r") + 1 - first);
}

std::size_t indentation(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

bool is_word(std::string_view text) {
  return !text.empty() && text.find_first_not_of(kWordLetters) == std::string_view::npos;
}

/// "image:nginx" on the line before an offset's: to YAML a text that goes on, not a key.
std::string_view glued_key_above(const SourceText& source, std::size_t offset) {
  auto begin = line_start(source, offset);
  auto line = content_of(line_above(source.text(), begin));
  line = line.substr(0, line.find_first_of(" \t"));
  const auto colon = line.find(':');
  const bool key =
      colon != std::string_view::npos && colon + 1 < line.size() && is_word(line.substr(0, colon));
  return key ? line.substr(0, colon + 1) : std::string_view();
}

/// The key of "command: >" where the lines of its text, up to an offset's, are not indented more.
std::string_view key_of_unindented_text(const SourceText& source, std::size_t offset) {
  auto begin = line_start(source, offset);
  auto indent = indentation(line_before(source, offset));
  while (true) {
    const auto line = line_above(source.text(), begin);
    const auto content = content_of(line);
    const auto colon = content.find(": ");
    if (content.empty()) return {};
    if (colon == std::string_view::npos && !content.ends_with(':')) {
      indent = std::min(indent, indentation(line));
      continue;
    }
    if (colon == std::string_view::npos || !is_word(content.substr(0, colon))) return {};
    auto head = content.substr(content.find_first_not_of(" \t", colon + 1));
    head = head.substr(0, head.find_first_of(" \t"));
    const bool text = (head.front() == '>' || head.front() == '|') &&
                      head.find_first_not_of("+-123456789", 1) == std::string_view::npos;
    return text && indent <= indentation(line) ? content.substr(0, colon) : std::string_view();
  }
}

/// A key on a line that YAML takes for more of the text on the line above.
std::string goes_on_from_above(const SourceText& source, std::size_t offset) {
  const auto before = line_before(source, offset);
  if (!is_word(content_of(before))) return "";
  if (const auto key = key_of_unindented_text(source, offset); !key.empty()) {
    return "; the text of " + std::string(key) + " must be indented more than " + std::string(key);
  }
  auto begin = line_start(source, offset);
  const auto above = line_above(source.text(), begin);
  const auto content = content_of(above);
  const auto is_item = [](std::string_view line) {
    return line.substr(indentation(line)).starts_with("- ");
  };
  if (is_item(before) && is_item(above)) return std::string(kNotIndentedAlike);
  if (is_word(content)) {
    return "; a colon is missing after " + std::string(content) + " on the line before";
  }
  if (indentation(before) > indentation(above) && content.find(": ") != std::string_view::npos) {
    return "; this line is indented more than the one before, and so goes on with its text";
  }
  return "";
}

/// Behind the closing quote of the text that begins at an offset; npos where there is none.
std::size_t end_of_quotes(std::string_view text, std::size_t begin) {
  const char quote = text[begin];
  for (auto at = begin + 1; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\') {
      ++at;
    } else if (text[at] == quote) {
      if (quote == '"' || at + 1 >= text.size() || text[at + 1] != quote) return at + 1;
      ++at;
    }
  }
  return std::string_view::npos;
}

/// About a text in quotes that stands right before an offset, where nothing may follow; "" where
/// there is none, or where only something between the two is missing.
std::string behind_quotes(const SourceText& source,
                          std::size_t offset,
                          std::optional<std::size_t> last_value,
                          bool brackets) {
  const std::string_view text = source.text();
  if (!last_value || *last_value >= offset) return "";
  const char quote = text[*last_value];
  if (quote != '"' && quote != '\'') return "";
  const auto end = end_of_quotes(text, *last_value);
  if (end > offset ||
      text.substr(end, offset - end).find_first_not_of(kBlanks) != std::string_view::npos) {
    return "";
  }
  const auto opens = source.position(*last_value);
  if (opens.line != source.position(end - 1).line) {
    return std::string("; a ") + quote + " is missing: the one that opens at " +
           std::to_string(opens.line) + ':' + std::to_string(opens.column) + " is closed only here";
  }
  if (end == offset && text[offset] != ':') {
    const auto rest = text.substr(offset, text.find('\n', offset) - offset);
    const bool again = rest.find(quote) != std::string_view::npos;
    if (quote == '"' && again) return "; quotes inside double quotes are written \\\"";
    if (quote == '\'' && (again || is_word(rest.substr(0, 1)))) {
      return "; a ' inside single quotes is written ''";
    }
  }
  if (brackets) return "";
  return "; something follows behind the closing quote: put all of it into one pair of quotes";
}

std::string misplaced(const SourceText& source,
                      std::size_t offset,
                      std::optional<std::size_t> last_value) {
  const auto before = line_before(source, offset);
  if (only_blanks(before)) {
    return std::string(before.find('\t') != std::string_view::npos ? kTabIndents
                                                                   : kNotIndentedAlike);
  }
  if (auto hint = behind_quotes(source, offset, last_value, false); !hint.empty()) return hint;
  const char last = before[before.find_last_not_of(" \t")];
  if (last == '}' || last == ']') {
    return "; a text that begins with { or [ needs quotes around the whole of it";
  }
  return "; something follows where the value has ended already";
}

std::string in_brackets(const SourceText& source,
                        std::size_t offset,
                        std::optional<std::size_t> last_value) {
  if (auto hint = behind_quotes(source, offset, last_value, true); !hint.empty()) return hint;
  const std::string_view text = source.text();
  const auto last =
      offset == 0 ? std::string_view::npos : text.find_last_not_of(kBlanks, offset - 1);
  const bool begins_another =
      offset < text.size() && std::string_view(",:]}").find(text[offset]) == std::string_view::npos;
  if (begins_another && last != std::string_view::npos &&
      std::string_view("\"'}]").find(text[last]) != std::string_view::npos) {
    const bool same_line = last >= line_start(source, offset);
    const bool quotes = text[offset] == '"' || text[offset] == '\'';
    return same_line || quotes ? "; a comma is missing before this"
                               : "; a comma or a closing bracket is missing before this";
  }
  return "; a bracket is missing or too many, or a text with one of [ ] { } , in it needs quotes";
}

std::string of_a_colon(const SourceText& source,
                       std::size_t offset,
                       std::optional<std::size_t> last_value) {
  const auto before = line_before(source, offset);
  const auto indent = before.substr(0, before.find_first_not_of(" \t"));
  if (indent.find('\t') != std::string_view::npos) return std::string(kTabIndents);
  if (auto hint = behind_quotes(source, offset, last_value, false); !hint.empty()) return hint;
  if (const auto key = glued_key_above(source, offset); !key.empty()) {
    return "; a blank is missing after " + std::string(key) + " on the line before";
  }
  if (auto hint = goes_on_from_above(source, offset); !hint.empty()) return hint;
  return "; a text with a colon and a blank in it needs quotes";
}

/// The mark of an unfinished merge that a line is; "" for others.
std::string_view merge_mark(std::string_view line) {
  for (const std::string_view mark : {"<<<<<<<", "=======", ">>>>>>>", "|||||||"}) {
    if (!line.starts_with(mark)) continue;
    const auto rest = line.substr(mark.size());
    if (rest.empty() || rest.front() == ' ' || rest.front() == '\r') return mark;
  }
  return {};
}

bool is_of_a_template(std::string_view line) {
  const auto content = line.substr(indentation(line));
  return content.starts_with("{{") || content.starts_with("{%");
}

}  // namespace

std::string hint_for(const std::string& complaint,
                     const SourceText& source,
                     std::size_t offset,
                     std::optional<std::size_t> last_value) {
  const auto& text = source.text();
  if (offset > text.size()) return "";
  const auto says = [&](std::string_view words) { return complaint.starts_with(words); };
  if (says("illegal map value")) return of_a_colon(source, offset, last_value);
  if (says("could not find expected ':'")) {
    const std::string key(key_of_unindented_text(source, offset));
    return key.empty() ? "" : "; the text of " + key + " must be indented more than " + key;
  }
  if (says("unknown token") && offset < text.size()) {
    if (text[offset] == '\t') return "; here is a tab: indent with spaces";
    return std::string("; a text that begins with ") + text[offset] + " needs quotes";
  }
  if (says("illegal tab")) return "; indent with spaces";
  if (says("end of map not found") || says("end of sequence not found")) {
    return misplaced(source, offset, last_value);
  }
  if (says("end of map flow not found") || says("end of sequence flow not found") ||
      says("illegal flow end")) {
    return in_brackets(source, offset, last_value);
  }
  if (says("the referenced anchor is not defined") || says("alias not found") ||
      says("illegal character found while scanning alias")) {
    return "; a text that begins with * needs quotes";
  }
  if (says("anchor not found") || says("illegal character found while scanning anchor")) {
    return "; a text that begins with & needs quotes";
  }
  if (says("unknown escape character")) {
    return "; write \\\\ for a backslash, or put the text in single quotes";
  }
  return "";
}

Error explained(Error error, const SourceText& source) {
  const std::string_view text = source.text();
  std::string_view line;
  std::string_view above;
  for (std::size_t begin = 0, number = 1; begin < text.size(); ++number) {
    if (!error.at || static_cast<int>(number) > error.at->line) break;
    above = line;
    line = text.substr(begin, text.find('\n', begin) - begin);
    if (const auto mark = merge_mark(line); !mark.empty()) {
      return source.error(begin,
                          std::string(mark) +
                              " is a mark of an unfinished merge: keep one side of it, and take "
                              "out the marks");
    }
    begin += line.size() + 1;
  }
  // A line at the very left is no part of a text below a key.
  if (is_of_a_template(line) || (is_of_a_template(above) && above.front() == '{')) {
    error.message.resize(std::min(error.message.find("; "), error.message.size()));
    error.message += "; this looks like a template, which must be rendered first";
  }
  return error;
}

}  // namespace skep::yaml
