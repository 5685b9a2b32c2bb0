#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/secret.hpp"

namespace skep::gitsync {

/// A key pair that a git host lets in.
struct DeployKey {
  Secret private_key;       ///< OpenSSH's own form (PROTOCOL.key), without a passphrase.
  std::string public_line;  ///< "ssh-ed25519 AAAA… COMMENT", as git hosts take it.
};

/// A new Ed25519 key, as `ssh-keygen -t ed25519 -N ''` makes one. Errors: unavailable (no
/// randomness).
[[nodiscard]] Result<DeployKey> make_deploy_key(std::string_view comment);

}  // namespace skep::gitsync
