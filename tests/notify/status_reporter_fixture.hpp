#pragma once

#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <spdlog/sinks/ostream_sink.h>

#include "notify/status_reporter.hpp"
#include "tests/notify/fixture.hpp"

namespace skep::notify::testing {

using namespace std::chrono_literals;

inline const std::string kNext = "fedcba9876543210fedcba9876543210fedcba98";

/// A reporter whose thread the test is, and a host that remembers what stands beside each commit.
class StatusReporterTest : public ::testing::Test {
 protected:
  void SetUp() override { start(); }

  void start(bool each_stack = true) {
    reporter.reset();
    StatusReporterOptions options;
    options.file = file();
    GitHost host;
    host.name = "forge";
    host.type = GitHostType::gitea;
    host.token = Secret("canary-token");
    host.each_stack = each_stack;
    EXPECT_TRUE(locate(host, "https://git.example.com/ops/cluster.git"));
    options.hosts = {host};
    options.send = [this](const HttpCall& call) -> Result<HttpAnswer> {
      ++calls;
      if (answer == 0) return Error{ErrorKind::unavailable, "no connection", std::nullopt};
      if (answer == 201) {
        const auto body = nlohmann::json::parse(call.body);
        const auto commit = call.url.substr(call.url.rfind('/') + 1);
        const auto context = body.at("context").get<std::string>();
        const auto state = body.at("state").get<std::string>();
        history.push_back(commit.substr(0, 2) + " " + context + " " + state);
        beside[commit][context] = state;
        words[commit + " " + context] = body.at("description");
      }
      HttpAnswer given;
      given.status = answer;
      given.retry_after = retry_after;
      return given;
    };
    options.mask = without_canary;
    options.counted = counter(counts);
    reporter = std::make_unique<StatusReporter>(std::move(options), clock, log_);
  }

  void say(const std::vector<ports::StackStatus>& stacks) {
    reporter->status(stacks);
    reporter->turn();
    clock.advance(3s);
    reporter->turn();
  }

  /// As the thread does it, until everything that is to be told would be.
  void pass(std::chrono::milliseconds time = 5min) {
    for (int i = 0; i < 10; ++i) {
      reporter->turn();
      clock.advance(time / 10);
    }
    reporter->turn();
  }

  static ports::StackStatus rolling(const std::string& name, const std::string& commit = kCommit) {
    auto stack = well(name, commit);
    stack.health = ports::Health::progressing;
    stack.healthy_revision = "older";
    stack.operation.emplace();
    return stack;
  }
  static ports::StackStatus waiting(const std::string& name, const std::string& commit = kCommit) {
    auto stack = well(name, commit);
    stack.sync = ports::SyncState::out_of_sync;
    stack.drift_cause = ports::DriftCause::pending;
    stack.applied_revision = "older";
    stack.verdict = "wait";
    stack.message = "closed until Monday; `skep sync web` does it now";
    return stack;
  }

  [[nodiscard]] std::filesystem::path file() const { return directory_.path() / "statuses.db"; }

  HandClock clock;
  int answer = 201, calls = 0;
  std::chrono::seconds retry_after{0};
  std::vector<std::string> history;
  std::map<std::string, std::map<std::string, std::string>> beside;
  std::map<std::string, std::string> words;
  std::map<std::string, int> counts;
  std::unique_ptr<StatusReporter> reporter;
  std::ostringstream logged;

 private:
  Directory directory_;
  spdlog::logger log_{"test", std::make_shared<spdlog::sinks::ostream_sink_mt>(logged)};
};

}  // namespace skep::notify::testing
