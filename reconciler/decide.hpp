#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "diff/plan.hpp"
#include "reconciler/contention.hpp"
#include "reconciler/observation/hook_runs.hpp"
#include "reconciler/ports/observer.hpp"
#include "reconciler/state.hpp"
#include "repository/desired_state.hpp"
#include "swarm/live_state.hpp"

namespace skep::reconciler {

/// A deployment that is going on: from its first write until the stack is healthy, or will not be.
struct Operation {
  std::string trigger;  ///< git, drift, manual, retry (metrics.md).
  SteadyTime started{};
  SteadyTime
      progressed{};  ///< When something last moved towards the end; the deadline counts from here.
  /// Of each service: running tasks, and those that its update has made, when there were most.
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> furthest = {};
  std::vector<diff::ObjectKind> kinds = {};  ///< Of what differed when it began.
  // For the report of it.
  WallTime began{};
  std::optional<WallTime> last_write = {};   ///< When the swarm last accepted something of it.
  std::optional<WallTime> drift_since = {};  ///< When the difference was first seen.
  std::size_t prolonged = 0;                 ///< Times that its deadline began anew for a node …
  std::string nodes_moved = {};              ///< … that had moved then, by the engine's clock.
  std::string content = {};                  ///< What it leads to.
  std::string actor = {};                    ///< Who asked for it; "" for nobody.
  std::string revision_from = {}, revision_to = {}, plan_digest = {};
  std::vector<ports::ObjectReport> objects = {};
};

/// What the agent remembers of a stack between two turns; nothing here has to survive a restart.
struct StackMemory {
  std::optional<Operation> operation;
  /// Services whose update was accepted but whose rollout the engine may not show yet, and since
  /// when.
  std::map<std::string, SteadyTime> awaited;
  /// Since when all that should run does. After a write or a failure it is believed when it has
  /// lasted a while.
  std::optional<SteadyTime> up_since;
  std::set<std::string> sent_back;  ///< Services that a person rolled back.
  /// Services that were not as they should be, and when last: one that ends again and again is up
  /// whenever one looks, now and then.
  std::map<std::string, SteadyTime> restless;
  /// Since when it is on its way to health; there may be no operation: after a restart, or because
  /// tasks failed.
  std::optional<SteadyTime> progressing_since;
  std::string overdue_content;  ///< Content whose rollout ran past its deadline: reported, and not
                                ///< waited for again.
  std::string content;          ///< Of git, when last looked at: a new one starts afresh.
  std::string begun;           ///< Content that git or a person wanted, until all of it is written:
                               ///< what still differs then is nobody's edit.
  std::string secrets;         ///< DesiredStack::secrets, when last looked at.
  std::string deadlines;       ///< DesiredStack::deadlines, then.
  bool secrets_moved = false;  ///< They changed in git, which is not carried out yet.
  std::string told_rollback;   ///< Content whose rollback by swarm was told of.
  /// When updates of this content began that swarm paused because a node came or went.
  std::set<std::string> excused_updates;
  /// When a node last went or came before `operation` began, by the engine's clock.
  std::string nodes_moved;
  /// Jobs that completed, as they were then.
  std::map<std::string, swarm::ServiceSpec> jobs_done;
  std::set<std::string> unpullable;  ///< Services none of whose nodes gets the image.
  /// By service: the mark of the credentials that went along when it was last written.
  std::map<std::string, std::string> sent_with;
  Contention contention;
  /// A rollout that failed, until it is written down: its content, and why.
  std::string failed_content, failure;
  std::string error;            ///< Of the last attempt; "" after a good one.
  std::uint64_t failures = 0;   ///< In a row.
  std::uint64_t conflicts = 0;  ///< In a row; one that does not pass is a failure.
  SteadyTime retry_at{};
  std::string judged;            ///< Content whose breaches of the policy were reported.
  std::string checked_out;       ///< Content whose files are in the checkout.
  std::string checkout_failure;  ///< Was told already.
  /// By service: tasks whose failure was reported, of those that the swarm still kept then.
  std::map<swarm::ObjectId, std::set<swarm::ObjectId>> failed_tasks;
  std::string failed_hook;  ///< Id of the job whose failure was reported.
  /// By job of a hook: when it has to have ended, by a clock that nobody sets.
  std::map<swarm::ObjectId, SteadyTime> hooks_end;
  bool approved = false;                    ///< A person let through what is held.
  bool requested = false;                   ///< A person asked for it now.
  std::string approved_for, requested_for;  ///< The content that it was said of.
  std::string actor;                        ///< Who let it through or asked for it.
  std::string waits;  ///< Of the last turn that wrote, or would have: "shop_app waits: …".
  std::string replaced_revision;  ///< The commit that the present content took the place of.
  bool seen = false;              ///< It was looked at in an earlier turn of this process.
  std::string was_named;          ///< The stack that goes because this is its new name.
  std::optional<bool> in_git;     ///< Whether git has it …
  std::uint64_t moved_at = 0;     ///< … and since which turn of this process.
  /// When a stack that left git may go, by a clock that nobody sets.
  std::optional<SteadyTime> leaves_at;
  std::optional<ports::DriftCause> drift_cause;
  std::string held_content;  ///< That git has and the swarm not yet …
  WallTime held_since{};     ///< … since.
  std::optional<WallTime> drift_since, last_success, last_failure;
  std::chrono::milliseconds last_duration{};
};

/// What the swarm holds of a stack's hooks, and what is next.
struct HookFacts {
  std::vector<swarm::LiveService> services;            ///< Their jobs, of whatever content.
  const repository::Hook* due = nullptr;               ///< To be run now; nullptr: none.
  HookRun run;                                         ///< Of `due`; points into `services`.
  bool pre_completed = false, post_completed = false;  ///< To be written down for this content.
  std::string post_failure;
  swarm::ObjectId given_up;  ///< A job to be removed at its deadline, once that is written down.
  bool runs_again = false;   ///< `given_up` had completed, and swarm started it once more.
};

/// All that is known of one stack in one turn.
struct StackFacts {
  std::string name;
  const repository::DesiredStack* desired = nullptr;  ///< nullptr: the stack left git.
  bool live_there = false;                            ///< Something of it runs.
  std::string foreign_instance;  ///< The other agent whose label its objects carry; "" for none.
  const StackRecord* record = nullptr;  ///< nullptr: not ours.
  bool damaged = false;                 ///< There is a record, which cannot be read.
  diff::Plan plan;
  bool waiting_for_registry = false;
  std::vector<std::string> old_answers;  ///< Planner::Planned::old_answers
  bool tag_moved = false;                ///< What differs may be what a followed tag names now.
  bool secrets_moved = false;            ///< What differs is values of secrets that git changed.
  bool begun = false;  ///< What differs is the rest of a deployment that was begun.
  ports::Health health = ports::Health::unknown;
  /// A service stands on its previous spec, or is on its way back to it, …
  bool rolled_back = false;            ///< … by swarm itself, because its update failed;
  bool rolled_back_by_person = false;  ///< … by `docker service rollback` (trap 34).
  bool rolling_back = false;           ///< That is still going on.
  std::string rollback_message;        ///< The engine's words on it.
  const Suspension* suspension = nullptr;
  HookFacts hooks;
  std::optional<repository::Closed> closed;  ///< Nothing that git changed is carried out now.
  std::vector<std::string> contended;        ///< "web: /Mode/Replicated/Replicas".
  std::optional<WallTime> contended_until;   ///< The first of them is corrected again then.
  /// What would put the services right whose fields are contended: differs, and is not done.
  std::vector<diff::Action> left_alone;
  [[nodiscard]] bool differs() const { return !plan.empty() || !left_alone.empty(); }
  /// The last healthy revision, where the plan is about returning to it.
  std::shared_ptr<const repository::DesiredStack> rollback;
  std::string no_rollback;  ///< Why that revision is not to be had.
  /// What was carried out last, where a window keeps what git wants since and the plan is about
  /// putting right what somebody edited meanwhile.
  std::shared_ptr<const repository::DesiredStack> kept;
  /// A task that is not started again, or an update that swarm paused; its service is as planned.
  bool failed_for_good = false;
  /// What git wants was tried, failed, and is not tried again by itself.
  [[nodiscard]] bool quarantined() const {
    if (record == nullptr || desired == nullptr || record->quarantined.empty()) return false;
    const auto& deadlines = record->quarantine_deadlines;
    return record->quarantined == desired->content && !secrets_moved &&
           (deadlines.empty() || deadlines == desired->deadlines);
  }
  /// The commit that a quarantined stack goes back to; "" for none.
  [[nodiscard]] const std::string& way_back() const {
    return record->rollback_to.empty() ? record->healthy : record->rollback_to;
  }
  /// What the plan leads to.
  [[nodiscard]] const repository::DesiredStack* target() const {
    return rollback ? rollback.get() : kept ? kept.get() : desired;
  }
  std::vector<ports::ServiceStatus> services;
  /// The longest that swarm lets pass between two tasks of an update of theirs.
  std::chrono::milliseconds pause{};
  /// So long nothing may move before a rollout has failed.
  [[nodiscard]] std::chrono::milliseconds patience() const {
    return desired == nullptr ? pause : desired->source.settings.policy.timeout + pause;
  }

  /// Points `record` and `suspension` into `state`, which outlives their use: to be called again
  /// when another state takes its place.
  void look_up(const State& state);
};

enum class Verdict {
  nothing,    ///< In sync.
  apply,      ///< Carry out the plan now.
  adopt,      ///< Runs already exactly as git says: only write down that it is ours.
  forget,     ///< Left git and nothing of it is left: strike it from the records.
  wait,       ///< Goes on by itself: for a registry, another stack, a retry.
  held,       ///< Waits for a person.
  reported,   ///< Differs, and that is how it is to be: observe, manual, self_heal.
  suspended,  ///< In sync, and left alone all the same.
  broken,     ///< git must change.
  blocked,    ///< The swarm must change: a missing network, a taken port.
};

[[nodiscard]] std::string_view to_string(Verdict verdict);

struct Decision {
  Verdict verdict = Verdict::nothing;
  std::string message;
  std::string waits_for = {};  ///< Name of the other stack; "" for none.
};

/// What to do about one stack, by design §5: pure, so that each rule is a row of a table. Order
/// between stacks is not decided here.
[[nodiscard]] Decision decide(const StackFacts& facts, const StackMemory& memory, SteadyTime now);

/// Services of the plan whose `depends_on` is not fulfilled yet by what is live, or whose network
/// is only leaving, and what is lacking, as ApplyOptions::postponed. With `overdue` new
/// ones are created all the same, and only updates stay held (design §5). `awaited` are services
/// whose update the engine accepted but may not show yet; `completed` those that have done what
/// they were for (has_done_its_work).
[[nodiscard]] std::map<std::string, std::string> postponed_services(
    const diff::Plan& plan,
    const swarm::LiveState& live,
    bool overdue,
    const std::map<std::string, SteadyTime>& awaited,
    const std::set<std::string>& completed);

/// Why desired and live differ.
[[nodiscard]] ports::DriftCause cause_of(const StackFacts& facts);

}  // namespace skep::reconciler
