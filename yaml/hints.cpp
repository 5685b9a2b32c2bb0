#include "yaml/hints.hpp"

#include <string_view>

namespace skep::yaml {
namespace {

/// The line of an offset up to that offset.
std::string_view line_before(const SourceText& source, std::size_t offset) {
  const auto indent = static_cast<std::size_t>(source.indent_of(offset));
  return std::string_view(source.text()).substr(offset - indent, indent);
}

bool only_blanks(std::string_view text) {
  return text.find_first_not_of(" \t-") == std::string_view::npos;
}

/// "image:nginx" on the line before an offset's: to YAML a text that goes on, not a key.
std::string_view glued_key_above(const SourceText& source, std::size_t offset) {
  const std::string_view text = source.text();
  auto end = offset - static_cast<std::size_t>(source.indent_of(offset));
  std::string_view line;
  while (end > 0 && line.find_first_not_of(" \t\r") == std::string_view::npos) {
    const auto last = end - 1;  // The line break.
    const auto start = last == 0 ? std::string_view::npos : text.rfind('\n', last - 1);
    const auto begin = start == std::string_view::npos ? 0 : start + 1;
    line = text.substr(begin, last - begin);
    end = begin;
  }
  const auto first = line.find_first_not_of(" -");
  if (first == std::string_view::npos) return {};
  line = line.substr(first, line.find_first_of(" \t\r", first) - first);
  const auto colon = line.find(':');
  const bool key = colon != 0 && colon != std::string_view::npos && colon + 1 < line.size() &&
                   line.substr(0, colon).find_first_not_of(
                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
                       std::string_view::npos;
  return key ? line.substr(0, colon + 1) : std::string_view();
}

std::string misplaced(std::string_view before) {
  if (only_blanks(before)) {
    if (before.find('\t') != std::string_view::npos) {
      return "; the line begins with a tab: indent with spaces";
    }
    return "; this line is not indented like the lines that it belongs to";
  }
  return "; something follows where the value has ended already: quotes inside double quotes are "
         "written \\\"";
}

}  // namespace

std::string hint_for(const std::string& complaint, const SourceText& source, std::size_t offset) {
  const auto& text = source.text();
  if (offset > text.size()) return "";
  const auto before = line_before(source, offset);
  const auto says = [&](std::string_view words) { return complaint.starts_with(words); };
  if (says("illegal map value")) {
    const auto indent = before.substr(0, before.find_first_not_of(" \t"));
    if (indent.find('\t') != std::string_view::npos) {
      return "; the line begins with a tab: indent with spaces";
    }
    if (const auto key = glued_key_above(source, offset); !key.empty()) {
      return "; a blank is missing after " + std::string(key) + " on the line before";
    }
    return "; a text with a colon and a blank in it needs quotes";
  }
  if (says("unknown token") && offset < text.size()) {
    if (text[offset] == '\t') return "; here is a tab: indent with spaces";
    return std::string("; a text that begins with ") + text[offset] + " needs quotes";
  }
  if (says("illegal tab")) return "; indent with spaces";
  if (says("end of map not found") || says("end of sequence not found")) return misplaced(before);
  if (says("end of map flow not found") || says("end of sequence flow not found") ||
      says("illegal flow end")) {
    return "; a bracket is missing or too many, or a text with one of [ ] { } , in it needs quotes";
  }
  if (says("the referenced anchor is not defined")) {
    return "; a text that begins with * needs quotes";
  }
  if (says("unknown escape character")) {
    return "; write \\\\ for a backslash, or put the text in single quotes";
  }
  return "";
}

}  // namespace skep::yaml
