#pragma once

#include <algorithm>
#include <deque>
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
#include "reconciler/access/access_policy.hpp"
#include "reconciler/access/policed_engine.hpp"
#include "reconciler/decide.hpp"
#include "reconciler/observation/stuck_networks.hpp"
#include "reconciler/planner.hpp"
#include "reconciler/ports/checkout.hpp"
#include "reconciler/ports/engine.hpp"
#include "reconciler/ports/observer.hpp"
#include "reconciler/state.hpp"
#include "repository/desired_state.hpp"

namespace skep::reconciler {

struct ReconcilerOptions {
  std::string instance = "default";
  bool plan_only = false;      ///< Nothing is written at all.
  std::set<std::string> only;  ///< Stack names; empty: all.
  /// One stack at an older commit, for rolling back (stack_at()). Empty: there is no way back.
  std::function<Result<std::shared_ptr<const repository::DesiredStack>>(const std::string& commit,
                                                                        const std::string& stack)>
      revision;
  /// Takes what must not be told out of a sentence. Empty: nothing is taken out.
  std::function<void(std::string&)> mask;
  /// Author and subject of a commit, for reports. Empty: nobody knows.
  std::function<std::optional<ports::Revision>(const std::string& commit)> describe;
  /// How long a stack stays after it left git; 0: it goes at once, as a person's `skep apply`
  /// wants.
  std::chrono::milliseconds prune_grace{0};
  /// How long all tasks have to run before a rollout has succeeded.
  std::chrono::milliseconds settle{5000};
  /// The stack in which this agent runs; "" for none. It comes last, nobody waits for it, and it is
  /// never removed (trap 26).
  std::string self_stack;
  /// False where a person does it now, whatever `windows` say.
  bool respect_windows = true;
  std::uint32_t seed = 0;           ///< Of the jitter; 0 takes one from the system.
  repository::SecretDigest digest;  ///< Of the swarm's digest key, where there is one.
  /// What services may ask for. Nothing: anything, for a person who holds the engine's socket.
  std::optional<AccessPolicy> access;
  /// Where services find files of the repository (`repo_files: checkout`); null: nowhere, and such
  /// stacks are not changed. Not owned; outlives the reconciler.
  ports::Checkout* checkout = nullptr;
};

/// What one turn came to.
struct Turn {
  std::vector<ports::StackStatus>
      stacks;                          ///< In the order of reconciling; those that leave git last.
  std::vector<std::string> notes;      ///< Of no single stack: shared networks, node labels.
  bool announces_writes = false;       ///< Some of the notes do: with plan_only.
  bool moving = false;                 ///< Something goes on by itself: look again within a second.
  bool wrote = false;                  ///< Look again at once.
  std::uint64_t fingerprint = 0;       ///< Of the swarm as it was seen.
  WallTime observed_at{};              ///< When that was.
  std::optional<SteadyTime> retry_at;  ///< The earliest retry.
  void retry_by(SteadyTime at) { retry_at = std::min(retry_at.value_or(at), at); }
  /// Every stack that was asked for is synced and healthy.
  [[nodiscard]] bool all_good() const;
};

/// A person sends a stack back to an older revision.
struct Rollback {
  std::string commit, content;  ///< What it goes back to.
  std::string instead_of;       ///< The content that git has: quarantined from now on.
  std::string actor;
  bool operator==(const Rollback&) const = default;
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
  Result<Turn> turn(const repository::DesiredState& desired, std::stop_token stop);

  /// Another agent was active meanwhile: what was seen before says nothing any more. Only before a
  /// turn, by its thread.
  void begin_anew();

  /// For the next turn. Safe from any thread. An approval with `durable` survives this process, and
  /// is for the content that the last turn showed: what git brings meanwhile nobody has seen yet.
  /// `actor` is told to whoever reads the history.
  void approve(const std::string& stack, bool durable = false, const std::string& actor = {});
  void request(const std::string& stack, const std::string& actor = {});
  void rollback(const std::string& stack, Rollback request);
  /// A registry says that a tag moved. Whether a stack follows it.
  bool look_again(std::string_view repository, std::string_view tag) {
    return planner_.look_again(repository, tag);
  }
  void suspend(const std::string& stack, Suspension suspension);
  void resume(const std::string& stack);
  /// Asked for, and not yet part of any turn.
  [[nodiscard]] bool asked_to_suspend(const std::string& stack);

 private:
  struct Work;  ///< One turn's facts of all stacks.

  Result<void> ensure_networks(const repository::DesiredState& desired,
                               swarm::LiveState& live,
                               Turn& turn,
                               std::stop_token stop);
  /// What could not be made a moment ago is not tried in each turn; then it is only said again.
  bool put_off(const std::string& what, Turn& turn);
  /// Errors: the engine does not answer at all.
  Result<void> could_not_make(const std::string& what,
                              const Error& error,
                              Turn& turn,
                              std::stop_token stop);
  Result<void> ensure_files(const repository::DesiredState& desired,
                            swarm::LiveState& live,
                            Turn& turn,
                            std::stop_token stop);
  void ensure_node_labels(const repository::DesiredState& desired,
                          swarm::LiveState& live,
                          Turn& turn,
                          std::stop_token stop);
  /// Time in which the swarm could not be read is nobody's lack of progress.
  void excuse_blindness(SteadyTime now);
  void note_lost_records(const repository::DesiredState& desired,
                         const State& state,
                         Turn& turn) const;
  // What is known of each stack (gather.cpp).
  void gather(const repository::DesiredState& desired,
              const diff::LiveIndex& index,
              const State& state,
              Work& work,
              std::stop_token stop);
  void assess(StackFacts& facts,
              const swarm::LiveStack& live,
              const std::vector<swarm::Task>& tasks);
  /// Tells of one that runs again though nobody changed it (an engine fault, seen after a change of
  /// leaders).
  void watch_job(const StackFacts& facts, const swarm::LiveService& job, bool completed);
  void plan_stack(StackFacts& facts, const diff::LiveIndex& index, std::stop_token stop);
  /// What the policy forbids becomes a note that blocks the plan.
  void police(StackFacts& facts);
  void find_way_back(StackFacts& facts);
  /// What was carried out last, where a window holds what git wants since; else nullptr.
  std::shared_ptr<const repository::DesiredStack> kept_by_window(const StackFacts& facts);
  /// With what `ignore` names, and what is contended, carried from live; fills `contended`.
  Planner::Planned plan_towards(const repository::DesiredStack& target,
                                StackFacts& facts,
                                const diff::LiveIndex& index,
                                std::stop_token stop);
  // What comes of it.
  void hold_mass_removal(Work& work, const State& state);
  void spare_what_is_ours(const repository::DesiredState& desired, diff::Plan& plan) const;
  void give_grace(Work& work, Turn& turn);
  struct Renames {
    std::map<std::string, const StackFacts*> new_names;  ///< By the old name.
    /// Those of which several new stacks may be the new name, as they look.
    std::map<std::string, std::vector<const StackFacts*>> unclear;
  };
  /// Which new stack each stack that leaves has become.
  Renames find_renames(const diff::LiveIndex& index, const Work& work);
  /// A renamed directory is one operation: the old name goes first, and waits for a person where
  /// data would stay behind (traps 12, 36).
  void pair_renames(const repository::DesiredState& desired,
                    const diff::LiveIndex& index,
                    Work& work);
  /// Stacks that exchange ports wait for each other for ever, for the engine refuses a port in use:
  /// one of them gives its own up before (port_exchange.cpp).
  void exchange_ports(const diff::LiveIndex& index, Work& work);
  /// Who is being changed, which the next group waits for.
  struct Barrier {
    std::map<std::string, std::size_t> index;  ///< Of each stack in Work.
    std::map<std::string, std::string> busy;   ///< Group → a stack of it that is being changed.
    std::string anybody;                       ///< "" where nobody is.
  };
  Barrier barrier_of(const Work& work);
  /// What a stack has to wait for, by `depends_on` and groups; healing waits for nobody.
  std::optional<Decision> waits_in_order(const repository::DesiredState& desired,
                                         const StackFacts& facts,
                                         const Work& work,
                                         const Barrier& barrier);
  void order(const repository::DesiredState& desired, Work& work);
  Result<void> carry_out(const repository::DesiredState& desired,
                         const swarm::LiveState& live,
                         State& state,
                         Work& work,
                         Turn& turn,
                         std::stop_token stop);
  /// Only where something is to be removed: asks whether the engine is a manager still, and lists
  /// again. Returns the stacks that would remove something and are not what `live` shows any more.
  Result<std::set<std::string>> changed_meanwhile(const Work& work,
                                                  const swarm::LiveState& live,
                                                  std::stop_token stop);
  /// Whether the files that a stack mounts are where the nodes look for them. `needed`: without
  /// them the stack is not changed, and what failed is what became of it.
  bool check_out(const StackFacts& facts, bool needed);
  void apply_stack(StackFacts& facts,
                   const swarm::LiveState& live,
                   Turn& turn,
                   std::stop_token stop);
  void follow_operation(const StackFacts& facts, const Decision& decision);
  /// Before something is carried out: an operation that leads elsewhere ends, and one that is about
  /// what is wanted now takes its place, for what comes of it.
  void overtake(const StackFacts& facts);
  void finish_operation(const StackFacts& facts,
                        bool success,
                        const std::string& phase,
                        const std::string& message);
  void fail(StackMemory& memory, const Error& error);
  /// The next attempt waits, longer after each failure.
  void back_off(StackMemory& memory);
  /// What people asked for meanwhile goes into the state. Returns whether it was written: then the
  /// swarm must be looked at again.
  Result<bool> take_requests(const repository::DesiredState& desired,
                             const swarm::LiveState& live,
                             State& state,
                             std::stop_token stop);
  // Hooks (run_hooks.cpp).
  /// With its deadline, which is counted by a clock that nobody sets.
  HookRun look_at_run(const StackFacts& facts,
                      const repository::Hook& hook,
                      const std::vector<swarm::Task>& tasks);
  void look_at_hooks(StackFacts& facts, const std::vector<swarm::Task>& tasks);
  /// A hook that failed ends the operation, and is not run again by itself.
  void follow_hook(StackFacts& facts, Decision& decision, std::stop_token stop);
  [[nodiscard]] std::string trouble_of_hook(const StackFacts& facts, std::stop_token stop);
  /// A job that has ended holds its networks all the same: it goes before they are replaced.
  void free_networks(const StackFacts& facts, Turn& turn, std::stop_token stop);
  /// Starts or removes what is to be. True where the rest of the plan has to wait for it.
  bool step_hooks(StackFacts& facts,
                  const swarm::LiveState& live,
                  Turn& turn,
                  std::stop_token stop);
  void note_failure(const StackFacts& facts, const std::string& reason);
  // Reports of what is done (reporting.cpp).
  void mask(std::string& text) const {
    if (options_.mask) options_.mask(text);
  }
  void begin_operation(const StackFacts& facts, const std::string& trigger = "git");
  /// It leads to where nobody wants to go any more.
  void cancel_operation(const std::string& full_name, StackMemory& memory, const std::string& why);
  void describe_operation(const StackMemory& memory, ports::SyncReport& report) const;
  void explain_status(const StackFacts& facts,
                      const Decision& decision,
                      ports::StackStatus& status) const;
  void report_failures(const StackFacts& facts,
                       const swarm::LiveStack& live,
                       const std::vector<swarm::Task>& tasks);
  void report_inventory(const repository::DesiredState& desired,
                        const swarm::LiveState& live,
                        const State& state,
                        const Work& work,
                        Turn& turn);
  /// `why`: where it is not that nothing of it is left.
  void forget_stack(const std::string& name, const std::string& full_name, const std::string& why);
  // A person's way back (rollback.cpp).
  void take_rollbacks(const std::map<std::string, Rollback>& asked,
                      const repository::DesiredState& desired,
                      State& next);
  void note_way_back(const StackFacts& facts, State& next) const;
  /// Its rollout is on trial, and where swarm paused it the content is not to blame, or is tried
  /// on.
  bool is_excused(const StackFacts& facts, const diff::LiveIndex& index);
  /// At its deadline: whether a node went or came during the operation, or one that went is missing
  /// still, so that it gets more time. Not for ever.
  bool waits_for_nodes(const StackFacts& facts);
  /// A node went or came while this was being rolled out: the content is not to blame that swarm
  /// rolled it back.
  bool is_excused_rollback(const StackFacts& facts, const swarm::UpdateStatus& update);
  /// An engine that stops takes its tasks with it, which swarm counts against what is being rolled
  /// out. A node's version says little: it changes with each network that its tasks use.
  void watch_nodes(const swarm::LiveState& live);
  /// Whether its image does not come, and it was not sent yet with the credentials that there are
  /// now.
  bool has_new_credentials(const StackMemory& memory,
                           const swarm::ServiceSpec& service,
                           std::stop_token stop);
  /// What swarm paused, where it is excused or a person asks, and what new credentials may help.
  void send_stuck_again(StackFacts& facts, const diff::LiveIndex& index, std::stop_token stop);
  void note_credentials(const StackFacts& facts, const diff::Action& done, std::stop_token stop);
  /// Two agents of one name and two repositories would take each other's stacks for gone from git.
  void watch_for_another_writer(const State& read);

  ReconcilerOptions options_;
  PolicedEngine policed_;
  ports::Engine& engine_;  ///< The policed one where there is a policy.
  ports::Observer& observer_;
  const Clock& clock_;
  spdlog::logger& log_;
  StateStore store_;
  Planner planner_;
  StuckNetworks stuck_networks_;
  std::minstd_rand random_;
  std::map<std::string, StackMemory> memory_;
  SteadyTime last_observed_{};
  std::uint64_t turns_ = 0;
  bool blind_ = false;                                ///< The swarm could not be read since.
  std::optional<SteadyTime> sees_again_;              ///< When that last ended.
  std::map<swarm::ObjectId, swarm::LiveNode> nodes_;  ///< As they were last seen.
  std::string nodes_moved_;          ///< When a node last went or came, by the engine's clock.
  const std::string began_;          ///< When this was made, RFC 3339.
  std::optional<State> last_state_;  ///< As this agent read or wrote it last.
  std::deque<SteadyTime> foreign_writes_;  ///< When somebody else was seen to have changed it.
  bool contested_ = false;                 ///< Somebody does so again and again.
  ports::Revision revision_;               ///< Of git, in the present turn.
  std::mutex requests_mutex_;              ///< Guards requests_ and shown_.
  struct Requests {
    /// By stack: for which content; "" for whatever is there.
    std::map<std::string, std::string> approvals, durable_approvals;
    std::set<std::string> syncs;
    std::map<std::string, std::optional<Suspension>> suspensions;  ///< Nothing: resume.
    std::map<std::string, Rollback> rollbacks;
    std::map<std::string, std::string> actors;  ///< Of approvals and syncs.
  } requests_;
  std::map<std::string, std::string> shown_;  ///< Content of each stack in the last turn.
  struct ClusterTrouble {
    std::uint64_t failures = 0;
    SteadyTime retry_at{};
    std::string message;
  };
  std::map<std::string, ClusterTrouble> cluster_troubles_;  ///< By what could not be made.
  struct OlderRevision {
    std::string commit;
    std::shared_ptr<const repository::DesiredStack> stack;  ///< nullptr where it is not to be had.
    std::string error;
  };
  /// Read once and kept.
  const OlderRevision& older_revision(const std::string& stack, const std::string& commit);
  std::map<std::string, OlderRevision> older_revisions_;  ///< By stack name.
};

}  // namespace skep::reconciler
