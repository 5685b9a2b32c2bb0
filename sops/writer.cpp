#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "sops/document.hpp"
#include "sops/flat_text.hpp"
#include "yaml/scalar.hpp"

namespace skep::sops {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

/// The escape of a character that YAML would take for a line end or nothing, and how many bytes of
/// the text it stands for; 0 for every other character.
std::pair<std::string_view, std::size_t> invisible(std::string_view rest) {
  constexpr std::pair<std::string_view, std::string_view> kEscapes[] = {
      {"\xe2\x80\xa8", "\\u2028"},
      {"\xe2\x80\xa9", "\\u2029"},
      {"\xef\xbb\xbf", "\\ufeff"},
      {"\xef\xbf\xbe", "\\ufffe"},
      {"\xef\xbf\xbf", "\\uffff"}};
  for (const auto& [bytes, escape] : kEscapes) {
    if (rest.starts_with(bytes)) return {escape, bytes.size()};
  }
  return {"", 0};
}

/// Quotes as JSON has them; YAML reads the same.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if (const auto [escape, size] = invisible(text.substr(i)); size > 0) {
      result += escape;
      i += size - 1;
      continue;
    }
    if (byte == 0xC2U && next >= 0x80U && next < 0xA0U) {  // Control characters of Latin-1.
      result += "\\u00";
      result += kHex[next >> 4U];
      result += kHex[next & 0xFU];
      ++i;
      continue;
    }
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if (c == '\r') {
      result += "\\r";
    } else if (byte < 0x20U || byte == 0x7FU) {
      result += "\\u00";
      result += kHex[byte >> 4U];
      result += kHex[byte & 0xFU];
    } else {
      result += c;
    }
  }
  return result + "\"";
}

bool is_word(std::string_view text) {
  constexpr std::string_view kInside = "_./@+-";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kInside.find(c) != std::string_view::npos;
  });
}

/// Whether a text may be written with `|`, line by line as it is.
bool is_literal(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text.starts_with(' ') ||
      text.starts_with('\n') || text.starts_with('\t') || text.ends_with("\n\n"))
    return false;
  bool only_blanks = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '\n') {
      if (only_blanks && i > 0 && text[i - 1] != '\n') return false;
      only_blanks = true;
      continue;
    }
    if ((byte < 0x20U && byte != '\t') || byte >= 0x7FU) return false;
    if (byte != ' ' && byte != '\t') only_blanks = false;
  }
  return !only_blanks || text.ends_with('\n');
}

std::string literal(std::string_view text, int parent_column) {
  std::string result = text.ends_with('\n') ? "|" : "|-";
  const std::string indent(std::size_t(parent_column) + 4, ' ');
  if (text.ends_with('\n')) text.remove_suffix(1);
  while (true) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    result += '\n';
    if (!line.empty()) result += indent + std::string(line);
    if (end == std::string_view::npos) return result;
    text.remove_prefix(end + 1);
  }
}

bool ends_its_line(const Document& document, const Leaf& leaf) {
  const auto next = document.text.find_first_not_of(" \t\r", leaf.end);
  return next == std::string::npos || document.text[next] == '\n';
}

std::string yaml_text(const Document& document, const Leaf& leaf, const std::string& text) {
  if (!leaf.in_brackets && is_literal(text) && ends_its_line(document, leaf))
    return literal(text, leaf.parent_column);
  // Only as bare words what every reader of YAML takes for the same string.
  const bool letter =
      !text.empty() && ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z'));
  constexpr std::string_view kOld[] = {"y", "n", "yes", "no", "on", "off"};
  std::string lower = text;
  for (auto& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const bool old = std::find(std::begin(kOld), std::end(kOld), lower) != std::end(kOld);
  if (letter && !old && is_word(text) &&
      std::holds_alternative<std::string>(yaml::resolve_plain(text)))
    return text;
  return quoted(text);
}

std::string lower_boolean(const Value& value) { return value.text == "True" ? "true" : "false"; }

std::string yaml_keys(const Metadata& metadata, std::size_t group, const std::string& indent) {
  std::string text;
  for (const auto& key : metadata.keys) {
    if (key.group != group) continue;
    text += indent + "- recipient: " + key.recipient + "\n" + indent + "  enc: |\n";
    std::string_view rest(key.sealed);
    while (!rest.empty()) {
      const auto end = std::min(rest.find('\n'), rest.size());
      text += indent + "    " + std::string(rest.substr(0, end)) + "\n";
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return text;
}

std::string yaml_metadata(const Metadata& metadata) {
  std::string text = "sops:\n";
  if (metadata.groups > 1) {
    text +=
        "    shamir_threshold: " + std::to_string(needed_groups(metadata)) + "\n    key_groups:\n";
    for (std::size_t group = 0; group < metadata.groups; ++group)
      text += "        - age:\n" + yaml_keys(metadata, group, "            ");
  } else {
    text += "    age:\n" + yaml_keys(metadata, 0, "        ");
  }
  text += "    lastmodified: " + quoted(metadata.last_modified) + "\n";
  text += "    mac: " + metadata.mac + "\n";
  text += "    " + std::string(name_of(metadata.rules.kind)) + ": " +
          (is_word(metadata.rules.text) && metadata.rules.text.front() == '_'
               ? metadata.rules.text
               : quoted(metadata.rules.text)) +
          "\n";
  if (metadata.rules.mac_only_encrypted) text += "    mac_only_encrypted: true\n";
  return text + "    version: " + metadata.version + "\n";
}

std::string json_metadata(const Metadata& metadata, const std::string& unit) {
  const auto line = [&unit](int depth) {
    std::string text = "\n";
    for (int i = 0; i < depth; ++i) text += unit;
    return text;
  };
  const auto keys = [&](std::size_t group, int depth) {
    std::string list = line(depth) + "\"age\": [";
    bool first = true;
    for (const auto& key : metadata.keys) {
      if (key.group != group) continue;
      list += (first ? "" : ",") + line(depth + 1) + "{" + line(depth + 2) +
              "\"recipient\": " + quoted(key.recipient) + "," + line(depth + 2) +
              "\"enc\": " + quoted(key.sealed) + line(depth + 1) + "}";
      first = false;
    }
    return list + line(depth) + "]";
  };
  std::string text = "\"sops\": {";
  if (metadata.groups > 1) {
    text += line(2) + "\"shamir_threshold\": " + std::to_string(needed_groups(metadata)) + "," +
            line(2) + "\"key_groups\": [";
    for (std::size_t group = 0; group < metadata.groups; ++group)
      text += (group == 0 ? "" : ",") + line(3) + "{" + keys(group, 4) + line(3) + "}";
    text += line(2) + "]";
  } else {
    text += keys(0, 2);
  }
  text += "," + line(2) + "\"lastmodified\": " + quoted(metadata.last_modified) + "," + line(2) +
          "\"mac\": " + quoted(metadata.mac) + "," + line(2) + "\"" +
          std::string(name_of(metadata.rules.kind)) + "\": " + quoted(metadata.rules.text) + ",";
  if (metadata.rules.mac_only_encrypted) text += line(2) + "\"mac_only_encrypted\": true,";
  return text + line(2) + "\"version\": " + quoted(metadata.version) + line(1) + "}";
}

/// What the first key of a JSON text is indented by.
std::string json_indent(std::string_view text) {
  const auto line = text.find('\n');
  if (line == std::string_view::npos) return "\t";
  const auto end = text.find_first_not_of(" \t", line + 1);
  if (end == std::string_view::npos || end == line + 1 || text[end] != '"') return "\t";
  return std::string(text.substr(line + 1, end - line - 1));
}

}  // namespace

std::string written(const Document& document, const Leaf& leaf, const Value& value) {
  using Type = Value::Type;
  const bool words =
      value.type == Type::text || value.type == Type::bytes || value.type == Type::comment;
  switch (document.format) {
    case Format::yaml:
      if (words) return yaml_text(document, leaf, value.text);
      if (value.text == "NaN") return ".nan";
      if (value.text.ends_with("Inf")) return value.text.front() == '-' ? "-.inf" : ".inf";
      return value.type == Type::boolean ? lower_boolean(value) : value.text;
    case Format::json:
    case Format::binary:
      if (words || value.type == Type::time) return quoted(value.text);
      return value.type == Type::boolean ? lower_boolean(value) : value.text;
    case Format::dotenv:
      return value.type == Type::boolean ? lower_boolean(value) : without_line_feeds(value.text);
    case Format::ini:
      return value.type == Type::boolean ? lower_boolean(value) : ini_text(value.text);
  }
  return {};
}

std::string written_sealed(const Document& document, const Leaf& leaf, const std::string& sealed) {
  if (document.format == Format::ini) {
    // Behind `key =` a blank, if there was no value before.
    const bool glued = leaf.begin == leaf.end && leaf.begin > 0 &&
                       document.text[leaf.begin - 1] == '=' && !sealed.empty();
    return (glued ? " " : "") + sealed;
  }
  const bool bare = document.format == Format::dotenv ||
                    (document.format == Format::yaml && !leaf.in_brackets && !sealed.empty());
  return bare ? sealed : "\"" + sealed + "\"";
}

std::string written_metadata(const Document& document, const Metadata& metadata) {
  std::string text;
  switch (document.format) {
    case Format::yaml:
      return yaml_metadata(metadata);
    case Format::json:
    case Format::binary:
      return json_metadata(metadata, json_indent(document.text));
    case Format::dotenv:
      for (const auto& [name, value] : flat(metadata))
        text += "sops_" + name + "=" + without_line_feeds(value) + "\n";
      break;
    case Format::ini:
      text += "[sops]\n";
      for (const auto& [name, value] : flat(metadata))
        text += name + " = " + ini_text(without_line_feeds(value)) + "\n";
      break;
  }
  return text;
}

std::string restamped_metadata(const Document& encrypted, const Metadata& stamps) {
  auto ranges = encrypted.more_metadata;
  if (ranges.empty()) {
    // In JSON a comma may go with it.
    const auto end = encrypted.format == Format::yaml
                         ? encrypted.metadata_end
                         : encrypted.text.rfind('}', encrypted.metadata_end - 1) + 1;
    ranges.emplace_back(encrypted.metadata_offset(), end);
  }
  std::vector<Replacement> changes;
  std::size_t kept = 0;
  for (const auto& [begin, end] : ranges) {
    changes.push_back({kept, begin, ""});
    kept = end;
  }
  changes.push_back({kept, encrypted.text.size(), ""});
  for (const auto& [name, place] : encrypted.stamps) {
    const auto& value = name == "mac" ? stamps.mac : stamps.last_modified;
    const char first = encrypted.text[place.first];
    // Neither holds anything that would be escaped.
    const auto quote = first == '"' || first == '\'' || first == '`' ? std::string(1, first) : "";
    changes.push_back({place.first, place.second, quote + value + quote});
  }
  auto text = with_changes(encrypted, std::move(changes));
  text.erase(0, std::min(text.find_first_not_of("\r\n"), text.size()));
  const bool by_lines = encrypted.format != Format::json && encrypted.format != Format::binary;
  if (by_lines && !text.ends_with('\n')) text += '\n';
  return text;
}

std::string with_metadata(const Document& document,
                          std::vector<Replacement> changes,
                          const std::string& metadata) {
  auto text = without_metadata(document, std::move(changes));
  if (document.format == Format::json || document.format == Format::binary) {
    const auto close = text.rfind('}');
    const auto end = text.find_last_not_of(" \t\r\n", close - 1);
    const bool empty = text[end] == '{';
    return text.substr(0, end + 1) + (empty ? "" : ",") + "\n" + json_indent(text) + metadata +
           "\n" + text.substr(close);
  }
  if (!text.empty() && text.back() != '\n') text += '\n';
  if (document.format == Format::yaml) {
    // A document that ends with "..." takes nothing more.
    const auto end = text.find_last_not_of(" \t\r\n");
    if (end != std::string::npos && end >= 2 && text.compare(end - 2, 3, "...") == 0 &&
        (end == 2 || text[end - 3] == '\n'))
      text.resize(end - 2);
  }
  if (document.format == Format::ini && !text.empty() && !text.ends_with("\n\n")) text += '\n';
  return text + metadata;
}

}  // namespace skep::sops
