#include "gitsync/host_key_types.hpp"

#include <array>

#include "gitsync/known_hosts.hpp"

namespace skep::gitsync {
namespace {

constexpr std::array<std::string_view, 5> kTypes = {
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"};

/// A line that asks for a type and vouches for no key: who is trusted is decided in trust.cpp.
std::string line_that_asks_for(std::string_view type, const RemoteUrl& url) {
  constexpr std::size_t kLongEnough = 68;  // libssh2 refuses a file with a shorter key.
  return plain_name(url.host(), url.port()) + " " + std::string(type) + " " +
         std::string(kLongEnough, 'A') + "\n";
}

}  // namespace

std::vector<std::string> known_hosts_to_try(const Credentials& credentials, const RemoteUrl& url) {
  std::vector<std::string> tries;
  // A fingerprint does not tell of which type its key is.
  if (!credentials.host_key_fingerprints.empty()) {
    tries.emplace_back();
    for (const auto type : kTypes) tries.push_back(line_that_asks_for(type, url));
    return tries;
  }
  for (const auto type : kTypes) {
    auto lines = lines_for(credentials.known_hosts, url.host(), url.port(), type);
    if (!lines.empty()) tries.push_back(std::move(lines));
  }
  tries.emplace_back();
  return tries;
}

}  // namespace skep::gitsync
