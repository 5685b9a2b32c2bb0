#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include <spdlog/logger.h>

#include "core/clock.hpp"
#include "history/status_changes.hpp"
#include "history/store.hpp"
#include "reconciler/ports/history.hpp"
#include "reconciler/ports/observer.hpp"

namespace skep::history {

struct HistoryOptions {
  std::filesystem::path file;
  Limits limits = {};
  std::size_t queue = 10'000;               ///< Records that wait to be written; older ones go.
  std::chrono::milliseconds retry{10'000};  ///< Between two attempts while nothing can be written.
};

/// Writes down what happened, in an SQLite file (design §5). Whatever is wrong with that file costs
/// records and nothing else: observing never waits for the disk, a damaged file is set aside under
/// a name that tells when, one that was removed is made again, and while nothing can be written the
/// newest records wait in memory.
class SqliteHistory final : public ports::Observer, public ports::History {
 public:
  /// Does not touch the file: a thread of its own does. `clock` and `log` outlive this.
  SqliteHistory(HistoryOptions options, const Clock& clock, spdlog::logger& log);
  /// Writes what is left, if that can be done now.
  ~SqliteHistory() override;
  SqliteHistory(const SqliteHistory&) = delete;
  SqliteHistory& operator=(const SqliteHistory&) = delete;

  void fetched(const ports::FetchReport& report) override;
  void observed(bool ok) override;
  void synced(const ports::SyncReport& report) override;
  void noted(const ports::Note& note) override;
  void unreadable(const std::string& why) override;
  void status(const std::vector<ports::StackStatus>& stacks) override;

  [[nodiscard]] Result<std::vector<ports::OperationRecord>> operations(
      const ports::HistoryQuery& query) const override;
  [[nodiscard]] Result<std::vector<ports::EventRecord>> events(
      const ports::HistoryQuery& query) const override;
  [[nodiscard]] std::string trouble() const override;
  /// Attempts to write that failed; what they were about waits for the next one.
  [[nodiscard]] std::uint64_t write_errors() const { return write_errors_.load(); }

  /// Waits until everything told so far is written, or cannot be; false after `patience`.
  bool flush(std::chrono::milliseconds patience = std::chrono::seconds(10)) const;

 private:
  struct Operation {
    ports::SyncReport report;
    WallTime ended{};
  };
  struct Gone {
    std::string stack;
  };
  using Item = std::variant<Operation, StatusChanges::Change, Gone>;

  void put(Item item);
  /// Of the agent as a whole; under the lock.
  void put_state(const std::string& kind,
                 std::string& known,
                 const std::string& value,
                 const std::string& message);
  void write_until(std::stop_token stop);
  /// Whether the file could be opened and everything in `items` is written; else why not.
  Result<void> write(const std::vector<Item>& items);
  Result<void> write_transaction(const std::vector<Item>& items);
  Result<void> open_store();
  Result<void> set_aside(const Error& why);
  void report(const Result<void>& written);

  const HistoryOptions options_;
  const Clock& clock_;
  spdlog::logger& log_;

  mutable std::mutex mutex_;  ///< Guards what follows.
  mutable std::condition_variable_any changed_;
  std::deque<Item> queue_;
  std::size_t lost_ = 0;          ///< Records that the queue had no room for.
  bool writing_ = false;          ///< Some were taken from the queue.
  mutable bool suspect_ = false;  ///< A reader found the file wrong.
  std::string trouble_;
  std::atomic<std::uint64_t> write_errors_ = 0;
  StatusChanges changes_;
  bool swarm_unreadable_ = false;
  std::string git_state_, swarm_state_;

  std::unique_ptr<Store> store_;  ///< Of the writing thread.
  std::size_t written_since_pruning_ = 0;
  std::jthread writer_;  ///< Last, so that it ends first.
};

}  // namespace skep::history
