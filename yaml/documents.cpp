#include "yaml/documents.hpp"

#include <algorithm>

namespace skep::yaml {

bool is_blank(std::string_view text) {
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto from = line.find_first_not_of(" \t\r");
    if (from == std::string_view::npos) continue;
    line = line.substr(from, line.find_last_not_of(" \t\r") + 1 - from);
    if (!line.starts_with('#') && line != "---" && line != "...") return false;
  }
  return true;
}

std::optional<std::size_t> second_document(std::string_view text) {
  bool content = false;  // Of the first document.
  bool ended = false;    // It, by "...".
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const auto line = text.substr(begin, end - begin);
    const auto marks = [line](std::string_view mark) {
      return line.starts_with(mark) &&
             (line.size() == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r');
    };
    const auto first = line.find_first_not_of(" \t\r");
    const bool blank = first == std::string_view::npos || line[first] == '#';
    if (marks("---")) {
      if (content || ended) return begin;
      content = true;
    } else if (marks("...")) {
      ended = true;
    } else if (!blank) {
      if (ended) return begin;
      content = content || line.front() != '%';
    }
    begin = end + 1;
  }
  return std::nullopt;
}

Result<void> check_single_document(std::string_view text, const std::string& file) {
  const auto second = second_document(text);
  if (!second || is_blank(text.substr(*second))) return {};
  const auto line = std::count(text.begin(), text.begin() + std::ptrdiff_t(*second), '\n') + 1;
  return Error{ErrorKind::invalid_input,
               "a second YAML document begins here, which nobody would read: put all into one",
               SourcePosition{file, static_cast<int>(line), 1}};
}

}  // namespace skep::yaml
