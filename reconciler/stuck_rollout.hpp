#pragma once

#include <functional>
#include <string>

#include "diff/plan.hpp"
#include "swarm/live_state.hpp"

namespace skep::reconciler {

/// Adds to `plan` each service that is as git says but for which `reason_of` gives a reason to send
/// it again as it is: its update begins anew, with today's credentials. What the plan touches
/// anyway is left out. Returns whether there is one.
bool send_again(diff::Plan& plan,
                const diff::LiveIndex& index,
                const std::function<std::string(const swarm::LiveService&)>& reason_of);

/// When the update of one of `plan`'s services began that is paused, and after whose begin a node
/// went away or came back; "" where there is none. An engine that stops takes its tasks with it,
/// which swarm counts against the update: that is no fault of what is rolled out.
[[nodiscard]] std::string begin_of_update_paused_by_a_node(const diff::Plan& plan,
                                                           const diff::LiveIndex& index);

}  // namespace skep::reconciler
