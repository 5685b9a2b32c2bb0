#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "core/result.hpp"
#include "core/secret.hpp"

namespace skep::engine {

/// What `docker login` left for one registry. Source: rule D7.2.
struct RegistryCredentials {
  std::string username, email;
  Secret password, identity_token, registry_token;
  std::string server_address;  ///< The key of the entry, as written.
  bool operator==(const RegistryCredentials&) const = default;
};

/// The registry's key in config.json: the image's domain, for docker.io the index address (rule
/// D7.3). Errors: invalid_input where the text is no image name.
Result<std::string> registry_of(const std::string& image);

/// The credentials that a Docker CLI configuration file has for a registry: credHelpers,
/// credsStore, auths, in that order (rule D7.3). The file is read on each call, since credentials
/// change under a running agent; no file means no credentials. Errors: invalid_input (file or
/// helper cannot be used), unavailable (a helper does not answer), cancelled.
Result<std::optional<RegistryCredentials>> find_credentials(const std::string& config_file,
                                                            const std::string& registry,
                                                            std::stop_token stop);

/// The value of X-Registry-Auth: base64url with padding of a JSON object, `{}` without credentials
/// (rule D7.2).
[[nodiscard]] Secret registry_auth_header(const std::optional<RegistryCredentials>& credentials);

}  // namespace skep::engine
