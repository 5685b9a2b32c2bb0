#pragma once

#include <string>

#include "core/error.hpp"
#include "reconciler/ports/control.hpp"

namespace skep::reconciler {

/// As people and the API call it: by name, by directory, or as group/name.
[[nodiscard]] bool is_named(const ports::StackStatus& stack, const std::string& word);

/// nullptr where there is none; a part of `status`.
[[nodiscard]] const ports::StackStatus* find_stack(const ports::AgentStatus& status,
                                                   const std::string& word);

/// invalid_input: "no stack X; did you mean Y?"; conflict where the agent stands by and cannot
/// know.
[[nodiscard]] Error no_stack(const ports::AgentStatus& status, const std::string& word);

}  // namespace skep::reconciler
