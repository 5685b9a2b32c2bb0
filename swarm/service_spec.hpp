#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "swarm/fields.hpp"

/// The Engine API's ServiceSpec (v1.41 … v1.5x) as values. Names, order and absence are the API's:
/// a string, number, list or map that is empty is absent unless its line says `always`; an
/// std::optional is a pointer there, so "absent" and "{}" differ, as they do for swarm when it
/// decides whether tasks must restart (rule E4.1). Source: docker/docker api/types/swarm, rules C4
/// and E3.
namespace skep::swarm {

using Nanoseconds = std::chrono::nanoseconds;
using StringMap = std::map<std::string, std::string>;

struct CredentialSpec {
  std::string config, file, registry;
  bool operator==(const CredentialSpec&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Config", self.config, Presence::always);
    visit("File", self.file, Presence::always);
    visit("Registry", self.registry, Presence::always);
  }
};

struct SELinuxContext {
  bool disable = false;
  std::string user, role, type, level;
  bool operator==(const SELinuxContext&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Disable", self.disable, Presence::always);
    visit("User", self.user, Presence::always);
    visit("Role", self.role, Presence::always);
    visit("Type", self.type, Presence::always);
    visit("Level", self.level, Presence::always);
  }
};

struct Seccomp {
  std::string mode, profile;
  bool operator==(const Seccomp&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Mode", self.mode);
    visit("Profile", self.profile);
  }
};

struct AppArmor {
  std::string mode;
  bool operator==(const AppArmor&) const = default;
  static void fields(auto& self, auto&& visit) { visit("Mode", self.mode); }
};

struct Privileges {
  std::optional<CredentialSpec> credential_spec;
  std::optional<SELinuxContext> selinux_context;
  std::optional<Seccomp> seccomp;
  std::optional<AppArmor> app_armor;
  bool no_new_privileges = false;
  bool operator==(const Privileges&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("CredentialSpec", self.credential_spec, Presence::always);
    visit("SELinuxContext", self.selinux_context, Presence::always);
    visit("Seccomp", self.seccomp);
    visit("AppArmor", self.app_armor);
    visit("NoNewPrivileges", self.no_new_privileges, Presence::always);
  }
};

struct BindOptions {
  std::string propagation;
  bool non_recursive = false, create_mountpoint = false;
  bool read_only_non_recursive = false, read_only_force_recursive = false;
  bool operator==(const BindOptions&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Propagation", self.propagation);
    visit("NonRecursive", self.non_recursive);
    visit("CreateMountpoint", self.create_mountpoint);
    visit("ReadOnlyNonRecursive", self.read_only_non_recursive);
    visit("ReadOnlyForceRecursive", self.read_only_force_recursive);
  }
};

/// A driver by name with its options: of a volume, a log, a secret, or a template.
struct Driver {
  std::string name;
  StringMap options;
  bool operator==(const Driver&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Name", self.name);
    visit("Options", self.options);
  }
};

struct VolumeOptions {
  bool no_copy = false;
  StringMap labels;
  std::string subpath;
  std::optional<Driver> driver_config;
  bool operator==(const VolumeOptions&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("NoCopy", self.no_copy);
    visit("Labels", self.labels);
    visit("Subpath", self.subpath);
    visit("DriverConfig", self.driver_config);
  }
};

struct ImageOptions {
  std::string subpath;
  bool operator==(const ImageOptions&) const = default;
  static void fields(auto& self, auto&& visit) { visit("Subpath", self.subpath); }
};

struct TmpfsOptions {
  std::int64_t size_bytes = 0;
  std::uint32_t mode = 0;
  std::vector<std::vector<std::string>> options;
  bool operator==(const TmpfsOptions&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("SizeBytes", self.size_bytes);
    visit("Mode", self.mode);
    visit("Options", self.options);
  }
};

struct ClusterOptions {
  bool operator==(const ClusterOptions&) const = default;
  static void fields(auto& /*self*/, auto&& /*visit*/) {}
};

struct Mount {
  std::string
      type;  ///< volume, bind, tmpfs, npipe, cluster, image; "" is sent as absent (rule C3.1).
  std::string source;  ///< "" for an anonymous volume and for tmpfs.
  std::string target;
  bool read_only = false;
  std::string consistency;
  std::optional<BindOptions> bind_options;
  std::optional<VolumeOptions> volume_options;
  std::optional<ImageOptions> image_options;
  std::optional<TmpfsOptions> tmpfs_options;
  std::optional<ClusterOptions> cluster_options;
  bool operator==(const Mount&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Type", self.type);
    visit("Source", self.source);
    visit("Target", self.target);
    visit("ReadOnly", self.read_only);
    visit("Consistency", self.consistency);
    visit("BindOptions", self.bind_options);
    visit("VolumeOptions", self.volume_options);
    visit("ImageOptions", self.image_options);
    visit("TmpfsOptions", self.tmpfs_options);
    visit("ClusterOptions", self.cluster_options);
  }
};

struct Healthcheck {
  std::vector<std::string> test;
  Nanoseconds interval{}, timeout{}, start_period{}, start_interval{};
  std::int64_t retries = 0;
  bool operator==(const Healthcheck&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Test", self.test);
    visit("Interval", self.interval);
    visit("Timeout", self.timeout);
    visit("StartPeriod", self.start_period);
    visit("StartInterval", self.start_interval);
    visit("Retries", self.retries);
  }
};

struct DnsConfig {
  std::vector<std::string> nameservers, search, options;
  bool operator==(const DnsConfig&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Nameservers", self.nameservers);
    visit("Search", self.search);
    visit("Options", self.options);
  }
};

/// Where a secret or config appears inside the container.
struct ReferenceFile {
  std::string name, uid, gid;
  std::uint32_t mode = 0;
  bool operator==(const ReferenceFile&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Name", self.name, Presence::always);
    visit("UID", self.uid, Presence::always);
    visit("GID", self.gid, Presence::always);
    visit("Mode", self.mode, Presence::always);
  }
};

struct SecretReference {
  std::optional<ReferenceFile> file;
  std::string
      secret_id;  ///< "" in a desired spec until the object exists; never compared, the name is.
  std::string secret_name;
  bool operator==(const SecretReference&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("File", self.file, Presence::always);
    visit("SecretID", self.secret_id, Presence::always);
    visit("SecretName", self.secret_name, Presence::always);
  }
};

struct RuntimeTarget {
  bool operator==(const RuntimeTarget&) const = default;
  static void fields(auto& /*self*/, auto&& /*visit*/) {}
};

struct ConfigReference {
  std::optional<ReferenceFile> file;
  std::optional<RuntimeTarget> runtime;  ///< A credential spec's config: not mounted (rule C6.5).
  std::string config_id;                 ///< As SecretReference::secret_id.
  std::string config_name;
  bool operator==(const ConfigReference&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("File", self.file);
    visit("Runtime", self.runtime);
    visit("ConfigID", self.config_id, Presence::always);
    visit("ConfigName", self.config_name, Presence::always);
  }
};

struct Ulimit {
  std::string name;
  std::int64_t hard = 0, soft = 0;
  bool operator==(const Ulimit&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Name", self.name, Presence::always);
    visit("Hard", self.hard, Presence::always);
    visit("Soft", self.soft, Presence::always);
  }
};

struct ContainerSpec {
  std::string image;
  StringMap labels;
  std::vector<std::string> command;  ///< The entrypoint.
  std::vector<std::string> args;     ///< The command.
  std::string hostname;
  std::vector<std::string> env;  ///< KEY=VALUE, or KEY alone, which unsets it.
  std::string dir, user;
  std::vector<std::string> groups;
  std::optional<Privileges> privileges;
  std::optional<bool> init;
  std::string stop_signal;
  bool tty = false, open_stdin = false, read_only = false;
  std::vector<Mount> mounts;
  std::optional<Nanoseconds> stop_grace_period;
  std::optional<Healthcheck> healthcheck;
  std::vector<std::string> hosts;  ///< "IP NAME"
  std::optional<DnsConfig> dns_config;
  std::vector<SecretReference> secrets;
  std::vector<ConfigReference> configs;
  std::string isolation;
  StringMap sysctls;
  std::vector<std::string> capability_add, capability_drop;
  std::vector<Ulimit> ulimits;
  std::int64_t oom_score_adj = 0;
  bool operator==(const ContainerSpec&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Image", self.image);
    visit("Labels", self.labels);
    visit("Command", self.command);
    visit("Args", self.args);
    visit("Hostname", self.hostname);
    visit("Env", self.env);
    visit("Dir", self.dir);
    visit("User", self.user);
    visit("Groups", self.groups);
    visit("Privileges", self.privileges);
    visit("Init", self.init);
    visit("StopSignal", self.stop_signal);
    visit("TTY", self.tty);
    visit("OpenStdin", self.open_stdin);
    visit("ReadOnly", self.read_only);
    visit("Mounts", self.mounts);
    visit("StopGracePeriod", self.stop_grace_period);
    visit("Healthcheck", self.healthcheck);
    visit("Hosts", self.hosts);
    visit("DNSConfig", self.dns_config);
    visit("Secrets", self.secrets);
    visit("Configs", self.configs);
    visit("Isolation", self.isolation);
    visit("Sysctls", self.sysctls);
    visit("CapabilityAdd", self.capability_add);
    visit("CapabilityDrop", self.capability_drop);
    visit("Ulimits", self.ulimits);
    visit("OomScoreAdj", self.oom_score_adj);
  }
};

struct DiscreteResource {
  std::string kind;
  std::int64_t value = 0;
  bool operator==(const DiscreteResource&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Kind", self.kind);
    visit("Value", self.value);
  }
};

struct NamedResource {
  std::string kind, value;
  bool operator==(const NamedResource&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Kind", self.kind);
    visit("Value", self.value);
  }
};

struct GenericResource {
  std::optional<NamedResource> named;
  std::optional<DiscreteResource> discrete;
  bool operator==(const GenericResource&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("NamedResourceSpec", self.named);
    visit("DiscreteResourceSpec", self.discrete);
  }
};

struct ResourceLimits {
  std::int64_t nano_cpus = 0, memory_bytes = 0, pids = 0;
  bool operator==(const ResourceLimits&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("NanoCPUs", self.nano_cpus);
    visit("MemoryBytes", self.memory_bytes);
    visit("Pids", self.pids);
  }
};

struct ResourceReservations {
  std::int64_t nano_cpus = 0, memory_bytes = 0;
  std::vector<GenericResource> generic_resources;
  bool operator==(const ResourceReservations&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("NanoCPUs", self.nano_cpus);
    visit("MemoryBytes", self.memory_bytes);
    visit("GenericResources", self.generic_resources);
  }
};

struct Resources {
  std::optional<ResourceLimits> limits;
  std::optional<ResourceReservations> reservations;
  bool operator==(const Resources&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Limits", self.limits);
    visit("Reservations", self.reservations);
  }
};

struct RestartPolicy {
  std::string condition;
  std::optional<Nanoseconds> delay;
  std::optional<std::uint64_t> max_attempts;
  std::optional<Nanoseconds> window;
  bool operator==(const RestartPolicy&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Condition", self.condition);
    visit("Delay", self.delay);
    visit("MaxAttempts", self.max_attempts);
    visit("Window", self.window);
  }
};

struct Spread {
  std::string descriptor;
  bool operator==(const Spread&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("SpreadDescriptor", self.descriptor, Presence::always);
  }
};

struct PlacementPreference {
  std::optional<Spread> spread;
  bool operator==(const PlacementPreference&) const = default;
  static void fields(auto& self, auto&& visit) { visit("Spread", self.spread, Presence::always); }
};

struct Platform {
  std::string architecture, os;
  bool operator==(const Platform&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Architecture", self.architecture);
    visit("OS", self.os);
  }
};

struct Placement {
  std::vector<std::string> constraints;
  std::vector<PlacementPreference> preferences;
  std::uint64_t max_replicas = 0;
  std::vector<Platform> platforms;
  bool operator==(const Placement&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Constraints", self.constraints);
    visit("Preferences", self.preferences);
    visit("MaxReplicas", self.max_replicas);
    visit("Platforms", self.platforms);
  }
};

struct NetworkAttachment {
  std::string target;  ///< The network's NAME in every value of ours; the engine reads back ids
                       ///< (rule E3.4).
  std::vector<std::string> aliases;
  StringMap driver_opts;
  bool operator==(const NetworkAttachment&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Target", self.target);
    visit("Aliases", self.aliases);
    visit("DriverOpts", self.driver_opts);
  }
};

struct TaskSpec {
  ContainerSpec container;
  std::optional<Resources> resources;
  std::optional<RestartPolicy> restart_policy;
  std::optional<Placement> placement;
  std::vector<NetworkAttachment> networks;
  std::optional<Driver> log_driver;
  std::uint64_t force_update = 0;
  std::string runtime;
  bool operator==(const TaskSpec&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("ContainerSpec", self.container, Presence::always);
    visit("Resources", self.resources);
    visit("RestartPolicy", self.restart_policy);
    visit("Placement", self.placement);
    visit("Networks", self.networks);
    visit("LogDriver", self.log_driver);
    visit("ForceUpdate", self.force_update, Presence::always);
    visit("Runtime", self.runtime);
  }
};

struct ReplicatedMode {
  std::optional<std::uint64_t> replicas;
  bool operator==(const ReplicatedMode&) const = default;
  static void fields(auto& self, auto&& visit) { visit("Replicas", self.replicas); }
};

struct ReplicatedJobMode {
  std::optional<std::uint64_t> max_concurrent, total_completions;
  bool operator==(const ReplicatedJobMode&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("MaxConcurrent", self.max_concurrent);
    visit("TotalCompletions", self.total_completions);
  }
};

struct GlobalMode {
  bool operator==(const GlobalMode&) const = default;
  static void fields(auto& /*self*/, auto&& /*visit*/) {}
};

/// Exactly one is set in what we write.
struct ServiceMode {
  std::optional<ReplicatedMode> replicated;
  std::optional<GlobalMode> global;
  std::optional<ReplicatedJobMode> replicated_job;
  std::optional<GlobalMode> global_job;
  bool operator==(const ServiceMode&) const = default;
  [[nodiscard]] bool is_job() const noexcept { return replicated_job || global_job; }
  /// As `deploy.mode` of a compose file says it.
  [[nodiscard]] std::string_view name() const noexcept {
    if (global) return "global";
    if (replicated_job) return "replicated-job";
    return global_job ? "global-job" : "replicated";
  }
  static void fields(auto& self, auto&& visit) {
    visit("Replicated", self.replicated);
    visit("Global", self.global);
    visit("ReplicatedJob", self.replicated_job);
    visit("GlobalJob", self.global_job);
  }
};

struct UpdateConfig {
  std::uint64_t parallelism = 0;  ///< 0 is "all at once".
  Nanoseconds delay{};
  std::string failure_action;
  Nanoseconds monitor{};
  float max_failure_ratio = 0;
  std::string order;
  bool operator==(const UpdateConfig&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Parallelism", self.parallelism, Presence::always);
    visit("Delay", self.delay);
    visit("FailureAction", self.failure_action);
    visit("Monitor", self.monitor);
    visit("MaxFailureRatio", self.max_failure_ratio, Presence::always);
    visit("Order", self.order, Presence::always);
  }
};

struct PublishedPort {
  std::string name, protocol;
  std::uint32_t target = 0;     ///< Inside the container; not checked by the CLI (rule B1.9).
  std::uint32_t published = 0;  ///< On the node; 0 lets the engine choose.
  std::string mode;
  bool operator==(const PublishedPort&) const = default;
  /// Where nothing is said it is TCP.
  [[nodiscard]] std::string protocol_or_tcp() const { return protocol.empty() ? "tcp" : protocol; }
  static void fields(auto& self, auto&& visit) {
    visit("Name", self.name);
    visit("Protocol", self.protocol);
    visit("TargetPort", self.target);
    visit("PublishedPort", self.published);
    visit("PublishMode", self.mode);
  }
};

struct EndpointSpec {
  std::string mode;
  std::vector<PublishedPort> ports;
  bool operator==(const EndpointSpec&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Mode", self.mode);
    visit("Ports", self.ports);
  }
};

struct ServiceSpec {
  std::string name;
  StringMap labels;
  TaskSpec task_template;
  ServiceMode mode;
  std::optional<UpdateConfig> update_config, rollback_config;
  std::optional<EndpointSpec> endpoint_spec;
  /// Fields that the engine returned and that no line above names (a newer API): JSON pointer →
  /// JSON text. Always empty in a desired spec, so whatever somebody set there by hand shows as
  /// drift.
  StringMap unknown;
  bool operator==(const ServiceSpec&) const = default;
  static void fields(auto& self, auto&& visit) {
    visit("Name", self.name);
    visit("Labels", self.labels, Presence::always);
    visit("TaskTemplate", self.task_template, Presence::always);
    visit("Mode", self.mode, Presence::always);
    visit("UpdateConfig", self.update_config);
    visit("RollbackConfig", self.rollback_config);
    visit("EndpointSpec", self.endpoint_spec);
  }
};

}  // namespace skep::swarm
