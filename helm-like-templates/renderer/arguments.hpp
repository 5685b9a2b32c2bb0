#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "helm-like-templates/renderer/functions.hpp"

namespace skep::templates {

// Arguments of a function, which are of the types that its `params` say.

/// s
[[nodiscard]] inline const std::string& text(Args args, std::size_t i) { return *args[i].text(); }
/// i
[[nodiscard]] inline std::int64_t whole(Args args, std::size_t i) {
  return args[i].integer()->value;
}

}  // namespace skep::templates
