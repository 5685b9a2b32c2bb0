#include <gmock/gmock.h>

#include "tests/reconciler/world.hpp"

// A renamed directory: the old name goes only when, and only for, the new one that is it.
namespace skep::reconciler {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using tests::one_service;
using tests::World;

class Renames : public tests::WorldTest {
 protected:
  void write(const std::string& name, const std::string& compose, const std::string& skep = "") {
    world.files["apps/" + name + "/docker-compose.yml"] = compose;
    if (!skep.empty()) world.files["apps/" + name + "/skep.yaml"] = skep;
  }
  void remove(const std::string& name) {
    world.files.erase("apps/" + name + "/docker-compose.yml");
    world.files.erase("apps/" + name + "/skep.yaml");
  }
  static std::string database(const std::string& name) {
    return one_service("pg:1") + "    environment: { DB: " + name +
           " }\n    volumes: ['data:/d']\nvolumes: { data: }\n";
  }
  /// So that one stack that leaves is not most of them.
  void SetUp() override {
    for (const auto* name : {"x", "y", "z"}) write(name, one_service("x:1", "x"));
  }
};

TEST_F(Renames, AnOldNameStaysWhileTheNewOneWaitsForAnotherStack) {
  write("db", one_service("d:1", "d"));
  write("a", one_service("a:1"), "depends_on: [db]\n");
  ASSERT_TRUE(push().all_good());
  remove("a");
  write("b", one_service("a:1"), "depends_on: [db]\n");
  write("db", one_service("d:1", "d") + "    deploy: { mode: global }\n");  // Not in place.
  const auto last = push();
  EXPECT_EQ(image_of("a_web"), "a:1");
  EXPECT_THAT(World::status(last, "a").message,
              AllOf(HasSubstr("stays until its new name, b"), HasSubstr("waits for the stack db")));
  write("db", one_service("d:1", "d"));
  EXPECT_TRUE(push().all_good());
  EXPECT_EQ(image_of("a_web"), "");
  EXPECT_EQ(image_of("b_web"), "a:1");
}

TEST_F(Renames, AnOldNameStaysUntilThePreDeployHookOfTheNewOneHasCompleted) {
  const std::string hooked = "services: { web: { image: 'a:1' }, init: { image: 'i:1' } }\n";
  const std::string hooks = "hooks: { pre_deploy: [service: init] }\n";
  write("a", hooked, hooks);
  ASSERT_TRUE(push().all_good());
  remove("a");
  write("b", hooked, hooks);
  world.engine.fail_tasks_of_next("b_init", "task: non-zero exit (3)");
  auto last = push();
  EXPECT_EQ(image_of("a_web"), "a:1");
  EXPECT_EQ(image_of("b_web"), "");
  EXPECT_THAT(World::status(last, "a").message, HasSubstr("stays until its new name, b"));
  world.agent().request("b");
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("a_web"), "");
  EXPECT_EQ(image_of("b_web"), "a:1");
}

TEST_F(Renames, OfSeveralThatLookAlikeTheOneThatSaysTheSameIsTheNewName) {
  write("dba", database("accounts"));
  ASSERT_TRUE(push().all_good());
  remove("dba");
  write("dbb", database("billing"));
  write("dbz", database("accounts"));
  const auto last = push();
  EXPECT_THAT(World::status(last, "dbz").message, HasSubstr("is the new name of dba"));
  EXPECT_EQ(image_of("dbz_web"), "");
  EXPECT_EQ(image_of("dbb_web"), "pg:1") << "it is just new";
  EXPECT_EQ(image_of("dba_web"), "pg:1");
}

TEST_F(Renames, WhereNobodyCanTellWhichOneIsItNoneBeginsWithEmptyVolumes) {
  write("dba", database("accounts"));
  ASSERT_TRUE(push().all_good());
  remove("dba");
  write("db1", database("one"));
  write("db2", database("two"));
  const auto last = push();
  for (const auto* name : {"db1", "db2"}) {
    EXPECT_THAT(World::status(last, name).message, HasSubstr("may be the new name of dba")) << name;
    EXPECT_EQ(image_of(name + std::string("_web")), "");
  }
  EXPECT_EQ(image_of("dba_web"), "pg:1");
}

TEST_F(Renames, WithoutDataTheOldOneGetsItsGraceThen) {
  world.options.prune_grace = std::chrono::minutes(1);
  world.restart_agent();
  write("a", one_service("a:1"));
  ASSERT_TRUE(push().all_good());
  remove("a");
  write("b", one_service("a:1"));
  write("c", one_service("a:1"));
  const auto last = push();
  EXPECT_EQ(image_of("a_web"), "a:1");
  EXPECT_THAT(World::status(last, "a").message, HasSubstr("is removed at"));
  EXPECT_EQ(image_of("b_web"), "a:1");
  EXPECT_EQ(image_of("c_web"), "a:1");
}

TEST_F(Renames, ASuspendedStackIsNotReplacedByItsNewName) {
  write("a", database("accounts"));
  ASSERT_TRUE(push().all_good());
  world.agent().suspend("a", {"freeze", "uid 0", world.clock.now(), {}});
  settle();
  remove("a");
  write("b", database("accounts"));
  auto last = push();
  EXPECT_EQ(image_of("a_web"), "pg:1");
  EXPECT_EQ(image_of("b_web"), "") << "beside the old one, with empty volumes";
  EXPECT_TRUE(World::status(last, "b").held);
}

TEST_F(Renames, WhereDataWouldStayTheNewNameIsWhatAPersonApproves) {
  write("a", database("accounts"));
  ASSERT_TRUE(push().all_good());
  remove("a");
  write("b", database("accounts"));
  auto last = push();
  EXPECT_TRUE(World::status(last, "b").held);
  EXPECT_FALSE(World::status(last, "a").held) << "its approval would change nothing";
  EXPECT_THAT(World::status(last, "a").message, HasSubstr("`skep approve b`"));
  world.agent().approve("b", true);
  settle();
  EXPECT_EQ(image_of("a_web"), "");
  EXPECT_EQ(image_of("b_web"), "pg:1");
}

TEST_F(Renames, WhatWentBackIsNotPushedAgainUnderAnotherName_Trap23) {
  write("a", one_service("a:1"));
  ASSERT_TRUE(push().all_good());
  world.engine.set_running("a_web", 0);
  write("a", one_service("a:2"));
  world.commit();
  turn_until("a_web", "a:2");
  world.engine.fail_tasks("a_web", "task: non-zero exit (3)");
  world.engine.set_update_status("a_web", {"paused", "", "", "update paused due to failure"});
  turn_until("a_web", "a:1");
  world.engine.fail_tasks("a_web", "");
  world.engine.set_running("a_web", std::nullopt);
  ASSERT_TRUE(World::status(settle(), "a").quarantined);
  remove("a");
  write("b", one_service("a:2"));
  auto last = push();
  EXPECT_EQ(image_of("a_web"), "a:1");
  EXPECT_EQ(image_of("b_web"), "");
  EXPECT_THAT(World::status(last, "b").message, HasSubstr("`skep approve b`"));
  world.agent().approve("b", true);
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("b_web"), "a:2");
}

}  // namespace
}  // namespace skep::reconciler
