#include "tests/fakes/fake_engine_defaults.hpp"

#include <algorithm>

namespace skep::fakes {
namespace {

bool alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

template <typename T>
void set_if_empty(T& value, const T& otherwise) {
  if (value == T()) value = otherwise;
}

bool is_name(const std::string& name, std::size_t limit, std::string_view inside) {
  return !name.empty() && name.size() <= limit && alphanumeric(name.front()) &&
         alphanumeric(name.back()) && std::all_of(name.begin(), name.end(), [inside](char c) {
           return alphanumeric(c) || inside.find(c) != std::string_view::npos;
         });
}

void fill(swarm::ContainerSpec& container) {
  if (container.isolation != "process" && container.isolation != "hyperv")
    container.isolation = "default";
  for (auto& mount : container.mounts) {
    set_if_empty<std::string>(mount.type, "bind");
    mount.consistency.clear();
    if (mount.bind_options == swarm::BindOptions{}) mount.bind_options.reset();
  }
}

}  // namespace

swarm::ServiceSpec stored(swarm::ServiceSpec spec) {
  set_if_empty<std::string>(spec.task_template.runtime, "container");
  fill(spec.task_template.container);
  if (auto& policy = spec.task_template.restart_policy) {
    set_if_empty<std::string>(policy->condition, "any");
    if (!policy->max_attempts) policy->max_attempts = 0;
  }
  for (auto* config : {&spec.update_config, &spec.rollback_config}) {
    if (!*config) continue;
    set_if_empty<std::string>((*config)->failure_action, "pause");
    set_if_empty<std::string>((*config)->order, "stop-first");
  }
  if (spec.endpoint_spec) {
    set_if_empty<std::string>(spec.endpoint_spec->mode, "vip");
    for (auto& port : spec.endpoint_spec->ports) {
      if (port.protocol != "udp" && port.protocol != "sctp") port.protocol = "tcp";
      if (port.mode != "host") port.mode = "ingress";
    }
  }
  auto& mode = spec.mode;
  if (!mode.replicated && !mode.global && !mode.replicated_job && !mode.global_job)
    mode.replicated.emplace();
  if (mode.replicated && !mode.replicated->replicas) mode.replicated->replicas = 1;
  if (mode.replicated_job) {
    if (!mode.replicated_job->max_concurrent) mode.replicated_job->max_concurrent = 1;
    if (!mode.replicated_job->total_completions)
      mode.replicated_job->total_completions = mode.replicated_job->max_concurrent;
  }
  return spec;
}

swarm::NetworkSpec stored(swarm::NetworkSpec spec, unsigned number) {
  set_if_empty<std::string>(spec.driver, "overlay");
  if (!spec.ipam) spec.ipam.emplace();
  set_if_empty<std::string>(spec.ipam->driver, "default");
  if (spec.ipam->config.empty())
    spec.ipam->config.push_back({.subnet = "10.0." + std::to_string(number % 256) + ".0/24"});
  if (spec.driver == "overlay")
    spec.options.emplace("com.docker.network.driver.overlay.vxlanid_list",
                         std::to_string(4096 + number));
  return spec;
}

bool is_service_name(const std::string& name) { return is_name(name, 63, "-_"); }
bool is_object_name(const std::string& name) { return is_name(name, 64, "._-"); }

bool restarts_tasks(const swarm::ServiceSpec& before, const swarm::ServiceSpec& after) {
  if (before.endpoint_spec != after.endpoint_spec) return true;
  auto left = before.task_template;
  auto right = after.task_template;
  left.placement = right.placement = std::nullopt;
  return left != right;
}

}  // namespace skep::fakes
