#include <algorithm>
#include <utility>

#include "core/digest.hpp"
#include "tests/fakes/fake_engine.hpp"
#include "tests/fakes/fake_engine_defaults.hpp"

// The writes, and what they do to the swarm.
namespace skep::fakes {
namespace {

constexpr std::size_t kSecretLimit = 512'000, kConfigLimit = 1'024'000;

Error refused(std::string message) {
  return Error{ErrorKind::invalid_input, std::move(message), {}};
}
Error invalid_argument(const std::string& message) {
  return refused("rpc error: code = InvalidArgument desc = " + message);
}
Error conflict(std::string message) { return Error{ErrorKind::conflict, std::move(message), {}}; }
Error out_of_sequence() {
  return conflict("rpc error: code = Unknown desc = update out of sequence");
}
Error name_taken(const std::string& kind, const std::string& name) {
  return conflict(
      "rpc error: code = AlreadyExists desc = name conflicts with an existing object: " + kind +
      " " + name + " already exists");
}
Error gone(const std::string& kind, const std::string& id) {
  return conflict(kind + " " + id + " not found");
}

struct Done {};
Result<void> nothing(Result<Done> done) {
  if (!done) return std::move(done).error();
  return {};
}

}  // namespace

template <typename Answer>
Result<Answer> FakeEngine::accept(Operation operation,
                                  const std::string& name,
                                  const Admission& admission,
                                  Answer answer) {
  writes_.push_back({.operation = operation, .name = name});
  if (writes_left_) --*writes_left_;
  changed_.notify_all();
  if (admission.lost_answer) return *admission.lost_answer;
  return answer;
}

std::optional<Error> FakeEngine::resolve_references(swarm::ServiceSpec& spec) const {
  for (auto& attachment : spec.task_template.networks) {
    const auto at = std::find_if(networks_.begin(), networks_.end(), [&](const auto& entry) {
      return entry.first == attachment.target || entry.second.spec.name == attachment.target;
    });
    if (at == networks_.end()) return conflict("network " + attachment.target + " not found");
    if (at->second.scope != "swarm" && attachment.target != "host" &&
        attachment.target != "bridge" && attachment.target != "none")
      return refused(
          "The network " + attachment.target +
          " cannot be used with services. Only networks scoped to the swarm can be used, "
          "such as those created with the overlay driver.");
    attachment.target = at->first;
  }
  for (const auto& reference : spec.task_template.container.secrets) {
    if (!secrets_.contains(reference.secret_id))
      return invalid_argument("secret not found: " + reference.secret_name);
  }
  for (const auto& reference : spec.task_template.container.configs) {
    if (!configs_.contains(reference.config_id))
      return invalid_argument("config not found: " + reference.config_name);
  }
  return std::nullopt;
}

std::optional<Error> FakeEngine::port_clash(const swarm::ServiceSpec& spec,
                                            const swarm::ObjectId& self) const {
  if (!spec.endpoint_spec) return std::nullopt;
  for (const auto& port : spec.endpoint_spec->ports) {
    if (port.published == 0) continue;
    for (const auto& [id, other] : services_) {
      if (id == self || !other.live.spec.endpoint_spec) continue;
      for (const auto& taken : other.live.spec.endpoint_spec->ports) {
        if (taken.published == port.published && taken.protocol == port.protocol &&
            (taken.mode != "host" || port.mode != "host"))
          return invalid_argument(
              "port '" + std::to_string(port.published) + "' is already in use by service '" +
              other.live.spec.name + "' (" + id + ") as " +
              (taken.mode == "host" ? "a host-published" : "an ingress") + " port");
      }
    }
  }
  return std::nullopt;
}

std::uint64_t FakeEngine::desired_tasks(const swarm::ServiceSpec& spec) const {
  if (spec.mode.replicated) return spec.mode.replicated->replicas.value_or(1);
  // A replicated job's stays at its concurrency, also when all is done (seen on 20.10).
  if (spec.mode.replicated_job) return spec.mode.replicated_job->max_concurrent.value_or(1);
  std::uint64_t nodes = 0;
  for (const auto& [id, node] : nodes_) {
    if (node.state == "ready" && node.availability != "drain") ++nodes;
  }
  return nodes;
}

void FakeEngine::settle(StoredService& service) const {
  auto& live = service.live;
  live.desired_tasks = desired_tasks(live.spec);
  live.running_tasks =
      service.pinned_running.value_or(service.task_error.empty() ? live.desired_tasks : 0);
  live.completed_tasks = 0;
  // A global job wants only those that go on: none where it failed everywhere (seen on 20.10).
  if (live.spec.mode.global_job && !service.task_error.empty()) live.desired_tasks = 0;
  if (!live.spec.mode.is_job() || service.pinned_running || !service.task_error.empty()) return;
  live.running_tasks = 0;
  if (live.spec.mode.replicated_job) {
    live.completed_tasks = live.spec.mode.replicated_job->total_completions.value_or(1);
  } else {
    // A global job wants only those that are not done yet.
    live.completed_tasks = std::exchange(live.desired_tasks, 0);
  }
}

/// The end of a rollout, which here is also its beginning.
void FakeEngine::roll_out(StoredService& service) {
  auto& update = service.live.update;
  if (service.live.spec.mode.is_job()) return;
  update = {.state = "completed",
            .started_at = now(),
            .completed_at = now(),
            .message = "update completed"};
  if (service.pinned_running) {
    update = {.state = "updating",
              .started_at = update.started_at,
              .completed_at = {},
              .message = "update in progress"};
    return;
  }
  if (service.task_error.empty()) return;
  const auto action =
      service.live.spec.update_config ? service.live.spec.update_config->failure_action : "pause";
  if (action == "pause") {
    update = {.state = "paused",
              .started_at = update.started_at,
              .completed_at = {},
              .message = "update paused due to failure or early termination of task task-1"};
  } else if (action == "rollback" && service.previous) {
    update.state = "rollback_completed";
    update.message = "rollback completed";
    service.live.spec = *std::exchange(service.previous, std::nullopt);
    service.task_error.clear();
    service.live.version = ++index_;
    service.live.has_previous_spec = false;
    service.live.previous_references.clear();
  }
}

void FakeEngine::store_spec(StoredService& service, swarm::ServiceSpec spec) {
  const bool restarts = restarts_tasks(service.live.spec, spec);
  service.previous = std::exchange(service.live.spec, std::move(spec));
  service.live.has_previous_spec = true;
  service.live.previous_references.clear();
  for (const auto& reference : service.previous->task_template.container.secrets)
    service.live.previous_references.push_back(reference.secret_id);
  for (const auto& reference : service.previous->task_template.container.configs)
    service.live.previous_references.push_back(reference.config_id);
  service.live.version = ++index_;
  service.live.updated_at = now();
  service.live.update = {};
  if (service.live.spec.mode.is_job()) ++service.job_iterations;  // Trap 33: whatever changed.
  if (restarts) roll_out(service);
}

Result<ports::Written> FakeEngine::create_service(const swarm::ServiceSpec& spec,
                                                  std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  auto admission = enter(Operation::create_service, stop);
  if (admission.refused) return std::move(*admission.refused);
  if (!is_service_name(spec.name))
    return invalid_argument("name must be valid as a DNS name component");
  if (spec.task_template.container.image.empty())
    return invalid_argument("ContainerSpec: image reference must be provided");
  auto kept = stored(spec);
  if (auto error = resolve_references(kept)) return std::move(*error);
  if (auto error = port_clash(kept, "")) return std::move(*error);
  if (service_named(spec.name) != nullptr) return name_taken("service", spec.name);
  const auto id = new_id("service");
  auto& service = services_[id];
  service.live.id = id;
  service.live.spec = std::move(kept);
  service.live.version = ++index_;
  service.live.created_at = service.live.updated_at = now();
  service.job_iterations = service.live.spec.mode.is_job() ? 1 : 0;
  if (auto failing = failing_next_.extract(spec.name)) service.task_error = failing.mapped();
  if (hanging_next_.erase(spec.name) > 0) service.pinned_running = 1;
  announce("service", "create", id, spec.name);
  return accept(
      Operation::create_service, spec.name, admission, ports::Written{.id = id, .warnings = {}});
}

Result<ports::Written> FakeEngine::update_service(const swarm::ObjectId& id,
                                                  swarm::ObjectVersion version,
                                                  const swarm::ServiceSpec& spec,
                                                  std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  auto admission = enter(Operation::update_service, stop);
  if (admission.refused) return std::move(*admission.refused);
  const auto at = services_.find(id);
  if (at == services_.end()) return gone("service", id);
  auto& service = at->second;
  auto kept = stored(spec);
  if (auto error = resolve_references(kept)) return std::move(*error);
  if (auto error = port_clash(kept, id)) return std::move(*error);
  if (kept.name != service.live.spec.name)
    return invalid_argument("renaming services is not supported");
  const auto& before = service.live.spec.mode;
  if (before.replicated.has_value() != kept.mode.replicated.has_value() ||
      before.global.has_value() != kept.mode.global.has_value() ||
      before.replicated_job.has_value() != kept.mode.replicated_job.has_value() ||
      before.global_job.has_value() != kept.mode.global_job.has_value())
    return refused("rpc error: code = Unimplemented desc = service mode change is not allowed");
  if (version != service.live.version) return out_of_sequence();
  store_spec(service, std::move(kept));
  announce("service", "update", id, spec.name);
  return accept(
      Operation::update_service, spec.name, admission, ports::Written{.id = id, .warnings = {}});
}

Result<void> FakeEngine::remove_service(const swarm::ObjectId& id, std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  auto admission = enter(Operation::remove_service, stop);
  if (admission.refused) return std::move(*admission.refused);
  const auto at = services_.find(id);
  if (at == services_.end()) return {};
  const auto name = at->second.live.spec.name;
  services_.erase(at);
  announce("service", "remove", id, name);
  return nothing(accept(Operation::remove_service, name, admission, Done{}));
}

Result<ports::Written> FakeEngine::create_network(const swarm::NetworkSpec& spec,
                                                  std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  auto admission = enter(Operation::create_network, stop);
  if (admission.refused) return std::move(*admission.refused);
  for (const auto& [id, network] : networks_) {
    if (network.spec.name == spec.name)
      return conflict("network with name " + spec.name + " already exists");
  }
  if (!is_object_name(spec.name))
    return refused("invalid name, only [a-zA-Z0-9][a-zA-Z0-9_.-]* are allowed");
  const auto id = new_id("network");
  const bool overlay = spec.driver == "overlay" || spec.driver.empty();
  networks_[id] = {.id = id,
                   .scope = overlay ? "swarm" : "local",
                   .ingress = false,
                   .spec = stored(spec, static_cast<unsigned>(ids_))};
  if (starved_networks_.erase(spec.name) > 0) {
    auto& starved = networks_[id].spec;
    starved.driver.clear();
    starved.options.clear();
    starved.ipam.reset();
  }
  announce("network", "create", id, spec.name);
  return accept(
      Operation::create_network, spec.name, admission, ports::Written{.id = id, .warnings = {}});
}

Result<void> FakeEngine::remove_network(const swarm::ObjectId& id, std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  auto admission = enter(Operation::remove_network, stop);
  if (admission.refused) return std::move(*admission.refused);
  const auto at = networks_.find(id);
  if (at == networks_.end()) return {};
  for (const auto& [service_id, service] : services_) {
    for (const auto& attachment : service.live.spec.task_template.networks) {
      if (attachment.target == id)
        return Error{ErrorKind::unavailable,
                     "rpc error: code = FailedPrecondition desc = network " + id +
                         " is in use by service " + service_id,
                     {}};
    }
  }
  const auto name = at->second.spec.name;
  networks_.erase(at);
  announce("network", "remove", id, name);
  return nothing(accept(Operation::remove_network, name, admission, Done{}));
}

std::string FakeEngine::user_of(const swarm::ObjectId& config_or_secret) const {
  for (const auto& [id, service] : services_) {
    const auto& container = service.live.spec.task_template.container;
    for (const auto& reference : container.secrets) {
      if (reference.secret_id == config_or_secret) return service.live.spec.name;
    }
    for (const auto& reference : container.configs) {
      if (reference.config_id == config_or_secret) return service.live.spec.name;
    }
  }
  return {};
}

Result<ports::Written> FakeEngine::create_config(const swarm::ConfigSpec& spec,
                                                 std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  auto admission = enter(Operation::create_config, stop);
  if (admission.refused) return std::move(*admission.refused);
  if (!is_object_name(spec.name))
    return invalid_argument(
        "invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character "
        "must be [a-zA-Z0-9]");
  if (spec.data.empty() || spec.data.size() >= kConfigLimit)
    return invalid_argument("config data must be larger than 0 and less than 1024000 bytes");
  for (const auto& [id, config] : configs_) {
    if (config.live.name == spec.name) return name_taken("config", spec.name);
  }
  const auto id = new_id("config");
  configs_[id] = {.live = {.id = id,
                           .version = ++index_,
                           .name = spec.name,
                           .labels = spec.labels,
                           .templating = spec.templating,
                           .data_sha256 = sha256_hex(spec.data),
                           .data_size = spec.data.size()},
                  .data = spec.data};
  announce("config", "create", id, spec.name);
  return accept(
      Operation::create_config, spec.name, admission, ports::Written{.id = id, .warnings = {}});
}

Result<void> FakeEngine::update_config(const swarm::ObjectId& id,
                                       swarm::ObjectVersion version,
                                       const swarm::ConfigSpec& spec,
                                       std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  auto admission = enter(Operation::update_config, stop);
  if (admission.refused) return std::move(*admission.refused);
  const auto at = configs_.find(id);
  if (at == configs_.end()) return gone("config", id);
  auto& config = at->second;
  if (spec.name != config.live.name || (!spec.data.empty() && spec.data != config.data))
    return invalid_argument("only updates to Labels are allowed");
  if (version != config.live.version) return out_of_sequence();
  config.live.labels = spec.labels;
  config.live.version = ++index_;
  announce("config", "update", id, spec.name);
  return nothing(accept(Operation::update_config, spec.name, admission, Done{}));
}

Result<void> FakeEngine::remove_config(const swarm::ObjectId& id, std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  auto admission = enter(Operation::remove_config, stop);
  if (admission.refused) return std::move(*admission.refused);
  const auto at = configs_.find(id);
  if (at == configs_.end()) return {};
  const auto name = at->second.live.name;
  if (const auto user = user_of(id); !user.empty())
    return Error{ErrorKind::unavailable,
                 "rpc error: code = InvalidArgument desc = config '" + name +
                     "' is in use by the following service: " + user,
                 {}};
  configs_.erase(at);
  announce("config", "remove", id, name);
  return nothing(accept(Operation::remove_config, name, admission, Done{}));
}

Result<ports::Written> FakeEngine::create_secret(const swarm::SecretSpec& spec,
                                                 std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  auto admission = enter(Operation::create_secret, stop);
  if (admission.refused) return std::move(*admission.refused);
  if (!is_object_name(spec.name))
    return invalid_argument(
        "invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character "
        "must be [a-zA-Z0-9]");
  if (!spec.driver && (spec.data.empty() || spec.data.size() >= kSecretLimit))
    return invalid_argument("secret data must be larger than 0 and less than 512000 bytes");
  for (const auto& [id, secret] : secrets_) {
    if (secret.live.name == spec.name) return name_taken("secret", spec.name);
  }
  const auto id = new_id("secret");
  secrets_[id] = {.live = {.id = id,
                           .version = ++index_,
                           .name = spec.name,
                           .labels = spec.labels,
                           .driver = spec.driver,
                           .templating = spec.templating},
                  .data = spec.data};
  announce("secret", "create", id, spec.name);
  return accept(
      Operation::create_secret, spec.name, admission, ports::Written{.id = id, .warnings = {}});
}

Result<void> FakeEngine::update_secret(const swarm::ObjectId& id,
                                       swarm::ObjectVersion version,
                                       const swarm::SecretSpec& spec,
                                       std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  auto admission = enter(Operation::update_secret, stop);
  if (admission.refused) return std::move(*admission.refused);
  const auto at = secrets_.find(id);
  if (at == secrets_.end()) return gone("secret", id);
  auto& secret = at->second;
  if (spec.name != secret.live.name || (!spec.data.empty() && !(spec.data == secret.data)))
    return invalid_argument("only updates to Labels are allowed");
  if (version != secret.live.version) return out_of_sequence();
  secret.live.labels = spec.labels;
  secret.live.version = ++index_;
  announce("secret", "update", id, spec.name);
  return nothing(accept(Operation::update_secret, spec.name, admission, Done{}));
}

Result<void> FakeEngine::remove_secret(const swarm::ObjectId& id, std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  auto admission = enter(Operation::remove_secret, stop);
  if (admission.refused) return std::move(*admission.refused);
  const auto at = secrets_.find(id);
  if (at == secrets_.end()) return {};
  const auto name = at->second.live.name;
  if (const auto user = user_of(id); !user.empty())
    return Error{ErrorKind::unavailable,
                 "rpc error: code = InvalidArgument desc = secret '" + name +
                     "' is in use by the following service: " + user,
                 {}};
  secrets_.erase(at);
  announce("secret", "remove", id, name);
  return nothing(accept(Operation::remove_secret, name, admission, Done{}));
}

Result<diff::SecretAnswer> FakeEngine::secret_holds(const swarm::ObjectId& id,
                                                    const swarm::SecretSpec& spec,
                                                    std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  auto admission = enter(Operation::secret_holds, stop);
  if (admission.refused) return std::move(*admission.refused);
  const auto at = secrets_.find(id);
  if (at == secrets_.end()) return gone("secret", id);
  if (spec.data.empty()) return diff::SecretAnswer::unknown;
  return spec.name == at->second.live.name && spec.data == at->second.data
             ? diff::SecretAnswer::same
             : diff::SecretAnswer::different;
}

Result<void> FakeEngine::update_node(const swarm::LiveNode& node, std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  auto admission = enter(Operation::update_node, stop);
  if (admission.refused) return std::move(*admission.refused);
  const auto at = nodes_.find(node.id);
  if (at == nodes_.end()) return gone("node", node.id);
  if (node.version != at->second.version) return out_of_sequence();
  auto& live = at->second;
  live.labels = node.labels;
  live.role = node.role;
  live.availability = node.availability;
  live.name = node.name;
  live.updated_at = now();
  live.version = ++index_;
  announce("node", "update", node.id, live.hostname);
  return nothing(accept(Operation::update_node, live.hostname, admission, Done{}));
}

}  // namespace skep::fakes
