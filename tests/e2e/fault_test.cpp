#include "tests/e2e/e2e.hpp"
#include "tests/gitsync/http_server.hpp"

namespace skep::e2e {
namespace {

using testing::HasSubstr;

/// Exit code 1 and one error in one paragraph, that says what it is about.
void expect_one_error(const lab::CommandOutput& done, const std::string& words) {
  EXPECT_EQ(done.exit_code, 1) << done.out << done.err;
  EXPECT_THAT(done.err, testing::StartsWith("skep: "));
  EXPECT_THAT(done.err, HasSubstr(words));
  EXPECT_EQ(std::count(done.err.begin(), done.err.end(), '\n'), 1) << done.err;
}

class Fault : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    repo->stack("shop", "services:\n  app: " + service(kImage1) + kHostNetwork);
    repo->push();
  }
  lab::CommandOutput plan(const std::string& url, std::vector<std::string> more = {}) {
    std::vector<std::string> words{"plan", "--repo", url};
    words.insert(words.end(), more.begin(), more.end());
    return skep(words);
  }
};

TEST_F(Fault, ARemoteThatCannotBeReachedIsOneError) {
  const auto port = std::to_string(gitsync::test::free_port());
  expect_one_error(plan("http://127.0.0.1:" + port + "/cluster.git"), "127.0.0.1:" + port);
  expect_one_error(plan("ssh://git@127.0.0.1:" + port + "/cluster.git",
                        {"--host-key", "SHA256:" + std::string(43, 'A')}),
                   "127.0.0.1:" + port);
  expect_one_error(plan("file:///not/there.git"), "/not/there.git");
  expect_one_error(plan("/not/there"), "/not/there");
}

TEST_F(Fault, AWrongCredentialIsOneErrorThatDoesNotTellIt) {
  gitsync::test::HttpServer::Options options;
  options.root = directory() / "git";
  options.user = "ada";
  options.password = "right";
  const gitsync::test::HttpServer server(options);
  const auto url = server.url("cluster.git");
  expect_one_error(plan(url), "cluster.git");
  gitsync::test::write_file(directory() / "wrong", "not-the-password\n");
  gitsync::test::write_file(directory() / "right", "right\n");
  const auto refused =
      plan(url, {"--git-user", "ada", "--git-password-file", (directory() / "wrong").string()});
  expect_one_error(refused, "cluster.git");
  EXPECT_THAT(refused.err, testing::Not(HasSubstr("not-the-password")));
  const auto accepted =
      plan(url, {"--git-user", "ada", "--git-password-file", (directory() / "right").string()});
  EXPECT_EQ(accepted.exit_code, 2) << accepted.err;
}

TEST_F(Fault, AMissingRefIsOneErrorThatNamesIt) {
  expect_one_error(plan(repo->bare(), {"--ref", "no-such-branch"}), "no-such-branch");
}

TEST_F(Fault, AnEngineThatIsNotAManagerIsRefusedBeforeAnything) {
  const lab::LabEngine single({"--no-swarm"});
  SKEP_NEEDS_ENGINE(single);
  for (const auto* verb : {"plan", "apply"}) {
    expect_one_error(skep({"-H", single.docker_host(), verb, "--repo", repo->bare()}),
                     "not a swarm manager");
  }
  repo->write("one.yml", "services:\n  app: " + service(kImage1));
  expect_one_error(
      skep({"-H", single.docker_host(), "deploy", "-c", repo->tree() + "/one.yml", "x"}),
      "docker swarm init");
  // The agent stays up, says so, and goes on when there is a swarm.
  AgentProcess::Options options;
  options.repo = repo->bare();
  options.directory = directory() / "agent";
  options.environment = environment();
  options.environment["DOCKER_HOST"] = single.docker_host();
  agent = std::make_unique<AgentProcess>(std::move(options));
  ASSERT_TRUE(agent->wait_until("it says that there is no manager", [](const nlohmann::json& s) {
    return s.at("docker_up") == false && !s.at("docker_error").get<std::string>().empty();
  }));
  const auto shown = skep({"status", "--socket", agent->socket()});
  EXPECT_EQ(shown.exit_code, 1);
  EXPECT_THAT(shown.out, HasSubstr("swarm manager"));
  ASSERT_EQ(single.docker({"swarm", "init", "--advertise-addr", "127.0.0.1"}).exit_code, 0);
  ASSERT_TRUE(agent->wait_until("it deploys", [](const nlohmann::json& status) {
    return is(stack_of(status, "shop"), "synced", "healthy");
  }));
  EXPECT_EQ(agent->metric("skep_docker_up"), 1);
  agent.reset();
}

TEST_F(Fault, AnEngineThatCannotBeReachedIsOneError) {
  expect_one_error(skep({"-H", "unix:///not/there.sock", "plan", "--repo", repo->bare()}),
                   "/not/there.sock");
  const auto port = std::to_string(gitsync::test::free_port());
  expect_one_error(skep({"-H", "tcp://127.0.0.1:" + port, "plan", "--repo", repo->bare()}),
                   "127.0.0.1:" + port);
  // This one shows the two lines to type instead.
  const auto refused = skep({"-H", "ssh://root@manager", "plan", "--repo", repo->bare()});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("ssh -nNT -L"));
}

TEST_F(Fault, ADirectoryThatIsNoneOrHoldsNoStackIsOneError) {
  expect_one_error(skep({"validate", (directory() / "none").string()}), "none");
  gitsync::test::write_file(directory() / "file", "text\n");
  expect_one_error(skep({"validate", (directory() / "file").string()}), "file");
  std::filesystem::create_directories(directory() / "empty");
  expect_one_error(skep({"validate", (directory() / "empty").string()}), "no stack found");
  expect_one_error(skep({"plan", "--repo", repo->bare(), "--path", "../x"}), "--path");
  expect_one_error(skep({"plan", "--repo", repo->bare(), "shopp"}), "did you mean shop?");
  expect_one_error(skep({"apply", "--repo", repo->bare(), "shopp"}), "did you mean shop?");
}

TEST_F(Fault, AnAgentThatIsNotThereIsOneErrorThatSaysWhereItWasLookedFor) {
  const auto socket = (directory() / "no.sock").string();
  for (const auto* verb : {"status", "health"})
    expect_one_error(skep({verb, "--socket", socket}), socket);
}

TEST_F(Fault, AnEngineThatGoesAwayMakesEverythingUnknownAndNothingElse) {
  auto second = std::make_unique<lab::LabEngine>();
  SKEP_NEEDS_ENGINE(*second);
  AgentProcess::Options options;
  options.repo = repo->bare();
  options.directory = directory() / "agent";
  options.environment = environment();
  options.environment["DOCKER_HOST"] = second->docker_host();
  agent = std::make_unique<AgentProcess>(std::move(options));
  ASSERT_TRUE(agent->wait_until("deployed", [](const nlohmann::json& status) {
    return is(stack_of(status, "shop"), "synced", "healthy");
  }));
  second.reset();
  ASSERT_TRUE(agent->wait_until("unknown", [](const nlohmann::json& status) {
    return status.at("docker_up") == false && is(stack_of(status, "shop"), "unknown", "unknown");
  }));
  EXPECT_EQ(agent->metric("skep_docker_up"), 0);
  EXPECT_EQ(agent->metric("skep_stack_sync_state", R"(stack="apps/shop",state="unknown")"), 1);
  const auto shown = skep({"status", "--socket", agent->socket()});
  EXPECT_EQ(shown.exit_code, 1);
  EXPECT_THAT(shown.out, HasSubstr("the swarm could not be read"));
}

}  // namespace
}  // namespace skep::e2e
