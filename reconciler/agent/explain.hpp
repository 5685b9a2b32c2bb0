#pragma once

#include "reconciler/ports/control.hpp"

namespace skep::reconciler {

/// The chain from a commit to a healthy stack, link by link, out of what is known. Pure; logs are
/// the caller's to add.
[[nodiscard]] ports::Explanation explain_stack(const ports::AgentStatus& agent,
                                               const ports::StackStatus& stack);

}  // namespace skep::reconciler
