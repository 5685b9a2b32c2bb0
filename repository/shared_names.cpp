#include "repository/shared_names.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>

namespace skep::repository {

std::vector<SharedName> shared_names(const std::vector<const swarm::StackSpec*>& stacks) {
  struct Owner {
    std::size_t stack = 0;
    std::string service;
  };
  std::map<std::pair<std::string, std::string>, Owner> owners;  // By network and alias.
  std::vector<SharedName> found;
  for (std::size_t i = 0; i < stacks.size(); ++i) {
    if (stacks[i] == nullptr) continue;
    for (const auto& [key, service] : stacks[i]->services) {
      std::set<std::string> said;  // A name is warned of once, on however many networks.
      for (const auto& network : service.spec.task_template.networks) {
        // Only a network that the stack does not make itself can have others on it.
        if (stacks[i]->external_networks.count(network.target) == 0) continue;
        for (const auto& alias : network.aliases) {
          const auto [owner, fresh] =
              owners.try_emplace({network.target, alias}, Owner{i, service.spec.name});
          if (fresh || owner->second.stack == i || !said.insert(alias).second) continue;
          found.push_back(
              {i,
               {Finding::Severity::warning,
                "service " + service.spec.name + " answers to the name " + alias +
                    " on the network " + network.target + ", and so does " + owner->second.service +
                    ": who asks for that name reaches either of them; rename one of "
                    "the services, or use the full names",
                service.at}});
        }
      }
    }
  }
  return found;
}

}  // namespace skep::repository
