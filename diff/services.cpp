#include <algorithm>
#include <array>

#include "diff/images.hpp"
#include "diff/impact.hpp"
#include "diff/normalise.hpp"
#include "diff/planner.hpp"
#include "diff/service_diff.hpp"
#include "swarm/labels.hpp"

namespace skep::diff {
namespace {

using swarm::ServiceSpec;

/// Where only the order or the spelling of a part differs, the live part is written back: writing
/// the other spelling would restart tasks for nothing (rule E4.3).
void carry_equal_parts(ServiceSpec& spec, const ServiceSpec& live_spec, const Comparable& sides) {
  const auto live = by_name(live_spec);
  auto& task = spec.task_template;
  const auto& wanted = sides.desired.task_template;
  const auto& found = sides.live.task_template;
  if (wanted.container == found.container) task.container = live.task_template.container;
  if (wanted.placement == found.placement) task.placement = live.task_template.placement;
  if (wanted.restart_policy == found.restart_policy)
    task.restart_policy = live.task_template.restart_policy;
  if (wanted.networks == found.networks) {
    // By the order of the live names; ids of predefined networks have none and stay as written.
    const auto& order = live.task_template.networks;
    const auto position = [&](const swarm::NetworkAttachment& network) {
      return std::find_if(order.begin(), order.end(), [&](const auto& entry) {
        return entry.target == network.target;
      });
    };
    std::stable_sort(task.networks.begin(), task.networks.end(), [&](const auto& a, const auto& b) {
      return position(a) < position(b);
    });
  }
  if (sides.desired.endpoint_spec == sides.live.endpoint_spec)
    spec.endpoint_spec = live.endpoint_spec;
}

/// Whether the sides of a job differ in nothing that would make another run of use (trap 33).
bool is_noise_for_a_job(Comparable sides) {
  for (auto* spec : {&sides.desired, &sides.live}) {
    spec->labels.clear();
    spec->update_config.reset();
    spec->rollback_config.reset();
    for (auto& reference : spec->task_template.container.secrets) reference.secret_id.clear();
    for (auto& reference : spec->task_template.container.configs) reference.config_id.clear();
  }
  return sides.equal();
}

/// Those that the file numbers; the others the engine chooses.
std::vector<const swarm::PublishedPort*> numbered_ports(const ServiceSpec& spec) {
  std::vector<const swarm::PublishedPort*> ports;
  if (!spec.endpoint_spec) return ports;
  for (const auto& port : spec.endpoint_spec->ports) {
    if (port.published != 0) ports.push_back(&port);
  }
  return ports;
}

std::string protocol_of(const swarm::PublishedPort& port) {
  return port.protocol == "udp" || port.protocol == "sctp" ? port.protocol : "tcp";
}

/// A port of the service that the engine does not take beside this one of another service: it lets
/// services share a port on the nodes only.
const swarm::PublishedPort* rival_of(const swarm::PublishedPort& port, const ServiceSpec& spec) {
  for (const auto* other : numbered_ports(spec)) {
    if (other->published == port.published && protocol_of(*other) == protocol_of(port) &&
        (other->mode != "host" || port.mode != "host"))
      return other;
  }
  return nullptr;
}

/// "" where both are ports of the routing mesh, and nobody wonders.
std::string in_different_modes(const swarm::PublishedPort& one, const swarm::PublishedPort& other) {
  if ((one.mode == "host") == (other.mode == "host")) return "";
  return ", one in the routing mesh and one with mode: host, which the engine does not take "
         "together: publish another port, or both with mode: host";
}

bool mounts_volume(const ServiceSpec& spec, const std::string& volume) {
  const auto& mounts = spec.task_template.container.mounts;
  return std::any_of(mounts.begin(), mounts.end(), [&](const swarm::Mount& mount) {
    return mount.type == "volume" && mount.source == volume;
  });
}

bool is_local_volume(const swarm::Mount& mount) {
  if (mount.type != "volume" || mount.source.empty()) return false;
  if (!mount.volume_options || !mount.volume_options->driver_config) return true;
  const auto& driver = mount.volume_options->driver_config->name;
  return driver.empty() || driver == "local";
}

}  // namespace

void Planner::find_removed_services() {
  for (const auto* service : own_.services) {
    const auto key = key_of(service->spec.name);
    if (wanted_.services.count(key) != 0) {
      if (service->spec.name != wanted_.name.scope(key))  // D7.1 spares it, too.
        note(Note::Severity::info,
             "service " + quoted(service->spec.name) + " carries this stack's label, but is not " +
                 quoted(wanted_.name.scope(key)) + "; it stays as it is");
      continue;
    }
    if (policy_.prune) {
      removed_.insert(service->spec.name);
    } else {
      note(Note::Severity::info,
           "service " + quoted(service->spec.name) +
               " is live, but the files do not name it; it stays, for pruning is off");
    }
  }
}

void Planner::plan_services() {
  for (const auto& [key, service] : wanted_.services) plan_service(key);
}

void Planner::plan_service(const std::string& key) {
  auto& desired = plan_.desired.services.at(key);
  auto& spec = desired.spec;
  const auto* live = own_service(spec.name);
  if (live == nullptr) {
    if (const auto* other = live_.state().find_service(spec.name)) {  // D6.1
      const auto owner = swarm::stack_of(other->spec);
      const auto& marks = other->spec.task_template.container.labels;
      const auto mark = marks.find(std::string(swarm::kStackLabel));
      const bool lost = owner.empty() && mark != marks.end() && mark->second == wanted_.name.text();
      const auto whose =
          owner.empty() ? "does not belong to a stack" : "belongs to stack " + quoted(owner);
      note(Note::Severity::blocked,
           "service " + quoted(spec.name) + " exists already and " + whose + ": " +
               (lost ? "if it is this stack's, give it its label back with \"docker service update "
                       "--label-add " +
                           std::string(swarm::kStackLabel) + '=' + wanted_.name.text() + ' ' +
                           spec.name + "\", else "
                     : "") +
               "remove it with \"docker service rm " + spec.name + "\" or rename this one",
           desired.at);
      return;
    }
  }

  auto image = choose_image(spec, live, policy_);
  auto& task = spec.task_template;
  task.container.image = std::move(image.image);
  if (!image.platforms.empty() && !task.placement) task.placement.emplace();
  if (task.placement) task.placement->platforms = std::move(image.platforms);
  task.force_update = live != nullptr ? live->spec.task_template.force_update : 0;  // E3.23

  Action action;
  action.kind = ObjectKind::service;
  action.name = spec.name;
  action.key = key;
  if (live == nullptr) {
    check_ports(key, spec);
    put_instance_label(spec.labels);
    action.verb = Verb::create;
    action.impact = Impact::start;
    service_actions_.push_back(std::move(action));
    return;
  }

  action.live_id = live->id;
  auto sides = comparable(spec, *live, live_.state(), policy_.engine_api);
  for (const auto& field : sides.dropped)
    note(Note::Severity::info,
         "service " + quoted(spec.name) + ": this engine does not keep " + field,
         desired.at);

  const auto& live_networks = live->spec.task_template.networks;
  const auto cut_off =
      std::find_if(live_networks.begin(), live_networks.end(), [&](const auto& network) {
        return replaced_networks_.count(network.target) != 0;
      });
  if (cut_off != live_networks.end()) {
    action.verb = Verb::remove;
    action.impact = Impact::stop;
    action.reason = "network " + cut_off->target + " is replaced";
    action.makes_room = true;
    first_.push_back(action);
    action.makes_room = false;
    action.verb = Verb::create;
    action.impact = Impact::start;
    action.live_id.clear();
    task.force_update = 0;
    note_volumes(key, sides.live, &sides.desired);
    check_ports(key, spec);
    put_instance_label(spec.labels);
    service_actions_.push_back(std::move(action));
    return;
  }
  const auto our_label = live->spec.labels.find(std::string(swarm::kInstanceLabel));
  const bool strip = policy_.plain_names && our_label != live->spec.labels.end() &&
                     !sides.desired.mode.is_job();  // A job would run again.
  if (sides.equal() && !strip) {
    spec = by_name(live->spec);
    plan_.untouched.push_back(key);
    return;
  }
  action.changes = service_changes(sides.live, sides.desired);
  if (strip) {
    action.changes.push_back({"deploy.labels",
                              std::string(swarm::kInstanceLabel),
                              FieldChange::Kind::removed,
                              our_label->second,
                              "",
                              false});
  }
  note_volumes(key, sides.live, &sides.desired);
  check_ports(key, spec);

  const bool mode_changes = sides.desired.mode.name() != sides.live.mode.name();
  if (mode_changes && !policy_.allow_replace) {
    note(Note::Severity::blocked,
         "service " + quoted(spec.name) + ": the engine cannot change the mode of a service (" +
             std::string(sides.live.mode.name()) + " to " + std::string(sides.desired.mode.name()) +
             "): remove it first with \"docker service rm " + spec.name +
             "\", or set \"replace: allowed\" in the stack's skep.yaml where it has one",
         desired.at);
  }
  if (mode_changes) {
    put_instance_label(spec.labels);
    task.force_update = 0;
    action.verb = Verb::replace;
    action.impact = Impact::restart;
    service_actions_.push_back(std::move(action));
    return;
  }

  if (sides.desired.mode.is_job() && is_noise_for_a_job(sides)) {
    note(Note::Severity::info,
         "job " + quoted(spec.name) +
             ": labels or references differ; it is left alone, for every update runs a job again",
         desired.at);
    spec = by_name(live->spec);
    plan_.untouched.push_back(key);
    return;
  }
  action.verb = Verb::update;
  action.impact = impact_of(sides.live, sides.desired);
  carry_equal_parts(spec, live->spec, sides);
  put_instance_label(spec.labels);
  service_actions_.push_back(std::move(action));
}

void Planner::check_ports(const std::string& key, const ServiceSpec& spec) {
  for (const auto* port : numbered_ports(spec)) {
    const auto text = "port " + std::to_string(port->published) + "/" + protocol_of(*port);
    for (const auto& [other_key, other] : wanted_.services) {
      const auto* rival = other_key == key ? nullptr : rival_of(*port, other.spec);
      if (rival == nullptr) continue;
      if (other_key < key && own_service(other.spec.name) == nullptr) continue;  // Said there.
      note(Note::Severity::blocked,
           text + " is published by both " + quoted(spec.name) + " and " + quoted(other.spec.name) +
               in_different_modes(*port, *rival),
           wanted_.services.at(key).at);
    }
    for (const auto* other : live_.in_the_way_of(*port)) {
      const auto& name = other->spec.name;
      if (name == spec.name || removed_.count(name) != 0) continue;
      const bool ours = owns(other->spec.labels);
      // One that git still names gives the port up in this plan, or was named above.
      if (ours && wanted_.services.count(key_of(name)) != 0 &&
          wanted_.name.scope(key_of(name)) == name)
        continue;
      const auto* rival = rival_of(*port, other->spec);
      auto remedy = rival == nullptr ? "" : in_different_modes(*port, *rival);
      // What ports are exchanged by is those of the routing mesh.
      const bool exchangeable = !ours && remedy.empty();
      if (ours)
        remedy = ", which the files do not name: remove it with \"docker service rm " + name +
                 "\" or turn pruning on (--prune, or \"prune: true\" in skep.yaml)";
      note(Note::Severity::blocked,
           text + " of service " + quoted(spec.name) + " is taken by service " + quoted(name) +
               remedy,
           wanted_.services.at(key).at);
      plan_.notes.back().port_in_use = exchangeable;
    }
  }
}

void Planner::note_volumes(const std::string& key,
                           const ServiceSpec& live,
                           const ServiceSpec* desired) {
  std::set<std::string> left;
  for (const auto& mount : live.task_template.container.mounts) {
    if (mount.type == "volume" && !mount.source.empty() &&
        (desired == nullptr || !mounts_volume(*desired, mount.source)))
      left.insert(mount.source);
  }
  for (const auto& volume : left)
    note(desired != nullptr ? Note::Severity::warning : Note::Severity::info,
         "service " + quoted(live.name) + " no longer mounts volume " + quoted(volume) +
             ": the data stays in that volume");
  if (desired == nullptr) return;
  for (const auto& before : live.task_template.container.mounts) {
    if (before.type != "bind") continue;
    for (const auto& after : desired->task_template.container.mounts) {
      if (after.type != "volume" || after.target != before.target) continue;
      note(Note::Severity::warning,
           "service " + quoted(live.name) + ": " + before.target + " was the directory " +
               quoted(before.source) + " of the node and becomes the volume " +
               quoted(after.source) + ": the data stays in the directory",
           wanted_.services.at(key).at);
    }
  }

  // A local volume is another one on every node: a task that may move finds an empty one.
  const auto& mounts = desired->task_template.container.mounts;
  const auto local = std::find_if(mounts.begin(), mounts.end(), is_local_volume);
  if (local == mounts.end() || !live.task_template.placement) return;
  for (const auto& constraint : live.task_template.placement->constraints) {
    const auto& placement = desired->task_template.placement;
    if (placement &&
        std::find(placement->constraints.begin(), placement->constraints.end(), constraint) !=
            placement->constraints.end())
      continue;
    note(Note::Severity::warning,
         "service " + quoted(live.name) + " loses the constraint " + quoted(constraint) +
             ": on another node volume " + quoted(local->source) + " is a new, empty one",
         wanted_.services.at(key).at);
  }
}

/// Whether a service that goes has a port of the nodes that one of the stack's is to get or waits
/// for: the engine takes both, and the newer one never finds a place.
bool Planner::holds_port_of_nodes(const swarm::LiveService& leaving) const {
  const auto publishes = [](const ServiceSpec& spec, const swarm::PublishedPort& port) {
    const auto ports = numbered_ports(spec);
    return std::any_of(ports.begin(), ports.end(), [&](const swarm::PublishedPort* other) {
      return other->mode == "host" && port.mode == "host" && other->published == port.published &&
             protocol_of(*other) == protocol_of(port);
    });
  };
  for (const auto* port : numbered_ports(leaving.spec)) {
    for (const auto& [key, wanted] : plan_.desired.services) {
      if (!publishes(wanted.spec, *port)) continue;
      const auto* live = own_service(wanted.spec.name);
      if (live == nullptr || !publishes(live->spec, *port) ||
          live->running_tasks < live->desired_tasks)
        return true;
    }
  }
  return false;
}

void Planner::remove_services() {
  for (const auto* service : own_.services) {
    if (removed_.count(service->spec.name) == 0) continue;
    Action action;
    action.verb = Verb::remove;
    action.kind = ObjectKind::service;
    action.name = service->spec.name;
    action.key = key_of(service->spec.name);
    action.impact = Impact::stop;
    action.reason = "no longer in the stack's files";
    action.live_id = service->id;
    note_volumes(action.key, service->spec, nullptr);
    removals_.push_back(std::move(action));
  }
}

/// Of services that wait for each other, the one that goes first all the same. Whoever holds its
/// ports gives them up before, for the engine refuses a port in use.
std::vector<Action>::iterator Planner::cut_circle() {
  for (auto next = service_actions_.begin(); next != service_actions_.end(); ++next) {
    std::map<std::string, std::vector<swarm::PublishedPort>> given_up;  // By the holder's name.
    for (const auto* port : numbered_ports(plan_.desired.services.at(next->key).spec)) {
      if (port->mode == "host") continue;  // Only ports of the routing mesh are given up.
      for (const auto* holder : live_.publishers(port->published, protocol_of(*port))) {
        const bool updated = std::any_of(
            service_actions_.begin(), service_actions_.end(), [&](const Action& action) {
              return action.name == holder->spec.name && action.name != next->name;
            });
        if (updated) given_up[holder->spec.name].push_back(*port);
      }
    }
    if (given_up.empty()) continue;
    for (auto& [name, ports] : given_up) {
      Action action;
      action.name = name;
      action.key = key_of(name);
      action.live_id = own_service(name)->id;
      action.impact = Impact::restart;
      std::string list;
      for (const auto& port : ports)
        list +=
            (list.empty() ? "" : ", ") + std::to_string(port.published) + "/" + protocol_of(port);
      action.reason = "gives up port " + list + " first, for " + next->name + " takes it";
      note(Note::Severity::warning,
           "service " + quoted(name) + " gives port " + list + " to service " + quoted(next->name) +
               " and gets another one for it: it restarts twice, and the ports answer nobody in "
               "between",
           wanted_.services.at(action.key).at);
      action.gives_up = std::move(ports);
      plan_.actions.push_back(std::move(action));
    }
    return next;
  }
  return service_actions_.begin();
}

/// What another waits for goes first: a dependency, or a service that gives up a port. Otherwise by
/// key. A circle (two services swap their ports) is cut.
void Planner::order_services() {
  std::map<std::string, std::set<std::string>> waits_for;
  for (const auto& action : service_actions_) {
    auto& before = waits_for[action.key];
    const auto& service = plan_.desired.services.at(action.key);
    for (const auto& dependency : service.depends_on) before.insert(dependency.service);
    for (const auto* port : numbered_ports(service.spec)) {
      for (const auto* holder : live_.in_the_way_of(*port)) {
        if (owns(holder->spec.labels) && holder->spec.name != action.name)
          before.insert(key_of(holder->spec.name));
      }
    }
  }
  // Removed services that are in the way of a port or a network: before what they make room for.
  std::vector<Action> early;
  for (auto at = removals_.begin(); at != removals_.end();) {
    const auto* service = at->kind == ObjectKind::service ? own_service(at->name) : nullptr;
    if (service == nullptr) {
      ++at;
      continue;
    }
    const auto& networks = service->spec.task_template.networks;
    const bool holds_network =
        std::any_of(networks.begin(), networks.end(), [&](const auto& network) {
          return replaced_networks_.count(network.target) != 0;
        });
    const bool holds_port = std::any_of(waits_for.begin(), waits_for.end(), [&](const auto& entry) {
      return entry.second.count(at->key) != 0;
    });
    if (holds_network || holds_port || holds_port_of_nodes(*service)) {
      at->makes_room = true;
      (holds_network ? first_ : early).push_back(std::move(*at));
      at = removals_.erase(at);
    } else {
      ++at;
    }
  }
  for (auto& action : early) plan_.actions.push_back(std::move(action));

  while (!service_actions_.empty()) {
    auto next =
        std::find_if(service_actions_.begin(), service_actions_.end(), [&](const Action& action) {
          const auto& before = waits_for.at(action.key);
          return std::none_of(
              service_actions_.begin(), service_actions_.end(), [&](const Action& other) {
                return other.key != action.key && before.count(other.key) != 0;
              });
        });
    if (next == service_actions_.end()) next = cut_circle();
    plan_.actions.push_back(std::move(*next));
    service_actions_.erase(next);
  }
}

}  // namespace skep::diff
