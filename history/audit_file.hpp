#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include <spdlog/logger.h>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "reconciler/ports/observer.hpp"

namespace skep::history {

struct AuditOptions {
  std::filesystem::path file;
  std::size_t queue = 10'000;            ///< Lines that wait for the disk; newer ones are lost.
  std::function<void()> failed = [] {};  ///< Told of each line that was lost.
};

/// A file to which a line is added for everything that was done or asked for: who, what, why, the
/// plan's digest, the result; JSON. Nothing in it is ever changed: of a line that the disk took in
/// part that part stays, on a line of its own. Whoever rotates it moves it away: the next line
/// makes a new one. Observing never waits for the disk.
class AuditFile final : public ports::Observer {
 public:
  /// Opens the file, so that one that cannot be written is known at the start. `clock` and `log`
  /// outlive this. Errors: invalid_input.
  static Result<std::unique_ptr<AuditFile>> open(AuditOptions options,
                                                 const Clock& clock,
                                                 spdlog::logger& log);
  /// Writes what is left, if that can be done now.
  ~AuditFile() override;
  AuditFile(const AuditFile&) = delete;
  AuditFile& operator=(const AuditFile&) = delete;

  void synced(const ports::SyncReport& report) override;
  void noted(const ports::Note& note) override;
  /// Waits until everything told so far is written, or is lost; false after `patience`.
  bool flush(std::chrono::milliseconds patience = std::chrono::seconds(10));

 private:
  AuditFile(AuditOptions options, const Clock& clock, spdlog::logger& log);
  void put(std::string line);
  void write_until(std::stop_token stop);
  Result<void> write(const std::string& line);
  Result<void> reopen();

  const AuditOptions options_;
  const Clock& clock_;
  spdlog::logger& log_;
  int fd_ = -1;        ///< Of the writing thread.
  bool torn_ = false;  ///< The file ends within a line.
  bool troubled_ = false;

  std::mutex mutex_;  ///< Guards what follows.
  std::condition_variable_any changed_;
  std::deque<std::string> queue_;
  bool writing_ = false;
  std::jthread writer_;  ///< Last, so that it ends first.
};

}  // namespace skep::history
