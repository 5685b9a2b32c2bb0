#include "reconciler/stuck_rollout.hpp"

#include <algorithm>
#include <utility>

#include "core/logfmt.hpp"
#include "reconciler/observation/health.hpp"
#include "reconciler/reconciler.hpp"

namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostChances = 3;  ///< A node may come and go all day.
/// The first lists after an engine hung may be of before its nodes registered anew (seen).
constexpr auto kAfterBlindness = 30s;

bool is_paused(const swarm::LiveService& service) {
  return service.update.state == "paused" || service.update.state == "rollback_paused";
}

/// Swarm ends tasks on a node that goes, is drained, or loses the role or label that they ask for.
bool takes_the_same_tasks(const swarm::LiveNode& before, const swarm::LiveNode& now) {
  return before.state == now.state && before.availability == now.availability &&
         before.role == now.role && before.labels == now.labels;
}

}  // namespace

bool send_again(diff::Plan& plan,
                const diff::LiveIndex& index,
                const std::function<std::string(const swarm::LiveService&)>& reason_of) {
  bool any = false;
  for (const auto& [key, wanted] : plan.desired.services) {
    const auto& name = wanted.spec.name;
    const auto* live = index.state().find_service(name);
    if (live == nullptr || plan.touches_service(name)) continue;
    auto reason = reason_of(*live);
    if (reason.empty()) continue;
    diff::Action action;
    action.name = name;
    action.key = key;
    action.live_id = live->id;
    action.impact = diff::Impact::start;
    action.reason = std::move(reason);
    plan.actions.push_back(std::move(action));
    std::erase(plan.untouched, key);
    any = true;
  }
  return any;
}

std::string begin_of_paused_update(const diff::Plan& plan, const diff::LiveIndex& index) {
  std::string began;
  for (const auto& [key, wanted] : plan.desired.services) {
    const auto* live = index.state().find_service(wanted.spec.name);
    if (live == nullptr || !is_paused(*live) || live->update.started_at.empty()) continue;
    if (began.empty()) began = live->update.started_at;
    began = std::min(began, live->update.started_at);
  }
  return began;
}

void Reconciler::watch_nodes(const swarm::LiveState& live) {
  std::map<swarm::ObjectId, swarm::LiveNode> nodes;
  const auto now = clock_.steady();
  if (blind_) sees_again_ = now;
  for (const auto& node : live.nodes) {
    const auto known = nodes_.find(node.id);
    // Who was not looking does not know.
    const bool unseen = blind_ || known == nodes_.end();
    const bool registered = sees_again_ && now < *sees_again_ + kAfterBlindness && !unseen &&
                            known->second.updated_at != node.updated_at;
    if (unseen || registered || !takes_the_same_tasks(known->second, node))
      nodes_moved_ = std::max(nodes_moved_, node.updated_at);
    nodes[node.id] = node;
  }
  nodes_ = std::move(nodes);
}

bool Reconciler::waits_for_nodes(const StackFacts& facts) {
  auto& memory = memory_[facts.name];
  auto& operation = *memory.operation;
  const bool moved = nodes_moved_ > std::max(operation.nodes_moved, memory.nodes_moved);
  const bool away = std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& entry) {
    const auto& node = entry.second;
    return (node.state != "ready" || node.availability != "active") &&
           node.updated_at > memory.nodes_moved;
  });
  const bool no_place =
      std::any_of(facts.services.begin(), facts.services.end(), [](const auto& service) {
        return service.trouble.find("no suitable node") != std::string::npos;
      });
  if (operation.prolonged >= kMostChances || !(moved || (away && no_place))) return false;
  ++operation.prolonged;
  operation.nodes_moved = nodes_moved_;
  log_.warn(
      logfmt("a node went or came during the rollout: it gets more time", {{"stack", facts.name}}));
  return true;
}

bool Reconciler::is_excused_rollback(const StackFacts& facts, const swarm::UpdateStatus& update) {
  auto& memory = memory_[facts.name];
  if (memory.excused_updates.contains(update.started_at)) return true;
  // Only who saw the update begin knows what happened during it.
  if (!memory.operation || facts.desired == nullptr || facts.record == nullptr ||
      memory.operation->content != facts.desired->content ||
      facts.record->content != facts.desired->content || facts.quarantined() ||
      by_a_person(update) || memory.excused_updates.size() >= kMostChances ||
      nodes_moved_ <= memory.nodes_moved)
    return false;
  memory.excused_updates.insert(update.started_at);
  memory.begun = facts.desired->content;  // What it went back from is nobody's edit.
  log_.warn(logfmt("swarm rolled back while a node went or came: it is sent again",
                   {{"stack", facts.name}, {"message", update.message}}));
  return true;
}

bool Reconciler::is_excused(const StackFacts& facts, const diff::LiveIndex& index) {
  if (options_.plan_only || facts.record == nullptr || facts.quarantined()) return false;
  const auto& content = facts.desired->content;
  if (facts.record->content != content || facts.record->healthy_content == content) return false;
  auto& memory = memory_[facts.name];
  // A first deployment has nothing to go back to and is tried on.
  if (facts.record->healthy_content.empty() && memory.failures > 0 && !memory.operation)
    return true;
  const auto began = begin_of_paused_update(facts.plan, index);
  if (began.empty() || nodes_moved_ <= began) return false;
  if (memory.excused_updates.size() < kMostChances) memory.excused_updates.insert(began);
  return memory.excused_updates.count(began) != 0;
}

bool Reconciler::has_new_credentials(const StackMemory& memory,
                                     const swarm::ServiceSpec& service,
                                     std::stop_token stop) {
  if (memory.unpullable.count(service.name) == 0) return false;
  const auto mark =
      engine_.credentials_mark(service.task_template.container.image, std::move(stop));
  const auto sent = memory.sent_with.find(service.name);
  return !mark.empty() && (sent == memory.sent_with.end() || sent->second != mark);
}

void Reconciler::send_stuck_again(StackFacts& facts,
                                  const diff::LiveIndex& index,
                                  std::stop_token stop) {
  auto& memory = memory_[facts.name];
  const bool excused = is_excused(facts, index);
  const bool kept = facts.record != nullptr && facts.record->content == facts.desired->content &&
                    !facts.quarantined() && !options_.plan_only;
  const auto any =
      send_again(facts.plan, index, [&](const swarm::LiveService& live) -> std::string {
        if ((excused || memory.requested) && is_paused(live))
          return "swarm paused its update: it is sent again";
        if (memory.requested && memory.unpullable.count(live.spec.name) != 0)
          return "its image could not be pulled: it is sent again";
        if (kept && has_new_credentials(memory, live.spec, stop))
          return "its image could not be pulled: it is sent again with the registry's new "
                 "credentials";
        return "";
      });
  // What is sent again by itself is nobody's edit.
  if (any && !memory.requested) memory.begun = facts.desired->content;
}

void Reconciler::note_credentials(const StackFacts& facts,
                                  const diff::Action& done,
                                  std::stop_token stop) {
  if (done.kind != diff::ObjectKind::service || done.verb == diff::Verb::remove) return;
  const auto service = facts.plan.desired.services.find(done.key);
  if (service == facts.plan.desired.services.end()) return;
  const auto& spec = service->second.spec;
  memory_[facts.name].sent_with[spec.name] =
      engine_.credentials_mark(spec.task_template.container.image, std::move(stop));
}

}  // namespace skep::reconciler
