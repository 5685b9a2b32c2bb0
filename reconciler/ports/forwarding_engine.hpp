#pragma once

#include <utility>

#include "reconciler/ports/engine.hpp"

namespace skep::ports {

/// Passes every call on to another engine: the base of those that let only some through.
class ForwardingEngine : public Engine {
 public:
  /// It outlives this one.
  explicit ForwardingEngine(Engine& engine) : engine_(engine) {}

  Result<EngineInfo> info(std::stop_token stop) override { return engine_.info(std::move(stop)); }
  Result<void> ping(std::stop_token stop) override { return engine_.ping(std::move(stop)); }
  Result<swarm::LiveState> observe(std::stop_token stop) override {
    return engine_.observe(std::move(stop));
  }
  Result<std::vector<swarm::Task>> tasks(const std::vector<swarm::ObjectId>& services,
                                         std::stop_token stop) override {
    return engine_.tasks(services, std::move(stop));
  }
  Result<std::vector<std::string>> log_tail(const std::string& service,
                                            std::size_t lines,
                                            std::stop_token stop) override {
    return engine_.log_tail(service, lines, std::move(stop));
  }
  Result<std::optional<std::string>> config_data(const std::string& name,
                                                 std::stop_token stop) override {
    return engine_.config_data(name, std::move(stop));
  }
  Result<std::optional<swarm::LiveConfig>> find_config(const std::string& name,
                                                       std::stop_token stop) override {
    return engine_.find_config(name, std::move(stop));
  }
  Result<diff::ResolvedImage> resolve_image(const std::string& image,
                                            std::stop_token stop) override {
    return engine_.resolve_image(image, std::move(stop));
  }
  std::string credentials_mark(const std::string& image, std::stop_token stop) override {
    return engine_.credentials_mark(image, std::move(stop));
  }

  Result<Written> create_network(const swarm::NetworkSpec& spec, std::stop_token stop) override {
    return engine_.create_network(spec, std::move(stop));
  }
  Result<void> remove_network(const swarm::ObjectId& id, std::stop_token stop) override {
    return engine_.remove_network(id, std::move(stop));
  }

  Result<Written> create_config(const swarm::ConfigSpec& spec, std::stop_token stop) override {
    return engine_.create_config(spec, std::move(stop));
  }
  Result<void> update_config(const swarm::ObjectId& id,
                             swarm::ObjectVersion version,
                             const swarm::ConfigSpec& spec,
                             std::stop_token stop) override {
    return engine_.update_config(id, version, spec, std::move(stop));
  }
  Result<void> remove_config(const swarm::ObjectId& id, std::stop_token stop) override {
    return engine_.remove_config(id, std::move(stop));
  }

  Result<Written> create_secret(const swarm::SecretSpec& spec, std::stop_token stop) override {
    return engine_.create_secret(spec, std::move(stop));
  }
  Result<void> update_secret(const swarm::ObjectId& id,
                             swarm::ObjectVersion version,
                             const swarm::SecretSpec& spec,
                             std::stop_token stop) override {
    return engine_.update_secret(id, version, spec, std::move(stop));
  }
  Result<void> remove_secret(const swarm::ObjectId& id, std::stop_token stop) override {
    return engine_.remove_secret(id, std::move(stop));
  }
  Result<diff::SecretAnswer> secret_holds(const swarm::ObjectId& id,
                                          const swarm::SecretSpec& spec,
                                          std::stop_token stop) override {
    return engine_.secret_holds(id, spec, std::move(stop));
  }

  Result<Written> create_service(const swarm::ServiceSpec& spec, std::stop_token stop) override {
    return engine_.create_service(spec, std::move(stop));
  }
  Result<Written> update_service(const swarm::ObjectId& id,
                                 swarm::ObjectVersion version,
                                 const swarm::ServiceSpec& spec,
                                 std::stop_token stop) override {
    return engine_.update_service(id, version, spec, std::move(stop));
  }
  Result<void> remove_service(const swarm::ObjectId& id, std::stop_token stop) override {
    return engine_.remove_service(id, std::move(stop));
  }

  Result<void> update_node(const swarm::LiveNode& node, std::stop_token stop) override {
    return engine_.update_node(node, std::move(stop));
  }

  Result<void> follow_events(const std::function<void(const EngineEvent&)>& on_event,
                             const std::function<void()>& on_open,
                             std::stop_token stop) override {
    return engine_.follow_events(on_event, on_open, std::move(stop));
  }

 private:
  Engine& engine_;
};

}  // namespace skep::ports
