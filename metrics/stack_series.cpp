#include "metrics/stack_series.hpp"

#include <algorithm>

namespace skep::metrics {
namespace {

constexpr std::size_t kRevisionDigits = 12;
constexpr std::array<std::string_view, 3> kRevisionKinds = {"target", "applied", "healthy"};
constexpr std::array kSyncStates = {
    ports::SyncState::synced, ports::SyncState::out_of_sync, ports::SyncState::unknown};
constexpr std::array kHealthStates = {ports::Health::healthy,
                                      ports::Health::progressing,
                                      ports::Health::degraded,
                                      ports::Health::missing,
                                      ports::Health::unknown};

double seconds(const std::optional<WallTime>& time) {
  if (!time) return 0;
  return std::chrono::duration<double>(time->time_since_epoch()).count();
}

double number(std::uint64_t value) { return static_cast<double>(value); }
double flag(bool value) { return value ? 1 : 0; }

std::size_t change_index(diff::Verb verb) {
  switch (verb) {
    case diff::Verb::create:
      return 0;
    case diff::Verb::update:
    case diff::Verb::replace:
      return 1;
    case diff::Verb::remove:
      break;
  }
  return 2;
}

// What git broke never became an operation; it is a failed sync of that commit all the same.
void write_last_syncs(Exposition& out,
                      const std::vector<StackSample>& stacks,
                      const CountersByStack& counters) {
  out.gauge("skep_stack_last_sync_timestamp_seconds",
            "Unix time of the last sync that ended since the agent started, 0 for none.");
  for (const auto& stack : stacks) {
    const auto of = counters.find(stack.id);
    const double refused_at = of == counters.end() ? 0 : of->second.refused_at;
    out.value(stack.last_success, {{"stack", stack.id}, {"result", "success"}});
    out.value(std::max(stack.last_failure, refused_at),
              {{"stack", stack.id}, {"result", "failure"}});
  }
  out.gauge("skep_stack_last_sync_success",
            "1 if the last finished sync succeeded; left out where none ended since the agent "
            "started.");
  for (const auto& stack : stacks) {
    const bool failing = stack.refused || stack.consecutive_failures > 0;
    if (!failing && stack.last_success == 0 && stack.last_failure == 0) continue;
    out.value(flag(!failing && stack.last_success >= stack.last_failure), {{"stack", stack.id}});
  }
  out.gauge("skep_stack_last_sync_duration_seconds",
            "Duration of the last finished sync; left out where none ended since the agent "
            "started.");
  for (const auto& stack : stacks) {
    if (stack.last_success == 0 && stack.last_failure == 0) continue;
    out.value(stack.last_duration, {{"stack", stack.id}});
  }
  out.gauge("skep_stack_consecutive_failures", "Failed syncs since the last success.");
  for (const auto& stack : stacks) {
    out.value(number(stack.consecutive_failures + (stack.refused ? 1 : 0)), {{"stack", stack.id}});
  }
}

}  // namespace

StackSample sample_of(const ports::StackStatus& status) {
  StackSample sample;
  sample.id = status.group + "/" + status.name;
  sample.group = status.group;
  sample.path = status.path;
  sample.mode = status.mode;
  sample.sync = status.sync;
  sample.health = status.health;
  sample.suspended = status.suspended;
  sample.held = status.held;
  sample.quarantined = status.quarantined;
  sample.refused = status.verdict == "broken";
  if (status.operation) sample.operation_began = seconds(status.operation->started);
  sample.revisions = {status.target_revision.substr(0, kRevisionDigits),
                      status.applied_revision.substr(0, kRevisionDigits),
                      status.healthy_revision.substr(0, kRevisionDigits)};
  sample.cause = status.drift_cause;
  sample.drift_since = seconds(status.drift_since);
  if (status.plan) {
    for (const auto& action : status.plan->actions) {
      const auto kind = static_cast<std::size_t>(action.kind);
      ++sample.drifted.at(kind).at(change_index(action.verb));
      if (status.held && action.verb == diff::Verb::remove) ++sample.pending_deletions;
    }
  }
  for (const auto& [kind, count] : status.declared) {
    sample.declared.at(static_cast<std::size_t>(kind)) = count;
  }
  sample.last_success = seconds(status.last_success);
  sample.last_failure = seconds(status.last_failure);
  sample.last_duration = std::chrono::duration<double>(status.last_duration).count();
  sample.consecutive_failures = status.consecutive_failures;
  sample.services.reserve(status.services.size());
  for (const auto& service : status.services) {
    // A word that a newer engine might add is no update that we know of.
    const auto known = std::find(kUpdateStates.begin(), kUpdateStates.end(), service.update_state);
    const auto state = known == kUpdateStates.end() ? 0 : known - kUpdateStates.begin();
    sample.services.push_back({.name = service.name,
                               .running = service.tasks_running,
                               .desired = service.desired,
                               .completed = service.tasks_completed,
                               .update_state = static_cast<std::size_t>(state),
                               .sent_back_by_person = service.sent_back_by_person});
  }
  return sample;
}

void write_stack_gauges(Exposition& out,
                        const std::vector<StackSample>& stacks,
                        const CountersByStack& counters,
                        std::string_view repository,
                        double now) {
  out.gauge("skep_stack_info", "Configured stacks and their policy mode.");
  for (const auto& stack : stacks) {
    out.value(1,
              {{"stack", stack.id},
               {"group", stack.group},
               {"repo", repository},
               {"path", stack.path},
               {"mode", stack.mode}});
  }
  out.gauge("skep_stack_revision_info", "Revision targeted, last applied, and last seen healthy.");
  for (const auto& stack : stacks) {
    for (std::size_t kind = 0; kind < kRevisionKinds.size(); ++kind) {
      if (stack.revisions.at(kind).empty()) continue;
      out.value(1,
                {{"stack", stack.id},
                 {"kind", kRevisionKinds.at(kind)},
                 {"revision", stack.revisions.at(kind)}});
    }
  }
  out.gauge("skep_stack_sync_state", "Sync state of the stack as a state set.");
  for (const auto& stack : stacks) {
    for (const auto state : kSyncStates) {
      out.value(flag(stack.sync == state), {{"stack", stack.id}, {"state", to_string(state)}});
    }
  }
  out.gauge("skep_stack_health_state", "Health state of the stack as a state set.");
  for (const auto& stack : stacks) {
    for (const auto state : kHealthStates) {
      out.value(flag(stack.health == state), {{"stack", stack.id}, {"state", to_string(state)}});
    }
  }
  out.gauge("skep_stack_suspended", "1 while reconciliation is suspended.");
  for (const auto& stack : stacks) out.value(flag(stack.suspended), {{"stack", stack.id}});
  out.gauge("skep_stack_held", "1 while the stack waits for an approval.");
  for (const auto& stack : stacks) out.value(flag(stack.held), {{"stack", stack.id}});
  out.gauge("skep_stack_quarantined",
            "1 if the target revision is quarantined after a failure or rollback.");
  for (const auto& stack : stacks) out.value(flag(stack.quarantined), {{"stack", stack.id}});
  out.gauge("skep_stack_operation_running_seconds",
            "Age of the operation in progress, 0 for none.");
  for (const auto& stack : stacks) {
    const double age = stack.operation_began > 0 ? std::max(now - stack.operation_began, 0.0) : 0;
    out.value(age, {{"stack", stack.id}});
  }

  out.gauge("skep_stack_drift_resources", "Resources that differ from the desired state.");
  for (const auto& stack : stacks) {
    for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
      const auto& drifted = stack.drifted.at(kind);
      const bool owned = stack.declared.at(kind) > 0 ||
                         std::any_of(drifted.begin(), drifted.end(), [](auto n) { return n > 0; });
      if (!owned) continue;
      for (std::size_t cause = 0; cause < kCauses.size(); ++cause) {
        const bool present = stack.cause && static_cast<std::size_t>(*stack.cause) == cause;
        for (std::size_t change = 0; change < kDriftChanges.size(); ++change) {
          out.value(present ? number(drifted.at(change)) : 0,
                    {{"stack", stack.id},
                     {"kind", kKinds.at(kind)},
                     {"cause", kCauses.at(cause)},
                     {"change", kDriftChanges.at(change)}});
        }
      }
    }
  }
  out.gauge("skep_stack_drift_since_timestamp_seconds",
            "Unix time when the present drift began, 0 for none.");
  for (const auto& stack : stacks) {
    for (std::size_t cause = 0; cause < kCauses.size(); ++cause) {
      const bool present = stack.cause && static_cast<std::size_t>(*stack.cause) == cause;
      out.value(present ? stack.drift_since : 0,
                {{"stack", stack.id}, {"cause", kCauses.at(cause)}});
    }
  }
  out.gauge("skep_stack_resources", "Resources declared by the stack.");
  for (const auto& stack : stacks) {
    for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
      out.value(number(stack.declared.at(kind)), {{"stack", stack.id}, {"kind", kKinds.at(kind)}});
    }
  }
  write_last_syncs(out, stacks, counters);
  out.gauge("skep_stack_pending_deletions",
            "Deletions held back by a prune guard or awaiting confirmation.");
  for (const auto& stack : stacks) {
    out.value(number(stack.pending_deletions), {{"stack", stack.id}});
  }
}

void write_service_gauges(Exposition& out, const std::vector<StackSample>& stacks) {
  out.gauge("skep_service_replicas", "Task counts per service.");
  for (const auto& stack : stacks) {
    for (const auto& service : stack.services) {
      out.value(number(service.desired),
                {{"stack", stack.id}, {"service", service.name}, {"state", "desired"}});
      out.value(number(service.running),
                {{"stack", stack.id}, {"service", service.name}, {"state", "running"}});
      out.value(number(service.completed),
                {{"stack", stack.id}, {"service", service.name}, {"state", "completed"}});
    }
  }
  out.gauge("skep_service_update_state", "Swarm update state per service.");
  for (const auto& stack : stacks) {
    for (const auto& service : stack.services) {
      for (std::size_t state = 0; state < kUpdateStates.size(); ++state) {
        out.value(
            flag(service.update_state == state),
            {{"stack", stack.id}, {"service", service.name}, {"state", kUpdateStates.at(state)}});
      }
    }
  }
}

void write_stack_counters(Exposition& out, const CountersByStack& counters) {
  // "other" stands for a word that is in no set yet; it is no series of its own until one comes.
  out.counter("skep_syncs_total", "Finished sync operations.");
  for (const auto& [stack, of] : counters) {
    for (std::size_t trigger = 0; trigger < kTriggers.size(); ++trigger) {
      for (std::size_t result = 0; result < kResults.size(); ++result) {
        const auto value = of.syncs.at(trigger).at(result);
        if (trigger + 1 == kTriggers.size() && value == 0) continue;
        out.value(number(value),
                  {{"stack", stack},
                   {"trigger", kTriggers.at(trigger)},
                   {"result", kResults.at(result)}});
      }
    }
  }
  out.counter("skep_sync_failures_total", "Failed syncs by the phase that failed.");
  for (const auto& [stack, of] : counters) {
    for (std::size_t phase = 0; phase < kPhases.size(); ++phase) {
      const auto value = of.failures.at(phase);
      if (phase + 1 == kPhases.size() && value == 0) continue;
      out.value(number(value), {{"stack", stack}, {"phase", kPhases.at(phase)}});
    }
  }
  out.counter("skep_drift_detected_total", "Transitions from in-sync to live drift.");
  for (const auto& [stack, of] : counters) {
    for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
      out.value(number(of.drift_detected.at(kind)), {{"stack", stack}, {"kind", kKinds.at(kind)}});
    }
  }
  out.counter("skep_drift_corrected_total", "Live drift corrections attempted.");
  for (const auto& [stack, of] : counters) {
    out.value(number(of.drift_corrected.at(0)), {{"stack", stack}, {"result", "success"}});
    out.value(number(of.drift_corrected.at(1)), {{"stack", stack}, {"result", "failure"}});
  }
  out.counter("skep_policy_violations_total", "Desired state refused by policy.");
  for (const auto& [stack, of] : counters) {
    for (const auto& [rule, count] : of.forbidden)
      out.value(number(count), {{"stack", stack}, {"rule", rule}});
  }
  out.counter("skep_rollbacks_total", "Rollbacks observed or made.");
  for (const auto& [stack, of] : counters) {
    for (std::size_t initiator = 0; initiator < kInitiators.size(); ++initiator) {
      out.value(number(of.rollbacks.at(initiator)),
                {{"stack", stack}, {"initiator", kInitiators.at(initiator)}});
    }
  }
}

// A service that never failed has no series: most never do, and six zeros each are many.
void write_task_failures(Exposition& out, const CountersByStack& counters) {
  out.counter("skep_service_task_failures_total", "Task failures observed.");
  for (const auto& [stack, of] : counters) {
    for (const auto& [labels, count] : of.task_failures) {
      out.value(number(count),
                {{"stack", stack},
                 {"service", labels.first},
                 {"reason", kFailureReasons.at(labels.second)}});
    }
  }
}

}  // namespace skep::metrics
