#include "sops/yaml_scalar.hpp"

namespace skep::sops {
namespace {

std::optional<ScalarEnd> end_of_quoted(std::string_view text, std::size_t begin) {
  const char quote = text[begin];
  for (auto at = begin + 1; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\') {
      ++at;
    } else if (text[at] == quote) {
      if (quote == '\'' && text.substr(at + 1, 1) == "'") {
        ++at;
      } else {
        return ScalarEnd{at + 1, false};
      }
    }
  }
  return std::nullopt;
}

ScalarEnd end_of_block(std::string_view text, std::size_t begin, int parent_column) {
  const auto line_end = [&text](std::size_t at) {
    const auto end = text.find('\n', at);
    return end == std::string_view::npos ? text.size() : end;
  };
  const auto without_return = [&text](std::size_t from, std::size_t end) {
    return end > from && text[end - 1] == '\r' ? end - 1 : end;
  };
  auto at = line_end(begin);
  auto end = without_return(begin, at);
  int wanted = -1;
  const auto header = text.substr(begin + 1, end - begin - 1);
  for (const char c : header.substr(0, 2)) {
    if (c >= '1' && c <= '9') wanted = parent_column + (c - '0');
  }
  while (at < text.size()) {
    const auto first = at + 1;
    const auto stop = line_end(first);
    const auto last = without_return(first, stop);
    auto indent = first;
    while (indent < last && text[indent] == ' ') ++indent;
    if (indent < last) {
      const auto column = static_cast<int>(indent - first);
      if (wanted < 0) {
        if (column <= parent_column) break;
        wanted = column;
      }
      if (column < wanted) break;
      end = last;
    }
    at = stop;
  }
  return {end, true};
}

/// The characters of a plain scalar are its value's, but for blanks, which fold.
std::optional<ScalarEnd> end_of_plain(std::string_view text,
                                      std::size_t begin,
                                      std::string_view decoded) {
  auto at = begin;
  for (const char c : decoded) {
    if (is_blank(c)) {
      while (at < text.size() && is_blank(text[at])) ++at;
      continue;
    }
    if (at >= text.size() || text[at] != c) return std::nullopt;
    ++at;
  }
  if (at == begin) return std::nullopt;
  return ScalarEnd{at, false};
}

}  // namespace

std::optional<std::size_t> behind_tag(std::string_view text, std::size_t begin) {
  while (begin < text.size() && text[begin] == '!') {
    while (begin < text.size() && !is_blank(text[begin])) ++begin;
    while (begin < text.size() && is_blank(text[begin])) ++begin;
  }
  if (begin >= text.size() || text[begin] == '&' || text[begin] == '*') return std::nullopt;
  return begin;
}

std::optional<ScalarEnd> scalar_end(std::string_view text,
                                    std::size_t begin,
                                    int parent_column,
                                    std::optional<std::string_view> decoded) {
  const char first = text[begin];
  if (first == '"' || first == '\'') return end_of_quoted(text, begin);
  if (first == '|' || first == '>') return end_of_block(text, begin, parent_column);
  if (decoded) return end_of_plain(text, begin, *decoded);
  // Numbers, booleans and times hold no bracket and no comma.
  auto end = begin;
  while (end < text.size() && !is_blank(text[end]) && text[end] != ',' && text[end] != ']' &&
         text[end] != '}')
    ++end;
  return ScalarEnd{end, false};
}

}  // namespace skep::sops
