#pragma once

#include <cstddef>
#include <vector>

#include "core/finding.hpp"
#include "swarm/stack_spec.hpp"

namespace skep::repository {

/// A name that two stacks give to their services on a network which both attach to: its DNS answers
/// with either, so requests reach the wrong one now and then (trap 28).
struct SharedName {
  std::size_t stack = 0;  ///< Index of the later one of both.
  Finding finding;        ///< A warning.
};

/// `stacks` in the order of the repository; where one is nullptr it is left out.
[[nodiscard]] std::vector<SharedName> shared_names(
    const std::vector<const swarm::StackSpec*>& stacks);

}  // namespace skep::repository
