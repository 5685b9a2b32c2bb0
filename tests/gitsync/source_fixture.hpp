#pragma once

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/null_sink.h>

#include "gitsync/git_source.hpp"
#include "tests/gitsync/process.hpp"
#include "tests/gitsync/test_repository.hpp"

namespace skep::gitsync::test {

inline RemoteUrl url_of(const std::string& text) {
  auto parsed = RemoteUrl::parse(text);
  if (!parsed) throw std::runtime_error(parsed.error().message);
  return parsed->url;
}

/// Makes real sources: a child process, a mirror in a temporary directory.
class SourceTest : public testing::Test {
 protected:
  GitOptions options(const std::string& url, const std::string& ref = "main") {
    GitOptions options{.url = url_of(url), .ref = ref, .state_directory = temp_.path() / "state"};
    options.executable = SKEP_FETCH_CHILD;
    options.deadline = std::chrono::seconds(20);
    return options;
  }

  std::unique_ptr<Git2Source> open(GitOptions options) {
    auto source = Git2Source::open(std::move(options), clock_, log_);
    EXPECT_TRUE(source) << source.error().message;
    return source ? *std::move(source) : nullptr;
  }

  std::unique_ptr<Git2Source> open(const std::string& url, const std::string& ref = "main") {
    return open(options(url, ref));
  }

  static std::string fetched(Git2Source& source) {
    auto snapshot = source.fetch({});
    return snapshot ? (*snapshot)->revision().commit : "error: " + to_string(snapshot.error());
  }

  static Error fetch_error(Git2Source& source) {
    auto snapshot = source.fetch({});
    if (!snapshot) return snapshot.error();
    ADD_FAILURE() << "the fetch succeeded";
    return Error{ErrorKind::conflict, ""};
  }

  static std::string text_of(const ports::Snapshot& snapshot, const std::string& path) {
    auto file = snapshot.read(*RepoPath::parse(path));
    if (!file) return "error: " + file.error().message;
    return *file ? (*file)->text : "(nothing)";
  }

  std::filesystem::path mirror() const {
    for (const auto& entry : std::filesystem::directory_iterator(temp_.path() / "state"))
      return entry.path() / "mirror.git";
    return {};
  }

  TempDirectory temp_;
  SystemClock clock_;
  spdlog::logger log_{"test", std::make_shared<spdlog::sinks::null_sink_mt>()};
};

}  // namespace skep::gitsync::test
