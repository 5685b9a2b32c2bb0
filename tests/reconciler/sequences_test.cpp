#include <gmock/gmock.h>
#include <spdlog/logger.h>

#include "swarm/labels.hpp"
#include "tests/reconciler/world.hpp"

// What several things in a row come to, each of which is right by itself.
namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;
using fakes::Operation;
using ports::Health;
using testing::HasSubstr;
using tests::one_service;
using tests::Operations;
using tests::World;

class Sequences : public tests::WorldTest {
 protected:
  void write(const std::string& path, const std::string& compose) {
    world.files[path + "/docker-compose.yml"] = compose;
  }
  void deploy_apps(const std::vector<std::string>& names) {
    for (const auto& name : names) write("apps/" + name, one_service(name));
    ASSERT_TRUE(push().all_good());
  }
  void remove_apps(const std::vector<std::string>& names) {
    for (const auto& name : names) world.files.erase("apps/" + name + "/docker-compose.yml");
  }
  /// apps/a, whose network swarm gives no place, so that its task waits.
  void deploy_starved(const std::string& compose) {
    world.engine.starve_next_network("a_default");
    write("apps/a", compose);
    world.commit();
    turn();
    world.engine.set_running("a_web", 0);
    turn();
  }
};

TEST_F(Sequences, ARenamedStackStaysUntilItsNewNameCanBeDeployed_Trap12) {
  deploy_apps({"a", "b", "c"});
  write("apps/z", one_service("a") + "    networks: [x]\nnetworks: { x: { external: true } }\n");
  remove_apps({"a"});
  push();
  world.clock.advance(24h);
  auto last = settle();
  EXPECT_EQ(image_of("a_web"), "a:latest") << "the new one is blocked: neither of them would run";
  EXPECT_THAT(World::status(last, "a").message, HasSubstr("can be deployed"));
  write("apps/z", one_service("a"));
  push();
  EXPECT_EQ(image_of("a_web"), "");
  EXPECT_EQ(image_of("z_web"), "a:latest");
}

TEST_F(Sequences, OneNewDirectoryIsTheNewNameOfOneStackAtMost_Trap13) {
  deploy_apps({"a", "b", "c", "d", "e"});
  remove_apps({"a", "b", "c", "d", "e"});
  write("apps/new", one_service("new"));
  push();
  world.clock.advance(24h);
  const auto last = settle();
  for (const std::string name : {"a", "b", "c", "d", "e"}) {
    EXPECT_EQ(image_of(name + "_web"), name + ":latest") << "nobody approved that";
    EXPECT_TRUE(World::status(last, name).held);
  }
  EXPECT_EQ(image_of("new_web"), "new:latest");
}

TEST_F(Sequences, AStackThatStoodBesideAnotherIsNotItsNewName) {
  deploy_apps({"a", "b", "c"});
  write("apps/later", one_service("other"));
  world.files["apps/later/skep.yaml"] = "sync: manual\n";
  push();
  remove_apps({"a"});
  push();
  world.clock.advance(24h);
  settle();
  EXPECT_EQ(image_of("a_web"), "") << "it waits for something that is not its new name";
}

TEST_F(Sequences, ThatSoManyRemovalsWaitForAPersonIsSaidAtOnce) {
  world.options.prune_grace = 10min;
  world.restart_agent();
  deploy_apps({"a", "b", "c"});
  remove_apps({"a", "b"});
  const auto last = push();
  EXPECT_THAT(World::status(last, "a").message, HasSubstr("2 of 3 stacks"));
  EXPECT_THAT(World::status(last, "a").message, HasSubstr("`skep approve a`"));
  EXPECT_TRUE(World::status(last, "a").held);
  deploy_apps({"a", "b", "c"});
  remove_apps({"a"});
  EXPECT_THAT(World::status(push(), "a").message,
              testing::ContainsRegex("is removed at 20[0-9-]+T[0-9:.]+Z, unless it comes back"));
}

TEST_F(Sequences, WhatIsHeldWithMostOthersSaysNothingUntrueWhenTheseComeBack) {
  deploy_apps({"a", "b", "c", "d"});
  remove_apps({"a", "b", "c"});
  EXPECT_THAT(World::status(push(), "a").message, HasSubstr("with it 3 of 4 stacks"));
  for (const char* name : {"b", "c"}) write("apps/" + std::string(name), one_service(name));
  const auto last = push();
  EXPECT_TRUE(World::status(last, "a").held);
  EXPECT_EQ(World::status(last, "a").message,
            "left git when most stacks did: it is removed only after `skep approve a`");
}

TEST_F(Sequences, WhatWasCorrectedInOneOperationIsToldInFull) {
  Operations operations;
  world.listener = &operations;
  world.restart_agent();
  deploy_apps({"a"});
  operations.reports.clear();
  world.engine.edit_service("a_web",
                            [](auto& spec) { spec.task_template.container.env = {"EVIL=1"}; });
  turn();
  world.engine.edit_service("a_web",
                            [](auto& spec) { spec.task_template.container.hostname = "evil"; });
  settle();
  ASSERT_EQ(operations.reports.size(), 1U);
  ASSERT_EQ(operations.reports[0].objects.size(), 1U);
  EXPECT_THAT(operations.reports[0].objects[0].fields,
              testing::UnorderedElementsAre("environment EVIL", "hostname"));
}

TEST_F(Sequences, ACommitWhoseFirstWriteFailsDoesNotTakeTheOneBeforeWithIt) {
  Operations operations;
  world.listener = &operations;
  world.restart_agent();
  deploy_apps({"a"});
  write("apps/a", one_service("a:2"));
  world.commit();
  const auto good = world.desired().revision.commit;
  turn_until("a_web", "a:2");
  operations.reports.clear();
  write("apps/a", one_service("a:3"));
  world.commit();
  world.engine.fail_next(fakes::Operation::update_service, {ErrorKind::unavailable, "busy"});
  turn();
  ASSERT_EQ(operations.reports.size(), 2U);
  EXPECT_EQ(operations.reports[0].revision_to, good);
  EXPECT_EQ(operations.reports[0].result, "cancelled");
  EXPECT_EQ(operations.reports[1].revision_to, world.desired().revision.commit);
  EXPECT_EQ(operations.reports[1].failed_phase, "apply");
}

TEST_F(Sequences, WhatComesAfterAWayBackReplacesWhatRan) {
  Operations operations;
  world.listener = &operations;
  world.restart_agent();
  write("apps/a", one_service("a:1"));
  ASSERT_TRUE(push().all_good());
  const auto good = world.desired().revision.commit;
  write("apps/a", one_service("a:2"));
  world.commit();
  world.engine.fail_tasks("a_web", "task: non-zero exit (1)");
  turn_until("a_web", "a:2");
  turn_until("a_web", "a:1");
  world.engine.fail_tasks("a_web", "");
  world.engine.set_update_status("a_web", {"completed", "", "", "update completed"});
  settle();
  ASSERT_EQ(image_of("a_web"), "a:1") << "it did not go back";
  write("apps/a", one_service("a:3"));
  operations.reports.clear();
  ASSERT_TRUE(push().all_good());
  ASSERT_FALSE(operations.reports.empty());
  EXPECT_EQ(operations.reports.back().revision_from, good);
  EXPECT_EQ(operations.reports.back().revision_to, world.desired().revision.commit);
}

TEST_F(Sequences, AWayBackThatAPersonLeftIsNotWhatTheNextCommitReplaces) {
  Operations operations;
  world.listener = &operations;
  world.restart_agent();
  write("apps/a", one_service("a:1"));
  ASSERT_TRUE(push().all_good());
  write("apps/a", one_service("a:2"));
  world.commit();
  const auto tried_again = world.desired().revision.commit;
  world.engine.fail_tasks("a_web", "task: non-zero exit (1)");
  turn_until("a_web", "a:2");
  turn_until("a_web", "a:1");
  world.engine.fail_tasks("a_web", "");
  world.engine.set_update_status("a_web", {"completed", "", "", "update completed"});
  settle();
  world.agent().request("a", "uid 0");
  ASSERT_TRUE(settle().all_good());
  ASSERT_EQ(image_of("a_web"), "a:2");
  write("apps/a", one_service("a:3"));
  operations.reports.clear();
  ASSERT_TRUE(push().all_good());
  ASSERT_FALSE(operations.reports.empty());
  EXPECT_EQ(operations.reports.back().revision_from, tried_again);
}

const std::string kWaitsForInit =
    "services:\n  init: { image: i }\n  app:\n    image: a\n    depends_on: { init: { condition: "
    "service_completed_successfully } }\n";

TEST_F(Sequences, WhatAServiceWaitsForIsSaid) {
  write("apps/a", kWaitsForInit);
  world.commit();
  Turn last;
  for (int i = 0; i < 5; ++i) last = turn();
  EXPECT_EQ(image_of("a_app"), "");
  EXPECT_EQ(World::status(last, "a").message, "a_app waits: a_init is not completed yet");
}

TEST_F(Sequences, AStackThatSomebodyRemovedComesBackWhenItsNetworkIsGone) {
  write("apps/a", "services: { web: { image: a } }\n");
  ASSERT_TRUE(push().all_good());
  world.engine.drop_service("a_web");
  world.engine.leave_network("a_default");
  for (int i = 0; i < 10; ++i) {
    world.clock.advance(500ms);
    const auto last = turn();
    EXPECT_TRUE(last.moving || last.wrote) << "nobody looks again";
    EXPECT_EQ(World::status(last, "a").consecutive_failures, 0U);
    EXPECT_THAT(World::status(last, "a").message, HasSubstr("the network a_default is going"));
  }
  EXPECT_EQ(world.engine.calls(Operation::create_network), 1U);
  world.engine.drop_network("a_default");
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("a_web"), "a:latest");
}

std::string on_subnet(const std::string& subnet) {
  return "services: { web: { image: a } }\nnetworks: { default: { ipam: { config: [{ subnet: " +
         subnet + " }] } } }\n";
}

std::string subnet_of(const World& world, const std::string& name) {
  const auto state = world.engine.state();
  for (const auto& network : state.networks) {
    if (network.spec.name == name && network.spec.ipam && !network.spec.ipam->config.empty())
      return network.spec.ipam->config.front().subnet;
  }
  return "";
}

TEST_F(Sequences, ANetworkThatSwarmGivesNoPlaceIsMadeAnewOnTheWayBackAndByTheNextCommit) {
  world.files["apps/a/skep.yaml"] = "replace: allowed\ntimeout: 20s\n";
  write("apps/a", on_subnet("10.77.0.0/24"));
  ASSERT_TRUE(push().all_good());
  deploy_starved(on_subnet("10.78.0.0/24"));
  settle();
  for (int i = 0; i < 20; ++i) {
    world.clock.advance(5s);
    settle();
  }
  EXPECT_EQ(subnet_of(world, "a_default"), "10.77.0.0/24");
  auto last = settle();
  EXPECT_EQ(World::status(last, "a").health, Health::healthy);
  EXPECT_TRUE(World::status(last, "a").quarantined);
  write("apps/a", on_subnet("10.79.0.0/24"));
  EXPECT_TRUE(push().all_good());
  EXPECT_EQ(subnet_of(world, "a_default"), "10.79.0.0/24");
}

TEST_F(Sequences, ANetworkThatWasNeverGivenAPlaceNeedsNoPermissionToBeMadeAnew) {
  world.files["apps/a/skep.yaml"] = "timeout: 1m\n";
  deploy_starved(on_subnet("10.77.0.0/24"));
  world.clock.advance(40s);
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(subnet_of(world, "a_default"), "10.77.0.0/24");
}

TEST_F(Sequences, WhyANetworkGetsNoPlaceIsSaid) {
  write("apps/b", on_subnet("10.78.0.0/16"));
  ASSERT_TRUE(push().all_good());
  world.files["apps/a/skep.yaml"] = "timeout: 1m\n";
  deploy_starved(on_subnet("10.78.0.0/24"));
  world.clock.advance(40s);
  const auto writes = world.engine.write_count();
  EXPECT_THAT(World::status(turn(), "a").message,
              HasSubstr("network \"a_default\" gets no place in the swarm: its subnet 10.78.0.0/24 "
                        "overlaps 10.78.0.0/16"));
  EXPECT_EQ(world.engine.write_count(), writes) << "another one would get none either";
}

TEST_F(Sequences, ANetworkIsNotReplacedByOneWhoseSubnetAnotherStackHolds) {
  world.files["apps/a/skep.yaml"] = "replace: allowed\n";
  write("apps/a", on_subnet("10.77.0.0/24"));
  write("apps/b", on_subnet("10.78.0.0/16"));
  ASSERT_TRUE(push().all_good());
  write("apps/a", on_subnet("10.78.3.0/24"));
  const auto last = push();
  EXPECT_THAT(
      World::status(last, "a").message,
      HasSubstr("its subnet 10.78.3.0/24 overlaps 10.78.0.0/16 of the network \"b_default\""));
  EXPECT_EQ(subnet_of(world, "a_default"), "10.77.0.0/24");
  EXPECT_EQ(image_of("a_web"), "a:latest");
}

TEST_F(Sequences, ASharedNetworkThatSomebodyRemovedComesBackWhenItIsGone) {
  world.files["skep.yaml"] = "defaults: { resolve_image: never }\nnetworks: { shared: {} }\n";
  write("apps/a",
        "services: { web: { image: a, networks: [shared] } }\n"
        "networks: { shared: { external: true } }\n");
  ASSERT_TRUE(push().all_good());
  world.engine.drop_service("a_web");
  world.engine.leave_network("shared");
  const auto last = turn();
  EXPECT_TRUE(last.moving);
  EXPECT_THAT(last.notes, testing::ElementsAre(HasSubstr("made again when")));
  world.engine.drop_network("shared");
  EXPECT_TRUE(settle().all_good());
}

TEST_F(Sequences, NothingWaitsForAServiceThatIsSwitchedOff) {
  write("apps/a",
        "services:\n"
        "  web: { image: a, depends_on: { init: { condition: service_completed_successfully } } }\n"
        "  init: { image: i, deploy: { replicas: 0 } }\n");
  EXPECT_TRUE(push().all_good());
  EXPECT_EQ(image_of("a_web"), "a:latest");
}

TEST_F(Sequences, AnOldGenerationThatIsCollectedAfterARestartIsNobodysEdit) {
  world.files["apps/a/skep.yaml"] = "self_heal: warn\n";
  const auto text = "services: {web: {image: a, configs: [page]}}\nconfigs: {page: {file: page}}\n";
  world.files["apps/a/page"] = "one";
  write("apps/a", text);
  ASSERT_TRUE(push().all_good());
  world.files["apps/a/page"] = "two";
  ASSERT_TRUE(push().all_good());
  world.files["apps/a/page"] = "three";
  world.commit();
  for (int i = 0; i < 700 && world.engine.calls(Operation::create_config) < 4; ++i) turn();
  for (int i = 0; i < 700; ++i) {
    world.clock.advance(500ms);
    if (World::status(turn(), "a").plan->only_collects_generations()) break;
  }
  world.restart_agent();
  const auto status = World::status(turn(), "a");
  ASSERT_TRUE(status.plan->only_collects_generations());
  EXPECT_EQ(status.drift_cause, ports::DriftCause::pending);
  EXPECT_TRUE(settle().all_good());
}

TEST_F(Sequences, WhatWaitsForATaskThatFailedForGoodFailsWithoutWaitingForTheDeadline) {
  world.engine.fail_tasks_of_next("a_init", "task: non-zero exit (3)");
  write("apps/a", kWaitsForInit);
  world.commit();
  Turn last;
  for (int i = 0; i < 5; ++i) last = turn();
  EXPECT_GT(World::status(last, "a").consecutive_failures, 0U);
  EXPECT_THAT(World::status(last, "a").message, HasSubstr("a_init: task: non-zero exit (3)"));
}

TEST_F(Sequences, OfSeveralNewDirectoriesTheOneWithItsImagesIsAStacksNewName_Trap36) {
  const auto with_data = [](const std::string& image) {
    return one_service(image) + "    volumes: ['data:/d']\nvolumes: { data: }\n";
  };
  write("apps/a", with_data("one"));
  write("apps/b", with_data("two"));
  write("apps/c", one_service("c"));
  ASSERT_TRUE(push().all_good());
  remove_apps({"a", "b"});
  write("apps/x", with_data("two"));
  write("apps/y", with_data("one"));
  const auto last = push();
  EXPECT_THAT(World::status(last, "x").message, HasSubstr("is the new name of b"));
  EXPECT_THAT(World::status(last, "y").message, HasSubstr("is the new name of a"));
}

TEST_F(Sequences, AReplacedNetworkRemovesAlsoServicesThatWaitForOthers) {
  const auto text = [](const std::string& network) {
    return "services:\n  db: {image: d, networks: [n]}\n  web: {image: w, networks: [n], "
           "depends_on: {db: {condition: service_healthy}}}\nnetworks: {n: " +
           network + "}\n";
  };
  world.files["apps/a/skep.yaml"] = "replace: allowed\n";
  write("apps/a", text("{}"));
  ASSERT_TRUE(push().all_good());
  write("apps/a", text("{ attachable: true }"));
  push();
  world.clock.advance(10min);
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("a_db"), "d:latest");
  EXPECT_EQ(image_of("a_web"), "w:latest");
}

TEST_F(Sequences, ACommitThatAgreesWithARollbackIsNoFailure_Trap34) {
  for (const auto* image : {"a:1", "a:2"}) {
    write("apps/a", one_service(image));
    ASSERT_TRUE(push().all_good());
  }
  world.engine.roll_back_by_hand("a_web");
  settle();
  write("apps/a", one_service("a:1"));
  push();
  settle();
  const auto last = settle();
  EXPECT_FALSE(World::status(last, "a").quarantined);
  EXPECT_TRUE(last.all_good());
}

TEST_F(Sequences, ACommitThatLeavesARolledBackServiceAloneIsCarriedOut_Trap23) {
  const std::string rolls = ", deploy: {update_config: {failure_action: rollback}}}\n";
  const auto text = [&](const std::string& web, const std::string& db) {
    return "services:\n  web: {image: '" + web + "'" + rolls + "  db: {image: '" + db + "'" + rolls;
  };
  write("apps/a", text("w:1", "d:1"));
  ASSERT_TRUE(push().all_good());
  write("apps/a", text("w:2", "d:1"));
  world.commit();
  turn_until("a_web", "w:2");
  world.engine.roll_back_by_hand("a_web");
  world.engine.set_update_status(
      "a_web", {"rollback_completed", "", "", "update rolled back due to failure"});
  settle();
  write("apps/a", text("w:1", "d:2"));
  push();
  const auto last = settle();
  EXPECT_EQ(image_of("a_db"), "d:2");
  EXPECT_TRUE(last.all_good());
}

TEST_F(Sequences, AnOperationThatGitOvertookHoldsNoOtherGroup) {
  write("management/m", one_service("m:1"));
  write("apps/a", one_service("a:1"));
  ASSERT_TRUE(push().all_good());
  write("management/m", one_service("m:2"));
  world.commit();
  turn();
  write("management/m", "services: {web: {imge: x}}\n");
  write("apps/a", one_service("a:2"));
  world.commit();
  for (int i = 0; i < 100; ++i) {
    turn();
    world.clock.advance(500ms);
  }
  EXPECT_EQ(image_of("a_web"), "a:2");
}

TEST_F(Sequences, WhatIsHeldWithManyOthersStaysHeldWhenThoseAreApproved_Trap15) {
  deploy_apps({"a", "b", "c", "d"});
  remove_apps({"a", "b", "c"});
  push();
  for (const auto* name : {"a", "b"}) {
    world.agent().approve(name, true);
    settle();
  }
  EXPECT_EQ(image_of("a_web"), "");
  world.restart_agent();
  const auto last = settle();
  EXPECT_EQ(image_of("c_web"), "c:latest");
  EXPECT_TRUE(World::status(last, "c").held);
  write("apps/c", one_service("c"));
  ASSERT_TRUE(push().all_good()) << "it came back";
}

TEST_F(Sequences, AChangedSecretInGitIsNobodysEdit) {
  world.files["apps/a/skep.yaml"] = "self_heal: warn\n";
  world.files["apps/a/pass"] = "one";
  write("apps/a", "services: {web: {image: a, secrets: [pass]}}\nsecrets: {pass: {file: pass}}\n");
  ASSERT_TRUE(push().all_good());
  world.files["apps/a/pass"] = "two";
  world.commit();
  EXPECT_EQ(World::status(turn(), "a").drift_cause, ports::DriftCause::pending);
  EXPECT_TRUE(settle().all_good());
}

TEST_F(Sequences, ASyncThatMeetsAConflictIsCarriedOutAllTheSame_Attack29) {
  world.files["apps/a/skep.yaml"] = "self_heal: warn\n";
  write("apps/a", one_service("a"));
  ASSERT_TRUE(push().all_good());
  world.engine.edit_service(
      "a_web", [](swarm::ServiceSpec& spec) { spec.task_template.container.env = {"HAND=made"}; });
  ASSERT_FALSE(settle().all_good());
  world.engine.fail_next(Operation::update_service,
                         {ErrorKind::conflict, "update out of sequence"});
  world.agent().request("a", "anna");
  EXPECT_TRUE(settle().all_good()) << "it is not asked for twice";
}

TEST_F(Sequences, ACommitThatCannotBeRenderedChangesNoSecret) {
  world.files["apps/a/skep.yaml"] = "self_heal: warn\n";
  world.files["apps/a/pass"] = "one";
  const std::string text =
      "services: {web: {image: a, secrets: [pass]}}\nsecrets: {pass: {file: pass}}\n";
  write("apps/a", text);
  ASSERT_TRUE(push().all_good());
  world.engine.edit_service(
      "a_web", [](swarm::ServiceSpec& spec) { spec.task_template.container.env = {"HAND=made"}; });
  settle();
  write("apps/a", "services: {web: {imge: x}}\n");
  push();
  write("apps/a", text);
  const auto last = push();
  EXPECT_EQ(World::status(last, "a").drift_cause, ports::DriftCause::live);
  EXPECT_THAT(world.engine.state().find_service("a_web")->spec.task_template.container.env,
              testing::ElementsAre("HAND=made"));
}

TEST_F(Sequences, AnApprovalIsNotForWhatGitBroughtMeanwhile_Attack28) {
  write("apps/a", one_service("a:1"));
  ASSERT_TRUE(push().all_good());
  world.engine.drop_config("skep-default-state");
  class Void final : public ports::Observer {
   public:
    void noted(const ports::Note& note) override {
      if (note.message.find("void") != std::string::npos) stacks.push_back(note.stack);
    }
    std::vector<std::string> stacks;
  } told;
  world.listener = &told;
  world.restart_agent();
  write("apps/a", one_service("a:2"));
  ASSERT_TRUE(World::status(push(), "a").held);
  world.agent().approve("a", true);
  write("apps/a", one_service("a:3"));
  EXPECT_TRUE(World::status(push(), "a").held);
  EXPECT_EQ(image_of("a_web"), "a:1");
  EXPECT_THAT(told.stacks, testing::ElementsAre("apps/a")) << "said once, by its full name";
  world.agent().approve("a", true);
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("a_web"), "a:3");
}

TEST_F(Sequences, AnApprovalIsForWhatStoodThereThen_Attack28) {
  deploy_apps({"a", "b", "c"});
  write("apps/a", one_service("a:2"));
  world.engine.fail_next(Operation::update_service, {ErrorKind::invalid_input, "no"});
  world.commit();
  world.agent().approve("a");
  turn();
  remove_apps({"a", "b", "c"});
  const auto last = push();
  EXPECT_NE(image_of("a_web"), "");
  EXPECT_TRUE(World::status(last, "a").held);
}

TEST_F(Sequences, AManagementStackThatIsIllHoldsNoApplication) {
  world.files["management/m/skep.yaml"] = "on_failure: keep\n";
  write("management/m", "services: {web: {image: 'm:1'}, old: {image: o}}\n");
  write("apps/a", one_service("a:1"));
  ASSERT_TRUE(push().all_good());
  world.engine.fail_tasks("m_web", "exit 1");
  write("management/m", "services: {web: {image: 'm:2'}}\n");
  push();
  write("apps/a", one_service("a:2"));
  push();
  EXPECT_EQ(image_of("a_web"), "a:2");
}

TEST_F(Sequences, AnObjectThatSomebodyKeepsInUseIsAFailureAfterAWhile_D7_5) {
  for (const auto* name : {"a", "b", "c"}) {
    write(std::string("apps/") + name,
          one_service(name) + "    networks: [n]\nnetworks: { n: {} }\n");
  }
  ASSERT_TRUE(push().all_good());
  remove_apps({"a"});
  for (int i = 0; i < 5000; ++i)
    world.engine.fail_next(Operation::remove_network, {ErrorKind::unavailable, "in use by task x"});
  world.commit();
  Turn last;
  for (int i = 0; i < 1400; ++i) {
    last = turn();
    world.clock.advance(500ms);
  }
  EXPECT_GT(World::status(last, "a").consecutive_failures, 0U);
  EXPECT_LT(world.engine.calls(Operation::remove_network), 700U);
}

TEST_F(Sequences, AHookThatTheEngineRefusesHoldsNoOtherGroup) {
  world.files["management/m/skep.yaml"] = "hooks: { pre_deploy: [service: migrate] }\n";
  write("management/m", "services: {web: {image: m}, migrate: {image: mi}}\n");
  write("apps/a", one_service("a"));
  world.engine.fail_next(Operation::create_service,
                         {ErrorKind::invalid_input, "constraint expected one operator"});
  world.commit();
  turn();
  turn();
  EXPECT_EQ(image_of("a_web"), "a:latest");
}

TEST_F(Sequences, AStackThatAnotherInstanceTookOverIsNotRemoved_Attack30) {
  deploy_apps({"a", "b", "c"});
  auto spec = world.engine.state().find_service("a_web")->spec;
  spec.labels[std::string(swarm::kInstanceLabel)] = "second";
  world.engine.drop_service("a_web");
  ASSERT_TRUE(world.engine.create_service(spec, {}));
  remove_apps({"a"});
  push();
  world.clock.advance(1h);
  settle();
  EXPECT_EQ(image_of("a_web"), "a:latest");
}

TEST_F(Sequences, TwoAgentsOfOneNameAndTwoRepositoriesDoNotRemoveEachOthersStacks) {
  deploy_apps({"a", "b", "c"});
  World second;
  second.files = {{"skep.yaml", "defaults: { resolve_image: never }\n"},
                  {"apps/x/docker-compose.yml", one_service("x:1")}};
  second.commit();
  ports::Observer nobody;
  spdlog::logger log("none");
  Reconciler other(world.engine, nobody, world.clock, log, world.options, [] {});
  std::vector<std::string> notes;
  const auto both = [&](int rounds) {
    for (int i = 0; i < rounds; ++i) {
      notes = turn().notes;
      ASSERT_TRUE(other.turn(second.desired(), {}));
      world.clock.advance(20s);
    }
  };
  both(60);  // Until each knows of the other.
  const auto removed = world.engine.calls(Operation::remove_service);
  both(200);
  EXPECT_EQ(world.engine.calls(Operation::remove_service), removed);
  for (const auto* name : {"a_web", "b_web", "c_web", "x_web"})
    EXPECT_NE(world.engine.state().find_service(name), nullptr) << name;
  EXPECT_THAT(notes, testing::Contains(testing::HasSubstr("--instance")));
}

TEST_F(Sequences, WhoStoodByForgetsWhatItSawBefore_Attack29) {
  world.options.prune_grace = 60s;
  world.restart_agent();
  deploy_apps({"a", "b", "c"});
  ports::Observer nobody;
  spdlog::logger log("none");
  Reconciler other(world.engine, nobody, world.clock, log, world.options, [] {});
  remove_apps({"a"});
  world.commit();
  turn();  // The grace period begins, for this one.
  write("apps/a", one_service("a"));
  world.commit();
  ASSERT_TRUE(other.turn(world.desired(), {})) << "it came back while the other one was active";
  world.clock.advance(48h);
  remove_apps({"a"});
  world.commit();
  world.agent().begin_anew();
  turn();
  EXPECT_EQ(image_of("a_web"), "a:latest") << "it left just now";
}

TEST_F(Sequences, NewContentHasToLastAlsoAfterARestart_Trap23) {
  write("apps/a", one_service("a:1"));
  ASSERT_TRUE(push().all_good());
  write("apps/a", one_service("a:2"));
  world.commit();
  turn();
  ASSERT_EQ(image_of("a_web"), "a:2");
  world.restart_agent();
  EXPECT_NE(World::status(turn(), "a").health, Health::healthy);
  world.engine.fail_tasks("a_web", "exit 1");
  world.engine.set_update_status("a_web", {"paused", "", "", "update paused"});
  for (int i = 0; i < 20 && image_of("a_web") != "a:1"; ++i) {
    turn();
    world.clock.advance(500ms);
  }
  EXPECT_EQ(image_of("a_web"), "a:1");
}

TEST_F(Sequences, ASyncThatAPersonAsksForSendsWhatSwarmGaveUpOnceMore) {
  write("apps/a", one_service("a:1"));
  world.files["apps/a/skep.yaml"] = "on_failure: keep\n";
  ASSERT_TRUE(push().all_good());
  world.engine.set_update_status("a_web", {"paused", "", "", "update paused"});
  world.engine.clear_writes();
  const auto before = world.engine.calls(Operation::update_service);
  settle();
  EXPECT_EQ(world.engine.write_count(), 0U) << "by itself it is not sent again";
  world.agent().request("a");
  turn();
  EXPECT_EQ(world.engine.calls(Operation::update_service) - before, 1U);
  world.engine.set_update_status("a_web", {"completed", "", "", ""});
  world.clock.advance(10s);
  settle();
  EXPECT_EQ(world.engine.calls(Operation::update_service) - before, 1U);
}

TEST_F(Sequences, AnUpdateWaitsForTheNewTasksOfWhatItDependsOn) {
  const auto text = [](const std::string& version) {
    return "services:\n  db: {image: 'd:" + version + "'}\n  web: {image: 'w:" + version +
           "', depends_on: {db: {condition: service_healthy}}}\n";
  };
  write("apps/a", text("1"));
  ASSERT_TRUE(push().all_good());
  world.engine.set_running("a_db", 1);  // The old task runs on.
  write("apps/a", text("2"));
  world.commit();
  for (int i = 0; i < 5; ++i) turn();
  EXPECT_EQ(image_of("a_db"), "d:2");
  EXPECT_EQ(image_of("a_web"), "w:1");
  world.engine.set_running("a_db", std::nullopt);
  settle();
  EXPECT_EQ(image_of("a_web"), "w:2");
}

}  // namespace
}  // namespace skep::reconciler
