#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "notify/message.hpp"

namespace skep::notify {

/// What was last told of one stack.
struct Told {
  std::string stack, reason, revision;
};

/// A message on its way to one target.
struct Delivery {
  std::string id;  ///< The same at each attempt, also after a restart.
  std::string target;
  std::string body;  ///< The JSON of message.hpp.
  unsigned attempts = 0;
  WallTime created{};
};

struct OutboxLimits {
  std::size_t per_target = 1'000;      ///< Deliveries that wait; the oldest goes first.
  std::chrono::seconds age{86'400};    ///< What could not be delivered for so long is given up.
  std::chrono::seconds first_wait{5};  ///< After a failure; twice as long after each further one,
  std::chrono::seconds longest_wait{600};     ///< up to this.
  std::chrono::seconds longest_asked{3'600};  ///< That the other side may ask for instead.
};

/// Messages that are to be delivered, and what was told of which stack, in an SQLite file of its
/// own. A message and the mark that it was told are written in one transaction, so that an agent
/// killed anywhere neither forgets one nor begins again. Not for several threads.
class Outbox {
 public:
  /// Makes the file where it is missing; one that is damaged is set aside. Errors: unavailable.
  static Result<Outbox> open(const std::filesystem::path& file, OutboxLimits limits = {});
  Outbox(Outbox&&) noexcept;
  Outbox& operator=(Outbox&&) noexcept;
  ~Outbox();

  /// Each message to each of its targets; `told` replaces what was told of these stacks. Returns
  /// how many older deliveries had to go. Errors: unavailable; then nothing of it was written.
  struct Entry {
    Message message;
    std::vector<std::string> targets;
    std::vector<Told> said = {};  ///< What said_lately() is to know of it.
  };
  Result<std::size_t> put(const std::vector<Entry>& entries,
                          const std::vector<Told>& told,
                          WallTime now);
  [[nodiscard]] Result<std::vector<Told>> told() const;
  Result<void> forget(const std::vector<std::string>& stacks);

  /// Whether just this was said within the last hour; what lies further ahead than that was said
  /// before the clock was set back. The reason of a recovery names what it ended.
  [[nodiscard]] Result<bool> said_lately(const Told& what, WallTime now) const;

  /// The oldest delivery of each target whose time has come; also one whose time lies further ahead
  /// than any pause lasts, for then the clock was set back.
  [[nodiscard]] Result<std::vector<Delivery>> due(WallTime now) const;
  Result<void> delivered(const std::string& id);
  /// Comes again later, not before `at_least`. False where it was given up for its age.
  Result<bool> failed(const Delivery& delivery, std::chrono::seconds at_least, WallTime now);
  /// Deliveries to targets that are configured no more go.
  Result<void> keep_targets(const std::vector<std::string>& targets);
  /// As of Database.
  [[nodiscard]] const std::string& set_aside() const;
  [[nodiscard]] std::size_t depth() const;

 private:
  struct State;
  explicit Outbox(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace skep::notify
