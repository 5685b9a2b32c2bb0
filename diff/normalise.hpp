#pragma once

#include <string>
#include <vector>

#include "swarm/live_state.hpp"
#include "swarm/service_spec.hpp"

namespace skep::diff {

/// The spec as the engine would return it (rules E3.1 … E3.17): what it fills in is filled in, what
/// it drops is dropped, and lists whose order means nothing are sorted. Applying it twice is
/// applying it once.
[[nodiscard]] swarm::ServiceSpec canonical(swarm::ServiceSpec spec);

/// A live spec in the form of a desired one: a credential spec cites its config by name, ids of
/// secrets and configs are cleared. Networks are by name already.
[[nodiscard]] swarm::ServiceSpec by_name(swarm::ServiceSpec live_spec);

/// Two canonical sides that differ in what really differs.
struct Comparable {
  swarm::ServiceSpec desired, live;
  /// What this engine is too old to keep, in compose words: no drift, but worth a remark.
  std::vector<std::string> dropped;
  [[nodiscard]] bool equal() const { return desired == live; }
};

/// `engine_api` as in Policy. `desired` by name; of its secrets and configs the ids of the current
/// objects are looked up in `state` (rule E3.22).
[[nodiscard]] Comparable comparable(const swarm::ServiceSpec& desired,
                                    const swarm::LiveService& live,
                                    const swarm::LiveState& state,
                                    const std::string& engine_api);

/// Whether API version `have` ("1.41") is at least `want`; an unknown version ("") is not.
[[nodiscard]] bool api_at_least(const std::string& have, int major, int minor);

}  // namespace skep::diff
