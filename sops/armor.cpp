#include "sops/armor.hpp"

#include <algorithm>

#include "core/digest.hpp"

namespace skep::sops {
namespace {

constexpr std::string_view kBegin = "-----BEGIN AGE ENCRYPTED FILE-----";
constexpr std::string_view kEnd = "-----END AGE ENCRYPTED FILE-----";
constexpr std::size_t kColumns = 64;
constexpr std::string_view kBlanksAround = " \t\r\n";

std::string_view without_blanks_around(std::string_view text) {
  const auto first = text.find_first_not_of(kBlanksAround);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanksAround) - first + 1);
}

/// The next line without its end.
std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

std::string armored(std::string_view bytes) {
  const auto encoded = base64(bytes);
  std::string text(kBegin);
  text += '\n';
  for (std::size_t at = 0; at < encoded.size(); at += kColumns)
    text += encoded.substr(at, kColumns) + "\n";
  text += kEnd;
  text += '\n';
  return text;
}

bool is_armored(std::string_view text) { return without_blanks_around(text).starts_with(kBegin); }

std::optional<std::string> unarmored(std::string_view text) {
  text = without_blanks_around(text);
  if (take_line(text) != kBegin) return std::nullopt;
  std::string encoded;
  for (bool last = false;;) {
    if (text.empty()) return std::nullopt;
    const auto line = take_line(text);
    if (line == kEnd) break;
    if (last || line.empty() || line.size() > kColumns) return std::nullopt;
    last = line.size() < kColumns;
    encoded += line;
  }
  if (!text.empty() || encoded.empty()) return std::nullopt;
  auto bytes = from_base64(encoded);
  if (!bytes || base64(*bytes) != encoded) return std::nullopt;
  return bytes;
}

std::string bare_base64(std::string_view bytes) {
  auto text = base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  return text;
}

std::optional<std::string> from_bare_base64(std::string_view text) {
  if (text.size() % 4 == 1 || text.find('=') != std::string_view::npos) return std::nullopt;
  std::string padded(text);
  while (padded.size() % 4 != 0) padded += '=';
  auto bytes = from_base64(padded);
  if (!bytes || base64(*bytes) != padded) return std::nullopt;
  return bytes;
}

}  // namespace skep::sops
