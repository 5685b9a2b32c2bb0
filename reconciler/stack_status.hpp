#pragma once

#include "reconciler/decide.hpp"
#include "reconciler/ports/observer.hpp"

namespace skep::reconciler {

/// What people, API and metrics see of one stack after a turn. Pure. With `plan_only` the message
/// is about the decision alone: a plan tells what would be done, not how things stand meanwhile.
[[nodiscard]] ports::StackStatus describe_stack(const StackFacts& facts,
                                                const Decision& decision,
                                                const StackMemory& memory,
                                                const std::string& target_revision,
                                                bool plan_only);

}  // namespace skep::reconciler
