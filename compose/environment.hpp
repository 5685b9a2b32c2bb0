#pragma once

#include <string_view>

#include "compose/compose.hpp"
#include "compose/field.hpp"
#include "compose/types.hpp"
#include "core/result.hpp"

namespace skep::compose {

/// One line of an env_file; the value is null where the line has no `=`.
struct EnvironmentLine {
  std::string key;
  std::optional<std::string> value;
};

/// The lines of an env_file's text, in order (rule B4.2). Errors: invalid_input, with the line's
/// number and never its content. Off strict mode `export` and blanks around the `=` are allowed.
Result<std::vector<EnvironmentLine>> parse_env_file(std::string_view text, bool strict = true);

/// `env_file` and `environment` of one service, resolved against the process environment (rules
/// B4.1 … B4.5).
Environment load_environment(const Field& env_file, const Field& environment, const Input& input);

}  // namespace skep::compose
