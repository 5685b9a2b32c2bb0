#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/lab/command.hpp"

namespace skep::lab {

struct LabRegistry {
  std::string address;  ///< 127.0.0.1:PORT, inside the engine's network namespace only.
  std::string user, password;
};

/// A real engine for tests: a dockerd of its own with a one-node swarm and the images
/// skep-test/busybox:1.0 and :2.0, started by tests/lab/engine (about a second). It ends with the
/// object, or with this process however that ends.
class LabEngine {
 public:
  /// The engine that all tests of this process share, started by the first call. Where
  /// SKEP_TEST_DOCKER_HOST (unix://PATH) names a swarm manager, that one is used and left as it is.
  static LabEngine& shared();
  /// `flags` go to the start script: --no-swarm.
  explicit LabEngine(const std::vector<std::string>& flags = {});
  ~LabEngine();
  LabEngine(const LabEngine&) = delete;
  LabEngine& operator=(const LabEngine&) = delete;

  /// Why there is no engine: the machine cannot run one, and a test should be skipped. ""
  /// otherwise.
  [[nodiscard]] const std::string& cannot() const noexcept { return cannot_; }
  /// Why there is no engine though there should be: a test should fail. "" otherwise.
  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

  [[nodiscard]] const std::string& directory() const noexcept { return directory_; }
  [[nodiscard]] const std::string& socket() const noexcept { return socket_; }
  [[nodiscard]] std::string docker_host() const { return "unix://" + socket_; }
  /// DOCKER_HOST and an empty DOCKER_CONFIG, for programs that are to talk to this engine.
  [[nodiscard]] std::map<std::string, std::string> environment() const;

  /// Runs the Docker CLI on this engine: `docker({"service", "ls"})`.
  CommandOutput docker(std::vector<std::string> arguments,
                       const std::string& standard_input = {}) const;
  /// Runs a command in the engine's network namespace, where its ports and its registry are.
  CommandOutput enter(std::vector<std::string> command) const;
  /// A private registry beside this engine, started by the first call. Adds a test failure where it
  /// cannot be started. With `notify`, an URL inside the engine's network namespace, that first
  /// call makes it tell of pushes there, with `token` as its Bearer token.
  const LabRegistry& registry(const std::string& notify = {}, const std::string& token = {});

 private:
  struct Given {};
  LabEngine(Given, const std::string& docker_host);

  std::string directory_, socket_, cannot_, failure_;
  bool ours_ = false;
  std::unique_ptr<LabRegistry> registry_;
};

}  // namespace skep::lab

/// First line of a test (or SetUp) that needs a real engine: skips where the machine cannot run
/// one, fails where starting it went wrong.
#define SKEP_NEEDS_ENGINE(engine)                                                            \
  do {                                                                                       \
    if (!(engine).cannot().empty()) GTEST_SKIP() << "no real engine: " << (engine).cannot(); \
    ASSERT_TRUE((engine).failure().empty())                                                  \
        << "the lab's engine did not start: " << (engine).failure();                         \
  } while (false)
