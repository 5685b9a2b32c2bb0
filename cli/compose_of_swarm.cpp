#include "cli/compose_of_swarm.hpp"

#include <algorithm>
#include <cstdio>

#include "cli/compose_keys.hpp"
#include "compose/to_text.hpp"
#include "swarm/labels.hpp"

namespace skep::cli {
namespace {

using compose::ComposeFile;
using compose::Service;

constexpr std::int64_t kNanoPerCpu = 1'000'000'000;

/// "0.5"
std::string cpus_of(std::int64_t nano) {
  if (nano == 0) return "";
  auto text = std::to_string(nano / kNanoPerCpu);
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%09lld", static_cast<long long>(nano % kNanoPerCpu));
  text += fraction;
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

/// Whether a label's text can be a key, and with that a file's name.
bool is_key(const std::string& text) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  return !text.empty() && text.front() != '.' &&
         text.find_first_not_of(kAllowed) == std::string::npos;
}

/// Turns the objects of one stack round, one kind after the other.
class Writer {
 public:
  Writer(const std::string& stack, const swarm::LiveStack& objects, const swarm::LiveState& live)
      : stack_(stack), live_(live) {
    for (const auto* network : objects.networks)
      networks_.want(network->spec.name, short_name(network->spec.name));
    for (const auto* service : objects.services) choose_keys(service->spec.task_template);
  }

  void add(const swarm::LiveService& live) {
    const auto& spec = live.spec;
    const auto key = short_name(spec.name);
    if (key == spec.name)
      remark("service " + spec.name + " is not named " + stack_ +
             "_…: it was not deployed from a "
             "compose file and would be made anew");
    if (file_.services.contains(key)) {
      remark("service " + spec.name + " is left out: " + stack_ + "_" + key + " has its key");
      return;
    }
    auto& service = file_.services[key];
    const auto& task = spec.task_template;
    add_container(key, task.container, service);
    const auto image = spec.labels.find(std::string(swarm::kImageLabel));
    service.image = image == spec.labels.end()
                        ? task.container.image.substr(0, task.container.image.find('@'))
                        : image->second;
    service.deploy.labels = own_labels(spec.labels);
    add_mode(spec.mode, service.deploy);
    add_task(task, service);
    add_networks(key, task.networks, service);
    service.deploy.update_config = update_of(spec.update_config);
    service.deploy.rollback_config = update_of(spec.rollback_config);
    if (spec.endpoint_spec) {
      if (spec.endpoint_spec->mode != "vip")
        service.deploy.endpoint_mode = spec.endpoint_spec->mode;
      for (const auto& port : spec.endpoint_spec->ports) {
        if (!service.ports) service.ports.emplace();
        service.ports->push_back({.mode = port.mode,
                                  .protocol = port.protocol,
                                  .target = port.target,
                                  .published = port.published});
      }
    }
    for (const auto& [pointer, value] : spec.unknown)
      remark("service " + key + ": " + pointer + " is set, which a compose file cannot say");
  }

  void add(const swarm::LiveNetwork& network) {
    const auto key = networks_.of(network.spec.name);
    auto& known = file_.networks[key];
    if (key == network.spec.name) known.name = key;
    known.driver = network.spec.driver == "overlay" ? "" : network.spec.driver;
    known.attachable = network.spec.attachable;
    known.internal = network.spec.internal;
    known.labels = own_labels(network.spec.labels);
    for (const auto& [name, value] : network.spec.options) {
      // The engine adds the VXLAN id that it chose.
      if (name != "com.docker.network.driver.overlay.vxlanid_list") known.driver_opts[name] = value;
    }
  }

  AdoptedStack done() {
    // What says nothing is what a compose file means without saying it.
    if (const auto found = file_.networks.find("default"); found != file_.networks.end()) {
      const auto& network = found->second;
      const bool plain = network.name.empty() && network.driver.empty() && !network.attachable &&
                         !network.internal && network.labels.empty() &&
                         network.driver_opts.empty() && !network.external;
      if (plain) file_.networks.erase(found);
    }
    adopted_.text = compose::to_text(file_, {});
    return std::move(adopted_);
  }

 private:
  void remark(std::string text) { adopted_.remarks.push_back(std::move(text)); }

  /// An object's name without the stack's; the name itself where it has none.
  [[nodiscard]] std::string short_name(const std::string& name) const {
    const auto prefix = stack_ + "_";
    return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
  }

  void choose_keys(const swarm::TaskSpec& task) {
    for (const auto& attachment : task.networks) {
      const auto& name = attachment.target;
      networks_.want(name, own_network(name) != nullptr ? short_name(name) : name);
    }
    const auto& container = task.container;
    for (const auto& mount : container.mounts) {
      if (is_volume(mount)) volumes_.want(mount.source, short_name(mount.source));
    }
    for (const auto& secret : container.secrets)
      secrets_.want(secret.secret_name, short_name(secret.secret_name));
    for (const auto& reference : container.configs) {
      const auto& name = reference.config_name;
      const auto* own = own_config(name);
      configs_.want(name, own == nullptr ? name : config_key(*own));
    }
  }

  /// A generation that skep named carries its key; what else ends in digits is somebody's choice.
  [[nodiscard]] std::string config_key(const swarm::LiveConfig& config) const {
    const auto key = config.labels.find(std::string(swarm::kKeyLabel));
    return key != config.labels.end() && is_key(key->second) ? key->second
                                                             : short_name(config.name);
  }

  static bool is_volume(const swarm::Mount& mount) {
    return (mount.type.empty() || mount.type == "volume") && !mount.source.empty();
  }

  /// Those that are of this stack; nullptr where it is another's, or not known.
  [[nodiscard]] const swarm::LiveNetwork* own_network(const std::string& name) const {
    const auto* network = live_.find_network(name);
    return network != nullptr && is_ours(network->spec.labels) ? network : nullptr;
  }
  [[nodiscard]] const swarm::LiveConfig* own_config(const std::string& name) const {
    const auto* config = live_.find_config(name);
    return config != nullptr && is_ours(config->labels) ? config : nullptr;
  }

  [[nodiscard]] bool is_ours(const swarm::StringMap& labels) const {
    const auto found = labels.find(std::string(swarm::kStackLabel));
    return found != labels.end() && found->second == stack_;
  }

  /// Without those that the deployment adds.
  static swarm::StringMap own_labels(swarm::StringMap labels) {
    labels.erase(std::string(swarm::kStackLabel));
    labels.erase(std::string(swarm::kImageLabel));
    std::erase_if(labels,
                  [](const auto& label) { return label.first.starts_with(swarm::kOurPrefix); });
    return labels;
  }

  void add_container(const std::string& key, const swarm::ContainerSpec& from, Service& to) {
    to.labels = own_labels(from.labels);
    to.entrypoint = from.command;
    to.command = from.args;
    to.hostname = from.hostname;
    for (const auto& variable : from.env) {
      const auto equals = variable.find('=');
      to.environment[variable.substr(0, equals)] =
          equals == std::string::npos ? std::optional<std::string>() : variable.substr(equals + 1);
    }
    to.working_dir = from.dir;
    to.user = from.user;
    to.init = from.init;
    to.stop_signal = from.stop_signal;
    to.tty = from.tty;
    to.stdin_open = from.open_stdin;
    to.read_only = from.read_only;
    to.isolation = from.isolation == "default" ? "" : from.isolation;
    to.sysctls = from.sysctls;
    to.cap_add = from.capability_add;
    to.cap_drop = from.capability_drop;
    to.stop_grace_period = from.stop_grace_period;
    for (const auto& limit : from.ulimits) to.ulimits[limit.name] = {limit.soft, limit.hard};
    for (const auto& host : from.hosts) {
      const auto blank = host.find(' ');
      to.extra_hosts.push_back(host.substr(std::min(blank + 1, host.size())) + ":" +
                               host.substr(0, blank));
    }
    if (from.dns_config) {
      if (!from.dns_config->nameservers.empty()) to.dns = from.dns_config->nameservers;
      if (!from.dns_config->search.empty()) to.dns_search = from.dns_config->search;
    }
    add_healthcheck(from.healthcheck, to);
    for (const auto& mount : from.mounts) add_mount(key, mount, to);
    for (const auto& reference : from.secrets) add_secret(reference, to);
    for (const auto& reference : from.configs) add_config(reference, to);
    if (!from.groups.empty()) remark("service " + key + ": groups cannot be said");
    if (from.privileges && (from.privileges->selinux_context || from.privileges->no_new_privileges))
      remark("service " + key + ": SELinux and no-new-privileges cannot be said");
  }

  static void add_healthcheck(const std::optional<swarm::Healthcheck>& from, Service& to) {
    if (!from) return;
    auto& check = to.healthcheck.emplace();
    if (from->test == std::vector<std::string>{"NONE"}) {
      check.disable = true;
      return;
    }
    check.test = from->test;
    const auto given = [](swarm::Nanoseconds time) {
      return time.count() == 0 ? std::optional<swarm::Nanoseconds>() : time;
    };
    check.interval = given(from->interval);
    check.timeout = given(from->timeout);
    check.start_period = given(from->start_period);
    check.start_interval = given(from->start_interval);
    if (from->retries > 0) check.retries = static_cast<std::uint64_t>(from->retries);
  }

  void add_mount(const std::string& key, const swarm::Mount& from, Service& to) {
    compose::ServiceVolume mount;
    mount.type = from.type.empty() ? "volume" : from.type;
    mount.source = from.source;
    mount.target = from.target;
    mount.read_only = from.read_only;
    mount.consistency = from.consistency == "default" ? "" : from.consistency;
    if (from.bind_options && !from.bind_options->propagation.empty())
      mount.propagation = from.bind_options->propagation;
    if (from.tmpfs_options) {
      mount.tmpfs_size = from.tmpfs_options->size_bytes;
      if (from.tmpfs_options->mode != 0)
        remark("service " + key + ": the mode of a tmpfs cannot be said");
    }
    if (is_volume(from)) add_volume(from, mount);
    if (!to.volumes) to.volumes.emplace();
    to.volumes->push_back(std::move(mount));
  }

  void add_volume(const swarm::Mount& from, compose::ServiceVolume& mount) {
    const bool ours = from.volume_options && is_ours(from.volume_options->labels);
    mount.source = volumes_.of(from.source);
    auto& volume = file_.volumes[mount.source];
    if (!ours || mount.source == from.source) volume.name = from.source;
    volume.external = !ours;
    if (!from.volume_options) return;
    if (from.volume_options->no_copy || !from.volume_options->subpath.empty()) {
      mount.volume = compose::ServiceVolume::VolumeOptions{.nocopy = from.volume_options->no_copy,
                                                           .subpath = from.volume_options->subpath};
    }
    if (!ours) return;
    volume.labels = own_labels(from.volume_options->labels);
    if (const auto& driver = from.volume_options->driver_config) {
      volume.driver = driver->name;
      volume.driver_opts = driver->options;
      volume.has_driver_opts = !driver->options.empty();
    }
  }

  static compose::FileReference reference_to(const std::string& key,
                                             const swarm::ReferenceFile& file) {
    compose::FileReference reference;
    reference.source = key;
    reference.target = file.name;
    reference.uid = file.uid == "0" ? "" : file.uid;
    reference.gid = file.gid == "0" ? "" : file.gid;
    constexpr std::uint32_t kReadable = 0444;
    if (file.mode != kReadable) reference.mode = file.mode;
    return reference;
  }

  void add_secret(const swarm::SecretReference& from, Service& to) {
    if (!from.file) return;
    const auto& key = secrets_.of(from.secret_name);
    auto& secret = file_.secrets[key];
    secret.external = true;
    secret.name = from.secret_name;
    if (!to.secrets) to.secrets.emplace();
    to.secrets->push_back(reference_to(key, *from.file));
  }

  void add_config(const swarm::ConfigReference& from, Service& to) {
    if (!from.file) {
      remark("a config is used for something else than a file: " + from.config_name);
      return;
    }
    const auto* own = own_config(from.config_name);
    const auto& key = configs_.of(from.config_name);
    auto& config = file_.configs[key];
    if (own != nullptr) {
      config.file = "./configs/" + key;
      config.labels = own_labels(own->labels);
      if (own->templating) config.template_driver = own->templating->name;
      if (key == from.config_name || !from.config_name.starts_with(stack_ + "_"))
        config.name = from.config_name;
      adopted_.configs[key] = from.config_name;
    } else {
      config.external = true;
      config.name = from.config_name;
    }
    if (!to.configs) to.configs.emplace();
    to.configs->push_back(reference_to(key, *from.file));
  }

  void add_networks(const std::string& key,
                    const std::vector<swarm::NetworkAttachment>& from,
                    Service& to) {
    for (const auto& attachment : from) {
      const auto& name = networks_.of(attachment.target);
      if (own_network(attachment.target) == nullptr) {
        auto& network = file_.networks[name];
        network.external = true;
        network.name = attachment.target;
        if (live_.find_network(attachment.target) == nullptr)
          remark("service " + key + ": the engine knows no network " + attachment.target);
      }
      auto& use = to.networks[name];
      auto aliases = attachment.aliases;
      std::erase(aliases, key);  // The deployment adds it.
      if (!aliases.empty() || !attachment.driver_opts.empty()) {
        use.options.emplace();
        use.options->aliases = std::move(aliases);
        use.options->driver_opts = attachment.driver_opts;
      }
    }
    // Where a service that names none is attached.
    const bool plain = to.networks.size() == 1 && to.networks.begin()->first == "default" &&
                       !to.networks.begin()->second.options && !file_.networks["default"].external;
    if (plain) to.networks.clear();
  }

  static void add_mode(const swarm::ServiceMode& from, compose::Deploy& to) {
    if (from.replicated) {
      to.replicas = from.replicated->replicas;
    } else if (from.global) {
      to.mode = "global";
    } else if (from.replicated_job) {
      to.mode = "replicated-job";
      to.replicas = from.replicated_job->total_completions;
    } else {
      to.mode = "global-job";
    }
  }

  static void add_task(const swarm::TaskSpec& from, Service& to) {
    auto& deploy = to.deploy;
    if (from.resources && from.resources->limits) {
      const auto& limits = *from.resources->limits;
      auto& bounds = deploy.limits.emplace();
      bounds.cpus = cpus_of(limits.nano_cpus);
      bounds.memory = limits.memory_bytes;
      bounds.pids = limits.pids;
    }
    if (from.resources && from.resources->reservations) {
      const auto& reserved = *from.resources->reservations;
      auto& bounds = deploy.reservations.emplace();
      bounds.cpus = cpus_of(reserved.nano_cpus);
      bounds.memory = reserved.memory_bytes;
      for (const auto& resource : reserved.generic_resources)
        bounds.generic_resources.push_back({resource.discrete, {}});
    }
    if (from.restart_policy) {
      deploy.restart_policy =
          compose::RestartPolicy{.condition = from.restart_policy->condition,
                                 .delay = from.restart_policy->delay,
                                 .window = from.restart_policy->window,
                                 .max_attempts = from.restart_policy->max_attempts};
    }
    if (from.placement) {
      deploy.constraints = from.placement->constraints;
      for (const auto& preference : from.placement->preferences) {
        if (preference.spread) deploy.preferences.push_back(preference.spread->descriptor);
      }
      deploy.max_replicas_per_node = from.placement->max_replicas;
    }
    if (from.log_driver) {
      to.logging = compose::Logging{.driver = from.log_driver->name, .options = std::nullopt};
      if (!from.log_driver->options.empty()) to.logging->options = from.log_driver->options;
    }
  }

  static std::optional<compose::UpdateConfig> update_of(
      const std::optional<swarm::UpdateConfig>& from) {
    if (!from) return std::nullopt;
    compose::UpdateConfig config;
    config.parallelism = from->parallelism;
    config.delay = from->delay;
    config.monitor = from->monitor;
    config.failure_action = from->failure_action;
    config.order = from->order;
    config.max_failure_ratio = from->max_failure_ratio;
    return config;
  }

  const std::string stack_;
  const swarm::LiveState& live_;
  ComposeKeys networks_, volumes_, secrets_, configs_;
  ComposeFile file_;
  AdoptedStack adopted_;
};

}  // namespace

AdoptedStack compose_of(const std::string& stack,
                        const swarm::LiveStack& objects,
                        const swarm::LiveState& live) {
  Writer writer(stack, objects, live);
  for (const auto* network : objects.networks) writer.add(*network);
  // One that no compose file made must not take the key of one that it may have made.
  for (const bool deployed : {true, false}) {
    for (const auto* service : objects.services) {
      if (service->spec.name.starts_with(stack + "_") == deployed) writer.add(*service);
    }
  }
  return writer.done();
}

}  // namespace skep::cli
