#include "compose/text_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "yaml/scalar.hpp"

namespace skep::compose {
namespace {

/// Text that means itself without quotes wherever it stands. Narrower than YAML: only what people
/// write so.
bool is_plain(const std::string& text) {
  if (text.empty() || text.size() > 200) return false;
  const auto harmless = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-/+=$(){}@%,;:~^*?!<>&|#' \\\"[]").find(c) != std::string_view::npos;
  };
  const auto may_begin = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._/+$(").find(c) != std::string_view::npos;
  };
  if (!may_begin(text.front()) || text.back() == ' ' || text.back() == ':') return false;
  if (!std::all_of(text.begin(), text.end(), harmless)) return false;
  if (text.find(": ") != std::string::npos || text.find(" #") != std::string::npos) return false;
  if (text == "..." || text.starts_with("... ")) return false;
  const auto meaning = yaml::resolve_plain(text);
  // The CLI's parser takes these for booleans where it wants one.
  static constexpr std::array kWords = {"y",
                                        "Y",
                                        "yes",
                                        "Yes",
                                        "YES",
                                        "on",
                                        "On",
                                        "ON",
                                        "n",
                                        "N",
                                        "no",
                                        "No",
                                        "NO",
                                        "off",
                                        "Off",
                                        "OFF"};
  return std::holds_alternative<std::string>(meaning) &&
         std::find(kWords.begin(), kWords.end(), text) == kWords.end();
}

/// Whether a text of several lines can stand as a literal block.
bool is_block(const std::string& text) {
  if (text.find('\n') == std::string::npos || text.front() == ' ' || text.front() == '\n')
    return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == '\n' || (c >= ' ' && c != '\x7f');  // ASCII: anything else is rare here.
  });
}

std::string double_quoted(const std::string& text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (c == '\t') {
      quoted += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      quoted += "\\x";
      quoted += kHex[byte >> 4U];
      quoted += kHex[byte & 0xfU];
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

void write_block(const std::string& text, int indent, std::string& out) {
  const auto end = text.find_last_not_of('\n');
  const auto line_ends = end == std::string::npos ? text.size() : text.size() - end - 1;
  out += line_ends == 0 ? " |-\n" : line_ends == 1 ? " |\n" : " |+\n";
  std::size_t at = 0;
  while (at < text.size()) {
    const auto stop = std::min(text.find('\n', at), text.size());
    if (stop > at) out.append(static_cast<std::size_t>(indent), ' ').append(text, at, stop - at);
    out += '\n';
    at = stop + 1;
  }
}

std::string number(double real) {
  std::array<char, 32> digits{};
  const auto [end, trouble] = std::to_chars(digits.data(), digits.data() + digits.size(), real);
  return trouble == std::errc() ? std::string(digits.data(), end) : "0";
}

std::string scalar(const yaml::Node& value) {
  if (const auto* truth = value.as<bool>()) return *truth ? "true" : "false";
  if (const auto* whole = value.as<std::int64_t>()) return std::to_string(*whole);
  if (const auto* large = value.as<std::uint64_t>()) return std::to_string(*large);
  if (const auto* real = value.as<double>()) return number(*real);
  if (const auto* text = value.as<std::string>()) return yaml_scalar(*text);
  return "null";
}

}  // namespace

std::string yaml_scalar(const std::string& text) {
  return is_plain(text) ? text : double_quoted(text);
}

void write_yaml(const yaml::Map& map, int indent, std::string& text) {
  for (const auto& entry : map) {
    text.append(static_cast<std::size_t>(indent), ' ').append(yaml_scalar(entry.key)) += ':';
    write_yaml(entry.value, indent + 2, text);
  }
}

void write_yaml(const yaml::Node& value, int indent, std::string& text) {
  if (const auto* map = value.as<yaml::Map>()) {
    text += map->empty() ? " {}\n" : "\n";
    write_yaml(*map, indent, text);
  } else if (const auto* list = value.as<yaml::List>()) {
    text += list->empty() ? " []\n" : "\n";
    for (const auto& item : *list) {
      const auto start = text.size();
      text.append(static_cast<std::size_t>(indent), ' ') += '-';
      const auto* inside = item.as<yaml::Map>();
      if (inside != nullptr && !inside->empty()) {
        // The first key stands beside the dash.
        std::string lines;
        write_yaml(*inside, indent + 2, lines);
        lines[static_cast<std::size_t>(indent)] = '-';
        text.replace(start, std::string::npos, lines);
      } else {
        write_yaml(item, indent + 2, text);
      }
    }
  } else if (const auto* words = value.as<std::string>(); words != nullptr && is_block(*words)) {
    write_block(*words, indent, text);
  } else {
    text += ' ' + scalar(value) + '\n';
  }
}

}  // namespace skep::compose
