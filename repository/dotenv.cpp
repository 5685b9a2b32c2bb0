#include "repository/dotenv.hpp"

#include <algorithm>
#include <optional>

namespace skep::repository {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

bool is_variable_name(std::string_view text) {
  if (text.empty() || (text.front() >= '0' && text.front() <= '9')) return false;
  for (const char c : text) {
    const bool letter =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '-';
    if (!letter && !(c >= '0' && c <= '9')) return false;
  }
  return true;
}

/// How many further lines a quoted value takes, up to the one that closes its quote; 0 where none
/// does, or where the first line is wrong by itself. `rest` is what follows that line.
int lines_to_quote(std::string_view first, std::string_view rest) {
  const char quote = first.empty() ? ' ' : first.front();
  if ((quote != '"' && quote != '\'') || first.find(quote, 1) != std::string_view::npos) return 0;
  int lines = 0;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    const auto line = trim(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    ++lines;
    if (line.find(quote) == std::string_view::npos) continue;
    // One that opens another value closes none.
    return line.ends_with(quote) && line.find(quote) == line.size() - 1 &&
                   !line.ends_with(std::string("=") + quote)
               ? lines
               : 0;
  }
  return 0;
}

/// What follows a closing quote may only be a comment.
bool is_rest(std::string_view text) {
  text = trim(text);
  return text.empty() || text.front() == '#';
}

constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

/// Whether docker compose would put a variable in: "${…" of any, "$NAME" of an earlier line.
bool names_variable(std::string_view text, const std::map<std::string, std::string>& earlier) {
  for (auto at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 1)) {
    if (at > 0 && text[at - 1] == '\\') continue;
    if (at + 1 < text.size() && text[at + 1] == '$') {
      ++at;
      continue;
    }
    const auto rest = text.substr(at + 1);
    if (rest.starts_with('{')) return true;
    const auto name = rest.substr(0, rest.find_first_not_of(kLetters));
    if (earlier.count(std::string(name)) != 0) return true;
  }
  return false;
}

/// `text` is what follows the equals sign.
std::optional<std::string> value_of(std::string_view text) {
  const auto start = std::min(text.find_first_not_of(" \t"), text.size());
  // A plain value ends at a # that follows a blank; one that begins with # has none before it.
  if (text.substr(start).starts_with('#')) {
    if (start > 0) return std::string();
  } else {
    text.remove_prefix(start);
  }
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
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '#' && (text[i - 1] == ' ' || text[i - 1] == '\t'))
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
    if (equals == std::string_view::npos || !is_variable_name(name)) {
      findings.push_back({Finding::Severity::error, "expected KEY=VALUE", at});
      continue;
    }
    auto value = value_of(line.substr(equals + 1));
    if (!value) {
      const auto lines = lines_to_quote(trim(line.substr(equals + 1)), text);
      // The rest of such a value is no mistake of its own.
      for (int i = 0; i < lines; ++i) {
        const auto next = text.find('\n');
        text.remove_prefix(next == std::string_view::npos ? text.size() : next + 1);
      }
      number += lines;
      findings.push_back(
          {Finding::Severity::error,
           "the quoted value of " + std::string(name) +
               (lines > 0 ? " has more than one line, which is not read here: write it in one, "
                            "between double quotes, with \\n for each line break"
                          : " does not end with its quote"),
           at});
      continue;
    }
    const auto written = trim(line.substr(equals + 1));
    const bool names = names_variable(written.starts_with('"') ? written : *value, variables);
    if (names && !written.starts_with('\'')) {
      findings.push_back(
          {Finding::Severity::warning,
           std::string(name) +
               " keeps its $ as it is written: unlike docker compose, skep puts no variable into "
               "another one here; write the value out, or between single quotes if it is meant",
           at});
    }
    variables[std::string(name)] = *std::move(value);
  }
  return variables;
}

}  // namespace skep::repository
