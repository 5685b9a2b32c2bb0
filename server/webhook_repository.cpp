#include "server/webhook_repository.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "core/ascii.hpp"

namespace skep::server {
namespace {

constexpr std::size_t kLongestAddress = 2048;
constexpr std::size_t kCommitDigits = 40;

// A broken escape stays as it is.
std::string unescaped(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const int high = at + 2 < text.size() && text[at] == '%' ? hex_digit(text[at + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[at + 2]) : -1;
    if (low >= 0) {
      result += static_cast<char>(high * 16 + low);
      at += 2;
    } else {
      result += text[at];
    }
  }
  return result;
}

std::string plain_path(std::string_view path) {
  const auto end = path.find_first_of("?#");
  auto text = lower(unescaped(path.substr(0, end)));
  while (text.ends_with('/') || text.ends_with(".git"))
    text.resize(text.size() - (text.ends_with('/') ? 1 : 4));
  const auto begin = std::min(text.find_first_not_of('/'), text.size());
  return text.substr(begin);
}

// "user:password@Host:port" → "host". Big hosts answer SSH on port 443 under a name of its own.
std::string plain_host(std::string_view authority) {
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    authority.remove_prefix(at + 1);
  }
  const bool v6 = authority.starts_with('[');
  const auto end = v6 ? authority.find(']') : authority.find(':');
  auto host = lower(authority.substr(0, end));
  if (v6) host.erase(0, 1);
  while (host.ends_with('.')) host.pop_back();
  for (const std::string_view prefix : {"ssh.", "altssh."}) {
    const bool names_more = std::count(host.begin(), host.end(), '.') >= 2;
    if (names_more && host.starts_with(prefix)) return host.substr(prefix.size());
  }
  return host;
}

std::string joined(const std::string& host, const std::string& path) {
  return host.empty() || path.empty() ? std::string() : host + "/" + path;
}

}  // namespace

std::string repository_identity(std::string_view address) {
  if (address.empty() || address.size() > kLongestAddress) return {};
  if (const auto scheme = address.find("://"); scheme != std::string_view::npos) {
    const auto rest = address.substr(scheme + 3);
    if (lower(address.substr(0, scheme)) == "file") {
      const auto path = plain_path(rest.substr(std::min(rest.find('/'), rest.size())));
      return path.empty() ? std::string() : "/" + path;
    }
    const auto slash = rest.find('/');
    if (slash == std::string_view::npos) return {};
    return joined(plain_host(rest.substr(0, slash)), plain_path(rest.substr(slash)));
  }
  if (address.starts_with('/')) {
    const auto path = plain_path(address);
    return path.empty() ? std::string() : "/" + path;
  }
  // git@host:path, as scp writes it: the colon stands before any slash.
  const auto colon = address.find(':');
  if (colon == std::string_view::npos || address.find('/') < colon) return {};
  return joined(plain_host(address.substr(0, colon)), plain_path(address.substr(colon + 1)));
}

bool names_repository(const std::vector<std::string>& addresses,
                      const std::vector<std::string>& known) {
  return std::any_of(addresses.begin(), addresses.end(), [&](const std::string& address) {
    const auto identity = repository_identity(address);
    return !identity.empty() &&
           std::any_of(known.begin(), known.end(), [&](const std::string& one) {
             return identity == repository_identity(one);
           });
  });
}

bool moves_ref(std::string_view pushed, std::string_view followed) {
  const bool commit =
      followed.size() == kCommitDigits &&
      followed.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  if (followed.empty() || followed == "HEAD" || commit) return true;
  if (pushed == followed) return true;
  for (const std::string_view prefix : {"refs/heads/", "refs/tags/"}) {
    if (pushed.starts_with(prefix) && pushed.substr(prefix.size()) == followed) return true;
  }
  return false;
}

}  // namespace skep::server
