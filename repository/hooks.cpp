#include "repository/hooks.hpp"

#include <algorithm>

#include "repository/mapping_reader.hpp"
#include "repository/settings.hpp"

namespace skep::repository {
namespace {

using namespace std::chrono_literals;

HookSettings read_hook(const yaml::Node& node, HookPhase phase, Findings& findings) {
  HookSettings hook;
  hook.phase = phase;
  hook.at = node.at();
  if (const auto* name = node.as<std::string>()) {
    hook.service = *name;
    return hook;
  }
  MappingReader reader("hooks." + std::string(to_string(phase)) + "[]", findings);
  reader
      .key("service", [&](const yaml::Node& value) { reader.text(value, "service", hook.service); })
      .key("deadline", [&](const yaml::Node& value) {
        const auto* text = value.as<std::string>();
        const auto length = text != nullptr ? parse_duration(*text) : std::nullopt;
        if (length && *length >= 1s) {
          hook.deadline = std::chrono::duration_cast<std::chrono::seconds>(*length);
        } else {
          complain(findings,
                   value.at(),
                   reader.named("deadline") + " must be a duration such as 90s or 30m");
        }
      });
  reader.read(node);
  return hook;
}

void make_job(swarm::ServiceSpec& spec) {
  auto& mode = spec.mode;
  if (!mode.is_job()) {
    const bool everywhere = mode.global.has_value();
    mode = {};
    if (everywhere) {
      mode.global_job.emplace();
    } else {
      auto& job = mode.replicated_job.emplace();
      job.max_concurrent = 1;
      job.total_completions = 1;
    }
  }
  // The engine refuses them of jobs.
  spec.update_config.reset();
  spec.rollback_config.reset();
  // Its own default tries again for ever.
  if (!spec.task_template.restart_policy)
    spec.task_template.restart_policy.emplace().condition = "none";
}

}  // namespace

std::string_view to_string(HookPhase phase) {
  return phase == HookPhase::pre_deploy ? "pre_deploy" : "post_deploy";
}

void read_hooks(const yaml::Node& node, std::vector<HookSettings>& into, Findings& findings) {
  into.clear();
  MappingReader reader("hooks", findings);
  const auto phase = [&](HookPhase which) {
    reader.key(std::string(to_string(which)), [&into, &findings, which](const yaml::Node& value) {
      if (value.is_null()) return;
      const auto* list = value.as<yaml::List>();
      if (list == nullptr) {
        complain(findings,
                 value.at(),
                 "hooks." + std::string(to_string(which)) +
                     " must be a list of services, such as [service: migrate]");
        return;
      }
      for (const auto& item : *list) {
        auto hook = read_hook(item, which, findings);
        if (!hook.service.empty()) {
          into.push_back(std::move(hook));
        } else {
          complain(findings,
                   item.at(),
                   "hooks." + std::string(to_string(which)) +
                       "[] needs the key of a service: service: migrate");
        }
      }
    });
  };
  phase(HookPhase::pre_deploy);
  phase(HookPhase::post_deploy);
  reader.read(node);
}

std::vector<Hook> take_hooks(swarm::StackSpec& stack,
                             const std::vector<HookSettings>& settings,
                             std::chrono::seconds timeout,
                             Findings& findings) {
  std::vector<Hook> hooks;
  std::vector<std::string> keys;
  for (const auto& [key, service] : stack.services) keys.push_back(key);
  for (const auto& one : settings) {
    const auto found = stack.services.find(one.service);
    if (found == stack.services.end()) {
      auto message = "hooks: there is no service " + one.service + " in this stack";
      if (const auto near = nearest(one.service, keys); !near.empty())
        message += "; did you mean " + near + "?";
      complain(findings, one.at, std::move(message));
      continue;
    }
    Hook hook;
    hook.phase = one.phase;
    hook.key = one.service;
    hook.service = found->second;
    hook.service.depends_on.clear();
    hook.deadline = one.deadline.count() > 0 ? one.deadline : timeout;
    make_job(hook.service.spec);
    hooks.push_back(std::move(hook));
  }
  for (const auto& hook : hooks) stack.services.erase(hook.key);
  return hooks;
}

}  // namespace skep::repository
