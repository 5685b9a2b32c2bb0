#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/secret.hpp"
#include "diff/plan.hpp"
#include "swarm/live_state.hpp"
#include "swarm/object_spec.hpp"
#include "swarm/service_spec.hpp"

namespace skep::ports {

struct EngineInfo {
  std::string engine_version, api_version;
  bool swarm_active = false;
  bool manager = false;  ///< Info.Swarm.ControlAvailable: this engine can answer for the swarm.
  std::string node_id, cluster_id, node_hostname;
};

struct Written {
  swarm::ObjectId id;
  std::vector<std::string> warnings;
};

/// Something changed in the swarm. Only a hint to look: the content is never believed.
struct EngineEvent {
  std::string type;    ///< service, network, config, secret, node.
  std::string action;  ///< create, update, remove.
  swarm::ObjectId id;
  std::string name;
};

/// The Docker Engine of a swarm manager. All calls block, obey the stop token within a second, have
/// time-outs, and are safe from several threads. Errors of all: unavailable (not reachable, no
/// quorum, 5xx, malformed answer), unauthorized (401, 403), cancelled; of writes also conflict
/// ("update out of sequence", name taken) and invalid_input (the engine refused the content, with
/// its words).
class Engine {
 public:
  virtual ~Engine() = default;

  virtual Result<EngineInfo> info(std::stop_token stop) = 0;
  /// Whether the engine answers at all, and its swarm has a leader: within seconds also where it
  /// hangs, while a list may be waited for longer. Errors: unavailable, cancelled.
  virtual Result<void> ping(std::stop_token stop) = 0;
  /// Everything the engine knows of the whole swarm, at one moment: five list calls, however many
  /// stacks there are. Normalised. Errors also: unavailable when this engine is not (or no longer)
  /// a manager. An error is never "nothing there".
  virtual Result<swarm::LiveState> observe(std::stop_token stop) = 0;
  virtual Result<std::vector<swarm::Task>> tasks(const std::vector<swarm::ObjectId>& services,
                                                 std::stop_token stop) = 0;
  /// The last lines that the tasks of a service wrote, oldest first, of all of them together; raw.
  virtual Result<std::vector<std::string>> log_tail(const std::string& service,
                                                    std::size_t /*lines*/,
                                                    std::stop_token /*stop*/) {
    return Error{ErrorKind::unavailable, "the log of " + service + " is not to be had here"};
  }
  /// The data of one config (the state object). Nothing where there is none of that name.
  virtual Result<std::optional<std::string>> config_data(const std::string& name,
                                                         std::stop_token stop) = 0;

  /// One config, without its data; nothing where there is none of that name. Asks the leader, as
  /// all reads of one object do.
  virtual Result<std::optional<swarm::LiveConfig>> find_config(const std::string& name,
                                                               std::stop_token stop) = 0;
  /// Asks the registry, through the engine, for an image's digest and platforms. Errors:
  /// unavailable, unauthorized, invalid_input.
  virtual Result<diff::ResolvedImage> resolve_image(const std::string& image,
                                                    std::stop_token stop) = 0;

  virtual Result<Written> create_network(const swarm::NetworkSpec& spec, std::stop_token stop) = 0;
  virtual Result<void> remove_network(const swarm::ObjectId& id, std::stop_token stop) = 0;

  virtual Result<Written> create_config(const swarm::ConfigSpec& spec, std::stop_token stop) = 0;
  /// The engine takes label changes only; `spec.data` must be the live data (it is compared there).
  virtual Result<void> update_config(const swarm::ObjectId& id,
                                     swarm::ObjectVersion version,
                                     const swarm::ConfigSpec& spec,
                                     std::stop_token stop) = 0;
  virtual Result<void> remove_config(const swarm::ObjectId& id, std::stop_token stop) = 0;

  virtual Result<Written> create_secret(const swarm::SecretSpec& spec, std::stop_token stop) = 0;
  virtual Result<void> update_secret(const swarm::ObjectId& id,
                                     swarm::ObjectVersion version,
                                     const swarm::SecretSpec& spec,
                                     std::stop_token stop) = 0;
  virtual Result<void> remove_secret(const swarm::ObjectId& id, std::stop_token stop) = 0;
  /// Whether the live secret holds this data, asked without a write: an update with version 0 is
  /// refused either way, with different words (design §5).
  virtual Result<diff::SecretAnswer> secret_holds(const swarm::ObjectId& id,
                                                  const swarm::SecretSpec& spec,
                                                  std::stop_token stop) = 0;

  /// What tells the credentials that would go along with `image` now from others, without showing
  /// them; "" where there are none.
  virtual std::string credentials_mark(const std::string& image, std::stop_token stop) = 0;

  /// Network targets by name or id; secret and config ids must be filled in. With registry auth the
  /// credentials that are configured for the image's registry go along.
  virtual Result<Written> create_service(const swarm::ServiceSpec& spec, std::stop_token stop) = 0;
  virtual Result<Written> update_service(const swarm::ObjectId& id,
                                         swarm::ObjectVersion version,
                                         const swarm::ServiceSpec& spec,
                                         std::stop_token stop) = 0;
  virtual Result<void> remove_service(const swarm::ObjectId& id, std::stop_token stop) = 0;

  /// Sets a node's labels; role and availability go back as `node` has them.
  virtual Result<void> update_node(const swarm::LiveNode& node, std::stop_token stop) = 0;

  /// Reads swarm events until the stream ends, fails or `stop` asks. `on_event` is called from this
  /// thread. Returns success when the engine closed the stream.
  virtual Result<void> follow_events(const std::function<void(const EngineEvent&)>& on_event,
                                     const std::function<void()>& on_open,
                                     std::stop_token stop) = 0;
};

}  // namespace skep::ports
