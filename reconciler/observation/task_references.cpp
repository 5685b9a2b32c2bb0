#include "reconciler/observation/task_references.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace skep::reconciler {
namespace {

bool has_ended(const swarm::Task& task) {
  constexpr std::array<std::string_view, 6> kEnds{
      "complete", "shutdown", "failed", "rejected", "remove", "orphaned"};
  return std::find(kEnds.begin(), kEnds.end(), task.state) != kEnds.end();
}

}  // namespace

std::optional<std::set<swarm::ObjectId>> held_by_tasks(ports::Engine& engine,
                                                       const std::vector<swarm::ObjectId>& services,
                                                       std::stop_token stop) {
  const auto tasks = engine.tasks(services, stop);
  if (!tasks) return std::nullopt;
  std::set<swarm::ObjectId> held;
  for (const auto& task : *tasks) {
    if (!has_ended(task)) held.insert(task.references.begin(), task.references.end());
  }
  return held;
}

}  // namespace skep::reconciler
