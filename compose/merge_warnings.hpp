#pragma once

#include "compose/types.hpp"
#include "core/finding.hpp"

namespace skep::compose {

/// Says what merge() of these two will drop or join of what the files say: the CLI's quirks, which
/// are kept. `later` is the later file of the command line.
void warn_of_merge(const ComposeFile& base, const ComposeFile& later, Findings& findings);

}  // namespace skep::compose
