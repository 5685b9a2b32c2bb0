#include "core/logfmt.hpp"

#include <algorithm>
#include <optional>

namespace skep {
namespace {

void append_value(std::string& line, std::string_view value) {
  const auto breaks_out = [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '"' || c == '=' || c == '\\';
  };
  const bool plain = !value.empty() && std::none_of(value.begin(), value.end(), breaks_out);
  if (plain) {
    line += value;
    return;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  line += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (c == '\n') {
      line += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      line += "\\x";
      line += kHex[static_cast<unsigned char>(c) >> 4U];
      line += kHex[static_cast<unsigned char>(c) & 0xFU];
    } else {
      line += c;
    }
  }
  line += '"';
}

void append_field(std::string& line, std::string_view name, std::string_view value) {
  line += ' ';
  line += name;
  line += '=';
  append_value(line, value);
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Takes one value, written by append_value(), from the front.
std::optional<std::string> take_value(std::string_view& rest) {
  std::string value;
  if (!rest.starts_with('"')) {
    const auto end = std::min(rest.find(' '), rest.size());
    value = rest.substr(0, end);
    rest.remove_prefix(end);
    return value;
  }
  rest.remove_prefix(1);
  while (!rest.empty() && rest.front() != '"') {
    if (rest.front() != '\\') {
      value += rest.front();
      rest.remove_prefix(1);
    } else if (rest.size() >= 4 && rest[1] == 'x' && digit_of(rest[2]) >= 0 &&
               digit_of(rest[3]) >= 0) {
      value += static_cast<char>(digit_of(rest[2]) * 16 + digit_of(rest[3]));
      rest.remove_prefix(4);
    } else if (rest.size() >= 2) {
      value += rest[1] == 'n' ? '\n' : rest[1];
      rest.remove_prefix(2);
    } else {
      return std::nullopt;
    }
  }
  if (rest.empty()) return std::nullopt;
  rest.remove_prefix(1);
  return value;
}

/// " name=value name=value" to its end.
std::optional<std::vector<std::pair<std::string, std::string>>> fields_of(std::string_view rest) {
  std::vector<std::pair<std::string, std::string>> fields;
  while (!rest.empty()) {
    const auto equals = rest.find('=');
    if (rest.front() != ' ' || equals == std::string_view::npos || equals < 2) return std::nullopt;
    const auto name = rest.substr(1, equals - 1);
    if (!std::all_of(name.begin(), name.end(), is_name_character)) return std::nullopt;
    rest.remove_prefix(equals + 1);
    auto value = take_value(rest);
    if (!value) return std::nullopt;
    fields.emplace_back(name, *std::move(value));
  }
  return fields;
}

}  // namespace

LogLine parse_logfmt(std::string_view line) {
  const auto equals = line.find('=');
  const auto begin = equals == std::string_view::npos ? equals : line.rfind(' ', equals);
  if (begin != std::string_view::npos) {
    if (auto fields = fields_of(line.substr(begin)))
      return {std::string(line.substr(0, begin)), *std::move(fields)};
  }
  return {std::string(line), {}};
}

std::string logfmt(std::string_view sentence,
                   std::initializer_list<std::pair<std::string_view, LogValue>> fields) {
  std::string line(sentence);
  for (const auto& [name, value] : fields) append_field(line, name, value.text());
  return line;
}

std::string logfmt(const LogLine& parts) {
  auto line = parts.sentence;
  for (const auto& [name, value] : parts.fields) append_field(line, name, value);
  return line;
}

}  // namespace skep
