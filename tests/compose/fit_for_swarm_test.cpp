#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/compose/fixture.hpp"

namespace skep::compose::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// An `init` with these keys, and who waits for it.
std::string waiting(const std::string& keys) {
  return web("depends_on: {init: {condition: service_completed_successfully}}",
             "  init: {image: x" + (keys.empty() ? "" : ", " + keys) + "}");
}

const std::optional<swarm::RestartPolicy>& policy(const Output& output) {
  return output.stack.services.at("init").spec.task_template.restart_policy;
}

TEST(FitForSwarm, WhatIsWaitedForToCompleteEndsOnce) {
  for (const auto* keys : {"", "restart: 'no'", "restart: false", "restart: unless-stopped"}) {
    const auto output = relaxed().load({waiting(keys)});
    ASSERT_EQ(errors(output), "") << keys;
    ASSERT_TRUE(policy(output)) << keys;
    EXPECT_EQ(policy(output)->condition, "none") << keys;
    EXPECT_THAT(warnings(output),
                HasSubstr("service init: taken as deploy.restart_policy.condition: none, for web "
                          "waits until it has completed"))
        << keys;
    EXPECT_THAT(warnings(output), Not(HasSubstr("says nothing to a swarm"))) << keys;
    EXPECT_FALSE(output.stack.services.at("web").spec.task_template.restart_policy) << keys;
  }
}

TEST(FitForSwarm, FailuresOfWhatIsWaitedForAreTriedAgainWhereAskedFor) {
  const auto output = relaxed().load({waiting("restart: 'on-failure:3'")});
  ASSERT_EQ(errors(output), "");
  EXPECT_EQ(policy(output)->condition, "on-failure");
  EXPECT_EQ(policy(output)->max_attempts, 3U);
  const auto attempts =
      relaxed().load({waiting("deploy: {restart_policy: {max_attempts: 2, delay: 1s}}")});
  ASSERT_EQ(errors(attempts), "");
  EXPECT_EQ(policy(attempts)->condition, "on-failure");
  EXPECT_EQ(policy(attempts)->max_attempts, 2U);
}

TEST(FitForSwarm, ServicesThatWaitForEachOtherAreRefused) {
  const auto on = [](const std::string& key, const std::string& others) {
    return "  " + key + ": {image: x, depends_on: {" + others + "}}\n";
  };
  const std::string started = ": {condition: service_started}";
  const auto pair = relaxed().load(
      {"services:\n" + on("b", "a" + started) + on("a", "b" + started) + on("c", "a" + started)});
  EXPECT_EQ(errors(pair), "services a and b wait for each other\n");
  EXPECT_EQ(pair.findings.front().at.line, 3);
  EXPECT_EQ(pair.findings.front().at.column, 29);
  EXPECT_EQ(errors(relaxed().load({"services:\n" + on("a", "a" + started)})),
            "service a waits for itself\n");
  EXPECT_EQ(errors(relaxed().load({"services:\n" + on("a", "b" + started) + on("b", "c" + started) +
                                   on("c", "a" + started) + on("d", "e" + started) +
                                   on("e", "d" + started)})),
            "services wait for each other: a → b → c → a\nservices d and e wait for each other\n");
  EXPECT_EQ(errors(relaxed().load({"services:\n" + on("a", "b" + started + ", c" + started) +
                                   on("b", "c" + started) + on("c", "")})),
            "");
  const std::string list =
      "services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [a]}}";
  EXPECT_EQ(errors(relaxed().load({list})), "") << "the CLI takes this";
  EXPECT_EQ(errors(Loader().load({list})), "");
}

TEST(FitForSwarm, AWrittenConditionCounts) {
  const auto output =
      relaxed().load({waiting("deploy: {restart_policy: {condition: on-failure}}")});
  ASSERT_EQ(errors(output), "");
  EXPECT_EQ(policy(output)->condition, "on-failure");
  EXPECT_EQ(warnings(output), "");
  const auto never = relaxed().load({waiting("deploy: {restart_policy: {condition: any}}")});
  EXPECT_THAT(errors(never),
              HasSubstr("service init: with the restart condition any it never completes, and web "
                        "waits for that; write condition: none or on-failure"));
  EXPECT_EQ(never.findings.front().at.column, 57);
  const auto job = relaxed().load({waiting("deploy: {mode: replicated-job}")});
  ASSERT_EQ(errors(job), "");
  EXPECT_FALSE(policy(job));
}

TEST(FitForSwarm, WhatIsWaitedForMayStandInAnotherFile) {
  const auto output = relaxed().load(
      {"services: {init: {image: x}, app: {image: x}}",
       "services: {app: {depends_on: {init: {condition: service_completed_successfully}}}}"});
  ASSERT_EQ(errors(output), "");
  EXPECT_EQ(policy(output)->condition, "none");
}

TEST(FitForSwarm, RestartNoIsNamedAndStaysAsTheCliHasIt) {
  const auto output = relaxed().load({web("restart: 'no'")});
  ASSERT_EQ(errors(output), "");
  EXPECT_FALSE(output.stack.services.at("web").spec.task_template.restart_policy);
  EXPECT_THAT(warnings(output),
              HasSubstr("the engine restarts it all the same; write "
                        "deploy.restart_policy.condition: none"));
  EXPECT_EQ(output.findings.front().at.column, 14);
  EXPECT_EQ(
      warnings(relaxed().load({web("restart: 'no'\ndeploy: {restart_policy: {condition: none}}")})),
      "");
  EXPECT_EQ(warnings(relaxed().load({web("restart: always")})), "");
}

TEST(FitForSwarm, BridgeNetworksSpanTheSwarm) {
  const auto text = web("networks: [a]",
                        "networks: {a: {driver: bridge, driver_opts: {com.docker.network.bridge."
                        "name: br0, com.docker.network.driver.mtu: '1400'}}}");
  const auto output = relaxed().load({text});
  ASSERT_EQ(errors(output), "");
  const auto& network = output.stack.networks.at("a");
  EXPECT_EQ(network.driver, "overlay");
  EXPECT_EQ(network.options, (swarm::StringMap{{"com.docker.network.driver.mtu", "1400"}}));
  EXPECT_EQ(warnings(output),
            "networks.a.driver: bridge is taken as overlay: a network of services spans the swarm; "
            "its options com.docker.network.bridge.* are left out\n");
  EXPECT_THAT(errors(Loader().load({text})),
              HasSubstr("networks.a.driver: a network of the driver bridge is one node's"));
  const auto unnamed = relaxed().load({web("", "networks: {default: {driver: bridge}}")});
  ASSERT_EQ(errors(unnamed), "");
  EXPECT_EQ(unnamed.stack.networks.at("default").driver, "overlay");
}

TEST(FitForSwarm, OtherNetworksOfOneNodeAreRefused) {
  for (const auto* driver : {"host", "macvlan", "ipvlan", "none"}) {
    for (const bool strict : {true, false}) {
      auto loader = relaxed();
      loader.strict = strict;
      const auto output = loader.load(
          {web("networks: [a]", "networks: {a: {driver: " + std::string(driver) + "}}")});
      EXPECT_THAT(errors(output), HasSubstr("networks.a.driver: ")) << driver;
      EXPECT_EQ(output.findings.front().at.line, 6) << driver;
    }
  }
}

TEST(FitForSwarm, NetworksThatAreNeverMadeMayBeAnything) {
  for (const bool strict : {true, false}) {
    auto loader = relaxed();
    loader.strict = strict;
    const auto output = loader.load({web(
        "networks: [b]", "networks: {a: {driver: bridge}, b: {external: true, driver: bridge}}")});
    EXPECT_EQ(errors(output), "");
    EXPECT_EQ(warnings(output), "");
  }
}

}  // namespace
}  // namespace skep::compose::testing
