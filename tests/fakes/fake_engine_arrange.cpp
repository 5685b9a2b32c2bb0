#include <stdexcept>
#include <utility>

#include "tests/fakes/fake_engine.hpp"
#include "tests/fakes/fake_engine_defaults.hpp"

// What a test arranges and looks at.
namespace skep::fakes {

void FakeEngine::fail_next(Operation operation, Error error) {
  const std::lock_guard lock(mutex_);
  failures_[operation].push_back(std::move(error));
}

void FakeEngine::lose_answer_of_next(Operation operation, Error error) {
  const std::lock_guard lock(mutex_);
  lost_answers_[operation].push_back(std::move(error));
}

void FakeEngine::fail_after(std::size_t writes) {
  const std::lock_guard lock(mutex_);
  writes_left_ = writes;
}

void FakeEngine::recover() {
  const std::lock_guard lock(mutex_);
  writes_left_.reset();
}

void FakeEngine::set_manager(bool manager) {
  const std::lock_guard lock(mutex_);
  info_.manager = manager;
}

void FakeEngine::set_info(ports::EngineInfo info) {
  const std::lock_guard lock(mutex_);
  info_ = std::move(info);
}

void FakeEngine::set_running(const std::string& service, std::optional<std::uint64_t> running) {
  const std::lock_guard lock(mutex_);
  auto* stored_service = service_named(service);
  if (stored_service == nullptr) throw std::logic_error("no service " + service);
  stored_service->pinned_running = running;
  auto& update = stored_service->live.update;
  if (!running && update.state == "updating")
    update = {.state = "completed",
              .started_at = update.started_at,
              .completed_at = now(),
              .message = "update completed"};
}

void FakeEngine::fail_tasks(const std::string& service, const std::string& error) {
  const std::lock_guard lock(mutex_);
  auto* stored_service = service_named(service);
  if (stored_service == nullptr) throw std::logic_error("no service " + service);
  stored_service->task_error = error;
}

void FakeEngine::fail_tasks_of_next(const std::string& service, const std::string& error) {
  const std::lock_guard lock(mutex_);
  failing_next_[service] = error;
}

void FakeEngine::hang_tasks_of_next(const std::string& service) {
  const std::lock_guard lock(mutex_);
  hanging_next_.insert(service);
}

void FakeEngine::set_updated(const std::string& service, std::uint64_t tasks) {
  const std::lock_guard lock(mutex_);
  auto* stored_service = service_named(service);
  if (stored_service == nullptr) throw std::logic_error("no service " + service);
  stored_service->updated = tasks;
}

void FakeEngine::set_update_status(const std::string& service, swarm::UpdateStatus status) {
  const std::lock_guard lock(mutex_);
  auto* stored_service = service_named(service);
  if (stored_service == nullptr) throw std::logic_error("no service " + service);
  stored_service->live.update = std::move(status);
  stored_service->live.version = ++index_;
}

void FakeEngine::roll_back_by_hand(const std::string& service) {
  const std::lock_guard lock(mutex_);
  auto* stored_service = service_named(service);
  if (stored_service == nullptr || !stored_service->previous)
    throw std::logic_error("no previous spec of " + service);
  store_spec(*stored_service, *stored_service->previous);
  stored_service->live.update = {.state = "rollback_completed",
                                 .started_at = now(),
                                 .completed_at = now(),
                                 .message = "rollback completed: manually requested rollback"};
  announce("service", "update", stored_service->live.id, service);
}

void FakeEngine::edit_service(const std::string& service,
                              const std::function<void(swarm::ServiceSpec&)>& edit) {
  const std::lock_guard lock(mutex_);
  auto* stored_service = service_named(service);
  if (stored_service == nullptr) throw std::logic_error("no service " + service);
  auto spec = stored_service->live.spec;
  edit(spec);
  spec = stored(std::move(spec));
  if (auto error = resolve_references(spec)) throw std::logic_error(error->message);
  store_spec(*stored_service, std::move(spec));
  announce("service", "update", stored_service->live.id, service);
}

void FakeEngine::touch_service(const std::string& service) {
  const std::lock_guard lock(mutex_);
  auto* stored_service = service_named(service);
  if (stored_service == nullptr) throw std::logic_error("no service " + service);
  stored_service->live.version = ++index_;
}

void FakeEngine::edit_config_labels(const std::string& config, const swarm::StringMap& labels) {
  const std::lock_guard lock(mutex_);
  for (auto& [id, stored_config] : configs_) {
    if (stored_config.live.name != config) continue;
    stored_config.live.labels = labels;
    stored_config.live.version = ++index_;
    announce("config", "update", id, config);
  }
}

void FakeEngine::drop_service(const std::string& service) {
  const std::lock_guard lock(mutex_);
  auto* stored_service = service_named(service);
  if (stored_service == nullptr) throw std::logic_error("no service " + service);
  const auto id = stored_service->live.id;
  services_.erase(id);
  announce("service", "remove", id, service);
}

void FakeEngine::drop_network(const std::string& network) {
  const std::lock_guard lock(mutex_);
  std::erase_if(networks_, [&](const auto& entry) {
    if (entry.second.spec.name != network) return false;
    announce("network", "remove", entry.first, network);
    return true;
  });
}

void FakeEngine::leave_network(const std::string& network) {
  const std::lock_guard lock(mutex_);
  for (auto& [id, one] : networks_) {
    if (one.spec.name != network) continue;
    one.leaving = true;
    announce("network", "remove", id, network);
  }
}

void FakeEngine::starve_next_network(const std::string& network) {
  const std::lock_guard lock(mutex_);
  starved_networks_.insert(network);
}

void FakeEngine::drop_config(const std::string& config) {
  const std::lock_guard lock(mutex_);
  std::erase_if(configs_, [&](const auto& entry) {
    if (entry.second.live.name != config) return false;
    announce("config", "remove", entry.first, config);
    return true;
  });
}

void FakeEngine::add_node(swarm::LiveNode node) {
  const std::lock_guard lock(mutex_);
  if (node.id.empty()) node.id = new_id("node");
  node.version = ++index_;
  announce("node", "create", node.id, node.hostname);
  nodes_[node.id] = std::move(node);
}

void FakeEngine::set_node_state(const std::string& hostname, const std::string& state) {
  const std::lock_guard lock(mutex_);
  for (auto& [id, node] : nodes_) {
    if (node.hostname != hostname) continue;
    node.state = state;
    node.updated_at = now();
    node.version = ++index_;
    announce("node", "update", id, hostname);
  }
}

void FakeEngine::set_image(const std::string& image, diff::ResolvedImage resolved) {
  const std::lock_guard lock(mutex_);
  images_[image] = std::move(resolved);
}

void FakeEngine::end_event_streams(std::optional<Error> error) {
  const std::lock_guard lock(mutex_);
  for (auto* subscriber : subscribers_) {
    subscriber->ended = true;
    subscriber->error = error;
  }
  changed_.notify_all();
}

void FakeEngine::hang(bool hanging) {
  const std::lock_guard lock(mutex_);
  hanging_ = hanging;
  changed_.notify_all();
}

void FakeEngine::mute_events(bool muted) {
  const std::lock_guard lock(mutex_);
  muted_ = muted;
}

swarm::LiveState FakeEngine::state() const {
  const std::lock_guard lock(mutex_);
  return snapshot();
}

std::vector<Write> FakeEngine::writes() const {
  const std::lock_guard lock(mutex_);
  return writes_;
}

std::size_t FakeEngine::write_count() const {
  const std::lock_guard lock(mutex_);
  return writes_.size();
}

void FakeEngine::clear_writes() {
  const std::lock_guard lock(mutex_);
  writes_.clear();
}

std::size_t FakeEngine::calls(Operation operation) const {
  const std::lock_guard lock(mutex_);
  const auto at = calls_.find(operation);
  return at == calls_.end() ? 0 : at->second;
}

std::optional<swarm::ServiceSpec> FakeEngine::previous_spec(const std::string& service) const {
  const std::lock_guard lock(mutex_);
  const auto* stored_service = service_named(service);
  return stored_service == nullptr ? std::nullopt : stored_service->previous;
}

std::optional<Secret> FakeEngine::secret_data(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, secret] : secrets_) {
    if (secret.live.name == name) return secret.data;
  }
  return std::nullopt;
}

std::size_t FakeEngine::open_event_streams() const {
  const std::lock_guard lock(mutex_);
  return subscribers_.size();
}

std::uint64_t FakeEngine::job_iterations(const std::string& service) const {
  const std::lock_guard lock(mutex_);
  const auto* stored_service = service_named(service);
  return stored_service == nullptr ? 0 : stored_service->job_iterations;
}

}  // namespace skep::fakes
