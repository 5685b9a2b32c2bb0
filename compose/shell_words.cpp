#include "compose/shell_words.hpp"

namespace skep::compose {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

Error unfinished(const char* message) { return {ErrorKind::invalid_input, message}; }

/// Reads up to the quote that closes; `at` is left on it.
Result<std::string> quoted_piece(std::string_view text, std::size_t& at, char quote) {
  std::string piece;
  for (; at < text.size() && text[at] != quote; ++at) {
    if (quote == '"' && text[at] == '\\') {
      if (++at == text.size()) return unfinished("EOF found after escape character");
    }
    piece += text[at];
  }
  if (at == text.size()) return unfinished("EOF found when expecting closing quote");
  return piece;
}

}  // namespace

Result<std::vector<std::string>> shell_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (is_blank(c)) {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else if (c == '#' && !in_word) {
      while (at < text.size() && text[at] != '\n') ++at;
    } else {
      in_word = true;
      if (c == '\'' || c == '"') {
        auto piece = quoted_piece(text, ++at, c);
        if (!piece) return std::move(piece).error();
        word += *piece;
      } else if (c == '\\') {
        if (++at == text.size()) return unfinished("EOF found after escape character");
        word += text[at];
      } else {
        word += c;
      }
    }
  }
  if (in_word) words.push_back(std::move(word));
  return words;
}

}  // namespace skep::compose
