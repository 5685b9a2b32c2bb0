#include "gitsync/known_hosts.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "core/ascii.hpp"
#include "core/digest.hpp"

namespace skep::gitsync {
namespace {

/// The next word of a line; advances past it.
std::string_view take_word(std::string_view& line) {
  const auto start = std::min(line.find_first_not_of(" \t"), line.size());
  const auto end = std::min(line.find_first_of(" \t", start), line.size());
  const auto word = line.substr(start, end - start);
  line.remove_prefix(end);
  return word;
}

/// '*' and '?' as OpenSSH's match_pattern; linear, no backtracking beyond the last star.
bool matches_pattern(std::string_view text, std::string_view pattern) {
  std::size_t at = 0, in_pattern = 0, star = pattern.npos, resume = 0;
  while (at < text.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      star = in_pattern++;
      resume = at;
    } else if (in_pattern < pattern.size() &&
               (pattern[in_pattern] == '?' || pattern[in_pattern] == text[at])) {
      ++in_pattern;
      ++at;
    } else if (star != pattern.npos) {
      in_pattern = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in_pattern) == pattern.npos;
}

/// "|1|SALT|HASH", HASH = HMAC-SHA1(SALT, name).
bool matches_hashed(std::string_view name, std::string_view hashed) {
  hashed.remove_prefix(3);
  const auto bar = hashed.find('|');
  if (bar == hashed.npos) return false;
  const auto salt = from_base64(hashed.substr(0, bar));
  const auto hash = from_base64(hashed.substr(bar + 1));
  if (!salt || !hash) return false;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (HMAC(EVP_sha1(),
           salt->data(),
           static_cast<int>(salt->size()),
           reinterpret_cast<const unsigned char*>(name.data()),
           name.size(),
           digest.data(),
           &length) == nullptr)
    return false;
  return std::string_view(reinterpret_cast<const char*>(digest.data()), length) == *hash;
}

bool matches_names(std::string_view names, const std::string& name) {
  if (names.substr(0, 3) == "|1|") return matches_hashed(name, names);
  bool found = false;
  while (!names.empty()) {
    const auto comma = std::min(names.find(','), names.size());
    auto pattern = names.substr(0, comma);
    names.remove_prefix(std::min(comma + 1, names.size()));
    const bool negated = !pattern.empty() && pattern.front() == '!';
    if (negated) pattern.remove_prefix(1);
    if (!matches_pattern(name, lower(pattern))) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}

struct Line {
  bool revoked = false;
  std::string_view type, key;  ///< The key in base64.
  std::string blob;
};

/// The lines about `name` that can be read.
std::vector<Line> lines_about(std::string_view known_hosts, const std::string& name) {
  std::vector<Line> found;
  while (!known_hosts.empty()) {
    const auto end = std::min(known_hosts.find('\n'), known_hosts.size());
    auto line = known_hosts.substr(0, end);
    known_hosts.remove_prefix(std::min(end + 1, known_hosts.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    auto word = take_word(line);
    if (word.empty() || word.front() == '#') continue;
    Line read;
    if (word.front() == '@') {
      if (word != "@revoked") continue;
      read.revoked = true;
      word = take_word(line);
    }
    if (!matches_names(word, name)) continue;
    read.type = take_word(line);
    read.key = take_word(line);
    auto blob = from_base64(read.key);
    if (!blob || blob->empty()) continue;
    read.blob = *std::move(blob);
    found.push_back(std::move(read));
  }
  return found;
}

}  // namespace

HostKeyVerdict look_up(std::string_view known_hosts,
                       std::string_view host,
                       std::uint16_t port,
                       const HostKey& key) {
  bool listed = false, same_type = false, known = false;
  for (const auto& line : lines_about(known_hosts, plain_name(host, port))) {
    const bool same_key = sha256(line.blob) == key.sha256;
    if (line.revoked && same_key) return HostKeyVerdict::revoked;
    if (line.revoked) continue;
    listed = true;
    same_type = same_type || line.type == key.type;
    known = known || same_key;
  }
  if (known) return HostKeyVerdict::known;
  if (same_type) return HostKeyVerdict::changed;
  return listed ? HostKeyVerdict::other : HostKeyVerdict::unknown;
}

std::string plain_name(std::string_view host, std::uint16_t port) {
  return port == 22 ? lower(host) : "[" + lower(host) + "]:" + std::to_string(port);
}

std::string lines_for(std::string_view known_hosts,
                      std::string_view host,
                      std::uint16_t port,
                      std::string_view type) {
  const auto name = plain_name(host, port);
  std::string text;
  for (const auto& line : lines_about(known_hosts, name))
    if (!line.revoked && line.type == type)
      text += name + " " + std::string(line.type) + " " + std::string(line.key) + "\n";
  return text;
}

std::string fingerprint(const HostKey& key) {
  auto text = base64(key.sha256);
  while (!text.empty() && text.back() == '=') text.pop_back();
  return "SHA256:" + text;
}

bool is_pinned(const std::vector<std::string>& pins, const HostKey& key) {
  const auto shown = fingerprint(key);
  return std::any_of(pins.begin(), pins.end(), [&shown](std::string pin) {
    while (!pin.empty() && pin.back() == '=') pin.pop_back();
    return pin == shown || "SHA256:" + pin == shown;
  });
}

}  // namespace skep::gitsync
