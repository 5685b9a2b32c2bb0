#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace skep::compose {

/// Why the engine cannot expand the {{…}} of a text that it takes for a Go template (environment,
/// hostname, mounts): an unknown function or variable, or an action that is not closed. Nothing
/// where it can, or where only the engine knows.
[[nodiscard]] std::optional<std::string> template_mistake(std::string_view text);

}  // namespace skep::compose
