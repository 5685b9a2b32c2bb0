#include <algorithm>

#include "diff/plan.hpp"

namespace skep::diff {
namespace {

template <typename Map, typename Key>
const LiveIndex::Services& services_at(const Map& map, const Key& key) {
  static const LiveIndex::Services kNone;
  const auto at = map.find(key);
  return at == map.end() ? kNone : at->second;
}

}  // namespace

LiveIndex::LiveIndex(const swarm::LiveState& live) : live_(&live), stacks_(swarm::stacks_of(live)) {
  for (const auto& service : live.services) {
    const auto note = [&](Services& list) {
      if (list.empty() || list.back() != &service) list.push_back(&service);
    };
    const auto& task = service.spec.task_template;
    for (const auto& reference : task.container.secrets) note(citing_[reference.secret_id]);
    for (const auto& reference : task.container.configs) note(citing_[reference.config_id]);
    for (const auto& id : service.previous_references) note(citing_[id]);
    for (const auto& network : task.networks) note(attached_[network.target]);
    if (!service.spec.endpoint_spec) continue;
    for (const auto& port : service.spec.endpoint_spec->ports) {
      if (port.published == 0) continue;
      auto& owners = port.mode == "host" ? on_nodes_ : publishers_;
      note(owners[{port.published, port.protocol_or_tcp()}]);
    }
  }
}

const swarm::LiveStack& LiveIndex::stack(const std::string& name) const {
  static const swarm::LiveStack kNone;
  const auto at = stacks_.find(name);
  return at == stacks_.end() ? kNone : at->second;
}

const LiveIndex::Services& LiveIndex::publishers(std::uint32_t port,
                                                 const std::string& protocol) const {
  return services_at(publishers_, std::pair(port, protocol));
}

LiveIndex::Services LiveIndex::in_the_way_of(const swarm::PublishedPort& port) const {
  const std::pair key(port.published, port.protocol_or_tcp());
  auto all = services_at(publishers_, key);
  if (port.mode == "host") return all;
  for (const auto* service : services_at(on_nodes_, key)) {
    if (std::find(all.begin(), all.end(), service) == all.end()) all.push_back(service);
  }
  return all;
}

const LiveIndex::Services& LiveIndex::citing(const swarm::ObjectId& id) const {
  return services_at(citing_, id);
}

const LiveIndex::Services& LiveIndex::attached(const std::string& network) const {
  return services_at(attached_, network);
}

}  // namespace skep::diff
