#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "reconciler/ports/history.hpp"

namespace skep::history {

enum class Trouble;

/// How much is kept, whichever ends first.
struct Limits {
  std::size_t operations = 10'000;
  std::size_t events = 100'000;
  std::chrono::milliseconds age = std::chrono::hours(24 * 90);
  std::size_t bytes = 64U << 20U;  ///< Of the file.
};

/// The records in one SQLite file: tables, their versions and the statements on them. Not for
/// several threads at once.
class Store {
 public:
  /// The version of the tables that this program writes.
  static constexpr int kVersion = 1;

  /// Opens or makes the file, checks it, and brings older tables up to date. On failure `trouble`
  /// says what kind it is; a file of a newer version counts as damaged, for nothing can be written
  /// to it.
  static Result<std::unique_ptr<Store>> open(const std::filesystem::path& path,
                                             const Limits& limits,
                                             Trouble& trouble);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  Result<void> begin();
  Result<void> commit();
  void roll_back();

  /// Returns whether it is a record of its own: a retry that failed as the one before did only
  /// counts.
  Result<bool> add(const ports::SyncReport& report, WallTime ended);
  /// With `unless_known` only where the state that it tells of is not the last one that was kept,
  /// which then becomes its `before`; where none was kept, not if it equals `before`.
  Result<void> add(const ports::EventRecord& event, bool unless_known);
  /// The stack has gone: its states do not count any more.
  Result<void> forget(const std::string& stack);
  /// Removes what is over the limits; with `hard` a tenth of what is there in any case.
  Result<void> prune(WallTime now, bool hard);

  /// After "full": whether the file is as large as it may get, which is not the same as a full
  /// disk.
  [[nodiscard]] bool at_own_limit() const;
  /// Of the last call that failed.
  [[nodiscard]] Trouble trouble() const;
  /// Whether the file that was opened still is what stands at its path.
  [[nodiscard]] bool in_place() const;

 private:
  struct State;
  explicit Store(std::unique_ptr<State> state);
  Result<void> prepare_tables();
  std::unique_ptr<State> state_;
};

/// Reads on a connection of its own, so beside whoever writes. A file that is not there holds
/// nothing. Errors: unavailable.
[[nodiscard]] Result<std::vector<ports::OperationRecord>> read_operations(
    const std::filesystem::path& path, const ports::HistoryQuery& query);
[[nodiscard]] Result<std::vector<ports::EventRecord>> read_events(const std::filesystem::path& path,
                                                                  const ports::HistoryQuery& query);

}  // namespace skep::history
