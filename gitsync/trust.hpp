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

/// Why a TLS server's certificate is not trusted, in words, with the option that mends it. `der` is
/// the certificate that it showed.
[[nodiscard]] Error distrust(const RemoteUrl& url,
                             const Credentials& credentials,
                             std::string_view der);

}  // namespace skep::gitsync
