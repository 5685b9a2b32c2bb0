#pragma once

#include <map>
#include <string>

#include "diff/plan.hpp"
#include "reconciler/state.hpp"

namespace skep::reconciler {

/// Every update runs a job again (trap 33). So what git has not changed since it was carried out is
/// taken out of the plan, and said in a note; with no record (adoption) that is every update of a
/// job.
void leave_jobs_alone(diff::Plan& plan,
                      const std::map<std::string, std::string>& hashes,
                      const StackRecord* record);

}  // namespace skep::reconciler
