#include <fstream>
#include <thread>

#include "tests/e2e/e2e.hpp"

namespace skep::e2e {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

/// Each on an engine of its own, for it is stopped, killed, or leaves its swarm.
class Outage : public EndToEnd {
 protected:
  void deploy() {
    engine_ = std::make_unique<lab::LabEngine>();
    SKEP_NEEDS_ENGINE(*engine_);
    for (const auto* name : {"one", "two"})
      repo->stack(name, "services:\n  app: " + service(kImage1) + kHostNetwork);
    repo->push();
    AgentProcess::Options options;
    options.repo = repo->bare();
    options.directory = directory() / "agent";
    options.environment = environment();
    options.environment["DOCKER_HOST"] = engine_->docker_host();
    agent = std::make_unique<AgentProcess>(std::move(options));
    ASSERT_TRUE(agent->wait_until("deployed", [](const nlohmann::json& status) {
      return is(stack_of(status, "one"), "synced", "healthy") &&
             is(stack_of(status, "two"), "synced", "healthy");
    }));
  }
  void TearDown() override {
    agent.reset();
    engine_.reset();
    EndToEnd::TearDown();
  }
  /// From outside the engine's namespace: its end would take the sender with it.
  void signal_daemon(const std::string& signal) {
    std::ifstream file(engine_->directory() + "/pid");
    std::string first_process;
    ASSERT_TRUE(file >> first_process);
    const auto sent = lab::run({"pkill", "-" + signal, "-x", "-P", first_process, "dockerd"});
    ASSERT_EQ(sent.exit_code, 0) << sent.err;
  }
  std::string services() {
    return engine_->docker({"service", "ls", "--format", "{{.ID}} {{.Name}}"}).out;
  }
  std::unique_ptr<lab::LabEngine> engine_;
};

bool unknown(const nlohmann::json& status) {
  return status.at("docker_up") == false && is(stack_of(status, "one"), "unknown", "unknown") &&
         is(stack_of(status, "two"), "unknown", "unknown");
}

TEST_F(Outage, Trap27_AnEngineThatHangsIsUnknownWithinFifteenSecondsAndNothingIsMadeAfterwards) {
  deploy();
  const auto before = services();
  const auto writes = agent->write_requests();
  signal_daemon("STOP");
  const auto start = std::chrono::steady_clock::now();
  const bool noticed = agent->wait_until("unknown", unknown, 15s);
  std::cout << "hung engine: unknown after " << seconds_since(start) << " s\n";
  const auto shown = skep({"status", "--socket", agent->socket()});
  std::this_thread::sleep_for(2s);
  const auto later = skep({"status", "one", "--socket", agent->socket()});
  const auto up = agent->metric("skep_docker_up");
  const auto known_stacks = agent->metric("skep_stack_sync_state", R"(state="unknown")");
  signal_daemon("CONT");
  ASSERT_TRUE(noticed);
  EXPECT_EQ(shown.exit_code, 1);
  EXPECT_THAT(shown.out, HasSubstr("swarm     last read at 20"));
  EXPECT_THAT(shown.out, HasSubstr(" s ago: "));
  EXPECT_THAT(later.out, HasSubstr("swarm     last read at 20")) << "also of one stack";
  EXPECT_THAT(shown.out, Not(HasSubstr("missing")));
  ASSERT_TRUE(agent->wait_until("known again", [](const nlohmann::json& status) {
    return status.at("docker_up") == true && is(stack_of(status, "one"), "synced", "healthy") &&
           is(stack_of(status, "two"), "synced", "healthy");
  }));
  EXPECT_EQ(services(), before);
  EXPECT_EQ(up, 0);
  EXPECT_EQ(known_stacks, 2) << "both are unknown in the metrics too, and neither is gone";
  EXPECT_EQ(agent->metric("skep_docker_up"), 1);
  EXPECT_EQ(agent->metric("skep_stack_sync_state", R"(state="unknown")"), 0);
  EXPECT_EQ(agent->metric("skep_drift_detected_total"), 0);
  EXPECT_EQ(agent->metric("skep_syncs_total", R"(result="failure")"), 0);
  EXPECT_EQ(agent->write_requests(), writes) << "what was not seen was taken for missing";
}

TEST_F(Outage, Trap27_AnEngineThatIsKilledIsUnknownWithinTwoSeconds) {
  deploy();
  signal_daemon("KILL");
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(agent->wait_until("unknown", unknown, 10s));
  const auto took = seconds_since(start);
  std::cout << "killed engine: unknown after " << took << " s\n";
  EXPECT_LT(took, 3) << "two, and what it takes to ask";
  EXPECT_EQ(agent->metric("skep_docker_up"), 0);
}

TEST_F(Outage, ASwarmThatWasLeftIsSaidOnceAndAtTheTop) {
  deploy();
  ASSERT_EQ(engine_->docker({"swarm", "leave", "--force"}).exit_code, 0);
  ASSERT_TRUE(agent->wait_until("unknown", unknown, 30s));
  const auto shown = skep({"status", "--socket", agent->socket()});
  const std::string words = "not a swarm manager";
  const auto first = shown.out.find(words);
  ASSERT_NE(first, std::string::npos) << shown.out;
  const auto table = shown.out.find("STACK");
  EXPECT_LT(first, table);
  EXPECT_EQ(shown.out.find("docker swarm init", table), std::string::npos) << shown.out;
  std::istringstream rows(shown.out.substr(table));
  for (std::string row; std::getline(rows, row);) EXPECT_LE(row.size(), 100U) << row;
}

}  // namespace
}  // namespace skep::e2e
