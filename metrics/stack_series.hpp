#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "metrics/exposition.hpp"
#include "reconciler/ports/observer.hpp"

namespace skep::metrics {

// The closed sets of label values, of docs/metrics.md.
inline constexpr std::array<std::string_view, 4> kKinds = {
    "network", "secret", "config", "service"};
inline constexpr std::array<std::string_view, 3> kDriftChanges = {"missing", "modified", "extra"};
inline constexpr std::array<std::string_view, 2> kCauses = {"pending", "live"};
inline constexpr std::array<std::string_view, 6> kTriggers = {
    "git", "drift", "manual", "rollback", "retry", "other"};
inline constexpr std::array<std::string_view, 3> kResults = {"success", "cancelled", "failure"};
/// In which the sync of a stack can fail.
inline constexpr std::array<std::string_view, 6> kPhases = {
    "render", "validate", "apply", "hook", "health", "other"};
inline constexpr std::array<std::string_view, 3> kInitiators = {"swarm", "agent", "user"};
inline constexpr std::array<std::string_view, 6> kFailureReasons = {
    "nonzero_exit", "rejected", "unhealthy", "image", "node_down", "other"};
inline constexpr std::array<std::string_view, 7> kUpdateStates = {"none",
                                                                  "updating",
                                                                  "paused",
                                                                  "completed",
                                                                  "rollback_started",
                                                                  "rollback_paused",
                                                                  "rollback_completed"};

/// Where a word stands in its set; the last place ("other", of results "failure") where it is not
/// in there: a new word elsewhere must not become a new label value by itself.
template <std::size_t N>
[[nodiscard]] constexpr std::size_t index_in(const std::array<std::string_view, N>& set,
                                             std::string_view word) {
  for (std::size_t i = 0; i < N; ++i) {
    if (set[i] == word) return i;
  }
  return N - 1;
}

struct ServiceSample {
  std::string name;
  std::uint64_t running = 0, desired = 0, completed = 0;
  std::size_t update_state = 0;      ///< In kUpdateStates.
  bool sent_back_by_person = false;  ///< Where that is one of a rollback.
};

/// The part of a StackStatus that becomes series, without its plan and specs.
struct StackSample {
  std::string id;  ///< "group/name".
  std::string group, path, mode;
  ports::SyncState sync = ports::SyncState::unknown;
  ports::Health health = ports::Health::unknown;
  bool suspended = false, held = false, quarantined = false;
  bool refused = false;                  ///< What git says of it cannot be carried out at all.
  double operation_began = 0;            ///< 0 for none that goes on.
  std::array<std::string, 3> revisions;  ///< Target, applied, healthy: 12 digits; "" for none.
  std::optional<ports::DriftCause> cause;
  double drift_since = 0;
  /// By kind and change.
  std::array<std::array<std::uint64_t, kDriftChanges.size()>, kKinds.size()> drifted{};
  std::array<std::uint64_t, kKinds.size()> declared{};
  double last_success = 0, last_failure = 0, last_duration = 0;  ///< Seconds; 0 for never.
  std::uint64_t consecutive_failures = 0, pending_deletions = 0;
  std::vector<ServiceSample> services;
};

[[nodiscard]] StackSample sample_of(const ports::StackStatus& status);

/// What happened to one stack since the agent started. Plain arrays: at 1,000 stacks a counter
/// object per series would cost more memory than all that is known of the stacks.
struct StackCounters {
  std::array<std::array<std::uint64_t, kResults.size()>, kTriggers.size()> syncs{};
  std::array<std::uint64_t, kPhases.size()> failures{};
  std::array<std::uint64_t, kKinds.size()> drift_detected{};
  std::array<std::uint64_t, 2> drift_corrected{};  ///< Success, failure.
  bool live_drift_open = false;  ///< Counted already; the next live drift is the same one.
  std::array<std::uint64_t, kInitiators.size()> rollbacks{};
  std::map<std::string, std::uint64_t, std::less<>> forbidden;  ///< By rule of the policy.
  std::map<std::pair<std::string, std::size_t>, std::uint64_t>
      task_failures;  ///< By service, and place in kFailureReasons.
  /// Services that were last seen on their way back, or there.
  std::set<std::string> rolled_back;
  bool known = false;       ///< It was in a status before.
  double refused_at = 0;    ///< When git last broke it; 0 for never.
  WallTime suspended_at{};  ///< When it was last seen suspended.
};

using CountersByStack = std::map<std::string, StackCounters, std::less<>>;

/// `now`: Unix time.
void write_stack_gauges(Exposition& out,
                        const std::vector<StackSample>& stacks,
                        const CountersByStack& counters,
                        std::string_view repository,
                        double now);
void write_service_gauges(Exposition& out, const std::vector<StackSample>& stacks);
void write_stack_counters(Exposition& out, const CountersByStack& counters);
void write_task_failures(Exposition& out, const CountersByStack& counters);

}  // namespace skep::metrics
