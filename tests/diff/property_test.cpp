#include <random>

#include <gtest/gtest.h>

#include "diff/plan.hpp"
#include "diff/render.hpp"
#include "support.hpp"

namespace skep::diff {
namespace {

using testing::SimulatedSwarm;

/// A random stack: whatever comes, a plan that is applied leaves nothing to plan.
swarm::StackSpec random_stack(std::mt19937& random) {
  const auto pick = [&](int below) {
    return static_cast<int>(random() % static_cast<unsigned>(below));
  };
  auto stack = testing::stack("s");
  const auto configs = pick(3);
  for (int i = 0; i < configs; ++i)
    testing::add_config(stack, "conf" + std::to_string(i), "v" + std::to_string(pick(3)));
  const auto secrets = pick(3);
  for (int i = 0; i < secrets; ++i)
    testing::add_secret(stack, "sec" + std::to_string(i), "v" + std::to_string(pick(3)));
  const auto services = pick(5);
  for (int i = 0; i < services; ++i) {
    const auto key = "svc" + std::to_string(pick(6));
    if (stack.services.count(key) != 0) continue;
    auto& spec = testing::add_service(stack, key, "img:" + std::to_string(pick(3)));
    auto& container = spec.task_template.container;
    if (pick(2) == 0) container.env = {"B=" + std::to_string(pick(3)), "A=1"};
    if (pick(3) == 0) container.healthcheck.emplace();
    if (pick(3) == 0) container.stop_grace_period = std::chrono::seconds(pick(2));
    if (pick(3) == 0) testing::mount_volume(spec, "s_data");
    if (pick(3) == 0) testing::publish(spec, 8000U + static_cast<unsigned>(key.back()));
    if (pick(3) == 0) spec.update_config.emplace();
    if (pick(3) == 0) spec.task_template.restart_policy.emplace();
    if (pick(2) == 0) spec.mode.replicated->replicas = static_cast<unsigned>(pick(3));
    if (pick(6) == 0) {
      spec.mode = {};
      spec.mode.global.emplace();
    }
    if (pick(2) == 0) spec.labels["x"] = std::to_string(pick(2));
    for (int c = 0; c < configs; ++c)
      if (pick(2) == 0)
        testing::cite_config(spec, "s_conf" + std::to_string(c), "/c" + std::to_string(c));
    for (int c = 0; c < secrets; ++c)
      if (pick(2) == 0)
        testing::cite_secret(spec, "s_sec" + std::to_string(c), "s" + std::to_string(c));
  }
  if (!stack.networks.empty() && pick(4) == 0) stack.networks.at("default").attachable = true;
  return stack;
}

TEST(Plans, ThatWereAppliedLeaveNothingToPlan) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    SimulatedSwarm swarm;
    auto policy = swarm.policy();
    policy.prune = policy.prune_objects = policy.allow_replace = true;
    if (seed % 2 == 0) policy.instance = "agent";
    for (int step = 0; step < 4; ++step) {
      const auto desired = random_stack(random);
      const auto made = plan(desired, swarm.state, policy);
      ASSERT_FALSE(made.blocked()) << testing::all_notes(made);
      ASSERT_NO_THROW(swarm.apply(made)) << to_text(made, "s");
      // What an update let go is collected once PreviousSpec no longer cites it, not before; that
      // is the only thing that may be left, and only removals.
      auto again = plan(desired, swarm.state, policy);
      for (int round = 0; round < 2 && !again.empty(); ++round) {
        for (const auto& action : again.actions) {
          ASSERT_EQ(action.verb, Verb::remove) << to_text(again, "s");
          ASSERT_NE(action.kind, ObjectKind::service) << to_text(again, "s");
        }
        swarm.apply(again);
        again = plan(desired, swarm.state, policy);
      }
      ASSERT_TRUE(again.empty()) << to_text(again, "s");
    }
  }
}

TEST(Plans, DoNotDependOnTheOrderOfWhatIsLive) {
  for (unsigned seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    SimulatedSwarm swarm;
    auto policy = swarm.policy();
    policy.prune = policy.prune_objects = true;
    swarm.apply(plan(random_stack(random), swarm.state, policy));
    const auto desired = random_stack(random);
    auto shuffled = swarm.state;
    std::shuffle(shuffled.services.begin(), shuffled.services.end(), random);
    std::shuffle(shuffled.configs.begin(), shuffled.configs.end(), random);
    std::shuffle(shuffled.secrets.begin(), shuffled.secrets.end(), random);
    std::shuffle(shuffled.networks.begin(), shuffled.networks.end(), random);
    shuffled.normalise();
    EXPECT_EQ(to_json(plan(desired, swarm.state, policy), "s"),
              to_json(plan(desired, shuffled, policy), "s"));
  }
}

TEST(Plans, NeverTouchWhatIsNotTheirs) {
  for (unsigned seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    SimulatedSwarm swarm;
    auto policy = swarm.policy();
    policy.prune = policy.prune_objects = policy.allow_replace = true;
    auto foreign = random_stack(random);
    swarm.apply(plan(foreign, swarm.state, policy));
    for (auto& service : swarm.state.services) service.spec.labels[testing::kStack] = "other";
    for (auto& config : swarm.state.configs) config.labels[testing::kStack] = "other";
    for (auto& secret : swarm.state.secrets) secret.labels[testing::kStack] = "other";
    for (auto& network : swarm.state.networks) network.spec.labels[testing::kStack] = "other";
    const auto made = plan(random_stack(random), swarm.state, policy);
    for (const auto& action : made.actions) EXPECT_EQ(action.verb, Verb::create);
  }
}

}  // namespace
}  // namespace skep::diff
