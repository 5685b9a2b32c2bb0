#pragma once

#include <string>

#include "helm-like-templates/renderer/functions.hpp"

namespace skep::templates {

// Go's package fmt for the values of templates. Errors: limits, a value that holds itself.

/// What %v shows and an action prints.
Result<std::string> show(Env& env, const Value& value);
/// A space stands between two values neither of which is a string.
Result<std::string> sprint(Env& env, Args values);
Result<std::string> sprintln(Env& env, Args values);
Result<std::string> sprintf(Env& env, std::string_view format, Args values);

}  // namespace skep::templates
