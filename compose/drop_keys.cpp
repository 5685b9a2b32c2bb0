#include <map>
#include <utility>

#include "compose/rewrite.hpp"
#include "compose/text.hpp"

namespace skep::compose {
namespace {

constexpr const char* kNothing = "Swarm has no such setting";

/// What happens instead. Those that change what the container is allowed to do say so first.
const std::map<std::string, std::string, std::less<>> kDropped = {
    {"annotations", kNothing},
    {"attach", "it is about the terminal of docker compose"},
    {"blkio_config", kNothing},
    {"build", "nodes pull the image, nothing is built"},
    {"cgroup", "DANGER if relied on: the container gets the engine's default cgroup namespace"},
    {"cgroup_parent", kNothing},
    {"cgroupns_mode",
     "DANGER if relied on: the container gets the engine's default cgroup namespace"},
    {"container_name",
     "Swarm names containers STACK_SERVICE.N.ID; services find each other by service name"},
    {"cpu_count", kNothing},
    {"cpu_percent", kNothing},
    {"cpu_period", kNothing},
    {"cpu_quota", "write deploy.resources.limits.cpus"},
    {"cpu_rt_period", kNothing},
    {"cpu_rt_runtime", kNothing},
    {"cpu_shares", "write deploy.resources.limits.cpus"},
    {"cpuset", kNothing},
    {"develop", "it is about docker compose watch"},
    {"device_cgroup_rules", "DANGER if relied on: the container gets no access to devices"},
    {"devices",
     "DANGER if relied on: Swarm gives containers no devices; the service will start without them"},
    {"dns_opt", "skep does not pass it on"},
    {"domainname", kNothing},
    {"expose", "services on one network reach each other's ports anyhow"},
    {"external_links", "services on one network find each other by name"},
    {"gpus", "DANGER if relied on: use deploy.resources.reservations.generic_resources"},
    {"group_add", "supplementary groups are not passed on"},
    {"ipc", "DANGER if relied on: the container gets an IPC namespace of its own"},
    {"label_file", "write labels"},
    {"links", "services on one network find each other by name"},
    {"mac_address", kNothing},
    {"mem_swappiness", kNothing},
    {"memswap_limit", kNothing},
    {"models", "it is about docker compose"},
    {"network_mode",
     "DANGER if relied on: the service is attached to the stack's networks instead; for the host's "
     "write an external network named host"},
    {"oom_kill_disable", kNothing},
    {"oom_score_adj", "docker stack deploy ignores it as well"},
    {"pid", "DANGER if relied on: the container gets a PID namespace of its own"},
    {"platform", "use deploy.placement.constraints, node.platform.arch"},
    {"post_start", "nothing is run in the container"},
    {"pre_stop", "nothing is run in the container"},
    {"privileged", "DANGER if relied on: Swarm runs no privileged containers; use cap_add"},
    {"pull_policy", "nodes pull what they do not have; the digest decides"},
    {"runtime", "the engine's default runtime is used"},
    {"security_opt", "DANGER if relied on: the container gets the engine's default profiles"},
    {"shm_size", "/dev/shm has 64 MiB; mount a tmpfs there"},
    {"storage_opt", kNothing},
    {"tmpfs", "write a volume of type tmpfs"},
    {"use_api_socket", "mount the engine's socket to give it away"},
    {"userns_mode", "DANGER if relied on: the container gets the engine's default user namespace"},
    {"uts", kNothing},
    {"volume_driver", "set the driver in the top-level volumes"},
    {"volumes_from", "mount a named volume in each service that shares it"},
};

/// The names of `- db:mysql` that are not the service's own.
std::string other_names(const yaml::Node& links) {
  std::string names;
  const auto* list = links.as<yaml::List>();
  if (!list) return names;
  for (const auto& link : *list) {
    const auto* text = link.as<std::string>();
    if (!text) continue;
    const auto parts = cut(*text, ':');
    if (!parts.found || parts.after == parts.before || parts.after.empty()) continue;
    names += (names.empty() ? "" : ", ") + std::string(parts.after);
  }
  return names;
}

/// What else network_mode and links ask for differs by their words.
std::string instead_of(const yaml::Entry& entry, const std::string& usual) {
  if (entry.key == "links" || entry.key == "external_links") {
    const auto other = other_names(entry.value);
    return other.empty()
               ? usual
               : usual + ", but not as " + other +
                     ": give that name there, networks: {default: {aliases: [" + other + "]}}";
  }
  const auto* word = entry.key == "network_mode" ? entry.value.as<std::string>() : nullptr;
  if (!word) return usual;
  if (*word == "bridge" || *word == "default") {
    return "the service is attached to the stack's networks instead";
  }
  if (*word == "none") {
    return "DANGER if relied on: the service is attached to the stack's networks instead; for none "
           "write an external network named none";
  }
  if (word->starts_with("service:") || word->starts_with("container:")) {
    return "DANGER if relied on: the container gets a network namespace of its own; services on "
           "one network reach each other by name";
  }
  return usual;
}

/// Makes sure that a mapping is there, and returns it; nullptr where something else is.
yaml::Node* ensure_map(yaml::Node& parent, std::string_view key, const SourcePosition& at) {
  auto* node = parent.find(key);
  if (!node || node->is_null()) put(parent, key, yaml::Node(yaml::Map{}, at));
  node = parent.find(key);
  return node && node->as<yaml::Map>() ? node : nullptr;
}

/// An old key that has a place below `deploy`; what stands there already wins.
void move_key(yaml::Node& service,
              const std::string& service_name,
              const char* key,
              std::initializer_list<const char*> path,
              const char* name,
              Rewrite& rewrite) {
  auto entry = take(service, key);
  if (!entry) return;
  auto* place = &service;
  for (const auto* step : path) {
    place = place ? ensure_map(*place, step, entry->key_at) : nullptr;
  }
  if (!place || place->find(name)) {
    rewrite.warning(entry->key_at,
                    "services." + service_name + '.' + key + " is ignored: deploy says it already");
    return;
  }
  put(*place, name, std::move(entry->value));
}

void drop_device_reservations(yaml::Node& service, const std::string& name, Rewrite& rewrite) {
  auto* place = &service;
  for (const auto* key : {"deploy", "resources", "reservations"}) {
    place = place ? place->find(key) : nullptr;
  }
  const auto devices = place ? take(*place, "devices") : std::nullopt;
  if (!devices) return;
  rewrite.warning(
      devices->key_at,
      "services." + name +
          ".deploy.resources.reservations.devices is ignored by Swarm: DANGER if relied "
          "on: use generic_resources");
}

}  // namespace

void drop_service_keys(yaml::Node& service, const std::string& name, Rewrite& rewrite) {
  move_key(service, name, "scale", {"deploy"}, "replicas", rewrite);
  move_key(service, name, "mem_limit", {"deploy", "resources", "limits"}, "memory", rewrite);
  move_key(service, name, "cpus", {"deploy", "resources", "limits"}, "cpus", rewrite);
  move_key(service, name, "pids_limit", {"deploy", "resources", "limits"}, "pids", rewrite);
  move_key(
      service, name, "mem_reservation", {"deploy", "resources", "reservations"}, "memory", rewrite);
  drop_device_reservations(service, name, rewrite);
  auto* entries = service.as<yaml::Map>();
  if (!entries) return;
  if (const auto* build = service.find("build"); build && !service.find("image")) {
    put(service, kCarriedBuild, yaml::Node(true, build->at()));
  }
  std::erase_if(*entries, [&](const yaml::Entry& entry) {
    const auto found = kDropped.find(entry.key);
    if (found == kDropped.end()) return false;
    // Only what is asked for is worth a word.
    if (const auto* flag = entry.value.as<bool>(); flag && !*flag) return true;
    rewrite.warning(entry.key_at,
                    "services." + name + '.' + entry.key +
                        " is ignored by Swarm: " + instead_of(entry, found->second));
    return true;
  });
}

std::vector<std::string> dropped_service_keys() {
  std::vector<std::string> keys;
  for (const auto& [key, instead] : kDropped) keys.push_back(key);
  return keys;
}

void drop_network_keys(yaml::Node& network, const std::string& name, Rewrite& rewrite) {
  const auto drop = [&](yaml::Node* map, const char* key) {
    const auto entry = map ? take(*map, key) : std::nullopt;
    if (!entry) return;
    const auto* flag = entry->value.as<bool>();
    if (flag && !*flag) return;
    rewrite.warning(entry->key_at,
                    "networks." + name + ": " + key +
                        " is ignored: docker stack deploy cannot ask the engine for it");
  };
  drop(&network, "enable_ipv4");
  drop(&network, "enable_ipv6");
  auto* ipam = network.find("ipam");
  drop(ipam, "options");
  auto* pools = ipam ? ipam->find("config") : nullptr;
  auto* list = pools ? pools->as<yaml::List>() : nullptr;
  if (!list) return;
  for (auto& pool : *list) {
    for (const auto* key : {"gateway", "ip_range", "aux_addresses"}) drop(&pool, key);
  }
}

}  // namespace skep::compose
