#pragma once

#include "compose/to_text.hpp"
#include "swarm/stack_spec.hpp"

namespace skep::compose {

/// The stack with every text that TextOptions::show hides in to_text() hidden as well: variables,
/// labels, options, commands, contents of configs. Names, images and paths stay.
[[nodiscard]] swarm::StackSpec shown(swarm::StackSpec stack, const ShowText& show);

}  // namespace skep::compose
