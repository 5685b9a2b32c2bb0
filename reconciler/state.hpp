#pragma once

#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "reconciler/ports/engine.hpp"
#include "swarm/live_state.hpp"

namespace skep::reconciler {

/// What was decided about one stack and must survive the agent's disk (design §5, "Durable
/// decisions").
struct StackRecord {
  std::string path;     ///< "apps/MY-APP": where in the repository it came from.
  std::string content;  ///< DesiredStack::content that was last carried out, "" for none yet.
  std::string applied;  ///< The commit of that content.
  std::string healthy;  ///< The commit whose content was last seen healthy.
  std::map<std::string, std::string>
      digests;  ///< Image text as written → digest it was resolved to.
  std::map<std::string, std::string> jobs;  ///< Key of a job → hash of what was run last (trap 33).
  std::string healthy_content;              ///< The content of `healthy`.
  std::string quarantined;  ///< Content whose rollout failed: never pushed again by itself.
  /// DesiredStack::deadlines with which it failed; "" where a person decided.
  std::string quarantine_deadlines;
  std::string quarantine_reason;  ///< In the engine's words, for people.
  /// The commit that a person sent the stack back to; "" where quarantine is the agent's own doing.
  std::string rollback_to;
  std::string earlier_healthy;            ///< The healthy commit before `healthy`.
  std::optional<WallTime> leaving_since;  ///< When it was first seen to be gone from git.
  std::string pre_hooks, post_hooks;      ///< Content whose hooks of that phase have run.
  /// When rollbacks of its services began that swarm still told of when this content was taken up:
  /// they were for an earlier one.
  std::set<std::string> earlier_rollbacks;
  std::string hook_failure;   ///< Of a post_deploy hook of `post_hooks`; "" for none.
  bool removal_held = false;  ///< Too many left git at once: it stays until a person approves.
  bool ejected = false;  ///< `skep eject` gave it back to the CLI: left alone until it is approved.
  bool operator==(const StackRecord&) const = default;
};

/// A person said that a stack is to be left alone.
struct Suspension {
  std::string reason, actor;
  WallTime since{};
  std::optional<WallTime> until;  ///< Nothing: until `skep resume`.
  bool operator==(const Suspension&) const = default;
};

/// In State::approvals, for a stack that left git.
inline constexpr std::string_view kGone = "gone";

/// All decisions of one agent instance: one swarm config, `skep-INSTANCE-state`, one label per
/// stack. A stack is ours when, and only when, it has a record here.
struct State {
  std::map<std::string, StackRecord> stacks;      ///< By stack name.
  std::map<std::string, Suspension> suspensions;  ///< By stack name.
  /// By stack name: the content that a person let through, kGone for the removal of the stack.
  std::map<std::string, std::string> approvals;
  /// By stack name: a record that cannot be read, as it stands; kept until a person decides.
  std::map<std::string, std::string> damaged;
  [[nodiscard]] bool empty() const {
    return stacks.empty() && suspensions.empty() && approvals.empty() && damaged.empty();
  }
  bool operator==(const State&) const = default;
};

class StateStore {
 public:
  StateStore(ports::Engine& engine, std::string instance);

  [[nodiscard]] const std::string& config_name() const noexcept { return config_name_; }
  /// The state as a reading of the swarm shows it; empty where there is none yet. Errors:
  /// unavailable (written by a newer skep): then nothing may be written at all.
  [[nodiscard]] Result<State> read(const swarm::LiveState& live) const;
  /// The other instance whose state object has a record of the stack; "" for none. Stacks that it
  /// ejected are nobody's.
  [[nodiscard]] std::string other_owner(const swarm::LiveState& live,
                                        const std::string& stack) const;
  /// Writes `state` if it differs from what `live` holds, with that object's version. Errors:
  /// conflict where somebody else wrote since. Returns whether a write was made.
  Result<bool> write(const State& state, const swarm::LiveState& live, std::stop_token stop);

 private:
  ports::Engine& engine_;
  std::string instance_;
  std::string config_name_;
};

}  // namespace skep::reconciler
