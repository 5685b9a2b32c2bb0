#pragma once

#include "compose/version.hpp"
#include "core/finding.hpp"
#include "yaml/node.hpp"

namespace skep::compose {

/// Reports every place where a file breaks the schema of its version (rule A8), all at once, in the
/// CLI's words, with what was probably meant. Off strict mode, keys that begin with `x-` are
/// allowed everywhere. Call it after interpolation.
void validate(const yaml::Node& root, const FileVersion& version, bool strict, Findings& findings);

}  // namespace skep::compose
