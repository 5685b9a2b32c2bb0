#include "compose/to_text.hpp"

#include <utility>

#include "compose/text_writer.hpp"
#include "core/redaction.hpp"

namespace skep::compose {
namespace {

using yaml::Node;

constexpr int kLeastMinor = 8;

std::string doubled(const std::string& text) {
  std::string result;
  for (const char c : text) {
    result += c;
    if (c == '$') result += '$';
  }
  return result;
}

/// As Go prints a time.Duration, which is what the CLI writes: "1m30s", "1.5ms".
std::string duration(Nanoseconds time) {
  auto rest = time.count();
  if (rest == 0) return "0s";
  std::string text = rest < 0 ? "-" : "";
  if (rest < 0) rest = -rest;
  const auto fraction = [](std::int64_t value, std::int64_t unit, const char* name) {
    auto digits = std::to_string(value % unit);
    digits.insert(0, std::to_string(unit).size() - 1 - digits.size(), '0');
    while (!digits.empty() && digits.back() == '0') digits.pop_back();
    return std::to_string(value / unit) + (digits.empty() ? "" : "." + digits) + name;
  };
  if (rest < 1'000) return text + std::to_string(rest) + "ns";
  if (rest < 1'000'000) return text + fraction(rest, 1'000, "us");
  if (rest < 1'000'000'000) return text + fraction(rest, 1'000'000, "ms");
  const auto hours = rest / 3'600'000'000'000;
  const auto minutes = rest / 60'000'000'000 % 60;
  if (hours > 0) text += std::to_string(hours) + "h";
  if (hours > 0 || minutes > 0) text += std::to_string(minutes) + "m";
  return text + fraction(rest % 60'000'000'000, 1'000'000'000, "s");
}

/// A mapping that is being written; what is empty is left out.
class Mapping {
 public:
  explicit Mapping(const TextOptions& options) : options_(options) {}

  Mapping& node(std::string key, Node value) {
    map_.push_back({std::move(key), {}, std::move(value)});
    return *this;
  }
  Mapping& text(const std::string& key, const std::string& value) {
    return value.empty() ? *this : node(key, shown(key, value));
  }
  Mapping& path(const std::string& key, const std::string& value) {
    if (!options_.path || !value.starts_with('/')) return text(key, value);
    return node(key, Node(options_.path(value), {}));
  }
  Mapping& flag(const std::string& key, bool value) {
    return value ? node(key, Node(true, {})) : *this;
  }
  Mapping& number(const std::string& key, std::int64_t value) {
    return value == 0 ? *this : node(key, Node(value, {}));
  }
  template <typename Number>
  Mapping& number(const std::string& key, const std::optional<Number>& value) {
    return value ? node(key, Node(static_cast<std::int64_t>(*value), {})) : *this;
  }
  Mapping& time(const std::string& key, const std::optional<Nanoseconds>& value) {
    return value ? node(key, Node(duration(*value), {})) : *this;
  }
  Mapping& texts(const std::string& key, const std::vector<std::string>& values) {
    return values.empty() ? *this : node(key, list_of(key, values));
  }
  Mapping& texts(const std::string& key, const std::optional<std::vector<std::string>>& values) {
    return values ? node(key, list_of(key, *values)) : *this;
  }
  Mapping& pairs(const std::string& key, const StringMap& values) {
    Mapping inner(options_);
    for (const auto& [name, value] : values) inner.node(name, inner.shown(name, value));
    return section(key, std::move(inner));
  }
  Mapping& section(const std::string& key, Mapping inner) {
    return inner.map_.empty() ? *this : node(key, std::move(inner).take());
  }
  Mapping& list(const std::string& key, yaml::List values) {
    return values.empty() ? *this : node(key, Node(std::move(values), {}));
  }

  [[nodiscard]] Mapping inner() const { return Mapping(options_); }
  [[nodiscard]] Node shown(const std::string& name, const std::string& value) const {
    return {doubled(options_.show ? options_.show(name, value) : value), {}};
  }
  [[nodiscard]] Node list_of(const std::string& name,
                             const std::vector<std::string>& values) const {
    yaml::List list;
    for (const auto& value : values) list.push_back(shown(name, value));
    return {std::move(list), {}};
  }
  [[nodiscard]] const yaml::Map& map() const { return map_; }
  [[nodiscard]] Node take() && { return {std::move(map_), {}}; }

 private:
  const TextOptions& options_;
  yaml::Map map_;
};

Mapping update_config(const Mapping& place, const std::optional<UpdateConfig>& config) {
  auto map = place.inner();
  if (!config) return map;
  map.number("parallelism", config->parallelism);
  if (config->delay.count() != 0) map.time("delay", config->delay);
  map.text("failure_action", config->failure_action);
  if (config->monitor.count() != 0) map.time("monitor", config->monitor);
  if (config->max_failure_ratio != 0)
    map.node("max_failure_ratio", Node(config->max_failure_ratio, {}));
  map.text("order", config->order);
  return map;
}

Mapping bounds(const Mapping& place, const std::optional<ResourceBounds>& given) {
  auto map = place.inner();
  if (!given) return map;
  map.text("cpus", given->cpus);
  if (given->memory != 0) map.text("memory", std::to_string(given->memory));
  map.number("pids", given->pids);
  yaml::List resources;
  for (const auto& resource : given->generic_resources) {
    auto spec = place.inner();
    if (resource.discrete) {
      auto discrete = place.inner();
      discrete.text("kind", resource.discrete->kind);
      discrete.node("value", Node(static_cast<std::int64_t>(resource.discrete->value), {}));
      spec.section("discrete_resource_spec", std::move(discrete));
    }
    resources.push_back(std::move(spec).take());
  }
  return std::move(map.list("generic_resources", std::move(resources)));
}

/// An empty mapping means something where it stands for "written, with nothing in it".
void keep_empty(Mapping& map, const std::string& key, bool written, Mapping inner) {
  if (written) map.node(key, std::move(inner).take());
}

Mapping deploy(const Mapping& place, const Deploy& given) {
  auto map = place.inner();
  map.text("mode", given.mode).number("replicas", given.replicas).pairs("labels", given.labels);
  keep_empty(map,
             "update_config",
             given.update_config.has_value(),
             update_config(place, given.update_config));
  keep_empty(map,
             "rollback_config",
             given.rollback_config.has_value(),
             update_config(place, given.rollback_config));
  auto resources = place.inner();
  keep_empty(resources, "limits", given.limits.has_value(), bounds(place, given.limits));
  keep_empty(
      resources, "reservations", given.reservations.has_value(), bounds(place, given.reservations));
  map.section("resources", std::move(resources));
  if (const auto& policy = given.restart_policy) {
    auto inner = place.inner();
    inner.text("condition", policy->condition)
        .time("delay", policy->delay)
        .number("max_attempts", policy->max_attempts)
        .time("window", policy->window);
    keep_empty(map, "restart_policy", true, std::move(inner));
  }
  auto placement = place.inner();
  placement.texts("constraints", given.constraints);
  yaml::List preferences;
  for (const auto& spread : given.preferences) {
    auto inner = place.inner();
    inner.node("spread", inner.shown("spread", spread));
    preferences.push_back(std::move(inner).take());
  }
  placement.list("preferences", std::move(preferences));
  placement.number("max_replicas_per_node", static_cast<std::int64_t>(given.max_replicas_per_node));
  map.section("placement", std::move(placement));
  map.text("endpoint_mode", given.endpoint_mode);
  return map;
}

yaml::List ports(const Mapping& place, const std::vector<Port>& given) {
  yaml::List list;
  for (const auto& port : given) {
    auto map = place.inner();
    map.text("mode", port.mode)
        .number("target", static_cast<std::int64_t>(port.target))
        .number("published", static_cast<std::int64_t>(port.published))
        .text("protocol", port.protocol);
    list.push_back(std::move(map).take());
  }
  return list;
}

yaml::List references(const Mapping& place, const std::vector<FileReference>& given) {
  yaml::List list;
  for (const auto& reference : given) {
    auto map = place.inner();
    map.text("source", reference.source)
        .text("target", reference.target)
        .text("uid", reference.uid)
        .text("gid", reference.gid)
        .number("mode", reference.mode);
    list.push_back(std::move(map).take());
  }
  return list;
}

yaml::List volumes(const Mapping& place, const std::vector<ServiceVolume>& given) {
  yaml::List list;
  for (const auto& volume : given) {
    auto map = place.inner();
    map.text("type", volume.type);
    if (volume.type == "bind") {
      map.path("source", volume.source);
    } else {
      map.text("source", volume.source);
    }
    map.text("target", volume.target)
        .flag("read_only", volume.read_only)
        .text("consistency", volume.consistency);
    if (volume.propagation) {
      auto bind = place.inner();
      keep_empty(map, "bind", true, std::move(bind.text("propagation", *volume.propagation)));
    }
    if (volume.volume) {
      auto inner = place.inner();
      inner.flag("nocopy", volume.volume->nocopy).text("subpath", volume.volume->subpath);
      keep_empty(map, "volume", true, std::move(inner));
    }
    if (volume.tmpfs_size) {
      auto inner = place.inner();
      keep_empty(map, "tmpfs", true, std::move(inner.number("size", *volume.tmpfs_size)));
    }
    list.push_back(std::move(map).take());
  }
  return list;
}

Mapping healthcheck(const Mapping& place, const Healthcheck& given) {
  auto map = place.inner();
  map.texts("test", given.test)
      .time("timeout", given.timeout)
      .time("interval", given.interval)
      .number("retries", given.retries)
      .time("start_period", given.start_period)
      .time("start_interval", given.start_interval)
      .flag("disable", given.disable);
  return map;
}

void add_dependencies(Mapping& map, const std::vector<swarm::ServiceDependency>& given) {
  using Condition = swarm::ServiceDependency::Condition;
  yaml::List names;
  auto conditions = map.inner();
  bool plain = true;
  for (const auto& dependency : given) {
    names.emplace_back(dependency.service, SourcePosition{});
    plain = plain && dependency.condition == Condition::started;
    auto inner = map.inner();
    inner.text("condition",
               dependency.condition == Condition::started   ? "service_started"
               : dependency.condition == Condition::healthy ? "service_healthy"
                                                            : "service_completed_successfully");
    conditions.section(dependency.service, std::move(inner));
  }
  if (plain) {
    map.list("depends_on", std::move(names));
  } else {
    map.section("depends_on", std::move(conditions));
  }
}

void add_networks(Mapping& map, const std::map<std::string, NetworkUse>& given) {
  auto networks = map.inner();
  for (const auto& [name, use] : given) {
    if (!use.options) {
      networks.node(name, Node());
      continue;
    }
    auto options = map.inner();
    options.texts("aliases", use.options->aliases).pairs("driver_opts", use.options->driver_opts);
    networks.node(name, std::move(options).take());
  }
  map.section("networks", std::move(networks));
}

void add_ulimits(Mapping& map, const std::map<std::string, Ulimit>& given) {
  auto limits = map.inner();
  for (const auto& [name, limit] : given) {
    if (limit.soft == limit.hard) {
      limits.node(name, Node(limit.soft, {}));
    } else {
      auto both = map.inner();
      both.node("soft", Node(limit.soft, {})).node("hard", Node(limit.hard, {}));
      limits.node(name, std::move(both).take());
    }
  }
  map.section("ulimits", std::move(limits));
}

Mapping service(const Service& given, const TextOptions& options) {
  Mapping map(options);
  map.texts("cap_add", given.cap_add)
      .texts("cap_drop", given.cap_drop)
      .texts("command", given.command);
  if (given.configs) map.list("configs", references(map, *given.configs));
  if (const auto& spec = given.credential_spec) {
    auto inner = map.inner();
    inner.text("config", spec->config).text("file", spec->file).text("registry", spec->registry);
    map.section("credential_spec", std::move(inner));
  }
  add_dependencies(map, given.depends_on);
  map.section("deploy", deploy(map, given.deploy));
  map.texts("dns", given.dns)
      .texts("dns_search", given.dns_search)
      .texts("entrypoint", given.entrypoint);
  auto environment = map.inner();
  for (const auto& [name, value] : given.environment)
    environment.node(name, value ? environment.shown(name, *value) : Node());
  map.section("environment", std::move(environment));
  map.texts("extra_hosts", given.extra_hosts);
  if (given.healthcheck) keep_empty(map, "healthcheck", true, healthcheck(map, *given.healthcheck));
  map.text("hostname", given.hostname).text("image", given.image);
  if (given.init) map.node("init", Node(*given.init, {}));
  map.text("isolation", given.isolation).pairs("labels", given.labels);
  if (const auto& logging = given.logging) {
    auto inner = map.inner();
    inner.text("driver", logging->driver);
    if (logging->options) inner.pairs("options", *logging->options);
    keep_empty(map, "logging", true, std::move(inner));
  }
  add_networks(map, given.networks);
  if (given.ports) map.list("ports", ports(map, *given.ports));
  map.flag("read_only", given.read_only).text("restart", given.restart);
  if (given.secrets) map.list("secrets", references(map, *given.secrets));
  map.flag("stdin_open", given.stdin_open)
      .time("stop_grace_period", given.stop_grace_period)
      .text("stop_signal", given.stop_signal)
      .pairs("sysctls", given.sysctls)
      .flag("tty", given.tty);
  add_ulimits(map, given.ulimits);
  map.text("user", given.user);
  if (given.volumes) map.list("volumes", volumes(map, *given.volumes));
  return std::move(map.text("working_dir", given.working_dir));
}

Mapping network_text(const Network& given, const TextOptions& options) {
  Mapping map(options);
  map.text("name", given.name).text("driver", given.driver);
  map.pairs("driver_opts", given.driver_opts);
  auto ipam = map.inner();
  ipam.text("driver", given.ipam_driver);
  yaml::List pools;
  for (const auto& subnet : given.subnets) {
    auto pool = map.inner();
    pools.push_back(std::move(pool.text("subnet", subnet.text)).take());
  }
  ipam.list("config", std::move(pools));
  map.section("ipam", std::move(ipam));
  map.flag("external", given.external).flag("internal", given.internal);
  return std::move(map.flag("attachable", given.attachable).pairs("labels", given.labels));
}

Mapping volume_text(const Volume& given, const TextOptions& options) {
  Mapping map(options);
  map.text("name", given.name).text("driver", given.driver);
  auto driver_opts = map.inner();
  for (const auto& [name, value] : given.driver_opts) {
    driver_opts.node(name, driver_opts.shown(name, value));
  }
  keep_empty(map, "driver_opts", given.has_driver_opts, std::move(driver_opts));
  return std::move(map.flag("external", given.external).pairs("labels", given.labels));
}

Mapping object(const FileObject& given, const TextOptions& options, bool secret) {
  Mapping map(options);
  map.text("name", given.name).path("file", given.file);
  if (given.content) {
    const bool hidden = secret && options.show;
    map.node(
        "content",
        hidden ? Node(std::string(RedactionSet::kMask), {}) : map.shown("content", *given.content));
  }
  return std::move(map.flag("external", given.external)
                       .pairs("labels", given.labels)
                       .text("driver", given.driver)
                       .pairs("driver_opts", given.driver_opts)
                       .text("template_driver", given.template_driver));
}

template <typename Objects, typename Write>
void write_section(const char* name,
                   const Objects& objects,
                   const TextOptions& options,
                   const Write& write,
                   std::string& text) {
  if (objects.empty()) return;
  text += std::string(name) + ":\n";
  for (const auto& [key, given] : objects) {
    const auto map = write(given, options);
    text += "  " + yaml_scalar(key) + ":";
    write_yaml(Node(map.map(), {}), 4, text);
  }
}

}  // namespace

std::string to_text(const ComposeFile& file,
                    const FileVersion& version,
                    const TextOptions& options) {
  // Names of external objects stand in a place that older versions do not have.
  std::string text =
      "version: \"" +
      (version.minor < kLeastMinor ? "3." + std::to_string(kLeastMinor) : version.text) + "\"\n";
  text += file.services.empty() ? "services: {}\n" : "services:\n";
  for (const auto& [key, given] : file.services) {
    const auto comments = options.comments.find(key);
    if (comments != options.comments.end()) {
      for (const auto& comment : comments->second) text += "  # " + comment + "\n";
    }
    text += "  " + yaml_scalar(key) + ":";
    write_yaml(Node(service(given, options).map(), {}), 4, text);
  }
  write_section("networks", file.networks, options, network_text, text);
  write_section("volumes", file.volumes, options, volume_text, text);
  const auto secret = [](const auto& given, const auto& how) { return object(given, how, true); };
  const auto config = [](const auto& given, const auto& how) { return object(given, how, false); };
  write_section("secrets", file.secrets, options, secret, text);
  write_section("configs", file.configs, options, config, text);
  return text;
}

}  // namespace skep::compose
