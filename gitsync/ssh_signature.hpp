#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace skep::gitsync {

/// A signature as `ssh-keygen -Y sign` and git with gpg.format=ssh make them. Source: OpenSSH's
/// PROTOCOL.sshsig.
struct SshSignature {
  std::string key;         ///< The public key's blob, which names its type.
  std::string name_space;  ///< What it was made for: "git".
  std::string hash;        ///< sha256 or sha512.
  std::string reserved;
  std::string algorithm, blob;  ///< Of the signature itself.
};

/// From "-----BEGIN SSH SIGNATURE-----" …. Errors: invalid_input.
[[nodiscard]] Result<SshSignature> parse_ssh_signature(std::string_view armored);

/// Whether the key that the signature names made it, for git, of exactly this message. Keys:
/// Ed25519, ECDSA, RSA (never with SHA-1), and the first two on a security token. Errors:
/// unauthorized, with what is wrong.
[[nodiscard]] Result<void> verify(const SshSignature& signature, std::string_view message);

}  // namespace skep::gitsync
