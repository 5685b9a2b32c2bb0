#include <algorithm>

#include "core/logfmt.hpp"
#include "reconciler/work.hpp"

// What people ask for, and what of it must outlive this process.
namespace skep::reconciler {

void Reconciler::approve(const std::string& stack, bool durable, const std::string& actor) {
  const std::lock_guard lock(requests_mutex_);
  requests_.actors[stack] = actor;
  const auto shown = shown_.find(stack);
  (durable ? requests_.durable_approvals : requests_.approvals)[stack] =
      shown == shown_.end() ? "" : shown->second;
}

void Reconciler::request(const std::string& stack, const std::string& actor) {
  const std::lock_guard lock(requests_mutex_);
  requests_.actors[stack] = actor;
  requests_.syncs.insert(stack);
}

void Reconciler::suspend(const std::string& stack, Suspension suspension) {
  const std::lock_guard lock(requests_mutex_);
  requests_.suspensions[stack] = std::move(suspension);
}

void Reconciler::resume(const std::string& stack) {
  const std::lock_guard lock(requests_mutex_);
  requests_.suspensions[stack] = std::nullopt;
}

bool Reconciler::asked_to_suspend(const std::string& stack) {
  const std::lock_guard lock(requests_mutex_);
  const auto at = requests_.suspensions.find(stack);
  return at != requests_.suspensions.end() && at->second;
}

Result<bool> Reconciler::take_requests(const repository::DesiredState& desired,
                                       const swarm::LiveState& live,
                                       State& state,
                                       std::stop_token stop) {
  const auto in_git = [&](const std::string& name) -> const repository::DesiredStack* {
    const auto stack =
        std::find_if(desired.stacks.begin(), desired.stacks.end(), [&](const auto& candidate) {
          return candidate->source.name == name;
        });
    return stack == desired.stacks.end() ? nullptr : stack->get();
  };
  const auto content_now = [&](const std::string& name) {
    const auto* stack = in_git(name);
    return stack == nullptr ? std::string(kGone) : stack->content;
  };
  Requests asked;
  std::set<std::string> outdated;  // Approved, and not what git has any more.
  {
    const std::lock_guard lock(requests_mutex_);
    for (auto* approvals : {&requests_.approvals, &requests_.durable_approvals}) {
      std::erase_if(*approvals, [&](const auto& one) {
        const bool same = one.second.empty() || one.second == content_now(one.first);
        if (!same) outdated.insert(one.first);
        return !same;
      });
    }
    asked = requests_;
  }
  for (const auto& name : outdated) {
    StackFacts facts;
    facts.name = name;
    facts.desired = in_git(name);
    facts.look_up(state);
    log_.warn(logfmt("git moved on since that was approved: it is not done", {{"stack", name}}));
    observer_.noted({full_name(facts), "asked", "the approval is void: git moved on meanwhile"});
  }
  auto next = state;
  for (const auto& [name, content] : asked.durable_approvals)
    next.approvals[name] = content_now(name);
  for (const auto& [name, suspension] : asked.suspensions) {
    next.suspensions.erase(name);
    if (suspension) next.suspensions[name] = *suspension;
  }
  take_rollbacks(asked.rollbacks, desired, next);
  std::erase_if(next.suspensions, [&](const auto& entry) {
    return entry.second.until && *entry.second.until <= clock_.now();
  });
  bool written = false;
  if (next != state && !options_.plan_only) {
    // Kept until it is written: a person was told that it is accepted.
    auto wrote = store_.write(next, live, std::move(stop));
    if (!wrote) {
      if (wrote.error().kind != ErrorKind::conflict) observer_.state_lost();
      return std::move(wrote).error();
    }
    written = *wrote;
  }
  state = std::move(next);
  last_state_ = state;
  for (const auto& [name, content] : asked.approvals) {
    memory_[name].approved = true;
    memory_[name].approved_for = content_now(name);
  }
  for (const auto& name : asked.syncs) {
    memory_[name].requested = true;
    memory_[name].requested_for = content_now(name);
    memory_[name].contention.reset();
  }
  for (const auto& [name, actor] : asked.actors) memory_[name].actor = actor;
  if (!asked.syncs.empty()) planner_.ask_registries_again();
  const std::lock_guard lock(requests_mutex_);
  for (const auto& [name, rollback] : asked.rollbacks) {
    const auto at = requests_.rollbacks.find(name);
    if (at != requests_.rollbacks.end() && at->second == rollback) requests_.rollbacks.erase(at);
  }
  for (const auto& [name, actor] : asked.actors) requests_.actors.erase(name);
  for (const auto& [name, content] : asked.approvals) requests_.approvals.erase(name);
  for (const auto& [name, content] : asked.durable_approvals)
    requests_.durable_approvals.erase(name);
  for (const auto& name : asked.syncs) requests_.syncs.erase(name);
  for (const auto& [name, suspension] : asked.suspensions) {
    const auto at = requests_.suspensions.find(name);
    if (at != requests_.suspensions.end() && at->second == suspension)
      requests_.suspensions.erase(at);
  }
  return written;
}

}  // namespace skep::reconciler
