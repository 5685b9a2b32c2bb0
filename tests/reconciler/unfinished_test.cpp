#include <gmock/gmock.h>

#include "swarm/labels.hpp"
#include "tests/reconciler/world.hpp"

// A deployment that takes several turns, or whose write fails, is finished, whatever the stack's
// policy says of edits.
namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;
using fakes::Operation;
using testing::HasSubstr;
using tests::one_service;
using tests::World;

class Unfinished : public tests::WorldTest {
 protected:
  void write(const std::string& compose, const std::string& settings) {
    world.files["apps/a/docker-compose.yml"] = compose;
    world.files["apps/a/skep.yaml"] = settings;
  }
  static std::string two(const std::string& version) {
    return "services:\n  db: {image: 'd:" + version + "'}\n  web: {image: 'w:" + version +
           "', depends_on: {db: {condition: service_healthy}}}\n";
  }
  void edit() {
    world.engine.edit_service("a_web", [](swarm::ServiceSpec& spec) {
      spec.task_template.container.env = {"HAND=made"};
    });
  }
  bool is_edited() {
    return !world.engine.state().find_service("a_web")->spec.task_template.container.env.empty();
  }
};

TEST_F(Unfinished, AManualDeploymentOfSeveralStepsGoesToItsEnd) {
  write(two("1"), "sync: manual\n");
  push();
  EXPECT_EQ(image_of("a_db"), "");
  world.agent().request("a", "anna");
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("a_web"), "w:1");
}

TEST_F(Unfinished, AManualDeploymentAlsoTakesAwayWhatLeft) {
  write("services: {web: {image: w}, worker: {image: x}}\n", "sync: manual\n");
  push();
  world.agent().request("a", "anna");
  ASSERT_TRUE(settle().all_good());
  write("services: {web: {image: 'w:2'}}\n", "sync: manual\n");
  push();
  world.agent().request("a", "anna");
  EXPECT_TRUE(settle().all_good()) << "it never comes to rest";
  EXPECT_EQ(image_of("a_worker"), "");
  write("services: {web: {image: 'w:3'}}\n", "sync: manual\n");
  push();
  EXPECT_EQ(image_of("a_web"), "w:2") << "the next one waits for a person again";
}

TEST_F(Unfinished, AManualDeploymentGoesOnAfterARestart_Promise8) {
  write(two("1"), "sync: manual\n");
  push();
  world.agent().request("a", "anna");
  turn();
  ASSERT_EQ(image_of("a_db"), "d:1");
  ASSERT_EQ(image_of("a_web"), "");
  world.restart_agent();
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("a_web"), "w:1");
}

TEST_F(Unfinished, AFailedWriteIsNoEditWhereThoseAreOnlyReported) {
  for (const auto kind : {ErrorKind::conflict, ErrorKind::unavailable}) {
    const auto text = one_service(kind == ErrorKind::conflict ? "a:1" : "a:2");
    write(text, "self_heal: warn\n");
    world.engine.fail_next(
        image_of("a_web").empty() ? Operation::create_service : Operation::update_service,
        {kind, "not now"});
    world.commit();
    for (int i = 0; i < 20; ++i) {
      EXPECT_NE(World::status(turn(), "a").drift_cause, ports::DriftCause::live);
      world.clock.advance(500ms);
    }
    EXPECT_TRUE(settle().all_good());
  }
}

TEST_F(Unfinished, WhatIsDoneIsDoneAndTheNextEditIsOnlyReported) {
  write(one_service("a:1"), "self_heal: warn\n");
  world.engine.fail_next(Operation::create_service, {ErrorKind::unavailable, "not now"});
  push();
  world.clock.advance(10s);
  ASSERT_TRUE(settle().all_good());
  edit();
  EXPECT_EQ(World::status(settle(), "a").drift_cause, ports::DriftCause::live);
  EXPECT_TRUE(is_edited());
}

TEST_F(Unfinished, WhatWasSuspendedInTheMiddleComesToRest) {
  write("services: {web: {image: w}, worker: {image: x}}\n", "");
  ASSERT_TRUE(push().all_good());
  write("services: {web: {image: 'w:2'}}\n", "");
  world.commit();
  turn();
  ASSERT_EQ(image_of("a_web"), "w:2");
  world.agent().suspend("a", {"stop", "anna", world.clock.now(), std::nullopt});
  settle();
  EXPECT_EQ(image_of("a_worker"), "x:latest");
  world.agent().resume("a");
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("a_worker"), "");
}

TEST_F(Unfinished, AConflictThatDoesNotPassIsAFailureThatIsToldAndTriedNowAndThen) {
  write(one_service("a:1"), "");
  for (int i = 0; i < 500; ++i) {
    world.engine.fail_next(Operation::create_service,
                           {ErrorKind::conflict, "name conflicts with an existing object"});
  }
  const auto last = push();
  EXPECT_GT(World::status(last, "a").consecutive_failures, 0U);
  EXPECT_THAT(World::status(last, "a").message, HasSubstr("name conflicts"));
  EXPECT_LT(world.engine.calls(Operation::create_service), 10U);
  ASSERT_TRUE(last.retry_at);
}

TEST_F(Unfinished, AReplacedNetworkThatIsStillInUseForAMomentIsNoFailure_D7_5) {
  const auto text = [](const std::string& network) {
    return "services:\n  web: {image: w, networks: [n]}\nnetworks: {n: " + network + "}\n";
  };
  write(text("{}"), "replace: allowed\nself_heal: warn\n");
  ASSERT_TRUE(push().all_good());
  write(text("{ attachable: true }"), "replace: allowed\nself_heal: warn\n");
  world.engine.fail_next(Operation::remove_network, {ErrorKind::unavailable, "in use by task x"});
  world.commit();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(World::status(turn(), "a").consecutive_failures, 0U);
    world.clock.advance(500ms);
  }
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("a_web"), "w:latest");
}

TEST_F(Unfinished, APreDeployHookOfAStackWhoseNetworkIsReplacedRuns) {
  const auto text = [](const std::string& network) {
    return "services:\n  web: {image: w, networks: [n]}\n  migrate: {image: m, networks: [n]}\n"
           "networks: {n: " +
           network + "}\n";
  };
  const std::string settings = "replace: allowed\nhooks: { pre_deploy: [service: migrate] }\n";
  write(text("{}"), settings);
  ASSERT_TRUE(push().all_good());
  write(text("{ attachable: true }"), settings);
  push();
  world.clock.advance(10min);
  const auto last = settle();
  EXPECT_TRUE(last.all_good()) << World::status(last, "a").message;
  EXPECT_TRUE(world.engine.state().find_network("a_n")->spec.attachable);
}

}  // namespace
}  // namespace skep::reconciler
