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
  std::string update_state;  ///< "" where none.
  std::string mode;          ///< replicated, global, replicated-job, global-job.
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
  /// The swarm cannot be believed: the status that follows is unknown throughout.
  virtual void unreadable(const std::string& /*why*/) {}
  /// The whole picture after a pass: every stack that git or the inventory knows; series of others
  /// go.
  virtual void status(const std::vector<StackStatus>& /*stacks*/) {}
};

}  // namespace skep::ports
