#include <future>

#include "tests/e2e/e2e.hpp"
#include "tests/paths.hpp"

namespace skep::e2e {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// The agent as users run it: a service of the swarm, from the image.
class AgentImage : public EndToEnd {
 protected:
  /// Without a socket of its own on this host, `skep` finds the agent through the engine.
  [[nodiscard]] nlohmann::json status() const {
    const auto shown = skep({"status", "-o", "json", "--socket", "/not/there.sock"});
    auto json = nlohmann::json::parse(shown.out, nullptr, false);
    return json.is_object() ? json : nlohmann::json();
  }
  static constexpr const char* kImage = "skep-test/agent:1";
  /// Once for all tests.
  void build() const {
    static const auto built = [this] {
      auto variables = environment();
      variables["SKEP_BINARY"] = binary();
      return lab::run({SKEP_SOURCE_DIR "/scripts/image", kImage}, variables);
    }();
    ASSERT_EQ(built.exit_code, 0) << built.err;
  }
  bool wait_until(const std::string& what, const std::function<bool(const nlohmann::json&)>& good) {
    nlohmann::json last;
    const bool came = eventually(
        [&] {
          last = status();
          return last.is_object() && good(last);
        },
        std::chrono::seconds(60));
    EXPECT_TRUE(came) << "in vain: " << what << "\n"
                      << last.dump(1) << engine().docker({"service", "logs", "agent"}).out
                      << engine().docker({"service", "ps", "--no-trunc", "agent"}).out;
    return came;
  }
};

TEST_F(AgentImage, DeploysHealsAndAnswersAsAServiceOfTheSwarm_Attack33) {
  build();
  repo->stack("shop", "services:\n  app: " + service(kImage1));
  auto commit = repo->push();
  // The leak check of a sanitized build needs a right that containers do not have.
  docker({"service",
          "create",
          "-q",
          "--detach",
          "--no-resolve-image",
          "--name=agent",
          "--constraint=node.role==manager",
          "--mount=type=bind,source=" + engine().socket() + ",target=/var/run/docker.sock",
          "--mount=type=bind,source=" + repo->bare() + ",target=/repo,readonly",
          "--env=SKEP_REPO=/repo",
          "--env=SKEP_REF=main",
          "--env=SKEP_INTERVAL=1s",
          "--env=ASAN_OPTIONS=detect_leaks=0",
          "skep-test/agent:1"});
  const auto healthy_at = [&](const nlohmann::json& status) {
    const auto shop = stack_of(status, "shop");
    return is(shop, "synced", "healthy") && shop.at("target_revision") == commit;
  };
  ASSERT_TRUE(wait_until("the first deployment", healthy_at));
  EXPECT_THAT(running_images("shop_app"), ElementsAre(kImage1));
  const auto shown = skep({"status", "shop", "--socket", "/not/there.sock"});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("apps/shop"));

  repo->stack("shop", "services:\n  app: " + service(kImage2));
  commit = repo->push("new tag");
  ASSERT_TRUE(wait_until("the new tag", healthy_at));
  EXPECT_THAT(running_images("shop_app"), ElementsAre(kImage2));

  docker({"service", "rm", "shop_app"});
  ASSERT_TRUE(eventually([this] { return running_images("shop_app").size() == 1; }));
  EXPECT_THAT(skep({"health", "--socket", "/not/there.sock"}).out, HasSubstr("ok"));
  EXPECT_EQ(skep({"sync", "shop", "--socket", "/not/there.sock"}).exit_code, 0);
  // The image's own check says so too, and the engine believes it.
  ASSERT_TRUE(eventually([this] {
    return docker({"ps", "--filter", "label=io.skep.agent", "--format", "{{.Status}}"})
               .find("(healthy)") != std::string::npos;
  }));
  // It ends when the engine asks it to, and does not have to be killed. Asked for beforehand: the
  // container of a task that is scaled away goes at once.
  const auto container = docker({"ps", "-q", "--filter", "label=io.skep.agent"});
  auto exit_code =
      std::async(std::launch::async, [this, id = container.substr(0, container.find('\n'))] {
        return docker({"wait", id});
      });
  docker({"service", "scale", "--detach", "agent=0"});
  EXPECT_EQ(exit_code.get(), "0\n");
  // Nothing but the program is in the image: no shell to break into.
  EXPECT_NE(engine().docker({"run", "--rm", "--entrypoint", "sh", "skep-test/agent:1"}).exit_code,
            0);
}

TEST_F(AgentImage, BootstrapPutsTheAgentThereAndCanBeRunAgain) {
  build();
  repo->stack("shop", "services:\n  app: " + service(kImage1));
  const auto commit = repo->push();
  const std::vector<std::string> words = {"bootstrap",
                                          "--image",
                                          kImage,
                                          "--repo",
                                          repo->bare(),
                                          "--ref",
                                          "main",
                                          "--interval",
                                          "1s",
                                          "--resolve-image",
                                          "never",
                                          "--engine-socket",
                                          engine().socket(),
                                          "--env",
                                          "ASAN_OPTIONS=detect_leaks=0"};
  auto printed = words;
  printed.emplace_back("--print");
  EXPECT_THAT(skep(printed).out, HasSubstr("\"SKEP_SELF_STACK\": \"skep\""));
  EXPECT_THAT(names("services"), testing::IsEmpty());
  auto wrong = words;
  wrong[4] = "/not/there.git";
  EXPECT_EQ(skep(wrong).exit_code, 1);
  EXPECT_THAT(names("services"), testing::IsEmpty()) << "the repository is looked at first";
  EXPECT_THAT(names("secrets"), testing::IsEmpty());

  const auto first = skep(words);
  ASSERT_EQ(first.exit_code, 0) << first.out << first.err;
  EXPECT_THAT(names("secrets"), ElementsAre("skep_digest_key"));
  ASSERT_TRUE(wait_until("the first deployment", [&](const nlohmann::json& status) {
    const auto shop = stack_of(status, "shop");
    return is(shop, "synced", "healthy") && shop.at("target_revision") == commit;
  }));
  const auto before = versions().at("services/skep_agent");
  const auto again = skep(words);
  EXPECT_EQ(again.exit_code, 0) << again.out << again.err;
  EXPECT_THAT(again.out, HasSubstr("nothing was written"));
  EXPECT_EQ(versions().at("services/skep_agent"), before);
}

TEST_F(AgentImage, BootstrapMakesADeployKeyAndWaitsUntilTheGitHostKnowsIt) {
  const auto key = (directory() / "deploy_key").string();
  const std::vector<std::string> words = {"bootstrap",
                                          "--image",
                                          kImage,
                                          "--repo",
                                          "ssh://git@127.0.0.1:1/ops/cluster.git",
                                          "--git-ssh-key",
                                          key,
                                          "--host-key",
                                          "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
  const auto first = skep(words);
  EXPECT_EQ(first.exit_code, 1) << "nobody is there";
  EXPECT_THAT(first.out, HasSubstr("ssh-ed25519 AAAA"));
  EXPECT_THAT(first.err, HasSubstr("run this again"));
  EXPECT_EQ(std::filesystem::status(key).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const auto second = skep(words);
  EXPECT_THAT(second.out, testing::Not(HasSubstr("ssh-ed25519"))) << "the same key stays";
  EXPECT_THAT(names("services"), testing::IsEmpty());
}

}  // namespace
}  // namespace skep::e2e
