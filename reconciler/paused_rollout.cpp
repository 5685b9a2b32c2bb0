#include "reconciler/paused_rollout.hpp"

#include <algorithm>
#include <utility>

#include "reconciler/reconciler.hpp"

namespace skep::reconciler {
namespace {

bool is_paused(const swarm::LiveService& service) {
  return service.update.state == "paused" || service.update.state == "rollback_paused";
}

}  // namespace

bool send_paused_again(diff::Plan& plan, const diff::LiveIndex& index) {
  bool any = false;
  for (const auto& [key, wanted] : plan.desired.services) {
    const auto& name = wanted.spec.name;
    const auto* live = index.state().find_service(name);
    const bool planned =
        std::any_of(plan.actions.begin(), plan.actions.end(), [&](const diff::Action& action) {
          return action.kind == diff::ObjectKind::service && action.name == name;
        });
    if (live == nullptr || planned || !is_paused(*live)) continue;
    diff::Action action;
    action.name = name;
    action.key = key;
    action.live_id = live->id;
    action.impact = diff::Impact::start;
    action.reason = "swarm paused its update: it is sent again";
    plan.actions.push_back(std::move(action));
    std::erase(plan.untouched, key);
    any = true;
  }
  return any;
}

std::string begin_of_update_paused_by_a_node(const diff::Plan& plan, const diff::LiveIndex& index) {
  const auto& nodes = index.state().nodes;
  for (const auto& [key, wanted] : plan.desired.services) {
    const auto* live = index.state().find_service(wanted.spec.name);
    if (live == nullptr || !is_paused(*live) || live->update.started_at.empty()) continue;
    const auto& began = live->update.started_at;
    const bool moved = std::any_of(nodes.begin(), nodes.end(), [&](const swarm::LiveNode& node) {
      return node.updated_at > began;
    });
    if (moved) return began;
  }
  return "";
}

bool Reconciler::is_excused(const StackFacts& facts, const diff::LiveIndex& index) {
  constexpr std::size_t kMostChances = 3;  // A node may come and go all day.
  if (options_.plan_only || facts.record == nullptr || facts.quarantined()) return false;
  const auto& content = facts.desired->content;
  if (facts.record->content != content || facts.record->healthy_content == content) return false;
  auto& memory = memory_[facts.name];
  // A first deployment has nothing to go back to and is tried on.
  if (facts.record->healthy_content.empty() && memory.failures > 0 && !memory.operation)
    return true;
  const auto began = begin_of_update_paused_by_a_node(facts.plan, index);
  if (began.empty()) return false;
  if (memory.excused_updates.size() < kMostChances) memory.excused_updates.insert(began);
  return memory.excused_updates.count(began) != 0;
}

void Reconciler::resume_paused(StackFacts& facts, const diff::LiveIndex& index) {
  auto& memory = memory_[facts.name];
  const bool excused = is_excused(facts, index);
  if ((excused || memory.requested) && send_paused_again(facts.plan, index) && excused)
    memory.begun = facts.desired->content;
}

}  // namespace skep::reconciler
