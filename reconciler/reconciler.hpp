#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include <spdlog/logger.h>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "reconciler/decide.hpp"
#include "reconciler/desired_state.hpp"
#include "reconciler/planner.hpp"
#include "reconciler/ports/engine.hpp"
#include "reconciler/ports/observer.hpp"
#include "reconciler/state.hpp"

namespace skep::reconciler {

struct ReconcilerOptions {
  std::string instance = "default";
  bool plan_only = false;      ///< Nothing is written at all.
  std::set<std::string> only;  ///< Stack names; empty: all.
  std::uint32_t seed = 0;      ///< Of the jitter; 0 takes one from the system.
  SecretDigest digest;         ///< Of the swarm's digest key, where there is one.
};

/// What one turn came to.
struct Turn {
  std::vector<ports::StackStatus>
      stacks;                          ///< In the order of reconciling; those that leave git last.
  std::vector<std::string> notes;      ///< Of no single stack: shared networks.
  bool moving = false;                 ///< Something goes on by itself: look again within a second.
  bool wrote = false;                  ///< Look again at once.
  std::uint64_t fingerprint = 0;       ///< Of the swarm as it was seen.
  std::optional<SteadyTime> retry_at;  ///< The earliest retry.
  /// Every stack that was asked for is synced and healthy.
  [[nodiscard]] bool all_good() const;
};

/// Looks at everything, does what can be done now, waits for nothing: called again when something
/// happened or is due. One loop over this is the agent; the same loop until nothing moves is `skep
/// apply`. Not for several threads, but for approve() and request().
class Reconciler {
 public:
  /// `wake` is called, from any thread, when a turn would have something new to look at.
  Reconciler(ports::Engine& engine,
             ports::Observer& observer,
             const Clock& clock,
             spdlog::logger& log,
             ReconcilerOptions options,
             std::function<void()> wake);

  /// Errors: the swarm could not be read, or the state object is not ours to understand: nothing is
  /// known and nothing was written.
  Result<Turn> turn(const DesiredState& desired, std::stop_token stop);

  /// For the next turn. Safe from any thread.
  void approve(const std::string& stack);
  void request(const std::string& stack);

 private:
  struct Work;  ///< One turn's facts of all stacks.

  Result<void> ensure_networks(const DesiredState& desired,
                               swarm::LiveState& live,
                               Turn& turn,
                               std::stop_token stop);
  void gather(const DesiredState& desired,
              const swarm::LiveState& live,
              const State& state,
              Work& work,
              std::stop_token stop);
  void assess(StackFacts& facts,
              const swarm::LiveStack& live,
              const std::vector<swarm::Task>& tasks);
  void hold_mass_removal(Work& work, const State& state);
  void order(const DesiredState& desired, Work& work);
  Result<void> carry_out(const DesiredState& desired,
                         const swarm::LiveState& live,
                         State& state,
                         Work& work,
                         Turn& turn,
                         std::stop_token stop);
  /// Whether what is to be removed may be believed: asked of the engine, and listed again, only
  /// when something is.
  Result<bool> prove(const Work& work, std::uint64_t fingerprint, std::stop_token stop);
  void apply_stack(StackFacts& facts,
                   const swarm::LiveState& live,
                   Turn& turn,
                   std::stop_token stop);
  void follow_operation(const StackFacts& facts, const Decision& decision);
  void finish_operation(const StackFacts& facts,
                        bool success,
                        const std::string& phase,
                        const std::string& message);
  void fail(StackMemory& memory, const Error& error);
  void take_requests();

  ports::Engine& engine_;
  ports::Observer& observer_;
  const Clock& clock_;
  spdlog::logger& log_;
  ReconcilerOptions options_;
  StateStore store_;
  Planner planner_;
  std::minstd_rand random_;
  std::map<std::string, StackMemory> memory_;
  std::mutex requests_mutex_;  ///< Guards the two sets.
  std::set<std::string> approvals_, requests_;
};

}  // namespace skep::reconciler
