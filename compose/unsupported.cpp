#include "compose/unsupported.hpp"

#include <map>
#include <set>
#include <string>

namespace skep::compose {
namespace {

constexpr const char* kUseLimits = "set resource limits using deploy.resources";

const std::map<std::string, std::string, std::less<>> kForbidden = {
    {"extends", "a service of a stack cannot extend another"},
    {"volume_driver", "define a volume in the top-level volumes and set its driver there"},
    {"volumes_from",
     "define a volume in the top-level volumes and mount it in each service that shares it"},
    {"cpu_quota", kUseLimits},
    {"cpu_shares", kUseLimits},
    {"cpuset", kUseLimits},
    {"mem_limit", kUseLimits},
    {"memswap_limit", kUseLimits},
};

const std::set<std::string, std::less<>> kUnsupported = {"build",
                                                         "cgroupns_mode",
                                                         "cgroup_parent",
                                                         "devices",
                                                         "domainname",
                                                         "external_links",
                                                         "ipc",
                                                         "links",
                                                         "mac_address",
                                                         "network_mode",
                                                         "pid",
                                                         "privileged",
                                                         "security_opt",
                                                         "shm_size",
                                                         "userns_mode"};

const std::map<std::string, std::string, std::less<>> kDeprecated = {
    {"container_name", "names of containers are made by the swarm"},
    {"expose", "exposing ports is unnecessary: services on one network reach each other's ports"},
};

/// Calls `visit(path, entry)` for every key of every service.
template <typename Visit>
void for_each_service_key(const yaml::Node& root, Visit visit) {
  const auto* services = root.find("services");
  const auto* map = services ? services->as<yaml::Map>() : nullptr;
  if (!map) return;
  for (const auto& service : *map) {
    const auto* keys = service.value.as<yaml::Map>();
    if (!keys) continue;
    for (const auto& entry : *keys) visit("services." + service.key + '.' + entry.key, entry);
  }
}

}  // namespace

void refuse_forbidden(const yaml::Node& root, Findings& findings) {
  for_each_service_key(root, [&](const std::string& path, const yaml::Entry& entry) {
    const auto found = kForbidden.find(entry.key);
    if (found == kForbidden.end()) return;
    findings.push_back({Finding::Severity::error,
                        path + ": Compose file contains unsupported options: " + found->first +
                            ": " + found->second,
                        entry.key_at});
  });
}

void warn_unsupported(const yaml::Node& root, Findings& findings) {
  for_each_service_key(root, [&](const std::string& path, const yaml::Entry& entry) {
    const auto warn = [&](const std::string& message) {
      findings.push_back({Finding::Severity::warning, path + ": " + message, entry.key_at});
    };
    if (kUnsupported.contains(entry.key)) warn("Ignoring unsupported options: " + entry.key);
    if (entry.key == "restart") {  // Rule A7.4: the CLI says one thing and does another.
      warn(
          "Ignoring unsupported options: restart (it is applied all the same, unless "
          "deploy.restart_policy is there; write that instead)");
    }
    if (const auto found = kDeprecated.find(entry.key); found != kDeprecated.end()) {
      warn("Ignoring deprecated options: " + found->first + ": " + found->second);
    }
  });
}

}  // namespace skep::compose
