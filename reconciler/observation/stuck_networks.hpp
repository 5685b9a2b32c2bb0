#pragma once

#include <map>
#include <string>

#include "core/clock.hpp"
#include "swarm/live_state.hpp"

namespace skep::reconciler {

/// Finds networks that swarm never gives a place: their subnet overlaps another one's, or there is
/// none left. They read back without driver and subnets, as one does that was just made, so only
/// time tells them apart. Not for several threads.
class StuckNetworks {
 public:
  /// Sets LiveNetwork::stuck in what was read at `now`. One that was made anew under the same name
  /// and is stuck again is given longer each time, so that making it anew ends.
  void mark(swarm::LiveState& live, SteadyTime now);

 private:
  struct Watched {
    swarm::ObjectId id;
    SteadyTime since{};
    bool stuck = false;
    unsigned times = 0;  ///< That one of this name was found stuck.
  };
  std::map<std::string, Watched> watched_;  ///< By name.
};

}  // namespace skep::reconciler
