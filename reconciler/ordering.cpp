#include "reconciler/work.hpp"

// What waits for what, between stacks.
namespace skep::reconciler {

using ports::Health;

void Reconciler::hold_mass_removal(Work& work, const State& state) {
  std::size_t leaving = 0;
  for (const auto& facts : work.facts) leaving += facts.desired == nullptr ? 1 : 0;
  if (leaving == 0 || (leaving * 2 <= state.stacks.size() && leaving < state.stacks.size())) return;
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    if (work.facts[i].desired != nullptr || work.decisions[i].verdict != Verdict::apply) continue;
    if (memory_[work.facts[i].name].approved) continue;
    work.decisions[i] = {Verdict::held,
                         "left git together with " + std::to_string(leaving - 1) +
                             " other stacks of " + std::to_string(state.stacks.size()) +
                             ": so many are removed only after `skep approve " +
                             work.facts[i].name + "`"};
  }
}

void Reconciler::order(const DesiredState& desired, Work& work) {
  std::map<std::string, const GroupSettings*> groups;
  for (const auto& group : desired.cluster.groups) groups[group.name] = &group;
  std::map<std::string, std::string> busy;  // Group → a stack of it that is being changed.
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    const auto& facts = work.facts[i];
    index[facts.name] = i;
    if (facts.desired == nullptr) continue;
    const bool changes = memory_[facts.name].operation ||
                         work.decisions[i].verdict == Verdict::apply || facts.waiting_for_registry;
    if (changes) busy.emplace(facts.desired->source.group, facts.name);
  }
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    const auto& facts = work.facts[i];
    auto& decision = work.decisions[i];
    if (facts.desired == nullptr || decision.verdict != Verdict::apply) continue;
    for (const auto& need : facts.desired->source.settings.depends_on) {
      const auto at = index.find(need);
      if (at == index.end()) continue;
      const auto& other = work.facts[at->second];
      const bool ready =
          other.health == Health::healthy && work.decisions[at->second].verdict == Verdict::nothing;
      if (!ready)
        decision = {
            Verdict::wait,
            "waits for the stack " + need + " (" + std::string(to_string(other.health)) + ")"};
    }
    if (memory_[facts.name].operation)
      continue;  // What has begun is not stopped by somebody else's beginning.
    for (auto at = groups.find(facts.desired->source.group);
         at != groups.end() && !at->second->after.empty();) {
      const auto& earlier = at->second->after;
      if (const auto stack = busy.find(earlier); stack != busy.end()) {
        decision = {Verdict::wait,
                    "waits for " + earlier + "/" + stack->second + ", which is being changed"};
      }
      at = groups.find(earlier);
    }
  }
}

}  // namespace skep::reconciler
