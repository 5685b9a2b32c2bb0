#include "server/target.hpp"

#include <algorithm>
#include <optional>

#include "core/ascii.hpp"

namespace skep::server {
namespace {

Error bad(std::string message) {
  return Error{.kind = ErrorKind::invalid_input, .message = std::move(message)};
}

// How many bytes a UTF-8 sequence has that begins with `lead`; 0 where none begins so.
std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  if (lead >= 0xF0 && lead < 0xF5) return 4;
  return 0;
}

Result<std::string> decode(std::string_view text, bool plus_is_blank) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
      if (low < 0) return bad("the target holds a broken % escape");
      decoded.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      decoded.push_back(plus_is_blank && text[i] == '+' ? ' ' : text[i]);
    }
  }
  if (!is_plain_text(decoded)) return bad("the target holds a control character or is not UTF-8");
  return decoded;
}

// A target in absolute form as it would be in origin form; what has no host stays as it is.
std::string without_host(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (lower(text.substr(0, scheme.size())) != scheme) continue;
    const auto end = std::min(text.find_first_of("/?", scheme.size()), text.size());
    if (end == scheme.size()) break;
    const auto rest = text.substr(end);
    return rest.starts_with('/') ? std::string(rest) : "/" + std::string(rest);
  }
  return std::string(text);
}

}  // namespace

// Names come back in answers, logs and metrics; what is no text must not get that far.
bool is_plain_text(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x20 || lead == 0x7F) return false;
    const auto length = sequence_length(lead);
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return false;
    }
    i += length;
  }
  return true;
}

Result<Target> parse_target(std::string_view whole) {
  const auto origin_form = without_host(whole);
  const std::string_view text = origin_form;
  if (text.empty() || text.front() != '/') return bad("the target does not begin with a slash");
  const auto mark = text.find('?');
  auto path = text.substr(1, mark == std::string_view::npos ? mark : mark - 1);
  Target target{.path = "/", .parts = {}, .query = {}};
  if (path.ends_with('/')) path.remove_suffix(1);
  while (!path.empty()) {
    const auto slash = path.find('/');
    auto part = decode(path.substr(0, slash), false);
    if (!part) return std::move(part).error();
    if (part->empty() || *part == "." || *part == "..") {
      return bad("the path holds an empty, \".\" or \"..\" part");
    }
    if (!target.parts.empty()) target.path += '/';
    target.path += *part;
    target.parts.push_back(*std::move(part));
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
    if (path.empty()) return bad("the path holds an empty, \".\" or \"..\" part");
  }
  if (mark == std::string_view::npos) return target;
  auto query = text.substr(mark + 1);
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    const auto equals = pair.find('=');
    auto key = decode(pair.substr(0, equals), true);
    if (!key) return std::move(key).error();
    std::string value;
    if (equals != std::string_view::npos) {
      auto decoded = decode(pair.substr(equals + 1), true);
      if (!decoded) return std::move(decoded).error();
      value = *std::move(decoded);
    }
    if (!key->empty() && !target.query.emplace(*std::move(key), std::move(value)).second) {
      return bad("the query gives a key twice");
    }
    if (end == std::string_view::npos) break;
    query.remove_prefix(end + 1);
  }
  return target;
}

}  // namespace skep::server
