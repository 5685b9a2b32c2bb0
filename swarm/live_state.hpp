#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "swarm/object_spec.hpp"
#include "swarm/service_spec.hpp"

/// What the engine says is there. Values as read, but for two things: network targets are NAMES
/// (ids where the name is not known), and bulky or useless parts are not kept.
namespace skep::swarm {

using ObjectId = std::string;
/// Compare-and-swap index of one object; only good for the next write, never for "has it changed"
/// (it moves by itself, design §4).
using ObjectVersion = std::uint64_t;

struct UpdateStatus {
  std::string state;  ///< "", updating, paused, completed, rollback_started, rollback_paused,
                      ///< rollback_completed.
  std::string started_at, completed_at;
  std::string message;
  bool operator==(const UpdateStatus&) const = default;
};

struct LiveService {
  ObjectId id;
  ObjectVersion version = 0;
  std::string created_at, updated_at;  ///< RFC 3339, as the engine writes it.
  ServiceSpec spec;
  bool has_previous_spec = false;
  /// Ids of the secrets, configs and networks that PreviousSpec cites: needed for `docker service
  /// rollback`. Sorted.
  std::vector<ObjectId> previous_references;
  UpdateStatus update;
  /// Task counts of ServiceStatus; desired and completed are for jobs what they are in `docker
  /// service ls`.
  std::uint64_t running_tasks = 0, desired_tasks = 0, completed_tasks = 0;
  bool operator==(const LiveService&) const = default;
};

struct LiveNetwork {
  ObjectId id;
  std::string scope;  ///< "swarm" or "local".
  bool ingress = false;
  /// The swarm has it no more; this node keeps a rest of it until its last task that used it ended.
  bool leaving = false;
  NetworkSpec spec;  ///< With the options and subnets that the engine added (rule E3.28).
  /// Swarm will give it no place: told by whoever watches it for long enough, not by the engine.
  bool stuck = false;
  bool operator==(const LiveNetwork&) const = default;
};

struct LiveConfig {
  ObjectId id;
  ObjectVersion version = 0;
  std::string name;
  StringMap labels;
  std::optional<Driver> templating;
  std::string data_sha256;  ///< Hex; the data itself is not kept.
  std::uint64_t data_size = 0;
  bool operator==(const LiveConfig&) const = default;
};

struct LiveSecret {
  ObjectId id;
  ObjectVersion version = 0;
  std::string name;
  StringMap labels;
  std::optional<Driver> driver, templating;
  bool operator==(const LiveSecret&) const = default;
};

struct LiveNode {
  ObjectId id;
  ObjectVersion version = 0;
  std::string hostname;
  std::string role, availability,
      name;  ///< Of its spec: sent back unchanged when a label is changed (trap 40).
  StringMap labels;
  std::string state;       ///< ready, down, unknown, disconnected.
  std::string updated_at;  ///< RFC 3339: also of its going away, and of its engine's return.
  bool operator==(const LiveNode&) const = default;
};

/// The whole swarm at one moment. Sorted by name; lookups are by binary search.
struct LiveState {
  std::vector<LiveService> services;  ///< By spec.name.
  std::vector<LiveNetwork> networks;  ///< By spec.name; local ones too.
  std::vector<LiveConfig> configs;
  std::vector<LiveSecret> secrets;
  std::vector<LiveNode> nodes;  ///< By hostname, then id: hostnames repeat (trap 40).
  /// Names of networks that are gone but for a rest (LiveNetwork::leaving): no network of such a
  /// name can be made yet.
  std::set<std::string, std::less<>> leaving_networks;
  bool operator==(const LiveState&) const = default;

  /// Brings everything into the order that the finders need, turns network ids in services into
  /// names, and takes networks that are leaving out of `networks`.
  void normalise();
  [[nodiscard]] const LiveService* find_service(std::string_view name) const;
  [[nodiscard]] const LiveNetwork* find_network(std::string_view name) const;
  [[nodiscard]] const LiveConfig* find_config(std::string_view name) const;
  [[nodiscard]] const LiveSecret* find_secret(std::string_view name) const;
};

/// The part that carries a stack's label.
struct LiveStack {
  std::vector<const LiveService*> services;
  std::vector<const LiveNetwork*> networks;
  std::vector<const LiveConfig*> configs;
  std::vector<const LiveSecret*> secrets;
  [[nodiscard]] bool empty() const noexcept {
    return services.empty() && networks.empty() && configs.empty() && secrets.empty();
  }
};

/// The stack that a live service is of: what its label says; where somebody took that off a service
/// with our mark, what its containers' label says. "" for none.
[[nodiscard]] std::string stack_of(const ServiceSpec& service);

/// Every stack of the swarm by its label; pointers into `live`, which must outlive the result. One
/// walk for all stacks.
[[nodiscard]] std::map<std::string, LiveStack> stacks_of(const LiveState& live);

/// One task, read only where something is not as it should be.
struct Task {
  ObjectId id, service_id, node_id;
  std::uint64_t slot = 0;
  std::string image;
  std::string desired_state;  ///< running, shutdown, complete, remove …
  std::string state;  ///< new, pending, assigned, preparing, running, complete, failed, rejected …
  std::string message;    ///< The engine's words on the state.
  std::string error;      ///< The engine's words on a failure or on why it waits; "" for none.
  std::string timestamp;  ///< Of the state, RFC 3339.
  std::string created_at;
  std::int64_t exit_code = 0;
  std::vector<ObjectId> references;  ///< Of the secrets and configs that it uses.
  bool operator==(const Task&) const = default;
};

}  // namespace skep::swarm
