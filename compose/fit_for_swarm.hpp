#pragma once

#include "compose/types.hpp"
#include "core/finding.hpp"

namespace skep::compose {

/// What the merged files say for `docker compose` only, made what it means to a swarm (off in
/// strict mode): services that others wait for to complete end once, bridge networks span the
/// swarm. Each change is a warning; what the Docker CLI deploys stays as it is.
void fit_for_swarm(ComposeFile& file, Findings& findings);

}  // namespace skep::compose
