#pragma once

#include "core/finding.hpp"
#include "yaml/node.hpp"

namespace skep::compose {

/// Service keys that stack deploy refuses, on the raw tree (rule A7.1). One error for each use.
void refuse_forbidden(const yaml::Node& root, Findings& findings);

/// Service keys that stack deploy accepts and ignores, on the raw tree; a null value counts (rules
/// A7.2, A7.3). One warning for each use.
void warn_unsupported(const yaml::Node& root, Findings& findings);

}  // namespace skep::compose
