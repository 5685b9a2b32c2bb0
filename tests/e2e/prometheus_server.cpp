#include "tests/e2e/prometheus_server.hpp"

#include <fstream>
#include <iterator>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/agent_process.hpp"
#include "tests/lab/command.hpp"
#include "tests/paths.hpp"

extern char** environ;

namespace skep::e2e {
namespace {

// Prometheus does not tell which port it was given, so one that is free is asked of the kernel
// first.
std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound =
      ::bind(socket, generic, size) == 0 && ::getsockname(socket, generic, &size) == 0;
  ::close(socket);
  EXPECT_TRUE(bound);
  return ntohs(address.sin_port);
}

}  // namespace

bool PrometheusServer::available() { return lab::run({"prometheus", "--version"}).exit_code == 0; }

PrometheusServer::PrometheusServer(std::filesystem::path directory, const std::string& target)
    : directory_(std::move(directory)), address_("127.0.0.1:" + std::to_string(free_port())) {
  std::filesystem::create_directories(directory_);
  const std::string rules = SKEP_SOURCE_DIR "/deploy/prometheus/";
  std::ofstream(directory_ / "prometheus.yml")
      << "global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }\n"
      << "rule_files: ['" << rules << "alerts.yml', '" << rules << "recording.yml']\n"
      << "scrape_configs: [{ job_name: skep, static_configs: [{ targets: ['" << target
      << "'] }] }]\n";
  std::vector<std::string> words = {
      "prometheus",
      "--config.file=" + (directory_ / "prometheus.yml").string(),
      "--storage.tsdb.path=" + (directory_ / "data").string(),
      "--web.listen-address=" + address_,
  };
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const auto file = (directory_ / "log").string();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  const int failed =
      ::posix_spawnp(&pid_, "prometheus", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) pid_ = -1;
  EXPECT_EQ(failed, 0) << "cannot start prometheus";
}

PrometheusServer::~PrometheusServer() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);  // Its data goes with the directory.
  ::waitpid(pid_, nullptr, 0);
}

bool PrometheusServer::ready() const {
  return lab::run({"curl", "-fs", "--max-time", "5", "http://" + address_ + "/-/ready"})
             .exit_code == 0;
}

nlohmann::json PrometheusServer::get(const std::string& path,
                                     const std::vector<std::string>& fields) const {
  std::vector<std::string> command = {"curl", "-gsG", "--max-time", "20"};
  for (const auto& field : fields) {
    command.push_back("--data-urlencode");
    command.push_back(field);
  }
  command.push_back("http://" + address_ + path);
  const auto answer = lab::run(command);
  auto json = nlohmann::json::parse(answer.out, nullptr, false);
  if (!json.is_object() || json.value("status", "") != "success") {
    ADD_FAILURE() << fields.front() << ": " << answer.out << answer.err;
    return {};
  }
  return json.at("data");
}

nlohmann::json PrometheusServer::query(const std::string& expression) const {
  return get("/api/v1/query", {"query=" + expression});
}

nlohmann::json PrometheusServer::query_range(const std::string& expression,
                                             double from,
                                             double to) const {
  return get("/api/v1/query_range",
             {"query=" + expression,
              "start=" + std::to_string(from),
              "end=" + std::to_string(to),
              "step=1"});
}

std::string PrometheusServer::log() const {
  std::ifstream file(directory_ / "log");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace skep::e2e
