#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "gitsync/remote_url.hpp"

namespace skep::gitsync {

/// Through which a remote is reached, as the environment says: https_proxy or HTTPS_PROXY for
/// https, http_proxy or HTTP_PROXY for http, neither for the hosts of no_proxy or NO_PROXY.
struct Proxy {
  std::string variable;  ///< "HTTPS_PROXY"
  std::string url;       ///< With its scheme, user and password.
  std::string shown;     ///< The same without user and password.
};

/// Nothing where there is none for this remote. Errors: invalid_input for one that the git library
/// does not know; the message holds no password.
[[nodiscard]] Result<std::optional<Proxy>> proxy_for(const RemoteUrl& url);

/// Whether the list of no_proxy ("localhost, .example.com, host:8443, *") has this host.
[[nodiscard]] bool is_without_proxy(std::string_view list,
                                    std::string_view host,
                                    std::uint16_t port);

/// Takes "user:password" out of all addresses in a text.
[[nodiscard]] std::string without_credentials(std::string_view text);

}  // namespace skep::gitsync
