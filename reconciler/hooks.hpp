#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/finding.hpp"
#include "swarm/live_state.hpp"
#include "swarm/stack_spec.hpp"
#include "yaml/node.hpp"

/// Services that run once, as jobs, before or after a deployment (design §5, "Hooks and jobs").
namespace skep::reconciler {

enum class HookPhase { pre_deploy, post_deploy };
[[nodiscard]] std::string_view to_string(HookPhase phase);

/// One line of `hooks:` in a stack's skep.yaml.
struct HookSettings {
  HookPhase phase = HookPhase::pre_deploy;
  std::string service;              ///< Its key in the compose file.
  std::chrono::seconds deadline{};  ///< 0: that of a rollout.
  SourcePosition at;
};

/// What is to run. Not among the services of its stack any more.
struct Hook {
  HookPhase phase = HookPhase::pre_deploy;
  std::string key;
  swarm::DesiredService service;  ///< A job that is not tried again, unless its file says so.
  std::chrono::seconds deadline{};
};

/// `hooks: { pre_deploy: [service: migrate], post_deploy: […] }`, or names alone in the lists.
void read_hooks(const yaml::Node& node, std::vector<HookSettings>& into, Findings& findings);

/// Takes the services that are hooks out of `stack` and makes jobs of them.
[[nodiscard]] std::vector<Hook> take_hooks(swarm::StackSpec& stack,
                                           const std::vector<HookSettings>& settings,
                                           std::chrono::seconds timeout,
                                           Findings& findings);

/// Marks a hook's service: which phase, for which content of its stack, begun when. That the swarm
/// itself knows it makes a run last over the loss of the agent.
void mark_hook(swarm::ServiceSpec& spec,
               HookPhase phase,
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
[[nodiscard]] HookRun run_of(const Hook& hook,
                             const std::string& content,
                             const std::vector<swarm::LiveService>& live,
                             const std::vector<swarm::Task>& tasks,
                             WallTime now);

}  // namespace skep::reconciler
