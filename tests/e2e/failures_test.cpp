#include "tests/e2e/e2e.hpp"

namespace skep::e2e {
namespace {

using testing::HasSubstr;

/// What goes wrong in a rollout: the right state and the engine's own reason, what runs goes on
/// running, and the next commit is carried out.
class Failures : public EndToEnd {
 protected:
  static std::string app(const std::string& image, const std::string& more) {
    return "services:\n  app: { image: " + image +
           ", stop_signal: SIGKILL, networks: [hostnet], deploy: { update_config: { monitor: 1s, "
           "order: start-first }, restart_policy: { delay: 100ms } " +
           more + " }\n" + "networks: { hostnet: { external: true, name: host } }\n";
  }
  void deploy() {
    repo->write("skep.yaml", "defaults: { resolve_image: never, timeout: 10s }\n");
    repo->stack("shop", app(kImage1, "}"));
    start_agent({"--settle", "5s"});  // A crashing task is up whenever one looks, now and then.
    ASSERT_TRUE(agent->wait_for_commit(repo->push()));
  }
  /// Pushes `compose`, waits until that is given up, and looks for these words in what is said of
  /// it. The stack itself is well all the time, for it goes back.
  void fails(const std::string& what, const std::string& compose, const std::string& words) {
    SCOPED_TRACE(what);
    repo->stack("shop", compose);
    repo->push(what);
    const auto start = std::chrono::steady_clock::now();
    ASSERT_TRUE(agent->wait_until(
        "it is given up",
        [&](const nlohmann::json& status) {
          const auto stack = stack_of(status, "shop");
          return stack.is_object() && stack.at("held") == true &&
                 stack.at("message").get<std::string>().find("rolled back to") != std::string::npos;
        },
        std::chrono::seconds(60)));
    const auto stack = agent->stack("shop");
    std::cout << what << ": " << seconds_since(start) << " s: " << stack.at("message") << "\n";
    EXPECT_THAT(stack.at("message").get<std::string>(), HasSubstr(words));
    EXPECT_THAT(stack.at("message").get<std::string>(), HasSubstr("`skep sync shop` resumes"));
    ASSERT_TRUE(agent->wait_until("what ran before is well", [](const nlohmann::json& status) {
      return stack_of(status, "shop").at("health") == "healthy";
    }));
    EXPECT_THAT(running_images("shop_app"), testing::Contains(kImage1));
    repo->stack("shop", app(kImage1, "}, environment: { AFTER: '" + what + "' }"));
    ASSERT_TRUE(agent->wait_for_commit(repo->push("mended: " + what)));
  }
};

TEST_F(Failures, OfARolloutAreToldInTheEnginesWordsUndoneAndEndedByTheNextCommit) {
  deploy();
  fails("a bad image", app("skep-test/no-such:1", "}"), "No such image: skep-test/no-such:1");
  fails("a crashing command", app(kImage1, "}, command: [sh, -c, 'exit 7']"), "non-zero exit (7)");
  fails("a failing health check",
        app(kImage1,
            "}, healthcheck: { test: [CMD, 'false'], interval: 500ms, timeout: 1s, retries: 2 }"),
        "unhealthy");
  fails("a constraint that no node meets",
        app(kImage1, ", placement: { constraints: [node.labels.none == such] } }"),
        "no suitable node");
}

TEST_F(Failures, AMissingExternalSecretIsBlockedBeforeAnyWriteAndGoesOnWhenItIsThere) {
  deploy();
  const auto before = versions();
  repo->stack("shop",
              app(kImage2, "}, secrets: [key]") +
                  "secrets: { key: { external: true, name: made_by_hand } }\n");
  const auto commit = repo->push("needs a secret");
  ASSERT_TRUE(agent->wait_until("blocked", [](const nlohmann::json& status) {
    const auto stack = stack_of(status, "shop");
    return stack.at("sync") == "out_of_sync" &&
           stack.at("message").get<std::string>().find("made_by_hand") != std::string::npos;
  }));
  EXPECT_EQ(agent->stack("shop").at("health"), "healthy");
  EXPECT_EQ(agent->stack("shop").at("consecutive_failures"), 0);
  EXPECT_EQ(versions(), before);
  docker({"secret", "create", "made_by_hand", "-"}, "value");
  ASSERT_TRUE(agent->wait_for_commit(commit)) << "an event of the swarm is enough";
  EXPECT_TRUE(eventually([this] {  // The engine may still call the task before it running.
    return running_images("shop_app") == std::vector<std::string>{kImage2};
  }));
}

/// What the engine cannot change in place, carried out where that is allowed.
class Replacement : public EndToEnd {
 protected:
  static std::string text(const std::string& network, const std::string& mode) {
    return "services:\n  app: { image: " + kImage1 +
           ", stop_signal: SIGKILL, networks: [own], deploy: { restart_policy: { delay: 100ms }" +
           mode + " } }\n  other: " + service(kImage1, "networks: [hostnet]") +
           "networks: { own: " + network + ", hostnet: { external: true, name: host } }\n";
  }
};

TEST_F(Replacement,
       ImixsChange12_OfANetworkAndOfAServicesModeIsCarriedOutWhereItIsAllowedAndElseSaid) {
  repo->stack("shop", text("{}", ""));
  start_agent();
  ASSERT_TRUE(agent->wait_for_commit(repo->push()));
  const auto network = objects("networks").at("shop_own").at("Id");
  const auto other = objects("services").at("shop_other").at("ID");

  repo->stack("shop", text("{ attachable: true }", ""));
  repo->push("the network changes");
  ASSERT_TRUE(agent->wait_until("it is said", [](const nlohmann::json& status) {
    const auto stack = stack_of(status, "shop");
    return stack.at("plan").is_object() &&
           stack.at("plan").at("notes").dump().find("replace: allowed") != std::string::npos;
  }));
  EXPECT_EQ(objects("networks").at("shop_own").at("Id"), network);

  repo->write("apps/shop/skep.yaml", "replace: allowed\n");
  const auto planned = skep({"plan", "--repo", repo->tree()});
  auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(agent->wait_for_commit(repo->push("and may be replaced")));
  std::cout << "network replaced: " << seconds_since(start) << " s\n";
  EXPECT_NE(objects("networks").at("shop_own").at("Id"), network);
  EXPECT_EQ(objects("networks").at("shop_own").at("Attachable"), true);
  EXPECT_THAT(planned.out, HasSubstr("shop_own")) << planned.err;

  const auto app = objects("services").at("shop_app").at("ID");
  repo->stack("shop", text("{ attachable: true }", ", mode: global"));
  start = std::chrono::steady_clock::now();
  ASSERT_TRUE(agent->wait_for_commit(repo->push("the mode changes")));
  std::cout << "mode replaced: " << seconds_since(start) << " s\n";
  EXPECT_NE(objects("services").at("shop_app").at("ID"), app);
  EXPECT_TRUE(objects("services").at("shop_app").at("Spec").at("Mode").contains("Global"));
  EXPECT_EQ(objects("services").at("shop_other").at("ID"), other) << "it has no part in it";
}

}  // namespace
}  // namespace skep::e2e
