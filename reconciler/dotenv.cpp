#include "reconciler/dotenv.hpp"

#include <optional>

namespace skep::reconciler {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

bool is_name(std::string_view text) {
  if (text.empty() || (text.front() >= '0' && text.front() <= '9')) return false;
  for (const char c : text) {
    const bool letter =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '-';
    if (!letter && !(c >= '0' && c <= '9')) return false;
  }
  return true;
}

/// What follows a closing quote may only be a comment.
bool is_rest(std::string_view text) {
  text = trim(text);
  return text.empty() || text.front() == '#';
}

std::optional<std::string> value_of(std::string_view text) {
  if (text.starts_with('\'')) {
    const auto end = text.find('\'', 1);
    if (end == std::string_view::npos || !is_rest(text.substr(end + 1))) return std::nullopt;
    return std::string(text.substr(1, end - 1));
  }
  if (text.starts_with('"')) {
    std::string value;
    for (std::size_t i = 1; i < text.size(); ++i) {
      if (text[i] == '"') {
        if (!is_rest(text.substr(i + 1))) return std::nullopt;
        return value;
      }
      if (text[i] != '\\' || i + 1 == text.size()) {
        value += text[i];
        continue;
      }
      ++i;
      switch (text[i]) {
        case 'n':
          value += '\n';
          break;
        case 't':
          value += '\t';
          break;
        case '"':
        case '\\':
        case '$':
          value += text[i];
          break;
        default:
          value += '\\';
          value += text[i];
      }
    }
    return std::nullopt;
  }
  // A plain value ends at a # that follows a blank.
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '#' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\t'))
      return std::string(trim(text.substr(0, i)));
  }
  return std::string(trim(text));
}

}  // namespace

std::map<std::string, std::string> parse_dotenv(std::string_view text,
                                                const std::string& file,
                                                Findings& findings) {
  std::map<std::string, std::string> variables;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  int number = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.empty() || line.front() == '#') continue;
    if (line.starts_with("export ")) line = trim(line.substr(7));
    const auto equals = line.find('=');
    const auto name = trim(line.substr(0, equals));
    const SourcePosition at{file, number, 1};
    if (equals == std::string_view::npos || !is_name(name)) {
      findings.push_back({Finding::Severity::error, "expected KEY=VALUE", at});
      continue;
    }
    auto value = value_of(trim(line.substr(equals + 1)));
    if (!value) {
      findings.push_back(
          {Finding::Severity::error,
           "the quoted value of " + std::string(name) + " does not end with its quote",
           at});
      continue;
    }
    variables[std::string(name)] = *std::move(value);
  }
  return variables;
}

}  // namespace skep::reconciler
