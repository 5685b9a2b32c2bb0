#include "reconciler/observation/node_loss.hpp"

#include <gmock/gmock.h>

#include "tests/reconciler/world.hpp"

namespace skep::reconciler {
namespace {

using tests::one_service;
using tests::World;

class NodeLoss : public tests::WorldTest {
 protected:
  swarm::LiveState deployed() {
    world.files["apps/a/docker-compose.yml"] = one_service("a:1");
    world.commit();
    settle();
    return *world.engine.observe({});
  }
};

TEST_F(NodeLoss, Trap31_TasksOfANodeThatIsDownAreNotCountedAsRunning) {
  auto live = deployed();
  ASSERT_EQ(live.services.at(0).running_tasks, 1U);
  const auto task = world.engine.tasks({live.services[0].id}, {})->at(0);
  for (auto& node : live.nodes) {
    node.id = task.node_id;
    node.state = "down";
  }
  ASSERT_TRUE(discount_lost_tasks(live, world.engine, {}));
  EXPECT_EQ(live.services[0].running_tasks, 0U);
}

TEST_F(NodeLoss, AServiceWhoseTasksAreOnItIsNotHealthy) {
  deployed();
  world.engine.set_node_state("node-1", "down");
  const auto turn = world.agent().turn(world.desired(), {});
  ASSERT_TRUE(turn);
  EXPECT_NE(World::status(*turn, "a").health, ports::Health::healthy);
  EXPECT_EQ(World::status(*turn, "a").services.at(0).running, 0U);
}

TEST_F(NodeLoss, AnotherNodeThatIsDownTakesNothing) {
  auto live = deployed();
  swarm::LiveNode other;
  other.id = "other";
  other.state = "down";
  live.nodes.push_back(other);
  ASSERT_TRUE(discount_lost_tasks(live, world.engine, {}));
  EXPECT_EQ(live.services[0].running_tasks, 1U);
}

TEST_F(NodeLoss, NothingIsAskedWhileAllAreUp) {
  auto live = deployed();
  const auto asked = world.engine.calls(fakes::Operation::tasks);
  ASSERT_TRUE(discount_lost_tasks(live, world.engine, {}));
  EXPECT_EQ(world.engine.calls(fakes::Operation::tasks), asked);
}

}  // namespace
}  // namespace skep::reconciler
