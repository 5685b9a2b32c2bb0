#pragma once

#include <map>
#include <string>

#include "core/finding.hpp"
#include "yaml/node.hpp"

namespace skep::compose {

struct InterpolationOptions {
  /// A plain `$VAR` that is not set is an error of its place; the CLI makes it an empty string.
  bool unset_variable_is_error = false;
  /// Off: a `$` in a label that begins no variable is kept as it is, with a warning. Password
  /// hashes of Traefik's basic authentication are full of them.
  bool strict = true;
  std::string path = {};  ///< Of the root, where it is not the file's.
};

/// Replaces variables in every string value, never in keys, and casts what changed (rules A5, A6).
/// Findings stand at the value and name its dotted path.
void interpolate(yaml::Node& root,
                 const std::map<std::string, std::string>& environment,
                 const InterpolationOptions& options,
                 Findings& findings);

}  // namespace skep::compose
