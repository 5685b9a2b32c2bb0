#pragma once

#include <memory>

#include "engine/api.hpp"
#include "engine/options.hpp"
#include "reconciler/ports/engine.hpp"

namespace skep::engine {

/// The engine behind a unix socket or a TCP address. Connects with the first call, not before; a
/// call after a failure connects anew. What the port leaves open:
/// - removing what is not there any more is a success;
/// - removing what is still in use is `unavailable` (its users may be about to go);
/// - a write to something that is gone is `conflict`;
/// - `secret_holds` needs the live secret's name in its spec: another name is "different" to the
/// engine.
class SocketEngine final : public ports::Engine {
 public:
  explicit SocketEngine(EngineOptions options);
  ~SocketEngine() override;

  Result<ports::EngineInfo> info(std::stop_token stop) override;
  Result<void> ping(std::stop_token stop) override;
  Result<swarm::LiveState> observe(std::stop_token stop) override;
  Result<std::vector<swarm::Task>> tasks(const std::vector<swarm::ObjectId>& services,
                                         std::stop_token stop) override;
  Result<std::vector<std::string>> log_tail(const std::string& service,
                                            std::size_t lines,
                                            std::stop_token stop) override;
  Result<std::optional<std::string>> config_data(const std::string& name,
                                                 std::stop_token stop) override;
  Result<std::optional<swarm::LiveConfig>> find_config(const std::string& name,
                                                       std::stop_token stop) override;
  std::string credentials_mark(const std::string& image, std::stop_token stop) override;
  Result<diff::ResolvedImage> resolve_image(const std::string& image,
                                            std::stop_token stop) override;

  Result<ports::Written> create_network(const swarm::NetworkSpec& spec,
                                        std::stop_token stop) override;
  Result<void> remove_network(const swarm::ObjectId& id, std::stop_token stop) override;

  Result<ports::Written> create_config(const swarm::ConfigSpec& spec,
                                       std::stop_token stop) override;
  Result<void> update_config(const swarm::ObjectId& id,
                             swarm::ObjectVersion version,
                             const swarm::ConfigSpec& spec,
                             std::stop_token stop) override;
  Result<void> remove_config(const swarm::ObjectId& id, std::stop_token stop) override;

  Result<ports::Written> create_secret(const swarm::SecretSpec& spec,
                                       std::stop_token stop) override;
  Result<void> update_secret(const swarm::ObjectId& id,
                             swarm::ObjectVersion version,
                             const swarm::SecretSpec& spec,
                             std::stop_token stop) override;
  Result<void> remove_secret(const swarm::ObjectId& id, std::stop_token stop) override;
  Result<diff::SecretAnswer> secret_holds(const swarm::ObjectId& id,
                                          const swarm::SecretSpec& spec,
                                          std::stop_token stop) override;

  Result<ports::Written> create_service(const swarm::ServiceSpec& spec,
                                        std::stop_token stop) override;
  Result<ports::Written> update_service(const swarm::ObjectId& id,
                                        swarm::ObjectVersion version,
                                        const swarm::ServiceSpec& spec,
                                        std::stop_token stop) override;
  Result<void> remove_service(const swarm::ObjectId& id, std::stop_token stop) override;

  Result<void> update_node(const swarm::LiveNode& node, std::stop_token stop) override;

  Result<void> follow_events(const std::function<void(const ports::EngineEvent&)>& on_event,
                             const std::function<void()>& on_open,
                             std::stop_token stop) override;

  /// For what goes beyond the port (engine/exec.hpp).
  [[nodiscard]] Api& api() noexcept { return api_; }

 private:
  Result<std::vector<std::string>> auth_headers(const std::string& image, std::stop_token stop);
  Result<ports::Written> create(std::string_view operation,
                                const std::string& path,
                                std::string_view body,
                                std::stop_token stop);
  Result<void> remove(std::string_view operation, const std::string& path, std::stop_token stop);

  Api api_;
};

}  // namespace skep::engine
