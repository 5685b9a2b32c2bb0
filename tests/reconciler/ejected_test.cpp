#include <gmock/gmock.h>

#include "tests/reconciler/world.hpp"

namespace skep::reconciler {
namespace {

using testing::HasSubstr;

/// A stack that the agent made and that `skep eject` gave back to the CLI.
struct EjectedStack : testing::Test {
  void SetUp() override {
    world.files["apps/other/docker-compose.yml"] = tests::one_service("o:1");
    push("a:1");
    StateStore store(world.engine, "default");
    const auto live = *world.engine.observe({});
    auto state = *store.read(live);
    state.stacks.at("shop").ejected = true;
    ASSERT_TRUE(store.write(state, live, {}));
    world.restart_agent();
  }
  void push(const std::string& image) {
    world.files["apps/shop/docker-compose.yml"] = tests::one_service(image);
    world.commit();
    ASSERT_TRUE(world.settle());
  }
  std::string image() {
    const auto live = world.engine.observe({});
    const auto* service = live->find_service("shop_web");
    return service == nullptr ? "" : service->spec.task_template.container.image;
  }
  std::size_t records() {
    return StateStore(world.engine, "default").read(*world.engine.observe({}))->stacks.size();
  }
  tests::World world;
};

TEST_F(EjectedStack, IsHeldWhateverGitSays) {
  const auto before = image();
  push("a:2");
  EXPECT_EQ(image(), before);
  const auto turn = world.settle();
  ASSERT_TRUE(turn);
  const auto& status = tests::World::status(*turn, "shop");
  EXPECT_TRUE(status.held);
  EXPECT_THAT(status.message, HasSubstr("was ejected"));
  EXPECT_THAT(status.message, HasSubstr("skep approve shop"));
}

TEST(Eject, OfManyStacksInARowIsNotTakenForAnotherAgent) {
  tests::World world;
  const std::vector<std::string> names{"a", "b", "c", "d", "e"};
  for (const auto& name : names)
    world.files["apps/" + name + "/docker-compose.yml"] = tests::one_service(name + ":1");
  world.commit();
  ASSERT_TRUE(world.settle());
  StateStore store(world.engine, "default");
  for (const auto& name : names) {
    const auto live = *world.engine.observe({});
    auto state = *store.read(live);
    StackRecord left;
    left.path = state.stacks.at(name).path;
    left.ejected = true;
    state.stacks.at(name) = left;
    ASSERT_TRUE(store.write(state, live, {}));
    const auto turn = world.settle();
    ASSERT_TRUE(turn);
    EXPECT_THAT(turn->notes, testing::Not(testing::Contains(HasSubstr("--instance")))) << name;
  }
}

TEST_F(EjectedStack, IsTakenBackByApproval) {
  push("a:2");
  world.agent().approve("shop");
  ASSERT_TRUE(world.settle());
  EXPECT_THAT(image(), HasSubstr("a:2"));
  push("a:3");
  EXPECT_THAT(image(), HasSubstr("a:3")) << "it is ours again";
}

TEST_F(EjectedStack, StaysWhenItsDirectoryGoesAndIsForgotten) {
  EXPECT_EQ(records(), 2U);
  world.files.erase("apps/shop/docker-compose.yml");
  world.commit();
  ASSERT_TRUE(world.settle());
  EXPECT_THAT(image(), HasSubstr("a:1"));
  EXPECT_EQ(records(), 1U);
}

}  // namespace
}  // namespace skep::reconciler
