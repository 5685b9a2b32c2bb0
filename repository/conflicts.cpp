#include "repository/conflicts.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/ascii.hpp"
#include "repository/shared_names.hpp"

namespace skep::repository {
namespace {

SourcePosition position_of(const DesiredStack& stack) {
  if (stack.source.settings.name) return stack.source.settings.name_at;
  return {stack.source.directory.text()};
}

/// What waits for what: a stack for those that it depends on, and for all of the groups that its
/// own one comes after.
class WaitingOrder {
 public:
  WaitingOrder(const std::vector<StackPointer>& stacks, const std::vector<GroupSettings>& groups)
      : stacks_(stacks) {
    for (std::size_t i = 0; i < stacks.size(); ++i) {
      by_name_.emplace(stacks[i]->source.name, i);
      members_[stacks[i]->source.group].push_back(i);
    }
    for (const auto& group : groups) after_[group.name] = group.after;
  }

  [[nodiscard]] std::optional<std::size_t> find(const std::string& name) const {
    const auto at = by_name_.find(name);
    return at == by_name_.end() ? std::nullopt : std::optional(at->second);
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, index] : by_name_) names.push_back(name);
    return names;
  }

  struct Way {
    std::string later, earlier;  ///< The last groups on it, one directly after the other; or "".
  };
  /// How stack `from` waits for `to`; nothing where it does not.
  [[nodiscard]] std::optional<Way> way(std::size_t from, std::size_t to) const {
    std::map<std::size_t, Way> seen = {{from, {}}};
    std::set<std::string> groups;
    std::vector<std::size_t> open = {from};
    const auto reach = [&](std::size_t next, const Way& by) {
      if (seen.emplace(next, by).second) open.push_back(next);
    };
    while (!open.empty()) {
      const auto at = open.back();
      open.pop_back();
      const auto way = seen[at];
      if (at == to) return way;
      for (const auto& need : stacks_[at]->source.settings.depends_on) {
        if (const auto next = find(need)) reach(*next, way);
      }
      auto later = stacks_[at]->source.group;
      for (auto earlier = earlier_than(later); !earlier.empty() && groups.insert(earlier).second;
           later = std::exchange(earlier, earlier_than(earlier))) {
        const auto members = members_.find(earlier);
        if (members == members_.end()) continue;
        for (const auto next : members->second) reach(next, {later, earlier});
      }
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] std::string earlier_than(const std::string& group) const {
    const auto at = after_.find(group);
    return at == after_.end() ? "" : at->second;
  }

  const std::vector<StackPointer>& stacks_;
  std::map<std::string, std::size_t> by_name_;
  std::map<std::string, std::vector<std::size_t>> members_;  ///< Of groups.
  std::map<std::string, std::string> after_;                 ///< Between groups.
};

}  // namespace

void blame(StackPointer& stack, std::string message, SourcePosition at) {
  auto copy = std::make_shared<DesiredStack>(*stack);
  copy->conflicts.push_back({Finding::Severity::error, std::move(message), std::move(at)});
  stack = std::move(copy);
}

void check_names(std::vector<StackPointer>& stacks) {
  // The engine heeds no case in names of services, networks, secrets and configs.
  std::map<std::string, std::vector<std::size_t>> by_name;
  for (std::size_t i = 0; i < stacks.size(); ++i)
    by_name[lower(stacks[i]->source.name)].push_back(i);
  for (const auto& [unused, users] : by_name) {
    if (users.size() < 2) continue;
    for (const auto i : users) {
      const auto& other = stacks[users.front() == i ? users[1] : users.front()]->source;
      const auto& name = stacks[i]->source.name;
      blame(stacks[i],
            "the stack name " + name +
                (name == other.name
                     ? " is also that of " + other.directory.text()
                     : " differs from " + other.name + ", that of " + other.directory.text() +
                           ", in letter case only, which the engine does not heed") +
                "; set a different name: in one of the two skep.yaml",
            position_of(*stacks[i]));
    }
  }
}

void check_ports(std::vector<StackPointer>& stacks) {
  struct Owner {
    std::size_t stack = 0;
    std::string service;
    bool on_nodes = false;  ///< With mode: host, as any number of services may have it.
  };
  std::map<std::pair<std::uint32_t, std::string>, std::vector<Owner>> owners;
  for (std::size_t i = 0; i < stacks.size(); ++i) {
    if (stacks[i]->broken()) continue;
    std::vector<std::pair<std::string, SourcePosition>> clashes;
    for (const auto& [key, service] : stacks[i]->spec.services) {
      if (!service.spec.endpoint_spec) continue;
      for (const auto& port : service.spec.endpoint_spec->ports) {
        if (port.published == 0) continue;
        const auto protocol = port.protocol_or_tcp();
        const bool on_nodes = port.mode == "host";
        auto& all = owners[{port.published, protocol}];
        const auto rival = std::find_if(all.begin(), all.end(), [&](const Owner& other) {
          return other.stack != i && !(on_nodes && other.on_nodes);
        });
        if (rival == all.end()) {
          all.push_back({i, service.spec.name, on_nodes});
          continue;
        }
        clashes.emplace_back(
            "port " + std::to_string(port.published) + "/" + protocol + " of service " +
                service.spec.name + " is already published by service " + rival->service + " of " +
                stacks[rival->stack]->source.directory.text() +
                (on_nodes == rival->on_nodes
                     ? ""
                     : ", one of them with mode: host, which the engine does not take together") +
                "; publish another port, or switch one of the stacks off with enabled: false",
            service.at);
      }
    }
    for (auto& [message, at] : clashes) blame(stacks[i], std::move(message), std::move(at));
  }
}

void warn_of_shared_names(std::vector<StackPointer>& stacks) {
  std::vector<const swarm::StackSpec*> specs;
  for (const auto& stack : stacks) specs.push_back(stack->broken() ? nullptr : &stack->spec);
  for (auto& shared : shared_names(specs)) {
    auto copy = std::make_shared<DesiredStack>(*stacks[shared.stack]);
    copy->conflicts.push_back(std::move(shared.finding));
    stacks[shared.stack] = std::move(copy);
  }
}

void check_dependencies(std::vector<StackPointer>& stacks,
                        const std::vector<GroupSettings>& groups) {
  const WaitingOrder order(stacks, groups);
  const auto names = order.names();
  for (std::size_t i = 0; i < stacks.size(); ++i) {
    const auto settings = stacks[i]->source.settings;
    for (std::size_t d = 0; d < settings.depends_on.size(); ++d) {
      const auto& dependency = settings.depends_on[d];
      const auto& at = settings.depends_on_at[d];
      const auto other = order.find(dependency);
      if (!other) {
        auto message =
            "depends_on names the stack " + dependency + ", which is not in the repository";
        if (const auto near = nearest(dependency, names); !near.empty())
          message += "; did you mean " + near + "?";
        blame(stacks[i], std::move(message), at);
        continue;
      }
      const auto way = order.way(*other, i);
      if (!way) continue;
      const auto& name = stacks[i]->source.name;
      if (way->later.empty()) {
        blame(stacks[i],
              "depends_on makes a cycle: " + name + " waits for itself by way of " + dependency,
              at);
      } else {
        blame(stacks[i],
              "depends_on makes a cycle: " + name + " waits for " + dependency +
                  ", and every stack of " + way->later + "/* waits for those of " + way->earlier +
                  "/* (after: " + way->earlier + "); remove " + dependency +
                  " from depends_on, or move one of the stacks: no stack may wait for one of a "
                  "later group",
              at);
      }
    }
  }
}

void order_by_dependency(std::vector<StackPointer>& stacks) {
  std::vector<StackPointer> ordered;
  std::set<std::string> placed;
  std::vector<StackPointer> waiting = std::move(stacks);
  while (!waiting.empty()) {
    const auto ready = std::find_if(waiting.begin(), waiting.end(), [&](const StackPointer& stack) {
      const auto& needs = stack->source.settings.depends_on;
      return std::all_of(needs.begin(), needs.end(), [&](const std::string& need) {
        return placed.count(need) != 0 ||
               std::none_of(waiting.begin(), waiting.end(), [&](const StackPointer& other) {
                 return other->source.name == need;
               });
      });
    });
    const auto next = ready == waiting.end() ? waiting.begin() : ready;
    placed.insert((*next)->source.name);
    ordered.push_back(*next);
    waiting.erase(next);
  }
  stacks = std::move(ordered);
}

}  // namespace skep::repository
