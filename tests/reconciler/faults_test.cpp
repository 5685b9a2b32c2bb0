#include <gmock/gmock.h>

#include "reconciler/ports/forwarding_engine.hpp"
#include "repository/decryption.hpp"
#include "tests/reconciler/world.hpp"

// What goes wrong in the world, at any moment: only what it concerns may stop, and it goes on by
// itself afterwards.
namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;
using fakes::Operation;
using ports::Health;
using ports::SyncState;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using tests::one_service;
using tests::World;

class Faults : public tests::WorldTest {
 protected:
  std::uint32_t port_of(const std::string& service) {
    const auto state = world.engine.state();
    const auto* found = state.find_service(service);
    if (found == nullptr || !found->spec.endpoint_spec || found->spec.endpoint_spec->ports.empty())
      return 0;
    return found->spec.endpoint_spec->ports[0].published;
  }
  static std::string publishing(const std::string& port) {
    return "services:\n  web:\n    image: a\n    ports: ['" + port + ":80']\n";
  }
  /// The rollout of a:2 begins and its service goes back to what it was.
  void begin_and_go_back(const std::string& compose) {
    world.engine.set_running("a_web", 0);
    world.files["apps/a/docker-compose.yml"] = compose;
    world.commit();
    turn_until("a_web", "a:2");
    world.engine.set_running("a_web", std::nullopt);
    world.engine.roll_back_by_hand("a_web");
  }
};

// --- unknown is never empty (promise 4)

/// Between the first look at the swarm and the second one somebody edits a service.
class ChangesBetweenLooks final : public ports::ForwardingEngine {
 public:
  ChangesBetweenLooks(fakes::FakeEngine& engine, std::string service)
      : ForwardingEngine(engine), fake_(engine), service_(std::move(service)) {}
  Result<swarm::LiveState> observe(std::stop_token stop) override {
    if (armed && ++looks_ == 2) {
      fake_.edit_service(service_, [](swarm::ServiceSpec& spec) {
        spec.task_template.container.env = {"EDITED=1"};
      });
    }
    return ForwardingEngine::observe(std::move(stop));
  }
  bool armed = false;

 private:
  fakes::FakeEngine& fake_;
  std::string service_;
  int looks_ = 0;
};

TEST_F(Faults, NothingOfAStackIsRemovedWhereASecondLookShowsAnotherOne) {
  for (const std::string name : {"a", "b", "c"})
    world.files["apps/" + name + "/docker-compose.yml"] = one_service(name + ":1");
  ASSERT_TRUE(push().all_good());
  world.files.erase("apps/a/docker-compose.yml");
  world.files["apps/b/docker-compose.yml"] = one_service("b:2");
  world.commit();
  ChangesBetweenLooks engine(world.engine, "a_web");
  spdlog::logger log("test");
  Reconciler agent(engine, world.observer, world.clock, log, world.options, [] {});
  engine.armed = true;
  auto turn = agent.turn(world.desired(), {});
  ASSERT_TRUE(turn);
  EXPECT_EQ(image_of("a_web"), "a:1") << "what was decided from is not what is there";
  EXPECT_THAT(World::status(*turn, "a").message, HasSubstr("it changed while it was looked at"));
  EXPECT_TRUE(turn->retry_at) << "it looks again soon";
  EXPECT_EQ(image_of("b_web"), "b:2") << "the others do not wait for it";
  ASSERT_TRUE(agent.turn(world.desired(), {}));
  EXPECT_EQ(image_of("a_web"), "");
}

TEST_F(Faults, ASwarmInWhichOthersWriteAllTheTimeHoldsNoRemovalUp) {
  for (const std::string name : {"a", "b", "c"})
    world.files["apps/" + name + "/docker-compose.yml"] = one_service(name + ":1");
  ASSERT_TRUE(push().all_good());
  world.files.erase("apps/a/docker-compose.yml");
  world.commit();
  ChangesBetweenLooks engine(world.engine, "b_web");
  spdlog::logger log("test");
  Reconciler agent(engine, world.observer, world.clock, log, world.options, [] {});
  engine.armed = true;
  ASSERT_TRUE(agent.turn(world.desired(), {}));
  EXPECT_EQ(image_of("a_web"), "");
}

// --- one bad thing hurts only itself

TEST_F(Faults, AClusterSecretThatCannotBeReadHoldsOnlyTheStacksThatUseIt) {
  world.files["skep.yaml"] =
      "defaults: { resolve_image: never }\n"
      "secrets: { bad: { file: secrets/missing }, good: { file: secrets/good } }\n";
  world.files["secrets/good"] = "x";
  const auto compose = [](const std::string& image, const std::string& secret) {
    return one_service(image) + "    secrets: [" + secret + "]\nsecrets: { " + secret +
           ": { external: true } }\n";
  };
  world.files["apps/user/docker-compose.yml"] = compose("u:1", "bad");
  world.files["apps/other/docker-compose.yml"] = compose("o:1", "good");
  world.files["apps/plain/docker-compose.yml"] = one_service("p:1");
  auto turn = push();
  EXPECT_FALSE(world.desired().broken());
  EXPECT_THAT(to_string(world.desired().all_findings()), HasSubstr("skep.yaml:2"))
      << "`skep validate` shows it at its place";
  EXPECT_EQ(image_of("user_web"), "");
  EXPECT_THAT(World::status(turn, "user").message,
              AllOf(HasSubstr("the secret bad"), HasSubstr("secrets/missing")));
  EXPECT_EQ(image_of("other_web"), "o:1");
  EXPECT_EQ(image_of("plain_web"), "p:1");
  world.files["secrets/missing"] = "";
  turn = push();
  EXPECT_THAT(World::status(turn, "user").message, HasSubstr("empty"));
  world.files["skep.yaml"] =
      "defaults: { resolve_image: never }\n"
      "secrets: { bad: { file: secrets/good }, good: { file: secrets/good } }\n";
  EXPECT_TRUE(push().all_good());
  EXPECT_EQ(image_of("user_web"), "u:1");
}

TEST_F(Faults, AClusterConfigThatTheEngineRefusesHoldsOnlyTheStacksThatUseIt) {
  world.files["skep.yaml"] =
      "defaults: { resolve_image: never }\nconfigs: { big: { file: big } }\n";
  world.files["big"] = std::string(1'100'000, 'x');
  world.files["apps/user/docker-compose.yml"] =
      one_service("u:1") + "    configs: [big]\nconfigs: { big: { external: true } }\n";
  world.files["apps/plain/docker-compose.yml"] = one_service("p:1");
  const auto turn = push();
  EXPECT_EQ(image_of("plain_web"), "p:1");
  EXPECT_THAT(World::status(turn, "user").message, HasSubstr("big"));
  EXPECT_THAT(turn.notes, Contains(AllOf(HasSubstr("config big"), HasSubstr("1024000"))));
  world.files["big"] = "small enough";
  world.clock.advance(10min);
  EXPECT_TRUE(push().all_good());
  EXPECT_TRUE(settle().notes.empty());
}

TEST_F(Faults, ASharedNetworkThatCannotBeMadeBlocksOnlyItsUsersAndIsNotTriedInEachTurn) {
  world.files["skep.yaml"] = "defaults: { resolve_image: never }\nnetworks: { front: }\n";
  world.files["apps/user/docker-compose.yml"] =
      one_service("u:1") + "    networks: [front]\nnetworks: { front: { external: true } }\n";
  world.files["apps/plain/docker-compose.yml"] = one_service("p:1");
  world.engine.fail_next(Operation::create_network,
                         {ErrorKind::unavailable, "no address space left"});
  world.commit();
  auto turn = world.agent().turn(world.desired(), {});
  ASSERT_TRUE(turn) << turn.error().message;
  EXPECT_THAT(turn->notes, Contains(HasSubstr("no address space left")));
  EXPECT_EQ(World::status(*turn, "user").verdict, "blocked");
  const auto calls = world.engine.calls(Operation::create_network);
  for (int i = 0; i < 3; ++i) {
    world.clock.advance(100ms);
    turn = world.agent().turn(world.desired(), {});
    ASSERT_TRUE(turn);
    EXPECT_THAT(turn->notes, Contains(HasSubstr("no address space left"))) << "it is still said";
  }
  EXPECT_EQ(world.engine.calls(Operation::create_network), calls);
  EXPECT_EQ(image_of("plain_web"), "p:1");
  ASSERT_TRUE(turn->retry_at);
  for (int i = 0; i < 4; ++i) {
    world.clock.advance(10min);
    settle();
  }
  EXPECT_EQ(image_of("user_web"), "u:1");
  EXPECT_TRUE(settle().notes.empty());
}

TEST_F(Faults, ARefusalThatLooksLikeAConflictIsNotRepeatedWithoutAPause) {
  world.files["skep.yaml"] = "defaults: { resolve_image: never }\nnetworks: { front: }\n";
  world.files["apps/plain/docker-compose.yml"] = one_service("p:1");
  for (int i = 0; i < 50; ++i)
    world.engine.fail_next(Operation::create_network, {ErrorKind::conflict, "name conflicts"});
  world.commit();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(world.agent().turn(world.desired(), {}));
  // One for the shared network; the stack's own one may have had its turns.
  const auto turn = world.agent().turn(world.desired(), {});
  ASSERT_TRUE(turn);
  EXPECT_THAT(turn->notes, Contains(HasSubstr("name conflicts")));
  ASSERT_TRUE(turn->retry_at);
  EXPECT_GT(*turn->retry_at, world.clock.steady());
}

TEST_F(Faults, ADeadlineShorterThanWhatARolloutMustLastFailsNothing) {
  world.files["skep.yaml"] = "defaults: { resolve_image: never, timeout: 3s }\n";
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  world.commit();
  ASSERT_EQ(World::status(settle(), "a").health, ports::Health::healthy);
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  const auto turn = settle();
  EXPECT_EQ(World::status(turn, "a").health, ports::Health::healthy);
  EXPECT_FALSE(World::status(turn, "a").quarantined);
  EXPECT_EQ(image_of("a_web"), "a:2");
}

TEST_F(Faults, WhatComesUpAfterItsDeadlineIsWatchedUntilItHasLasted) {
  world.files["skep.yaml"] = "defaults: { resolve_image: never, on_failure: keep, timeout: 8s }\n";
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  world.commit();
  ASSERT_EQ(World::status(settle(), "a").health, ports::Health::healthy);
  world.engine.set_running("a_web", 0);
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  ASSERT_EQ(World::status(settle(), "a").health, ports::Health::degraded);
  world.clock.advance(std::chrono::seconds(30));
  world.engine.set_running("a_web", std::nullopt);  // Tasks that start send no events.
  EXPECT_EQ(World::status(settle(), "a").health, ports::Health::healthy);
}

TEST_F(Faults, ADamagedRecordHoldsOnlyItsStackAndIsKeptUntilAPersonDecides) {
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  world.files["apps/b/docker-compose.yml"] = one_service("b:1");
  ASSERT_TRUE(push().all_good());
  auto labels = world.engine.state().find_config(tests::kState)->labels;
  labels["io.skep.stack.a"] = "{ not json";
  labels["io.skep.stack.gone"] = "[]";
  labels["io.skep.suspended.b"] = "nonsense";
  world.engine.edit_config_labels(tests::kState, labels);
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.files["apps/b/docker-compose.yml"] = one_service("b:2");
  world.files["apps/c/docker-compose.yml"] = one_service("c:1");
  auto turn = push();
  EXPECT_TRUE(World::status(turn, "a").held);
  EXPECT_THAT(World::status(turn, "a").message, HasSubstr("damaged"));
  EXPECT_TRUE(World::status(turn, "b").suspended) << "somebody wanted it left alone";
  EXPECT_EQ(image_of("a_web"), "a:1");
  EXPECT_EQ(image_of("b_web"), "b:1");
  EXPECT_EQ(image_of("c_web"), "c:1");
  EXPECT_THAT(turn.notes, Contains(HasSubstr("record of the stack gone")));
  EXPECT_EQ(world.engine.state().find_config(tests::kState)->labels.at("io.skep.stack.a"),
            "{ not json");
  world.agent().approve("a", true, "ann");
  world.agent().resume("b");
  turn = settle();
  EXPECT_EQ(image_of("a_web"), "a:2");
  EXPECT_EQ(image_of("b_web"), "b:2");
  EXPECT_EQ(World::status(turn, "a").sync, SyncState::synced);
}

TEST_F(Faults, AStateObjectThatSomebodyRemovedIsMadeAnewByAdoptionAndNothingRestarts) {
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  world.files["apps/b/docker-compose.yml"] = one_service("b:1");
  ASSERT_TRUE(push().all_good());
  const auto a = world.engine.state().find_service("a_web")->version;
  world.engine.drop_config(tests::kState);
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(world.engine.state().find_service("a_web")->version, a);
  ASSERT_NE(world.engine.state().find_config(tests::kState), nullptr);
  // In the middle of a change: what differs waits for a person, for nobody knows any more whether
  // that content failed here before.
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.engine.drop_config(tests::kState);
  const auto turn = push();
  EXPECT_TRUE(World::status(turn, "a").held);
  EXPECT_EQ(image_of("a_web"), "a:1");
  EXPECT_EQ(World::status(turn, "b").sync, SyncState::synced);
}

// --- what left git, and what only looks so

TEST_F(Faults, ADirectoryThatBecameAFileLeavesItsStackRunning) {
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  world.files["apps/b/docker-compose.yml"] = one_service("b:1");
  world.files["apps/c/docker-compose.yml"] = one_service("c:1");
  ASSERT_TRUE(push().all_good());
  world.files.erase("apps/a/docker-compose.yml");
  world.files["apps/a"] = "../b";  // What a link's blob holds.
  auto turn = push();
  world.clock.advance(24h);
  turn = settle();
  EXPECT_EQ(image_of("a_web"), "a:1");
  EXPECT_THAT(World::status(turn, "a").message, HasSubstr("apps/a is a file"));
  EXPECT_EQ(World::status(turn, "b").sync, SyncState::synced);
  world.files.erase("apps/a");
  push();
  EXPECT_EQ(image_of("a_web"), "") << "now it is gone";
}

TEST_F(Faults, AClockThatJumpsNeitherShortensNorProlongsTheGrace) {
  world.options.prune_grace = 60s;
  world.restart_agent();
  for (const auto* name : {"a", "b", "c"})
    world.files["apps/" + std::string(name) + "/docker-compose.yml"] = one_service(name);
  ASSERT_TRUE(push().all_good());
  world.files.erase("apps/a/docker-compose.yml");
  push();
  world.clock.set_the_day(365 * 24h);
  settle();
  EXPECT_EQ(image_of("a_web"), "a:latest") << "a year forward is not a minute that passed";
  world.clock.set_the_day(-730 * 24h);
  settle();
  world.clock.advance(61s);
  settle();
  EXPECT_EQ(image_of("a_web"), "") << "a year back does not keep it for a year";
}

TEST_F(Faults, AStackThatMovesToAnotherGroupIsTheSameStack) {
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  world.files["apps/b/docker-compose.yml"] = one_service("b:1");
  ASSERT_TRUE(push().all_good());
  const auto before = world.engine.state().find_service("a_web")->version;
  world.files["management/a/docker-compose.yml"] = world.files["apps/a/docker-compose.yml"];
  world.files.erase("apps/a/docker-compose.yml");
  auto turn = push();
  EXPECT_TRUE(turn.all_good());
  EXPECT_EQ(World::status(turn, "a").group, "management");
  EXPECT_EQ(world.engine.state().find_service("a_web")->version, before);
  // And goes with its new directory, not with the old one.
  world.files["apps/c/docker-compose.yml"] = one_service("c:1");
  push();
  world.files.erase("management/a/docker-compose.yml");
  push();
  EXPECT_EQ(image_of("a_web"), "");
}

TEST_F(Faults, SettingsThatBreakAndAreMendedFreezeAndGoOn_Attack11) {
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  ASSERT_TRUE(push().all_good());
  const auto good = world.files["skep.yaml"];
  world.files["skep.yaml"] = "defaults: { resolve_image: [\n";
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.engine.clear_writes();
  auto turn = push();
  EXPECT_EQ(world.engine.write_count(), 0U);
  EXPECT_EQ(World::status(turn, "a").sync, SyncState::unknown);
  world.files["skep.yaml"] = good;
  EXPECT_TRUE(push().all_good());
  EXPECT_EQ(image_of("a_web"), "a:2");
}

// --- ports that stacks exchange

TEST_F(Faults, TwoStacksThatExchangePortsInOneCommitArrive) {
  world.files["apps/a/docker-compose.yml"] = publishing("8001");
  world.files["apps/b/docker-compose.yml"] = publishing("8002");
  ASSERT_TRUE(push().all_good());
  world.files["apps/a/docker-compose.yml"] = publishing("8002");
  world.files["apps/b/docker-compose.yml"] = publishing("8001");
  const auto turn = push();
  EXPECT_TRUE(turn.all_good()) << World::status(turn, "a").message << "\n"
                               << World::status(turn, "b").message;
  EXPECT_EQ(port_of("a_web"), 8002U);
  EXPECT_EQ(port_of("b_web"), 8001U);
  EXPECT_EQ(World::status(turn, "b").consecutive_failures, 0U);
}

TEST_F(Faults, StacksOfTwoGroupsAndARingOfThreeExchangePorts) {
  world.files["management/a/docker-compose.yml"] = publishing("8001");
  world.files["apps/b/docker-compose.yml"] = publishing("8002");
  world.files["apps/c/docker-compose.yml"] = publishing("8003");
  world.files["apps/c/skep.yaml"] = "depends_on: [b]\n";
  ASSERT_TRUE(push().all_good());
  world.files["management/a/docker-compose.yml"] = publishing("8002");
  world.files["apps/b/docker-compose.yml"] = publishing("8003");
  world.files["apps/c/docker-compose.yml"] = publishing("8001");
  const auto turn = push();
  EXPECT_TRUE(turn.all_good());
  EXPECT_EQ(port_of("a_web"), 8002U);
  EXPECT_EQ(port_of("b_web"), 8003U);
  EXPECT_EQ(port_of("c_web"), 8001U);
}

TEST_F(Faults, AnExchangeOfPortsSurvivesAKillBetweenAnyTwoWrites) {
  for (std::size_t writes = 0; writes < 8; ++writes) {
    SCOPED_TRACE(writes);
    World other;
    other.files["apps/a/docker-compose.yml"] = publishing("8001");
    other.files["apps/b/docker-compose.yml"] = publishing("8002");
    other.commit();
    ASSERT_TRUE(other.settle());
    other.files["apps/a/docker-compose.yml"] = publishing("8002");
    other.files["apps/b/docker-compose.yml"] = publishing("8001");
    other.commit();
    other.engine.fail_after(writes);
    for (int i = 0; i < 20; ++i) (void)other.agent().turn(other.desired(), {});
    other.engine.recover();
    other.restart_agent();
    const auto turn = other.settle();
    ASSERT_TRUE(turn);
    EXPECT_TRUE(turn->all_good());
    const auto state = other.engine.state();
    EXPECT_EQ(state.find_service("a_web")->spec.endpoint_spec->ports.at(0).published, 8002U);
    EXPECT_EQ(state.find_service("b_web")->spec.endpoint_spec->ports.at(0).published, 8001U);
  }
}

TEST_F(Faults, APlanOfAnExchangeShowsWhatComesOfIt) {
  world.files["apps/a/docker-compose.yml"] = publishing("8001");
  world.files["apps/b/docker-compose.yml"] = publishing("8002");
  ASSERT_TRUE(push().all_good());
  world.files["apps/a/docker-compose.yml"] = publishing("8002");
  world.files["apps/b/docker-compose.yml"] = publishing("8001");
  world.options.plan_only = true;
  world.restart_agent();
  world.commit();
  const auto turn = world.agent().turn(world.desired(), {});
  ASSERT_TRUE(turn);
  for (const auto* name : {"a", "b"}) {
    const auto& status = World::status(*turn, name);
    ASSERT_TRUE(status.plan);
    EXPECT_FALSE(status.plan->blocked()) << name;
    ASSERT_EQ(status.plan->actions.size(), 1U);
    EXPECT_FALSE(status.plan->actions[0].changes.empty());
  }
  const auto& notes = World::status(*turn, "b").plan->notes;
  EXPECT_TRUE(std::any_of(notes.begin(), notes.end(), [](const diff::Note& note) {
    return note.text.find("restarts twice") != std::string::npos;
  }));
}

TEST_F(Faults, AStackThatMayNotMoveKeepsItsPortFromTheOther) {
  world.files["apps/a/docker-compose.yml"] = publishing("8001");
  world.files["apps/b/docker-compose.yml"] = publishing("8002");
  ASSERT_TRUE(push().all_good());
  world.files["apps/b/skep.yaml"] = "sync: manual\n";
  world.files["apps/a/docker-compose.yml"] = publishing("8002");
  world.files["apps/b/docker-compose.yml"] = publishing("8001");
  world.engine.clear_writes();
  const auto turn = push();
  EXPECT_EQ(World::status(turn, "a").verdict, "blocked");
  EXPECT_EQ(port_of("b_web"), 8002U);
  EXPECT_EQ(port_of("a_web"), 8001U);
}

// --- a person, in the middle of it

TEST_F(Faults, WhatAPersonDoesDuringARolloutIsPutRight) {
  const std::vector<std::pair<std::string, std::function<void(World&)>>> acts = {
      {"service rm", [](World& w) { w.engine.drop_service("a_web"); }},
      {"scale",
       [](World& w) {
         w.engine.edit_service("a_web", [](auto& spec) { spec.mode.replicated->replicas = 0; });
       }},
      {"update",
       [](World& w) {
         w.engine.edit_service("a_web",
                               [](auto& spec) { spec.task_template.container.image = "evil:1"; });
       }},
      {"the other's service rm", [](World& w) { w.engine.drop_service("a_db"); }},
      {"state object rm", [](World& w) { w.engine.drop_config(tests::kState); }},
  };
  for (const auto& [name, act] : acts) {
    SCOPED_TRACE(name);
    World other;
    const auto compose = [](const std::string& tag) {
      return "services: { web: { image: 'w:" + tag + "', configs: [c] }, db: { image: 'd:" + tag +
             "' } }\nconfigs: { c: { file: c.txt } }\n";
    };
    other.files["apps/a/docker-compose.yml"] = compose("1");
    other.files["apps/a/c.txt"] = "1";
    other.commit();
    ASSERT_TRUE(other.settle());
    other.files["apps/a/docker-compose.yml"] = compose("2");
    other.files["apps/a/c.txt"] = "2";
    other.commit();
    ASSERT_TRUE(other.agent().turn(other.desired(), {}));
    act(other);
    const auto turn = other.settle();
    ASSERT_TRUE(turn) << other.error;
    EXPECT_TRUE(turn->all_good()) << World::status(*turn, "a").message;
    const auto state = other.engine.state();
    ASSERT_NE(state.find_service("a_web"), nullptr);
    EXPECT_EQ(state.find_service("a_web")->spec.task_template.container.image, "w:2");
    EXPECT_EQ(state.find_service("a_db")->spec.task_template.container.image, "d:2");
  }
}

TEST_F(Faults, ARolloutThatAPersonRollsBackInTheMiddleIsCancelledAndHeld) {
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  ASSERT_TRUE(push().all_good());
  begin_and_go_back(one_service("a:2"));
  // What a real engine says when it has arrived: the word "manually" is gone.
  world.engine.set_update_status("a_web", {"rollback_completed", "", "", "rollback completed"});
  auto turn = settle();
  EXPECT_TRUE(World::status(turn, "a").held);
  EXPECT_THAT(World::status(turn, "a").message, HasSubstr("by hand"));
  EXPECT_EQ(World::status(turn, "a").consecutive_failures, 0U);
  world.clock.advance(1h);
  turn = settle();
  EXPECT_FALSE(World::status(turn, "a").quarantined);
  EXPECT_EQ(image_of("a_web"), "a:1");
  world.agent().request("a");
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("a_web"), "a:2");
}

TEST_F(Faults, WhatSwarmItselfWentBackFromIsNobodysEdit_E3_26) {
  const std::string more = "    deploy: {update_config: {failure_action: rollback}}\n";
  world.files["apps/a/docker-compose.yml"] = one_service("a:1") + more;
  world.files["apps/a/skep.yaml"] = "on_failure: pause\n";
  ASSERT_TRUE(push().all_good());
  begin_and_go_back(one_service("a:2") + more);
  for (const auto* state : {"rollback_started", "rollback_completed"}) {
    world.engine.set_update_status("a_web", {state, "", "", "update rolled back due to failure"});
    for (int i = 0; i < 5; ++i) {
      auto turn = world.agent().turn(world.desired(), {});
      ASSERT_TRUE(turn);
      EXPECT_NE(World::status(*turn, "a").drift_cause, ports::DriftCause::live) << state;
    }
  }
}

// --- the engine, in the middle of it

TEST_F(Faults, TimeWithoutAnEngineIsNoLackOfProgress) {
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  ASSERT_TRUE(push().all_good());
  world.engine.set_running("a_web", 0);
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  for (int i = 0; i < 700 && image_of("a_web") != "a:2"; ++i)
    ASSERT_TRUE(world.agent().turn(world.desired(), {}));
  ASSERT_EQ(image_of("a_web"), "a:2");
  for (int i = 0; i < 60; ++i) {
    world.clock.advance(10s);
    world.engine.fail_next(Operation::observe, {ErrorKind::unavailable, "connection refused"});
    ASSERT_FALSE(world.agent().turn(world.desired(), {}));
  }
  auto turn = world.agent().turn(world.desired(), {});
  ASSERT_TRUE(turn);
  EXPECT_FALSE(World::status(*turn, "a").quarantined);
  EXPECT_EQ(World::status(*turn, "a").consecutive_failures, 0U);
  world.engine.set_running("a_web", std::nullopt);
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("a_web"), "a:2");
}

TEST_F(Faults, WordsThatAreNoTextAreWrittenDownAllTheSame) {
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  ASSERT_TRUE(push().all_good());
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  world.engine.fail_tasks("a_web", "\xff\xfe ended");
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(world.agent().turn(world.desired(), {}));
    world.clock.advance(500ms);
  }
  world.restart_agent();
  const auto turn = world.agent().turn(world.desired(), {});
  ASSERT_TRUE(turn) << turn.error().message;
  EXPECT_TRUE(World::status(*turn, "a").quarantined);
}

// --- sizes and names

TEST_F(Faults, NamesThatNoEngineTakesAreMistakesOfTheirStackOnly) {
  world.files["apps/gut/docker-compose.yml"] = one_service("a:1");
  world.files["apps/größe/docker-compose.yml"] = one_service("b:1");
  world.files["apps/with blank/docker-compose.yml"] = one_service("c:1");
  world.files["apps/" + std::string(80, 'x') + "/docker-compose.yml"] = one_service("d:1");
  world.files["apps/named/docker-compose.yml"] = one_service("e:1");
  world.files["apps/named/skep.yaml"] = "name: plain\n";
  world.commit();
  const auto turn = settle();
  EXPECT_EQ(image_of("gut_web"), "a:1");
  EXPECT_EQ(image_of("plain_web"), "e:1");
  EXPECT_EQ(world.engine.state().services.size(), 2U);
  for (const auto& stack : turn.stacks) {
    if (stack.name == "gut" || stack.name == "plain") continue;
    EXPECT_NE(stack.sync, SyncState::synced) << stack.name;
    EXPECT_FALSE(stack.message.empty()) << stack.name;
  }
}

TEST_F(Faults, HundredsOfStacksAreSettledAndThenLeftAlone) {
  for (int i = 0; i < 300; ++i)
    world.files["apps/s" + std::to_string(i) + "/docker-compose.yml"] = one_service("a:1");
  EXPECT_TRUE(push().all_good());
  world.engine.clear_writes();
  const auto observed = world.engine.calls(Operation::observe);
  const auto tasks = world.engine.calls(Operation::tasks);
  settle();
  EXPECT_EQ(world.engine.write_count(), 0U);
  EXPECT_EQ(world.engine.calls(Operation::observe) - observed, 1U);
  EXPECT_EQ(world.engine.calls(Operation::tasks), tasks);
}

// --- secrets never leave memory (promise 7)

TEST_F(Faults, APlanWithoutTheKeyShowsNothingOfWhatIsLiveWhereAValueIsEncrypted) {
  const auto key = sops::Identity::generate();
  const auto sealed = sops::encrypt("GRACE=45s\n",
                                    ".env.sops",
                                    sops::Format::dotenv,
                                    {{key.recipient()}, {}, "2026-01-02T03:04:05Z"});
  ASSERT_TRUE(sealed);
  world.files["apps/a/.env.sops"] = *sealed;
  const auto compose = [](const std::string& image) {
    return one_service(image) + "    stop_grace_period: \"${GRACE}\"\n";
  };
  world.files["apps/a/docker-compose.yml"] = compose("a:1");
  world.load.decryption =
      std::make_shared<repository::Decryption>(repository::Decryption{.identities = {key}});
  ASSERT_TRUE(push().all_good());
  world.load.decryption = std::make_shared<repository::Decryption>(
      repository::Decryption{.identities = {}, .placeholders = true});
  world.options.plan_only = true;
  world.restart_agent();
  world.files["apps/a/docker-compose.yml"] = compose("a:2");  // It is rendered anew.
  world.commit();
  const auto status = World::status(turn(), "a");
  ASSERT_TRUE(status.plan);
  ASSERT_EQ(status.plan->actions.size(), 1U);
  std::map<std::string, std::string> before;
  for (const auto& change : status.plan->actions[0].changes) before[change.path] = change.before;
  EXPECT_EQ(before["image"], "a:1") << "what is not encrypted is shown";
  EXPECT_EQ(before["stop_grace_period"], "***");
}

}  // namespace
}  // namespace skep::reconciler
