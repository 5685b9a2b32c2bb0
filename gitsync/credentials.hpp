#pragma once

#include <string>
#include <vector>

#include "core/secret.hpp"

namespace skep::gitsync {

/// How to prove ourselves to a remote, and how it proves itself to us. Reaches the fetching child
/// through a pipe only, never by argument or environment.
struct Credentials {
  std::string user;  ///< http(s); "" sends the token with the name "git".
  Secret password;   ///< Password or access token; empty where the remote is public.

  std::string ssh_key_file;   ///< Private key, Ed25519 or ECDSA; "" where ssh is not used.
  Secret ssh_key_passphrase;  ///< Empty for a key without one.

  std::string known_hosts;  ///< Content of an OpenSSH known_hosts file.
  /// "SHA256:…" as `ssh-keygen -lf` prints it; any of them is accepted, beside `known_hosts`.
  std::vector<std::string> host_key_fingerprints;

  std::string ca_file;  ///< PEM file of CAs to trust instead of the system's; "" for the system's.
};

}  // namespace skep::gitsync
