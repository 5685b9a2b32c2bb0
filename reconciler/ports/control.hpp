#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "reconciler/ports/explanation.hpp"
#include "reconciler/ports/observer.hpp"

namespace skep::ports {

struct AgentStatus {
  std::string version, instance, source, revision, revision_subject, revision_author;
  std::string standby_for;  ///< The agent that is active instead of this one; "" where this is.
  bool docker_up = false;
  std::string docker_error;
  /// When the swarm was last read, and how long ago that is at the moment of this answer: all that
  /// is said of stacks is of that moment. Nothing: never yet.
  std::optional<WallTime> observed_at;
  std::optional<std::chrono::milliseconds> observed_age;
  std::optional<WallTime> last_fetch;  ///< Of the last good one.
  std::string
      fetch_error;  ///< "" while fetching works; else the error, and `last_fetch` tells since when.
  std::vector<StackStatus> stacks;             ///< In the order of groups.
  std::vector<std::string> repository_errors;  ///< Findings that belong to no single stack.
  /// What else is not well with the cluster and freezes nothing: a shared network that differs, a
  /// node that is not there, a cluster secret that cannot be read.
  std::vector<std::string> notes;

  /// Where another agent is active, what this one answers to whoever asks of stacks: conflict.
  [[nodiscard]] std::optional<Error> stands_by() const {
    if (standby_for.empty()) return std::nullopt;
    return Error{
        ErrorKind::conflict,
        "this agent stands by and knows of no stack; active is " + standby_for + ": ask there"};
  }
};

struct SuspendRequest {
  std::string reason;
  std::optional<std::chrono::milliseconds> duration;  ///< Nothing: until it is resumed.
};

/// What the agent can be asked; CLI socket and HTTP API use the same. Safe from several threads;
/// never waits for a pass. One that stands by refuses what it knows nothing of: conflict
/// (AgentStatus::stands_by).
class Control {
 public:
  virtual ~Control() = default;
  [[nodiscard]] virtual AgentStatus status() const = 0;
  /// True once a first pass has ended, and while the swarm can be read.
  [[nodiscard]] virtual bool ready() const = 0;
  /// False when the loop has not turned for too long.
  [[nodiscard]] virtual bool alive() const = 0;
  /// Lets what a stack holds back be carried out: adoption with changes, removal. Errors:
  /// invalid_input (no such stack, nothing held).
  virtual Result<void> approve(const std::string& stack, const std::string& actor) = 0;
  /// Takes the rewritten history that the last fetch refused. Errors: invalid_input (none was).
  virtual Result<void> accept_history(const std::string& /*actor*/) {
    return Error{ErrorKind::invalid_input, "no rewritten history waits for approval"};
  }
  /// Look now: fetch and reconcile; all stacks where `stack` is "". Of a stack that is named this
  /// also ends the quarantine.
  virtual Result<void> sync(const std::string& stack, const std::string& actor) = 0;
  /// Git may have something new: fetch soon. Unlike sync() it is nobody's word: what is suspended,
  /// held, quarantined or outside its window stays so. Equal hints merge; never blocks.
  virtual void hint() {}
  /// A registry says that a tag moved: stacks that follow it (`resolve_image: always`) ask the
  /// registry soon. Nobody's word either, as hint(). Returns whether any stack follows it.
  virtual bool image_hint(std::string_view /*repository*/, std::string_view /*tag*/) {
    return false;
  }
  /// Leaves a stack alone; it is still observed and reported. A second one replaces the first.
  /// Errors: invalid_input (no such stack).
  virtual Result<void> suspend(const std::string& stack,
                               const SuspendRequest& request,
                               const std::string& actor) = 0;
  virtual Result<void> resume(const std::string& stack, const std::string& actor) = 0;
  /// Sends a stack back to `revision` (a commit or the beginning of its id; "" for the last healthy
  /// one before what git has now), and keeps it there until git changes the stack again or somebody
  /// asks for a sync. Errors: invalid_input with what to do instead.
  virtual Result<void> rollback(const std::string& /*stack*/,
                                const std::string& /*revision*/,
                                const std::string& /*actor*/) {
    return Error{ErrorKind::unavailable, "not here"};
  }
  /// Why the stack stands where it stands. May ask the engine for the logs of what fails, for a
  /// few seconds at most. Errors: invalid_input (no such stack).
  [[nodiscard]] virtual Result<Explanation> explain(const std::string& /*stack*/) const {
    return Error{ErrorKind::unavailable, "not here"};
  }
  /// The tasks of a stack, running ones and the past ones that the swarm still knows; asks the
  /// engine, for a few seconds at most. Errors: invalid_input (no such stack), unavailable.
  [[nodiscard]] virtual Result<std::vector<TaskStatus>> tasks(const std::string& /*stack*/) const {
    return Error{ErrorKind::unavailable, "not here"};
  }
  /// From a service to the commit that last changed its file. Errors: invalid_input (no such
  /// service).
  [[nodiscard]] virtual Result<Trace> trace(const std::string& /*service*/) const {
    return Error{ErrorKind::unavailable, "not here"};
  }
};

}  // namespace skep::ports
