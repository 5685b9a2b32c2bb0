#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gitsync/credentials.hpp"
#include "gitsync/known_hosts.hpp"
#include "gitsync/remote_url.hpp"

namespace skep::gitsync {

/// Whether an ssh server's key is one that a person vouched for. Nothing means yes; else an
/// unauthorized error with the key's fingerprint and what to do.
[[nodiscard]] std::optional<Error> check_host_key(const RemoteUrl& url,
                                                  const Credentials& credentials,
                                                  const HostKey& key);

/// Whether a TLS server that is reached by its IP address shows a certificate for that address that
/// is signed by a trusted CA itself. The git library's TLS knows host names only.
[[nodiscard]] bool is_trusted_by_address(const RemoteUrl& url,
                                         const Credentials& credentials,
                                         std::string_view der);

/// Why a TLS server's certificate is not trusted, in words, with the option that mends it. `der` is
/// the certificate that it showed.
[[nodiscard]] Error distrust(const RemoteUrl& url,
                             const Credentials& credentials,
                             std::string_view der);

}  // namespace skep::gitsync
