#include "tests/e2e/agent_process.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lab/http.hpp"

extern char** environ;

namespace skep::e2e {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr auto kLook = 100ms;

}  // namespace

std::string binary() {
  const char* given = ::getenv("SKEP_TEST_BINARY");
  return given != nullptr ? given : SKEP_BINARY;
}

bool eventually(const std::function<bool()>& good, std::chrono::milliseconds patience) {
  const auto deadline = Steady::now() + patience;
  while (!good()) {
    if (Steady::now() > deadline) return false;
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

nlohmann::json stack_of(const nlohmann::json& status, const std::string& name) {
  if (!status.is_object()) return {};
  for (const auto& stack : status.at("stacks")) {
    if (stack.at("name") == name) return stack;
  }
  return {};
}

bool is(const nlohmann::json& stack, const std::string& sync, const std::string& health) {
  return stack.is_object() && stack.at("sync") == sync && stack.at("health") == health;
}

AgentProcess::AgentProcess(Options options) : options_(std::move(options)) {
  std::filesystem::create_directories(options_.directory);
  start();
}

AgentProcess::~AgentProcess() {
  if (pid_ < 0) return;
  const auto ended = stop();
  EXPECT_EQ(ended, 0) << "the agent did not end well\n" << log();
}

void AgentProcess::start() {
  ASSERT_LT(pid_, 0) << "it runs already";
  std::vector<std::string> words{binary(),
                                 "agent",
                                 "--repo",
                                 options_.repo,
                                 "--ref",
                                 "main",
                                 "--interval",
                                 options_.interval,
                                 "--prune-grace",
                                 "1s",
                                 "--listen",
                                 "127.0.0.1:0",
                                 "--socket",
                                 socket(),
                                 "--state-dir",
                                 (options_.directory / "state").string(),
                                 "--instance",
                                 options_.instance};
  words.insert(words.end(), options_.more.begin(), options_.more.end());
  if (std::find(words.begin(), words.end(), "--settle") == words.end())
    words.insert(words.end(), {"--settle", "1s"});
  if (std::find(words.begin(), words.end(), "--policy-file") == words.end()) {
    // Most stacks of these tests use the node's network, which saves half of their time.
    const auto policy = (options_.directory / "policy.yaml").string();
    std::ofstream(policy) << "rules: [{ path: '*/*', allow: everything }]\n";
    words.insert(words.end(), {"--policy-file", policy});
  }
  words.insert(words.begin(), options_.prefix.begin(), options_.prefix.end());
  options_.environment.emplace("SKEP_LOG_FORMAT", "text");
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (options_.environment.count(text.substr(0, text.find('='))) == 0) variables.push_back(text);
  }
  for (const auto& [name, value] : options_.environment) variables.push_back(name + "=" + value);
  std::vector<char*> arguments, environment;
  for (auto& word : words) arguments.push_back(word.data());
  for (auto& variable : variables) environment.push_back(variable.data());
  arguments.push_back(nullptr);
  environment.push_back(nullptr);
  const auto file = (options_.directory / "agent.log").string();
  earlier_log_ = log().size();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  const int failed = ::posix_spawn(
      &pid_, words.front().c_str(), &actions, nullptr, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) pid_ = -1;
  ASSERT_EQ(failed, 0) << "cannot start " << binary();
}

std::string AgentProcess::log() const {
  std::ifstream file(options_.directory / "agent.log");
  return {std::istreambuf_iterator<char>(file), {}};
}

std::optional<int> AgentProcess::stop(std::chrono::seconds patience) {
  ::kill(pid_, SIGTERM);
  int status = 0;
  if (!eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, patience)) {
    kill();
    return std::nullopt;
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void AgentProcess::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

void AgentProcess::pushed() const {
  // Before that line the signal would end it; and the first look is still to come then.
  const bool started = log().find("agent started", earlier_log_) != std::string::npos;
  if (options_.told_of_pushes && started) signal(SIGUSR2);
}

void AgentProcess::kill() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

nlohmann::json AgentProcess::status() const {
  // Starting the program under sanitizers takes a second; this is asked all the time.
  auto json = nlohmann::json::parse(get("/api/v1/status"), nullptr, false);
  return json.is_object() ? json : nlohmann::json();
}

nlohmann::json AgentProcess::stack(const std::string& name) const {
  return stack_of(status(), name);
}

bool AgentProcess::wait_until(const std::string& what,
                              const std::function<bool(const nlohmann::json&)>& good,
                              std::chrono::seconds patience) const {
  nlohmann::json last;
  const bool came = eventually(
      [&] {
        last = status();
        return last.is_object() && good(last);
      },
      patience);
  EXPECT_TRUE(came) << "in vain: " << what << "\nstatus: " << last.dump(1) << "\nlog:\n" << log();
  return came;
}

bool AgentProcess::wait_for_commit(const std::string& commit) const {
  return wait_until("commit " + commit + " is carried out", [&](const nlohmann::json& status) {
    if (status.at("revision") != commit || status.at("stacks").empty()) return false;
    for (const auto& stack : status.at("stacks")) {
      const bool seen = stack.at("target_revision") == commit;
      if (!seen || !is(stack, "synced", "healthy")) return false;
    }
    return true;
  });
}

std::string AgentProcess::get(const std::string& path) const { return lab::ask(socket(), path); }

std::string AgentProcess::metrics() const { return get("/metrics"); }

double AgentProcess::metric(const std::string& family, const std::string& label) const {
  double sum = 0;
  std::istringstream lines(metrics());
  for (std::string line; std::getline(lines, line);) {
    const bool meant = line.starts_with(family + "{") || line.starts_with(family + " ");
    if (!meant || line.find(label) == std::string::npos) continue;
    sum += std::stod(line.substr(line.rfind(' ') + 1));
  }
  return sum;
}

double AgentProcess::write_requests() const {
  double sum = 0;
  for (const auto* action : {"_create", "_update", "_remove"})
    sum += metric("skep_docker_requests_total", std::string(action) + "\"");
  return sum;
}

double AgentProcess::passes() const {
  return metric("skep_docker_requests_total", "operation=\"service_list\"");
}

void AgentProcess::wait_for_passes(int more) const {
  const auto start = std::chrono::steady_clock::now();
  for (auto before = passes(); more > 0; before = passes()) {
    // The next pass may be a minute away where nothing happens; it is the one that is asked for.
    lab::ask(socket(), "/api/v1/sync", "POST");
    if (eventually([&] { return passes() > before; }, std::chrono::seconds(2))) --more;
    ASSERT_LT(std::chrono::steady_clock::now() - start, std::chrono::minutes(1)) << log();
  }
}

}  // namespace skep::e2e
