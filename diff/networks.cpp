#include <algorithm>

#include "diff/differ.hpp"
#include "diff/planner.hpp"
#include "diff/service_diff.hpp"
#include "swarm/labels.hpp"

namespace skep::diff {
namespace {

/// Written by the engine into the options of every overlay network (rule E3.28).
constexpr std::string_view kEngineOption = "com.docker.network.driver.overlay.vxlanid_list";

std::vector<std::string> subnets_of(const std::optional<swarm::Ipam>& ipam) {
  std::vector<std::string> subnets;
  if (ipam) {
    for (const auto& subnet : ipam->config) subnets.push_back(subnet.subnet);
  }
  std::sort(subnets.begin(), subnets.end());
  return subnets;
}

/// What cannot be changed in place. Only what was asked for is compared: the engine adds the rest.
std::vector<FieldChange> fixed_changes(const swarm::NetworkSpec& live,
                                       const swarm::NetworkSpec& desired) {
  Differ differ;
  auto driver = [](const std::string& name) { return name.empty() ? "overlay" : name; };
  auto before = live;
  auto after = desired;
  // A network that was just made reads back without driver, options and subnets until the manager
  // has given it its place.
  const bool allocated = !live.driver.empty();
  if (allocated) differ.report("driver", "", driver(live.driver), driver(desired.driver));
  differ.value("internal", before.internal, after.internal);
  differ.value("attachable", before.attachable, after.attachable);
  if (!allocated) return std::move(differ).take();
  before.options.erase(std::string(kEngineOption));
  after.options.erase(std::string(kEngineOption));
  if (driver(live.driver) != "overlay") {  // Other drivers may add options of their own.
    for (auto at = before.options.begin(); at != before.options.end();)
      at = after.options.count(at->first) == 0 ? before.options.erase(at) : std::next(at);
  }
  differ.map("driver_opts", before.options, after.options);
  if (desired.ipam && !desired.ipam->driver.empty())
    differ.report("ipam.driver", "", live.ipam ? live.ipam->driver : "", desired.ipam->driver);
  auto wanted_subnets = subnets_of(desired.ipam);
  auto live_subnets = subnets_of(live.ipam);
  if (!wanted_subnets.empty()) differ.set("ipam.config.subnet", live_subnets, wanted_subnets);
  return std::move(differ).take();
}

std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string in_words(const std::vector<FieldChange>& changes) {
  std::vector<std::string> parts;
  for (const auto& change : changes)
    parts.push_back(change.path + (change.item.empty() ? "" : " " + change.item));
  return list_of(parts);
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
    const std::string remedy = "make one with \"docker network create --driver overlay " + name +
                               "\" or list it in the cluster's skep.yaml";
    note(Note::Severity::blocked,
         scope.empty() ? "network " + quoted(name) +
                             " is declared as external, but it does not exist: " + remedy
                       : "network " + quoted(name) + " is declared as external, but its scope is " +
                             quoted(scope) + " instead of \"swarm\": " + remedy,
         at);
  }
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
               spec.name + "\"");
      return;
    }
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
         "network " + quoted(spec.name) + ": labels differ (" + in_words(labels) +
             "); the engine cannot change a network's labels");
  auto changes = fixed_changes(own->spec, spec);
  if (changes.empty()) return;
  if (!policy_.allow_replace) {
    note(Note::Severity::warning,
         "network " + quoted(spec.name) + " differs from git (" + in_words(changes) +
             "), but the engine cannot change a network: remove and create it by hand, or set "
             "\"replace: allowed\"");
    return;
  }
  std::vector<std::string> ours, others;
  for (const auto* service : live_.attached(spec.name))
    (owns(service->spec.labels) ? ours : others).push_back(service->spec.name);
  if (!others.empty()) {
    note(Note::Severity::warning,
         "network " + quoted(spec.name) + " differs from git (" + in_words(changes) +
             "), but it is not replaced while services of others attach to it: " + list_of(others));
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
    action.reason = "removed from git";
    action.live_id = network->id;
    removals_.push_back(std::move(action));
  }
}

}  // namespace skep::diff
