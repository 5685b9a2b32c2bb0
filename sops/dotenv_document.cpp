#include <string>
#include <utility>

#include "sops/document.hpp"
#include "sops/flat_text.hpp"

namespace skep::sops {
namespace {

constexpr std::string_view kPrefix = "sops_";

}  // namespace

std::string with_line_feeds(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "\\n") {
      result += '\n';
      ++i;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string without_line_feeds(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\n') {
      result += "\\n";
    } else {
      result += c;
    }
  }
  return result;
}

// SOPS takes a dotenv file line by line: whatever follows the first '=' is the value, quotes
// included.
Result<Document> read_dotenv(std::string_view text, const std::string& file) {
  Document document;
  document.format = Format::dotenv;
  document.file = file;
  document.text = text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text;
  FlatMetadata metadata;
  std::vector<std::string> before;  // Comments since the last value.
  const std::string_view all(document.text);
  for (std::size_t begin = 0; begin < all.size();) {
    const auto line_end = all.find('\n', begin);
    const auto end = line_end == std::string_view::npos ? all.size() : line_end;
    const auto next = line_end == std::string_view::npos ? end : end + 1;
    const auto line = all.substr(begin, end - begin);
    const auto start = begin;
    begin = next;
    if (line.empty() || line == "\r") continue;
    if (line.front() == '#') {
      const auto size = line.ends_with('\r') ? line.size() - 1 : line.size();
      document.comments.push_back(
          {{}, std::string(line.substr(1, size - 1)), start + 1, start + size, before, false});
      before.push_back(document.comments.back().text);
      continue;
    }
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) {
      return Error{ErrorKind::invalid_input, "expected KEY=VALUE", document.position(start)};
    }
    const auto key = line.substr(0, equals);
    auto value = line.substr(equals + 1);
    if (key.starts_with(kPrefix)) {
      if (value.ends_with('\r')) value.remove_suffix(1);
      const auto name = std::string(key.substr(kPrefix.size()));
      const auto at = start + equals + 1;
      if (is_stamp(name)) document.stamps[name] = {at, at + value.size()};
      metadata.emplace_back(name, with_line_feeds(value));
      document.more_metadata.emplace_back(start, next);
      continue;
    }
    if (value.ends_with('\r') && is_encrypted_value(value)) value.remove_suffix(1);
    Leaf leaf;
    leaf.path = {std::string(key)};
    leaf.value = {Value::Type::text, with_line_feeds(value)};
    leaf.begin = start + equals + 1;
    leaf.end = leaf.begin + value.size();
    leaf.comments = std::exchange(before, {});
    document.leaves.push_back(std::move(leaf));
  }
  if (!metadata.empty()) {
    auto parsed = parse_metadata(metadata);
    if (!parsed) {
      return Error{parsed.error().kind,
                   parsed.error().message,
                   document.position(document.more_metadata.front().first)};
    }
    document.metadata = *std::move(parsed);
  }
  return document;
}

}  // namespace skep::sops
