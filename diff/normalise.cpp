#include "diff/normalise.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <tuple>

#include "swarm/labels.hpp"

namespace skep::diff {
namespace {

using swarm::ServiceSpec;

template <typename T, typename Key>
void sort_by(std::vector<T>& list, Key key) {
  std::stable_sort(
      list.begin(), list.end(), [&](const T& a, const T& b) { return key(a) < key(b); });
}

void fill_in(std::optional<swarm::UpdateConfig>& config) {  // E3.9
  if (!config) return;
  if (config->failure_action.empty()) config->failure_action = "pause";
  if (config->order.empty()) config->order = "stop-first";
}

void fill_in(swarm::ServiceMode& mode) {  // E3.8
  if (!mode.replicated && !mode.global && !mode.replicated_job && !mode.global_job)
    mode.replicated.emplace();
  if (mode.replicated && !mode.replicated->replicas) mode.replicated->replicas = 1;
  if (auto& job = mode.replicated_job) {
    if (!job->max_concurrent) job->max_concurrent = 1;
    if (!job->total_completions) job->total_completions = 1;
  }
}

void fill_in(std::optional<swarm::EndpointSpec>& endpoint) {  // E3.5, E3.6
  if (!endpoint) endpoint.emplace();
  if (endpoint->mode.empty()) endpoint->mode = "vip";
  for (auto& port : endpoint->ports) {
    if (port.protocol != "udp" && port.protocol != "sctp") port.protocol = "tcp";
    if (port.mode != "host") port.mode = "ingress";
  }
  sort_by(endpoint->ports, [](const swarm::PublishedPort& port) {
    return std::tie(port.published, port.target, port.protocol, port.mode);
  });
}

void fill_in(std::vector<swarm::Mount>& mounts) {  // E3.11
  for (auto& mount : mounts) {
    if (mount.type.empty()) mount.type = "bind";
    mount.consistency.clear();
    if (mount.bind_options == swarm::BindOptions{}) mount.bind_options.reset();
    mount.cluster_options.reset();  // They say nothing, and engine 26 leaves them out.
  }
}

template <typename Reference>
std::string_view target_of(const Reference& reference) {
  return reference.file ? std::string_view(reference.file->name) : std::string_view();
}

void fill_in(swarm::ContainerSpec& container) {
  if (container.isolation != "process" && container.isolation != "hyperv")
    container.isolation = "default";                          // E3.2
  if (!container.privileges) container.privileges.emplace();  // E3.3
  // The credential spec's config is always among the references, by name (rule C6.5); its id here
  // says the same once more.
  const bool cited =
      std::any_of(container.configs.begin(), container.configs.end(), [](const auto& reference) {
        return reference.runtime.has_value();
      });
  if (cited && container.privileges->credential_spec)
    container.privileges->credential_spec->config.clear();
  fill_in(container.mounts);
  std::sort(container.env.begin(), container.env.end());
  std::sort(container.groups.begin(), container.groups.end());
  std::sort(container.capability_add.begin(), container.capability_add.end());
  std::sort(container.capability_drop.begin(), container.capability_drop.end());
  sort_by(container.ulimits, [](const swarm::Ulimit& limit) { return std::tie(limit.name); });
  // E3.22: sets of (target, object name).
  sort_by(container.secrets, [](const swarm::SecretReference& reference) {
    return std::tuple(target_of(reference), std::string_view(reference.secret_name));
  });
  sort_by(container.configs, [](const swarm::ConfigReference& reference) {
    return std::tuple(target_of(reference), std::string_view(reference.config_name));
  });
}

bool is_predefined(std::string_view network) {
  return network == "host" || network == "bridge" || network == "none" || network == "default";
}

/// The engine's list leaves out swarm's own entries for the predefined networks (host …), so their
/// ids in a live service have no name. One nameless target stands for one such network.
void name_predefined(const std::vector<swarm::NetworkAttachment>& desired,
                     std::vector<swarm::NetworkAttachment>& live,
                     const swarm::LiveState& state) {
  const auto has = [](const auto& list, const std::string& target) {
    return std::any_of(
        list.begin(), list.end(), [&](const auto& entry) { return entry.target == target; });
  };
  for (const auto& wanted : desired) {
    if (!is_predefined(wanted.target) || has(live, wanted.target)) continue;
    for (auto& attachment : live) {
      if (state.find_network(attachment.target) != nullptr || has(desired, attachment.target))
        continue;
      attachment.target = wanted.target;
      break;
    }
  }
}

/// Takes out of `desired` what an old engine does not keep (E3.11, E3.12, C10): only where live
/// lacks it, too.
void drop_unsupported(Comparable& sides, const std::string& engine_api) {
  auto& desired = sides.desired.task_template.container;
  const auto& live = sides.live.task_template.container;
  if (!api_at_least(engine_api, 1, 44) && desired.healthcheck &&
      desired.healthcheck->start_interval.count() != 0 && live.healthcheck &&
      live.healthcheck->start_interval.count() == 0) {
    desired.healthcheck->start_interval = {};
    sides.dropped.emplace_back("healthcheck.start_interval");
  }
  if (api_at_least(engine_api, 1, 45)) return;
  for (auto& mount : desired.mounts) {
    const auto at = std::find_if(live.mounts.begin(), live.mounts.end(), [&](const auto& other) {
      return other.target == mount.target && other.source == mount.source;
    });
    if (at == live.mounts.end()) continue;
    if (mount.volume_options && !mount.volume_options->subpath.empty() && at->volume_options &&
        at->volume_options->subpath.empty()) {
      mount.volume_options->subpath.clear();
      sides.dropped.push_back("volume.subpath of " + mount.target);
    }
  }
}

}  // namespace

bool api_at_least(const std::string& have, int major, int minor) {
  int parts[2] = {0, 0};
  const char* at = have.data();
  const char* const end = at + have.size();
  for (int& part : parts) {
    const auto [stop, error] = std::from_chars(at, end, part);
    if (error != std::errc()) break;
    at = stop != end ? stop + 1 : end;
  }
  return std::tie(parts[0], parts[1]) >= std::tie(major, minor);
}

ServiceSpec canonical(ServiceSpec spec) {
  auto& task = spec.task_template;
  spec.labels.erase(std::string(swarm::kInstanceLabel));  // Never a reason to write.
  if (task.runtime.empty()) task.runtime = "container";   // E3.1
  fill_in(task.container);
  if (auto& policy = task.restart_policy) {  // E3.10
    if (policy->condition.empty()) policy->condition = "any";
    if (!policy->max_attempts) policy->max_attempts = 0;
  }
  if (task.placement) {
    auto& constraints = task.placement->constraints;
    std::sort(constraints.begin(), constraints.end());  // All must hold, in any order.
  }
  sort_by(task.networks,
          [](const swarm::NetworkAttachment& network) { return std::tie(network.target); });
  fill_in(spec.mode);
  fill_in(spec.update_config);
  fill_in(spec.rollback_config);
  fill_in(spec.endpoint_spec);
  return spec;
}

ServiceSpec by_name(ServiceSpec spec) {
  auto& container = spec.task_template.container;
  for (auto& reference : container.secrets) reference.secret_id.clear();
  std::string credential_config;
  if (container.privileges && container.privileges->credential_spec)
    credential_config = container.privileges->credential_spec->config;
  for (auto& reference : container.configs) {
    // The credential spec's config is always among the references (rule C6.5).
    if (!credential_config.empty() && reference.config_id == credential_config)
      container.privileges->credential_spec->config = reference.config_name;
    reference.config_id.clear();
  }
  return spec;
}

Comparable comparable(const ServiceSpec& desired,
                      const swarm::LiveService& live,
                      const swarm::LiveState& state,
                      const std::string& engine_api) {
  Comparable sides{desired, by_name(live.spec), {}};
  auto& wanted = sides.desired.task_template.container;
  auto& found = sides.live.task_template.container;
  for (auto& reference : wanted.secrets) {
    const auto* object = state.find_secret(reference.secret_name);
    reference.secret_id = object != nullptr ? object->id : "";
  }
  for (auto& reference : wanted.configs) {
    const auto* object = state.find_config(reference.config_name);
    reference.config_id = object != nullptr ? object->id : "";
  }
  const auto& raw = live.spec.task_template.container;
  for (std::size_t i = 0; i < raw.secrets.size(); ++i)
    found.secrets[i].secret_id = raw.secrets[i].secret_id;
  for (std::size_t i = 0; i < raw.configs.size(); ++i)
    found.configs[i].config_id = raw.configs[i].config_id;
  name_predefined(sides.desired.task_template.networks, sides.live.task_template.networks, state);
  sides.desired = canonical(std::move(sides.desired));
  sides.live = canonical(std::move(sides.live));
  drop_unsupported(sides, engine_api);
  return sides;
}

}  // namespace skep::diff
