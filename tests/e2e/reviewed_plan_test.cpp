#include <fstream>

#include "tests/e2e/e2e.hpp"

namespace skep::e2e {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class ReviewedPlan : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    write(kImage1, "first-password");
    repo->push();
    ASSERT_EQ(run("apply").exit_code, 0);
    write(kImage2, "second-password");
    repo->push();
  }
  void write(const std::string& image, const std::string& secret) {
    repo->stack("shop",
                "services:\n  app: " + service(image, "secrets: [s]") + kHostNetwork +
                    "secrets: { s: { file: s.txt } }\n");
    repo->write("apps/shop/s.txt", secret);
  }
  lab::CommandOutput run(const std::string& verb, std::vector<std::string> more = {}) {
    std::vector<std::string> words{verb, "--repo", repo->bare(), "--ref", "main"};
    words.insert(words.end(), more.begin(), more.end());
    return skep(words);
  }
  /// Saves the plan of this moment.
  std::string review() {
    const auto plan = run("plan", {"-o", "json"});
    EXPECT_EQ(plan.exit_code, 2) << plan.err;
    const auto file = (directory() / "plan.json").string();
    std::ofstream(file) << plan.out;
    return file;
  }
};

TEST_F(ReviewedPlan, IsCarriedOutExactly) {
  const auto file = review();
  const auto applied = run("apply", {"--plan", file});
  EXPECT_EQ(applied.exit_code, 0) << applied.err;
  EXPECT_THAT(running_images("shop_app"), ElementsAre(kImage2));
  EXPECT_EQ(run("plan").exit_code, 0);
  const auto again = run("apply", {"--plan", file});
  EXPECT_EQ(again.exit_code, 1) << "what was planned is done";
}

TEST_F(ReviewedPlan, IsRefusedWhenGitMovedSince_Attack28) {
  const auto file = review();
  repo->write("README.md", "words\n");
  repo->push();
  const auto before = versions();
  const auto applied = run("apply", {"--plan", file});
  EXPECT_EQ(applied.exit_code, 1);
  EXPECT_THAT(applied.err, HasSubstr("plan and review again"));
  EXPECT_EQ(versions(), before);
}

TEST_F(ReviewedPlan, IsRefusedWhenSomebodyEditedTheSwarmSince_Attack28) {
  const auto file = review();
  docker({"service", "update", "-q", "--detach", "--env-add", "HAND=made", "shop_app"});
  const auto applied = run("apply", {"--plan", file});
  EXPECT_EQ(applied.exit_code, 1);
  EXPECT_THAT(applied.err, HasSubstr("plan and review again"));
  EXPECT_EQ(objects("services")
                .at("shop_app")
                .at("Spec")
                .at("TaskTemplate")
                .at("ContainerSpec")
                .at("Image"),
            kImage1);
}

TEST_F(ReviewedPlan, OfAStackThatWentBackIsCarriedOutToo) {
  repo->write("apps/shop/skep.yaml", "timeout: 3s\nadopt: auto\n");
  write("skep-test/not-there:1", "first-password");
  repo->push("an image that nobody has");
  EXPECT_EQ(run("apply").exit_code, 1) << "the rollout fails, and the stack goes back";
  EXPECT_THAT(running_images("shop_app"), ElementsAre(kImage1));
  docker({"service", "update", "-q", "--detach", "--env-add", "HAND=made", "shop_app"});
  const auto file = review();
  const auto applied = run("apply", {"--plan", file});
  EXPECT_THAT(applied.err, Not(HasSubstr("plan and review again")));
  EXPECT_EQ(run("plan").exit_code, 0) << "it stays where it went back to";
}

TEST_F(ReviewedPlan, IsRefusedWhereItIsNone) {
  const auto file = (directory() / "plan.json").string();
  std::ofstream(file) << "{}";
  const auto applied = run("apply", {"--plan", file});
  EXPECT_EQ(applied.exit_code, 1);
  EXPECT_THAT(applied.err, HasSubstr("is no saved plan"));
  EXPECT_EQ(run("apply", {"--plan", "/not/there"}).exit_code, 1);
}

TEST_F(ReviewedPlan, IsAlsoMarkdownAndTextWithoutTheSecret) {
  for (const auto* format : {"text", "markdown", "json"}) {
    const auto plan = run("plan", {"-o", format});
    EXPECT_EQ(plan.exit_code, 2);
    EXPECT_THAT(plan.out, HasSubstr("2.0")) << format;
    EXPECT_THAT(plan.out, HasSubstr("s-")) << format;
    EXPECT_THAT(plan.out, testing::Not(HasSubstr("-password"))) << format;
  }
  const auto rendered = run("render", {"shop"});
  EXPECT_EQ(rendered.exit_code, 0) << rendered.err;
  EXPECT_THAT(rendered.out, HasSubstr(kImage2));
  EXPECT_THAT(rendered.out, testing::Not(HasSubstr("-password")));
}

}  // namespace
}  // namespace skep::e2e
