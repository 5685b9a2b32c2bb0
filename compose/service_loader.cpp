#include <algorithm>
#include <array>
#include <utility>

#include "compose/environment.hpp"
#include "compose/extensions.hpp"
#include "compose/loader.hpp"
#include "compose/paths.hpp"
#include "compose/ports.hpp"
#include "compose/stringify.hpp"
#include "compose/text.hpp"
#include "compose/volumes.hpp"
#include "core/ascii.hpp"

namespace skep::compose {
namespace {

constexpr std::size_t kMostPorts = 200'000;  // Of every protocol all, and some; ranges are short.
constexpr std::size_t kMostPlaces = 16;      // Of the ports of one item.

// The engine reads the words of ports, of a bind's propagation and of isolation in whatever case
// they are written ("UDP", "HyperV") and keeps them in its own.

/// The engine takes any word, and one that it does not know as the first of these.
std::string port_word(const Field& field, const std::vector<std::string>& words) {
  auto word = lower(field.text());
  if (field.strict() || word.empty()) return word;
  if (std::find(words.begin(), words.end(), word) != words.end()) return word;
  std::string all;
  for (const auto& each : words) all += (all.empty() ? "" : ", ") + each;
  const auto near = nearest(word, words);
  field.warning("the engine does not know " + quoted(word) + " and takes it as " + words.front() +
                "; it is one of " + all + (near.empty() ? "" : "; did you mean " + near + '?'));
  return word;
}

/// Rules B1.8, B1.9.
std::optional<std::vector<Port>> load_ports(const Field& field,
                                            std::map<std::string, SourcePosition>& key_at) {
  if (!field.present()) return std::nullopt;
  std::vector<Port> ports;
  const auto note = [&](const Port& port, const Field& item) {
    key_at[port_place(port.published, port.target, port.protocol)] = item.at();
  };
  for (const auto& item : field.items()) {
    if (item.is_map()) {
      Port port;
      port.mode = port_word(item["mode"], {"ingress", "host"});
      port.protocol = port_word(item["protocol"], {"tcp", "udp", "sctp"});
      port.target = static_cast<std::uint32_t>(item["target"].count("target").value_or(0));
      port.published = static_cast<std::uint32_t>(item["published"].count("published").value_or(0));
      note(port, item);
      ports.push_back(std::move(port));
      continue;
    }
    if (item.node()->as<double>()) {
      item.error("invalid type float64 for port");
      continue;
    }
    const auto parsed = parse_ports(stringify(*item.node()).value_or(""));
    if (!parsed) {
      item.error(parsed.error().message);
      continue;
    }
    for (const auto& warning : parsed->warnings) item.warning(warning);
    if (parsed->ports.size() <= kMostPlaces) {
      for (const auto& port : parsed->ports) note(port, item);
    }
    ports.insert(ports.end(), parsed->ports.begin(), parsed->ports.end());
    if (ports.size() > kMostPorts) {
      item.error("a service cannot have more than 200000 ports");
      return std::nullopt;
    }
  }
  return ports;
}

/// Rule B2.7. A relative path that leaves a repository would name a file of the node by accident.
std::string bind_source(const Field& item, std::string source, const Input& input) {
  if (source.empty()) {
    item.error("invalid mount config for type \"bind\": field Source must not be empty");
    return source;
  }
  if (source.front() == '~') {
    if (!input.home) {
      item.error("~ has no meaning in a repository; write an absolute path");
      return source;
    }
    if (input.home->empty()) {
      item.warning("cannot expand '~', because the environment lacks HOME");
    } else {
      source = *input.home + source.substr(1);
    }
  }
  if (source.front() == '/' || is_absolute_on_windows(source)) return source;
  auto resolved = resolve_path(input.working_directory, source);
  const auto in_repository = [](const std::string& path) { return shown_path(path) != path; };
  if (in_repository(input.working_directory) && !in_repository(resolved)) {
    item.error("the path " + quoted(source) + " leaves the repository");
  }
  return resolved;
}

/// Whether the schema has refused a key of it: what that key was meant to say is not missing then.
bool has_unknown_key(const Field& volume) {
  constexpr std::array<std::string_view, 8> kKnown = {
      "type", "source", "target", "read_only", "consistency", "bind", "volume", "tmpfs"};
  const auto members = volume.members();
  return std::any_of(members.begin(), members.end(), [&](const Field::Member& member) {
    return !member.key.starts_with("x-") &&
           std::find(kKnown.begin(), kKnown.end(), member.key) == kKnown.end();
  });
}

/// The CLI lists those that it knows, without the key that holds them.
bool is_volume_type(const Field& type) {
  constexpr std::array<std::string_view, 6> kTypes = {
      "volume", "bind", "tmpfs", "npipe", "cluster", "image"};
  const auto word = type.text();
  if (word.empty() || type.strict()) return true;
  if (std::find(kTypes.begin(), kTypes.end(), word) != kTypes.end()) return true;
  const auto near = nearest(word, {kTypes.begin(), kTypes.end()});
  type.error("the type " + quoted(word) + " is unknown; it is one of volume, bind, tmpfs, npipe, " +
             "cluster, image" + (near.empty() ? "" : "; did you mean " + near + '?'));
  return false;
}

ServiceVolume load_long_volume(const Field& item) {
  ServiceVolume volume;
  volume.type = item["type"].text();
  volume.source = item["source"].text();
  volume.target = item["target"].text();
  volume.consistency = item["consistency"].text();
  volume.read_only = item["read_only"].boolean();
  if (const auto bind = item["bind"]; bind.present())
    volume.propagation = lower(bind["propagation"].text());
  if (const auto options = item["volume"]; options.present()) {
    volume.volume =
        ServiceVolume::VolumeOptions{options["nocopy"].boolean(), options["subpath"].text()};
  }
  if (const auto tmpfs = item["tmpfs"]; tmpfs.present()) {
    volume.tmpfs_size = tmpfs["size"].integer().value_or(0);
  }
  return volume;
}

std::string ignored_option(const std::string& option) {
  const auto wanted = lower(option);
  std::string means;
  if (wanted == "ro" || wanted == "rw") {
    means = "; did you mean " + wanted + "?";
  } else if (wanted == "z") {
    means = ": set the files' SELinux labels on the node";
  }
  return "the option " + quoted(option) + " of a volume is ignored by Swarm" + means;
}

std::optional<std::vector<ServiceVolume>> load_volumes(const Field& field, const Input& input) {
  if (!field.present()) return std::nullopt;
  std::vector<ServiceVolume> volumes;
  for (const auto& item : field.items()) {
    ServiceVolume volume;
    if (item.is_map()) {
      if (has_unknown_key(item) || !is_volume_type(item["type"])) continue;
      volume = load_long_volume(item);
    } else {
      const auto text = item.text();
      if (!item.is_text()) continue;
      std::vector<std::string> ignored;
      auto parsed = parse_volume(text, &ignored);
      if (!parsed) {
        item.error(parsed.error().message);
        continue;
      }
      volume = *std::move(parsed);
      for (const auto& option : ignored) item.warning(ignored_option(option));
    }
    volume.at = item.at();
    if (volume.type == "bind") volume.source = bind_source(item, std::move(volume.source), input);
    volumes.push_back(std::move(volume));
  }
  return volumes;
}

/// The CLI takes any key here, reads none that it does not know, and then misses the source. False
/// where it is missing.
bool has_source(const Field& item) {
  static const std::vector<std::string> kKnown = {"source", "target", "uid", "gid", "mode"};
  const bool has_one = item["source"].written();
  std::vector<Field::Member> unknown;
  for (auto& member : item.members()) {
    const auto is_it = [&](const auto& key) { return equal_ignoring_case(key, member.key); };
    const bool known = std::any_of(kKnown.begin(), kKnown.end(), is_it);
    if (!known && !member.key.starts_with("x-")) unknown.push_back(std::move(member));
  }
  if (!has_one) {
    const auto meant = std::find_if(unknown.begin(), unknown.end(), [](const auto& member) {
      return member.value.is_text() &&
             nearest(member.key, {"target", "uid", "gid", "mode"}).empty();
    });
    const bool found = meant != unknown.end();
    item.error("source is missing" +
               (found ? "; did you mean source instead of " + meant->key + '?' : ""));
    if (found) unknown.erase(meant);
  }
  for (const auto& member : unknown) {
    const auto near = nearest(member.key, kKnown);
    member.value.warning("the key is unknown, and ignored as docker stack deploy ignores it; " +
                         (near.empty() ? "allowed here are source, target, uid, gid, mode"
                                       : "did you mean " + near + '?'));
  }
  return has_one;
}

/// Rule B7.1.
std::optional<std::vector<FileReference>> load_references(const Field& field) {
  if (!field.present()) return std::nullopt;
  std::vector<FileReference> references;
  for (const auto& item : field.items()) {
    FileReference reference;
    reference.at = item.at();
    if (item.is_map()) {
      if (!item.strict() && !has_source(item)) continue;
      reference.source = item["source"].text();
      reference.target = item["target"].text();
      reference.uid = item["uid"].text();
      reference.gid = item["gid"].text();
      if (const auto mode = item["mode"].count("mode")) {
        reference.mode = static_cast<std::uint32_t>(*mode);
      }
    } else {
      reference.source = item.text();
    }
    references.push_back(std::move(reference));
  }
  return references;
}

/// Rule B6.1.
std::map<std::string, NetworkUse> load_networks(const Field& field) {
  std::map<std::string, NetworkUse> networks;
  if (field.is_list()) {
    for (const auto& item : field.items()) {
      networks[item.text()] = NetworkUse{std::nullopt, item.at()};
    }
    return networks;
  }
  for (const auto& [key, key_at, value] : field.members()) {
    NetworkUse use{std::nullopt, key_at};
    if (value.present()) {
      use.options = ServiceNetwork{value["aliases"].texts(), value["driver_opts"].strings()};
    }
    networks[key] = std::move(use);
  }
  return networks;
}

/// Rules B5.2 … B5.4: "name:address" texts, in the file's order, or sorted where it is a mapping.
std::vector<std::string> load_extra_hosts(const Field& field) {
  std::vector<std::string> hosts;
  const auto add = [&hosts](std::string_view name, std::string_view address) {
    if (address.size() > 2 && address.front() == '[' && address.back() == ']') {
      address = address.substr(1, address.size() - 2);
    }
    hosts.push_back(std::string(name) + ':' + std::string(address));
  };
  if (field.is_list()) {
    for (const auto& written : field.texts()) {
      auto parts = cut(written, '=');
      if (!parts.found) parts = cut(written, ':');
      if (parts.found) add(parts.before, parts.after);
    }
    return hosts;
  }
  for (const auto& [name, address] : field.pairs()) {
    if (address) add(name, *address);
  }
  std::sort(hosts.begin(), hosts.end());
  return hosts;
}

/// Rule B5.5.
std::map<std::string, Ulimit> load_ulimits(const Field& field) {
  std::map<std::string, Ulimit> ulimits;
  for (const auto& [name, key_at, value] : field.members()) {
    if (value.is_map()) {
      const auto soft = value["soft"].integer();
      const auto hard = value["hard"].integer();
      // Names that the schema does not check come this far; the CLI crashes on them.
      if (!soft) value.error("soft is required");
      if (!hard) value.error("hard is required");
      ulimits[name] = Ulimit{soft.value_or(0), hard.value_or(0)};
    } else if (value.node()->as<double>()) {
      value.error("invalid type float64 for ulimits");
    } else if (!value.present()) {
      value.error("expected an integer or a mapping, got null");
    } else {
      const auto both = value.integer().value_or(0);
      ulimits[name] = Ulimit{both, both};
    }
  }
  return ulimits;
}

std::optional<Healthcheck> load_healthcheck(const Field& field) {
  if (!field.present()) return std::nullopt;
  Healthcheck check;
  const auto test = field["test"];
  if (test.is_list()) {
    check.test = test.texts();
  } else if (test.present()) {
    check.test = {"CMD-SHELL", test.text()};  // Rule B3.4.
  }
  check.interval = field["interval"].duration();
  check.timeout = field["timeout"].duration();
  check.start_period = field["start_period"].duration();
  check.start_interval = field["start_interval"].duration();
  check.retries = field["retries"].count("HealthCheck.Retries");
  check.disable = field["disable"].boolean();
  return check;
}

std::optional<Logging> load_logging(const Field& field) {
  if (!field.present()) return std::nullopt;
  Logging logging;
  logging.driver = field["driver"].text();
  if (const auto options = field["options"]; options.present()) logging.options = options.strings();
  return logging;
}

std::optional<CredentialSpec> load_credential_spec(const Field& field) {
  if (!field.present()) return std::nullopt;
  return CredentialSpec{field["config"].text(), field["file"].text(), field["registry"].text()};
}

std::optional<UpdateConfig> load_update_config(const Field& field) {
  if (!field.present()) return std::nullopt;
  UpdateConfig config;
  config.parallelism = field["parallelism"].count("Parallelism");
  config.delay = field["delay"].duration().value_or(Nanoseconds::zero());
  config.monitor = field["monitor"].duration().value_or(Nanoseconds::zero());
  config.failure_action = field["failure_action"].text();
  config.order = field["order"].text();
  config.max_failure_ratio = field["max_failure_ratio"].number();
  return config;
}

std::optional<ResourceBounds> load_bounds(const Field& field) {
  if (!field.present()) return std::nullopt;
  ResourceBounds bounds;
  bounds.cpus = field["cpus"].text();
  bounds.cpus_at = field["cpus"].at();
  bounds.memory = field["memory"].size();
  bounds.pids = field["pids"].integer().value_or(0);
  for (const auto& item : field["generic_resources"].items()) {
    GenericResource resource;
    resource.at = item.at();
    if (const auto discrete = item["discrete_resource_spec"]; discrete.present()) {
      resource.discrete =
          swarm::DiscreteResource{discrete["kind"].text(), discrete["value"].integer().value_or(0)};
    }
    bounds.generic_resources.push_back(std::move(resource));
  }
  return bounds;
}

std::optional<RestartPolicy> load_restart_policy(const Field& field) {
  if (!field.present()) return std::nullopt;
  RestartPolicy policy;
  policy.condition = field["condition"].text();
  policy.delay = field["delay"].duration();
  policy.window = field["window"].duration();
  policy.max_attempts = field["max_attempts"].count("Deploy.RestartPolicy.MaxAttempts");
  return policy;
}

Deploy load_deploy(const Field& field) {
  Deploy deploy;
  deploy.mode = field["mode"].text();
  deploy.endpoint_mode = field["endpoint_mode"].text();
  deploy.replicas = field["replicas"].count("Deploy.Replicas");
  deploy.labels = field["labels"].strings();
  deploy.update_config = load_update_config(field["update_config"]);
  deploy.rollback_config = load_update_config(field["rollback_config"]);
  deploy.limits = load_bounds(field["resources"]["limits"]);
  deploy.reservations = load_bounds(field["resources"]["reservations"]);
  deploy.restart_policy = load_restart_policy(field["restart_policy"]);
  const auto placement = field["placement"];
  deploy.constraints = placement["constraints"].texts();
  for (const auto& preference : placement["preferences"].items()) {
    deploy.preferences.push_back(preference["spread"].text());
  }
  deploy.max_replicas_per_node =
      placement["max_replicas_per_node"].count("Deploy.Placement.MaxReplicas").value_or(0);
  return deploy;
}

/// What the CLI decodes before it ignores it: a wrong type is an error all the same, also where the
/// schema has no objection (a number of shm_size, a date).
void check_ignored(const Field& field) {
  for (const auto* key : {"cgroup_parent",
                          "cgroupns_mode",
                          "container_name",
                          "domainname",
                          "ipc",
                          "mac_address",
                          "network_mode",
                          "pid",
                          "shm_size",
                          "userns_mode"}) {
    static_cast<void>(field[key].text());
  }
  for (const auto* key : {"devices", "external_links", "links", "security_opt"}) {
    static_cast<void>(field[key].texts());
  }
  static_cast<void>(field["tmpfs"].one_or_more_texts());
  if (!field["build"].is_map()) static_cast<void>(field["build"].text());
}

std::optional<std::vector<std::string>> load_optional_texts(const Field& field) {
  if (!field.present()) return std::nullopt;
  return field.one_or_more_texts();
}

/// Where the values below a key stand: the engine's checks come after the merge.
void note_places(const Field& field, const std::string& path, Service& service) {
  if (!field.is_map()) return;
  for (const auto& [key, key_at, value] : field.members()) {
    const auto place = path + '.' + key;
    service.key_at[place] = value.at();
    if (key == "constraints" && value.is_list()) {
      for (const auto& item : value.items()) {
        if (item.is_text()) service.key_at[place + '.' + item.text()] = item.at();
      }
    } else if (key != "labels") {
      note_places(value, place, service);
    }
  }
}

/// Where the variables stand that the engine is to expand: its checks say more than the CLI's.
void note_templates(const Field& environment, Service& service) {
  const auto note = [&](const std::string& name, const Field& value) {
    const auto* text = value.node()->as<std::string>();
    if (!text || text->find("{{") == std::string::npos) return;
    service.key_at["environment." + name] = value.at();
  };
  if (environment.is_map()) {
    for (const auto& [name, key_at, value] : environment.members()) note(name, value);
  } else if (environment.is_list()) {
    for (const auto& item : environment.items()) {
      if (const auto* text = item.node()->as<std::string>()) {
        note(std::string(cut(*text, '=').before), item);
      }
    }
  }
}

}  // namespace

Service load_service(const Field& field, const Input& input) {
  Service service;
  for (const auto& member : field.members()) service.key_at[member.key] = member.value.at();
  note_places(field["deploy"], "deploy", service);
  note_places(field["healthcheck"], "healthcheck", service);
  note_templates(field["environment"], service);
  service.image = field["image"].text();
  service.hostname = field["hostname"].text();
  service.user = field["user"].text();
  service.working_dir = field["working_dir"].text();
  service.stop_signal = field["stop_signal"].text();
  service.isolation = lower(field["isolation"].text());
  service.restart = field["restart"].text();
  service.tty = field["tty"].boolean();
  service.stdin_open = field["stdin_open"].boolean();
  service.read_only = field["read_only"].boolean();
  if (const auto init = field["init"]; init.present()) service.init = init.boolean();
  service.entrypoint = field["entrypoint"].words("Entrypoint");
  service.command = field["command"].words("Command");
  service.environment = load_environment(field["env_file"], field["environment"], input);
  service.labels = field["labels"].strings();
  service.sysctls = field["sysctls"].strings();
  service.cap_add = field["cap_add"].texts();
  service.cap_drop = field["cap_drop"].texts();
  service.extra_hosts = load_extra_hosts(field["extra_hosts"]);
  service.dns = load_optional_texts(field["dns"]);
  service.dns_search = load_optional_texts(field["dns_search"]);
  service.ports = load_ports(field["ports"], service.key_at);
  service.volumes = load_volumes(field["volumes"], input);
  service.secrets = load_references(field["secrets"]);
  service.configs = load_references(field["configs"]);
  service.networks = load_networks(field["networks"]);
  service.ulimits = load_ulimits(field["ulimits"]);
  service.logging = load_logging(field["logging"]);
  service.credential_spec = load_credential_spec(field["credential_spec"]);
  service.healthcheck = load_healthcheck(field["healthcheck"]);
  service.stop_grace_period = field["stop_grace_period"].duration();
  service.deploy = load_deploy(field["deploy"]);
  for (auto& name : field["depends_on"].texts()) {
    service.depends_on.push_back({std::move(name), swarm::ServiceDependency::Condition::started});
  }
  if (input.strict) {
    check_ignored(field);
  } else {
    apply_carried(field, service);
  }
  return service;
}

}  // namespace skep::compose
