#include <gmock/gmock.h>

#include "tests/reconciler/world.hpp"

namespace skep::reconciler {
namespace {

using repository::SecretDigest;
using testing::HasSubstr;
using testing::Not;

const Secret kKey("0123456789abcdef0123456789abcdef\n");

swarm::SecretSpec pass_of(const std::string& data) {
  swarm::SecretSpec spec;
  spec.name = "s_pass";
  spec.data = Secret(data);
  return spec;
}

/// An agent whose stack has one secret.
struct AgentWithKey : testing::Test {
  explicit AgentWithKey() { restart(SecretDigest::with_key(kKey).value()); }
  void restart(const SecretDigest& digest) {
    world.load.digest = digest;
    world.restart_agent();
  }
  void push(const std::string& password) {
    commit(password);
    settle();
  }
  void commit(const std::string& password) {
    world.files["apps/a/pass"] = password;
    world.files["apps/a/docker-compose.yml"] =
        "services: {web: {image: a:1, secrets: [pass]}}\nsecrets: {pass: {file: ./pass}}\n";
    world.commit();
  }
  void settle() {
    last = world.settle();
    ASSERT_TRUE(last);
  }
  void turn_until(const std::function<bool()>& done) {
    for (int i = 0; i < 700 && !done(); ++i) {
      last = world.agent().turn(world.desired(), {}).value();
      world.clock.advance(std::chrono::milliseconds(500));
    }
    ASSERT_TRUE(done());
  }
  /// With it the tasks fail, until it is given up.
  void push_what_fails(const std::string& password) {
    world.engine.fail_tasks("a_web", "task: non-zero exit (1)");
    commit(password);
    turn_until([&] { return last && status().quarantined; });
    world.engine.fail_tasks("a_web", "");
    settle();
  }
  const ports::StackStatus& status() { return tests::World::status(*last, "a"); }
  std::string used() {
    const auto state = world.engine.observe({});
    return state->find_service("a_web")->spec.task_template.container.secrets.at(0).secret_name;
  }
  tests::World world;
  std::optional<Turn> last;
};

TEST_F(AgentWithKey, NamesGenerationsByItAndAsksTheEngineNothing) {
  push("one");
  EXPECT_EQ(used(), "a_pass");
  push("two");
  const auto digest = SecretDigest::with_key(kKey).value();
  EXPECT_EQ(used(), "a_pass-" + digest.of(pass_of("two")).substr(0, 8));
  push("one");
  EXPECT_EQ(used(), "a_pass") << "A, B, A";
  world.restart_agent();
  push("two");
  EXPECT_EQ(used(), "a_pass-" + digest.of(pass_of("two")).substr(0, 8));
  EXPECT_EQ(world.engine.calls(fakes::Operation::secret_holds), 0U);
}

TEST_F(AgentWithKey, TakesOverWhatWasMadeWithoutOneByAskingTheEngine) {
  restart({});
  push("one");
  push("two");
  const auto random = used();
  restart(SecretDigest::with_key(kKey).value());
  push("two");
  EXPECT_EQ(used(), random) << "a clean pass writes nothing";
  EXPECT_GT(world.engine.calls(fakes::Operation::secret_holds), 0U);
}

/// It stands in the swarm, where everybody may read it and guess.
TEST_F(AgentWithKey, OnlyUnderItSecretsCountInTheContentThatIsWrittenDown_Attack18) {
  const auto content = [&](const std::string& password) {
    commit(password);
    return world.desired().stacks.front()->content;
  };
  EXPECT_NE(content("one"), content("two"));
  restart({});
  EXPECT_EQ(content("three"), content("four"));
}

TEST_F(AgentWithKey, GoesBackFromASecretThatMakesItsServiceFail) {
  push("right");
  push_what_fails("wrong");
  EXPECT_EQ(used(), "a_pass");
  EXPECT_TRUE(status().quarantined);
  EXPECT_EQ(status().health, ports::Health::healthy);
  world.restart_agent();
  world.engine.clear_writes();
  settle();
  EXPECT_EQ(used(), "a_pass") << "it is not tried again";
  EXPECT_EQ(world.engine.write_count(), 0U);
  push("mended");
  EXPECT_NE(used(), "a_pass");
  EXPECT_FALSE(status().quarantined);
  EXPECT_TRUE(last->all_good());
}

TEST_F(AgentWithKey, IsSentBackToAnEarlierSecretByHand) {
  push("one");
  const auto healthy = status().healthy_revision;
  push("two");
  EXPECT_EQ(status().earlier_healthy_revision, healthy);
  const auto target = world.options.revision(healthy, "a").value();
  world.agent().rollback(
      "a", {healthy, target->content, world.desired().stacks.front()->content, "anna"});
  settle();
  EXPECT_EQ(used(), "a_pass");
}

TEST_F(AgentWithKey, ASecretThatSomebodyRemovedWhileTheAgentWasAwayIsDrift) {
  world.files["apps/a/skep.yaml"] = "self_heal: warn\n";
  push("one");
  const auto state = world.engine.state();
  world.engine.drop_service("a_web");
  ASSERT_TRUE(world.engine.remove_secret(state.find_secret("a_pass")->id, {}));
  world.restart_agent();
  settle();
  EXPECT_EQ(status().drift_cause, ports::DriftCause::live);
}

}  // namespace
}  // namespace skep::reconciler
