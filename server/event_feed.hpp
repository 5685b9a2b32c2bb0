#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "reconciler/ports/history.hpp"
#include "server/message.hpp"

namespace skep::server {

/// The history's events as server-sent events: `id` is the event's id, `data` the event as in
/// /api/v1/events. Whoever comes back with Last-Event-ID misses nothing that is still kept.
class EventFeed {
 public:
  /// `history` outlives the feed and all it opens.
  explicit EventFeed(const ports::History& history) : history_(history) {}

  /// Everything after the event `after`, or without it what comes from now on; of one stack
  /// ("group/name") or of all ("").
  [[nodiscard]] std::shared_ptr<PieceSource> open(std::string stack,
                                                  std::optional<std::int64_t> after);

 private:
  friend class EventPieces;
  /// Id of the newest event. All streams together ask for it no more often than every 100 ms.
  std::optional<std::int64_t> newest();

  const ports::History& history_;
  std::chrono::steady_clock::time_point asked_{};  ///< Of the thread that asks all streams.
  std::optional<std::int64_t> newest_;
};

}  // namespace skep::server
