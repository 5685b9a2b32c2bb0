#include <gmock/gmock.h>

#include "tests/reconciler/world.hpp"

// A rollout that stands still though nothing is wrong with its content, or no more.
//
// Swarm pauses an update whose task fails soon. An engine that stops fails all of its tasks, and
// that is no fault of what was being rolled out.
namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;
using fakes::Operation;
using tests::one_service;
using tests::World;

class PausedRollout : public tests::WorldTest {
 protected:
  void SetUp() override {
    world.engine.add_node({"n1", 1, "alpha", "worker", "active", "", {}, "ready", ""});
    world.files["apps/a/docker-compose.yml"] = one_service("a:1");
    ASSERT_TRUE(push().all_good());
  }
  /// a:2 is being rolled out.
  void begin() {
    world.engine.set_running("a_web", 0);
    world.files["apps/a/docker-compose.yml"] = one_service("a:2");
    world.commit();
    turn_until("a_web", "a:2");
    turn();
  }
  void node_restarts() {
    world.engine.set_node_state("alpha", "down");
    turn();
    world.engine.set_node_state("alpha", "ready");
    turn();
  }
  void pause() {
    const auto began = world.engine.state().find_service("a_web")->updated_at;
    world.engine.set_update_status("a_web",
                                   {"paused", began, "", "update paused due to failure of task x"});
  }
  void fails_and_goes_back_at_once() {
    world.engine.fail_tasks("a_web", "task: non-zero exit (1)");
    pause();
    const auto writes = world.engine.calls(Operation::update_service);
    look();
    EXPECT_EQ(world.engine.calls(Operation::update_service), writes);
    turn_until("a_web", "a:1");
  }
  std::string update_of() { return world.engine.state().find_service("a_web")->update.state; }
  ports::StackStatus look() { return World::status(turn(), "a"); }
};

TEST_F(PausedRollout, WhereANodeRestartedMeanwhileIsSentAgain) {
  begin();
  node_restarts();
  pause();
  const auto status = look();
  EXPECT_FALSE(status.quarantined);
  EXPECT_EQ(status.consecutive_failures, 0U);
  ASSERT_TRUE(status.plan);
  EXPECT_EQ(status.plan->actions.size(), 1U);
  EXPECT_TRUE(status.plan->untouched.empty()) << "it is not called untouched beside that";
  EXPECT_NE(update_of(), "paused") << "it was not sent again";
  world.engine.set_running("a_web", std::nullopt);
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("a_web"), "a:2");
}

/// For its maintenance: swarm ends the new tasks there, and counts that as their failure.
TEST_F(PausedRollout, WhereANodeWasDrainedMeanwhileIsSentAgain) {
  begin();
  auto node = world.engine.state().nodes.front();
  node.availability = "drain";
  ASSERT_TRUE(world.engine.update_node(node, {}));
  turn();
  pause();
  EXPECT_FALSE(look().quarantined);
  EXPECT_NE(update_of(), "paused") << "it was not sent again";
}

TEST_F(PausedRollout, OfANodeThatIsAwayForLongerThanTheDeadlineGetsMoreTime) {
  begin();
  world.engine.set_node_state("alpha", "down");
  turn();
  for (int i = 0; i < 8; ++i) {  // Five minutes are the deadline.
    world.clock.advance(1min);
    ASSERT_FALSE(look().quarantined) << "after " << i << " minutes: " << look().message;
  }
  world.engine.set_node_state("alpha", "ready");
  world.engine.set_running("a_web", std::nullopt);
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("a_web"), "a:2");
}

TEST_F(PausedRollout, GetsNoMoreTimeWhereAllNodesStayed) {
  begin();
  for (int i = 0; i < 8; ++i) {
    world.clock.advance(1min);
    turn();
  }
  EXPECT_TRUE(look().quarantined);
}

TEST_F(PausedRollout, OfAnEngineThatHungIsSentAgainThoughItsNodeIsSeenOnlyLater) {
  begin();
  pause();
  const auto began = world.engine.state().find_service("a_web")->update.started_at;
  world.engine.set_update_status("a_web", {"updating", began, "", ""});
  world.engine.fail_next(Operation::observe, {ErrorKind::unavailable, "no answer"});
  ASSERT_FALSE(world.settle());
  turn();  // The first list is of before the node registered anew.
  world.clock.advance(1s);
  world.engine.set_node_state("alpha", "ready");
  world.engine.set_update_status("a_web",
                                 {"paused", began, "", "failed to find a load balancer IP"});
  const auto writes = world.engine.calls(Operation::update_service);
  EXPECT_FALSE(look().quarantined);
  EXPECT_EQ(world.engine.calls(Operation::update_service), writes + 1);
}

TEST_F(PausedRollout, GoesBackWhereItIsPausedOnceMore) {
  begin();
  node_restarts();
  pause();
  turn();
  ASSERT_NE(update_of(), "paused");
  world.engine.fail_tasks("a_web", "task: non-zero exit (1)");
  pause();
  turn_until("a_web", "a:1");
}

TEST_F(PausedRollout, GoesBackAtOnceWhereAllNodesStayed) {
  node_restarts();  // Before it.
  begin();
  fails_and_goes_back_at_once();
}

/// The engine writes to a node with each network that its tasks begin or cease to use.
TEST_F(PausedRollout, GoesBackAtOnceWhereANodeWasOnlyWrittenTo) {
  begin();
  world.engine.set_node_state("alpha", "ready");
  turn();
  fails_and_goes_back_at_once();
}

TEST_F(PausedRollout, GoesBackAtLastWhereANodeComesAndGoesAllTheTime) {
  begin();
  for (int i = 0; i < 10 && image_of("a_web") == "a:2"; ++i) {
    pause();
    node_restarts();
    turn();
    turn();
  }
  EXPECT_EQ(image_of("a_web"), "a:1");
}

TEST_F(PausedRollout, ThatTheAgentWentDownWithIsSentAgain) {
  begin();
  node_restarts();
  world.restart_agent();
  pause();
  EXPECT_FALSE(look().quarantined);
  EXPECT_NE(update_of(), "paused");
}

TEST_F(PausedRollout, IsLeftToThePersonWhoSuspendedTheStack) {
  begin();
  node_restarts();
  pause();
  world.agent().suspend("a", {"not now", "ann", world.clock.now(), std::nullopt});
  turn();
  EXPECT_EQ(update_of(), "paused");
}

TEST_F(PausedRollout, OfAStackThatWasNeverHealthyIsTriedAgainEachTimeLater) {
  world.files["apps/b/docker-compose.yml"] = one_service("b:1");
  world.engine.fail_tasks_of_next("b_web", "task: non-zero exit (1)");
  world.commit();
  turn_until("b_web", "b:1");
  world.files["apps/b/docker-compose.yml"] = one_service("b:2");
  world.commit();
  turn_until("b_web", "b:2");
  int sent = 0;
  std::vector<std::chrono::milliseconds> pauses;
  auto last = world.clock.steady();
  for (int i = 0; i < 400; ++i) {
    world.engine.fail_tasks("b_web", "task: non-zero exit (1)");
    if (world.engine.state().find_service("b_web")->update.state != "paused") {
      world.engine.set_update_status("b_web", {"paused", "", "", "update paused"});
      pauses.push_back(
          std::chrono::duration_cast<std::chrono::milliseconds>(world.clock.steady() - last));
      last = world.clock.steady();
      ++sent;
    }
    turn();
    world.clock.advance(1s);
  }
  EXPECT_GE(sent, 4);
  EXPECT_LE(sent, 12);
  EXPECT_GT(pauses.back(), pauses[1]);
}

/// The engine keeps the credentials that came with a service: new ones reach it only when it is
/// sent again.
class UnpullableImage : public tests::WorldTest {
 protected:
  void SetUp() override {
    world.engine.set_credentials("old");
    world.engine.fail_tasks_of_next("a_web", "No such image: reg.example/a:1");
    world.files["apps/a/docker-compose.yml"] = one_service("reg.example/a:1");
    push();
    stay();
    sent = writes();
  }
  void stay() {
    for (int i = 0; i < 30; ++i) {
      turn();
      world.clock.advance(5s);
    }
  }
  std::size_t writes() { return world.engine.calls(Operation::update_service); }
  std::size_t sent = 0;
};

TEST_F(UnpullableImage, IsSentOnceMoreWithNewCredentials) {
  EXPECT_EQ(sent, 0U) << "with the same ones it is left to swarm";
  world.engine.set_credentials("new");
  stay();
  EXPECT_EQ(writes(), sent + 1);
  world.engine.fail_tasks("a_web", "");
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(writes(), sent + 1);
}

TEST_F(UnpullableImage, IsSentOnceMoreByAnAgentThatWasGivenNewCredentialsAndRestarted) {
  world.engine.set_credentials("new");
  world.restart_agent();
  stay();
  EXPECT_EQ(writes(), sent + 1);
}

TEST_F(UnpullableImage, IsLeftAloneWhereThereAreNoCredentials) {
  world.engine.set_credentials("");
  world.restart_agent();
  stay();
  EXPECT_EQ(writes(), sent);
}

TEST_F(UnpullableImage, IsSentOnceMoreWhereAPersonAsks) {
  world.agent().request("a", "ann");
  stay();
  EXPECT_EQ(writes(), sent + 1);
}

TEST_F(UnpullableImage, OfAnotherReasonIsNotTouchedByNewCredentials) {
  world.engine.fail_tasks("a_web", "task: non-zero exit (1)");
  stay();
  sent = writes();
  world.engine.set_credentials("new");
  stay();
  EXPECT_EQ(writes(), sent);
}

/// Five tasks, which swarm replaces one after the other while all five run.
class RollingUpdate : public tests::WorldTest {
 protected:
  void begin(const std::string& update_config) {
    const auto file = [&](const std::string& image) {
      return one_service(image) + "    deploy: {replicas: 5, update_config: " + update_config +
             "}\n";
    };
    world.files["apps/a/skep.yaml"] = "timeout: 20s\n";
    world.files["apps/a/docker-compose.yml"] = file("a:1");
    ASSERT_TRUE(push().all_good());
    world.engine.set_running("a_web", 5);
    world.files["apps/a/docker-compose.yml"] = file("a:2");
    world.commit();
    turn_until("a_web", "a:2");
  }
  /// Looked at as long as the reconciler says that something moves.
  void pass(std::chrono::seconds time) {
    for (; time > 0s; time -= 1s) {
      world.clock.advance(1s);
      EXPECT_TRUE(turn().moving);
    }
  }
  void stand_still(std::chrono::seconds time) {
    for (; time > 0s && image_of("a_web") == "a:2"; time -= 1s) {
      world.clock.advance(1s);
      turn();
    }
  }
};

TEST_F(RollingUpdate, HasTimeAsLongAsTaskAfterTaskIsReplaced) {
  begin("{monitor: 1s}");
  for (std::uint64_t updated = 1; updated <= 5; ++updated) {
    pass(15s);
    world.engine.set_updated("a_web", updated);
  }
  world.engine.set_running("a_web", std::nullopt);
  const auto settled = settle();
  EXPECT_TRUE(settled.all_good()) << World::status(settled, "a").message;
  EXPECT_EQ(image_of("a_web"), "a:2");
}

TEST_F(RollingUpdate, HasFailedWhereNoFurtherTaskIsReplaced) {
  begin("{monitor: 1s}");
  pass(15s);
  world.engine.set_updated("a_web", 2);
  pass(15s);
  world.engine.set_updated("a_web", 1);  // One of the two fell over …
  pass(4s);
  world.engine.set_updated("a_web", 2);  // … and came up again.
  stand_still(10s);
  EXPECT_EQ(image_of("a_web"), "a:1");
}

TEST_F(RollingUpdate, HasTheTimeThatItsOwnDelayTakes) {
  begin("{delay: 60s, monitor: 1s}");
  pass(75s);
  world.engine.set_updated("a_web", 1);
  pass(75s);
  stand_still(30s);
  EXPECT_EQ(image_of("a_web"), "a:1") << "but not for ever";
}

}  // namespace
}  // namespace skep::reconciler
