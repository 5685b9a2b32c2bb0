#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/result.hpp"

namespace skep::engine {

using Environment = std::map<std::string, std::string>;

struct TlsFiles {
  std::string ca;                ///< PEM; "" for the system's authorities.
  std::string certificate, key;  ///< PEM, the client's own; "" for none.
  bool verify = true;
  bool operator==(const TlsFiles&) const = default;
};

/// Where an engine listens: exactly one of `socket` and `address` is set.
struct Endpoint {
  std::string socket;            ///< Path of a unix socket.
  std::string address;           ///< HOST:PORT, an IPv6 host in brackets, a path prefix after it.
  std::optional<TlsFiles> tls;   ///< For `address` only; without it the connection is plain.
  std::string api_version = {};  ///< "" negotiates; else used as it is, without asking.
  std::string peer = "engine";   ///< What errors call who should answer there.
  std::string written = {};      ///< What text() gives, where somebody wrote it in another way.
  bool operator==(const Endpoint&) const = default;

  /// As people write it: unix:///var/run/docker.sock, tcp://host:2376.
  [[nodiscard]] std::string text() const;
};

/// The Docker CLI's own choice: host flag, DOCKER_HOST, DOCKER_CONTEXT, currentContext of its
/// config.json, else the default socket; DOCKER_TLS_VERIFY, DOCKER_TLS and DOCKER_CERT_PATH for the
/// first two; DOCKER_API_VERSION for all. Reads the files of a context, connects to nothing.
/// Errors: invalid_input (with what to write instead).
Result<Endpoint> endpoint_from(const Environment& environment,
                               const std::optional<std::string>& host_flag);

/// DOCKER_CONFIG, else .docker in HOME; "" where neither is set.
[[nodiscard]] std::string docker_config_directory(const Environment& environment);

}  // namespace skep::engine
