#include <gmock/gmock.h>

#include "reconciler/stream_proof.hpp"
#include "tests/reconciler/world.hpp"

// One test per trap that concerns the reconciler, named after its number.
namespace skep::reconciler {
namespace {

using fakes::Operation;
using ports::Health;
using ports::SyncState;
using testing::HasSubstr;
using tests::one_service;
using tests::World;

const std::string kState = "skep-default-state";

class TrapsTest : public testing::Test {
 protected:
  Turn settle() {
    auto turn = world.settle();
    EXPECT_TRUE(turn) << world.error;
    return turn ? *turn : Turn{};
  }
  std::string image_of(const std::string& service) {
    const auto state = world.engine.state();
    const auto* found = state.find_service(service);
    return found == nullptr ? "" : found->spec.task_template.container.image;
  }
  World world;
};

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

}  // namespace
}  // namespace skep::reconciler
