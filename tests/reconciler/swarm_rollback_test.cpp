#include <gmock/gmock.h>

#include "swarm/labels.hpp"
#include "tests/reconciler/world.hpp"

// What swarm tells of an update stays there until the next one: long after the content that it was
// about.
namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;
using ports::Health;
using testing::HasSubstr;
using testing::StartsWith;
using tests::one_service;
using tests::World;

class SwarmRollback : public tests::WorldTest {
 protected:
  void write(const std::string& image) {
    world.files["apps/a/docker-compose.yml"] =
        one_service(image) + "    deploy: {update_config: {failure_action: rollback}}\n" + more;
  }
  void deploy_and_fail() {
    write("a:1");
    ASSERT_TRUE(push().all_good());
    world.engine.fail_tasks("a_web", "task: non-zero exit (1)");
    write("a:2");
    push();
    ASSERT_EQ(world.engine.state().find_service("a_web")->update.state, "rollback_completed");
    world.engine.fail_tasks("a_web", "");
  }
  std::size_t turns_that_write(int turns) {
    const auto before = world.engine.write_count();
    for (int i = 0; i < turns; ++i) {
      turn();
      world.clock.advance(5s);
    }
    return world.engine.write_count() - before;
  }
  std::string more;
};

TEST_F(SwarmRollback, OfAnEarlierContentIsNotHeldAgainstTheNextCommit) {
  // The hook runs first: meanwhile swarm goes on telling of the rollback.
  world.files["apps/a/skep.yaml"] = "hooks: { pre_deploy: [service: migrate] }\n";
  more = "  migrate: { image: 'm:1' }\n";
  deploy_and_fail();
  ASSERT_TRUE(World::status(turn(), "a").quarantined);
  write("a:3");
  const auto settled = push();
  EXPECT_FALSE(World::status(settled, "a").quarantined) << World::status(settled, "a").message;
  EXPECT_TRUE(settled.all_good());
  EXPECT_EQ(image_of("a_web"), "a:3");
}

TEST_F(SwarmRollback, OfAPersonIsFollowedByTheNextCommitAlsoWhereAHookRunsFirst) {
  world.files["apps/a/skep.yaml"] = "hooks: { pre_deploy: [service: migrate] }\n";
  more = "  migrate: { image: 'm:1' }\n";
  write("a:1");
  ASSERT_TRUE(push().all_good());
  write("a:2");
  ASSERT_TRUE(push().all_good());
  world.engine.roll_back_by_hand("a_web");
  ASSERT_TRUE(World::status(settle(), "a").held);
  write("a:3");
  EXPECT_TRUE(push().all_good());
  EXPECT_EQ(image_of("a_web"), "a:3");
}

TEST_F(SwarmRollback, FromWhatIsKeptOnFailureIsToldOnce) {
  class Told final : public ports::Observer {
   public:
    void synced(const ports::SyncReport& report) override {
      if (report.result == "failure") messages.push_back(report.message);
    }
    std::vector<std::string> messages;
  } told;
  world.listener = &told;
  world.restart_agent();
  world.files["apps/a/skep.yaml"] = "on_failure: keep\n";
  deploy_and_fail();
  ASSERT_EQ(told.messages.size(), 1U);
  EXPECT_THAT(told.messages[0], StartsWith("swarm rolled it back: a_web: "));
  const auto words = world.engine.state().find_service("a_web")->update.message;
  ASSERT_FALSE(words.empty());
  EXPECT_EQ(told.messages[0].find(words), told.messages[0].rfind(words)) << told.messages[0];
  turns_that_write(30);
  const auto status = World::status(turn(), "a");
  EXPECT_LE(status.consecutive_failures, 1U);
  EXPECT_TRUE(status.held);
  EXPECT_THAT(status.message, HasSubstr("swarm rolled it back"));
}

TEST_F(SwarmRollback, TheServiceThatSwarmGaveUpIsBlamedNotOneThatMerelyStarts) {
  const auto compose = [](const std::string& image) {
    return "services:\n  aaa: { image: '" + image + "' }\n  zzz: { image: '" + image + "' }\n";
  };
  world.files["apps/a/docker-compose.yml"] = compose("a:1");
  ASSERT_TRUE(push().all_good());
  world.engine.set_running("a_aaa", 0);
  world.engine.fail_tasks("a_zzz", "task: non-zero exit (42)");  // Swarm pauses it.
  world.files["apps/a/docker-compose.yml"] = compose("a:2");
  world.commit();
  Turn last;
  for (int i = 0; i < 6 && !World::status(last = turn(), "a").quarantined; ++i)
    world.clock.advance(2s);
  const auto status = World::status(last, "a");
  ASSERT_TRUE(status.quarantined) << status.message;
  EXPECT_THAT(status.message, HasSubstr("a_zzz: "));
  EXPECT_THAT(status.message, HasSubstr("exit (42)"));
}

TEST_F(SwarmRollback, OfAStackThatIsSyncedByHandIsWrittenDownOnce) {
  world.files["apps/a/skep.yaml"] = "sync: manual\n";
  write("a:1");
  push();
  world.agent().request("a");
  ASSERT_TRUE(settle().all_good());
  world.engine.fail_tasks("a_web", "task: non-zero exit (1)");
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");  // Swarm pauses it.
  push();
  world.agent().request("a");
  settle();
  EXPECT_EQ(turns_that_write(30), 0U);
  const auto status = World::status(turn(), "a");
  EXPECT_TRUE(status.quarantined);
  EXPECT_THAT(status.message, HasSubstr("`skep sync a` resumes"));
}

TEST_F(SwarmRollback, ThatAPersonMadeIsNoTroubleOnceItHasArrived) {
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  ASSERT_TRUE(push().all_good());
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  ASSERT_TRUE(push().all_good());
  world.engine.roll_back_by_hand("a_web");
  turn();
  // Some engines say no more who wanted it.
  const auto began = world.engine.state().find_service("a_web")->update.started_at;
  world.engine.set_update_status("a_web", {"rollback_completed", began, "", "rollback completed"});
  const auto status = World::status(turn(), "a");
  EXPECT_TRUE(status.held);
  EXPECT_EQ(status.health, Health::healthy);
}

TEST_F(SwarmRollback, ThatIsSeenWhenItIsOverIsAPersonsWhereSwarmWouldMakeNone) {
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  ASSERT_TRUE(push().all_good());
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  ASSERT_TRUE(push().all_good());
  world.engine.roll_back_by_hand("a_web");
  world.engine.set_update_status(
      "a_web", {"rollback_completed", to_rfc3339(world.clock.now()), "", "rollback completed"});
  const auto status = World::status(turn(), "a");
  EXPECT_TRUE(status.held);
  EXPECT_EQ(status.health, Health::healthy);
  EXPECT_EQ(status.services.at(0).trouble, "");
}

using Shown = tests::WorldTest;

TEST_F(Shown, AStackWhoseServiceLeftItByItsLabelsIsBlockedAndNotSynced) {
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  ASSERT_TRUE(push().all_good());
  world.engine.edit_service("a_web", [](swarm::ServiceSpec& spec) { spec.labels.clear(); });
  const auto status = World::status(settle(), "a");
  EXPECT_EQ(status.sync, ports::SyncState::out_of_sync);
  EXPECT_THAT(status.message,
              HasSubstr("docker service update --label-add com.docker.stack.namespace=a a_web"));
}

TEST_F(Shown, AStackLabelThatWasTakenOffByHandIsPutBack) {
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  ASSERT_TRUE(push().all_good());
  world.engine.edit_service("a_web", [](swarm::ServiceSpec& spec) {
    spec.labels.erase(std::string(swarm::kStackLabel));
  });
  EXPECT_TRUE(settle().all_good());
  const auto state = world.engine.state();
  EXPECT_EQ(state.find_service("a_web")->spec.labels.at(std::string(swarm::kStackLabel)), "a");
}

TEST_F(Shown, TasksThatWentAwayAndDoNotComeBackAreNoProgressForEver) {
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  ASSERT_TRUE(push().all_good());
  world.engine.fail_tasks("a_web", "no suitable node");
  for (int i = 0; i < 10; ++i) {
    turn();
    world.clock.advance(5min);
  }
  EXPECT_EQ(World::status(turn(), "a").health, Health::degraded);
}

TEST_F(Shown, ASecretThatChangedInGitWhileTheAgentWasAwayIsNobodysEdit) {
  world.files["apps/a/skep.yaml"] = "self_heal: false\n";
  world.files["apps/a/docker-compose.yml"] =
      "services: { web: { image: 'a:1', secrets: [k] } }\nsecrets: { k: { file: k.txt } }\n";
  world.files["apps/a/k.txt"] = "one";
  ASSERT_TRUE(push().all_good());
  world.files["apps/a/k.txt"] = "two";
  world.restart_agent();
  const auto settled = push();
  EXPECT_TRUE(settled.all_good()) << World::status(settled, "a").message;
  const auto secrets =
      world.engine.state().find_service("a_web")->spec.task_template.container.secrets;
  ASSERT_EQ(secrets.size(), 1U);
  EXPECT_NE(secrets[0].secret_name, "a_k");
}

TEST_F(SwarmRollback, OfAnUpdateDuringWhichANodeWentIsSentAgainAndNotBlamedOnTheContent) {
  world.engine.add_node({"n1", 1, "alpha", "worker", "active", "", {}, "ready", ""});
  write("a:1");
  ASSERT_TRUE(push().all_good());
  world.engine.set_running("a_web", 0);
  write("a:2");
  world.commit();
  turn_until("a_web", "a:2");
  turn();
  world.clock.advance(2s);
  world.engine.set_node_state("alpha", "down");
  turn();
  world.engine.roll_back_by_hand("a_web");
  const auto swarms_own = [&](const std::string& state) {
    world.engine.set_update_status(
        "a_web",
        {state, to_rfc3339(world.clock.now()), "", "rollback: update failed: task x failed"});
  };
  swarms_own("rollback_started");
  EXPECT_FALSE(World::status(turn(), "a").quarantined);
  EXPECT_EQ(image_of("a_web"), "a:1") << "swarm is not done";
  swarms_own("rollback_completed");
  turn();
  turn();
  EXPECT_EQ(image_of("a_web"), "a:2");
  world.engine.set_running("a_web", std::nullopt);
  const auto settled = settle();
  EXPECT_TRUE(settled.all_good()) << World::status(settled, "a").message;
  EXPECT_EQ(world.engine.state().find_service("a_web")->spec.task_template.container.image, "a:2");
}

TEST_F(SwarmRollback, IsBlamedOnTheContentWhereEveryNodeStayed) {
  world.engine.add_node({"n1", 1, "alpha", "worker", "active", "", {}, "ready", ""});
  world.engine.set_node_state("alpha", "down");
  world.engine.set_node_state("alpha", "ready");
  deploy_and_fail();
  EXPECT_TRUE(World::status(turn(), "a").quarantined);
}

}  // namespace
}  // namespace skep::reconciler
