#include "repository/hooks.hpp"

#include <gmock/gmock.h>

#include "swarm/labels.hpp"
#include "tests/reconciler/world.hpp"

namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;
using fakes::Operation;
using ports::Health;
using testing::HasSubstr;
using tests::World;

class HooksTest : public tests::WorldTest {
 protected:
  void SetUp() override {
    write("1");
    world.files["apps/a/skep.yaml"] = "hooks: { pre_deploy: [service: migrate] }\n";
  }
  void write(const std::string& version) {
    world.files["apps/a/docker-compose.yml"] = "services:\n  web: { image: 'web:" + version +
                                               "' }\n  migrate: { image: 'migrate:" + version +
                                               "' }\n";
  }
  /// Order of the writes to services: "create a_migrate".
  std::vector<std::string> writes() {
    std::vector<std::string> names;
    for (const auto& write : world.engine.writes()) {
      if (write.operation == Operation::create_service) names.push_back("create " + write.name);
      if (write.operation == Operation::update_service) names.push_back("update " + write.name);
      if (write.operation == Operation::remove_service) names.push_back("remove " + write.name);
    }
    return names;
  }
};

TEST_F(HooksTest, APreDeployHookRunsAsAJobBeforeAnyService) {
  world.commit();
  EXPECT_TRUE(settle().all_good());
  EXPECT_THAT(writes(), testing::ElementsAre("create a_migrate", "create a_web"));
  const auto state = world.engine.state();
  const auto* job = state.find_service("a_migrate");
  ASSERT_NE(job, nullptr);
  EXPECT_TRUE(job->spec.mode.replicated_job);
  EXPECT_EQ(job->spec.task_template.restart_policy->condition, "none");
  EXPECT_EQ(world.engine.job_iterations("a_migrate"), 1U);
}

TEST_F(HooksTest, ItsDeadlineDoesNotHeedADayThatIsSet) {
  world.engine.hang_tasks_of_next("a_migrate");
  world.commit();
  turn();
  turn();
  ASSERT_EQ(image_of("a_migrate"), "migrate:1");
  world.clock.set_the_day(48h);
  turn();
  EXPECT_EQ(image_of("a_migrate"), "migrate:1") << "it was stopped in the middle";
  world.clock.set_the_day(-96h);
  world.clock.advance(1h);
  turn();
  turn();
  EXPECT_EQ(image_of("a_migrate"), "") << "its time is up all the same";
}

TEST_F(HooksTest, ItRunsOnceForEachContentAndNeverForAnEditOrARestart) {
  world.commit();
  settle();
  world.engine.clear_writes();
  settle();
  world.restart_agent();
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(world.engine.write_count(), 0U);
  world.engine.edit_service(
      "a_web", [](swarm::ServiceSpec& spec) { spec.task_template.container.env = {"EVIL=1"}; });
  settle();
  EXPECT_THAT(writes(), testing::ElementsAre("update a_web"));
  world.engine.clear_writes();
  write("2");
  world.commit();
  EXPECT_TRUE(settle().all_good());
  EXPECT_THAT(writes(),
              testing::ElementsAre("remove a_migrate", "create a_migrate", "update a_web"));
  EXPECT_EQ(image_of("a_migrate"), "migrate:2");
}

TEST_F(HooksTest, AFailedPreDeployHookStopsTheDeployBeforeAnyServiceIsTouched) {
  world.commit();
  settle();
  write("2");
  world.commit();
  world.engine.clear_writes();
  world.engine.fail_tasks_of_next("a_migrate", "task: non-zero exit (3)");
  auto turn = settle();
  EXPECT_EQ(image_of("a_web"), "web:1");
  EXPECT_THAT(writes(), testing::ElementsAre("remove a_migrate", "create a_migrate"));
  const auto& status = World::status(turn, "a");
  EXPECT_TRUE(status.quarantined);
  EXPECT_EQ(status.health, Health::healthy) << "what runs is well";
  EXPECT_THAT(status.message, HasSubstr("pre_deploy hook migrate failed: task: non-zero exit (3)"));
  EXPECT_THAT(status.message, HasSubstr("| the last line"));
  // Durable, and never again by itself.
  world.engine.clear_writes();
  world.restart_agent();
  world.clock.advance(10min);
  turn = settle();
  EXPECT_EQ(world.engine.write_count(), 0U);
  EXPECT_TRUE(World::status(turn, "a").quarantined);
  // A person may try it again …
  world.agent().request("a");
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("a_web"), "web:2");
  EXPECT_EQ(image_of("a_migrate"), "migrate:2");
}

TEST_F(HooksTest, OneOnEveryNodeThatFailsStopsTheDeployToo) {
  world.files["apps/a/docker-compose.yml"] =
      "services:\n  web: { image: 'web:1' }\n"
      "  migrate: { image: 'migrate:1', deploy: { mode: global } }\n";
  world.engine.fail_tasks_of_next("a_migrate", "task: non-zero exit (3)");
  const auto turn = push();
  EXPECT_THAT(World::status(turn, "a").message, HasSubstr("pre_deploy hook migrate failed"));
  EXPECT_THAT(World::status(turn, "a").message, HasSubstr("non-zero exit (3)"));
  EXPECT_EQ(image_of("a_web"), "");
}

/// An engine that has been the leader before does that (seen on 20.10).
TEST_F(HooksTest, OneThatSwarmRunsAgainThoughItCompletedIsStopped) {
  EXPECT_TRUE(push().all_good());
  world.engine.set_running("a_migrate", 3);
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(world.engine.state().find_service("a_migrate"), nullptr);
  EXPECT_EQ(image_of("a_web"), "web:1");
  world.engine.clear_writes();
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(world.engine.write_count(), 0U) << "that it completed is remembered";
}

TEST_F(HooksTest, WhatFailsOfACommitThatCameDuringARolloutIsNotToldOfTheOneBefore) {
  tests::Operations operations;
  world.listener = &operations;
  world.restart_agent();
  ASSERT_TRUE(push().all_good());
  write("2");
  world.commit();
  const auto good = world.desired().revision.commit;
  turn_until("a_web", "web:2");
  operations.reports.clear();
  write("3");
  world.engine.fail_tasks_of_next("a_migrate", "task: non-zero exit (6)");
  push();
  const auto bad = world.desired().revision.commit;
  ASSERT_GE(operations.reports.size(), 2U);
  EXPECT_EQ(operations.reports[0].revision_to, good);
  EXPECT_EQ(operations.reports[0].result, "cancelled");
  EXPECT_EQ(operations.reports[0].message, "git moved on meanwhile");
  EXPECT_EQ(operations.reports[1].revision_to, bad);
  EXPECT_EQ(operations.reports[1].trigger, "git");
  EXPECT_EQ(operations.reports[1].result, "failure");
  EXPECT_EQ(operations.reports[1].failed_phase, "hook");
  EXPECT_THAT(operations.reports[1].message, HasSubstr("non-zero exit (6)"));
}

TEST_F(HooksTest, AFailedHookIsFollowedByTheNextCommit) {
  world.engine.fail_tasks_of_next("a_migrate", "boom");
  world.commit();
  auto turn = settle();
  EXPECT_EQ(image_of("a_web"), "") << "a first deployment is no reason to go on";
  EXPECT_THAT(World::status(turn, "a").message, HasSubstr("boom"));
  const auto ran = writes().size();
  world.clock.advance(1h);
  settle();
  EXPECT_EQ(writes().size(), ran) << "it was run again by itself";
  write("2");
  world.commit();
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("a_web"), "web:2");
}

TEST_F(HooksTest, AHookThatHangsIsRemovedAtItsDeadline) {
  world.files["apps/a/skep.yaml"] =
      "hooks: { pre_deploy: [{ service: migrate, deadline: 90s }] }\n";
  world.engine.hang_tasks_of_next("a_migrate");
  world.commit();
  const auto before = world.clock.now();
  const auto turn = settle();
  EXPECT_GT(world.clock.now() - before, 90s);
  EXPECT_LT(world.clock.now() - before, 100s);
  EXPECT_THAT(World::status(turn, "a").message, HasSubstr("did not end within 90 s"));
  EXPECT_EQ(image_of("a_web"), "");
  EXPECT_EQ(image_of("a_migrate"), "") << "it goes on for ever";
}

TEST_F(HooksTest, AHookThatTookTooLongIsRunAgainWhereACommitGivesItMoreTime) {
  world.files["apps/a/skep.yaml"] =
      "hooks: { pre_deploy: [{ service: migrate, deadline: 90s }] }\n";
  world.engine.hang_tasks_of_next("a_migrate");
  world.commit();
  ASSERT_TRUE(World::status(settle(), "a").quarantined);
  world.restart_agent();
  ASSERT_TRUE(World::status(settle(), "a").quarantined);
  world.files["apps/a/skep.yaml"] =
      "hooks: { pre_deploy: [{ service: migrate, deadline: 10m }] }\n";
  world.commit();
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("a_web"), "web:1");
  world.restart_agent();
  const auto ran = writes().size();
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(writes().size(), ran);
}

TEST_F(HooksTest, AnAgentKilledWhileAHookRunsFollowsTheSameRun) {
  world.engine.hang_tasks_of_next("a_migrate");
  world.commit();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(world.agent().turn(world.desired(), {}));
  ASSERT_EQ(writes(), std::vector<std::string>{"create a_migrate"});
  world.restart_agent();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(world.agent().turn(world.desired(), {}));
  EXPECT_EQ(writes(), std::vector<std::string>{"create a_migrate"});
  world.engine.set_running("a_migrate", std::nullopt);
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(writes(), (std::vector<std::string>{"create a_migrate", "create a_web"}));
}

TEST_F(HooksTest, APostDeployHookRunsWhenTheStackIsHealthyAndItsFailureIsSaid) {
  world.files["apps/a/skep.yaml"] = "hooks: { post_deploy: [migrate] }\n";
  world.commit();
  EXPECT_TRUE(settle().all_good());
  EXPECT_THAT(writes(), testing::ElementsAre("create a_web", "create a_migrate"));
  world.engine.clear_writes();
  write("2");
  world.engine.fail_tasks_of_next("a_migrate", "boom");
  world.commit();
  auto turn = settle();
  EXPECT_EQ(image_of("a_web"), "web:2");
  EXPECT_THAT(World::status(turn, "a").message, HasSubstr("post_deploy hook migrate failed: boom"));
  world.engine.clear_writes();
  world.restart_agent();
  turn = settle();
  EXPECT_EQ(world.engine.write_count(), 0U) << "it ran once for this content";
  EXPECT_THAT(World::status(turn, "a").message, HasSubstr("post_deploy hook migrate failed"));
  EXPECT_FALSE(World::status(turn, "a").quarantined);
}

TEST_F(HooksTest, SeveralRunOneAfterTheOther) {
  world.files["apps/a/docker-compose.yml"] =
      "services: { web: { image: w }, one: { image: o }, two: { image: t } }\n";
  world.files["apps/a/skep.yaml"] = "hooks: { pre_deploy: [two, one] }\n";
  world.commit();
  EXPECT_TRUE(settle().all_good());
  EXPECT_THAT(writes(), testing::ElementsAre("create a_two", "create a_one", "create a_web"));
}

TEST_F(HooksTest, AHookThatUsesARotatedConfigGetsTheNewOne) {
  const auto text = [](const std::string& image) {
    return "services:\n  web: { image: w }\n  migrate: { image: '" + image +
           "', configs: [c] }\nconfigs: { c: { file: c.txt } }\n";
  };
  world.files["apps/a/docker-compose.yml"] = text("m:1");
  world.files["apps/a/c.txt"] = "one";
  world.commit();
  settle();
  world.files["apps/a/c.txt"] = "two";
  world.commit();
  EXPECT_TRUE(settle().all_good());
  const auto state = world.engine.state();
  EXPECT_THAT(
      state.find_service("a_migrate")->spec.task_template.container.configs.at(0).config_name,
      testing::StartsWith("a_c-"));
}

TEST_F(HooksTest, AStackThatLeavesGitTakesItsHooksWithIt) {
  world.files["apps/b/docker-compose.yml"] = tests::one_service("b:1");
  world.files["apps/c/docker-compose.yml"] = tests::one_service("c:1");
  world.commit();
  settle();
  world.files.erase("apps/a/docker-compose.yml");
  world.files.erase("apps/a/skep.yaml");
  world.commit();
  settle();
  EXPECT_EQ(image_of("a_migrate"), "");
  EXPECT_EQ(image_of("a_web"), "");
}

TEST_F(HooksTest, AServiceThatIsNoHookAnyMoreIsDeployedAsOne) {
  world.commit();
  settle();
  world.files.erase("apps/a/skep.yaml");
  write("2");
  world.commit();
  EXPECT_TRUE(settle().all_good()) << World::status(settle(), "a").message;
  const auto state = world.engine.state();
  ASSERT_NE(state.find_service("a_migrate"), nullptr);
  EXPECT_TRUE(state.find_service("a_migrate")->spec.mode.replicated);
}

TEST_F(HooksTest, AServiceThatBecomesAHookMakesRoomForItsJob) {
  const auto hooks = world.files.extract("apps/a/skep.yaml").mapped();
  ASSERT_TRUE(push().all_good());
  world.files["apps/a/skep.yaml"] = hooks;
  world.engine.clear_writes();
  EXPECT_TRUE(push().all_good());
  EXPECT_THAT(writes(), testing::ElementsAre("remove a_migrate", "create a_migrate"));
  EXPECT_TRUE(world.engine.state().find_service("a_migrate")->spec.mode.replicated_job);
  // And back, where the next one of it fails.
  world.files.erase("apps/a/skep.yaml");
  ASSERT_TRUE(push().all_good());
  world.files["apps/a/skep.yaml"] = hooks;
  write("2");
  world.engine.fail_tasks_of_next("a_migrate", "boom");
  const auto turn = push();
  EXPECT_THAT(World::status(turn, "a").message, HasSubstr("rolled back to"));
  EXPECT_TRUE(world.engine.state().find_service("a_migrate")->spec.mode.replicated);
  EXPECT_EQ(image_of("a_migrate"), "migrate:1");
}

TEST_F(HooksTest, WhyOneCannotEvenBeginIsSaid) {
  const auto hooks = world.files.extract("apps/a/skep.yaml").mapped();
  world.files["apps/a/skep.yaml"] = "prune: false\n";
  ASSERT_TRUE(push().all_good());
  world.files["apps/a/skep.yaml"] = "prune: false\n" + hooks;
  write("2");
  world.commit();
  for (int i = 0; i < 6; ++i) {
    const auto last = turn();
    if (last.wrote) continue;
    const auto& status = World::status(last, "a");
    EXPECT_THAT(status.message, HasSubstr("docker service rm")) << i;
    EXPECT_TRUE(status.next_retry) << i;
    world.clock.advance(1min);
  }
  EXPECT_EQ(image_of("a_web"), "web:1");
}

TEST_F(HooksTest, AdoptionRunsNoHook) {
  World cli;
  cli.files = world.files;
  cli.commit();
  const auto& spec = cli.desired().stacks.front()->spec;
  for (const auto& [key, network] : spec.networks)
    ASSERT_TRUE(world.engine.create_network(network, {}));
  for (const auto& [key, service] : spec.services)
    ASSERT_TRUE(world.engine.create_service(service.spec, {}));
  world.engine.clear_writes();
  world.commit();
  EXPECT_TRUE(settle().all_good());
  EXPECT_THAT(writes(), testing::IsEmpty());
}

TEST_F(HooksTest, MistakesAreNamedAtTheirPlace) {
  const auto message = [this](const std::string& settings) {
    world.files["apps/a/skep.yaml"] = settings;
    world.commit();
    const auto findings = world.desired().stacks.front()->all_findings();
    return findings.empty() ? std::string() : to_string(findings);
  };
  EXPECT_THAT(message("hooks: { pre_deploy: [migrat] }\n"),
              HasSubstr("skep.yaml:1:23: error: hooks: there is no service migrat in this stack; "
                        "did you mean migrate?"));
  EXPECT_THAT(message("hooks: { preDeploy: [migrate] }\n"), HasSubstr("did you mean pre_deploy?"));
  EXPECT_THAT(message("hooks: { pre_deploy: migrate }\n"), HasSubstr("must be a list"));
  EXPECT_THAT(message("hooks: { pre_deploy: [{ deadline: 5m }] }\n"), HasSubstr("needs the key"));
  EXPECT_THAT(message("hooks: { pre_deploy: [{ service: migrate, deadline: soon }] }\n"),
              HasSubstr("must be a duration"));
}

TEST_F(HooksTest, AHookThatWasGivenUpGoesThoughItsRemovalFailedAtFirst) {
  world.files["apps/a/skep.yaml"] =
      "hooks: { pre_deploy: [{ service: migrate, deadline: 90s }] }\n";
  world.engine.hang_tasks_of_next("a_migrate");
  world.commit();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(world.agent().turn(world.desired(), {}));
  world.engine.fail_next(Operation::remove_service, {ErrorKind::unavailable, "busy"});
  world.clock.advance(2min);
  settle();
  world.clock.advance(10min);
  settle();
  EXPECT_EQ(image_of("a_migrate"), "");
}

}  // namespace
}  // namespace skep::reconciler
