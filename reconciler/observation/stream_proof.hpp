#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "swarm/live_state.hpp"

namespace skep::reconciler {

/// Tells two listings of the swarm apart by the ids and versions of all objects.
[[nodiscard]] std::uint64_t fingerprint_of(const swarm::LiveState& live);

/// Changes when some service runs more or fewer tasks than before, of which no event tells.
[[nodiscard]] std::uint64_t task_counts(const swarm::LiveState& live);

/// Whether the event stream still tells what happens. A stream can stay open and say nothing (a
/// demoted manager's, traps 27 and 37); then a later listing shows what no event announced.
/// announced() may be called from any thread, the rest from one.
class StreamProof {
 public:
  /// An event came, or the stream was opened anew.
  void announced() noexcept { ++announcements_; }
  /// To be read before a listing, for listed().
  [[nodiscard]] std::uint64_t announcements() const noexcept { return announcements_; }
  /// What was seen, and how much was announced before looking.
  void listed(std::uint64_t announced_before, std::uint64_t fingerprint) noexcept;
  /// A listing made now differs from the last one, though nothing was announced since.
  [[nodiscard]] bool contradicted_by(std::uint64_t fingerprint) const noexcept;

 private:
  struct Listing {
    std::uint64_t announced = 0, fingerprint = 0;
  };
  std::atomic<std::uint64_t> announcements_{0};
  std::optional<Listing> last_;
};

}  // namespace skep::reconciler
