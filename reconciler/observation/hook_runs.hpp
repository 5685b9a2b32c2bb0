#pragma once

#include <string>
#include <vector>

#include "core/clock.hpp"
#include "reconciler/observation/hook_runs.hpp"
#include "repository/hooks.hpp"
#include "swarm/live_state.hpp"

/// Hooks in the swarm: how their jobs are known there, and how far one is.
namespace skep::reconciler {

/// Marks a hook's service: which phase, for which content of its stack, begun when. That the swarm
/// itself knows it makes a run last over the loss of the agent.
void mark_hook(swarm::ServiceSpec& spec,
               repository::HookPhase phase,
               const std::string& content,
               WallTime started);
[[nodiscard]] bool is_hook(const swarm::LiveService& service);
/// Takes all hooks' services out of a reading of the swarm, so that nothing else takes them for
/// services that git should name. Returns them.
[[nodiscard]] std::vector<swarm::LiveService> split_hooks(swarm::LiveState& live);

/// How far the run of one hook is.
struct HookRun {
  enum class Stage {
    absent,  ///< It is to be started.
    other,   ///< Under its name stands another run: of older content, or of the other phase.
    running,
    completed,
    failed,
    overdue,  ///< Past its deadline; the reconciler's word, which has a clock that nobody sets.
  };
  Stage stage = Stage::absent;
  const swarm::LiveService* service = nullptr;
  std::string trouble;  ///< Of a failed one, in the engine's words.
  WallTime started{};   ///< As it is written on the job.
};
/// `live` are hooks' services of the stack; `tasks` those of all of them.
[[nodiscard]] HookRun run_of(const repository::Hook& hook,
                             const std::string& content,
                             const std::vector<swarm::LiveService>& live,
                             const std::vector<swarm::Task>& tasks,
                             WallTime now);

}  // namespace skep::reconciler
