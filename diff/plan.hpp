#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/error.hpp"
#include "swarm/live_state.hpp"
#include "swarm/stack_spec.hpp"

namespace skep::diff {

enum class ObjectKind { network, secret, config, service };
enum class Verb {
  create,
  update,
  remove,
  replace,  ///< Remove and create: mode, network options (design §5).
};
/// As in plans, answers and records: "service", "create".
[[nodiscard]] std::string_view word_of(ObjectKind kind);
[[nodiscard]] std::string_view word_of(Verb verb);

/// What an action does to running tasks, by swarm's own rule (E4).
enum class Impact {
  none,     ///< No task is touched.
  start,    ///< New tasks start.
  restart,  ///< All tasks are replaced, rolling.
  scale,    ///< Tasks are added or removed, the others stay.
  stop,     ///< Tasks stop for good.
  rerun,    ///< A job runs again.
};

/// One difference inside an object, as a reviewer reads it.
struct FieldChange {
  enum class Kind { added, removed, changed };
  std::string path;  ///< "image", "environment", "deploy.replicas", "ports" …: compose words.
  std::string item;  ///< For maps and lists: the key or element, "" where the field is one value.
                     ///< Environment: the variable's name.
  Kind kind = Kind::changed;
  std::string before, after;  ///< "" on the missing side; "***" where `secret`.
  bool secret = false;        ///< The value must not be shown.
  bool operator==(const FieldChange&) const = default;
};

struct Action {
  Verb verb = Verb::update;
  ObjectKind kind = ObjectKind::service;
  std::string name;  ///< The object's name in the swarm.
  std::string key;   ///< The key in the stack's file; the name without the stack for objects that
                     ///< git does not name.
  Impact impact = Impact::none;
  std::string reason;  ///< "no longer in the stack's files", "replaces MY-APP_nginx" …; "" where
                       ///< the fields say it.
  std::vector<FieldChange> changes;  ///< Empty for create and remove. Where `kind` is network,
                                     ///< secret or config: of labels, or why it is replaced.
  swarm::ObjectId live_id;           ///< Of what is updated, replaced or removed.
  /// Not empty: an update that only takes these ports of the routing mesh off the live service, for
  /// another one to have them. The engine refuses a port in use, so two services cannot change
  /// ports in one step; what comes after such an action is planned anew.
  std::vector<swarm::PublishedPort> gives_up;
  /// A removal without which something else of this plan, or a service that lacks tasks, has no
  /// place: it does not wait until the rest is healthy.
  bool makes_room = false;
  bool operator==(const Action&) const = default;
};

struct Note {
  enum class Severity { info, warning, blocked };
  Severity severity = Severity::info;
  std::string text;
  std::optional<SourcePosition> at;
  /// It blocks only because a service of another stack publishes the port.
  bool port_in_use = false;
  bool operator==(const Note&) const = default;
};

/// What carrying out a stack would do. Plain data, sorted: made once and used by CLI, agent, API,
/// pull request and metrics alike.
struct Plan {
  swarm::StackName stack;
  /// In the order of application: networks, secrets, configs, services, then removals. Removals
  /// that make room come first: of a service whose port a new one takes, before the services; of
  /// one that attaches to a network which is replaced, before the networks, and its creation
  /// follows in its place. Where services hand ports round in a circle, one of them gives its own
  /// up before (Action::gives_up).
  std::vector<Action> actions;
  std::vector<std::string> untouched;  ///< Keys of services that nothing happens to.
  std::vector<Note> notes;
  /// The final specs, with configs and secrets under the names that this plan gives them and what
  /// is inherited from the live service (image digest, ForceUpdate, platforms) filled in. Ids are
  /// still by name.
  swarm::StackSpec desired;
  [[nodiscard]] bool empty() const noexcept { return actions.empty(); }
  /// A note says that it must not be carried out (missing external network, port taken …).
  [[nodiscard]] bool blocked() const noexcept;
  /// Whether it does something to the service of this name in the swarm.
  [[nodiscard]] bool touches_service(std::string_view name) const noexcept;
  /// Nothing is made or changed: what is left to do waits for the rest to be healthy (trap 13).
  [[nodiscard]] bool only_removals() const noexcept;
  /// Nothing but configs and secrets go in whose place a newer generation stands.
  [[nodiscard]] bool only_collects_generations() const noexcept;
};

/// Whether a live secret holds the desired data; only the engine can tell (design §5).
enum class SecretAnswer { same, different, unknown };

enum class ResolveImage { always, changed, never };

/// A digest that the registry gave for an image reference, or nothing where it did not answer.
struct ResolvedImage {
  std::string digest;
  std::vector<swarm::Platform> platforms;
  bool operator==(const ResolvedImage&) const = default;
};

struct Policy {
  ResolveImage resolve_image = ResolveImage::changed;
  bool prune = false;  ///< Services (and, with `prune_objects`, configs, secrets, networks) that
                       ///< the file does not name go.
  bool prune_objects = false;        ///< The CLI never removes networks, secrets or configs.
  bool collect_generations = false;  ///< As `prune_objects`, but only of configs and secrets that
                                     ///< another generation of the same key took the place of.
  bool plain_names = false;  ///< `skep eject`: only the plain names count, and our own labels are a
                             ///< difference. What holds older content under a plain name is
                             ///< replaced where nothing uses it.
  bool rotate = true;  ///< Changed configs and secrets get a new name; else it is an error note, as
                       ///< the CLI fails.
  bool allow_replace = false;
  std::optional<std::string> instance;  ///< Put into kInstanceLabel of objects that are created or
                                        ///< changed; nothing for `skep deploy`.
  /// Answers of the registry by image text as sent to it; an image not in here was not asked or did
  /// not answer.
  std::map<std::string, ResolvedImage> resolved;
  /// What the digests of the running services should be, by image text as written: durable
  /// decisions of the agent. Empty for the CLI.
  std::map<std::string, std::string> recorded_digests;
  std::function<SecretAnswer(const swarm::LiveSecret&, const swarm::SecretSpec&)>
      secret_holds;  ///< Empty: unknown for all.
  /// Names for new generations of secrets must not reveal their content; makes at least 8 hex
  /// digits for a secret. Empty: a changed secret is a blocked note.
  std::function<std::string(const swarm::SecretSpec&)> secret_suffix;
  /// The value of kDigestLabel for a secret that is created: a keyed digest (attack 18). Empty: no
  /// such label.
  std::function<std::string(const swarm::SecretSpec&)> secret_digest;
  /// Ids of the configs and secrets that live tasks of these services use (trap 19): asked at most
  /// once, and only when one would be removed. Nothing: not known, so none is removed. Empty: tasks
  /// do not count.
  std::function<std::optional<std::set<swarm::ObjectId>>(const std::vector<swarm::ObjectId>&)>
      held_by_tasks;
  /// The negotiated API version, "1.41": old engines drop fields that newer ones keep (rules E3.11,
  /// E3.12). "" is not known: what live lacks of those fields counts as dropped.
  std::string engine_api;
};

/// What all plans of one pass look up, gathered in one walk over the live state, which must outlive
/// it.
class LiveIndex {
 public:
  explicit LiveIndex(const swarm::LiveState& live);

  [[nodiscard]] const swarm::LiveState& state() const noexcept { return *live_; }
  /// The objects with that stack's label; an empty LiveStack where there are none.
  [[nodiscard]] const swarm::LiveStack& stack(const std::string& name) const;
  using Services = std::vector<const swarm::LiveService*>;
  /// Services that publish a port of the routing mesh ("tcp", "udp", "sctp").
  [[nodiscard]] const Services& publishers(std::uint32_t port, const std::string& protocol) const;
  /// Services whose ports keep the engine from giving this one to another service: the routing mesh
  /// has a port for itself, on nodes (`host`) services share it.
  [[nodiscard]] Services in_the_way_of(const swarm::PublishedPort& port) const;
  /// Services whose Spec or PreviousSpec cites the secret, config or network with that id.
  [[nodiscard]] const Services& citing(const swarm::ObjectId& id) const;
  /// Services that attach to the network of that name, now.
  [[nodiscard]] const Services& attached(const std::string& network) const;

 private:
  const swarm::LiveState* live_;
  std::map<std::string, swarm::LiveStack> stacks_;
  std::map<std::pair<std::uint32_t, std::string>, Services> publishers_, on_nodes_;
  std::map<swarm::ObjectId, Services> citing_;
  std::map<std::string, Services> attached_;
};

/// The images that must be asked of a registry before `plan` can decide, by rule D6 (table) resp.
/// the agent's records (design §5, "Images"): the texts to send, which are the keys of
/// Policy::resolved. Sorted, each once.
[[nodiscard]] std::vector<std::string> images_to_resolve(const swarm::StackSpec& desired,
                                                         const LiveIndex& live,
                                                         const Policy& policy);
[[nodiscard]] std::vector<std::string> images_to_resolve(const swarm::StackSpec& desired,
                                                         const swarm::LiveState& live,
                                                         const Policy& policy);

/// Pure. `desired` empty of everything plans, with `prune` and `prune_objects`, the removal of the
/// stack's own objects (volumes never).
[[nodiscard]] Plan plan(const swarm::StackSpec& desired,
                        const LiveIndex& live,
                        const Policy& policy);
[[nodiscard]] Plan plan(const swarm::StackSpec& desired,
                        const swarm::LiveState& live,
                        const Policy& policy);

}  // namespace skep::diff
