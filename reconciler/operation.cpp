#include <algorithm>

#include "core/logfmt.hpp"
#include "reconciler/work.hpp"

// From the first write to a stack until it is healthy, or will not be.
namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;
using ports::Health;

constexpr auto kFirstRetry = 2s;
constexpr auto kLongestRetry = 300s;
constexpr std::uint64_t kMostConflicts = 3;  ///< In a row, that are only looked at again.

/// Whether a service got further than ever before; not: one that fell over is up again.
bool note_progress(Operation& operation, const std::vector<ports::ServiceStatus>& services) {
  bool any = false;
  for (const auto& service : services) {
    auto& [running, updated] = operation.furthest[service.name];
    any = any || service.running > running || service.updated > updated;
    running = std::max(running, service.running);
    updated = std::max(updated, service.updated);
  }
  return any;
}

/// The service whose words say why: one that swarm gave up, else one whose tasks fail, else the
/// first in trouble; null where none is.
const ports::ServiceStatus* most_telling(const std::vector<ports::ServiceStatus>& services) {
  const auto rank = [](const ports::ServiceStatus& service) {
    if (service.trouble.empty()) return 0;
    if (service.update_state == "paused" || service.update_state.starts_with("rollback_")) return 3;
    return service.health == Health::degraded ? 2 : 1;
  };
  const auto most =
      std::max_element(services.begin(), services.end(), [&](const auto& a, const auto& b) {
        return rank(a) < rank(b);
      });
  return most == services.end() || rank(*most) == 0 ? nullptr : &*most;
}

}  // namespace

bool is_failure(const StackMemory& memory, const Error& error) {
  if (error.kind == ErrorKind::cancelled) return false;
  // Somebody else's write passes; a name that is taken is a conflict for ever.
  return error.kind != ErrorKind::conflict || memory.conflicts >= kMostConflicts;
}

void Reconciler::fail(StackMemory& memory, const Error& error) {
  if (!is_failure(memory, error)) {  // Looked at again at once.
    if (error.kind == ErrorKind::conflict) ++memory.conflicts;
    return;
  }
  ++memory.failures;
  memory.error = error.message;
  mask(memory.error);
  memory.last_failure = clock_.now();
  back_off(memory);
}

void Reconciler::back_off(StackMemory& memory) {
  const auto doublings = std::min<std::uint64_t>(memory.failures - 1, 10);
  const auto longest =
      std::min<std::chrono::milliseconds>(kFirstRetry * (1U << doublings), kLongestRetry);
  std::uniform_int_distribution<std::int64_t> jitter(longest.count() / 2, longest.count());
  memory.retry_at = clock_.steady() + std::chrono::milliseconds(jitter(random_));
}

void Reconciler::follow_operation(const StackFacts& facts, const Decision& decision) {
  auto& memory = memory_[facts.name];
  const auto now = clock_.steady();
  if (!facts.differs() && decision.verdict != Verdict::broken) {
    memory.drift_cause.reset();
    memory.drift_since.reset();
    if (!facts.kept) memory.held_content.clear();
  } else if (facts.differs()) {
    // Where swarm itself went back from what git wants, nobody edited anything.
    const bool by_swarm = facts.rolled_back || facts.rolling_back;
    const auto cause = by_swarm ? ports::DriftCause::pending : cause_of(facts);
    // While a change of git is being carried out the rest of its plan is still git's, not
    // somebody's edit.
    if (!memory.drift_since || (memory.drift_cause != cause && !memory.operation)) {
      memory.drift_cause = cause;
      memory.drift_since = clock_.now();
      // What a window holds is as old as it is, whatever was healed meanwhile.
      if (cause == ports::DriftCause::pending && facts.desired != nullptr) {
        if (memory.held_content != facts.desired->content) memory.held_since = clock_.now();
        memory.held_content = facts.desired->content;
        memory.drift_since = memory.held_since;
      }
    }
  }
  const bool arrived = facts.plan.empty() && facts.health == Health::healthy &&
                       decision.verdict != Verdict::broken && facts.hooks.due == nullptr;
  const bool trying = facts.record != nullptr && facts.desired != nullptr && !facts.rollback &&
                      !facts.desired->broken() && !facts.quarantined() &&
                      facts.record->content == facts.desired->content &&
                      facts.record->healthy_content != facts.desired->content &&
                      facts.suspension == nullptr;
  if (trying && facts.rolled_back && memory.failed_content != facts.desired->content &&
      memory.told_rollback != facts.desired->content) {
    memory.told_rollback = facts.desired->content;
    finish_operation(facts, false, "health", "swarm rolled it back");
    return;
  }
  // An agent that was killed during a rollout follows it to its end all the same.
  if (trying && !memory.operation && !options_.plan_only && memory.failures == 0 && !arrived &&
      (facts.plan.empty() || facts.plan.only_removals()) && decision.verdict != Verdict::blocked &&
      facts.health != Health::missing) {
    begin_operation(facts);
  }
  if (!memory.operation) {
    if (arrived && memory.failures > 0) {  // It came up after all.
      memory.failures = 0;
      memory.error.clear();
      memory.overdue_content.clear();
    }
    return;
  }
  if (facts.rolled_back_by_person && decision.verdict == Verdict::held) {
    cancel_operation(full_name(facts), memory, "a person rolled it back");
    return;
  }
  // Nobody carries out any more what it was about: git moved on to what waits, is held or broken.
  const bool pursued = decision.verdict == Verdict::apply || decision.verdict == Verdict::nothing;
  if (!pursued && memory.operation->content != goal_of(facts)) {
    cancel_operation(full_name(facts), memory, "git moved on meanwhile");
    return;
  }
  if (facts.suspension != nullptr) {
    cancel_operation(full_name(facts), memory, "it was suspended");
    return;
  }
  if (note_progress(*memory.operation, facts.services)) memory.operation->progressed = now;
  // That only has to last a little.
  const bool lasts = memory.up_since && now - *memory.up_since <= options_.settle;
  const bool only_tidying = facts.plan.only_removals() && facts.health == Health::healthy;
  if (arrived) {
    finish_operation(facts, true, "", "");
  } else if (facts.health == Health::degraded &&
             (facts.plan.only_removals() || (facts.failed_for_good && !memory.waits.empty()))) {
    finish_operation(facts, false, "health", "");
  } else if (facts.desired != nullptr && !lasts && !only_tidying &&
             now - memory.operation->progressed > facts.patience()) {
    if (waits_for_nodes(facts)) {
      memory.operation->progressed = now;
      return;
    }
    memory.overdue_content = facts.target()->content;
    finish_operation(facts, false, "health", "no progress before the deadline");
  }
}

void Reconciler::overtake(const StackFacts& facts) {
  auto& memory = memory_[facts.name];
  if (!memory.operation || memory.operation->content == goal_of(facts)) return;
  cancel_operation(full_name(facts), memory, "git moved on meanwhile");
  memory.drift_cause = ports::DriftCause::pending;  // It may have been putting an edit right.
  begin_operation(facts, trigger_of(facts, memory));
}

void Reconciler::note_failure(const StackFacts& facts, const std::string& reason) {
  if (facts.desired == nullptr || facts.record == nullptr || facts.rollback) return;
  const auto& content = facts.desired->content;
  const auto on_failure = facts.desired->source.settings.policy.on_failure;
  // What was healthy with this content did not fail for this content. A first deployment has
  // nothing to go back to: it is tried on.
  const bool rollout = facts.record->content == content && facts.record->healthy_content != content;
  const bool first = facts.record->healthy_content.empty();
  if (!rollout || on_failure == repository::OnFailure::keep) return;
  if (first && on_failure == repository::OnFailure::rollback) return;
  auto& memory = memory_[facts.name];
  memory.failed_content = content;
  memory.failure = reason;
  memory.failures = 0;  // The way back does not wait.
}

void Reconciler::finish_operation(const StackFacts& facts,
                                  bool success,
                                  const std::string& phase,
                                  const std::string& message) {
  auto& memory = memory_[facts.name];
  ports::SyncReport report;
  report.stack = full_name(facts);
  report.trigger = memory.operation ? memory.operation->trigger : "git";
  report.result = success ? "success" : "failure";
  report.failed_phase = phase;
  if (memory.operation) report.kinds = memory.operation->kinds;
  describe_operation(memory, report);
  if (memory.operation) {
    report.duration = std::chrono::duration_cast<std::chrono::milliseconds>(
        clock_.steady() - memory.operation->started);
  }
  memory.last_duration = report.duration;
  memory.operation.reset();
  if (success) {
    memory.failures = 0;
    memory.error.clear();
    memory.overdue_content.clear();
    memory.last_success = clock_.now();
    log_.info(logfmt("stack is healthy",
                     {{"stack", facts.name}, {"milliseconds", report.duration.count()}}));
  } else {
    memory.last_failure = clock_.now();
    std::string trouble = message;
    if (const auto* service = most_telling(facts.services)) {
      trouble += (trouble.empty() ? "" : ": ") + service->name + ": " + service->trouble;
      const auto registry = planner_.registry_trouble(service->image);
      if (memory.unpullable.contains(service->name) && !registry.empty())
        trouble += "; its registry said when it was asked for the digest: " + registry;
    }
    if (phase == "health") {
      ++memory.failures;
      memory.error = trouble;
      if (facts.record != nullptr && facts.record->healthy_content.empty()) back_off(memory);
      note_failure(facts, trouble);
      log_.error(
          logfmt("stack did not become healthy", {{"stack", facts.name}, {"trouble", trouble}}));
    }
  }
  if (!success) report.message = memory.error.empty() ? message : memory.error;
  mask(report.message);
  observer_.synced(report);
}

}  // namespace skep::reconciler
