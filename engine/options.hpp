#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "engine/endpoint.hpp"

namespace skep::engine {

struct EngineOptions {
  Endpoint endpoint;
  /// Send the credentials of `docker_config` for an image's registry when it is resolved, and with
  /// services (the CLI's --with-registry-auth, rule D7.2). Without, the engine keeps those that a
  /// service has.
  bool registry_auth = false;
  std::string docker_config = {};  ///< Path of a Docker CLI config.json; it need not exist.
  std::chrono::milliseconds connect_timeout{10'000};
  /// Of one whole exchange but the event stream's.
  std::chrono::milliseconds request_timeout{60'000};
  /// Of lists, which take an engine that works milliseconds to a few seconds: a hung one (stopped,
  /// out of memory, a stuck disk) is to be noticed.
  std::chrono::milliseconds list_timeout{20'000};
  /// Of pings, which an engine answers without looking at anything.
  std::chrono::milliseconds ping_timeout{4'000};
  /// Of the question whether the swarm has a leader, which is one small answer.
  std::chrono::milliseconds leader_timeout{8'000};
  std::size_t response_limit = 256 << 20;  ///< Bytes of one answer.
  /// Told of every exchange, from the thread that made it: operation (service_list, service_update
  /// …; those that end in _list, _inspect or stand alone are reads), status (0: no answer),
  /// duration.
  std::function<void(std::string_view operation, int status, std::chrono::nanoseconds duration)>
      on_request = {};
};

}  // namespace skep::engine
