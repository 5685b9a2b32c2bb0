#include "reconciler/agent/explain.hpp"

#include <gmock/gmock.h>

#include "tests/reconciler/world.hpp"

namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;
using ports::Condition;
using ConditionState = ports::Condition::State;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using tests::one_service;
using tests::World;

/// What `skep explain` would say of what the reconciler found.
class Explain : public ::testing::Test {
 protected:
  ports::Explanation explain(const std::string& stack = "a") {
    const auto turn = world.agent().turn(world.desired(), {});
    EXPECT_TRUE(turn);
    agent.docker_up = true;
    agent.revision = world.desired().revision.commit;
    agent.last_fetch = world.clock.now();
    agent.stacks = turn->stacks;
    return explain_stack(agent, World::status(*turn, stack));
  }
  static const Condition* link(const ports::Explanation& explanation, const std::string& name) {
    for (const auto& condition : explanation.conditions) {
      if (condition.name == name) return &condition;
    }
    return nullptr;
  }
  void deploy(const std::string& compose) {
    world.files["apps/a/docker-compose.yml"] = compose;
    world.commit();
    ASSERT_TRUE(world.settle());
  }

  World world;
  ports::AgentStatus agent;
};

TEST_F(Explain, AStackThatIsWellHasNothingButGoodLinks) {
  deploy(one_service("a:1"));
  const auto explanation = explain();
  EXPECT_EQ(explanation.stack, "apps/a");
  EXPECT_EQ(explanation.summary, "it runs as git says, and is healthy");
  for (const auto& condition : explanation.conditions)
    EXPECT_EQ(condition.state, ConditionState::good) << condition.name << ": " << condition.text;
  ASSERT_EQ(explanation.services.size(), 1U);
  EXPECT_EQ(explanation.services[0].running, 1U);
}

TEST_F(Explain, AHookThatFailedAfterwardsIsNotHiddenBehindAHealthyStack) {
  world.files["apps/a/skep.yaml"] = "hooks: { post_deploy: [after] }\n";
  world.engine.fail_tasks_of_next("a_after", "boom");
  deploy("services: { web: { image: w }, after: { image: a } }\n");
  const auto explanation = explain();
  EXPECT_THAT(explanation.summary, HasSubstr("post_deploy hook after failed: boom"));
  ASSERT_NE(link(explanation, "hook"), nullptr);
  EXPECT_EQ(link(explanation, "hook")->state, ConditionState::failed);
}

TEST_F(Explain, WhereNoTaskEverRanThereAreNoLogsToLookAt) {
  deploy(one_service("a:1"));
  world.engine.fail_tasks("a_web", "no suitable node (missing plugin on 1 node)");
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  ASSERT_TRUE(world.settle());
  const auto explanation = explain();
  const auto* rollout = link(explanation, "rollout");
  ASSERT_NE(rollout, nullptr);
  EXPECT_THAT(rollout->remedy, ::testing::Not(HasSubstr("skep logs")));
}

TEST_F(Explain, AMistakeInAFileIsNamedWithItsPlace) {
  deploy("services:\n  web:\n    image: 'a:1'\n    imagee: x\n");
  const auto explanation = explain();
  const auto* files = link(explanation, "files");
  ASSERT_NE(files, nullptr);
  EXPECT_EQ(files->state, ConditionState::failed);
  EXPECT_THAT(files->text, HasSubstr("apps/a/docker-compose.yml:4"));
  EXPECT_THAT(files->remedy, HasSubstr("skep validate"));
  EXPECT_EQ(explanation.summary, files->text);
}

TEST_F(Explain, GitThatCannotBeReadIsTheFirstLinkToMend) {
  deploy(one_service("a:1"));
  agent.fetch_error = "connection refused";
  const auto explanation = explain();
  EXPECT_EQ(explanation.conditions.front().name, "git");
  EXPECT_EQ(explanation.conditions.front().state, ConditionState::failed);
  EXPECT_THAT(explanation.summary, HasSubstr("connection refused"));
}

TEST_F(Explain, AStackThatWaitsForAnotherTellsForWhichAndHowThatStands) {
  world.files["apps/b/docker-compose.yml"] = one_service("a:1");
  world.files["apps/a/skep.yaml"] = "depends_on: [b]\n";
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  world.commit();
  ASSERT_TRUE(world.agent().turn(world.desired(), {}));  // b is there now, and does not come up.
  world.engine.set_running("b_web", 0);
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(world.agent().turn(world.desired(), {}));
    world.clock.advance(500ms);
  }
  const auto explanation = explain();
  const auto* order = link(explanation, "order");
  ASSERT_NE(order, nullptr);
  EXPECT_EQ(order->state, ConditionState::waiting);
  EXPECT_THAT(order->text, HasSubstr("waits for the stack b"));
  EXPECT_THAT(order->text, HasSubstr("apps/b is "));
  EXPECT_THAT(order->remedy, HasSubstr("`skep explain b`"));
  const auto* rollout = link(explanation, "rollout");
  ASSERT_NE(rollout, nullptr);
  EXPECT_EQ(rollout->state, ConditionState::waiting) << "it has not failed: " << rollout->text;
}

TEST_F(Explain, ASuspensionTellsByWhomWhyAndUntilWhen) {
  deploy(one_service("a:1"));
  const auto until = world.clock.now() + 1h;
  world.agent().suspend("a", {"migration", "uid 1000", world.clock.now(), until});
  ASSERT_TRUE(world.settle());
  const auto explanation = explain();
  const auto* suspension = link(explanation, "suspension");
  ASSERT_NE(suspension, nullptr);
  EXPECT_EQ(suspension->text, "suspended by uid 1000: migration");
  EXPECT_EQ(suspension->until, until);
  EXPECT_THAT(suspension->remedy, HasSubstr("`skep resume a`"));
}

TEST_F(Explain, AnUnapprovedAdoptionIsStoppedAndSaysWhatToDo) {
  auto spec = swarm::ServiceSpec();
  spec.name = "a_web";
  spec.labels["com.docker.stack.namespace"] = "a";
  spec.task_template.container.image = "other:1";
  ASSERT_TRUE(world.engine.create_service(spec, {}));
  deploy(one_service("a:1"));
  const auto explanation = explain();
  const auto* approval = link(explanation, "approval");
  ASSERT_NE(approval, nullptr);
  EXPECT_EQ(approval->state, ConditionState::stopped);
  EXPECT_THAT(approval->text, HasSubstr("skep approve a"));
}

TEST_F(Explain, AQuarantineTellsWhichCommitWhyAndWhatRunsInstead) {
  deploy(one_service("a:1"));
  deploy(one_service("a:2"));
  const auto target = world.options.revision(std::string(39, 'a') + "1", "a");
  ASSERT_TRUE(target);
  world.agent().rollback("a",
                         {std::string(39, 'a') + "1",
                          (*target)->content,
                          world.desired().stacks.front()->content,
                          "uid 0"});
  ASSERT_TRUE(world.settle());
  const auto explanation = explain();
  const auto* quarantine = link(explanation, "quarantine");
  ASSERT_NE(quarantine, nullptr);
  EXPECT_THAT(quarantine->text, HasSubstr("is quarantined (uid 0 sent it back); the stack is at"));
  EXPECT_THAT(quarantine->remedy, HasSubstr("`skep sync a`"));
  const auto& back = agent.stacks.front();
  EXPECT_EQ(back.applied_revision, back.rolled_back_to) << "that was carried out last";
  world.agent().suspend("a", {"freeze", "uid 0", world.clock.now(), {}});
  ASSERT_TRUE(world.settle());
  (void)explain();
  EXPECT_EQ(agent.stacks.front().sync, ports::SyncState::out_of_sync) << "git says something else";
}

TEST_F(Explain, ARolloutTellsRunningDesiredAndTheEnginesOwnWords) {
  deploy(one_service("a:1"));
  world.engine.fail_tasks("a_web", "task: non-zero exit (7)");
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(world.agent().turn(world.desired(), {}));
    world.clock.advance(500ms);
  }
  const auto explanation = explain();
  const auto* rollout = link(explanation, "rollout");
  ASSERT_NE(rollout, nullptr);
  EXPECT_NE(rollout->state, ConditionState::good);
  EXPECT_THAT(rollout->text, HasSubstr("a_web 0/1"));
  EXPECT_THAT(rollout->text, HasSubstr("non-zero exit (7)"));
  EXPECT_THAT(explanation.services.at(0).trouble, HasSubstr("non-zero exit (7)"));
}

TEST_F(Explain, AFailureTellsHowOftenAndWhenItIsTriedAgain) {
  deploy(one_service("a:1"));
  for (int i = 0; i < 3; ++i) {
    world.engine.fail_next(fakes::Operation::update_service,
                           {ErrorKind::unavailable, "the engine is tired"});
  }
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  ASSERT_TRUE(world.agent().turn(world.desired(), {}));
  const auto explanation = explain();
  const auto* retry = link(explanation, "retry");
  ASSERT_NE(retry, nullptr);
  EXPECT_EQ(retry->state, ConditionState::waiting);
  EXPECT_THAT(retry->text, StartsWith("failed 1 time"));
  EXPECT_THAT(retry->text, HasSubstr("the engine is tired"));
  ASSERT_TRUE(retry->until);
  EXPECT_GT(*retry->until, world.clock.now());
  EXPECT_LE(*retry->until, world.clock.now() + 2s);
  const auto* ours = link(explanation, "approval");
  ASSERT_NE(ours, nullptr);
  EXPECT_THAT(ours->text, HasSubstr("was begun last")) << "it is not carried out yet";
}

TEST_F(Explain, AnEditByHandThatIsOnlyWatchedIsAPolicyAndADifference) {
  world.files["apps/a/skep.yaml"] = "self_heal: warn\n";
  deploy(one_service("a:1"));
  world.engine.edit_service(
      "a_web", [](swarm::ServiceSpec& spec) { spec.task_template.container.env = {"A=1"}; });
  ASSERT_TRUE(world.settle());
  const auto explanation = explain();
  ASSERT_NE(link(explanation, "policy"), nullptr);
  const auto* difference = link(explanation, "difference");
  ASSERT_NE(difference, nullptr);
  EXPECT_EQ(difference->state, ConditionState::stopped);
  EXPECT_THAT(difference->text, HasSubstr("somebody changed the swarm: a_web"));
  EXPECT_TRUE(difference->since);
}

TEST_F(Explain, WhatIsContendedDiffersAndIsLeftAlone) {
  deploy(one_service("a:1"));
  for (int i = 0; i < 5; ++i) {
    world.engine.edit_service("a_web", [i](swarm::ServiceSpec& spec) {
      spec.task_template.container.env = {"LOOP=" + std::to_string(i)};
    });
    ASSERT_TRUE(world.settle());
  }
  world.engine.clear_writes();
  const auto explanation = explain();
  const auto& status = agent.stacks.front();
  EXPECT_THAT(status.message, StartsWith("contended: "));
  EXPECT_THAT(status.message, HasSubstr("not corrected before 20"));
  EXPECT_EQ(status.drift_cause, ports::DriftCause::live);
  EXPECT_TRUE(status.drift_since);
  ASSERT_TRUE(status.plan);
  ASSERT_EQ(status.plan->actions.size(), 1U);
  EXPECT_EQ(status.plan->actions[0].name, "a_web");
  const auto* difference = link(explanation, "difference");
  ASSERT_NE(difference, nullptr);
  EXPECT_EQ(difference->state, ConditionState::stopped);
  EXPECT_THAT(difference->text, HasSubstr("1 object differs, for somebody changed the swarm"));
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.engine.write_count(), 0U);
  // What the explanation advises helps.
  EXPECT_THAT(link(explanation, "policy")->remedy, HasSubstr("`skep sync a`"));
  world.agent().request("a");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(explain().summary, "it runs as git says, and is healthy");
  EXPECT_FALSE(agent.stacks.front().drift_cause);
}

TEST_F(Explain, WhatBlocksTheWayBackIsNothingThatAPlanOfGitShows) {
  swarm::NetworkSpec network;
  network.name = "n";
  network.driver = "overlay";
  ASSERT_TRUE(world.engine.create_network(network, {}));
  deploy("services: {web: {image: 'a:1', networks: [n]}}\nnetworks: {n: {external: true}}\n");
  const auto first = world.desired().revision.commit;
  deploy(one_service("a:2"));
  world.engine.drop_network("n");
  const auto target = world.options.revision(first, "a");
  ASSERT_TRUE(target);
  world.agent().rollback(
      "a", {first, (*target)->content, world.desired().stacks.front()->content, "uid 0"});
  ASSERT_TRUE(world.settle());
  const auto explanation = explain();
  const auto* obstacle = link(explanation, "obstacle");
  ASSERT_NE(obstacle, nullptr);
  EXPECT_THAT(obstacle->text, HasSubstr("network"));
  EXPECT_THAT(obstacle->remedy, HasSubstr("`skep sync a`"));
  const auto* difference = link(explanation, "difference");
  ASSERT_NE(difference, nullptr);
  EXPECT_THAT(difference->text, HasSubstr("for it goes back to"));
  for (const auto& condition : explanation.conditions)
    EXPECT_THAT(condition.remedy, ::testing::Not(HasSubstr("skep plan"))) << condition.name;
}

TEST_F(Explain, ANetworkThatDiffersAndStaysIsNoAgreement) {
  const auto with = [](const std::string& network) {
    return one_service("a:1") + "    networks: [n]\nnetworks: { n: " + network + " }\n";
  };
  deploy(with("{}"));
  deploy(with("{ attachable: true }"));
  const auto explanation = explain();
  const auto* difference = link(explanation, "difference");
  ASSERT_NE(difference, nullptr);
  EXPECT_EQ(difference->state, ConditionState::stopped);
  EXPECT_THAT(difference->text, HasSubstr("network \"a_n\" differs from the files"));
  EXPECT_THAT(agent.stacks.front().message, HasSubstr("replace: allowed"));
}

TEST_F(Explain, AMissingNetworkIsAnObstacle) {
  deploy("services: {web: {image: 'a:1', networks: [n]}}\nnetworks: {n: {external: true}}\n");
  const auto explanation = explain();
  const auto* obstacle = link(explanation, "obstacle");
  ASSERT_NE(obstacle, nullptr);
  EXPECT_EQ(obstacle->state, ConditionState::failed);
  EXPECT_THAT(obstacle->text, HasSubstr("n"));
}

TEST_F(Explain, AnUnreadableSwarmIsSaidAndNotGuessedAround) {
  deploy(one_service("a:1"));
  const auto turn = world.agent().turn(world.desired(), {});
  ASSERT_TRUE(turn);
  agent.docker_up = false;
  agent.docker_error = "no quorum";
  auto status = World::status(*turn, "a");
  status.sync = ports::SyncState::unknown;
  status.health = ports::Health::unknown;
  status.plan.reset();
  const auto explanation = explain_stack(agent, status);
  const auto* swarm = link(explanation, "swarm");
  ASSERT_NE(swarm, nullptr);
  EXPECT_EQ(swarm->state, ConditionState::failed);
  EXPECT_THAT(swarm->text, HasSubstr("no quorum"));
}

}  // namespace
}  // namespace skep::reconciler
