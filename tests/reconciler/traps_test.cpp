#include <gmock/gmock.h>

#include "reconciler/observation/stream_proof.hpp"
#include "tests/reconciler/world.hpp"

// One test per trap that concerns the reconciler, named after its number: here, and in
// named_traps_test.cpp. Those that are shown elsewhere:
//
//   4, 5, 6, 12, 17, 19, 20   tests/diff, and e2e.Replacement for 4 and 5
//   14                        also ReconcilerTest.AnEmptyRepositoryRemovesNothingUntilApproved
//   27, 37                    also agent_test.cpp and e2e.Outage
//   30                        tests/gitsync, and Mistakes.LinksInTheRepositoryAreRefusedByName_Trap30_Attack1
namespace skep::reconciler {
namespace {

using fakes::Operation;
using ports::Health;
using ports::SyncState;
using testing::HasSubstr;
using tests::one_service;
using tests::World;

class TrapsTest : public tests::WorldTest {};

TEST_F(TrapsTest, Trap27_NothingIsRemovedWhereTheEngineIsNoManagerAnyMore) {
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  world.files["apps/b/docker-compose.yml"] = one_service("b:1");
  world.files["apps/c/docker-compose.yml"] = one_service("c:1");
  world.commit();
  settle();
  world.files.erase("apps/a/docker-compose.yml");
  world.commit();
  world.engine.clear_writes();
  // The lists still answer, as a demoted manager's do for a while.
  world.engine.fail_next(Operation::info, {ErrorKind::unavailable, "no quorum"});
  EXPECT_FALSE(world.settle());
  EXPECT_THAT(world.error, HasSubstr("no quorum"));
  EXPECT_EQ(world.engine.write_count(), 0U);
  settle();
  EXPECT_EQ(image_of("a_web"), "");
}

TEST(StreamProof, Trap37_AChangeThatNobodyAnnouncedContradictsTheStream) {
  StreamProof proof;
  EXPECT_FALSE(proof.contradicted_by(1)) << "nothing was seen yet";
  proof.listed(proof.announcements(), 1);
  EXPECT_FALSE(proof.contradicted_by(1));
  EXPECT_TRUE(proof.contradicted_by(2));
  proof.announced();
  EXPECT_FALSE(proof.contradicted_by(2)) << "it was announced";
}

TEST(StreamProof, Trap37_TheFingerprintFollowsEveryVersion) {
  fakes::FakeEngine engine;
  swarm::ServiceSpec spec;
  spec.name = "s";
  spec.task_template.container.image = "i";
  ASSERT_TRUE(engine.create_service(spec, {}));
  const auto before = fingerprint_of(engine.state());
  EXPECT_EQ(fingerprint_of(engine.state()), before);
  engine.touch_service("s");
  EXPECT_NE(fingerprint_of(engine.state()), before);
  engine.drop_service("s");
  EXPECT_NE(fingerprint_of(engine.state()), before);
}

const std::string kJob =
    "services:\n  job:\n    image: j:1\n    deploy: { mode: replicated-job }\n  web:\n    image: "
    "w:1\n";

TEST_F(TrapsTest, Trap33_ALiveEditOfAJobIsLeftAloneAndDoesNotRunItAgain) {
  world.files["apps/a/docker-compose.yml"] = kJob;
  world.commit();
  settle();
  const auto ran = world.engine.job_iterations("a_job");
  world.engine.edit_service(
      "a_job", [](swarm::ServiceSpec& spec) { spec.task_template.container.env = {"X=1"}; });
  const auto edited = world.engine.job_iterations("a_job");
  ASSERT_EQ(edited, ran + 1) << "the edit itself runs it";
  world.engine.clear_writes();
  const auto turn = settle();
  EXPECT_EQ(world.engine.write_count(), 0U);
  EXPECT_EQ(World::status(turn, "a").sync, SyncState::synced);
  ASSERT_FALSE(World::status(turn, "a").plan->notes.empty());
  EXPECT_THAT(World::status(turn, "a").plan->notes.front().text, HasSubstr("left alone"));
}

TEST_F(TrapsTest, Trap33_AJobThatRunsAgainThoughNobodyChangedItIsToldOnce) {
  class Told final : public ports::Observer {
   public:
    void noted(const ports::Note& note) override {
      if (note.kind == "job") sentences.push_back(note.message);
    }
    std::vector<std::string> sentences;
  } told;
  world.listener = &told;
  world.restart_agent();
  world.files["apps/a/docker-compose.yml"] = kJob;
  world.commit();
  settle();
  world.engine.edit_service("a_job",
                            [](swarm::ServiceSpec& spec) { ++spec.task_template.force_update; });
  world.engine.set_running("a_job", 1);
  turn();
  EXPECT_TRUE(told.sentences.empty()) << "a person forced it";
  world.engine.set_running("a_job", {});
  turn();
  world.engine.set_running("a_job", 1);
  turn();
  turn();
  EXPECT_THAT(told.sentences,
              testing::ElementsAre(HasSubstr("a_job had completed and runs again")));
}

TEST_F(TrapsTest, Trap33_AChangeOfAnotherServiceDoesNotRunAnEditedJob) {
  world.files["apps/a/docker-compose.yml"] = kJob;
  world.commit();
  settle();
  world.engine.edit_service(
      "a_job", [](swarm::ServiceSpec& spec) { spec.task_template.container.env = {"X=1"}; });
  const auto edited = world.engine.job_iterations("a_job");
  auto text = kJob;
  text.replace(text.find("w:1"), 3, "w:2");
  world.files["apps/a/docker-compose.yml"] = text;
  world.commit();
  settle();
  EXPECT_EQ(image_of("a_web"), "w:2");
  EXPECT_EQ(world.engine.job_iterations("a_job"), edited);
}

TEST_F(TrapsTest, Trap33_AChangedTemplateRunsTheJobOnce) {
  world.files["apps/a/docker-compose.yml"] = kJob;
  world.commit();
  settle();
  const auto ran = world.engine.job_iterations("a_job");
  auto text = kJob;
  text.replace(text.find("j:1"), 3, "j:2");
  world.files["apps/a/docker-compose.yml"] = text;
  world.commit();
  settle();
  world.restart_agent();
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(world.engine.job_iterations("a_job"), ran + 1);
  EXPECT_EQ(image_of("a_job"), "j:2");
}

TEST_F(TrapsTest, Trap33_AdoptionNeverRunsAJobEvenWhereItDiffers) {
  world.files["apps/a/docker-compose.yml"] = kJob;
  World cli;
  cli.files = world.files;
  cli.commit();
  const auto& spec = cli.desired().stacks.front()->spec;
  for (const auto& [key, network] : spec.networks)
    ASSERT_TRUE(world.engine.create_network(network, {}));
  for (auto [key, service] : spec.services) {
    if (key == "job") service.spec.task_template.container.env = {"OLD=1"};
    ASSERT_TRUE(world.engine.create_service(service.spec, {}));
  }
  world.files["apps/a/docker-compose.yml"].replace(kJob.find("w:1"), 3, "w:2");
  world.commit();
  EXPECT_TRUE(World::status(settle(), "a").held);
  world.agent().approve("a");
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("a_web"), "w:2");
  EXPECT_EQ(world.engine.job_iterations("a_job"), 1U);
}

class FailureTest : public TrapsTest {
 protected:
  /// a:1 healthy; then a:2, which cannot start.
  void fail_a_rollout(const std::string& settings = "") {
    if (!settings.empty()) world.files["apps/a/skep.yaml"] = settings;
    world.files["apps/a/docker-compose.yml"] = one_service("a:1");
    world.commit();
    ASSERT_TRUE(settle().all_good());
    world.files["apps/a/docker-compose.yml"] = one_service("a:2");
    world.commit();
    world.engine.fail_tasks("a_web", "image not found");
    ASSERT_TRUE(world.agent().turn(world.desired(), {}));
    ASSERT_EQ(image_of("a_web"), "a:2");
  }
  /// Turns until the stack runs this image again, which then works.
  void mend_when_back(const std::string& image) {
    for (int i = 0; i < 20 && image_of("a_web") != image; ++i) {
      ASSERT_TRUE(world.agent().turn(world.desired(), {}));
      world.clock.advance(std::chrono::milliseconds(500));
    }
    ASSERT_EQ(image_of("a_web"), image);
    world.engine.fail_tasks("a_web", "");
    world.engine.set_update_status("a_web", {"completed", "", "", "update completed"});
  }
};

TEST_F(FailureTest, Trap23_AFailedRolloutReturnsToTheLastHealthyRevisionAndStaysThere) {
  fail_a_rollout();
  ASSERT_TRUE(world.agent().turn(world.desired(), {}));
  EXPECT_EQ(image_of("a_web"), "a:2");
  mend_when_back("a:1");
  auto turn = settle();
  EXPECT_TRUE(World::status(turn, "a").held);
  EXPECT_TRUE(World::status(turn, "a").quarantined);
  EXPECT_EQ(World::status(turn, "a").sync, SyncState::out_of_sync);
  EXPECT_EQ(World::status(turn, "a").health, Health::healthy);
  EXPECT_THAT(World::status(turn, "a").message, HasSubstr("image not found"));
  world.engine.clear_writes();
  world.restart_agent();
  turn = settle();
  world.clock.advance(std::chrono::hours(1));
  turn = settle();
  EXPECT_EQ(image_of("a_web"), "a:1");
  EXPECT_EQ(world.engine.write_count(), 0U) << "it was pushed again";
  EXPECT_TRUE(World::status(turn, "a").held);
}

TEST_F(FailureTest, Trap23_ADocumentationCommitDoesNotResumeButTheNextContentDoes) {
  fail_a_rollout();
  mend_when_back("a:1");
  settle();
  world.files["README.md"] = "words";
  world.commit();
  settle();
  EXPECT_EQ(image_of("a_web"), "a:1");
  world.files["apps/a/docker-compose.yml"] = one_service("a:3");
  world.commit();
  const auto turn = settle();
  EXPECT_TRUE(turn.all_good());
  EXPECT_EQ(image_of("a_web"), "a:3");
  EXPECT_FALSE(World::status(turn, "a").quarantined);
}

TEST_F(FailureTest, Trap23_SyncTriesTheQuarantinedContentOnceMore) {
  fail_a_rollout();
  mend_when_back("a:1");
  settle();
  world.agent().request("a");
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("a_web"), "a:2");
}

TEST_F(FailureTest, Trap23_ALiveEditWhileRolledBackIsCorrectedToTheHealthyRevision) {
  fail_a_rollout();
  mend_when_back("a:1");
  settle();
  world.engine.edit_service(
      "a_web", [](swarm::ServiceSpec& spec) { spec.task_template.container.env = {"EVIL=1"}; });
  settle();
  EXPECT_EQ(image_of("a_web"), "a:1");
  EXPECT_TRUE(world.engine.state().find_service("a_web")->spec.task_template.container.env.empty());
}

TEST_F(FailureTest, ARolloutPastItsDeadlineIsRolledBack) {
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  world.commit();
  ASSERT_TRUE(settle().all_good());
  world.engine.set_running("a_web", 0);
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  for (int i = 0; i < 700 && image_of("a_web") != "a:2"; ++i)
    ASSERT_TRUE(world.agent().turn(world.desired(), {}));
  ASSERT_EQ(image_of("a_web"), "a:2");
  int turns = 0;
  for (; turns < 1400 && image_of("a_web") != "a:1"; ++turns) {
    ASSERT_TRUE(world.agent().turn(world.desired(), {}));
    world.clock.advance(std::chrono::milliseconds(500));
  }
  EXPECT_GT(turns, 590) << "before the deadline of 5 minutes";
  EXPECT_EQ(image_of("a_web"), "a:1");
}

TEST_F(FailureTest, WhereTheHealthyCommitIsLostItSaysSoAndKeeps) {
  fail_a_rollout();
  world.history.commits.clear();
  const auto turn = settle();
  EXPECT_EQ(image_of("a_web"), "a:2");
  EXPECT_TRUE(World::status(turn, "a").held);
  EXPECT_THAT(World::status(turn, "a").message, HasSubstr("not to be had"));
}

TEST_F(FailureTest, PauseLeavesTheFailedRolloutAsItStands) {
  fail_a_rollout("on_failure: pause\n");
  auto turn = settle();
  EXPECT_TRUE(World::status(turn, "a").held);
  EXPECT_EQ(image_of("a_web"), "a:2");
  world.engine.clear_writes();
  world.restart_agent();
  turn = settle();
  EXPECT_EQ(world.engine.write_count(), 0U);
  EXPECT_TRUE(World::status(turn, "a").held);
}

TEST_F(FailureTest, KeepIsNeitherRolledBackNorQuarantined) {
  fail_a_rollout("on_failure: keep\n");
  const auto turn = settle();
  EXPECT_EQ(image_of("a_web"), "a:2");
  EXPECT_FALSE(World::status(turn, "a").quarantined);
  EXPECT_EQ(World::status(turn, "a").health, Health::degraded);
}

TEST_F(FailureTest, Trap23_SwarmsOwnRollbackIsAFailureAndQuarantines) {
  const auto rolls = [](const std::string& image) {
    return one_service(image) + "    deploy: { update_config: { failure_action: rollback } }\n";
  };
  world.files["apps/a/docker-compose.yml"] = rolls("a:1");
  world.commit();
  ASSERT_TRUE(settle().all_good());
  world.files["apps/a/docker-compose.yml"] = rolls("a:2");
  world.commit();
  world.engine.fail_tasks("a_web", "exit 1");
  auto turn = settle();
  EXPECT_EQ(image_of("a_web"), "a:1") << "swarm went back by itself";
  EXPECT_TRUE(World::status(turn, "a").quarantined);
  EXPECT_EQ(World::status(turn, "a").health, Health::healthy);
  world.engine.clear_writes();
  world.restart_agent();
  settle();
  world.clock.advance(std::chrono::hours(1));
  settle();
  EXPECT_EQ(world.engine.write_count(), 0U) << "the rolled-back spec is pushed again";
}

TEST_F(FailureTest, Trap34_ARollbackByAPersonIsHeldAndNotTakenForAFailure) {
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  world.commit();
  settle();
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  settle();
  world.engine.clear_writes();
  world.engine.roll_back_by_hand("a_web");
  const auto turn = settle();
  EXPECT_TRUE(World::status(turn, "a").held);
  EXPECT_THAT(World::status(turn, "a").message, HasSubstr("by hand"));
  EXPECT_FALSE(World::status(turn, "a").quarantined);
  EXPECT_EQ(world.engine.write_count(), 0U);
}

TEST_F(FailureTest, AnAgentKilledDuringARolloutFollowsItToItsEnd) {
  fail_a_rollout();
  ASSERT_TRUE(world.agent().turn(world.desired(), {}));
  ASSERT_EQ(image_of("a_web"), "a:2");
  world.restart_agent();
  mend_when_back("a:1");
}

class IgnoreTest : public TrapsTest {
 protected:
  void SetUp() override {
    world.files["apps/a/docker-compose.yml"] = one_service("a:1");
    world.files["apps/a/skep.yaml"] =
        "ignore: [{ service: web, path: /Mode/Replicated/Replicas }]\n";
    world.commit();
    ASSERT_TRUE(settle().all_good());
  }
  std::uint64_t replicas() {
    return *world.engine.state().find_service("a_web")->spec.mode.replicated->replicas;
  }
};

TEST_F(IgnoreTest, WhatIsIgnoredIsNoDriftAndIsCarriedIntoTheNextUpdate) {
  world.engine.edit_service("a_web",
                            [](swarm::ServiceSpec& spec) { spec.mode.replicated->replicas = 5; });
  world.engine.clear_writes();
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(world.engine.write_count(), 0U);
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("a_web"), "a:2");
  EXPECT_EQ(replicas(), 5U);
}

TEST_F(IgnoreTest, WhatIsNotIgnoredIsStillHealed) {
  world.engine.edit_service("a_web", [](swarm::ServiceSpec& spec) {
    spec.mode.replicated->replicas = 5;
    spec.task_template.container.env = {"EVIL=1"};
  });
  EXPECT_TRUE(settle().all_good());
  EXPECT_TRUE(world.engine.state().find_service("a_web")->spec.task_template.container.env.empty());
  EXPECT_EQ(replicas(), 5U);
}

TEST_F(IgnoreTest, AnUnknownServiceAndAWrongPointerAreErrors) {
  world.files["apps/a/skep.yaml"] = "ignore: [{ service: wbe, path: /Labels/x }]\n";
  world.commit();
  EXPECT_THAT(World::status(settle(), "a").message, HasSubstr("did you mean web?"));
  for (const auto* path : {"Mode", "/Name", "/Mode/Replcated", "/Labels/a~2", "/Mode/Global/X"}) {
    EXPECT_FALSE(repository::parse_service_pointer(path)) << path;
  }
  EXPECT_TRUE(repository::parse_service_pointer("/TaskTemplate/ContainerSpec/Env/0"));
  EXPECT_TRUE(repository::parse_service_pointer("/Labels/com.example~1x"));
}

TEST(Ignore, ALabelIsCarriedByItselfAlsoWhereItIsGone) {
  swarm::ServiceSpec desired, live;
  desired.labels = {{"a", "1"}, {"b", "1"}};
  live.labels = {{"a", "2"}, {"c", "3"}};
  repository::carry_live(desired, live, {"Labels", "a"});
  repository::carry_live(desired, live, {"Labels", "b"});
  EXPECT_EQ(desired.labels, (swarm::StringMap{{"a", "2"}}));
  live.task_template.resources.emplace().limits.emplace().memory_bytes = 7;
  repository::carry_live(desired, live, {"TaskTemplate", "Resources", "Limits", "MemoryBytes"});
  EXPECT_EQ(desired.task_template.resources->limits->memory_bytes, 7);
}

TEST(Ignore, AnElementOfAListIsNotTakenForItsNeighbour) {
  const auto env = [](const std::string& token, std::vector<std::string> live_env) {
    swarm::ServiceSpec desired, live;
    desired.task_template.container.env = {"A=1", "B=2"};
    live.task_template.container.env = std::move(live_env);
    repository::carry_live(desired, live, {"TaskTemplate", "ContainerSpec", "Env", token});
    return desired.task_template.container.env;
  };
  using testing::ElementsAre;
  EXPECT_THAT(env("0", {"B=2"}), ElementsAre("B=2")) << "A was taken away";
  EXPECT_THAT(env("A", {"B=9"}), ElementsAre("B=2"));
  EXPECT_THAT(env("A", {"0=0", "A=7", "B=9"}), ElementsAre("A=7", "B=2"));
  EXPECT_THAT(env("AA", {"A=1", "AA=3", "B=2"}), ElementsAre("A=1", "AA=3", "B=2"));
  EXPECT_TRUE(repository::parse_service_pointer("/TaskTemplate/ContainerSpec/Env/LEVEL"));
  EXPECT_FALSE(repository::parse_service_pointer("/TaskTemplate/ContainerSpec/Args/LEVEL"));
  swarm::ServiceSpec desired, live;
  desired.task_template.container.args = {"sleep", "10"};
  repository::carry_live(desired, live, {"TaskTemplate", "ContainerSpec", "Args", "0"});
  EXPECT_TRUE(desired.task_template.container.args.empty()) << "all of it is somebody else's";
}

TEST_F(TrapsTest, AFieldThatSomebodyKeepsChangingIsReportedInsteadOfFoughtOver) {
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  world.commit();
  settle();
  const auto scale = [&] {
    world.engine.edit_service("a_web",
                              [](swarm::ServiceSpec& spec) { spec.mode.replicated->replicas = 5; });
  };
  const auto replicas = [&] {
    return *world.engine.state().find_service("a_web")->spec.mode.replicated->replicas;
  };
  for (int i = 0; i < 4; ++i) {
    scale();
    EXPECT_TRUE(settle().all_good());
    EXPECT_EQ(replicas(), 1U);
  }
  scale();
  world.engine.clear_writes();
  auto turn = settle();
  EXPECT_EQ(world.engine.write_count(), 0U);
  EXPECT_EQ(World::status(turn, "a").sync, SyncState::out_of_sync);
  EXPECT_THAT(World::status(turn, "a").message, HasSubstr("web: /Mode/Replicated/Replicas"));
  // Something else of the same service is corrected all the same, and the field is left.
  world.engine.edit_service(
      "a_web", [](swarm::ServiceSpec& spec) { spec.task_template.container.env = {"EVIL=1"}; });
  settle();
  EXPECT_TRUE(world.engine.state().find_service("a_web")->spec.task_template.container.env.empty());
  EXPECT_EQ(replicas(), 5U);
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(replicas(), 1U) << "the next commit resets";
}

class SuspendTest : public TrapsTest {
 protected:
  void SetUp() override {
    world.files["apps/a/docker-compose.yml"] = one_service("a:1");
    world.files["apps/b/docker-compose.yml"] = one_service("b:1");
    world.commit();
    ASSERT_TRUE(settle().all_good());
  }
};

TEST_F(SuspendTest, ASuspendedStackIsObservedButNotChangedAlsoByTheNextAgent) {
  world.agent().suspend("a", {"migration of the database", "ann", world.clock.now(), {}});
  settle();
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  world.restart_agent();
  auto turn = settle();
  EXPECT_EQ(image_of("a_web"), "a:1");
  EXPECT_TRUE(World::status(turn, "a").suspended);
  EXPECT_FALSE(World::status(turn, "a").plan->empty()) << "what differs is still shown";
  EXPECT_THAT(World::status(turn, "a").message, HasSubstr("ann: migration of the database"));
  world.agent().resume("a");
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("a_web"), "a:2");
}

TEST_F(SuspendTest, ASuspensionEndsByItself) {
  world.agent().suspend("a",
                        {"", "ann", world.clock.now(), world.clock.now() + std::chrono::hours(1)});
  settle();
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  const auto turn = settle();
  EXPECT_EQ(image_of("a_web"), "a:1");
  ASSERT_TRUE(turn.retry_at) << "nobody would look when it ends";
  world.clock.advance(std::chrono::minutes(61));
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("a_web"), "a:2");
}

TEST_F(SuspendTest, ASuspendedStackThatLeavesGitStays) {
  world.agent().suspend("a", {"", "ann", world.clock.now(), {}});
  settle();
  world.files["apps/c/docker-compose.yml"] = one_service("c:1");
  world.files.erase("apps/a/docker-compose.yml");
  world.commit();
  settle();
  EXPECT_EQ(image_of("a_web"), "a:1");
}

TEST_F(SuspendTest, AnApprovalSurvivesTheAgentAndIsForThatContentOnly) {
  world.engine.drop_service("a_web");
  world.files.clear();
  world.files["skep.yaml"] = "defaults: { resolve_image: never }\n";
  world.commit();
  ASSERT_TRUE(World::status(settle(), "b").held) << "all stacks left at once";
  world.agent().approve("b", true);
  world.engine.fail_next(Operation::remove_service, {ErrorKind::unavailable, "busy"});
  ASSERT_TRUE(world.agent().turn(world.desired(), {}));
  world.restart_agent();
  world.clock.advance(std::chrono::minutes(10));
  settle();
  EXPECT_EQ(image_of("b_web"), "");
}

/// Three stacks, of which "a" is looked at.
class PruneTest : public TrapsTest {
 protected:
  void SetUp() override {
    world.files["apps/a/docker-compose.yml"] = one_service("a:1");
    world.files["apps/b/docker-compose.yml"] = one_service("b:1");
    world.files["apps/c/docker-compose.yml"] = one_service("c:1");
  }
  void deploy() {
    world.commit();
    ASSERT_TRUE(settle().all_good());
  }
  void rename_a(const std::string& directory) {
    world.files["apps/" + directory + "/docker-compose.yml"] =
        world.files["apps/a/docker-compose.yml"];
    world.files.erase("apps/a/docker-compose.yml");
    world.commit();
  }
};

TEST_F(PruneTest, Trap14_AStackThatLeftGitStaysForAGracePeriodThatARestartDoesNotProlong) {
  world.options.prune_grace = std::chrono::seconds(60);
  world.restart_agent();
  deploy();
  world.files.erase("apps/a/docker-compose.yml");
  world.commit();
  auto turn = settle();
  EXPECT_EQ(image_of("a_web"), "a:1");
  ASSERT_TRUE(turn.retry_at);
  const auto writes = world.engine.write_count();
  world.clock.advance(std::chrono::seconds(30));
  settle();
  EXPECT_EQ(world.engine.write_count(), writes) << "a write per turn";
  world.restart_agent();
  world.clock.advance(std::chrono::seconds(31));
  settle();
  EXPECT_EQ(image_of("a_web"), "");
}

TEST_F(PruneTest, Trap14_AStackThatComesBackWithinTheGraceIsNotTouched) {
  world.options.prune_grace = std::chrono::seconds(60);
  world.restart_agent();
  deploy();
  const auto before = world.engine.state().find_service("a_web")->version;
  world.files.erase("apps/a/docker-compose.yml");
  world.commit();
  settle();
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  world.commit();
  settle();
  world.clock.advance(std::chrono::seconds(120));
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(world.engine.state().find_service("a_web")->version, before);
}

TEST_F(PruneTest, Trap14_ABrokenNewDirectoryMayBeTheNewNameOfWhatLeft) {
  deploy();
  world.files.erase("apps/a/docker-compose.yml");
  world.files["apps/anew/docker-compose.yml"] = "services: {web: {imge: x}}\n";
  world.commit();
  const auto turn = settle();
  EXPECT_EQ(image_of("a_web"), "a:1");
  EXPECT_THAT(World::status(turn, "a").message, HasSubstr("apps/anew"));
}

TEST_F(PruneTest, Trap12_ARenamedDirectoryGivesUpItsPortBeforeTheNewOneTakesIt) {
  world.files["apps/a/docker-compose.yml"] = one_service("a:1") + "    ports: ['80:80']\n";
  world.options.prune_grace = std::chrono::seconds(60);
  world.restart_agent();
  deploy();
  rename_a("z");
  const auto turn = settle();
  EXPECT_EQ(image_of("a_web"), "");
  EXPECT_EQ(image_of("z_web"), "a:1");
  EXPECT_EQ(World::status(turn, "z").sync, SyncState::synced);
}

TEST_F(PruneTest, Trap36_ARenameThatWouldLeaveDataBehindIsHeldUntilApproved) {
  world.files["apps/a/docker-compose.yml"] =
      one_service("a:1") + "    volumes: ['data:/d']\nvolumes: { data: }\n";
  deploy();
  rename_a("z");
  auto turn = settle();
  EXPECT_TRUE(World::status(turn, "z").held);
  EXPECT_THAT(World::status(turn, "z").message, HasSubstr("a_data"));
  EXPECT_EQ(image_of("a_web"), "a:1");
  EXPECT_EQ(image_of("z_web"), "");
  world.agent().approve("z", true);
  settle();
  EXPECT_EQ(image_of("a_web"), "");
  EXPECT_EQ(image_of("z_web"), "a:1");
}

TEST_F(PruneTest, Trap36_NameKeepsTheStackWhereItsDirectoryWasRenamed) {
  world.files["apps/a/docker-compose.yml"] =
      one_service("a:1") + "    volumes: ['data:/d']\nvolumes: { data: }\n";
  deploy();
  const auto before = world.engine.state().find_service("a_web")->version;
  world.files["apps/z/skep.yaml"] = "name: a\n";
  rename_a("z");
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(world.engine.state().find_service("a_web")->version, before);
}

TEST_F(PruneTest, Trap26_SkepsOwnStackIsNeverRemoved) {
  world.options.self_stack = "a";
  world.restart_agent();
  deploy();
  world.files.erase("apps/a/docker-compose.yml");
  world.commit();
  settle();
  world.agent().approve("a", true);
  const auto turn = settle();
  EXPECT_EQ(image_of("a_web"), "a:1");
  EXPECT_THAT(World::status(turn, "a").message, HasSubstr("skep itself"));
}

TEST_F(PruneTest, Trap26_SkepsOwnStackComesLastAndNobodyWaitsForIt) {
  world.options.self_stack = "skep";
  world.restart_agent();
  world.files["management/skep/docker-compose.yml"] = one_service("skep:1");
  world.commit();
  ASSERT_TRUE(world.agent().turn(world.desired(), {}));
  EXPECT_EQ(image_of("skep_web"), "");
  EXPECT_EQ(image_of("a_web"), "a:1") << "apps do not wait for skep, though management is first";
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("skep_web"), "skep:1");
}

TEST_F(PruneTest, Trap26_TheStateObjectGoesWithNoStackWhateverItsLabels) {
  deploy();
  auto labels = world.engine.state().find_config(tests::kState)->labels;
  labels["com.docker.stack.namespace"] = "a";
  world.engine.edit_config_labels(tests::kState, labels);
  world.files.erase("apps/a/docker-compose.yml");
  world.commit();
  settle();
  EXPECT_EQ(image_of("a_web"), "");
  EXPECT_NE(world.engine.state().find_config(tests::kState), nullptr);
}

swarm::LiveNode node_of(const World& world, const std::string& id) {
  for (const auto& node : world.engine.state().nodes) {
    if (node.id == id) return node;
  }
  ADD_FAILURE() << "no node " << id;
  return {};
}

TEST_F(TrapsTest, Trap40_LabelsGoToTheReadyNodeOfThatNameWithItsRoleAsRead) {
  world.files["skep.yaml"] =
      "defaults: { resolve_image: never }\nnodes: { worker: { labels: { app: 'true' } } }\n";
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  swarm::LiveNode twin;
  twin.id = "old";
  twin.hostname = "worker";
  twin.role = "worker";
  twin.availability = "active";
  twin.state = "down";
  auto node = twin;
  node.id = "new";
  node.state = "ready";
  node.availability = "pause";
  node.labels = {{"hand", "made"}, {"app", "false"}};
  world.engine.add_node(twin);
  world.engine.add_node(node);
  world.commit();
  settle();
  const auto labelled = node_of(world, "new");
  EXPECT_EQ(labelled.labels, (swarm::StringMap{{"app", "true"}, {"hand", "made"}}));
  EXPECT_EQ(labelled.availability, "pause");
  EXPECT_EQ(labelled.role, "worker");
  EXPECT_TRUE(node_of(world, "old").labels.empty());
  world.engine.clear_writes();
  settle();
  EXPECT_EQ(world.engine.write_count(), 0U);
}

TEST_F(TrapsTest, ClusterSecretsAndConfigsAreMadeWhereMissingAndNeverChanged) {
  world.files["skep.yaml"] =
      "defaults: { resolve_image: never }\nsecrets: { key: { file: s/key } }\n"
      "configs: { conf: { file: s/conf } }\n";
  world.files["s/key"] = "hidden";
  world.files["s/conf"] = "x";
  world.files["apps/a/docker-compose.yml"] =
      one_service("a:1") + "    secrets: [key]\nsecrets: { key: { external: true } }\n";
  world.commit();
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(world.engine.secret_data("key")->reveal(), "hidden");
  ASSERT_NE(world.engine.state().find_config("conf"), nullptr);
  world.files["s/key"] = "other";
  world.commit();
  world.engine.clear_writes();
  const auto turn = settle();
  EXPECT_EQ(world.engine.write_count(), 0U);
  EXPECT_THAT(turn.notes, testing::Contains(HasSubstr("secret key is not what its file")));
  world.files["skep.yaml"] += "nodes: { n: { labels: { a: 1 } } }\n";
  world.commit();
  EXPECT_TRUE(world.desired().broken()) << "a label that is no string";
}

}  // namespace
}  // namespace skep::reconciler
