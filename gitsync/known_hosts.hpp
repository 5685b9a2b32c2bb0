#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace skep::gitsync {

/// A key that an ssh server showed.
struct HostKey {
  std::string type;    ///< "ssh-ed25519", …; "" where unknown.
  std::string sha256;  ///< Raw 32 bytes over the key blob.
};

enum class HostKeyVerdict {
  known,    ///< Listed for this host.
  unknown,  ///< The host is not listed.
  changed,  ///< The host is listed with another key of the same type.
  other,    ///< The host is listed with keys of other types only.
  revoked,  ///< The key is listed as @revoked.
};

/// Looks a host key up in the text of an OpenSSH known_hosts file (sshd(8), "SSH_KNOWN_HOSTS FILE
/// FORMAT"): plain and hashed names, [host]:port, wildcards, negation, @revoked. Certificate
/// authorities are passed over, for libssh2 knows no host certificates; so are lines that cannot be
/// read.
[[nodiscard]] HostKeyVerdict look_up(std::string_view known_hosts,
                                     std::string_view host,
                                     std::uint16_t port,
                                     const HostKey& key);

/// The lines that list keys of this host and type, each under its plain name: "[host]:port TYPE
/// KEY". Without revoked ones.
[[nodiscard]] std::string lines_for(std::string_view known_hosts,
                                    std::string_view host,
                                    std::uint16_t port,
                                    std::string_view type);

/// "host", "[host]:port"
[[nodiscard]] std::string plain_name(std::string_view host, std::uint16_t port);

/// "SHA256:…" as ssh-keygen prints it: base64 without padding.
[[nodiscard]] std::string fingerprint(const HostKey& key);
/// Whether one of `pins` is the key's fingerprint; padding and the SHA256: prefix may be missing.
[[nodiscard]] bool is_pinned(const std::vector<std::string>& pins, const HostKey& key);

}  // namespace skep::gitsync
