#include "diff/render.hpp"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support.hpp"
#include "tests/paths.hpp"

namespace skep::diff {
namespace {

using testing::SimulatedSwarm;

/// Compares with the golden file, or rewrites it with SKEP_UPDATE_GOLDEN=1 (and is then skipped).
void expect_golden(const std::string& name, const std::string& text) {
  if (std::getenv("SKEP_UPDATE_GOLDEN") != nullptr) {  // NOLINT(concurrency-mt-unsafe)
    std::ofstream(std::string(SKEP_SOURCE_DIR) + "/tests/testdata/diff/" + name) << text;
    GTEST_SKIP() << "rewrote " << name;
  }
  EXPECT_EQ(text, testing::testdata("diff/" + name));
}

/// The plan of the contract's example: an update, a rotated config, a removal.
Plan example() {
  SimulatedSwarm swarm;
  auto policy = swarm.policy();
  policy.prune = policy.prune_objects = true;
  auto stack = testing::stack("MY-APP");
  auto& app = testing::add_service(stack, "app", "my-registry.com:8300/apps/my-app:1.0.0");
  app.mode.replicated->replicas = 2;
  app.task_template.container.env = {"DB_PASSWORD=hunter2"};
  testing::add_config(stack, "nginx", "one");
  testing::cite_config(app, "MY-APP_nginx", "/etc/nginx.conf");
  testing::add_service(stack, "db");
  testing::mount_volume(testing::add_service(stack, "worker"), "MY-APP_data");
  swarm.apply(plan(stack, swarm.state, policy));
  auto& spec = stack.services.at("app").spec;
  spec.labels[testing::kImage] = "my-registry.com:8300/apps/my-app:1.1.0";
  spec.task_template.container.image = "my-registry.com:8300/apps/my-app:1.1.0";
  spec.task_template.container.env = {"DB_PASSWORD=hunter3", "LOG_LEVEL=info"};
  spec.task_template.resources->limits.emplace();
  spec.task_template.resources->limits->memory_bytes = 512 << 20;
  stack.configs.at("nginx").data = "two";
  stack.services.erase("worker");
  stack.external_networks["proxy"] = {"apps/MY-APP/docker-compose.yml", 14, 7};
  return plan(stack, swarm.state, policy);
}

TEST(PlanText, IsWhatAReviewerReadsOnce) {
  expect_golden("example.txt", to_text(example(), "apps/MY-APP"));
}
TEST(PlanMarkdown, IsFenced) { expect_golden("example.md", to_markdown(example(), "apps/MY-APP")); }
TEST(PlanJson, HasTheDocumentedForm) {
  const auto text = to_json(example(), "apps/MY-APP");
  expect_golden("example.json", nlohmann::ordered_json::parse(text).dump(2) + "\n");
}

TEST(PlanText, NeverShowsACredential) {
  const auto made = example();
  for (const auto& text : {to_text(made, "t"), to_markdown(made, "t"), to_json(made, "t")}) {
    EXPECT_EQ(text.find("hunter"), std::string::npos);
    EXPECT_NE(text.find("DB_PASSWORD"), std::string::npos);
  }
}

TEST(PlanText, OfNothingSaysSo) {
  Plan clean;
  clean.stack = swarm::StackName::parse("s").value();
  clean.untouched = {"web"};
  EXPECT_EQ(to_text(clean, "apps/s"), "apps/s   no changes\n");
  EXPECT_EQ(to_markdown(clean, "apps/s"), "**`apps/s`** no changes\n");
  EXPECT_EQ(summary(clean), "");
}

TEST(PlanText, IsColouredOnlyWhenAsked) {
  EXPECT_EQ(to_text(example(), "t").find('\x1b'), std::string::npos);
  EXPECT_NE(to_text(example(), "t", {true}).find("\x1b[32m+"), std::string::npos);
}

/// What a hostile repository may put into names and values (attack 22).
Plan hostile() {
  SimulatedSwarm swarm;
  auto stack = testing::stack("s");
  auto& web = testing::add_service(stack, "web");
  swarm.apply(plan(stack, swarm.state, swarm.policy()));
  web.task_template.container.env = {"A=```\n@everyone \x1b]0;x\x07 ````` </details>"};
  web.labels["b\x1b[2J"] = "\u202eevil\n+ service other";
  return plan(stack, swarm.state, swarm.policy());
}

TEST(PlanText, CannotBeForgedByItsContent_Attack22) {
  const auto text = to_text(hostile(), "a\x1b[1m\nb");
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find("\u202e"), std::string::npos);
  EXPECT_EQ(text.find("\n+ service other"), std::string::npos);
}

TEST(PlanMarkdown, CannotBeForgedByItsContent_Attack22) {
  const auto text = to_markdown(hostile(), "x` @everyone <b>");
  const auto first = text.find("``````diff\n");
  ASSERT_NE(first, std::string::npos) << text;
  EXPECT_EQ(text.find("``````", first + 6), text.size() - 7) << "the fence ends at the end only";
  EXPECT_EQ(text.find("x`"), std::string::npos);
}

TEST(PlanJson, IsValidWhateverTheContent) {
  EXPECT_TRUE(nlohmann::json::accept(to_json(hostile(), "\"\\\x01\n")));
}

TEST(PlanSummary, SaysWhereARestartIsNoRollingOne) {
  const auto of = [](std::uint64_t replicas, std::uint64_t parallelism, const std::string& order) {
    SimulatedSwarm swarm;
    auto stack = testing::stack("s");
    auto& web = testing::add_service(stack, "web");
    if (replicas == 0) {
      web.mode = {};
      web.mode.global.emplace();
    } else {
      web.mode.replicated->replicas = replicas;
    }
    web.update_config.emplace();
    web.update_config->parallelism = parallelism;
    web.update_config->order = order;
    swarm.apply(plan(stack, swarm.state, {}));
    stack.services.at("web").spec.task_template.container.env = {"A=1"};
    return summary(plan(stack, swarm.state, {}));
  };
  EXPECT_EQ(of(2, 1, "stop-first"), "rolling restart of web (2 tasks)");
  EXPECT_EQ(of(2, 0, "stop-first"), "restart of web (all 2 tasks at once: a short downtime)");
  EXPECT_EQ(of(2, 0, "start-first"), "restart of web (all 2 tasks at once)");
  EXPECT_EQ(of(3, 4, "stop-first"), "restart of web (all 3 tasks at once: a short downtime)");
  EXPECT_EQ(of(1, 1, "stop-first"), "restart of web (1 task: a short downtime)");
  EXPECT_EQ(of(1, 0, "start-first"), "rolling restart of web (1 task)");
  EXPECT_EQ(of(0, 1, "stop-first"), "rolling restart of web (on every node)");
  EXPECT_EQ(of(0, 0, "stop-first"), "restart of web (on every node at once: a short downtime)");
}

TEST(PlanSummary, CountsWhatItCannotName) {
  SimulatedSwarm swarm;
  auto stack = testing::stack("s");
  for (int i = 0; i < 20; ++i) testing::add_service(stack, "svc" + std::to_string(i));
  EXPECT_NE(summary(plan(stack, swarm.state, {})).find("and 14 more"), std::string::npos);
}

}  // namespace
}  // namespace skep::diff
