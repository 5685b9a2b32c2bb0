#include "reconciler/observation/health.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "core/clock.hpp"

namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;

/// So many ends mean that it will not come up by itself …
constexpr std::size_t kChurn = 3;
/// … while it is down, within this time; the history of tasks is older than today's trouble.
constexpr auto kWhileDown = 10min;
/// … though it runs at the moment: it will end again.
constexpr auto kWhileUp = 60s;
/// Swarm makes the tasks of a global service within this time, where a node takes them.
constexpr auto kToFindNodes = 10s;

/// Started again whenever it ends, as swarm does by default.
bool restarts_always(const swarm::LiveService& service) {
  const auto& policy = service.spec.task_template.restart_policy;
  return !service.spec.mode.is_job() &&
         (!policy || policy->condition.empty() || policy->condition == "any");
}

/// It ended, and nobody asked it to: that is another state ("shutdown").
bool ended(const swarm::LiveService& service, const swarm::Task& task) {
  return is_failure(task) || (task.state == "complete" && restarts_always(service));
}

/// A rollback that a person wanted and that arrived is no trouble: how its tasks do counts.
bool rollout_stopped(const swarm::UpdateStatus& update) {
  const auto& state = update.state;
  return state == "paused" || state == "rollback_paused" ||
         (state == "rollback_completed" && !by_a_person(update));
}

/// From when on an end tells something of what the service is now. A stopped rollout, and swarm
/// when it begins to go back, changed the service after what stopped it.
std::string since(const swarm::LiveService& service, WallTime now) {
  auto start = to_rfc3339(now - kWhileDown);
  const auto& update = service.update;
  const bool goes_back = update.state == "rollback_started" && !by_a_person(update);
  if (!goes_back && !rollout_stopped(update)) start = std::max(start, service.updated_at);
  return start;
}

std::size_t ends_since(const std::string& start,
                       const swarm::LiveService& service,
                       const std::vector<swarm::Task>& tasks) {
  return static_cast<std::size_t>(
      std::count_if(tasks.begin(), tasks.end(), [&](const swarm::Task& task) {
        return ended(service, task) && task.timestamp >= start;
      }));
}

/// A slot, or a node of a global service.
using TaskPlace = std::pair<std::uint64_t, std::string>;
TaskPlace place_of_task(const swarm::Task& task) {
  return {task.slot, task.slot == 0 ? task.node_id : ""};
}

/// The newest task of each place.
std::vector<const swarm::Task*> present(const std::vector<swarm::Task>& tasks) {
  std::map<TaskPlace, const swarm::Task*> places;
  for (const auto& task : tasks) {
    auto& newest = places[place_of_task(task)];
    if (newest == nullptr || newest->timestamp < task.timestamp) newest = &task;
  }
  std::vector<const swarm::Task*> newest;
  for (const auto& [place, task] : places) newest.push_back(task);
  return newest;
}

/// Tasks that did what they were for and are not started again.
std::uint64_t done(const swarm::LiveService& service, const std::vector<swarm::Task>& tasks) {
  if (restarts_always(service) || service.spec.mode.is_job()) return 0;
  const auto places = present(tasks);
  return static_cast<std::uint64_t>(
      std::count_if(places.begin(), places.end(), [](const swarm::Task* task) {
        return task->state == "complete";
      }));
}

/// Null where none failed.
const swarm::Task* newest_failure(const std::vector<swarm::Task>& tasks) {
  const swarm::Task* last = nullptr;
  for (const auto& task : tasks) {
    if (is_failure(task) && (last == nullptr || last->timestamp <= task.timestamp)) last = &task;
  }
  return last;
}

bool is_updating(const swarm::LiveService& service) {
  return service.update.state == "updating" || service.update.state == "rollback_started";
}

/// A global job for which swarm has found no node.
bool has_no_node(const swarm::LiveService& service,
                 const std::vector<swarm::Task>& tasks,
                 WallTime now) {
  return service.spec.mode.global_job && tasks.empty() && service.desired_tasks == 0 &&
         service.completed_tasks == 0 && service.updated_at < to_rfc3339(now - kToFindNodes);
}

bool as_many_as_should(const swarm::LiveService& service, const std::vector<swarm::Task>& tasks) {
  if (service.spec.mode.is_job()) return is_completed(service, tasks);
  return service.running_tasks + done(service, tasks) >= service.desired_tasks;
}

std::string words_of(const swarm::LiveService& service, const swarm::Task& task) {
  if (!task.error.empty()) return task.error;
  if (task.exit_code != 0) return "task: non-zero exit (" + std::to_string(task.exit_code) + ")";
  if (task.state != "complete") return task.message;
  return service.spec.task_template.container.healthcheck
             ? "the container ended with exit code 0, by itself or because its health check failed"
             : "the container ended by itself, with exit code 0";
}

/// The engine's own words: of a task that waits, else of the newest that failed.
std::string trouble_of(const swarm::LiveService& service,
                       const std::vector<swarm::Task>& tasks,
                       const std::string& start) {
  std::vector<const swarm::Task*> sorted;
  for (const auto& task : tasks) sorted.push_back(&task);
  std::stable_sort(sorted.begin(), sorted.end(), [](const swarm::Task* a, const swarm::Task* b) {
    return a->timestamp > b->timestamp;
  });
  for (const auto* task : sorted) {
    const bool waits =
        task->desired_state == "running" && (task->state == "pending" || task->state == "new");
    if (waits && !task->error.empty()) return task->error;
  }
  for (const auto* task : sorted) {
    if (ended(service, *task) && task->timestamp >= start) return words_of(service, *task);
  }
  for (const auto* task : sorted) {
    if (task->desired_state == "running" && task->state != "running")
      return task->message == task->state ? task->state : task->state + ": " + task->message;
  }
  return "";
}

}  // namespace

std::uint64_t updated_tasks(const swarm::LiveService& service,
                            const std::vector<swarm::Task>& tasks) {
  if (!is_updating(service)) return 0;
  std::set<TaskPlace> places;
  for (const auto& task : tasks) {
    if (task.state == "running" && task.desired_state == "running" &&
        task.created_at >= service.update.started_at)
      places.insert(place_of_task(task));
  }
  return places.size();
}

std::chrono::milliseconds pause_between_tasks(const swarm::LiveService& service) {
  if (!is_updating(service)) return 0ms;
  const auto& spec = service.spec;
  const auto& config =
      service.update.state == "updating" ? spec.update_config : spec.rollback_config;
  if (!config) return 0ms;
  return std::chrono::duration_cast<std::chrono::milliseconds>(config->delay + config->monitor);
}

bool by_a_person(const swarm::UpdateStatus& update) {
  return update.message.find("manually requested rollback") != std::string::npos;
}

bool is_failure(const swarm::Task& task) {
  return task.state == "failed" || task.state == "rejected";
}

std::string failure_reason(const swarm::Task& task) {
  const auto says = [&task](std::string_view words) {
    return task.error.find(words) != std::string::npos;
  };
  if (task.state == "orphaned") return "node_down";
  if (says("unhealthy container")) return "unhealthy";
  if (says("No such image") || says("pull access denied") || says("manifest unknown") ||
      says("manifest for ") || says("pulling image"))
    return "image";
  if (says("non-zero exit") || task.exit_code != 0) return "nonzero_exit";
  return task.state == "rejected" ? "rejected" : "other";
}

bool is_completed(const swarm::LiveService& job, const std::vector<swarm::Task>& tasks) {
  if (const auto& replicated = job.spec.mode.replicated_job)
    return job.completed_tasks >= replicated->total_completions.value_or(1);
  const auto places = present(tasks);
  return job.completed_tasks > 0 && job.completed_tasks >= job.desired_tasks &&
         std::all_of(places.begin(), places.end(), [](const swarm::Task* task) {
           return task->state == "complete";
         });
}

bool has_done_its_work(const swarm::LiveService& service, const std::vector<swarm::Task>& tasks) {
  if (service.spec.mode.is_job()) return is_completed(service, tasks);
  return done(service, tasks) >= std::max<std::uint64_t>(service.desired_tasks, 1);
}

std::string failure_for_good(const swarm::LiveService& service,
                             const std::vector<swarm::Task>& tasks) {
  const auto& policy = service.spec.task_template.restart_policy;
  if (!policy || policy->condition != "none") return "";
  for (const auto* task : present(tasks)) {
    if (is_failure(*task) && task->timestamp >= service.updated_at) return words_of(service, *task);
  }
  return "";
}

std::string last_failure(const swarm::LiveService& service, const std::vector<swarm::Task>& tasks) {
  const auto* last = newest_failure(tasks);
  return last == nullptr ? "" : words_of(service, *last);
}

bool is_unpullable(const swarm::LiveService& service, const std::vector<swarm::Task>& tasks) {
  if (as_many_as_should(service, tasks)) return false;
  const auto* last = newest_failure(tasks);
  return last != nullptr && failure_reason(*last) == "image";
}

bool needs_tasks(const swarm::LiveService& service) {
  const auto& state = service.update.state;
  return !as_many_as_should(service, {}) || service.spec.mode.global_job || state == "updating" ||
         state == "paused" || state.starts_with("rollback_");
}

ports::Health health_of(const swarm::LiveService& service,
                        const std::vector<swarm::Task>& tasks,
                        WallTime now) {
  if (rollout_stopped(service.update)) return ports::Health::degraded;
  if (is_updating(service)) return ports::Health::progressing;
  const auto start = since(service, now);
  if (!failure_for_good(service, tasks).empty()) return ports::Health::degraded;
  const bool up = as_many_as_should(service, tasks) || has_no_node(service, tasks, now);
  const auto window = up ? std::max(start, to_rfc3339(now - kWhileUp)) : start;
  if (ends_since(window, service, tasks) >= kChurn) return ports::Health::degraded;
  return up ? ports::Health::healthy : ports::Health::progressing;
}

ports::ServiceStatus describe_service(const swarm::LiveService& service,
                                      const std::vector<swarm::Task>& tasks,
                                      WallTime now) {
  ports::ServiceStatus status;
  status.name = service.spec.name;
  status.image = service.spec.task_template.container.image;
  status.running = service.spec.mode.is_job() ? service.completed_tasks
                                              : service.running_tasks + done(service, tasks);
  status.desired = service.desired_tasks;
  if (const auto& job = service.spec.mode.replicated_job)
    status.desired = job->total_completions.value_or(1);
  if (service.spec.mode.global_job && !tasks.empty()) status.desired = present(tasks).size();
  status.tasks_running = service.running_tasks;
  status.tasks_completed =
      service.spec.mode.is_job() ? service.completed_tasks : done(service, tasks);
  status.completed = has_done_its_work(service, tasks);
  status.update_state = service.update.state;
  status.updated = updated_tasks(service, tasks);
  status.sent_back_by_person =
      service.update.state.starts_with("rollback_") && by_a_person(service.update);
  status.mode = service.spec.mode.name();
  status.health = health_of(service, tasks, now);
  if (status.health == ports::Health::healthy) return status;
  status.trouble = trouble_of(service, tasks, since(service, now));
  const bool ends_again = status.running >= status.desired && !service.spec.mode.is_job();
  if (ends_again && status.update_state.empty() && !status.trouble.empty())
    status.trouble = "ends again and again: " + status.trouble;
  const auto& update = service.update;
  if (update.state == "paused" || update.state.starts_with("rollback_")) {
    status.trouble = update.message + (status.trouble.empty() ? "" : ": " + status.trouble);
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
