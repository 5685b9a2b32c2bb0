// `resolve_image: always`: a stack follows a tag that moves.
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reconciler/world.hpp"

namespace skep::tests {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr const char* kImage = "registry:5000/apps/my-app:1.0";

/// Remembers what was done, and for what.
class TriggersTold final : public ports::Observer {
 public:
  void synced(const ports::SyncReport& report) override {
    done.push_back(report.trigger + " " + report.result);
  }
  std::vector<std::string> done;
};

class MovingTag : public testing::Test {
 protected:
  void SetUp() override {
    world.listener = &told;
    world.restart_agent();
    move('a');
    world.files["apps/web/docker-compose.yml"] = one_service(kImage);
    settings("resolve_image: always");
    turn_until(image('a'));
    told.done.clear();
  }
  void settings(const std::string& yaml) {
    world.files["apps/web/skep.yaml"] = yaml + "\n";
    world.commit();
  }
  void move(char digest) {
    world.engine.set_image(kImage, {"sha256:" + std::string(64, digest), {}});
  }
  static std::string image(char digest) {
    return std::string(kImage) + "@sha256:" + std::string(64, digest);
  }
  [[nodiscard]] std::string runs() const {
    const auto state = world.engine.observe({});
    const auto* service = state ? state->find_service("web_web") : nullptr;
    return service == nullptr ? "" : service->spec.task_template.container.image;
  }
  /// Turns until `good`. The registry answers in threads of its own, for which time stands still.
  template <typename Good>
  void turn_until(Good good) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (std::chrono::steady_clock::now() < deadline) {
      auto turn = world.agent().turn(world.desired(), {});
      ASSERT_TRUE(turn) << turn.error().message;
      last = *std::move(turn);
      const auto& web = World::status(*last, "web");
      const bool asks = web.message.find("asking the registry") != std::string::npos;
      if (!asks && !last->wrote && !last->moving && good(web)) return;
      if (!asks && (last->wrote || last->moving)) {
        world.clock.advance(500ms);
      } else {
        std::this_thread::sleep_for(1ms);
      }
    }
    FAIL() << "it never came; runs " << runs() << ", " << World::status(*last, "web").message;
  }
  void turn_until(const std::string& wanted) {
    turn_until([&](const ports::StackStatus&) { return runs() == wanted; });
  }
  [[nodiscard]] std::size_t questions() const {
    return world.engine.calls(fakes::Operation::resolve_image);
  }

  mutable World world;
  TriggersTold told;
  std::optional<reconciler::Turn> last;
};

TEST_F(MovingTag, IsFollowedAtItsIntervalAsADeploymentAndNoEdit) {
  move('b');
  const auto asked = questions();
  for (int i = 0; i < 20; ++i) turn_until(image('a'));
  EXPECT_EQ(questions(), asked) << "the interval has not passed";
  EXPECT_EQ(runs(), image('a'));
  world.clock.advance(5min + 1s);
  turn_until(image('b'));
  EXPECT_THAT(told.done, testing::ElementsAre("git success")) << "nobody edited anything";
  EXPECT_EQ(World::status(*last, "web").sync, ports::SyncState::synced);
}

TEST_F(MovingTag, IsFollowedAtOnceWhereTheRegistrySaysSo) {
  move('b');
  EXPECT_FALSE(world.agent().look_again("apps/other", "1.0"));
  EXPECT_TRUE(world.agent().look_again("apps/my-app", "1.0"));
  turn_until(image('b'));
}

TEST_F(MovingTag, ARegistryIsNotAskedAgainAndAgainForWhatWaits) {
  settings("resolve_image: changed\nsync: manual");
  world.engine.set_image("registry.example.com/apps/my-app:2.0",
                         {"sha256:" + std::string(64, 'c'), {}});
  world.files["apps/web/docker-compose.yml"] = one_service("registry.example.com/apps/my-app:2.0");
  world.commit();
  const auto waits = [](const ports::StackStatus& web) { return web.verdict == "reported"; };
  turn_until(waits);
  const auto asked = questions();
  for (int i = 0; i < 60; ++i) {
    world.clock.advance(1min);
    turn_until(waits);
  }
  EXPECT_EQ(questions(), asked);
  world.agent().request("web", "anna");
  const auto digest = "registry.example.com/apps/my-app:2.0@sha256:" + std::string(64, 'd');
  world.engine.set_image("registry.example.com/apps/my-app:2.0",
                         {"sha256:" + std::string(64, 'd'), {}});
  turn_until(digest);
  EXPECT_EQ(questions(), asked + 1) << "before it is carried out";
}

TEST_F(MovingTag, IsADeploymentThatWaitsForAPersonWhereThoseDo) {
  settings("resolve_image: always\nsync: manual");
  move('b');
  world.agent().look_again("apps/my-app", "1.0");
  turn_until([](const ports::StackStatus& web) { return web.verdict == "reported"; });
  EXPECT_THAT(World::status(*last, "web").message, HasSubstr("sync: manual"));
  EXPECT_EQ(runs(), image('a'));
}

TEST_F(MovingTag, IsFollowedThoughSelfHealIsOff) {
  settings("resolve_image: always\nself_heal: false");
  turn_until(image('a'));
  move('b');
  world.agent().look_again("apps/my-app", "1.0");
  turn_until(image('b'));
}

TEST_F(MovingTag, ADigestThatTheRegistryGivesLateIsNobodysEdit) {
  world.files["apps/late/docker-compose.yml"] = one_service("registry:5000/late:1");
  world.files["apps/late/skep.yaml"] = "resolve_image: always\n";
  world.commit();
  const auto late = [&] {
    const auto state = world.engine.observe({});
    const auto* service = state ? state->find_service("late_web") : nullptr;
    return service == nullptr ? "" : service->spec.task_template.container.image;
  };
  turn_until([&](const ports::StackStatus&) { return late() == "registry:5000/late:1"; });
  world.engine.set_image("registry:5000/late:1", {"sha256:" + std::string(64, 'c'), {}});
  told.done.clear();
  world.clock.advance(10min);
  turn_until([&](const ports::StackStatus&) { return late().ends_with("ccc"); });
  for (const auto& done : told.done) EXPECT_EQ(done.find("drift"), std::string::npos) << done;
}

TEST_F(MovingTag, AnImageThatSomebodySetIsStillAnEdit) {
  world.engine.edit_service(
      "web_web", [](swarm::ServiceSpec& spec) { spec.task_template.container.image = "evil:1"; });
  turn_until(image('a'));
  EXPECT_THAT(told.done, testing::ElementsAre("drift success"));
}

}  // namespace
}  // namespace skep::tests
