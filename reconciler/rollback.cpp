#include <algorithm>

#include "core/logfmt.hpp"
#include "reconciler/work.hpp"

// A person sends a stack back: the quarantine of a failed rollout, decided by hand.
namespace skep::reconciler {

void Reconciler::rollback(const std::string& stack, Rollback request) {
  const std::lock_guard lock(requests_mutex_);
  requests_.rollbacks[stack] = std::move(request);
}

void Reconciler::take_rollbacks(const std::map<std::string, Rollback>& asked,
                                const repository::DesiredState& desired,
                                State& next) {
  for (const auto& [name, rollback] : asked) {
    const auto stack = std::find_if(
        desired.stacks.begin(), desired.stacks.end(), [&, wanted = &name](const auto& candidate) {
          return candidate->source.name == *wanted;
        });
    const auto known = next.stacks.find(name);
    if (stack == desired.stacks.end() || known == next.stacks.end() ||
        (*stack)->content != rollback.instead_of) {
      log_.warn(logfmt("git moved meanwhile; the stack is not rolled back",
                       {{"stack", name}, {"actor", rollback.actor}}));
      continue;
    }
    auto& record = known->second;
    auto& memory = memory_[name];
    const auto reason = rollback.actor + " sent it back";
    if (record.quarantined == rollback.instead_of && record.rollback_to == rollback.commit &&
        record.quarantine_reason == reason)
      continue;  // Asked for twice.
    record.quarantined = rollback.instead_of;
    record.quarantine_deadlines.clear();
    record.quarantine_reason = reason;
    record.rollback_to = rollback.commit;
    // What a person turned away is nothing to return to, however healthy it was.
    if (record.healthy_content == rollback.instead_of) {
      record.healthy = rollback.commit;
      record.healthy_content = rollback.content;
      if (record.earlier_healthy == rollback.commit) record.earlier_healthy.clear();
    }
    cancel_operation((*stack)->source.group + "/" + name, memory, reason);
    memory.requested = memory.approved = false;
    memory.failures = 0;
    memory.error.clear();
    memory.failed_content.clear();
    memory.actor = rollback.actor;
  }
}

void Reconciler::note_way_back(const StackFacts& facts, State& next) const {
  const auto known = next.stacks.find(facts.name);
  if (known == next.stacks.end() || known->second.rollback_to.empty()) return;
  if (!facts.plan.empty() || facts.health != ports::Health::healthy) return;
  auto& record = known->second;
  if (record.healthy_content == facts.rollback->content) return;
  record.healthy = record.rollback_to;
  record.healthy_content = facts.rollback->content;
}

}  // namespace skep::reconciler
