#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <spdlog/sinks/ostream_sink.h>

#include "notify/notifier.hpp"
#include "tests/notify/fixture.hpp"

namespace skep::notify::testing {

using namespace std::chrono_literals;

/// A notifier whose thread the test is, and a receiver that answers what the test wants.
class NotifierTest : public ::testing::Test {
 protected:
  void SetUp() override { start(); }

  void start(std::vector<Target> targets = {}) {
    notifier.reset();
    NotifierOptions options;
    options.file = file();
    options.instance = "default";
    options.commit_url = "https://git.example.com/c/{commit}";
    if (targets.empty()) targets = {webhook("chat")};
    options.targets = std::move(targets);
    options.send = [this](const HttpCall& call) -> Result<HttpAnswer> {
      if (on_its_way) on_its_way(call);
      const std::lock_guard lock(mutex_);
      calls.push_back(call);
      if (answer == 0) return Error{ErrorKind::unavailable, "no connection", std::nullopt};
      if (answer == 200) received.push_back(nlohmann::json::parse(call.body));
      return HttpAnswer{answer, retry_after, answer_body};
    };
    options.mask = without_canary;
    options.counted = counter(counts);
    notifier = std::make_unique<Notifier>(std::move(options), clock, log_);
  }

  static Target webhook(const std::string& name) {
    Target target;
    target.name = name;
    target.type = "webhook";
    target.url = Secret("https://hooks.example.com/very/secret/path");
    return target;
  }

  /// The loop says how all stacks stand, and everything settles.
  void say(const std::vector<ports::StackStatus>& stacks) {
    notifier->status(stacks);
    notifier->turn();
    clock.advance(6s);
    notifier->turn();
  }

  /// "failed apps/web" of each message.
  std::vector<std::string> told() const {
    std::vector<std::string> words;
    for (const auto& message : received) {
      std::string line = message.at("reason");
      for (const auto& stack : message.at("stacks"))
        line += " " + stack.at("stack").get<std::string>();
      words.push_back(line);
    }
    return words;
  }

  [[nodiscard]] std::filesystem::path file() const { return directory_.path() / "notify.db"; }

  HandClock clock;
  int answer = 200;
  std::chrono::seconds retry_after{0};
  std::string answer_body;
  std::function<void(const HttpCall&)> on_its_way;
  std::vector<HttpCall> calls;
  std::vector<nlohmann::json> received;
  std::map<std::string, int> counts;
  std::unique_ptr<Notifier> notifier;
  std::ostringstream logged;

 private:
  std::mutex mutex_;  ///< Targets are reached side by side.
  Directory directory_;
  spdlog::logger log_{"test", std::make_shared<spdlog::sinks::ostream_sink_mt>(logged)};
};

}  // namespace skep::notify::testing
