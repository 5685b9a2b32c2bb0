#pragma once

#include <string>
#include <vector>

#include "diff/plan.hpp"

namespace skep::diff {

/// The image to write, and what goes with it.
struct ImageChoice {
  std::string image;
  /// The placement's platforms: of the registry's answer, else what is live (rule E3.21).
  std::vector<swarm::Platform> platforms;
};

/// Rules D6.3 … D6.6 and E3.20, and the agent's records (design §5). `live` is null for a new
/// service.
[[nodiscard]] ImageChoice choose_image(const swarm::ServiceSpec& desired,
                                       const swarm::LiveService* live,
                                       const Policy& policy);

/// Whether the registry must be asked before choose_image can do its best.
[[nodiscard]] bool wants_answer(const swarm::ServiceSpec& desired,
                                const swarm::LiveService* live,
                                const Policy& policy);

}  // namespace skep::diff
