#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/e2e/agent_process.hpp"
#include "tests/e2e/repo.hpp"
#include "tests/gitsync/process.hpp"
#include "tests/lab/lab.hpp"

namespace skep::e2e {

/// A test on the shared engine, with a repository and a directory of its own. Whatever it leaves in
/// the swarm goes after it.
class EndToEnd : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_.path(); }
  /// The built program, on this engine; the repository only where `--repo` says so.
  lab::CommandOutput skep(std::vector<std::string> arguments,
                          const std::string& standard_input = {}) const;
  /// The Docker CLI on this engine; a failure is one of the test.
  std::string docker(const std::vector<std::string>& arguments,
                     const std::string& standard_input = {}) const;
  [[nodiscard]] std::map<std::string, std::string> environment() const;

  /// Whether leaks in the programs that are started are errors; see environment().
  [[nodiscard]] virtual bool looks_for_leaks() const { return false; }

  /// An agent on `repo`; ends with the test, or with `agent.reset()`.
  AgentProcess& start_agent(std::vector<std::string> more = {});

  /// "GET /v1.41/…" of the engine.
  [[nodiscard]] nlohmann::json get(const std::string& path) const;
  /// The objects of one kind ("services", "configs", "secrets", "networks") by name; only swarm's
  /// own networks.
  [[nodiscard]] std::map<std::string, nlohmann::json> objects(const std::string& kind) const;
  [[nodiscard]] std::vector<std::string> names(const std::string& kind) const;
  /// Everything in the swarm that a write would move: "services/NAME" → id and version.
  [[nodiscard]] std::map<std::string, std::string> versions() const;
  /// The same, once the swarm has stopped writing addresses and rollout states into them.
  [[nodiscard]] std::map<std::string, std::string> versions_at_rest() const;
  /// Ids of the tasks of a service that should run; none where there is no such service.
  [[nodiscard]] std::vector<std::string> tasks(const std::string& service) const;
  /// Images of its running tasks.
  [[nodiscard]] std::vector<std::string> running_images(const std::string& service) const;

  std::unique_ptr<Repo> repo;
  std::unique_ptr<AgentProcess> agent;

  /// Always of this process's own: between two tests everything in its swarm is removed, so that a
  /// given engine is never meant.
  static lab::LabEngine& engine();

 private:
  void sweep() const;
  gitsync::test::TempDirectory directory_;
};

/// For figures that a test prints.
[[nodiscard]] double seconds_since(std::chrono::steady_clock::time_point start);

}  // namespace skep::e2e
