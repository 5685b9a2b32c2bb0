#include "reconciler/agent/older_than_swarm.hpp"

#include "reconciler/state.hpp"

namespace skep::reconciler {

std::string older_than_swarm(const ports::Source& source,
                             ports::Engine& engine,
                             const std::string& instance,
                             std::stop_token stop) {
  const auto live = engine.observe(std::move(stop));
  if (!live) return "whether what was fetched last is older than what runs is unknown";
  const auto state = StateStore(engine, instance).read(*live);
  if (!state) return state.error().message;
  for (const auto& [name, record] : state->stacks) {
    if (record.applied.empty()) continue;
    const auto found = source.find_commit(record.applied);
    if (found || found.error().kind != ErrorKind::invalid_input) continue;
    return "what was fetched last is older than what runs (stack " + name + " is at " +
           record.applied.substr(0, 12) + "), so nothing is done until git answers";
  }
  return {};
}

}  // namespace skep::reconciler
