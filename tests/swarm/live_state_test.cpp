#include "swarm/live_state.hpp"

#include <gtest/gtest.h>

#include "swarm/labels.hpp"
#include "swarm/stack_spec.hpp"

namespace skep::swarm {
namespace {

TEST(LiveState, FindsByNameAndTurnsNetworkIdsIntoNames_E3_4) {
  LiveState live;
  live.services.resize(2);
  live.services[0].spec.name = "b";
  live.services[1].spec.name = "a";
  live.services[0].spec.task_template.networks.push_back({"id-1", {}, {}});
  live.services[0].spec.task_template.networks.push_back({"id-unknown", {}, {}});
  live.networks.resize(1);
  live.networks[0].id = "id-1";
  live.networks[0].spec.name = "front";
  live.normalise();
  ASSERT_NE(live.find_service("b"), nullptr);
  EXPECT_EQ(live.find_service("b")->spec.task_template.networks[0].target, "front");
  EXPECT_EQ(live.find_service("b")->spec.task_template.networks[1].target, "id-unknown");
  EXPECT_EQ(live.find_service("c"), nullptr);
  EXPECT_EQ(live.find_secret("c"), nullptr);
}

TEST(LiveState, IsGroupedByTheStackLabel) {
  LiveState live;
  live.services.resize(2);
  live.services[0].spec.labels[std::string(kStackLabel)] = "s";
  live.configs.resize(1);
  live.configs[0].labels[std::string(kStackLabel)] = "s";
  const auto stacks = stacks_of(live);
  ASSERT_EQ(stacks.size(), 1U);
  EXPECT_EQ(stacks.at("s").services.size(), 1U);
  EXPECT_EQ(stacks.at("s").configs.size(), 1U);
}

TEST(StackName, IsRefusedWhenOnlyPaddingIsLeft_A1_7) {
  EXPECT_FALSE(StackName::parse(""));
  EXPECT_FALSE(StackName::parse(" \"'\t\u00a0"));
  ASSERT_TRUE(StackName::parse("MY-APP"));
  EXPECT_EQ(StackName::parse("MY-APP")->scope("web"), "MY-APP_web");
}

}  // namespace
}  // namespace skep::swarm
