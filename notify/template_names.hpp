#pragma once

#include <string>
#include <vector>

#include "core/result.hpp"

namespace skep::notify {

/// Looks for names that no message has, which a rendering takes for nothing at all: `{{ .titel }}`.
/// `values` are those of the target. What a template makes by itself is not judged. Errors:
/// invalid_input, with the place in the template.
[[nodiscard]] Result<void> check_names(const std::string& name,
                                       const std::string& text,
                                       const std::vector<std::string>& values);

}  // namespace skep::notify
