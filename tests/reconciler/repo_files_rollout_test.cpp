#include <gmock/gmock.h>

#include "core/digest.hpp"
#include "tests/reconciler/world.hpp"

// Files of the repository that services mount, on a swarm.
namespace skep::reconciler {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// The same on a swarm.
struct RepoFilesOnASwarm : testing::Test {
  void push(const std::string& data, const std::string& service = "a:1") {
    world.files["apps/a/app.conf"] = data;
    world.files["apps/a/docker-compose.yml"] =
        "services: {web: {image: '" + service +
        "', volumes: ['./app.conf:/etc/app.conf:ro']}, db: {image: a:1}}\n";
    world.commit();
  }
  swarm::LiveService web() { return *world.engine.observe({})->find_service("a_web"); }
  tests::World world;
};

TEST_F(RepoFilesOnASwarm, AChangedFileRollsItsServiceAndNoOther) {
  push("one");
  ASSERT_TRUE(world.settle());
  const auto before = *world.engine.observe({});
  push("two");
  ASSERT_TRUE(world.settle());
  const auto after = *world.engine.observe({});
  EXPECT_NE(after.find_service("a_web")->version, before.find_service("a_web")->version);
  EXPECT_EQ(after.find_service("a_db")->version, before.find_service("a_db")->version);
  const auto reference = web().spec.task_template.container.configs.at(0);
  EXPECT_EQ(after.find_config(reference.config_name)->data_sha256, sha256_hex("two"));
  const auto writes = world.engine.write_count();
  push("two", "a:1");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.engine.write_count(), writes);
}

TEST_F(RepoFilesOnASwarm, AdoptionShowsTheSwitchAsOneRestartAndWaitsForApproval) {
  // As the CLI made it: the same service with a bind mount.
  push("one");
  ASSERT_TRUE(world.settle());
  auto spec = web().spec;
  spec.labels.erase("io.skep.instance");
  spec.task_template.container.configs.clear();
  swarm::Mount bind;
  bind.type = "bind";
  bind.source = "/home/me/cluster/apps/a/app.conf";
  bind.target = "/etc/app.conf";
  bind.read_only = true;
  spec.task_template.container.mounts = {bind};
  ASSERT_TRUE(world.engine.update_service(web().id, web().version, spec, {}));
  const auto state = world.engine.observe({});
  ASSERT_TRUE(world.engine.remove_config(state->find_config("skep-default-state")->id, {}));
  world.restart_agent();
  auto turn = world.settle();
  ASSERT_TRUE(turn);
  const auto& status = tests::World::status(*turn, "a");
  EXPECT_TRUE(status.held);
  EXPECT_THAT(status.message, HasSubstr("skep approve a"));
  ASSERT_TRUE(status.plan);
  std::size_t restarts = 0;
  for (const auto& action : status.plan->actions)
    restarts += action.impact == diff::Impact::restart;
  EXPECT_EQ(restarts, 1U);
  EXPECT_THAT(web().spec.task_template.container.mounts, SizeIs(1)) << "nothing is done before";
  world.agent().approve("a");
  ASSERT_TRUE(world.settle());
  EXPECT_THAT(web().spec.task_template.container.mounts, IsEmpty());
  EXPECT_THAT(web().spec.task_template.container.configs, SizeIs(1));
}

/// A directory that is only a map.
class MemoryCheckout final : public ports::Checkout {
 public:
  Result<std::size_t> write(const std::string& stack,
                            const std::vector<ports::CheckoutFile>& wanted) override {
    ++calls;
    if (fails) return Error{ErrorKind::unavailable, "checkout: no space left on device"};
    EXPECT_EQ(stack, "a");
    std::size_t written = 0;
    for (const auto& file : wanted) {
      if (files[file.path.text()] != file.text) ++written;
      files[file.path.text()] = file.text;
    }
    return written;
  }
  std::map<std::string, std::string> files;
  bool fails = false;
  int calls = 0;
};

struct CheckoutOnASwarm : testing::Test {
  CheckoutOnASwarm() {
    world.load.host_checkout = "/srv/cluster";
    world.options.checkout = &checkout;
    world.restart_agent();
  }
  void push(const std::string& data) {
    world.files["apps/a/app.conf"] = data;
    world.files["apps/a/skep.yaml"] = "repo_files: checkout\n";
    world.files["apps/a/docker-compose.yml"] =
        "services: {web: {image: 'a:1', volumes: ['./app.conf:/etc/app.conf:ro']}, db: {image: "
        "a:1}}\n";
    world.commit();
  }
  std::uint64_t version(const std::string& service) {
    const auto live = *world.engine.observe({});
    const auto* found = live.find_service(service);
    return found == nullptr ? 0 : found->version;
  }
  std::string kept() { return checkout.files["apps/a/app.conf"]; }
  MemoryCheckout checkout;
  tests::World world;
};

TEST_F(CheckoutOnASwarm, AChangedFileIsWrittenAndRollsItsServiceAndNoOther) {
  push("one");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(kept(), "one");
  const auto web = version("a_web");
  const auto db = version("a_db");
  push("two");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(kept(), "two");
  EXPECT_NE(version("a_web"), web);
  EXPECT_EQ(version("a_db"), db);
  const auto calls = checkout.calls;
  const auto writes = world.engine.write_count();
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(checkout.calls, calls) << "a clean pass writes nothing";
  EXPECT_EQ(world.engine.write_count(), writes);
}

TEST_F(CheckoutOnASwarm, NothingRollsOntoAFileThatCouldNotBeWritten) {
  push("one");
  ASSERT_TRUE(world.settle());
  const auto web = version("a_web");
  checkout.fails = true;
  push("two");
  auto turn = world.settle();
  ASSERT_TRUE(turn);
  EXPECT_EQ(version("a_web"), web);
  EXPECT_THAT(tests::World::status(*turn, "a").message, HasSubstr("no space left on device"));
  checkout.fails = false;
  world.clock.advance(std::chrono::minutes(10));
  ASSERT_TRUE(world.settle());
  EXPECT_NE(version("a_web"), web);
  EXPECT_EQ(kept(), "two");
}

TEST_F(CheckoutOnASwarm, AnAgentThatStartsElsewherePutsTheFilesThere) {
  push("one");
  ASSERT_TRUE(world.settle());
  const auto web = version("a_web");
  checkout.files.clear();
  world.restart_agent();
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(kept(), "one");
  EXPECT_EQ(version("a_web"), web);
}

TEST_F(CheckoutOnASwarm, ARollbackBringsTheOlderFilesBack) {
  push("one");
  ASSERT_TRUE(world.settle());
  push("two");
  ASSERT_TRUE(world.settle());
  const auto commit = std::string(39, 'a') + "1";
  const auto target = world.options.revision(commit, "a");
  ASSERT_TRUE(target) << target.error().message;
  world.agent().rollback(
      "a", {commit, (*target)->content, world.desired().stacks.front()->content, "uid 0"});
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(kept(), "one");
}

}  // namespace
}  // namespace skep::reconciler
