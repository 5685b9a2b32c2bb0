#pragma once

#include <map>
#include <string>

#include "diff/plan.hpp"
#include "reconciler/state.hpp"
#include "swarm/stack_spec.hpp"

namespace skep::reconciler {

/// What git wants of each job of a stack, as a short hash by key: the template and the data of the
/// configs that it mounts; labels, and secrets, whose values leave no trace, are not in it.
[[nodiscard]] std::map<std::string, std::string> job_hashes(const swarm::StackSpec& spec);

/// Every update runs a job again (trap 33). So what git has not changed since it was carried out is
/// taken out of the plan, and said in a note; with no record (adoption) that is every update of a
/// job.
void leave_jobs_alone(diff::Plan& plan,
                      const std::map<std::string, std::string>& hashes,
                      const StackRecord* record);

}  // namespace skep::reconciler
