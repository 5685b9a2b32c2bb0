#include <csignal>

#include "tests/e2e/e2e.hpp"

namespace skep::e2e {
namespace {

using testing::ElementsAre;

class Interruption : public EndToEnd {};

TEST_F(Interruption, KilledAgainAndAgainInTheMiddleOfADeploymentItConverges) {
  // A chain, so that the deployment takes several turns, and objects of every kind.
  std::string compose = "services:\n";
  const int length = 5;
  for (int i = 0; i < length; ++i) {
    const auto need =
        "depends_on: { s" + std::to_string(i - 1) + ": { condition: service_healthy } }";
    compose += "  s" + std::to_string(i) + ": " +
               service(kImage1,
                       (i == 0 ? "networks: [hostnet]" : "networks: [hostnet], " + need) +
                           ", configs: [c], secrets: [s]");
  }
  compose +=
      "networks:\n  hostnet: { external: true, name: host }\n"
      "configs:\n  c: { file: c.txt }\nsecrets:\n  s: { file: s.txt }\n";
  repo->stack("chain", compose);
  repo->write("apps/chain/c.txt", "one\n");
  repo->write("apps/chain/s.txt", "one\n");
  auto commit = repo->push();
  start_agent();
  const auto services = [this] { return objects("services").size(); };
  int in_the_middle = 0;
  for (std::size_t there = 1; there < length; ++there) {
    ASSERT_TRUE(eventually([&] { return services() >= there; })) << agent->log();
    agent->kill();
    in_the_middle += services() < length ? 1 : 0;
    agent->start();
  }
  EXPECT_GE(in_the_middle, 2) << "the kills came too late to prove anything";
  ASSERT_TRUE(agent->wait_for_commit(commit));
  EXPECT_THAT(names("services"),
              ElementsAre("chain_s0", "chain_s1", "chain_s2", "chain_s3", "chain_s4"));
  EXPECT_THAT(names("configs"), ElementsAre("chain_c", "skep-default-state"));
  EXPECT_THAT(names("secrets"), ElementsAre("chain_s"));

  // And in the middle of an update that rotates: a secret's new name is random.
  repo->write("apps/chain/c.txt", "two\n");
  repo->write("apps/chain/s.txt", "two\n");
  commit = repo->push("new content");
  const auto secrets = [this] { return names("secrets").size(); };
  ASSERT_TRUE(eventually([&] { return secrets() > 1; })) << agent->log();
  agent->kill();
  agent->start();
  ASSERT_TRUE(agent->wait_for_commit(commit));
  EXPECT_THAT(names("configs"),
              ElementsAre("chain_c", testing::StartsWith("chain_c-"), "skep-default-state"));
  const auto all = objects("services");
  std::set<std::string> cited;
  for (const auto& [name, service] : all) {
    const auto& container = service.at("Spec").at("TaskTemplate").at("ContainerSpec");
    cited.insert(container.at("Secrets").at(0).at("SecretName"));
    EXPECT_THAT(container.at("Configs").at(0).at("ConfigName").get<std::string>(),
                testing::StartsWith("chain_c-"));
  }
  EXPECT_EQ(cited.count("chain_s"), 0U) << "somebody still has the old secret";
  agent->wait_for_passes();
  const auto before = versions();
  agent->wait_for_passes();
  EXPECT_EQ(versions(), before);
  // Old ones only stay while a service could be rolled back to them; nothing else is left over.
  for (const auto& secret : names("secrets")) {
    bool known = cited.count(secret) != 0;
    for (const auto& [name, service] : all) {
      known = known ||
              (service.contains("PreviousSpec") &&
               service.at("PreviousSpec").dump().find('"' + secret + '"') != std::string::npos);
    }
    EXPECT_TRUE(known) << secret << " is orphaned";
  }
}

TEST_F(Interruption, SigtermEndsWithinTenSecondsWhileARolloutIsGoingOn) {
  const auto slow = [](const std::string& image) {
    return "services:\n  app: { image: " + image +
           ", stop_signal: SIGKILL, deploy: { replicas: 3, update_config: { delay: 30s, monitor: "
           "200ms } } }\nnetworks: { default: { external: true, name: host } }\n";
  };
  repo->stack("slow", slow(kImage1));
  start_agent();
  ASSERT_TRUE(agent->wait_for_commit(repo->push()));
  repo->stack("slow", slow(kImage2));
  repo->push("slow rollout");
  ASSERT_TRUE(agent->wait_until("it rolls", [](const nlohmann::json& status) {
    const auto stack = stack_of(status, "slow");
    return stack.is_object() && stack.at("health") == "progressing" &&
           stack.at("services").at(0).at("update_state") == "updating";
  }));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(agent->stop(std::chrono::seconds(10)), 0) << agent->log();
  std::cout << "SIGTERM while rolling: ended after " << seconds_since(start) << " s\n";
  EXPECT_EQ(objects("services").at("slow_app").at("UpdateStatus").at("State"), "updating");
  agent->start();
  ASSERT_TRUE(agent->wait_until("it follows the same rollout", [](const nlohmann::json& status) {
    const auto stack = stack_of(status, "slow");
    return stack.is_object() && stack.at("health") == "progressing";
  }));
  EXPECT_EQ(agent->write_requests(), 0) << agent->metrics();
}

TEST_F(Interruption, SigtermEndsWhileGitAndTheRegistryDoNotAnswer) {
  const gitsync::test::SilentServer silent;
  AgentProcess::Options options;
  options.repo = "http://127.0.0.1:" + std::to_string(silent.port()) + "/cluster.git";
  options.directory = directory() / "agent";
  options.environment = environment();
  agent = std::make_unique<AgentProcess>(std::move(options));
  ASSERT_TRUE(eventually([this] { return agent->status().is_object(); }));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(agent->stop(std::chrono::seconds(10)), 0) << agent->log();
  std::cout << "SIGTERM while git hangs: ended after " << seconds_since(start) << " s\n";
}

}  // namespace
}  // namespace skep::e2e
