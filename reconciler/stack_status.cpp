#include "reconciler/stack_status.hpp"

#include <algorithm>

namespace skep::reconciler {
namespace {

using ports::Health;

/// Why tasks are not even placed, where the plan knows it; begins with "; ", "" for nothing.
std::string networks_trouble(const StackFacts& facts) {
  for (const auto& note : facts.plan.notes) {
    if (note.text.find(" gets no place in the swarm") != std::string::npos) return "; " + note.text;
  }
  return "";
}

/// The sentence about a stack that needs no decision but is not well.
std::string health_message(const StackFacts& facts, const StackMemory& memory) {
  if (memory.failures > 0) {
    for (const auto& service : facts.services) {  // What is the matter by now.
      const auto now = service.name + ": " + service.trouble;
      if (!service.trouble.empty() && memory.error.find(service.trouble) == std::string::npos)
        return memory.error + (memory.error.empty() ? "" : "; now ") + now;
    }
    return memory.error + networks_trouble(facts);
  }
  if (facts.health == Health::healthy) {
    if (!facts.plan.empty()) return "";
    for (const auto& note : facts.plan.notes) {  // What differs, and stays as it is.
      if (note.severity == diff::Note::Severity::warning) return note.text;
    }
    return "";
  }
  if (!facts.plan.empty() && facts.plan.only_removals()) {
    return "removals wait until the stack is healthy";
  }
  for (const auto& service : facts.services) {
    if (!service.trouble.empty())
      return service.name + ": " + service.trouble + networks_trouble(facts);
  }
  return facts.plan.empty() ? "" : memory.waits;
}

/// What differs, whether it is put right or not.
diff::Plan with_what_is_left_alone(const StackFacts& facts) {
  auto plan = facts.plan;
  for (const auto& action : facts.left_alone) {
    const auto at = std::find_if(plan.actions.begin(), plan.actions.end(), [&](const auto& other) {
      return other.kind == action.kind && other.name == action.name;
    });
    if (at == plan.actions.end()) {
      plan.actions.push_back(action);
      std::erase(plan.untouched, action.key);
    } else {
      *at = action;
    }
  }
  return plan;
}

}  // namespace

ports::StackStatus describe_stack(const StackFacts& facts,
                                  const Decision& decision,
                                  const StackMemory& memory,
                                  const std::string& target_revision,
                                  bool plan_only) {
  ports::StackStatus status;
  status.name = facts.name;
  if (facts.desired != nullptr) {
    status.group = facts.desired->source.group;
    status.path = facts.desired->source.directory.text();
    const auto sync = facts.desired->source.settings.policy.sync;
    status.mode = sync == repository::SyncMode::automatic ? "auto"
                  : sync == repository::SyncMode::manual  ? "manual"
                                                          : "observe";
    status.target_revision = target_revision;
    using diff::ObjectKind;
    const auto& spec = facts.desired->spec;
    status.declared = {{ObjectKind::service, spec.services.size()},
                       {ObjectKind::network, spec.networks.size()},
                       {ObjectKind::config, spec.configs.size()},
                       {ObjectKind::secret, spec.secrets.size()}};
  } else {
    status.mode = "auto";
    // Whether it left git nobody knows.
    if (decision.verdict == Verdict::broken) status.target_revision = target_revision;
  }
  if (facts.record != nullptr) {
    status.applied_revision = facts.record->applied;
    status.healthy_revision = facts.record->healthy;
    if (facts.desired == nullptr) {
      status.path = facts.record->path;
      status.group = status.path.substr(0, status.path.rfind('/'));
    }
  }
  switch (decision.verdict) {
    case Verdict::nothing:
    case Verdict::adopt:
    case Verdict::forget:
    case Verdict::suspended:
      status.sync = ports::SyncState::synced;
      break;
    case Verdict::broken:
      status.sync = ports::SyncState::unknown;
      break;
    default:
      status.sync = ports::SyncState::out_of_sync;
  }
  status.health = facts.health;
  const auto* target =
      facts.desired == nullptr || facts.desired->broken() ? nullptr : facts.target();
  if (status.health == Health::progressing && target != nullptr &&
      memory.overdue_content == target->content)
    status.health = Health::degraded;  // The deadline has passed.
  status.held = decision.verdict == Verdict::held;
  status.message = decision.message;
  status.suspended = facts.suspension != nullptr;
  status.quarantined = facts.quarantined();
  // A plan is about what would be done; how things stand meanwhile is not its business.
  if (status.message.empty() && !plan_only) status.message = health_message(facts, memory);
  status.drift_cause = memory.drift_cause;
  status.drift_since = memory.drift_since;
  if (decision.verdict != Verdict::broken) status.plan = with_what_is_left_alone(facts);
  status.services = facts.services;
  status.last_success = memory.last_success;
  status.last_failure = memory.last_failure;
  status.last_duration = memory.last_duration;
  status.consecutive_failures = memory.failures;
  return status;
}

}  // namespace skep::reconciler
