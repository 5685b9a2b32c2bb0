#include "reconciler/reconciler.hpp"

#include <gmock/gmock.h>

#include "tests/reconciler/world.hpp"

namespace skep::reconciler {
namespace {

using fakes::Operation;
using ports::Health;
using ports::SyncState;
using testing::HasSubstr;
using tests::one_service;
using tests::World;

std::size_t writes_to_services(const World& world) {
  std::size_t count = 0;
  for (const auto& write : world.engine.writes()) count += write.name != tests::kState ? 1 : 0;
  return count;
}

class ReconcilerTest : public tests::WorldTest {
 protected:
  void SetUp() override {
    world.files["apps/a/docker-compose.yml"] = one_service("a:1");
    world.files["apps/b/docker-compose.yml"] = one_service("b:1");
    world.files["apps/c/docker-compose.yml"] = one_service("c:1");
  }
};

TEST_F(ReconcilerTest, DeploysEverythingAndThenWritesNothing) {
  world.commit();
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(world.engine.state().services.size(), 3U);
  world.engine.clear_writes();
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(world.engine.write_count(), 0U);
}

TEST_F(ReconcilerTest, AChangedTagUpdatesExactlyThatService) {
  world.commit();
  settle();
  const auto before = world.engine.state();
  world.files["apps/b/docker-compose.yml"] = one_service("b:2");
  world.commit();
  world.engine.clear_writes();
  EXPECT_TRUE(settle().all_good());
  const auto after = world.engine.state();
  EXPECT_EQ(after.find_service("b_web")->spec.task_template.container.image, "b:2");
  EXPECT_EQ(after.find_service("a_web")->version, before.find_service("a_web")->version);
  EXPECT_EQ(writes_to_services(world), 1U);
}

TEST_F(ReconcilerTest, ADocumentationOnlyCommitWritesNothingAtAll) {
  world.commit();
  settle();
  world.engine.clear_writes();
  world.files["README.md"] = "words";
  world.files["apps/a/README.md"] = "words";
  world.commit();
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(world.engine.write_count(), 0U);
}

TEST_F(ReconcilerTest, ARestartedAgentWritesNothing) {
  world.commit();
  settle();
  world.engine.clear_writes();
  world.restart_agent();
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(world.engine.write_count(), 0U);
}

TEST_F(ReconcilerTest, ARemovedDirectoryRemovesTheStack) {
  world.files["apps/a/docker-compose.yml"] +=
      "    configs: [conf]\nconfigs: { conf: { file: ./conf.txt } }\n";
  world.files["apps/a/conf.txt"] = "x";
  world.commit();
  settle();
  ASSERT_NE(world.engine.state().find_network("a_default"), nullptr);
  ASSERT_NE(world.engine.state().find_config("a_conf"), nullptr);
  world.files.erase("apps/a/docker-compose.yml");
  world.files.erase("apps/a/conf.txt");
  world.commit();
  EXPECT_TRUE(settle().all_good());
  const auto state = world.engine.state();
  EXPECT_EQ(state.find_service("a_web"), nullptr);
  EXPECT_EQ(state.find_network("a_default"), nullptr);
  EXPECT_EQ(state.find_config("a_conf"), nullptr);
  EXPECT_NE(state.find_service("b_web"), nullptr);
}

TEST_F(ReconcilerTest, AStackThatNeitherGitNorARecordKnowsIsLeftAndToldOf) {
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  world.files["apps/b/docker-compose.yml"] = one_service("b:1");
  ASSERT_TRUE(push().all_good());
  world.engine.drop_config("skep-default-state");
  world.files.erase("apps/b/docker-compose.yml");
  world.restart_agent();
  const auto last = push();
  EXPECT_EQ(image_of("b_web"), "b:1");
  EXPECT_THAT(last.notes, testing::Contains(HasSubstr("the stack b has the mark of this agent")));
}

TEST_F(ReconcilerTest, AnEmptyRepositoryRemovesNothingUntilApproved) {
  world.commit();
  settle();
  world.engine.clear_writes();
  world.files.clear();
  world.files["skep.yaml"] = "defaults: { resolve_image: never }\n";
  world.commit();
  const auto turn = settle();
  EXPECT_EQ(world.engine.write_count(), 1U)
      << "that they are held is written down, and that is all";
  EXPECT_NE(world.engine.state().find_service("a_web"), nullptr);
  EXPECT_TRUE(World::status(turn, "a").held);
  EXPECT_THAT(World::status(turn, "a").message, HasSubstr("skep approve a"));
  world.agent().approve("a");
  settle();
  EXPECT_EQ(world.engine.state().find_service("a_web"), nullptr);
  EXPECT_NE(world.engine.state().find_service("b_web"), nullptr);
}

TEST_F(ReconcilerTest, ABrokenFileFreezesItsStackOnly) {
  world.commit();
  settle();
  world.engine.clear_writes();
  world.files["apps/a/docker-compose.yml"] = "services: {web: {imge: x}}\n";
  world.files["apps/b/docker-compose.yml"] = one_service("b:2");
  world.commit();
  const auto turn = settle();
  EXPECT_EQ(World::status(turn, "a").sync, SyncState::unknown);
  EXPECT_THAT(World::status(turn, "a").message, HasSubstr("apps/a/docker-compose.yml:1"));
  EXPECT_NE(world.engine.state().find_service("a_web"), nullptr);
  EXPECT_EQ(World::status(turn, "b").sync, SyncState::synced);
  EXPECT_EQ(world.engine.state().find_service("b_web")->spec.task_template.container.image, "b:2");
}

TEST_F(ReconcilerTest, AStackWhoseSettingsBreakIsNotTakenForGoneThoughItsNameWas) {
  world.files["apps/a/skep.yaml"] = "name: other\n";
  world.commit();
  settle();
  ASSERT_NE(world.engine.state().find_service("other_web"), nullptr);
  world.engine.clear_writes();
  world.files["apps/a/skep.yaml"] = "name: [\n";
  world.commit();
  settle();
  EXPECT_EQ(world.engine.write_count(), 0U);
}

TEST_F(ReconcilerTest, ABrokenClusterFileFreezesEverything) {
  world.commit();
  settle();
  world.engine.clear_writes();
  world.files["skep.yaml"] = "grups: []\n";
  world.files.erase("apps/a/docker-compose.yml");
  world.files["apps/b/docker-compose.yml"] = one_service("b:2");
  world.commit();
  settle();
  EXPECT_EQ(world.engine.write_count(), 0U);
}

TEST_F(ReconcilerTest, AHandEditIsShownAndHealed) {
  world.commit();
  settle();
  world.engine.edit_service(
      "a_web", [](swarm::ServiceSpec& spec) { spec.task_template.container.env = {"EVIL=1"}; });
  auto turn = world.agent().turn(world.desired(), {});
  ASSERT_TRUE(turn);
  EXPECT_EQ(World::status(*turn, "a").drift_cause, ports::DriftCause::live);
  EXPECT_TRUE(settle().all_good());
  EXPECT_TRUE(world.engine.state().find_service("a_web")->spec.task_template.container.env.empty());
}

TEST_F(ReconcilerTest, AHandEditIsOnlyReportedWhereSelfHealIsOff) {
  world.files["apps/a/skep.yaml"] = "self_heal: warn\n";
  world.commit();
  settle();
  world.engine.clear_writes();
  world.engine.edit_service(
      "a_web", [](swarm::ServiceSpec& spec) { spec.task_template.container.env = {"EVIL=1"}; });
  const auto turn = settle();
  EXPECT_EQ(world.engine.write_count(), 0U);
  EXPECT_EQ(World::status(turn, "a").sync, SyncState::out_of_sync);
  world.files["apps/a/docker-compose.yml"] =
      one_service("a:2");  // The next commit carries everything out.
  world.commit();
  EXPECT_TRUE(settle().all_good());
}

TEST_F(ReconcilerTest, ARemovedServiceIsMadeAgain) {
  world.commit();
  settle();
  world.engine.drop_service("a_web");
  EXPECT_TRUE(settle().all_good());
  EXPECT_NE(world.engine.state().find_service("a_web"), nullptr);
}

/// What `docker stack deploy` would have left: the same specs, without a label of ours.
void deploy_by_hand(World& world) {
  World cli;
  cli.files = world.files;
  cli.commit();
  for (const auto& stack : cli.desired().stacks) {
    for (const auto& [key, network] : stack->spec.networks)
      ASSERT_TRUE(world.engine.create_network(network, {}));
    for (const auto& [key, service] : stack->spec.services)
      ASSERT_TRUE(world.engine.create_service(service.spec, {}));
  }
  world.engine.clear_writes();
}

TEST_F(ReconcilerTest, WhatRunsAsGitSaysIsAdoptedWithoutAWriteToIt) {
  deploy_by_hand(world);
  world.commit();
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(writes_to_services(world), 0U);
  EXPECT_NE(world.engine.state().find_config(tests::kState), nullptr);
}

TEST_F(ReconcilerTest, WhatRunsDifferentlyIsHeldUntilApproved) {
  deploy_by_hand(world);
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  auto turn = settle();
  EXPECT_TRUE(World::status(turn, "a").held);
  EXPECT_FALSE(World::status(turn, "a").plan->empty());
  EXPECT_EQ(writes_to_services(world), 0U);
  world.agent().approve("a");
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(world.engine.state().find_service("a_web")->spec.task_template.container.image, "a:2");
}

TEST_F(ReconcilerTest, AnotherInstancesStackIsRefused) {
  World other("other");
  world.commit();
  settle();
  // The same swarm, seen by a second agent.
  ReconcilerOptions options;
  options.instance = "second";
  spdlog::logger log("test");
  Reconciler second(world.engine, world.observer, world.clock, log, options, [] {});
  world.engine.clear_writes();
  const auto turn = second.turn(world.desired(), {});
  ASSERT_TRUE(turn);
  EXPECT_FALSE(World::status(*turn, "a").held) << "an approval would not help";
  EXPECT_EQ(World::status(*turn, "a").sync, ports::SyncState::out_of_sync);
  EXPECT_THAT(World::status(*turn, "a").message, HasSubstr("\"default\""));
  EXPECT_EQ(world.engine.write_count(), 0U);
}

TEST_F(ReconcilerTest, AnotherInstancesStackIsRefusedAlsoWhenItsMarksWereTakenOff) {
  world.commit();
  settle();
  world.engine.edit_service("a_web", [](swarm::ServiceSpec& spec) {
    spec.labels.erase("io.skep.instance");  // As `docker stack deploy` does.
  });
  ReconcilerOptions options;
  options.instance = "second";
  spdlog::logger log("test");
  Reconciler second(world.engine, world.observer, world.clock, log, options, [] {});
  world.engine.clear_writes();
  second.approve("a");
  const auto turn = second.turn(world.desired(), {});
  ASSERT_TRUE(turn);
  EXPECT_THAT(World::status(*turn, "a").message, HasSubstr("\"default\""));
  EXPECT_EQ(world.engine.write_count(), 0U);
}

TEST_F(ReconcilerTest, AnUnreadableSwarmIsUnknownAndNothingIsWritten) {
  world.commit();
  settle();
  world.engine.clear_writes();
  world.engine.set_manager(false);
  EXPECT_FALSE(world.settle());
  world.engine.set_manager(true);
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(world.engine.write_count(), 0U);
}

TEST_F(ReconcilerTest, KilledBetweenAnyTwoWritesTheNextRunConverges) {
  world.files["apps/a/docker-compose.yml"] =
      "services:\n  web: {image: 'a:1', configs: [conf], networks: [n]}\n  db: {image: 'b:1', "
      "networks: [n]}\n"
      "networks: {n: }\nconfigs: {conf: {file: ./conf.txt}}\n";
  world.files["apps/a/conf.txt"] = "x";
  World reference;
  reference.files = world.files;
  reference.commit();
  ASSERT_TRUE(reference.settle());
  const auto total = reference.engine.write_count();
  ASSERT_GT(total, 6U);
  for (std::size_t writes = 0; writes < total; ++writes) {
    World victim;
    victim.files = world.files;
    victim.commit();
    victim.engine.fail_after(writes);
    victim.settle();
    victim.engine.recover();
    victim.restart_agent();
    const auto turn = victim.settle();
    ASSERT_TRUE(turn) << "after " << writes << " writes: " << victim.error;
    EXPECT_TRUE(turn->all_good()) << "after " << writes << " writes";
    EXPECT_EQ(victim.engine.state().services.size(), reference.engine.state().services.size());
    EXPECT_EQ(victim.engine.state().configs.size(), reference.engine.state().configs.size());
    EXPECT_EQ(victim.engine.state().networks.size(), reference.engine.state().networks.size());
  }
}

TEST_F(ReconcilerTest, AConflictIsLookedAtAgainAtOnce_Attack29) {
  world.commit();
  settle();
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  world.engine.fail_next(Operation::update_service,
                         {ErrorKind::conflict, "update out of sequence"});
  EXPECT_TRUE(settle().all_good());
}

TEST_F(ReconcilerTest, AFailedWriteIsRetriedLaterAndTheOthersGoOn) {
  world.options.settle = std::chrono::milliseconds(0);
  world.restart_agent();
  world.commit();
  world.engine.fail_next(Operation::create_service, {ErrorKind::invalid_input, "no such thing"});
  auto turn = settle();
  EXPECT_FALSE(turn.all_good());
  EXPECT_TRUE(turn.retry_at);
  EXPECT_EQ(world.engine.state().services.size(), 2U);
  world.clock.advance(std::chrono::minutes(10));
  EXPECT_TRUE(settle().all_good());
}

TEST_F(ReconcilerTest, TwoServicesExchangeTheirPorts) {
  const auto compose = [](int a, int b) {
    const auto port = [](int number) { return "ports: ['" + std::to_string(number) + ":80']"; };
    return "services: {a: {image: 'a:1', " + port(a) + "}, b: {image: 'b:1', " + port(b) + "}}\n";
  };
  world.files["apps/a/docker-compose.yml"] = compose(80, 81);
  world.commit();
  settle();
  world.files["apps/a/docker-compose.yml"] = compose(81, 80);
  world.commit();
  world.engine.clear_writes();
  const auto turn = settle();
  EXPECT_TRUE(turn.all_good()) << World::status(turn, "a").message;
  const auto state = world.engine.state();
  EXPECT_EQ(state.find_service("a_a")->spec.endpoint_spec->ports.at(0).published, 81U);
  EXPECT_EQ(state.find_service("a_b")->spec.endpoint_spec->ports.at(0).published, 80U);
  std::size_t updates = 0;
  for (const auto& write : world.engine.writes())
    updates += write.operation == Operation::update_service ? 1U : 0U;
  EXPECT_EQ(updates, 3U) << "one gives its port up, then each gets its new one";
}

TEST_F(ReconcilerTest, APortThatTheEngineStillCountsIsWaitedForWithoutAFailure) {
  world.commit();
  world.engine.fail_next(
      Operation::create_service,
      {ErrorKind::invalid_input,
       "rpc error: code = InvalidArgument desc = port '80' is already in use by service 'x' (id) "
       "as an ingress port"});
  const auto turn = settle();
  EXPECT_TRUE(turn.all_good());
  EXPECT_EQ(World::status(turn, "a").consecutive_failures, 0U);
}

TEST_F(ReconcilerTest, AServiceThatFallsOverAtOnceWasNeverHealthy) {
  world.files["apps/a/skep.yaml"] = "timeout: 20s\n";
  world.commit();
  // Whenever the agent looks it is up, or just down again.
  auto up = true;
  reconciler::Turn turn;
  for (int i = 0; i < 100; ++i, up = i % 4 != 0) {
    if (i > 0) world.engine.set_running("a_web", up ? 1 : 0);
    auto next = world.agent().turn(world.desired(), {});
    ASSERT_TRUE(next);
    turn = *std::move(next);
    EXPECT_NE(World::status(turn, "a").health, ports::Health::healthy) << i;
    world.clock.advance(std::chrono::milliseconds(1000));
  }
  EXPECT_EQ(World::status(turn, "a").health, ports::Health::degraded);
  EXPECT_EQ(World::status(turn, "a").healthy_revision, "") << "nothing to go back to";
  EXPECT_THAT(World::status(turn, "a").message, testing::HasSubstr("no progress"));
}

TEST_F(ReconcilerTest, ARemovedServiceGoesOnlyWhenTheRestIsHealthy) {
  world.files["apps/a/docker-compose.yml"] =
      "services: {web: {image: 'a:1'}, old: {image: 'o:1'}}\n";
  world.commit();
  settle();
  world.files["apps/a/docker-compose.yml"] = "services: {web: {image: 'a:2'}}\n";
  world.engine.fail_tasks("a_web", "exit 1");
  world.commit();
  settle();
  EXPECT_NE(world.engine.state().find_service("a_old"), nullptr)
      << "a failed rollout must not become an outage";
  world.engine.fail_tasks("a_web", "");
  world.files["apps/a/docker-compose.yml"] = "services: {web: {image: 'a:3'}}\n";
  world.commit();
  settle();
  EXPECT_EQ(world.engine.state().find_service("a_old"), nullptr);
}

TEST_F(ReconcilerTest, AServiceRolledBackByHandIsHeldUntilTheNextCommit) {
  world.commit();
  settle();
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  settle();
  world.engine.clear_writes();
  world.engine.roll_back_by_hand("a_web");
  world.restart_agent();
  const auto turn = settle();
  EXPECT_TRUE(World::status(turn, "a").held);
  EXPECT_EQ(writes_to_services(world), 0U);
  world.files["apps/a/docker-compose.yml"] = one_service("a:3");
  world.commit();
  settle();
  EXPECT_EQ(world.engine.state().find_service("a_web")->spec.task_template.container.image, "a:3");
}

TEST_F(ReconcilerTest, SharedNetworksComeBeforeTheStacksThatNeedThem) {
  world.files["skep.yaml"] =
      "defaults: { resolve_image: never }\nnetworks: { proxy: { attachable: true } }\n";
  world.files["apps/a/docker-compose.yml"] =
      one_service("a:1") +
      "    networks: [front]\nnetworks: { front: { external: { name: proxy } } }\n";
  world.commit();
  EXPECT_TRUE(settle().all_good());
  EXPECT_NE(world.engine.state().find_network("proxy"), nullptr);
}

TEST_F(ReconcilerTest, ASharedNetworkThatIsOtherwiseThanGitSaysIsToldAndLeft) {
  swarm::NetworkSpec there;
  there.name = "front";
  there.driver = "overlay";
  there.attachable = true;
  there.ipam.emplace().config.push_back({.subnet = "10.1.0.0/24"});
  ASSERT_TRUE(world.engine.create_network(there, {}));
  world.files["skep.yaml"] =
      "defaults: { resolve_image: never }\n"
      "networks: { front: { driver_opts: { encrypted: '' }, subnets: [10.2.0.0/24] } }\n";
  world.commit();
  EXPECT_THAT(settle().notes,
              testing::Contains(testing::AllOf(testing::HasSubstr("shared network front differs"),
                                               testing::HasSubstr("driver_opts encrypted"),
                                               testing::HasSubstr("ipam.config.subnet"))));
  EXPECT_EQ(world.engine.state().find_network("front")->spec.ipam->config[0].subnet, "10.1.0.0/24");
}

TEST_F(ReconcilerTest, AMissingExternalNetworkBlocksThatStackBeforeAnyWrite) {
  world.files["apps/a/docker-compose.yml"] =
      one_service("a:1") + "    networks: [x]\nnetworks: { x: { external: true } }\n";
  world.commit();
  const auto turn = settle();
  EXPECT_THAT(World::status(turn, "a").message, HasSubstr("x"));
  EXPECT_EQ(world.engine.state().find_service("a_web"), nullptr);
  EXPECT_NE(world.engine.state().find_service("b_web"), nullptr);
}

TEST_F(ReconcilerTest, AppsWaitForManagementThatIsBeingChangedButNotForOneThatFailed) {
  world.files["management/m/docker-compose.yml"] = one_service("m:1");
  world.commit();
  auto first = world.agent().turn(world.desired(), {});
  ASSERT_TRUE(first);
  world.engine.fail_tasks("m_web", "image not found");
  EXPECT_EQ(world.engine.state().find_service("a_web"), nullptr);
  EXPECT_THAT(World::status(*first, "a").message, HasSubstr("management/m"));
  const auto turn = settle();
  EXPECT_NE(world.engine.state().find_service("a_web"), nullptr)
      << "a broken management stack never stops all apps";
  EXPECT_NE(World::status(turn, "m").health, Health::healthy);
}

TEST_F(ReconcilerTest, ObserveAndManualDoNotWrite) {
  world.files["apps/a/skep.yaml"] = "sync: observe\n";
  world.files["apps/b/skep.yaml"] = "sync: manual\n";
  world.commit();
  settle();
  EXPECT_EQ(world.engine.state().find_service("a_web"), nullptr);
  EXPECT_EQ(world.engine.state().find_service("b_web"), nullptr);
  world.agent().request("b");
  settle();
  EXPECT_NE(world.engine.state().find_service("b_web"), nullptr);
}

TEST_F(ReconcilerTest, PlanOnlyWritesNothing) {
  world.commit();
  ReconcilerOptions options;
  options.plan_only = true;
  spdlog::logger log("test");
  Reconciler planner(world.engine, world.observer, world.clock, log, options, [] {});
  const auto turn = planner.turn(world.desired(), {});
  ASSERT_TRUE(turn);
  EXPECT_EQ(turn->stacks.size(), 3U);
  EXPECT_FALSE(turn->stacks[0].plan->empty());
  EXPECT_EQ(world.engine.write_count(), 0U);
}

TEST_F(ReconcilerTest, ADamagedStateObjectStopsEverything) {
  world.commit();
  settle();
  world.engine.edit_config_labels(tests::kState, {{"io.skep.state.format", "99"}});
  world.engine.clear_writes();
  world.files.erase("apps/a/docker-compose.yml");
  world.commit();
  EXPECT_FALSE(world.settle());
  EXPECT_THAT(world.error, HasSubstr("another version of skep"));
  EXPECT_EQ(world.engine.write_count(), 0U);
}

}  // namespace
}  // namespace skep::reconciler
