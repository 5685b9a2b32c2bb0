#pragma once

#include <string>

#include "diff/plan.hpp"
#include "swarm/live_state.hpp"

namespace skep::reconciler {

/// Adds to `plan` each service that is as git says but whose update is paused, where it would stay
/// half-way for ever: sent again as it is, its update begins anew. What the plan touches anyway is
/// left out. Returns whether there is one.
bool send_paused_again(diff::Plan& plan, const diff::LiveIndex& index);

/// When the update of one of `plan`'s services began that is paused, and after whose begin a node
/// went away or came back; "" where there is none. An engine that stops takes its tasks with it,
/// which swarm counts against the update: that is no fault of what is rolled out.
[[nodiscard]] std::string begin_of_update_paused_by_a_node(const diff::Plan& plan,
                                                           const diff::LiveIndex& index);

}  // namespace skep::reconciler
