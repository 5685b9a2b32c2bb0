#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <stdlib.h>

#include "core/clock.hpp"
#include "reconciler/ports/history.hpp"

namespace skep::history::test {

/// A directory that goes with its owner.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "skep-history-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline constexpr WallTime kThen{std::chrono::milliseconds(1'700'000'000'000)};

inline ports::SyncReport deployment(const std::string& stack, const std::string& commit = "b") {
  ports::SyncReport report;
  report.stack = stack;
  report.trigger = "git";
  report.result = "success";
  report.duration = std::chrono::milliseconds(1'234);
  report.started = kThen;
  report.revision_from = std::string(40, 'a');
  report.revision_to = std::string(40, commit.front());
  report.author = "Bea Keeper <bea@example.com>";
  report.subject = "web: newer image";
  report.plan_digest = "0123456789abcdef";
  report.actor = "uid 0";
  report.objects = {{diff::ObjectKind::config, diff::Verb::create, "web_conf", {}, ""},
                    {diff::ObjectKind::service,
                     diff::Verb::update,
                     "web_app",
                     {"image", "environment LOG_LEVEL"},
                     "update out of sequence"}};
  return report;
}

inline ports::EventRecord event(const std::string& stack, const std::string& kind) {
  ports::EventRecord event;
  event.at = kThen;
  event.stack = stack;
  event.kind = kind;
  return event;
}

/// Every byte of every file below a directory.
inline std::string all_bytes(const std::filesystem::path& directory) {
  std::string bytes;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    std::ifstream file(entry.path(), std::ios::binary);
    bytes.append(std::istreambuf_iterator<char>(file), {});
  }
  return bytes;
}

}  // namespace skep::history::test
