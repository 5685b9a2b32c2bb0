#include "reconciler/health.hpp"

#include <algorithm>
#include <array>

namespace skep::reconciler {
namespace {

bool completed(const swarm::LiveService& service) {
  const auto& job = service.spec.mode.replicated_job;
  const auto wanted = job ? job->total_completions.value_or(1) : service.desired_tasks;
  return service.completed_tasks >= wanted;
}

bool all_running(const swarm::LiveService& service) {
  if (service.spec.mode.is_job()) return completed(service);
  return service.running_tasks >= service.desired_tasks;
}

bool is_failure(const swarm::Task& task) {
  return task.state == "failed" || task.state == "rejected";
}

/// Tasks that failed in a row, newest first per service: three mean that it will not come up by
/// itself.
constexpr std::size_t kChurn = 3;

std::vector<const swarm::Task*> newest_first(const std::vector<swarm::Task>& tasks) {
  std::vector<const swarm::Task*> sorted;
  for (const auto& task : tasks) sorted.push_back(&task);
  std::stable_sort(sorted.begin(), sorted.end(), [](const swarm::Task* a, const swarm::Task* b) {
    return a->timestamp > b->timestamp;
  });
  return sorted;
}

/// The engine's own words: of a task that waits, else of the newest that failed.
std::string trouble_of(const std::vector<swarm::Task>& tasks) {
  const auto sorted = newest_first(tasks);
  for (const auto* task : sorted) {
    const bool waits =
        task->desired_state == "running" && (task->state == "pending" || task->state == "new");
    if (waits && !task->error.empty()) return task->error;
  }
  for (const auto* task : sorted) {
    if (!is_failure(*task)) continue;
    if (!task->error.empty()) return task->error;
    if (task->exit_code != 0)
      return "task: non-zero exit (" + std::to_string(task->exit_code) + ")";
    return task->message;
  }
  for (const auto* task : sorted) {
    if (task->desired_state == "running" && task->state != "running")
      return task->message == task->state ? task->state : task->state + ": " + task->message;
  }
  return "";
}

std::string mode_of(const swarm::ServiceMode& mode) {
  if (mode.global) return "global";
  if (mode.replicated_job) return "replicated-job";
  if (mode.global_job) return "global-job";
  return "replicated";
}

}  // namespace

bool needs_tasks(const swarm::LiveService& service) {
  const auto& state = service.update.state;
  return !all_running(service) || state == "updating" || state == "paused" ||
         state.starts_with("rollback_");
}

ports::Health health_of(const swarm::LiveService& service, const std::vector<swarm::Task>& tasks) {
  const auto& update = service.update.state;
  if (update == "paused" || update == "rollback_paused" || update == "rollback_completed")
    return ports::Health::degraded;
  if (update == "updating" || update == "rollback_started") return ports::Health::progressing;
  if (all_running(service)) return ports::Health::healthy;
  const auto failures =
      static_cast<std::size_t>(std::count_if(tasks.begin(), tasks.end(), is_failure));
  if (failures >= kChurn) return ports::Health::degraded;
  return ports::Health::progressing;
}

ports::ServiceStatus describe_service(const swarm::LiveService& service,
                                      const std::vector<swarm::Task>& tasks) {
  ports::ServiceStatus status;
  status.name = service.spec.name;
  status.image = service.spec.task_template.container.image;
  status.running = service.spec.mode.is_job() ? service.completed_tasks : service.running_tasks;
  status.desired = service.desired_tasks;
  if (const auto& job = service.spec.mode.replicated_job)
    status.desired = job->total_completions.value_or(1);
  status.update_state = service.update.state;
  status.mode = mode_of(service.spec.mode);
  if (health_of(service, tasks) != ports::Health::healthy) {
    status.trouble = trouble_of(tasks);
    const auto& update = service.update;
    if (update.state == "paused" || update.state.starts_with("rollback_")) {
      status.trouble = update.message + (status.trouble.empty() ? "" : ": " + status.trouble);
    }
  }
  return status;
}

ports::Health worst(ports::Health a, ports::Health b) {
  constexpr std::array kOrder = {ports::Health::unknown,
                                 ports::Health::degraded,
                                 ports::Health::missing,
                                 ports::Health::progressing,
                                 ports::Health::healthy};
  for (const auto health : kOrder) {
    if (a == health || b == health) return health;
  }
  return a;
}

}  // namespace skep::reconciler
