#include <algorithm>
#include <utility>

#include "reconciler/work.hpp"
#include "swarm/labels.hpp"

// Ports of the routing mesh that stacks exchange in one commit.
namespace skep::reconciler {
namespace {

/// Everything that stands in its way is ports of other stacks.
bool blocked_by_ports_only(const diff::Plan& plan) {
  return plan.blocked() &&
         std::all_of(plan.notes.begin(), plan.notes.end(), [](const diff::Note& note) {
           return note.severity != diff::Note::Severity::blocked || note.port_in_use;
         });
}

/// What would be decided if the ports were free.
Verdict verdict_with_free_ports(StackFacts facts, const StackMemory& memory, SteadyTime now) {
  std::erase_if(facts.plan.notes, [](const diff::Note& note) { return note.port_in_use; });
  return decide(facts, memory, now).verdict;
}

struct Held {
  const swarm::LiveService* holder = nullptr;
  swarm::PublishedPort port;
  std::string taker;  ///< The service that wants it.
};

/// Ports that the stack's services want and services of others have.
std::vector<Held> held_by_others(const StackFacts& facts, const diff::LiveIndex& index) {
  std::vector<Held> held;
  for (const auto& [key, service] : facts.plan.desired.services) {
    if (!service.spec.endpoint_spec) continue;
    for (const auto& port : service.spec.endpoint_spec->ports) {
      if (port.published == 0 || port.mode == "host") continue;
      for (const auto* holder : index.publishers(port.published, port.protocol_or_tcp())) {
        if (swarm::stack_of(holder->spec) != facts.name)
          held.push_back({holder, port, service.spec.name});
      }
    }
  }
  return held;
}

/// Whether a way of waiting leads from `start` back to it.
bool waits_for_itself(std::size_t start,
                      const std::map<std::size_t, std::set<std::size_t>>& waits_for) {
  std::set<std::size_t> seen;
  std::vector<std::size_t> open = {start};
  while (!open.empty()) {
    const auto at = waits_for.find(open.back());
    open.pop_back();
    if (at == waits_for.end()) continue;
    for (const auto next : at->second) {
      if (next == start) return true;
      if (seen.insert(next).second) open.push_back(next);
    }
  }
  return false;
}

}  // namespace

bool is_blocked_by_ports_of(const StackFacts& facts,
                            const std::string& holder,
                            const diff::LiveIndex& index) {
  const auto held = held_by_others(facts, index);
  return blocked_by_ports_only(facts.plan) &&
         std::all_of(held.begin(), held.end(), [&](const Held& port) {
           return swarm::stack_of(port.holder->spec) == holder;
         });
}

void Reconciler::exchange_ports(const diff::LiveIndex& index, Work& work) {
  std::map<std::size_t, std::vector<Held>> wanted;  // By number of the stack.
  std::map<std::string, std::size_t> numbers;
  const auto now = clock_.steady();
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    const auto& facts = work.facts[i];
    if (facts.desired == nullptr) continue;
    const auto verdict = work.decisions[i].verdict;
    const bool waits = verdict == Verdict::blocked && blocked_by_ports_only(facts.plan) &&
                       verdict_with_free_ports(facts, memory_[facts.name], now) == Verdict::apply;
    if (!waits && verdict != Verdict::apply) continue;
    numbers[facts.name] = i;
    if (waits) wanted[i] = held_by_others(facts, index);
  }
  if (wanted.empty()) return;
  std::map<std::size_t, std::set<std::size_t>> waits_for;
  for (const auto& [name, i] : numbers) {
    for (const auto& need : work.facts[i].desired->source.settings.depends_on) {
      if (const auto other = numbers.find(need); other != numbers.end())
        waits_for[i].insert(other->second);
    }
  }
  for (const auto& [i, ports] : wanted) {
    for (const auto& held : ports) {
      const auto holder = numbers.find(swarm::stack_of(held.holder->spec));
      if (holder != numbers.end()) waits_for[i].insert(holder->second);
    }
  }
  // The first in the order of stacks is served: nobody that it waits for otherwise comes after it.
  const auto first = std::find_if(wanted.begin(), wanted.end(), [&](const auto& entry) {
    return waits_for_itself(entry.first, waits_for);
  });
  if (first == wanted.end()) return;
  std::map<std::size_t, std::map<std::string, diff::Action>> giving;  // Stack → service → action.
  for (const auto& held : first->second) {
    const auto stack = swarm::stack_of(held.holder->spec);
    const auto holder = numbers.find(stack);
    if (holder == numbers.end()) return;  // Another port of it is not to be had anyway.
    const auto& name = held.holder->spec.name;
    auto& action = giving[holder->second][name];
    action.name = name;
    action.key = name.starts_with(stack + "_") ? name.substr(stack.size() + 1) : name;
    action.live_id = held.holder->id;
    action.impact = diff::Impact::restart;
    const auto port = std::to_string(held.port.published) + "/" + held.port.protocol_or_tcp();
    action.reason += (action.reason.empty() ? "" : "; ") + ("gives up port " + port) +
                     " first, for " + held.taker + " takes it";
    action.gives_up.push_back(held.port);
  }
  if (options_.plan_only) {  // What comes of it in the end is what a reader wants to know.
    for (const auto& [i, ports] : wanted) {
      if (!waits_for_itself(i, waits_for)) continue;
      auto& notes = work.facts[i].plan.notes;
      std::erase_if(notes, [](const diff::Note& note) { return note.port_in_use; });
      work.decisions[i] = {Verdict::apply, ""};
    }
  }
  for (auto& [i, actions] : giving) {
    auto& facts = work.facts[i];
    if (!options_.plan_only) facts.plan.actions.clear();
    std::erase_if(facts.plan.notes, [](const diff::Note& note) { return note.port_in_use; });
    for (auto& [name, action] : actions) {
      facts.plan.notes.push_back({diff::Note::Severity::warning,
                                  "service \"" + name + "\" " + action.reason +
                                      ": it restarts twice, and its ports answer nobody in between",
                                  std::nullopt});
      if (!options_.plan_only) facts.plan.actions.push_back(std::move(action));
    }
    if (options_.plan_only) continue;
    work.decisions[i] = {Verdict::apply, facts.plan.actions.front().reason};
    work.hand_over.insert(facts.name);
  }
}

}  // namespace skep::reconciler
