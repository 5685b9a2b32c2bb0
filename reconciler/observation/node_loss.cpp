#include "reconciler/observation/node_loss.hpp"

#include <map>
#include <set>
#include <utility>
#include <vector>

namespace skep::reconciler {

Result<void> discount_lost_tasks(swarm::LiveState& live,
                                 ports::Engine& engine,
                                 std::stop_token stop) {
  std::set<swarm::ObjectId> lost;
  for (const auto& node : live.nodes) {
    if (node.state == "down") lost.insert(node.id);
  }
  if (lost.empty()) return {};
  std::vector<swarm::ObjectId> services;
  for (const auto& service : live.services) {
    if (service.running_tasks > 0) services.push_back(service.id);
  }
  if (services.empty()) return {};
  const auto tasks = engine.tasks(services, std::move(stop));
  if (!tasks) return Error(tasks.error()).within("tasks of a swarm with a node that is down");
  std::map<swarm::ObjectId, std::uint64_t> running;
  for (const auto& task : *tasks) {
    if (task.state == "running" && task.desired_state == "running" && lost.count(task.node_id) == 0)
      ++running[task.service_id];
  }
  for (auto& service : live.services) {
    if (service.running_tasks > 0) service.running_tasks = running[service.id];
  }
  return {};
}

}  // namespace skep::reconciler
