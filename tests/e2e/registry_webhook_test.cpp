#include <fstream>

#include "tests/e2e/e2e.hpp"

namespace skep::e2e {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kToken = "5f4e3d2c1b0a69788796a5b4c3d2e1f0";

/// An agent in the engine's network namespace, where the registry can reach it.
class WebhookOfRegistry : public EndToEnd {
 protected:
  /// Tags one of the lab's images and pushes it; its digest.
  std::string push(const std::string& what, const std::string& image) {
    docker({"tag", what, image});
    const auto pushed = docker({"push", image});
    const auto at = pushed.find("sha256:");
    EXPECT_NE(at, std::string::npos) << pushed;
    return at == std::string::npos ? "" : pushed.substr(at, 71);
  }
};

TEST_F(WebhookOfRegistry, APushOfTheSameTagRollsTheServiceThatFollowsIt) {
  const std::string address = "127.0.0.1:9921";
  const auto& registry = engine().registry("http://" + address + "/webhook/registry", kToken);
  ASSERT_FALSE(registry.address.empty());
  docker({"login", "-u", registry.user, "-p", registry.password, registry.address});
  const auto image = registry.address + "/apps/my-app:latest";
  const auto first = push(kImage1, image);
  repo->stack("web", "services:\n  app: " + service(image) + kHostNetwork);
  repo->write("apps/web/skep.yaml", "resolve_image: always\n");
  repo->stack("pinned", "services:\n  app: " + service(image) + kHostNetwork);
  repo->write("apps/pinned/skep.yaml", "resolve_image: changed\n");
  const auto commit = repo->push("follow a tag");
  std::ofstream(directory() / "token") << kToken << '\n';
  AgentProcess::Options options;
  options.repo = repo->bare();
  options.interval = "1h";
  options.told_of_pushes = false;
  options.directory = directory() / "agent";
  options.environment = environment();
  options.prefix = {"/usr/bin/nsenter",
                    "--target",
                    gitsync::test::read_file(engine().directory() + "/pid"),
                    "--net",
                    "--"};
  while (options.prefix[2].ends_with('\n')) options.prefix[2].pop_back();
  options.more = {"--webhook-secret-file",
                  "registry=" + (directory() / "token").string(),
                  "--listen-webhook",
                  address};
  agent = std::make_unique<AgentProcess>(std::move(options));
  ASSERT_TRUE(agent->wait_for_commit(commit));
  EXPECT_THAT(running_images("web_app"), ElementsAre(image + "@" + first));

  const auto second = push(kImage2, image);
  ASSERT_NE(first, second);
  EXPECT_TRUE(eventually([&] {
    return running_images("web_app") == std::vector<std::string>{image + "@" + second};
  })) << agent->log();
  EXPECT_THAT(running_images("pinned_app"), ElementsAre(image + "@" + first)) << "nobody asked";
  agent->wait_until("the roll-out's end", [](const nlohmann::json& status) {
    return is(stack_of(status, "web"), "synced", "healthy");
  });
  const auto webhooks = R"(provider="registry",result="accepted")";
  EXPECT_GE(agent->metric("skep_webhook_requests_total", webhooks), 1);
  EXPECT_EQ(agent->metric("skep_webhook_requests_total", R"(result="bad_signature")"), 0);
  EXPECT_EQ(agent->metric("skep_drift_detected_total"), 0) << "nobody edited anything";
  EXPECT_THAT(agent->log(), testing::Not(HasSubstr(kToken)));
}

}  // namespace
}  // namespace skep::e2e
