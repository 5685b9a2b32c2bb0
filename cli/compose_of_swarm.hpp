#pragma once

#include <map>
#include <string>
#include <vector>

#include "swarm/live_state.hpp"

namespace skep::cli {

/// What runs, written down again.
struct AdoptedStack {
  std::string text;  ///< docker-compose.yml
  /// Keys of the configs whose data belongs beside it as configs/KEY → the config's name.
  std::map<std::string, std::string> configs;
  /// What a compose file cannot say, or what a person should look at.
  std::vector<std::string> remarks;
};

/// The compose file from which `docker stack deploy` would make what runs of a stack, as far as a
/// compose file can say it. Secrets become external: their values cannot be read.
[[nodiscard]] AdoptedStack compose_of(const std::string& stack,
                                      const swarm::LiveStack& objects,
                                      const swarm::LiveState& live);

}  // namespace skep::cli
