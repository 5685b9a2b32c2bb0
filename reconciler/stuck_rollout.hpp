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

/// When the first update of `plan`'s services began that is paused; "" where there is none.
[[nodiscard]] std::string begin_of_paused_update(const diff::Plan& plan,
                                                 const diff::LiveIndex& index);

}  // namespace skep::reconciler
