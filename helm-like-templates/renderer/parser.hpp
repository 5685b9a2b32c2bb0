#pragma once

#include "core/result.hpp"
#include "helm-like-templates/renderer/ast.hpp"

namespace skep::templates {

/// Parses a template and everything that it defines into `into`; what is there under the same name
/// is replaced unless the new one is blank, as Go does it. Errors: invalid_input, positioned.
Result<void> parse(const TextPtr& source, Templates& into);

}  // namespace skep::templates
