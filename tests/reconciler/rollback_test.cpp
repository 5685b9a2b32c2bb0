#include <gmock/gmock.h>

#include "tests/reconciler/world.hpp"

namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;
using ports::Health;
using ::testing::HasSubstr;
using tests::one_service;
using tests::World;

/// A person sends a stack back (`skep rollback`).
class RollbackByHand : public ::testing::Test {
 protected:
  void deploy(const std::string& image) {
    world.files["apps/a/docker-compose.yml"] = one_service(image);
    world.commit();
    ++commits;
    settle();
  }
  void settle() {
    last = world.settle();
    ASSERT_TRUE(last) << world.error;
  }
  void turn() {
    last = world.agent().turn(world.desired(), {}).value();
    world.clock.advance(500ms);
  }
  [[nodiscard]] static std::string commit(int number) {
    return std::string(39, 'a') + std::to_string(number);
  }
  /// As Agent::rollback asks for it.
  void roll_back_to(int number, const std::string& actor = "uid 0") {
    const auto target = world.options.revision(commit(number), "a");
    ASSERT_TRUE(target) << target.error().message;
    world.agent().rollback(
        "a", {commit(number), (*target)->content, world.desired().stacks.front()->content, actor});
  }
  [[nodiscard]] std::string image() const {
    const auto swarm = world.engine.state();
    const auto* service = swarm.find_service("a_web");
    return service == nullptr ? "" : service->spec.task_template.container.image;
  }
  [[nodiscard]] const ports::StackStatus& status() const { return World::status(*last, "a"); }

  World world;
  int commits = 0;
  std::optional<Turn> last;
};

TEST_F(RollbackByHand, GoesBackAndStaysThere) {
  deploy("a:1");
  deploy("a:2");
  EXPECT_EQ(status().earlier_healthy_revision, commit(1));
  roll_back_to(1);
  settle();
  EXPECT_EQ(image(), "a:1");
  EXPECT_TRUE(status().quarantined);
  EXPECT_TRUE(status().held);
  EXPECT_THAT(status().message, HasSubstr("rolled back to aaaaaaaaaaaa, for uid 0 sent it back"));
  EXPECT_THAT(status().message, HasSubstr("`skep sync a` resumes"));
  EXPECT_EQ(status().rolled_back_to, commit(1));
  EXPECT_EQ(status().healthy_revision, commit(1)) << "what was turned away is no way back";
  world.engine.clear_writes();
  settle();
  EXPECT_EQ(world.engine.write_count(), 0U);
}

TEST_F(RollbackByHand, SurvivesARestartOfTheAgentInTheMiddleAndAfterwards) {
  deploy("a:1");
  deploy("a:2");
  roll_back_to(1);
  ASSERT_TRUE(world.agent().turn(world.desired(), {}));  // Written down, perhaps begun.
  world.restart_agent();
  settle();
  EXPECT_EQ(image(), "a:1");
  world.restart_agent();
  world.engine.clear_writes();
  settle();
  EXPECT_EQ(image(), "a:1");
  EXPECT_TRUE(status().quarantined);
  EXPECT_EQ(world.engine.write_count(), 0U);
}

TEST_F(RollbackByHand, DriftIsHealedTowardsWhereItWentBackTo) {
  deploy("a:1");
  deploy("a:2");
  roll_back_to(1);
  settle();
  world.engine.edit_service(
      "a_web", [](swarm::ServiceSpec& spec) { spec.task_template.container.image = "evil:1"; });
  settle();
  EXPECT_EQ(image(), "a:1");
}

TEST_F(RollbackByHand, TheNextCommitResumes) {
  deploy("a:1");
  deploy("a:2");
  roll_back_to(1);
  settle();
  deploy("a:3");
  EXPECT_EQ(image(), "a:3");
  EXPECT_FALSE(status().quarantined);
  EXPECT_EQ(status().healthy_revision, commit(3));
  EXPECT_EQ(status().earlier_healthy_revision, commit(1)) << "and not what was turned away";
}

TEST_F(RollbackByHand, ACommitThatDoesNotTouchTheStackDoesNotResume) {
  deploy("a:1");
  deploy("a:2");
  roll_back_to(1);
  settle();
  world.files["README.md"] = "words";
  world.commit();
  settle();
  EXPECT_EQ(image(), "a:1");
  EXPECT_TRUE(status().quarantined);
}

TEST_F(RollbackByHand, AskingForASyncResumes) {
  deploy("a:1");
  deploy("a:2");
  roll_back_to(1);
  settle();
  world.agent().request("a", "uid 0");
  settle();
  EXPECT_EQ(image(), "a:2");
  EXPECT_FALSE(status().quarantined);
  world.restart_agent();
  settle();
  EXPECT_EQ(image(), "a:2") << "and it is written down that it did";
}

TEST_F(RollbackByHand, WorksWhateverIsSaidOfFailuresAndInManualMode) {
  world.files["apps/a/skep.yaml"] = "on_failure: keep\nsync: manual\n";
  deploy("a:1");
  world.agent().request("a");
  settle();
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  world.agent().request("a");
  settle();
  ASSERT_EQ(image(), "a:2");
  roll_back_to(1);
  settle();
  EXPECT_EQ(image(), "a:1");
}

TEST_F(RollbackByHand, CanGoFurtherBackAndForthBetweenRevisions) {
  deploy("a:1");
  deploy("a:2");
  deploy("a:3");
  roll_back_to(2);
  settle();
  EXPECT_EQ(image(), "a:2");
  roll_back_to(1);
  settle();
  EXPECT_EQ(image(), "a:1");
  EXPECT_EQ(status().rolled_back_to, commit(1));
  roll_back_to(2);
  settle();
  EXPECT_EQ(image(), "a:2");
}

TEST_F(RollbackByHand, PreemptsARolloutThatGoesOn) {
  deploy("a:1");
  world.engine.set_running("a_web", 0);
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(world.agent().turn(world.desired(), {}));
    world.clock.advance(500ms);
  }
  ASSERT_EQ(image(), "a:2");
  roll_back_to(1);
  ASSERT_TRUE(world.agent().turn(world.desired(), {}));
  ASSERT_TRUE(world.agent().turn(world.desired(), {}));
  EXPECT_EQ(image(), "a:1");
  world.engine.set_running("a_web", std::nullopt);
  settle();
  EXPECT_EQ(status().health, Health::healthy);
}

TEST_F(RollbackByHand, ARequestThatGitOvertookIsDropped) {
  deploy("a:1");
  deploy("a:2");
  roll_back_to(1);
  world.files["apps/a/docker-compose.yml"] = one_service("a:3");
  world.commit();
  settle();
  EXPECT_EQ(image(), "a:3");
  EXPECT_FALSE(status().quarantined);
}

TEST_F(RollbackByHand, AWayBackThatFailsIsNotTriedForEverNorForwards) {
  deploy("a:1");
  deploy("a:2");
  world.engine.fail_tasks("a_web", "task: non-zero exit (1)");
  roll_back_to(1);
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(world.agent().turn(world.desired(), {}));
    world.clock.advance(1s);
  }
  EXPECT_EQ(image(), "a:1") << "it must not be pushed forwards to what was turned away";
}

TEST_F(RollbackByHand, TheOldStateObjectIsReadAndOneThatIsNewIsKeptWhole) {
  StackRecord record;
  record.path = "apps/a";
  record.quarantined = "c";
  record.rollback_to = commit(1);
  record.earlier_healthy = commit(2);
  State state;
  state.stacks["a"] = record;
  StateStore store(world.engine, "other");
  ASSERT_TRUE(store.write(state, world.engine.state(), {}));
  const auto read = store.read(world.engine.state());
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, state);
}

/// What failed for want of time.
TEST_F(RollbackByHand, ACommitThatGivesMoreTimeIsTriedThoughSelfHealIsOff) {
  world.files["apps/a/skep.yaml"] = "self_heal: false\ntimeout: 30s\n";
  deploy("a:1");
  world.engine.set_running("a_web", 0);
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  for (int i = 0; i < 700 && image() != "a:2"; ++i) turn();
  for (int i = 0; i < 700 && image() == "a:2"; ++i) turn();
  world.engine.set_running("a_web", std::nullopt);
  settle();
  ASSERT_EQ(image(), "a:1");
  ASSERT_TRUE(status().quarantined);
  world.files["apps/a/skep.yaml"] = "self_heal: false\ntimeout: 5m\n";
  world.commit();
  settle();
  EXPECT_EQ(image(), "a:2");
  EXPECT_FALSE(status().quarantined);
  EXPECT_TRUE(last->all_good());
}

}  // namespace
}  // namespace skep::reconciler
