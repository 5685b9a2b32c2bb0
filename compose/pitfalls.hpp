#pragma once

#include "compose/types.hpp"
#include "core/finding.hpp"

namespace skep::compose {

/// Warns of what the Docker CLI and the engine take without a word, though it cannot do what its
/// author meant: placement that no node ever meets, file modes in the wrong base, mounts at no
/// place. Off in strict mode. Nothing is changed.
void warn_of_pitfalls(const ComposeFile& file, Findings& findings);

}  // namespace skep::compose
