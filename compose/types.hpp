#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "swarm/stack_spec.hpp"

/// One compose file after normalisation (rules B), or several after their merge (rules A9): what
/// the conversion to engine objects needs, and nothing that a stack ignores. Where a merge or the
/// conversion tells "not written" from "empty", the member is an std::optional.
namespace skep::compose {

using StringMap = std::map<std::string, std::string>;
using Nanoseconds = std::chrono::nanoseconds;

struct Port {
  std::string mode, protocol;
  std::uint32_t target = 0;
  std::uint32_t published = 0;  ///< 0: not published.
  bool operator==(const Port&) const = default;
};

struct ServiceVolume {
  std::string type, source, target, consistency;
  bool read_only = false;
  std::optional<std::string> propagation;  ///< Written iff `bind` options were.
  struct VolumeOptions {
    bool nocopy = false;
    std::string subpath;
    bool operator==(const VolumeOptions&) const = default;
  };
  std::optional<VolumeOptions> volume;
  std::optional<std::int64_t> tmpfs_size;  ///< Bytes; written iff `tmpfs` options were.
  SourcePosition at;
};

/// A secret or config that a service uses.
struct FileReference {
  std::string source, target, uid, gid;
  std::optional<std::uint32_t> mode;
  SourcePosition at;
};

struct ServiceNetwork {
  std::vector<std::string> aliases;
  StringMap driver_opts;
};

struct NetworkUse {
  std::optional<ServiceNetwork> options;  ///< Nothing for null.
  SourcePosition at;
};

struct Ulimit {
  std::int64_t soft = 0, hard = 0;
};

struct Logging {
  std::string driver;
  std::optional<StringMap> options;
};

struct CredentialSpec {
  std::string config, file, registry;
};

struct Healthcheck {
  std::vector<std::string> test;
  std::optional<Nanoseconds> interval, timeout, start_period, start_interval;
  std::optional<std::uint64_t> retries;
  bool disable = false;
};

struct UpdateConfig {
  std::optional<std::uint64_t> parallelism;
  Nanoseconds delay{}, monitor{};
  std::string failure_action, order;
  double max_failure_ratio = 0;
};

struct GenericResource {
  std::optional<swarm::DiscreteResource> discrete;
  SourcePosition at;
};

struct ResourceBounds {
  std::string cpus;  ///< As written; read at conversion time, like the CLI does (rule B12).
  SourcePosition cpus_at;
  std::int64_t memory = 0;  ///< Bytes.
  std::int64_t pids = 0;
  std::vector<GenericResource> generic_resources;
};

struct RestartPolicy {
  std::string condition;
  std::optional<Nanoseconds> delay, window;
  std::optional<std::uint64_t> max_attempts;
};

struct Deploy {
  std::string mode, endpoint_mode;
  std::optional<std::uint64_t> replicas;
  StringMap labels;
  std::optional<UpdateConfig> update_config, rollback_config;
  std::optional<ResourceBounds> limits, reservations;
  std::optional<RestartPolicy> restart_policy;
  std::vector<std::string> constraints, preferences;
  std::uint64_t max_replicas_per_node = 0;
};

/// A value of null means "as the process environment has it", which unsets it in the container.
using Environment = std::map<std::string, std::optional<std::string>>;

struct Service {
  std::string image, hostname, user, working_dir, stop_signal, isolation, restart;
  bool tty = false, stdin_open = false, read_only = false;
  std::optional<bool> init;
  std::vector<std::string> entrypoint, command;
  Environment environment;
  StringMap labels, sysctls;
  std::vector<std::string> cap_add, cap_drop, extra_hosts;
  std::optional<std::vector<std::string>> dns, dns_search;
  std::optional<std::vector<Port>> ports;
  std::optional<std::vector<ServiceVolume>> volumes;
  std::optional<std::vector<FileReference>> secrets, configs;
  std::map<std::string, NetworkUse> networks;
  std::map<std::string, Ulimit> ulimits;
  std::optional<Logging> logging;
  std::optional<CredentialSpec> credential_spec;
  std::optional<Healthcheck> healthcheck;
  std::optional<Nanoseconds> stop_grace_period;
  Deploy deploy;
  std::vector<swarm::ServiceDependency> depends_on;
  /// Extension: those of them that a mapping names. The CLI has lists only, and reads none.
  std::set<std::string> waits_for;
  bool built = false;  ///< Extension: it had a `build`, which was taken out.

  SourcePosition at;  ///< Of the service's key.
  /// Of the values of its own keys, and of what stands below `deploy` and `healthcheck` with the
  /// keys joined by dots. A constraint's last part is its text, a port's is its port_place().
  std::map<std::string, SourcePosition> key_at;
  /// Where `key` was written, or else the nearest that holds it, at last the service itself.
  [[nodiscard]] const SourcePosition& position_of(std::string key) const {
    while (true) {
      if (const auto found = key_at.find(key); found != key_at.end()) return found->second;
      const auto dot = key.rfind('.');
      if (dot == std::string::npos) return at;
      key.resize(dot);
    }
  }
};

struct Subnet {
  std::string text;
  SourcePosition at;
};

struct Network {
  std::string name, driver, ipam_driver;
  StringMap driver_opts, labels;
  std::vector<Subnet> subnets;
  bool external = false, internal = false, attachable = false;
  SourcePosition at, driver_at;
};

struct Volume {
  std::string name, driver;
  StringMap driver_opts, labels;
  bool has_driver_opts = false;  ///< Written, be it without any.
  bool external = false;
  SourcePosition at;
};

/// A secret or a config of the top level.
struct FileObject {
  std::string name, driver, template_driver;
  std::string file;                    ///< Absolute; not read yet (rule C6.1). "" with a driver.
  std::optional<std::string> content;  ///< Extension: the data itself, instead of a file.
  StringMap driver_opts, labels;
  bool external = false;
  bool unreadable = false;  ///< What stands there is of a wrong type, which was said.
  SourcePosition at, file_at;
};

struct ComposeFile {
  std::map<std::string, Service> services;
  std::map<std::string, Network> networks;
  std::map<std::string, Volume> volumes;
  std::map<std::string, FileObject> secrets, configs;
  /// Sections that are there but could not be read: what they define is not known, so nobody may
  /// call it undefined.
  std::set<std::string> unreadable_sections;
};

}  // namespace skep::compose
