#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace skep::gitsync {

/// What a private key's file tells without its passphrase.
struct PrivateKeyInfo {
  std::string type;  ///< "ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", …; "" if not told.
  bool encrypted = false;  ///< Needs a passphrase.
};

/// Nothing where the text is no private key. Reads OpenSSH's own form (PROTOCOL.key) and PEM.
[[nodiscard]] std::optional<PrivateKeyInfo> describe_private_key(std::string_view text);

/// Reads the head of a key file. Errors: unauthorized with what to do: missing, not readable, no
/// key in it. The content is never shown.
[[nodiscard]] Result<PrivateKeyInfo> read_private_key(const std::string& file);

/// The advice that every message about an unfit key ends with.
[[nodiscard]] std::string_view use_ed25519();

}  // namespace skep::gitsync
