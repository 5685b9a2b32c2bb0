#include "tests/e2e/e2e.hpp"

namespace skep::e2e {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Drift : public EndToEnd {
 protected:
  void deploy(const std::string& settings = "") {
    repo->stack("shop",
                "services:\n  app: " + service(kImage1, "environment: { A: one }") +
                    "  other: " + service(kImage1) + kHostNetwork);
    if (!settings.empty()) repo->write("apps/shop/skep.yaml", settings);
    start_agent();
    ASSERT_TRUE(agent->wait_for_commit(repo->push()));
    agent->wait_for_passes();
    spec = objects("services").at("shop_app").at("Spec");
  }
  /// What `docker service update` with these flags does lasts only as long as it is printed here.
  void heals(const std::string& what, const std::vector<std::string>& command) {
    SCOPED_TRACE(what);
    const auto other = objects("services").at("shop_other").at("Version");
    docker(command);
    const auto start = std::chrono::steady_clock::now();
    ASSERT_TRUE(eventually([this] {
      const auto services = objects("services");
      return services.count("shop_app") != 0 && services.at("shop_app").at("Spec") == spec;
    })) << agent->log();
    std::cout << what << ": healed " << seconds_since(start) << " s after the edit\n";
    ASSERT_TRUE(agent->wait_until("healthy again", [](const nlohmann::json& status) {
      return is(stack_of(status, "shop"), "synced", "healthy");
    }));
    EXPECT_EQ(objects("services").at("shop_other").at("Version"), other);
  }
  nlohmann::json spec;
};

TEST_F(Drift, AServiceEditedByHandIsHealedWhateverWasEdited) {
  deploy();
  heals("environment", {"service", "update", "--detach", "--env-add", "HAND=made", "shop_app"});
  heals("image",
        {"service", "update", "--detach", "--no-resolve-image", "--image", kImage2, "shop_app"});
  heals("replicas", {"service", "scale", "--detach", "shop_app=3"});
  heals("removed", {"service", "rm", "shop_app"});
  // The status that was read may be the one of before the removal, which took the agent
  // milliseconds.
  EXPECT_TRUE(eventually([this] { return running_images("shop_app") == std::vector{kImage1}; }));
  EXPECT_GE(agent->metric("skep_syncs_total", "trigger=\"drift\",result=\"success\""), 3)
      << agent->metrics();
}

TEST_F(Drift, AServiceEditedWhileItRollsIsHealedAtOnce) {
  deploy();
  repo->stack("shop",
              "services:\n  app: { image: " + kImage2 +
                  ", stop_signal: SIGKILL, environment: { A: one }, deploy: { replicas: 2, "
                  "update_config: { delay: 20s, monitor: 200ms } } }\n"
                  "  other: " +
                  service(kImage1) + kHostNetwork);
  repo->push("slow rollout");
  ASSERT_TRUE(eventually([this] {
    const auto app = objects("services").at("shop_app");
    return app.contains("UpdateStatus") && app.at("UpdateStatus").at("State") == "updating";
  }));
  docker({"service", "update", "--detach", "--env-add", "HAND=made", "shop_app"});
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(eventually(
      [this] {
        const auto app = objects("services").at("shop_app").at("Spec");
        return app.at("TaskTemplate").at("ContainerSpec").at("Env") == nlohmann::json{"A=one"};
      },
      std::chrono::seconds(10)))
      << agent->log();
  std::cout << "edited while updating: healed after " << seconds_since(start) << " s\n";
}

/// The engine shows its network until its last task has ended, and takes none of that name.
TEST_F(Drift, AStackThatSomebodyRemovedComesBackWithoutAFailure) {
  repo->stack("shop",
              "services: { app: { image: " + kImage1 +
                  ", command: [sleep, '9999'], stop_grace_period: 4s } }\n");
  start_agent();
  ASSERT_TRUE(agent->wait_for_commit(repo->push()));
  ASSERT_TRUE(agent->wait_until("deployed", [](const nlohmann::json& status) {
    return is(stack_of(status, "shop"), "synced", "healthy");
  }));
  const auto before = objects("services").at("shop_app").at("ID");
  docker({"stack", "rm", "shop"});
  // Mostly it waits for the network to go; an agent that is quicker than the CLI has made the
  // service on the old one, and moves it.
  ASSERT_TRUE(agent->wait_until("it is back", [&](const nlohmann::json& status) {
    if (!is(stack_of(status, "shop"), "synced", "healthy")) return false;
    const auto services = objects("services");
    return services.contains("shop_app") && services.at("shop_app").at("ID") != before;
  })) << agent->log();
  EXPECT_EQ(agent->metric("skep_syncs_total", "trigger=\"drift\",result=\"failure\""), 0)
      << agent->log();
  EXPECT_THAT(agent->log(), testing::Not(HasSubstr("could not be read")));
}

TEST_F(Drift, WhereSelfHealIsWarnTheDriftStaysVisible) {
  deploy("self_heal: warn\n");
  docker({"service", "update", "--detach", "--env-add", "HAND=made", "shop_app"});
  ASSERT_TRUE(agent->wait_until("the edit is seen", [](const nlohmann::json& status) {
    const auto stack = stack_of(status, "shop");
    return is(stack, "out_of_sync", "healthy") && stack.at("drift_cause") == "live";
  }));
  const auto shown = skep({"status", "shop", "--socket", agent->socket()});
  EXPECT_THAT(shown.out, HasSubstr("edited by hand since 20"));
  EXPECT_THAT(shown.out, HasSubstr("shop_app"));
  EXPECT_THAT(shown.out, HasSubstr("environment"));
  const auto metrics = agent->metrics();
  EXPECT_EQ(agent->metric("skep_stack_drift_resources",
                          R"(stack="apps/shop",kind="service",cause="live",change="modified")"),
            1)
      << metrics;
  EXPECT_THAT(metrics,
              HasSubstr(R"(skep_stack_sync_state{stack="apps/shop",state="out_of_sync"} 1)"));
  EXPECT_THAT(metrics, HasSubstr(R"(skep_stack_sync_state{stack="apps/shop",state="synced"} 0)"));
  EXPECT_NE(objects("services").at("shop_app").at("Spec"), spec) << "warn heals nothing";
  // A person may still ask for it.
  EXPECT_EQ(skep({"sync", "shop", "--socket", agent->socket()}).exit_code, 0);
  ASSERT_TRUE(agent->wait_until("healed on demand", [](const nlohmann::json& status) {
    return is(stack_of(status, "shop"), "synced", "healthy");
  }));
  EXPECT_EQ(objects("services").at("shop_app").at("Spec"), spec);
  EXPECT_EQ(agent->metric("skep_stack_drift_resources"), 0) << agent->metrics();
}

TEST_F(Drift, AServiceRolledBackByHandIsHeldUntilTheNextCommit) {
  deploy();
  repo->stack("shop",
              "services:\n  app: " + service(kImage2, "environment: { A: one }") +
                  "  other: " + service(kImage1) + kHostNetwork);
  ASSERT_TRUE(agent->wait_for_commit(repo->push("bad release")));
  docker({"service", "rollback", "--detach", "shop_app"});
  ASSERT_TRUE(agent->wait_until("held", [](const nlohmann::json& status) {
    return stack_of(status, "shop").at("held") == true;
  }));
  ASSERT_TRUE(eventually([this] {
    return objects("services").at("shop_app").at("UpdateStatus").at("State") ==
           "rollback_completed";
  }));
  agent->wait_until("still held", [](const nlohmann::json& status) {
    return stack_of(status, "shop").at("held") == true;
  });
  EXPECT_THAT(running_images("shop_app"), ElementsAre(kImage1));
  repo->stack("shop",
              "services:\n  app: " + service(kImage2, "environment: { A: two }") +
                  "  other: " + service(kImage1) + kHostNetwork);
  ASSERT_TRUE(agent->wait_for_commit(repo->push("good release")));
  EXPECT_THAT(running_images("shop_app"), ElementsAre(kImage2));
}

}  // namespace
}  // namespace skep::e2e
