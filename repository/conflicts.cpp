#include "repository/conflicts.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "repository/shared_names.hpp"

namespace skep::repository {
namespace {

SourcePosition position_of(const DesiredStack& stack) {
  if (stack.source.settings.name) return stack.source.settings.name_at;
  return {stack.source.directory.text()};
}

}  // namespace

void blame(StackPointer& stack, std::string message, SourcePosition at) {
  auto copy = std::make_shared<DesiredStack>(*stack);
  copy->conflicts.push_back({Finding::Severity::error, std::move(message), std::move(at)});
  stack = std::move(copy);
}

void check_names(std::vector<StackPointer>& stacks) {
  std::map<std::string, std::vector<std::size_t>> by_name;
  for (std::size_t i = 0; i < stacks.size(); ++i) by_name[stacks[i]->source.name].push_back(i);
  for (const auto& [name, users] : by_name) {
    if (users.size() < 2) continue;
    for (const auto i : users) {
      const auto other = users.front() == i ? users[1] : users.front();
      blame(stacks[i],
            "the stack name " + name + " is also that of " +
                stacks[other]->source.directory.text() +
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

void check_dependencies(std::vector<StackPointer>& stacks) {
  std::map<std::string, std::size_t> by_name;
  for (std::size_t i = 0; i < stacks.size(); ++i) by_name.emplace(stacks[i]->source.name, i);
  std::vector<std::string> names;
  for (const auto& [name, index] : by_name) names.push_back(name);
  for (auto& stack : stacks) {
    const auto settings = stack->source.settings;
    for (const auto& dependency : settings.depends_on) {
      if (by_name.count(dependency) != 0) continue;
      auto message =
          "depends_on names the stack " + dependency + ", which is not in the repository";
      if (const auto near = nearest(dependency, names); !near.empty())
        message += "; did you mean " + near + "?";
      blame(stack, std::move(message), settings.depends_on_at);
    }
  }
  // A stack is on a cycle when it can be reached from itself.
  for (auto& stack : stacks) {
    std::set<std::string> seen;
    std::vector<std::string> open = stack->source.settings.depends_on;
    while (!open.empty()) {
      const auto name = open.back();
      open.pop_back();
      if (!seen.insert(name).second) continue;
      if (const auto at = by_name.find(name); at != by_name.end()) {
        const auto& next = stacks[at->second]->source.settings.depends_on;
        open.insert(open.end(), next.begin(), next.end());
      }
    }
    if (seen.count(stack->source.name) != 0) {
      blame(stack,
            "depends_on makes a cycle: " + stack->source.name + " waits for itself by way of " +
                stack->source.settings.depends_on.front(),
            stack->source.settings.depends_on_at);
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
