#include <gmock/gmock.h>

#include "tests/reconciler/world.hpp"

namespace skep::reconciler {
namespace {

using namespace std::chrono;
using testing::HasSubstr;

/// It is Tuesday, 14 November 2023, 22:13 UTC there.
class WindowsOfStacks : public tests::WorldTest {
 protected:
  void SetUp() override {
    world.files["apps/a/docker-compose.yml"] = tests::one_service("a:1");
    world.files["apps/b/docker-compose.yml"] = tests::one_service("b:1");
    world.commit();
    settle();
    world.files["apps/a/skep.yaml"] = "windows: [{ deny: '0 20 * * 2', duration: 10h }]\n";
    world.files["apps/a/docker-compose.yml"] = tests::one_service("a:2");
    world.files["apps/b/docker-compose.yml"] = tests::one_service("b:2");
    world.commit();
  }
  std::string image(const std::string& service) {
    return world.engine.state().find_service(service)->spec.task_template.container.image;
  }
};

TEST_F(WindowsOfStacks, AChangeIsHeldUntilTheWindowEnds) {
  const auto turn = settle();
  const auto& held = tests::World::status(turn, "a");
  EXPECT_EQ(image("a_web"), "a:1");
  EXPECT_EQ(image("b_web"), "b:2") << "another stack has no window";
  EXPECT_EQ(held.sync, ports::SyncState::out_of_sync);
  EXPECT_FALSE(held.held) << "no person is waited for";
  EXPECT_THAT(held.message, HasSubstr("apps/a/skep.yaml:1:11) until 2023-11-15 06:00 UTC"));
  EXPECT_THAT(held.message, HasSubstr("`skep sync a` does it now"));
  EXPECT_EQ(held.drift_cause, ports::DriftCause::pending) << "it is still seen";
  ASSERT_TRUE(turn.retry_at);
  EXPECT_EQ(duration_cast<minutes>(*turn.retry_at - world.clock.steady()).count(), 7 * 60 + 46);
  world.clock.advance(*turn.retry_at - world.clock.steady() > 0s
                          ? duration_cast<milliseconds>(*turn.retry_at - world.clock.steady())
                          : 0ms);
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image("a_web"), "a:2");
}

TEST_F(WindowsOfStacks, APersonMayDoItNow) {
  settle();
  world.agent().request("a");
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image("a_web"), "a:2");
}

TEST_F(WindowsOfStacks, WhatIsEditedByHandIsHealedInAWindowToo) {
  world.agent().request("a");
  settle();
  world.engine.edit_service(
      "a_web", [](swarm::ServiceSpec& spec) { spec.task_template.container.env = {"EVIL=1"}; });
  EXPECT_TRUE(settle().all_good());
  EXPECT_TRUE(world.engine.state().find_service("a_web")->spec.task_template.container.env.empty());
}

TEST_F(WindowsOfStacks, WhatIsEditedWhileACommitWaitsIsPutBackToTheCommitBefore) {
  settle();
  world.engine.edit_service(
      "a_web", [](swarm::ServiceSpec& spec) { spec.task_template.container.env = {"EVIL=1"}; });
  auto last = settle();
  const auto env = [&] {
    return world.engine.state().find_service("a_web")->spec.task_template.container.env;
  };
  EXPECT_TRUE(env().empty());
  EXPECT_EQ(image("a_web"), "a:1") << "the commit waits";
  EXPECT_EQ(tests::World::status(last, "a").sync, ports::SyncState::out_of_sync);
  EXPECT_THAT(tests::World::status(last, "a").message, HasSubstr("`skep sync a` does it now"));
  ASSERT_TRUE(world.engine.remove_service(world.engine.state().find_service("a_web")->id, {}));
  world.restart_agent();
  last = settle();
  EXPECT_EQ(image("a_web"), "a:1") << "it came back";
  EXPECT_EQ(tests::World::status(last, "a").health, ports::Health::healthy);
  const auto writes = world.engine.write_count();
  settle();
  EXPECT_EQ(world.engine.write_count(), writes);
  world.clock.advance(8h);
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image("a_web"), "a:2");
}

TEST_F(WindowsOfStacks, WhatIsHeldIsShownAgainAfterAnEditWasHealedAndIsAsOldAsBefore) {
  const auto since = tests::World::status(settle(), "a").drift_since;
  ASSERT_TRUE(since);
  world.clock.advance(10min);
  world.engine.edit_service(
      "a_web", [](swarm::ServiceSpec& spec) { spec.task_template.container.env = {"EVIL=1"}; });
  const auto held = tests::World::status(settle(), "a");
  EXPECT_EQ(held.drift_cause, ports::DriftCause::pending);
  EXPECT_EQ(held.drift_since, since);
  ASSERT_TRUE(held.plan);
  EXPECT_FALSE(held.plan->actions.empty());
}

TEST_F(WindowsOfStacks, WhereSelfHealIsOffNothingIsPutBack) {
  world.files["apps/a/skep.yaml"] += "self_heal: false\n";
  world.commit();
  settle();
  world.engine.edit_service(
      "a_web", [](swarm::ServiceSpec& spec) { spec.task_template.container.env = {"EVIL=1"}; });
  const auto last = settle();
  EXPECT_FALSE(
      world.engine.state().find_service("a_web")->spec.task_template.container.env.empty());
  EXPECT_EQ(tests::World::status(last, "a").sync, ports::SyncState::out_of_sync);
}

TEST_F(WindowsOfStacks, ARestartOfTheAgentDoesNotLetAHeldChangeThrough) {
  settle();
  world.restart_agent();
  settle();
  EXPECT_EQ(image("a_web"), "a:1");
}

TEST_F(WindowsOfStacks, WindowsOfTheDefaultsHoldRemovalsToo) {
  world.files["skep.yaml"] =
      "defaults: { resolve_image: never, windows: [{ deny: '0 20 * * 2', duration: 10h }] }\n";
  world.files.erase("apps/a/docker-compose.yml");
  world.files.erase("apps/a/skep.yaml");
  world.files["apps/c/docker-compose.yml"] = tests::one_service("c:1", "other");
  world.commit();
  auto turn = settle();
  EXPECT_THAT(tests::World::status(turn, "a").message, HasSubstr("its removal is held by"));
  EXPECT_NE(world.engine.state().find_service("a_web"), nullptr);
  EXPECT_EQ(world.engine.state().find_service("c_other"), nullptr);
  EXPECT_THAT(tests::World::status(turn, "a").message, HasSubstr("`skep sync a` does it now"));
  world.agent().request("a");
  settle();
  EXPECT_EQ(world.engine.state().find_service("a_web"), nullptr);
}

}  // namespace
}  // namespace skep::reconciler
