#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <sys/types.h>

namespace skep::e2e {

/// The program under test: the one that was built beside this, or SKEP_TEST_BINARY.
[[nodiscard]] std::string binary();

/// `skep agent` of the built program, as a process of its own.
class AgentProcess {
 public:
  struct Options {
    std::string repo;
    std::string instance = "default";
    /// Between two looks at git. One costs half a second of a processor, for a process starts under
    /// sanitizers; a test's push is therefore told by SIGUSR2 …
    std::string interval = "30s";
    bool told_of_pushes = true;       ///< … unless the test is about what else tells it.
    std::filesystem::path directory;  ///< Socket, mirror and log; kept over a restart.
    std::map<std::string, std::string> environment;
    std::vector<std::string> more = {};    ///< Further flags.
    std::vector<std::string> prefix = {};  ///< A program, by its path, that becomes the agent.
  };
  explicit AgentProcess(Options options);
  /// Asks it to end, and expects that it does so within ten seconds with exit code 0.
  ~AgentProcess();
  AgentProcess(const AgentProcess&) = delete;
  AgentProcess& operator=(const AgentProcess&) = delete;

  [[nodiscard]] std::string socket() const { return (options_.directory / "skep.sock").string(); }
  [[nodiscard]] std::string log() const;
  void start();
  /// SIGTERM; the exit code (128 + signal where one killed it), or nothing after `patience`.
  std::optional<int> stop(std::chrono::seconds patience = std::chrono::seconds(10));
  void kill();  ///< SIGKILL.
  void signal(int number) const;
  /// Git was pushed to: asks for a look at once.
  void pushed() const;

  /// What GET /api/v1/status answers, as `skep status -o json` prints it; null where nothing does.
  [[nodiscard]] nlohmann::json status() const;
  /// One stack of it; null where there is none.
  [[nodiscard]] nlohmann::json stack(const std::string& name) const;
  /// Polls status() until `good`; fails the test after `patience`, with status and log.
  bool wait_until(const std::string& what,
                  const std::function<bool(const nlohmann::json&)>& good,
                  std::chrono::seconds patience = std::chrono::seconds(40)) const;
  /// Until the agent knows `commit` and every stack is synced and healthy.
  bool wait_for_commit(const std::string& commit) const;

  [[nodiscard]] std::string metrics() const;
  /// Sum of all series of a family whose labels contain `label`.
  [[nodiscard]] double metric(const std::string& family, const std::string& label = {}) const;
  /// Requests that could change the swarm, which the agent has made so far.
  [[nodiscard]] double write_requests() const;
  /// Readings of the whole swarm so far.
  [[nodiscard]] double passes() const;
  /// Waits until two more readings of the whole swarm have ended.
  void wait_for_passes(int more = 2) const;

 private:
  [[nodiscard]] std::string get(const std::string& path) const;

  Options options_;
  pid_t pid_ = -1;
  std::size_t earlier_log_ = 0;  ///< Bytes in it before this start.
};

[[nodiscard]] nlohmann::json stack_of(const nlohmann::json& status, const std::string& name);
[[nodiscard]] bool is(const nlohmann::json& stack,
                      const std::string& sync,
                      const std::string& health);

/// Polls until `good`, every 50 ms; whether it became so within `patience`.
[[nodiscard]] bool eventually(const std::function<bool()>& good,
                              std::chrono::milliseconds patience = std::chrono::seconds(30));

}  // namespace skep::e2e
