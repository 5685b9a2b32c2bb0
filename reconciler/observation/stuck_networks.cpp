#include "reconciler/observation/stuck_networks.hpp"

#include <algorithm>

namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;

constexpr auto kPlaceComes = 30s;
constexpr unsigned kMostDoublings = 7;  // An hour, about.

}  // namespace

void StuckNetworks::mark(swarm::LiveState& live, SteadyTime now) {
  for (auto& network : live.networks) {
    const auto& name = network.spec.name;
    if (!network.spec.driver.empty()) {
      watched_.erase(name);
      continue;
    }
    auto& watched = watched_[name];
    if (watched.id != network.id) {
      watched.id = network.id;
      watched.since = now;
      watched.stuck = false;
    }
    if (!watched.stuck &&
        now - watched.since >= kPlaceComes * (1U << std::min(watched.times, kMostDoublings))) {
      watched.stuck = true;
      ++watched.times;
    }
    network.stuck = watched.stuck;
  }
}

}  // namespace skep::reconciler
