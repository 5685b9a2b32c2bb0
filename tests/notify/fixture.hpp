#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "core/clock.hpp"
#include "notify/database.hpp"
#include "notify/message.hpp"
#include "reconciler/ports/observer.hpp"

namespace skep::notify::testing {

/// Stands still until the test moves it.
class HandClock final : public Clock {
 public:
  [[nodiscard]] WallTime now() const override {
    return WallTime(std::chrono::seconds(1'800'000'000)) +
           std::chrono::milliseconds(passed_ - set_back_);
  }
  [[nodiscard]] SteadyTime steady() const override {
    return SteadyTime(std::chrono::hours(1)) + std::chrono::milliseconds(passed_);
  }
  bool sleep_for(std::chrono::milliseconds /*duration*/, std::stop_token /*stop*/) const override {
    return true;
  }
  void advance(std::chrono::milliseconds time) { passed_ += time.count(); }
  /// The wall clock only, as an administrator or NTP does it.
  void set_back(std::chrono::milliseconds time) { set_back_ += time.count(); }

 private:
  std::atomic<std::int64_t> passed_ = 0, set_back_ = 0;
};

/// A directory that goes with its owner.
class Directory {
 public:
  Directory() {
    auto name = (std::filesystem::temp_directory_path() / "skep-notify-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// While it lives nothing can be written into a table of a file, as on a full disk.
class FullDisk {
 public:
  FullDisk(const std::filesystem::path& file, const std::string& table) : file_(file) {
    for (const std::string write : {"INSERT", "UPDATE", "DELETE"})
      run("CREATE TRIGGER full_" + write + " BEFORE " + write + " ON " + table +
          " BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END");
  }
  ~FullDisk() {
    for (const std::string write : {"INSERT", "UPDATE", "DELETE"})
      run("DROP TRIGGER full_" + write);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  void run(const std::string& sql) const {
    const auto database = Database::open(file_, "");
    EXPECT_TRUE(database && database->run(sql)) << sql;
  }
  std::filesystem::path file_;
};

inline std::string without_canary(std::string_view text) {
  std::string masked(text);
  if (const auto at = masked.find("canary"); at != std::string::npos) masked.replace(at, 6, "***");
  return masked;
}

/// Counts outcomes by "TYPE RESULT"; `counts` outlives it.
inline auto counter(std::map<std::string, int>& counts) {
  return [&counts](std::string_view type, std::string_view result) {
    ++counts[std::string(type) + " " + std::string(result)];
  };
}

inline const std::string kCommit = "0123456789abcdef0123456789abcdef01234567";

/// A stack that is as git says and healthy.
inline ports::StackStatus well(const std::string& name, const std::string& revision = kCommit) {
  ports::StackStatus stack;
  stack.group = "apps";
  stack.name = name;
  stack.mode = "auto";
  stack.verdict = "nothing";
  stack.sync = ports::SyncState::synced;
  stack.health = ports::Health::healthy;
  stack.target_revision = stack.applied_revision = revision;
  return stack;
}

inline ports::StackStatus failed(const std::string& name, const std::string& revision = kCommit) {
  auto stack = well(name, revision);
  stack.sync = ports::SyncState::out_of_sync;
  stack.health = ports::Health::degraded;
  stack.verdict = "wait";
  stack.message = "service app did not become healthy within 60s";
  stack.consecutive_failures = 1;
  ports::ServiceStatus service;
  service.name = name + "_app";
  service.trouble = "task: non-zero exit (1)";
  stack.services.push_back(service);
  return stack;
}

inline Message message_of(const std::string& reason, const std::string& stack = "apps/web") {
  Message message;
  message.reason = reason;
  message.instance = "default";
  message.at = WallTime(std::chrono::seconds(1'800'000'000));
  auto& story = message.stories.emplace_back();
  story.stack = stack;
  story.revision = kCommit;
  return message;
}

}  // namespace skep::notify::testing
