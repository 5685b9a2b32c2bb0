#include <thread>

#include "tests/e2e/e2e.hpp"

namespace skep::e2e {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class Standby : public EndToEnd {
 protected:
  std::unique_ptr<AgentProcess> waiting_agent() {
    AgentProcess::Options options;
    options.repo = repo->bare();
    options.directory = directory() / "second";
    options.environment = environment();
    options.more = {"--standby"};
    return std::make_unique<AgentProcess>(std::move(options));
  }
};

TEST_F(Standby, ASecondAgentWaitsAndTakesOverWithin40SecondsAfterTheFirstIsKilled) {
  repo->stack("shop", "services:\n  app: " + service(kImage1) + kHostNetwork);
  const auto first = repo->push();
  start_agent({"--standby"});
  ASSERT_TRUE(agent->wait_for_commit(first));
  auto second = waiting_agent();
  ASSERT_TRUE(second->wait_until("it stands by", [](const nlohmann::json& status) {
    return !status.at("standby_for").get<std::string>().empty() && status.at("docker_up") == true;
  }));
  const auto shown = skep({"status", "--socket", second->socket()});
  EXPECT_EQ(shown.exit_code, 0) << shown.out;
  EXPECT_THAT(shown.out, HasSubstr("standby   this agent waits; active is "));
  EXPECT_EQ(agent->metric("skep_leader"), 1);
  EXPECT_EQ(agent->metric("skep_lease_transitions_total"), 1);
  EXPECT_EQ(agent->metric("skep_stack_info"), 1);
  EXPECT_EQ(second->metric("skep_leader"), 0);
  EXPECT_EQ(second->metric("skep_lease_transitions_total"), 0);
  EXPECT_EQ(second->metric("skep_docker_up"), 1) << "one that waits is not one that sees nothing";
  EXPECT_EQ(second->metric("skep_stack_info"), 0) << "the active one tells of stacks";
  agent->kill();
  const auto start = std::chrono::steady_clock::now();
  repo->stack("shop", "services:\n  app: " + service(kImage2) + kHostNetwork);
  const auto commit = repo->push("while nobody is active");
  ASSERT_TRUE(second->wait_until(
      "it is active", [](const nlohmann::json& s) { return s.at("standby_for") == ""; }, 60s));
  const auto took = seconds_since(start);
  std::cout << "took over after " << took << " s\n";
  EXPECT_LE(took, 40);
  ASSERT_TRUE(second->wait_for_commit(commit));
  EXPECT_THAT(running_images("shop_app"), testing::ElementsAre(kImage2));
  EXPECT_EQ(second->metric("skep_leader"), 1);
  EXPECT_EQ(second->metric("skep_lease_transitions_total"), 1);
  EXPECT_EQ(second->metric("skep_stack_info"), 1);
  // The first one comes back, and waits; the second one ends well, and the first goes on at once.
  agent->start();
  ASSERT_TRUE(agent->wait_until("it stands by", [](const nlohmann::json& status) {
    return !status.at("standby_for").get<std::string>().empty();
  }));
  const auto handed = std::chrono::steady_clock::now();
  second.reset();
  ASSERT_TRUE(agent->wait_until("it is active again",
                                [](const nlohmann::json& s) { return s.at("standby_for") == ""; }));
  EXPECT_LT(seconds_since(handed), 15);
}

TEST_F(Standby, WithoutItNothingIsRenewedAndNothingIsWritten) {
  repo->stack("shop", "services:\n  app: " + service(kImage1) + kHostNetwork);
  start_agent();
  ASSERT_TRUE(agent->wait_for_commit(repo->push()));
  agent->wait_for_passes();
  const auto writes = agent->write_requests();
  const auto raft = [this] { return get("/swarm").at("Version").at("Index").get<int>(); };
  const auto versions_before = versions();
  const auto index = raft();
  std::this_thread::sleep_for(25s);  // Two renewals and two probes would have been made.
  EXPECT_EQ(agent->write_requests(), writes);
  EXPECT_EQ(versions(), versions_before);
  EXPECT_EQ(raft(), index);
  EXPECT_EQ(objects("configs").count("skep-default-lease"), 0U);
}

}  // namespace
}  // namespace skep::e2e
