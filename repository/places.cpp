#include "repository/places.hpp"

#include <algorithm>

#include "core/ascii.hpp"

namespace skep::repository {
namespace {

bool is_name_letter(char c) { return is_letter(c) || is_digit(c) || c == '_'; }

/// The line and what is below it: what is indented more, and the dashes of its list, which need not
/// be.
std::string_view block_at(std::string_view text, int line) {
  const auto indent_of = [text](std::size_t at) {
    return std::min(text.find_first_not_of(" \r", at), text.size()) - at;
  };
  const auto is_item = [text](std::size_t at) { return text.substr(at).starts_with('-'); };
  const auto [begin, line_end] = line_range(text, line);
  const auto indent = indent_of(begin);
  const bool item = is_item(begin + indent);
  auto end = line_end;
  while (end < text.size()) {
    const auto next = end + 1;
    const auto inside = next + indent_of(next);
    const bool blank = inside == text.size() || text[inside] == '\n';
    const bool below =
        inside - next > indent || (inside - next == indent && !item && is_item(inside));
    if (!blank && !below) break;
    end = std::min(text.find('\n', next), text.size());
  }
  return text.substr(begin, end - begin);
}

}  // namespace

std::pair<std::size_t, std::size_t> line_range(std::string_view text, int line) {
  std::size_t begin = line < 1 ? text.size() : 0;
  for (int i = 1; i < line && begin < text.size(); ++i)
    begin = std::min(text.find('\n', begin), text.size() - 1) + 1;
  return {begin, std::min(text.find('\n', begin), text.size())};
}

std::vector<std::string> variables_in(std::string_view text) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '$') continue;
    auto begin = at + 1;
    if (begin < text.size() && text[begin] == '{') ++begin;
    auto end = begin;
    while (end < text.size() && is_name_letter(text[end])) ++end;
    if (end > begin) names.emplace_back(text.substr(begin, end - begin));
  }
  return names;
}

std::string_view Places::text_of(const std::string& file) const {
  if (const auto other = others_.find(file); other != others_.end()) return other->second;
  auto found = files_.find(file);
  if (found == files_.end()) {
    if (const auto path = root_.join("./" + file)) found = files_.find(path->text());
  }
  return found == files_.end() ? std::string_view() : found->second;
}

std::string Places::text_at(const SourcePosition& at) const {
  if (at.line < 1) return "";
  const auto block = block_at(text_of(at.file), at.line);
  std::string text(block);
  for (const auto& name : variables_in(block)) {
    if (const auto value = values_.find(name); value != values_.end()) text += "\n" + value->second;
  }
  return text;
}

}  // namespace skep::repository
