#include "tests/reconciler/world.hpp"

namespace skep::reconciler {
namespace {

using ports::Health;
using tests::one_service;
using tests::World;

/// `app` is created when `db` runs.
const std::string kChain =
    "services:\n  db: {image: 'a:1'}\n"
    "  app: {image: 'a:1', depends_on: {db: {condition: service_healthy}}}\n";

TEST(Restart, AnAgentKilledWhileAServiceIsWaitedForGoesOnWithTheRest) {
  World world;
  world.files["apps/a/docker-compose.yml"] = kChain;
  world.commit();
  ASSERT_TRUE(world.agent().turn(world.desired(), {}));
  world.engine.set_running("a_db", 0);
  ASSERT_EQ(world.engine.state().services.size(), 1U);
  world.restart_agent();
  auto turn = world.agent().turn(world.desired(), {});
  ASSERT_TRUE(turn);
  EXPECT_FALSE(turn->wrote);
  EXPECT_TRUE(turn->moving) << "a task that starts sends no event: it has to look again";
  world.engine.set_running("a_db", std::nullopt);
  const auto last = world.settle();
  ASSERT_TRUE(last);
  EXPECT_TRUE(last->all_good());
  EXPECT_NE(world.engine.state().find_service("a_app"), nullptr);
}

TEST(Restart, WhatIsWaitedForInVainAfterARestartIsGivenUpAtTheDeadline) {
  World world;
  world.files["apps/a/docker-compose.yml"] = kChain;
  world.files["apps/a/skep.yaml"] = "timeout: 10s\n";
  world.commit();
  ASSERT_TRUE(world.agent().turn(world.desired(), {}));
  world.engine.set_running("a_db", 0);
  world.restart_agent();
  const auto last = world.settle();
  ASSERT_TRUE(last);
  EXPECT_GT(World::status(*last, "a").consecutive_failures, 0U);
}

TEST(Restart, ARolloutThatGoesOnIsFollowedUntilItIsHealthyButNotForEver) {
  World world;
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  world.files["apps/a/skep.yaml"] = "timeout: 10s\n";
  world.commit();
  ASSERT_TRUE(world.settle());
  world.engine.set_running("a_web", 0);
  world.restart_agent();
  auto turn = world.agent().turn(world.desired(), {});
  ASSERT_TRUE(turn);
  EXPECT_EQ(World::status(*turn, "a").health, Health::progressing);
  EXPECT_TRUE(turn->moving);
  world.clock.advance(std::chrono::seconds(11));
  turn = world.agent().turn(world.desired(), {});
  ASSERT_TRUE(turn);
  EXPECT_FALSE(turn->moving);
}

TEST(Restart, ADeploymentKilledBetweenTwoWritesIsFinishedWhereHandEditsAreLeftAlone) {
  const auto prepare = [](World& world) {
    world.files["apps/a/docker-compose.yml"] =
        "services:\n  web: {image: 'a:1', configs: [c]}\n  db: {image: 'a:1'}\n"
        "configs: {c: {file: c.txt}}\n";
    world.files["apps/a/c.txt"] = "x";
    world.files["apps/a/skep.yaml"] = "self_heal: false\n";
    world.commit();
  };
  World reference;
  prepare(reference);
  ASSERT_TRUE(reference.settle());
  const auto total = reference.engine.write_count();
  for (std::size_t writes = 0; writes < total; ++writes) {
    World victim;
    prepare(victim);
    victim.engine.fail_after(writes);
    victim.settle();
    victim.engine.recover();
    victim.restart_agent();
    const auto last = victim.settle();
    ASSERT_TRUE(last) << "after " << writes << " writes: " << victim.error;
    EXPECT_TRUE(last->all_good()) << "after " << writes
                                  << " writes: " << World::status(*last, "a").message;
    // What is edited from now on is left alone, by this agent and by the next one.
    victim.engine.edit_service(
        "a_web", [](swarm::ServiceSpec& spec) { spec.task_template.container.env = {"A=1"}; });
    victim.engine.clear_writes();
    ASSERT_TRUE(victim.settle());
    victim.restart_agent();
    ASSERT_TRUE(victim.settle());
    EXPECT_EQ(victim.engine.write_count(), 0U) << "after " << writes << " writes";
  }
}

TEST(Restart, AskingForAStackThatIsInSyncDoesNotLetTheNextEditThrough) {
  World world;
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  world.files["apps/a/skep.yaml"] = "self_heal: warn\n";
  world.commit();
  ASSERT_TRUE(world.settle());
  world.agent().request("a");
  ASSERT_TRUE(world.settle());
  world.engine.clear_writes();
  world.engine.edit_service(
      "a_web", [](swarm::ServiceSpec& spec) { spec.task_template.container.env = {"A=1"}; });
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.engine.write_count(), 0U) << "warn heals nothing";
  world.agent().request("a");
  const auto last = world.settle();
  ASSERT_TRUE(last);
  EXPECT_TRUE(last->all_good()) << "but on demand it does";
}

}  // namespace
}  // namespace skep::reconciler
