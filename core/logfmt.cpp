#include "core/logfmt.hpp"

#include <algorithm>

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

}  // namespace

std::string logfmt(std::string_view sentence,
                   std::initializer_list<std::pair<std::string_view, LogValue>> fields) {
  std::string line(sentence);
  for (const auto& [name, value] : fields) {
    line += ' ';
    line += name;
    line += '=';
    append_value(line, value.text());
  }
  return line;
}

}  // namespace skep
