#include "reconciler/observation/hook_runs.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "reconciler/observation/health.hpp"
#include "swarm/labels.hpp"

namespace skep::reconciler {
namespace {

std::string label(const swarm::ServiceSpec& spec, std::string_view name) {
  const auto at = spec.labels.find(std::string(name));
  return at == spec.labels.end() ? std::string() : at->second;
}

/// A task that may still come to something.
bool goes_on(const swarm::Task& task) {
  return task.state == "new" || task.state == "pending" || task.state == "assigned" ||
         task.state == "accepted" || task.state == "preparing" || task.state == "ready" ||
         task.state == "starting" || task.state == "running";
}

}  // namespace

void mark_hook(swarm::ServiceSpec& spec,
               repository::HookPhase phase,
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

HookRun run_of(const repository::Hook& hook,
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
  if (tried && is_completed(*at, own)) {
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
    // After its engine stopped under it, the task is older than the service.
    if (run.trouble.empty()) run.trouble = last_failure(*at, own);
    return run;
  }
  std::int64_t started = 0;
  const auto text = label(at->spec, swarm::kHookStartedLabel);
  std::from_chars(text.data(), text.data() + text.size(), started);
  run.started = WallTime(std::chrono::milliseconds(started));
  return run;
}

}  // namespace skep::reconciler
