#include "tests/e2e/e2e.hpp"

namespace skep::e2e {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class Adoption : public EndToEnd {
 protected:
  /// The real CLI deploys what stands in the work tree, as people did before.
  void deploy_by_hand(const std::string& stack) {
    docker({"stack",
            "deploy",
            "--resolve-image",
            "never",
            "--detach=true",
            "-c",
            repo->tree() + "/apps/" + stack + "/docker-compose.yml",
            stack});
    ASSERT_TRUE(eventually([&] { return running_images(stack + "_app").size() == 1; }));
  }
  void write_shop(const std::string& image) {
    repo->stack("shop",
                "version: '3.8'\nservices:\n  app: " +
                    service(image, "environment: { A: one }, configs: [c], secrets: [s]") +
                    "configs:\n  c: { file: ./c.txt }\nsecrets:\n  s: { file: ./s.txt }\n");
    repo->write("apps/shop/c.txt", "c\n");
    repo->write("apps/shop/s.txt", "s\n");
  }
};

TEST_F(Adoption, AStackThatRunsAsGitSaysIsAdoptedWithoutAWriteOrARestart) {
  write_shop(kImage1);
  repo->stack("blog", "services:\n  app: " + service(kImage1));
  const auto commit = repo->push();
  deploy_by_hand("shop");
  deploy_by_hand("blog");
  const auto before = versions_at_rest();
  const auto shop = tasks("shop_app");
  const auto blog = tasks("blog_app");
  ASSERT_THAT(shop, SizeIs(1));
  start_agent();
  ASSERT_TRUE(agent->wait_for_commit(commit));
  agent->wait_for_passes();
  auto after = versions();
  EXPECT_EQ(after.erase("configs/skep-default-state"), 1U);
  EXPECT_EQ(after, before);
  EXPECT_EQ(tasks("shop_app"), shop);
  EXPECT_EQ(tasks("blog_app"), blog);
  // From now on they are ours: what leaves git goes.
  repo->remove("apps/blog");
  repo->push("blog is closed");
  ASSERT_TRUE(eventually([this] { return objects("services").count("blog_app") == 0; }));
  EXPECT_EQ(tasks("shop_app"), shop);
}

TEST_F(Adoption, AStackThatDiffersIsHeldWithItsPlanUntilItIsApproved) {
  write_shop(kImage1);
  deploy_by_hand("shop");
  write_shop(kImage2);
  repo->stack("other", "services:\n  app: " + service(kImage1));
  const auto commit = repo->push();
  const auto before = versions_at_rest();
  start_agent();
  ASSERT_TRUE(agent->wait_until("shop is held, the other goes on", [](const nlohmann::json& s) {
    const auto shop = stack_of(s, "shop");
    return shop.is_object() && shop.at("held") == true &&
           is(stack_of(s, "other"), "synced", "healthy");
  }));
  agent->wait_for_passes();
  const auto held = versions();
  for (const auto& [object, version] : before) EXPECT_EQ(held.at(object), version) << object;
  const auto shown = skep({"status", "shop", "--socket", agent->socket()});
  EXPECT_THAT(shown.out, HasSubstr("skep approve shop"));
  EXPECT_THAT(shown.out, HasSubstr("image"));
  EXPECT_EQ(agent->metric("skep_stack_held", "stack=\"apps/shop\""), 1);
  const auto plan = skep({"plan", "--repo", repo->bare(), "--ref", "main", "shop"});
  EXPECT_EQ(plan.exit_code, 2) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr("~ service app"));
  EXPECT_THAT(plan.out, HasSubstr(kImage1 + " → 2.0"));

  EXPECT_EQ(skep({"approve", "nothing", "--socket", agent->socket()}).exit_code, 1);
  EXPECT_EQ(skep({"approve", "other", "--socket", agent->socket()}).exit_code, 1)
      << "nothing of it waits";
  const auto approved = skep({"approve", "apps/shop", "--socket", agent->socket()});
  EXPECT_EQ(approved.exit_code, 0) << approved.err;
  ASSERT_TRUE(agent->wait_for_commit(commit));
  EXPECT_THAT(running_images("shop_app"), ElementsAre(kImage2));
  EXPECT_EQ(versions().at("configs/shop_c"), before.at("configs/shop_c"));
}

TEST_F(Adoption, ASecondInstanceDoesNotTakeAnothersStack) {
  repo->stack("shop", "services:\n  app: " + service(kImage1));
  start_agent();
  ASSERT_TRUE(agent->wait_for_commit(repo->push()));
  const auto before = versions();
  const auto plan =
      skep({"apply", "--instance", "second", "--approve", "--repo", repo->bare(), "--ref", "main"});
  EXPECT_EQ(plan.exit_code, 1);
  EXPECT_THAT(plan.out + plan.err, HasSubstr("belongs to the skep instance \"default\""));
  EXPECT_EQ(versions(), before);
}

TEST_F(Adoption, GoingBackToTheCliRestartsNothing) {
  write_shop(kImage1);
  start_agent();
  ASSERT_TRUE(agent->wait_for_commit(repo->push()));
  EXPECT_EQ(agent->stop(), 0);
  const auto before = tasks("shop_app");
  deploy_by_hand("shop");
  EXPECT_EQ(tasks("shop_app"), before);
}

}  // namespace
}  // namespace skep::e2e
