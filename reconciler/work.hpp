#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "reconciler/apply.hpp"
#include "reconciler/reconciler.hpp"

namespace skep::reconciler {

/// Private to the sources of Reconciler.
struct Reconciler::Work {
  std::vector<StackFacts> facts;
  std::vector<swarm::LiveService> hooks;  ///< Jobs of all stacks' hooks.
  std::set<std::string> hand_over;        ///< Stacks that give a port up for one before them.
  std::set<std::string> renamed;          ///< Old names of stacks that go on under a new one.
  std::set<std::string> in_grace;         ///< Stacks that left git and may still come back.
  std::set<std::string> removal_held;     ///< Stacks that left git with too many others.
  std::vector<Decision> decisions;        ///< One for each of `facts`.
};

/// "group/name"; of a stack that left git, as it was recorded.
std::string full_name(const StackFacts& facts);

/// Nothing stands in its way but ports, and all of these are `holder`'s.
bool is_blocked_by_ports_of(const StackFacts& facts,
                            const std::string& holder,
                            const diff::LiveIndex& index);

/// The content that its plan leads to; kGone where it leaves.
std::string goal_of(const StackFacts& facts);

/// Whether it counts, or is only looked at again at once.
bool is_failure(const StackMemory& memory, const Error& error);

/// What an operation that begins now comes from: SyncReport::trigger.
std::string trigger_of(const StackFacts& facts, const StackMemory& memory);

/// Into the report of an operation, what was done in this turn.
void record_results(Operation& operation, const ApplyResult& result);

inline std::string label_of(const swarm::StringMap& labels, std::string_view name) {
  const auto at = labels.find(std::string(name));
  return at == labels.end() ? std::string() : at->second;
}

}  // namespace skep::reconciler
