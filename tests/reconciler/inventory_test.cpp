#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reconciler/observation/health.hpp"
#include "swarm/labels.hpp"
#include "tests/reconciler/world.hpp"

// What observers are told of tasks that failed and of objects that serve nobody.
namespace skep::tests {
namespace {

using diff::ObjectKind;

struct InventoryTold final : ports::Observer {
  void task_failed(const ports::TaskFailure& failure) override {
    failures.push_back(failure.stack + " " + failure.service + " " + failure.reason);
  }
  void inventoried(const ports::Inventory& now) override { inventory = now; }
  void wrote(const ports::WriteReport& report) override { rotations += report.rotation ? 1 : 0; }
  std::vector<std::string> failures;
  ports::Inventory inventory;
  int rotations = 0;
};

struct ReasonCase {
  const char* name;
  const char* state;
  const char* error;
  std::int64_t exit_code;
  const char* reason;
};

class FailureReason : public testing::TestWithParam<ReasonCase> {};

TEST_P(FailureReason, IsOneOfAFewWords) {
  swarm::Task task;
  task.state = GetParam().state;
  task.error = GetParam().error;
  task.exit_code = GetParam().exit_code;
  EXPECT_EQ(reconciler::failure_reason(task), GetParam().reason);
}

// The words of engine 20.10 and 26.1.
INSTANTIATE_TEST_SUITE_P(
    Tasks,
    FailureReason,
    testing::Values(
        ReasonCase{"exit", "failed", "task: non-zero exit (7)", 7, "nonzero_exit"},
        ReasonCase{"unhealthy",
                   "failed",
                   "task: non-zero exit (137): dockerexec: unhealthy container",
                   137,
                   "unhealthy"},
        ReasonCase{"no_image", "rejected", "No such image: skep-test/no-such:1", 0, "image"},
        ReasonCase{"rejected", "rejected", "invalid mount config for type \"bind\"", 0, "rejected"},
        ReasonCase{"start", "failed", "starting container failed: no such device", 0, "other"},
        ReasonCase{"node", "orphaned", "", 0, "node_down"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Inventory, ATaskThatFailedIsToldOnceHoweverOftenItIsSeen) {
  World world;
  InventoryTold told;
  world.listener = &told;
  world.files["apps/shop/docker-compose.yml"] = one_service("busybox:1");
  world.commit();
  world.restart_agent();
  ASSERT_TRUE(world.settle());
  EXPECT_TRUE(told.failures.empty());
  world.engine.fail_tasks("shop_web", "task: non-zero exit (7)");
  for (int i = 0; i < 3; ++i) (void)world.agent().turn(world.desired(), {});
  EXPECT_THAT(told.failures, testing::ElementsAre("apps/shop shop_web nonzero_exit"));
}

TEST(Inventory, WhatNoStackClaimsIsAnOrphanAndWhatAnotherInstanceMadeIsNot) {
  World world;
  InventoryTold told;
  world.listener = &told;
  world.files["apps/shop/docker-compose.yml"] = one_service("busybox:1");
  world.commit();
  world.restart_agent();
  const auto make = [&](const std::string& name, swarm::StringMap labels) {
    swarm::ConfigSpec config;
    config.name = name;
    config.labels = std::move(labels);
    config.data = "page";
    ASSERT_TRUE(world.engine.create_config(config, {}));
  };
  const std::string stack(swarm::kStackLabel), instance(swarm::kInstanceLabel);
  make("stray_page", {{stack, "stray"}});
  make("other_page", {{stack, "other"}, {instance, "blue"}});
  make("plain", {});
  make("shop_own", {{stack, "shop"}});
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(told.inventory.orphaned[ObjectKind::config], 1U);
  EXPECT_EQ(told.inventory.orphaned[ObjectKind::service], 0U);
}

TEST(Inventory, AnOldGenerationIsStaleAsLongAsItIsThere) {
  World world;
  InventoryTold told;
  world.listener = &told;
  world.files["apps/shop/docker-compose.yml"] =
      "services: { web: { image: busybox:1, configs: [page] } }\nconfigs: { page: { file: page } "
      "}\n";
  world.files["apps/shop/page"] = "one\n";
  world.commit();
  world.restart_agent();
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(told.inventory.stale[ObjectKind::config], 0U);
  EXPECT_EQ(told.rotations, 0);
  world.files["apps/shop/page"] = "two\n";
  world.commit();
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(told.inventory.stale[ObjectKind::config], 1U) << "the previous spec cites it";
  EXPECT_EQ(told.rotations, 1);
}

}  // namespace
}  // namespace skep::tests
