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

std::string misplaced(std::string_view before) {
  if (only_blanks(before)) {
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
    return "; a text with a colon and a blank in it needs quotes";
  }
  if (says("unknown token") && offset < text.size()) {
    if (text[offset] == '\t') return "; here is a tab: indent with spaces";
    return std::string("; a text that begins with ") + text[offset] + " needs quotes";
  }
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
