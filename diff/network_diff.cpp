#include "diff/network_diff.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>

#include "diff/differ.hpp"

namespace skep::diff {
namespace {

/// Written by the engine into the options of every overlay network (rule E3.28).
constexpr std::string_view kEngineOption = "com.docker.network.driver.overlay.vxlanid_list";

std::vector<std::string> subnets_of(const std::optional<swarm::Ipam>& ipam) {
  std::vector<std::string> subnets;
  if (ipam) {
    for (const auto& subnet : ipam->config) subnets.push_back(subnet.subnet);
  }
  std::sort(subnets.begin(), subnets.end());
  return subnets;
}

}  // namespace

std::vector<FieldChange> fixed_network_changes(const swarm::NetworkSpec& live,
                                               const swarm::NetworkSpec& desired) {
  Differ differ;
  auto driver = [](const std::string& name) { return name.empty() ? "overlay" : name; };
  auto before = live;
  auto after = desired;
  // A network that was just made reads back without driver, options and subnets until the manager
  // has given it its place.
  const bool allocated = !live.driver.empty();
  if (allocated) differ.report("driver", "", driver(live.driver), driver(desired.driver));
  differ.value("internal", before.internal, after.internal);
  differ.value("attachable", before.attachable, after.attachable);
  if (!allocated) return std::move(differ).take();
  before.options.erase(std::string(kEngineOption));
  after.options.erase(std::string(kEngineOption));
  if (driver(live.driver) != "overlay") {  // Other drivers may add options of their own.
    for (auto at = before.options.begin(); at != before.options.end();)
      at = after.options.count(at->first) == 0 ? before.options.erase(at) : std::next(at);
  }
  differ.map("driver_opts", before.options, after.options);
  if (desired.ipam && !desired.ipam->driver.empty())
    differ.report("ipam.driver", "", live.ipam ? live.ipam->driver : "", desired.ipam->driver);
  auto wanted_subnets = subnets_of(desired.ipam);
  auto live_subnets = subnets_of(live.ipam);
  if (!wanted_subnets.empty()) differ.set("ipam.config.subnet", live_subnets, wanted_subnets);
  return std::move(differ).take();
}

std::string names_of(const std::vector<FieldChange>& changes) {
  std::string text;
  for (const auto& change : changes) {
    text +=
        (text.empty() ? "" : ", ") + change.path + (change.item.empty() ? "" : " " + change.item);
  }
  return text;
}

}  // namespace skep::diff
