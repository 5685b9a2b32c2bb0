#include "compose/merge.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

// The table of rule A9.2, one function per row or kind of row. Its quirks are those of the CLI and
// kept on purpose: stacks in use depend on them.
namespace skep::compose {
namespace {

using Texts = std::vector<std::string>;

/// O unless it is empty.
template <typename T>
void take_unless_empty(T& base, T&& later) {
  if (later != T{}) base = std::forward<T>(later);
}

/// O if it was written, however empty.
template <typename T>
void take_if_written(std::optional<T>& base, std::optional<T>&& later) {
  if (later) base = std::move(later);
}

/// O unless absent or zero; a zero fills what is absent.
void take_unless_zero(std::optional<Nanoseconds>& base, std::optional<Nanoseconds> later) {
  if (later && (!base || *later != Nanoseconds::zero())) base = later;
}

template <typename T>
void append(std::vector<T>& base, std::vector<T>&& later) {
  base.insert(
      base.end(), std::make_move_iterator(later.begin()), std::make_move_iterator(later.end()));
}

void append(std::optional<Texts>& base, std::optional<Texts>&& later) {
  if (!later || later->empty())
    return;  // Here an empty list sets nothing; within one file it does.
  if (!base) base.emplace();
  append(*base, *std::move(later));
}

/// Per key, O wins even with "".
template <typename T>
void replace_keys(std::map<std::string, T>& base, std::map<std::string, T>&& later) {
  for (auto& [key, value] : later) base.insert_or_assign(key, std::move(value));
}

/// Per key; neither null nor "" overrides a text, but each replaces the other.
void merge_environment(Environment& base, Environment&& later) {
  const auto empty = [](const std::optional<std::string>& value) {
    return value.value_or("").empty();
  };
  for (auto& [key, value] : later) {
    auto& mine = base[key];
    if (!empty(value) || empty(mine)) mine = std::move(value);
  }
}

/// Lists of which one element per key survives. Where B has a list, be it empty, it is keyed and
/// sorted even without an O; where B has none, O's stays as written, and an empty one is none.
template <typename T, typename Key>
void merge_keyed(std::optional<std::vector<T>>& base,
                 std::optional<std::vector<T>>&& later,
                 Key T::*key) {
  if (!base) {
    if (later && !later->empty()) base = std::move(later);
    return;
  }
  std::map<Key, T> merged;
  for (auto& item : *base) merged.insert_or_assign(item.*key, item);
  if (later) {
    for (auto& item : *later) merged.insert_or_assign(item.*key, item);
  }
  base->clear();
  for (auto& [unused, item] : merged) base->push_back(std::move(item));
}

void merge_networks(std::map<std::string, NetworkUse>& base,
                    std::map<std::string, NetworkUse>&& later) {
  for (auto& [name, use] : later) {
    auto& mine = base.emplace(name, use).first->second;
    if (!use.options) continue;
    if (!mine.options) {
      mine = std::move(use);
    } else {
      mine.options->aliases = std::move(use.options->aliases);  // driver_opts stay B's.
    }
  }
}

void merge_logging(std::optional<Logging>& base, std::optional<Logging>&& later) {
  if (!later) return;
  if (!base) {
    base = std::move(later);
    return;
  }
  const bool compatible =
      base->driver == later->driver || base->driver.empty() || later->driver.empty();
  if (!compatible) {
    base = std::move(later);
    return;
  }
  take_unless_empty(base->driver, std::move(later->driver));
  // Without options of its own B loses O's: the CLI merges into a copy.
  if (base->options && later->options) {
    replace_keys(*base->options, *std::move(later->options));
  }
}

void merge_credential_spec(std::optional<CredentialSpec>& base,
                           std::optional<CredentialSpec>&& later) {
  if (!later) return;
  if (!base) base.emplace();
  take_unless_empty(base->config, std::move(later->config));
  take_unless_empty(base->file, std::move(later->file));
  take_unless_empty(base->registry, std::move(later->registry));
}

void merge_healthcheck(std::optional<Healthcheck>& base, std::optional<Healthcheck>&& later) {
  if (!later) return;
  if (!base) {
    base = std::move(later);
    return;
  }
  append(base->test, std::move(later->test));
  take_unless_zero(base->interval, later->interval);
  take_unless_zero(base->timeout, later->timeout);
  take_unless_zero(base->start_period, later->start_period);
  take_unless_zero(base->start_interval, later->start_interval);
  take_if_written(base->retries, std::move(later->retries));
  base->disable = base->disable || later->disable;
}

void merge_update_config(std::optional<UpdateConfig>& base, std::optional<UpdateConfig>&& later) {
  if (!later) return;
  if (!base) base.emplace();
  take_if_written(base->parallelism, std::move(later->parallelism));
  take_unless_empty(base->delay, std::move(later->delay));
  take_unless_empty(base->monitor, std::move(later->monitor));
  take_unless_empty(base->failure_action, std::move(later->failure_action));
  take_unless_empty(base->order, std::move(later->order));
  take_unless_empty(base->max_failure_ratio, std::move(later->max_failure_ratio));
}

void merge_bounds(std::optional<ResourceBounds>& base, std::optional<ResourceBounds>&& later) {
  if (!later) return;
  if (!base) base.emplace();
  if (!later->cpus.empty()) {
    base->cpus = std::move(later->cpus);
    base->cpus_at = std::move(later->cpus_at);
  }
  take_unless_empty(base->memory, std::move(later->memory));
  take_unless_empty(base->pids, std::move(later->pids));
  append(base->generic_resources, std::move(later->generic_resources));
}

void merge_restart_policy(std::optional<RestartPolicy>& base,
                          std::optional<RestartPolicy>&& later) {
  if (!later) return;
  if (!base) {
    base = std::move(later);
    return;
  }
  take_unless_empty(base->condition, std::move(later->condition));
  take_unless_zero(base->delay, later->delay);
  take_unless_zero(base->window, later->window);
  take_if_written(base->max_attempts, std::move(later->max_attempts));
}

void merge_deploy(Deploy& base, Deploy&& later) {
  take_unless_empty(base.mode, std::move(later.mode));
  take_unless_empty(base.endpoint_mode, std::move(later.endpoint_mode));
  take_if_written(base.replicas, std::move(later.replicas));
  replace_keys(base.labels, std::move(later.labels));
  merge_update_config(base.update_config, std::move(later.update_config));
  merge_update_config(base.rollback_config, std::move(later.rollback_config));
  merge_bounds(base.limits, std::move(later.limits));
  merge_bounds(base.reservations, std::move(later.reservations));
  merge_restart_policy(base.restart_policy, std::move(later.restart_policy));
  append(base.constraints, std::move(later.constraints));
  append(base.preferences, std::move(later.preferences));
  take_unless_empty(base.max_replicas_per_node, std::move(later.max_replicas_per_node));
}

/// One condition per service, the later one.
void merge_depends_on(std::vector<swarm::ServiceDependency>& base,
                      std::vector<swarm::ServiceDependency>&& later) {
  for (auto& dependency : later) {
    const auto mine = std::find_if(base.begin(), base.end(), [&](const auto& other) {
      return other.service == dependency.service;
    });
    if (mine == base.end()) {
      base.push_back(std::move(dependency));
    } else {
      *mine = std::move(dependency);
    }
  }
}

void merge_service(Service& base, Service&& later) {
  take_unless_empty(base.image, std::move(later.image));
  take_unless_empty(base.hostname, std::move(later.hostname));
  take_unless_empty(base.user, std::move(later.user));
  take_unless_empty(base.working_dir, std::move(later.working_dir));
  take_unless_empty(base.stop_signal, std::move(later.stop_signal));
  take_unless_empty(base.isolation, std::move(later.isolation));
  take_unless_empty(base.restart, std::move(later.restart));
  base.tty = base.tty || later.tty;
  base.stdin_open = base.stdin_open || later.stdin_open;
  base.read_only = base.read_only || later.read_only;
  if (!base.init || later.init == true) take_if_written(base.init, std::move(later.init));
  take_unless_empty(base.entrypoint, std::move(later.entrypoint));
  take_unless_empty(base.command, std::move(later.command));
  merge_environment(base.environment, std::move(later.environment));
  replace_keys(base.labels, std::move(later.labels));
  replace_keys(base.sysctls, std::move(later.sysctls));
  append(base.cap_add, std::move(later.cap_add));
  append(base.cap_drop, std::move(later.cap_drop));
  append(base.extra_hosts, std::move(later.extra_hosts));
  append(base.dns, std::move(later.dns));
  append(base.dns_search, std::move(later.dns_search));
  merge_keyed(base.ports, std::move(later.ports), &Port::published);
  merge_keyed(base.volumes, std::move(later.volumes), &ServiceVolume::target);
  merge_keyed(base.secrets, std::move(later.secrets), &FileReference::source);
  merge_keyed(base.configs, std::move(later.configs), &FileReference::source);
  merge_networks(base.networks, std::move(later.networks));
  replace_keys(base.ulimits, std::move(later.ulimits));
  merge_logging(base.logging, std::move(later.logging));
  merge_credential_spec(base.credential_spec, std::move(later.credential_spec));
  merge_healthcheck(base.healthcheck, std::move(later.healthcheck));
  take_unless_zero(base.stop_grace_period, later.stop_grace_period);
  merge_deploy(base.deploy, std::move(later.deploy));
  base.built = base.built || later.built;
  merge_depends_on(base.depends_on, std::move(later.depends_on));
  base.waits_for.merge(later.waits_for);
  replace_keys(base.key_at, std::move(later.key_at));
}

}  // namespace

ComposeFile merge(ComposeFile base, ComposeFile later) {
  for (auto& [key, service] : later.services) {
    if (const auto mine = base.services.find(key); mine != base.services.end()) {
      merge_service(mine->second, std::move(service));
    } else {
      base.services.emplace(key, std::move(service));
    }
  }
  // Whole definitions, no deep merge (rule A9.4).
  replace_keys(base.networks, std::move(later.networks));
  replace_keys(base.volumes, std::move(later.volumes));
  replace_keys(base.secrets, std::move(later.secrets));
  replace_keys(base.configs, std::move(later.configs));
  base.unreadable_sections.merge(later.unreadable_sections);
  return base;
}

}  // namespace skep::compose
