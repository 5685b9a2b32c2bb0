#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/finding.hpp"
#include "swarm/stack_spec.hpp"
#include "yaml/node.hpp"

/// Services that run once, as jobs, before or after a deployment (design §5, "Hooks and jobs").
namespace skep::repository {

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

}  // namespace skep::repository
