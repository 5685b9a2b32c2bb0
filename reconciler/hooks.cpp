#include "reconciler/hooks.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "reconciler/health.hpp"
#include "reconciler/mapping_reader.hpp"
#include "reconciler/settings.hpp"
#include "swarm/labels.hpp"

namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;

std::string label(const swarm::ServiceSpec& spec, std::string_view name) {
  const auto at = spec.labels.find(std::string(name));
  return at == spec.labels.end() ? std::string() : at->second;
}

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

/// A task that may still come to something.
bool goes_on(const swarm::Task& task) {
  return task.state == "new" || task.state == "pending" || task.state == "assigned" ||
         task.state == "accepted" || task.state == "preparing" || task.state == "ready" ||
         task.state == "starting" || task.state == "running";
}

std::uint64_t wanted(const swarm::LiveService& service) {
  const auto& job = service.spec.mode.replicated_job;
  return job ? job->total_completions.value_or(1) : service.desired_tasks;
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

void mark_hook(swarm::ServiceSpec& spec,
               HookPhase phase,
               const std::string& content,
               WallTime started) {
  spec.labels[std::string(swarm::kHookLabel)] = to_string(phase);
  spec.labels[std::string(swarm::kHookContentLabel)] = content;
  spec.labels[std::string(swarm::kHookStartedLabel)] =
      std::to_string(started.time_since_epoch().count());
}

bool is_hook(const swarm::LiveService& service) {
  return service.spec.labels.count(std::string(swarm::kHookLabel)) != 0;
}

std::vector<swarm::LiveService> split_hooks(swarm::LiveState& live) {
  std::vector<swarm::LiveService> hooks;
  std::copy_if(live.services.begin(), live.services.end(), std::back_inserter(hooks), is_hook);
  if (!hooks.empty()) std::erase_if(live.services, is_hook);
  return hooks;
}

HookRun run_of(const Hook& hook,
               const std::string& content,
               const std::vector<swarm::LiveService>& live,
               const std::vector<swarm::Task>& tasks,
               WallTime now) {
  using Stage = HookRun::Stage;
  const auto at = std::find_if(live.begin(), live.end(), [&](const swarm::LiveService& service) {
    return service.spec.name == hook.service.spec.name;
  });
  if (at == live.end()) return {};
  HookRun run;
  run.service = &*at;
  if (label(at->spec, swarm::kHookLabel) != to_string(hook.phase) ||
      label(at->spec, swarm::kHookContentLabel) != content) {
    run.stage = Stage::other;
    return run;
  }
  std::vector<swarm::Task> own;
  std::copy_if(tasks.begin(), tasks.end(), std::back_inserter(own), [&](const swarm::Task& task) {
    return task.service_id == at->id;
  });
  const bool tried = !own.empty() || at->completed_tasks > 0;
  if (tried && at->completed_tasks >= wanted(*at)) {
    run.stage = Stage::completed;
    return run;
  }
  const bool failed = std::any_of(own.begin(), own.end(), [](const swarm::Task& task) {
    return task.state == "failed" || task.state == "rejected";
  });
  run.trouble = describe_service(*at, own, now).trouble;
  run.stage = Stage::running;
  if (failed && std::none_of(own.begin(), own.end(), goes_on)) {
    run.stage = Stage::failed;
    return run;
  }
  std::int64_t started = 0;
  const auto text = label(at->spec, swarm::kHookStartedLabel);
  std::from_chars(text.data(), text.data() + text.size(), started);
  run.started = WallTime(std::chrono::milliseconds(started));
  return run;
}

}  // namespace skep::reconciler
