#include "tests/fakes/fake_engine.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "tests/fakes/fake_engine_defaults.hpp"

namespace skep::fakes {
std::string_view to_string(Operation operation) {
  constexpr std::array<std::string_view, 20> kNames{
      "info",           "observe",        "tasks",         "config_data",   "resolve_image",
      "create_network", "remove_network", "create_config", "update_config", "remove_config",
      "create_secret",  "update_secret",  "remove_secret", "secret_holds",  "create_service",
      "update_service", "remove_service", "update_node",   "follow_events", "ping"};
  return kNames.at(static_cast<std::size_t>(operation));
}

bool is_write(Operation operation) {
  switch (operation) {
    case Operation::info:
    case Operation::observe:
    case Operation::tasks:
    case Operation::config_data:
    case Operation::resolve_image:
    case Operation::secret_holds:
    case Operation::follow_events:
    case Operation::ping:
      return false;
    default:
      return true;
  }
}

FakeEngine::FakeEngine()
    : info_{.engine_version = "28.2.2",
            .api_version = "1.50",
            .swarm_active = true,
            .manager = true,
            .node_id = "node1",
            .cluster_id = "cluster1",
            .node_hostname = "node-1"} {
  nodes_["node1"] = {.id = "node1",
                     .version = 9,
                     .hostname = "node-1",
                     .role = "manager",
                     .availability = "active",
                     .name = {},
                     .labels = {},
                     .state = "ready",
                     .updated_at = ""};
  const auto predefined = [this](const char* name, const char* driver) {
    const auto id = std::string("net-") + name;
    swarm::LiveNetwork network{.id = id, .scope = "local", .ingress = false, .spec = {}};
    network.spec.name = name;
    network.spec.driver = driver;
    networks_[id] = network;
  };
  predefined("bridge", "bridge");
  predefined("host", "host");
  predefined("none", "null");
  swarm::LiveNetwork ingress{.id = "net-ingress", .scope = "swarm", .ingress = true, .spec = {}};
  ingress.spec.name = "ingress";
  ingress.spec = stored(ingress.spec, 0);
  networks_[ingress.id] = ingress;
}

FakeEngine::Admission FakeEngine::enter(Operation operation, const std::stop_token& stop) {
  ++calls_[operation];
  if (stop.stop_requested())
    return {.refused = Error{ErrorKind::cancelled, "stopped", {}}, .lost_answer = {}};
  if (writes_left_ == 0U)
    return {.refused = Error{ErrorKind::unavailable, "the agent was killed here", {}},
            .lost_answer = {}};
  if (auto& queue = failures_[operation]; !queue.empty()) {
    auto error = std::move(queue.front());
    queue.pop_front();
    return {.refused = std::move(error), .lost_answer = {}};
  }
  if (!info_.manager && operation != Operation::info && operation != Operation::ping &&
      operation != Operation::resolve_image)
    return {.refused = Error{ErrorKind::unavailable, "this engine is not a swarm manager", {}},
            .lost_answer = {}};
  Admission admission;
  if (auto& queue = lost_answers_[operation]; !queue.empty()) {
    admission.lost_answer = std::move(queue.front());
    queue.pop_front();
  }
  return admission;
}

void FakeEngine::announce(const std::string& type,
                          const std::string& action,
                          const swarm::ObjectId& id,
                          const std::string& name) {
  if (muted_) return;
  for (auto* subscriber : subscribers_)
    subscriber->events.push_back({.type = type, .action = action, .id = id, .name = name});
  changed_.notify_all();
}

swarm::ObjectId FakeEngine::new_id(std::string_view kind) {
  return std::string(kind) + "-id-" + std::to_string(++ids_);
}

std::string FakeEngine::now() {
  // Time stands still but for what happens: one second for each thing.
  ++ticks_;
  const auto two = [](std::uint64_t value) {
    auto text = std::to_string(value);
    return text.size() < 2 ? "0" + text : text;
  };
  return "2026-01-01T" + two(ticks_ / 3600 % 24) + ":" + two(ticks_ / 60 % 60) + ":" +
         two(ticks_ % 60) + ".000000000Z";
}

FakeEngine::StoredService* FakeEngine::service_named(const std::string& name) {
  for (auto& [id, service] : services_) {
    if (service.live.spec.name == name) return &service;
  }
  return nullptr;
}

const FakeEngine::StoredService* FakeEngine::service_named(const std::string& name) const {
  for (const auto& [id, service] : services_) {
    if (service.live.spec.name == name) return &service;
  }
  return nullptr;
}

Result<ports::EngineInfo> FakeEngine::info(std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  auto admission = enter(Operation::info, stop);
  if (admission.refused) return std::move(*admission.refused);
  return info_;
}

Result<void> FakeEngine::ping(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  auto admission = enter(Operation::ping, stop);
  if (admission.refused) return std::move(*admission.refused);
  if (hanging_) return Error{ErrorKind::unavailable, "the engine does not answer", {}};
  return {};
}

swarm::LiveState FakeEngine::snapshot() const {
  swarm::LiveState live;
  for (const auto& [id, service] : services_) {
    auto copy = service;
    settle(copy);
    live.services.push_back(std::move(copy.live));
  }
  for (const auto& [id, network] : networks_) live.networks.push_back(network);
  for (const auto& [id, config] : configs_) live.configs.push_back(config.live);
  for (const auto& [id, secret] : secrets_) live.secrets.push_back(secret.live);
  for (const auto& [id, node] : nodes_) live.nodes.push_back(node);
  live.normalise();
  return live;
}

Result<swarm::LiveState> FakeEngine::observe(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [this] { return !hanging_; });
  auto admission = enter(Operation::observe, stop);
  if (admission.refused) return std::move(*admission.refused);
  return snapshot();
}

Result<std::vector<swarm::Task>> FakeEngine::tasks(const std::vector<swarm::ObjectId>& services,
                                                   std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  auto admission = enter(Operation::tasks, stop);
  if (admission.refused) return std::move(*admission.refused);
  std::vector<swarm::Task> tasks;
  for (const auto& wanted : services) {
    const auto at = std::find_if(services_.begin(), services_.end(), [&](const auto& one) {
      return one.first == wanted || one.second.live.spec.name == wanted;
    });
    if (at == services_.end()) continue;
    const auto& id = at->first;
    auto service = at->second;
    settle(service);
    const bool job = service.live.spec.mode.is_job();
    const auto count = std::max({desired_tasks(service.live.spec),
                                 service.live.running_tasks,
                                 service.live.completed_tasks});
    for (std::uint64_t slot = 1; slot <= count; ++slot) {
      swarm::Task task{.id = id + "-task-" + std::to_string(slot),
                       .service_id = id,
                       .node_id = "node1",
                       .slot = slot,
                       .image = service.live.spec.task_template.container.image,
                       .desired_state = "running",
                       .state = "running",
                       .message = "started",
                       .error = {},
                       .timestamp = service.live.updated_at,
                       .created_at = slot <= service.updated ? service.live.update.started_at : "",
                       .exit_code = 0,
                       .references = {}};
      const auto& container = service.live.spec.task_template.container;
      for (const auto& secret : container.secrets) task.references.push_back(secret.secret_id);
      for (const auto& config : container.configs) task.references.push_back(config.config_id);
      if (!service.task_error.empty()) {
        task.desired_state = "shutdown";
        task.state = "failed";
        task.error = service.task_error;
        task.exit_code = 1;
      } else if (job && slot <= service.live.completed_tasks) {
        task.desired_state = task.state = "complete";
        task.message = "finished";
      } else if (slot > service.live.running_tasks) {
        task.state = "starting";
        task.message = "starting";
      }
      tasks.push_back(std::move(task));
    }
  }
  return tasks;
}

Result<std::optional<std::string>> FakeEngine::config_data(const std::string& name,
                                                           std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  auto admission = enter(Operation::config_data, stop);
  if (admission.refused) return std::move(*admission.refused);
  for (const auto& [id, config] : configs_) {
    if (config.live.name == name) return std::optional(config.data);
  }
  return std::optional<std::string>();
}

Result<std::optional<swarm::LiveConfig>> FakeEngine::find_config(const std::string& name,
                                                                 std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  auto admission = enter(Operation::config_data, stop);
  if (admission.refused) return std::move(*admission.refused);
  for (const auto& [id, config] : configs_) {
    if (config.live.name == name) return std::optional(config.live);
  }
  return std::optional<swarm::LiveConfig>();
}

Result<std::vector<std::string>> FakeEngine::log_tail(const std::string& service,
                                                      std::size_t /*lines*/,
                                                      std::stop_token /*stop*/) {
  const std::lock_guard lock(mutex_);
  if (service_named(service) == nullptr)
    return Error{ErrorKind::invalid_input, "no service " + service, {}};
  return std::vector<std::string>{"the last line"};
}

void FakeEngine::set_credentials(const std::string& mark) {
  const std::lock_guard lock(mutex_);
  credentials_ = mark;
}

std::string FakeEngine::credentials_mark(const std::string& /*image*/, std::stop_token /*stop*/) {
  const std::lock_guard lock(mutex_);
  return credentials_;
}

Result<diff::ResolvedImage> FakeEngine::resolve_image(const std::string& image,
                                                      std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  auto admission = enter(Operation::resolve_image, stop);
  if (admission.refused) return std::move(*admission.refused);
  const auto at = images_.find(image);
  if (at == images_.end())
    return Error{ErrorKind::unavailable, "no registry answers for " + image, {}};
  return at->second;
}

Result<void> FakeEngine::follow_events(
    const std::function<void(const ports::EngineEvent&)>& on_event,
    const std::function<void()>& on_open,
    std::stop_token stop) {
  std::unique_lock lock(mutex_);
  auto admission = enter(Operation::follow_events, stop);
  if (admission.refused) return std::move(*admission.refused);
  Subscriber self;
  subscribers_.push_back(&self);
  lock.unlock();
  // Both callbacks may call this engine: never under the lock.
  if (on_open) on_open();
  lock.lock();
  for (;;) {
    changed_.wait(lock, stop, [&self] { return self.ended || !self.events.empty(); });
    if (stop.stop_requested() || self.events.empty()) break;
    const auto event = std::move(self.events.front());
    self.events.pop_front();
    lock.unlock();
    on_event(event);
    lock.lock();
  }
  std::erase(subscribers_, &self);
  if (stop.stop_requested()) return Error{ErrorKind::cancelled, "stopped", {}};
  if (self.error) return std::move(*self.error);
  return {};
}

}  // namespace skep::fakes
