#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "diff/plan.hpp"

namespace skep::ports {

struct EngineInfo;

enum class SyncState { synced, out_of_sync, unknown };
enum class Health { healthy, progressing, degraded, missing, unknown };

[[nodiscard]] constexpr std::string_view to_string(SyncState state) {
  return state == SyncState::synced        ? "synced"
         : state == SyncState::out_of_sync ? "out_of_sync"
                                           : "unknown";
}
[[nodiscard]] constexpr std::string_view to_string(Health health) {
  switch (health) {
    case Health::healthy:
      return "healthy";
    case Health::progressing:
      return "progressing";
    case Health::degraded:
      return "degraded";
    case Health::missing:
      return "missing";
    case Health::unknown:
      break;
  }
  return "unknown";
}

/// Why live and desired differ: git moved, or somebody edited the swarm.
enum class DriftCause { pending, live };

struct ServiceStatus {
  std::string name;  ///< Object name.
  std::string image;
  std::uint64_t running = 0, desired = 0;
  Health health = Health::unknown;
  std::string update_state;           ///< "" where none.
  std::uint64_t updated = 0;          ///< Running tasks that the update going on has made.
  std::string mode;                   ///< replicated, global, replicated-job, global-job.
  std::uint64_t tasks_running = 0;    ///< In that state now, whatever the mode …
  std::uint64_t tasks_completed = 0;  ///< … and those that have done what they were for.
  bool completed = false;  ///< All of them: it did what it was for and is not started again.
  bool sent_back_by_person = false;  ///< `update_state` is of a `docker service rollback`.
  std::string trouble;  ///< The engine's own words on why it is not as it should be; "" for none.
};

/// A person's word that a stack is left alone.
struct SuspensionStatus {
  std::string reason, actor;
  WallTime since{};
  std::optional<WallTime> until;  ///< Nothing: until it is resumed.
};

/// A deployment that is going on.
struct OperationStatus {
  std::string trigger, actor;  ///< As in SyncReport.
  WallTime started{};
  std::optional<WallTime> deadline;  ///< When it is given up unless something moves.
};

/// Everything that is known of one stack after a pass: what status, API and metrics show.
struct StackStatus {
  std::string group, name, path;  ///< "apps", "MY-APP", "apps/MY-APP".
  std::string mode;               ///< auto, manual, observe.
  SyncState sync = SyncState::unknown;
  Health health = Health::unknown;
  std::string message;  ///< The one sentence a person needs: error, what is waited for; "" for
                        ///< nothing to say.
  bool held = false;    ///< Waits for `skep approve` (or another person's act).
  bool suspended = false;
  bool quarantined = false;  ///< The target revision failed, and is not tried again by itself.
  std::string target_revision, applied_revision, healthy_revision;  ///< Commits; "" for none yet.
  std::optional<DriftCause> drift_cause;
  std::optional<WallTime> drift_since;
  std::optional<diff::Plan> plan;  ///< What differs now; nothing where that is unknown.
  std::vector<ServiceStatus> services;
  std::map<diff::ObjectKind, std::uint64_t> declared;  ///< Objects that the stack declares.
  std::optional<WallTime> last_success, last_failure;
  std::chrono::milliseconds last_duration{};
  std::uint64_t consecutive_failures = 0;

  // Why it stands where it stands, for `skep explain`.
  std::string verdict;    ///< What the turn decided: a word of decide.hpp.
  std::string waits_for;  ///< Name of the other stack that it waits for; "" for none.
  std::optional<WallTime> next_retry;
  std::optional<SuspensionStatus> suspension;
  std::string quarantined_revision, quarantine_reason;
  std::string earlier_healthy_revision;  ///< The one before `healthy_revision`.
  std::string rolled_back_to;  ///< The revision that it is, or is being, returned to; "" for none.
  std::optional<OperationStatus> operation;
};

struct FetchReport {
  bool ok = false;
  std::string revision;
  std::chrono::milliseconds duration{};
  std::string error = {};  ///< "" where ok.
  /// Why its commit was refused: rewound, unsigned, unknown_key, bad_signature or expired.
  std::string refused = {};
  /// Why the revision was fetched, and cannot be read as a whole: the last good one stays; "" where
  /// it can. What is wrong with one stack stands in its status.
  std::string unreadable = {};
  std::string author = {}, subject = {};  ///< Of the revision.
  /// There is something to carry out.
  [[nodiscard]] bool usable() const { return ok && unreadable.empty(); }
};

/// The agent came to know a revision that was not the one before.
struct RevisionReport {
  enum class Source { poll, webhook, manual };  ///< What made it look.
  struct Refused {
    std::string stack;  ///< "group/name"
    std::string phase;  ///< render: its own files; validate: it clashes with another stack.
  };
  std::string commit;
  WallTime committed_at{}, seen_at{};
  std::optional<Source> source;          ///< Nothing: the agent began with it.
  std::size_t rendered = 0, reused = 0;  ///< Stacks: made anew, and taken over as they were.
  std::vector<Refused> refused = {};     ///< That this revision broke.
};

/// A task that failed since the last look.
struct TaskFailure {
  std::string stack;    ///< "group/name"
  std::string service;  ///< Its name in the swarm.
  std::string reason;   ///< nonzero_exit, rejected, unhealthy, image, node_down, other.
};

/// What lies in the swarm and serves nobody.
struct Inventory {
  std::map<diff::ObjectKind, std::uint64_t> stale;     ///< Generations that another one replaced.
  std::map<diff::ObjectKind, std::uint64_t> orphaned;  ///< Of stacks that are neither in git nor
                                                       ///< in the records of an agent.
};

/// What became of one object of an operation.
struct ObjectReport {
  diff::ObjectKind kind = diff::ObjectKind::service;
  diff::Verb verb = diff::Verb::update;
  std::string name;
  std::vector<std::string> fields = {};  ///< Names of what changed, "environment LOG_LEVEL"; never
                                         ///< a value.
  std::string error = {};                ///< "" where it was carried out.
};

struct SyncReport {
  std::string stack;         ///< "group/name"
  std::string trigger;       ///< git, drift, manual, rollback, retry.
  std::string result;        ///< success, failure, cancelled, noop.
  std::string failed_phase;  ///< fetch … prune of metrics.md; "" where it did not fail.
  std::chrono::milliseconds duration{};
  std::vector<diff::ObjectKind> kinds = {};  ///< Of the objects that differed when it began.
  WallTime started{};
  std::string revision_from, revision_to;  ///< Commits; equal where git did not move, "" for none.
  std::string author, subject;             ///< Of `revision_to`.
  std::string plan_digest;                 ///< Of the plan that it began with.
  std::string actor;                       ///< Who asked for it; "" for nobody.
  std::string message;                     ///< Why it failed; "" where it did not.
  std::optional<WallTime> last_write;      ///< When the swarm last accepted something of it.
  std::optional<WallTime> drift_since;     ///< When the difference was first seen.
  bool removal = false;                    ///< Of a stack that left git.
  std::vector<ObjectReport> objects;
};

/// Something that is worth telling and shows in no status: what a person asked for, what was
/// adopted.
struct Note {
  std::string stack;  ///< "group/name"; "" for the whole agent.
  std::string kind;   ///< asked, adopted, removed.
  std::string message;
  std::string actor = {};
};

struct WriteReport {
  diff::ObjectKind kind = diff::ObjectKind::service;
  diff::Verb verb = diff::Verb::update;
  bool ok = false;
  bool rotation = false;  ///< A new generation of a config or secret.
};

/// Is told what happened, in order; answers nothing and must not block. Safe from several threads.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void fetched(const FetchReport& /*report*/) {}
  virtual void observed(bool /*ok*/) {}  ///< A reading of the swarm ended.
  virtual void phase(std::string_view /*name*/, std::chrono::nanoseconds /*duration*/) {}
  virtual void wrote(const WriteReport& /*report*/) {}
  virtual void synced(const SyncReport& /*report*/) {}
  virtual void noted(const Note& /*note*/) {}
  virtual void revised(const RevisionReport& /*report*/) {}
  /// The policy forbids something of a stack's new content; `rule` is a key of the policy file.
  virtual void forbidden(const std::string& /*stack*/, std::string_view /*rule*/) {}
  virtual void task_failed(const TaskFailure& /*failure*/) {}
  virtual void inventoried(const Inventory& /*inventory*/) {}
  /// The engine answers; also each time that it was away before.
  virtual void connected(const EngineInfo& /*engine*/) {}
  virtual void events_opened() {}                   ///< The stream of swarm events.
  virtual void heard(std::string_view /*type*/) {}  ///< One of them.
  virtual void leading() {}                         ///< This agent took the lease over.
  /// Another agent is active; this one looks after nothing. `docker_up`: the engine answers.
  virtual void standing_by(bool /*docker_up*/) {}
  /// No revision could be read yet: there is nothing to look after. `docker_up` as above.
  virtual void idle(bool /*docker_up*/) {}
  /// What was decided could not be written into, or read from, the swarm's state object.
  virtual void state_lost() {}
  /// The swarm cannot be believed: the status that follows is unknown throughout.
  virtual void unreadable(const std::string& /*why*/) {}
  /// The whole picture after a pass: every stack that git or the inventory knows; series of others
  /// go.
  virtual void status(const std::vector<StackStatus>& /*stacks*/) {}
};

}  // namespace skep::ports
