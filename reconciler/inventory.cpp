#include <algorithm>
#include <set>

#include "reconciler/observation/health.hpp"
#include "reconciler/work.hpp"
#include "swarm/labels.hpp"

// What observers are told of tasks that failed and of objects that serve nobody.
namespace skep::reconciler {
namespace {

using diff::ObjectKind;

/// Counts the generations of configs or secrets whose key has another one now.
template <typename Live, typename Wanted>
std::uint64_t superseded(const std::string& stack,
                         const std::vector<const Live*>& live,
                         const Wanted& wanted) {
  std::set<std::string> current;
  for (const auto& [key, spec] : wanted) current.insert(spec.name);
  std::uint64_t count = 0;
  for (const auto* object : live) {
    if (current.count(object->name) != 0) continue;
    auto key = label_of(object->labels, swarm::kKeyLabel);
    if (key.empty() && object->name.starts_with(stack + "_"))
      key = object->name.substr(stack.size() + 1);
    if (wanted.count(key) != 0) ++count;
  }
  return count;
}

}  // namespace

void Reconciler::report_failures(const StackFacts& facts,
                                 const swarm::LiveStack& live,
                                 const std::vector<swarm::Task>& tasks) {
  auto& reported = memory_[facts.name].failed_tasks;
  std::map<swarm::ObjectId, std::set<swarm::ObjectId>> kept;
  for (const auto* service : live.services) {
    const auto before = reported.find(service->id);
    bool listed = false;
    auto& failed = kept[service->id];
    for (const auto& task : tasks) {
      if (task.service_id != service->id) continue;
      listed = true;
      // What failed before this process began was counted by the one before it, or by nobody.
      if (!(is_failure(task) || task.state == "orphaned") || task.timestamp < began_) continue;
      failed.insert(task.id);
      if (before != reported.end() && before->second.count(task.id) != 0) continue;
      observer_.task_failed({full_name(facts), service->spec.name, failure_reason(task)});
    }
    // Nobody asked for its tasks this time: some of them may be seen again.
    if (!listed && before != reported.end()) failed = before->second;
  }
  reported = std::move(kept);
}

void Reconciler::report_inventory(const repository::DesiredState& desired,
                                  const swarm::LiveState& live,
                                  const State& state,
                                  const Work& work,
                                  Turn& turn) {
  if (options_.plan_only || !options_.only.empty()) return;
  const auto stacks = swarm::stacks_of(live);
  ports::Inventory inventory;
  for (const auto& facts : work.facts) {
    const auto at = stacks.find(facts.name);
    if (at == stacks.end() || facts.desired == nullptr || facts.desired->broken()) continue;
    const auto& wanted = facts.plan.desired;
    inventory.stale[ObjectKind::config] +=
        superseded(facts.name, at->second.configs, wanted.configs);
    inventory.stale[ObjectKind::secret] +=
        superseded(facts.name, at->second.secrets, wanted.secrets);
  }
  std::set<std::string> claimed;
  for (const auto& stack : desired.stacks) claimed.insert(stack->source.name);
  for (const auto& [name, record] : state.stacks) claimed.insert(name);
  for (const auto& [name, raw] : state.damaged) claimed.insert(name);
  claimed.insert(options_.self_stack);
  for (const auto& [name, objects] : stacks) {
    if (claimed.count(name) != 0) continue;
    const auto count = [&](ObjectKind kind, const auto& all, const auto& labels) {
      for (const auto* object : all) {
        const auto instance = label_of(labels(*object), swarm::kInstanceLabel);
        if (instance.empty() || instance == options_.instance) ++inventory.orphaned[kind];
      }
    };
    const auto of_spec = [](const auto& object) -> const auto& { return object.spec.labels; };
    const auto own = [](const auto& object) -> const auto& { return object.labels; };
    count(ObjectKind::service, objects.services, of_spec);
    count(ObjectKind::network, objects.networks, of_spec);
    count(ObjectKind::config, objects.configs, own);
    count(ObjectKind::secret, objects.secrets, own);
    const bool marked =
        std::any_of(objects.services.begin(), objects.services.end(), [this](const auto* service) {
          return label_of(service->spec.labels, swarm::kInstanceLabel) == options_.instance;
        });
    if (marked)
      turn.notes.push_back("the stack " + name +
                           " has the mark of this agent, but neither git nor the agent's records "
                           "know it: it is left as it is; bring its directory back, or remove it "
                           "with `docker stack rm " +
                           name + "`");
  }
  observer_.inventoried(inventory);
}

}  // namespace skep::reconciler
