#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "reconciler/ports/observer.hpp"

namespace skep::ports {

/// A deployment, correction, removal or rollback that has ended.
struct OperationRecord {
  std::int64_t id = 0;  ///< Grows with time, also over the loss of the records.
  SyncReport report;
  std::uint64_t attempts = 1;  ///< Of retries that failed one after another in the same words.
  WallTime last_ended{};       ///< Of the last of them.
};

/// Something changed: a state, or what a person asked for.
struct EventRecord {
  std::int64_t id = 0;  ///< As OperationRecord::id.
  WallTime at{};
  std::string stack;  ///< "group/name"; "" for the whole agent.
  std::string kind;   ///< sync, health, drift, held, suspended, quarantined, operation, asked,
                      ///< adopted, removed, git, revision, swarm.
  std::string before, value;  ///< "synced", "true" …; "" where the kind has none.
  std::string message;        ///< The sentence that a person needs; "" for none.
  std::string actor;          ///< "" for nobody.
};

struct HistoryQuery {
  std::string stack = {};  ///< "group/name", or the name alone; "" for all.
  std::optional<WallTime> since = {};
  std::int64_t after = 0;  ///< Only what has a greater id.
  std::size_t limit = 20;
};

/// What was. Safe from several threads. Errors: unavailable, with why nothing can be read.
class History {
 public:
  virtual ~History() = default;
  /// Newest first.
  [[nodiscard]] virtual Result<std::vector<OperationRecord>> operations(
      const HistoryQuery& query) const = 0;
  /// Oldest first: the newest `limit` of them, or with `after` the oldest.
  [[nodiscard]] virtual Result<std::vector<EventRecord>> events(
      const HistoryQuery& query) const = 0;
  /// Why nothing is kept at present; "" while all is well.
  [[nodiscard]] virtual std::string trouble() const = 0;
};

}  // namespace skep::ports
