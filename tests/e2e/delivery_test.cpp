#include "tests/e2e/e2e.hpp"

namespace skep::e2e {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class Delivery : public EndToEnd {
 protected:
  [[nodiscard]] bool looks_for_leaks() const override { return true; }
  /// Three stacks with four services, a config, a secret.
  void deploy() {
    repo->write("management/proxy/docker-compose.yml", "services:\n  web: " + service(kImage1));
    repo->stack("shop",
                "services:\n  app: " + service(kImage1, "configs: [settings], secrets: [key]") +
                    "  worker: " + service(kImage1) +
                    "configs:\n  settings: { file: settings.txt }\n"
                    "secrets:\n  key: { file: key.txt }\n");
    repo->write("apps/shop/settings.txt", "a=1\n");
    repo->write("apps/shop/key.txt", "very secret\n");
    repo->stack("blog", "services:\n  app: " + service(kImage1));
    commit = repo->push("all");
    start_agent();
    ASSERT_TRUE(agent->wait_for_commit(commit));
  }
  std::string commit;
};

TEST_F(Delivery, APushedTagUpdatesExactlyThatServiceAndItsTasksRunTheNewImage) {
  deploy();
  ASSERT_THAT(names("services"), ElementsAre("blog_app", "proxy_web", "shop_app", "shop_worker"));
  const auto before = versions();
  repo->stack("blog", "services:\n  app: " + service(kImage2));
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(agent->wait_for_commit(repo->push("new tag")));
  std::cout << "from push to healthy: " << seconds_since(start) << " s\n";
  EXPECT_THAT(running_images("blog_app"), ElementsAre(kImage2));
  auto after = versions();
  for (const auto* moved : {"services/blog_app", "configs/skep-default-state"}) {
    EXPECT_NE(after.at(moved), before.at(moved)) << moved;
    after[moved] = before.at(moved);
  }
  EXPECT_EQ(after, before);
  EXPECT_EQ(agent->stack("blog").at("healthy_revision"),
            agent->stack("blog").at("target_revision"));
}

TEST_F(Delivery, ImixsChange13_ADocumentationOnlyCommitAndAPassWithoutChangeWriteNothingAtAll) {
  deploy();
  agent->wait_for_passes();
  const auto before = versions();
  const auto requests = agent->write_requests();
  EXPECT_GT(requests, 0) << "the count is no proof if it never counts";
  agent->wait_for_passes();
  EXPECT_EQ(agent->write_requests(), requests) << agent->metrics();
  EXPECT_EQ(versions(), before);

  repo->write("README.md", "words\n");
  repo->write("apps/shop/NOTES.md", "words\n");
  ASSERT_TRUE(agent->wait_for_commit(repo->push("words")));
  agent->wait_for_passes();
  EXPECT_EQ(agent->write_requests(), requests) << agent->metrics();
  EXPECT_EQ(versions(), before);
}

TEST_F(Delivery, ImixsChange6_AFixedLabelKeyRestartsNoTask) {
  const auto labelled = [](const std::string& key) {
    return "services:\n  app: { image: " + kImage1 +
           ", stop_signal: SIGKILL, deploy: { labels: { " + key + ": '80' } } }\n" + kHostNetwork;
  };
  repo->stack("blog", labelled("trafik.port"));
  commit = repo->push("all");
  start_agent();
  ASSERT_TRUE(agent->wait_for_commit(commit));
  const auto before = tasks("blog_app");
  repo->stack("blog", labelled("traefik.port"));
  ASSERT_TRUE(agent->wait_for_commit(repo->push("typo")));
  EXPECT_EQ(tasks("blog_app"), before);
  EXPECT_TRUE(objects("services").at("blog_app").at("Spec").at("Labels").contains("traefik.port"));
}

TEST_F(Delivery, AStartedAgainAgentWithAnEmptyDiskWritesNothing) {
  deploy();
  agent->wait_for_passes();
  const auto before = versions();
  EXPECT_EQ(agent->stop(), 0);
  std::filesystem::remove_all(directory() / "agent" / "state");
  agent->start();
  ASSERT_TRUE(agent->wait_for_commit(commit));
  agent->wait_for_passes();
  EXPECT_EQ(agent->write_requests(), 0) << agent->metrics();
  EXPECT_EQ(versions(), before);
}

TEST_F(Delivery, AChangedConfigAndSecretRotateAndTheOldOnesStayForARollback) {
  deploy();
  repo->write("apps/shop/settings.txt", "a=2\n");
  repo->write("apps/shop/key.txt", "another secret\n");
  ASSERT_TRUE(agent->wait_for_commit(repo->push("new settings")));
  const auto app = objects("services").at("shop_app").at("Spec").at("TaskTemplate");
  const auto& container = app.at("ContainerSpec");
  const std::string config = container.at("Configs").at(0).at("ConfigName");
  const std::string secret = container.at("Secrets").at(0).at("SecretName");
  EXPECT_THAT(config, testing::MatchesRegex("shop_settings-[0-9a-f]{8}"));
  EXPECT_THAT(secret, testing::MatchesRegex("shop_key-[0-9a-f]{8}"));
  EXPECT_EQ(container.at("Configs").at(0).at("File").at("Name"), "settings");
  EXPECT_EQ(container.at("Secrets").at(0).at("File").at("Name"), "key");
  // PreviousSpec cites the old ones: without them `docker service rollback` would fail.
  EXPECT_THAT(names("configs"), testing::Contains("shop_settings"));
  EXPECT_THAT(names("secrets"), testing::Contains("shop_key"));
  agent->wait_for_passes();
  const auto requests = agent->write_requests();
  agent->wait_for_passes();
  EXPECT_EQ(agent->write_requests(), requests);
  EXPECT_THAT(agent->log(), testing::Not(HasSubstr("another secret")));
  EXPECT_THAT(agent->metrics(), testing::Not(HasSubstr("another secret")));
}

TEST_F(Delivery, ServicesStartWhenWhatTheyDependOnRuns) {
  repo->stack("chain",
              "services:\n  db: " + service(kImage1) + "  app: " +
                  service(kImage1, "depends_on: { db: { condition: service_healthy } }"));
  start_agent();
  ASSERT_TRUE(agent->wait_for_commit(repo->push()));
  const auto created = [this](const std::string& name) {
    return objects("services").at(name).at("CreatedAt").get<std::string>();
  };
  std::string running;
  for (const auto& task : get(R"(/tasks?filters={"service":["chain_db"]})"))
    running = task.at("Status").at("Timestamp");
  EXPECT_LT(running, created("chain_app"));
}

TEST_F(Delivery, WhatRunsOnceIsWaitedForAndNotRunAgain) {
  repo->stack(
      "once",
      "services:\n  init: { image: " + kImage1 + ", command: [sh, -c, 'sleep 1'] }\n  app: " +
          service(kImage1, "depends_on: { init: { condition: service_completed_successfully } }"));
  start_agent();
  ASSERT_TRUE(agent->wait_for_commit(repo->push())) << agent->log();
  const auto runs = get(R"(/tasks?filters={"service":["once_init"]})");
  ASSERT_EQ(runs.size(), 1U) << "it was started again";
  EXPECT_EQ(runs[0].at("Status").at("State"), "complete");
  agent->wait_for_passes();
  const auto requests = agent->write_requests();
  agent->wait_for_passes();
  EXPECT_EQ(agent->write_requests(), requests);
}

TEST_F(Delivery, MetricsAndHealthAreServedOverTcpToo) {
  deploy();
  const auto log = agent->log();
  const std::string mark = "http://127.0.0.1:";
  auto at = log.find(mark);
  if (at == std::string::npos) at = log.find("127.0.0.1:");
  ASSERT_NE(at, std::string::npos) << log;
  const auto address = log.substr(log.find("127.0.0.1:", at), 15);
  const auto digits = address.substr(10, address.find_first_not_of("0123456789", 10) - 10);
  const auto url = "http://127.0.0.1:" + digits;
  const auto fetch = [&](const std::string& path) {
    return lab::run({"curl", "-s", "-w", " %{http_code}", "--max-time", "10", url + path}).out;
  };
  EXPECT_THAT(fetch("/healthz"), HasSubstr(" 200"));
  EXPECT_THAT(fetch("/readyz"), HasSubstr(" 200"));
  const auto metrics = fetch("/metrics");
  for (const auto* family : {"skep_build_info{",
                             "skep_docker_up 1",
                             R"(skep_stack_sync_state{stack="apps/shop",state="synced"} 1)",
                             R"(skep_stack_health_state{stack="apps/shop",state="healthy"} 1)",
                             "skep_stack_last_sync_success{stack=\"apps/shop\"} 1",
                             "skep_git_last_success_timestamp_seconds",
                             "skep_reconcile_duration_seconds_count"}) {
    EXPECT_THAT(metrics, HasSubstr(family));
  }
  EXPECT_EQ(skep({"status", "--server", url}).exit_code, 0);
  const auto refused = skep({"sync", "--server", url});
  EXPECT_EQ(refused.exit_code, 1) << "who has no token does not write over TCP";
}

}  // namespace
}  // namespace skep::e2e
