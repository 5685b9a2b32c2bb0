#include "swarm/live_state.hpp"

#include <algorithm>
#include <tuple>

#include "swarm/labels.hpp"

namespace skep::swarm {
namespace {

const std::string& name_of(const LiveService& service) { return service.spec.name; }
const std::string& name_of(const LiveNetwork& network) { return network.spec.name; }
const std::string& name_of(const LiveConfig& config) { return config.name; }
const std::string& name_of(const LiveSecret& secret) { return secret.name; }

template <typename Object>
void sort_by_name(std::vector<Object>& objects) {
  std::sort(objects.begin(), objects.end(), [](const Object& a, const Object& b) {
    return std::tie(name_of(a), a.id) < std::tie(name_of(b), b.id);
  });
}

template <typename Object>
const Object* find_by_name(const std::vector<Object>& objects, std::string_view name) {
  const auto at = std::lower_bound(
      objects.begin(), objects.end(), name, [](const Object& object, std::string_view wanted) {
        return name_of(object) < wanted;
      });
  return at != objects.end() && name_of(*at) == name ? &*at : nullptr;
}

const std::string* stack_of(const StringMap& labels) {
  const auto at = labels.find(std::string(kStackLabel));
  return at == labels.end() ? nullptr : &at->second;
}

}  // namespace

void LiveState::normalise() {
  std::erase_if(networks, [this](const LiveNetwork& network) {
    if (network.leaving) leaving_networks.insert(network.spec.name);
    return network.leaving;
  });
  sort_by_name(services);
  sort_by_name(networks);
  sort_by_name(configs);
  sort_by_name(secrets);
  std::sort(nodes.begin(), nodes.end(), [](const LiveNode& a, const LiveNode& b) {
    return std::tie(a.hostname, a.id) < std::tie(b.hostname, b.id);
  });
  std::map<std::string_view, std::string_view> names;
  for (const auto& network : networks) names.emplace(network.id, network.spec.name);
  for (auto& service : services) {
    for (auto& attachment : service.spec.task_template.networks) {
      if (const auto at = names.find(attachment.target); at != names.end())
        attachment.target = at->second;
    }
  }
}

const LiveService* LiveState::find_service(std::string_view name) const {
  return find_by_name(services, name);
}
const LiveNetwork* LiveState::find_network(std::string_view name) const {
  return find_by_name(networks, name);
}
const LiveConfig* LiveState::find_config(std::string_view name) const {
  return find_by_name(configs, name);
}
const LiveSecret* LiveState::find_secret(std::string_view name) const {
  return find_by_name(secrets, name);
}

std::string stack_of(const ServiceSpec& service) {
  const auto* stack = stack_of(service.labels);
  if (stack == nullptr && service.labels.contains(std::string(kInstanceLabel)))
    stack = stack_of(service.task_template.container.labels);
  return stack == nullptr ? "" : *stack;
}

std::map<std::string, LiveStack> stacks_of(const LiveState& live) {
  std::map<std::string, LiveStack> stacks;
  for (const auto& service : live.services) {
    const auto stack = stack_of(service.spec);
    if (!stack.empty()) stacks[stack].services.push_back(&service);
  }
  for (const auto& network : live.networks) {
    if (const auto* stack = stack_of(network.spec.labels))
      stacks[*stack].networks.push_back(&network);
  }
  for (const auto& config : live.configs) {
    if (const auto* stack = stack_of(config.labels)) stacks[*stack].configs.push_back(&config);
  }
  for (const auto& secret : live.secrets) {
    if (const auto* stack = stack_of(secret.labels)) stacks[*stack].secrets.push_back(&secret);
  }
  return stacks;
}

}  // namespace skep::swarm
