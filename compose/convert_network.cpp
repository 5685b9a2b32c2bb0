#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "compose/convert.hpp"
#include "compose/engine_checks.hpp"
#include "compose/text.hpp"

namespace skep::compose {
namespace {

const std::string kDefaultNetwork = "default";

/// Networks that every engine has; they take no aliases and are never looked for (rules C7.3,
/// D3.1).
bool is_predefined(const std::string& name) {
  return name == "default" || name == "bridge" || name == "host" || name == "none" ||
         name.rfind("container:", 0) == 0;
}

/// Where a service that names no network is attached (rule B6.1).
const std::map<std::string, NetworkUse>& networks_of(const Service& service) {
  static const std::map<std::string, NetworkUse> kOnlyDefault = {{kDefaultNetwork, {}}};
  return service.networks.empty() ? kOnlyDefault : service.networks;
}

/// Drivers whose networks are one node's. The engine makes such a network and then attaches no
/// service to it.
void refuse_local_driver(const Conversion& conversion,
                         const std::string& key,
                         const Network& network) {
  for (const std::string_view driver : {"bridge", "host", "ipvlan", "macvlan", "none", "null"}) {
    if (network.driver != driver) continue;
    conversion.error(network.driver_at,
                     "networks." + key + ".driver: a network of the driver " + network.driver +
                         " is one node's, and the engine attaches no service to it; leave the "
                         "driver out, or name a network that exists: external: true");
  }
}

swarm::NetworkSpec convert_one(const Conversion& conversion,
                               const std::string& key,
                               const Network& network) {
  swarm::NetworkSpec spec;
  spec.name = conversion.object_name(key, network.name);
  if (!network.driver.empty()) spec.driver = network.driver;
  if (!network.ipam_driver.empty() || !network.subnets.empty()) {
    spec.ipam.emplace();
    spec.ipam->driver = network.ipam_driver;
    for (const auto& subnet : network.subnets) spec.ipam->config.push_back({subnet.text});
  }
  spec.internal = network.internal;
  spec.attachable = network.attachable;
  spec.options = network.driver_opts;
  spec.labels = conversion.with_stack_label(network.labels);
  return spec;
}

}  // namespace

void convert_networks(const Conversion& conversion, swarm::StackSpec& stack) {
  std::map<std::string, SourcePosition> needed;
  for (const auto& [unused, service] : conversion.file.services) {
    for (const auto& [key, use] : networks_of(service)) needed.emplace(key, use.at);
  }
  std::map<std::string, std::string> key_of;  // By object name (rule C2.4).
  for (const auto& [key, used_at] : needed) {
    const auto found = conversion.file.networks.find(key);
    const bool defined = found != conversion.file.networks.end();
    // An undefined one is an error of the service that uses it (rule C7.2).
    if (!defined && key != kDefaultNetwork) continue;
    const auto& network = defined ? found->second : Network{};
    if (network.external) {
      if (!is_predefined(network.name)) stack.external_networks.emplace(network.name, network.at);
      continue;
    }
    refuse_local_driver(conversion, key, network);
    auto spec = convert_one(conversion, key, network);
    check_for_engine(conversion, key, network, spec.name);
    if (const auto twin = key_of.find(spec.name); twin != key_of.end()) {
      stack.networks.erase(twin->second);
      stack.networks_at.erase(twin->second);
    }
    key_of[spec.name] = key;
    if (defined)
      stack.networks_at.emplace(key, network.driver.empty() ? network.at : network.driver_at);
    stack.networks.emplace(key, std::move(spec));
  }
}

std::vector<swarm::NetworkAttachment> convert_attachments(const ServiceConversion& conversion) {
  const auto& file = conversion.all.file;
  std::vector<swarm::NetworkAttachment> attachments;
  for (const auto& [key, use] : networks_of(conversion.service)) {
    const auto found = file.networks.find(key);
    const bool defined = found != file.networks.end();
    if (!defined && key != kDefaultNetwork) {
      if (!file.unreadable_sections.contains("networks")) {
        conversion.error(use.at,
                         "undefined network " + quoted(key) +
                             advice_for_undefined(key, file.networks, "networks"));
      }
      continue;
    }
    swarm::NetworkAttachment attachment;
    attachment.target = conversion.all.object_name(key, defined ? found->second.name : "");
    if (use.options) {
      attachment.aliases = use.options->aliases;
      attachment.driver_opts = use.options->driver_opts;
    }
    if (!is_predefined(attachment.target)) attachment.aliases.push_back(conversion.key);
    attachments.push_back(std::move(attachment));
  }
  std::stable_sort(attachments.begin(), attachments.end(), [](const auto& a, const auto& b) {
    return a.target < b.target;
  });
  return attachments;
}

}  // namespace skep::compose
