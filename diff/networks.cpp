#include <algorithm>

#include "diff/network_diff.hpp"
#include "diff/planner.hpp"
#include "diff/service_diff.hpp"
#include "swarm/labels.hpp"
#include "swarm/subnet.hpp"

namespace skep::diff {
namespace {

std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

bool is_unchecked(const std::string& name) {  // D3.1
  return name == "default" || name == "bridge" || name == "host" || name == "none" ||
         name.compare(0, 10, "container:") == 0;
}

}  // namespace

void Planner::check_external_networks() {
  for (const auto& entry : wanted_.external_networks) {
    const auto& name = entry.first;
    const auto& at = entry.second;
    if (is_unchecked(name)) continue;
    std::string scope;
    bool swarm_scoped = false;
    for (const auto& network : live_.state().networks) {
      if (network.spec.name != name) continue;
      scope = network.scope;
      swarm_scoped = swarm_scoped || network.scope == "swarm";
    }
    if (swarm_scoped) continue;
    const bool ours = std::any_of(wanted_.networks.begin(),
                                  wanted_.networks.end(),
                                  [&](const auto& mine) { return mine.second.name == name; });
    if (ours) continue;
    const auto remedy = "make one with \"docker network create --driver overlay " + name +
                        "\" or list it in the cluster's skep.yaml";
    // The engine makes none beside a local one of that name.
    const auto first = "remove that one first with \"docker network rm " + name + "\", then ";
    note(Note::Severity::blocked,
         scope.empty() ? "network " + quoted(name) +
                             " is declared as external, but it does not exist: " + remedy
                       : "network " + quoted(name) + " is declared as external, but its scope is " +
                             quoted(scope) + " instead of \"swarm\": " + first + remedy,
         at);
  }
}

std::optional<SourcePosition> Planner::place_of_network(const std::string& key) const {
  const auto found = wanted_.networks_at.find(key);
  if (found == wanted_.networks_at.end()) return std::nullopt;
  return found->second;
}

void Planner::plan_networks() {
  for (auto& [key, spec] : plan_.desired.networks) {
    put_instance_label(spec.labels);
    plan_network(key, spec);
  }
}

void Planner::plan_network(const std::string& key, const swarm::NetworkSpec& spec) {
  const swarm::LiveNetwork* own = nullptr;
  const swarm::LiveNetwork* foreign = nullptr;
  const auto& all = live_.state().networks;
  for (auto at = std::lower_bound(all.begin(),
                                  all.end(),
                                  spec.name,
                                  [](const swarm::LiveNetwork&network, const std::string&name) {
                                    return network.spec.name < name;
                                  });
       at != all.end() && at->spec.name == spec.name;
       ++at)
    (owns(at->spec.labels) ? own : foreign) = &*at;
  if (own == nullptr) {
    if (foreign != nullptr) {  // D4.2
      note(Note::Severity::blocked,
           "network " + quoted(spec.name) +
               " exists already and does not belong to this stack: declare it external, give it "
               "another name, or remove it with \"docker network rm " +
               spec.name + "\"",
           place_of_network(key));
      return;
    }
    const auto rival = overlapping(spec, {});
    if (!rival.empty())
      note(Note::Severity::warning,
           "network " + quoted(spec.name) + " will get no place in the swarm: " + rival,
           place_of_network(key));
    Action action;
    action.verb = Verb::create;
    action.kind = ObjectKind::network;
    action.name = spec.name;
    action.key = key;
    plan_.actions.push_back(std::move(action));
    return;
  }

  const auto labels =
      map_changes("labels", without_our_labels(own->spec.labels), without_our_labels(spec.labels));
  if (!labels.empty())
    note(Note::Severity::info,
         "network " + quoted(spec.name) + ": labels differ (" + names_of(labels) +
             "); the engine cannot change a network's labels");
  auto changes = fixed_network_changes(own->spec, spec);
  const auto rival = overlapping(spec, *own);
  if (own->stuck && changes.empty()) {
    // While another one holds the subnet a new one would be stuck as well.
    if (rival.empty()) {
      changes.push_back({"place", "", FieldChange::Kind::changed, "none", "one of swarm's", false});
    } else {
      note(Note::Severity::warning,
           "network " + quoted(spec.name) + " gets no place in the swarm: " + rival,
           place_of_network(key));
    }
  }
  if (changes.empty()) return;
  // What a failed `docker stack deploy` of a bridge network leaves behind serves no service.
  const bool of_one_node = own->scope == "local" && spec.driver != own->spec.driver;
  // One without a place serves no task, either.
  if (!policy_.allow_replace && !of_one_node && !own->stuck) {
    note(Note::Severity::warning,
         "network " + quoted(spec.name) + " differs from the files (" + names_of(changes) +
             "), but the engine cannot change a network: remove the stack and deploy it again, or "
             "set \"replace: allowed\" in its skep.yaml where it has one",
         place_of_network(key));
    return;
  }
  std::vector<std::string> ours, others;
  for (const auto* service : live_.attached(spec.name))
    (own_service(service->spec.name) != nullptr ? ours : others).push_back(service->spec.name);
  if (!others.empty()) {
    note(Note::Severity::warning,
         "network " + quoted(spec.name) + " differs from the files (" + names_of(changes) +
             "), but it is not replaced while services of others attach to it: " + list_of(others));
    return;
  }
  if (!rival.empty()) {
    note(Note::Severity::blocked,
         "network " + quoted(spec.name) + " cannot be replaced: " + rival,
         place_of_network(key));
    return;
  }
  replaced_networks_.insert(spec.name);
  Action action;
  action.verb = Verb::replace;
  action.kind = ObjectKind::network;
  action.name = spec.name;
  action.key = key;
  action.changes = std::move(changes);
  if (!ours.empty()) {
    action.reason = "stops and starts " + list_of(ours);
    action.impact = Impact::restart;
  }
  action.live_id = own->id;
  plan_.actions.push_back(std::move(action));
}

std::string Planner::overlapping(const swarm::NetworkSpec& spec,
                                 const swarm::LiveNetwork& own) const {
  if (!spec.ipam) return "";
  for (const auto& wanted : spec.ipam->config) {
    for (const auto& network : live_.state().networks) {
      // What is of this stack may be about to go.
      if (network.id == own.id || network.scope != "swarm" || network.leaving ||
          !network.spec.ipam || owns(network.spec.labels))
        continue;
      for (const auto& held : network.spec.ipam->config) {
        if (swarm::subnets_overlap(wanted.subnet, held.subnet))
          return "its subnet " + wanted.subnet + " overlaps " + held.subnet + " of the network " +
                 quoted(network.spec.name) + "; choose another one";
      }
    }
  }
  return "";
}

void Planner::collect_networks() {
  if (!policy_.prune_objects) return;
  for (const auto* network : own_.networks) {
    const auto& name = network->spec.name;
    const auto& finals = plan_.desired.networks;
    const bool wanted = std::any_of(
        finals.begin(), finals.end(), [&](const auto& entry) { return entry.second.name == name; });
    if (wanted || network->ingress || wanted_.external_networks.count(name) != 0) continue;
    if (is_cited(network->id)) continue;
    const auto& attached = live_.attached(name);
    if (std::any_of(attached.begin(), attached.end(), [&](const auto* service) {
          return removed_.count(service->spec.name) == 0;
        }))
      continue;
    Action action;
    action.verb = Verb::remove;
    action.kind = ObjectKind::network;
    action.name = name;
    action.key = key_of(name);
    action.reason = "no longer in the stack's files";
    action.live_id = network->id;
    removals_.push_back(std::move(action));
  }
}

}  // namespace skep::diff
