#include "diff/impact.hpp"

#include <algorithm>

namespace skep::diff {
namespace {

/// Constraints that tasks were not placed by: those on a node that does not fit must move.
bool has_new_constraints(const std::optional<swarm::Placement>& live,
                         const std::optional<swarm::Placement>& desired) {
  if (!desired) return false;
  return std::any_of(
      desired->constraints.begin(), desired->constraints.end(), [&](const std::string& constraint) {
        return !live || std::find(live->constraints.begin(), live->constraints.end(), constraint) ==
                            live->constraints.end();
      });
}

}  // namespace

Impact impact_of(const swarm::ServiceSpec& live, const swarm::ServiceSpec& desired) {
  if (desired.mode.is_job()) return Impact::rerun;  // Every update runs a job again (rule D6.8).
  auto before = live.task_template;
  const auto& after = desired.task_template;
  before.placement = after.placement;
  if (!(before == after) || !(live.endpoint_spec == desired.endpoint_spec)) return Impact::restart;
  // Whether the nodes where the tasks are still fit is not known here; the worse case is told.
  if (has_new_constraints(live.task_template.placement, after.placement)) return Impact::restart;
  return live.mode == desired.mode ? Impact::none : Impact::scale;
}

std::uint64_t task_count(const swarm::ServiceSpec& spec) {
  if (spec.mode.global || spec.mode.global_job) return 0;
  if (spec.mode.replicated_job) return spec.mode.replicated_job->total_completions.value_or(1);
  return spec.mode.replicated ? spec.mode.replicated->replicas.value_or(1) : 1;
}

}  // namespace skep::diff
