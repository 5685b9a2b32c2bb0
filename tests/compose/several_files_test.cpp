#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/compose/fixture.hpp"

// What is said of services counts for all files together, not for each.
namespace skep::compose::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Condition = swarm::ServiceDependency::Condition;

constexpr const char* kBase =
    "services: {app: {image: 'nginx:1'}, db: {image: 'pg:1'}, tools: {image: 'nginx:1', "
    "profiles: [debug]}}";

Output both(const std::string& over, const std::string& profiles = "") {
  auto loader = relaxed();
  if (!profiles.empty()) loader.environment["COMPOSE_PROFILES"] = profiles;
  return loader.load({kBase, over});
}

TEST(SeveralFiles, AServiceMayDependOnOneOfAnotherFile) {
  const auto output = both("services: {app: {depends_on: {db: {condition: service_healthy}}}}");
  ASSERT_EQ(errors(output), "");
  EXPECT_THAT(output.stack.services.at("app").depends_on,
              ElementsAre(swarm::ServiceDependency{"db", Condition::healthy}));
  EXPECT_THAT(errors(both("services: {app: {depends_on: {no: {condition: service_healthy}}}}")),
              HasSubstr("depends on \"no\", which is no service of this stack"));
}

TEST(SeveralFiles, AProfileCountsForWhatLaterFilesAdd) {
  for (const auto* over : {"services: {tools: {environment: {A: '1'}}}",
                           "services: {tools: {image: 'nginx:2', build: .}}"}) {
    const auto off = both(over);
    ASSERT_EQ(errors(off), "") << over;
    EXPECT_FALSE(off.stack.services.contains("tools"));
    EXPECT_EQ(warnings(off),
              "service tools is not deployed: none of its profiles (debug) is in "
              "COMPOSE_PROFILES\n");
  }
  const auto on = both("services: {tools: {environment: {A: '1'}}}", "debug");
  ASSERT_EQ(errors(on), "");
  EXPECT_THAT(on.stack.services.at("tools").spec.task_template.container.env, ElementsAre("A=1"));
  const auto late = both("services: {db: {profiles: [x]}}");
  EXPECT_FALSE(late.stack.services.contains("db"));
}

TEST(SeveralFiles, DependingOnAServiceThatIsOffNamesItsProfiles) {
  const auto output = both("services: {app: {depends_on: {tools: {condition: service_started}}}}");
  EXPECT_THAT(errors(output),
              HasSubstr("depends on \"tools\", which is not deployed: its profiles (debug) are not "
                        "in COMPOSE_PROFILES"));
  EXPECT_EQ(errors(both("services: {app: {depends_on: {tools: {required: false}}}}")), "");
}

TEST(SeveralFiles, TheLaterConditionCounts) {
  auto loader = relaxed();
  const auto file = [](const std::string& condition) {
    return "services: {a: {image: x, depends_on: {b: {condition: " + condition +
           "}}}, b: {image: x}}";
  };
  const auto output = loader.load({file("service_healthy"), file("service_started")});
  ASSERT_EQ(errors(output), "");
  EXPECT_THAT(output.stack.services.at("a").depends_on,
              ElementsAre(swarm::ServiceDependency{"b", Condition::started}));
}

/// What merging a service of these two files is warned of.
std::string merged(const std::string& base, const std::string& later) {
  const auto output =
      relaxed().load({"services: {a: {image: x, " + base + "}}", "services: {a: {" + later + "}}"});
  EXPECT_EQ(errors(output), "") << base << later;
  return warnings(output);
}

TEST(SeveralFiles, PortsThatAMergeDropsAreNamed) {
  EXPECT_THAT(merged("ports: ['53:53/tcp', '53:53/udp']", "tty: true"),
              HasSubstr("services.a.ports: 53:53/tcp is dropped for 53:53/udp: of one published "
                        "number one port is kept"));
  EXPECT_THAT(merged("ports: ['80']", "ports: ['443']"),
              HasSubstr("services.a.ports: 80/tcp is dropped for 443/tcp: of ports without a "
                        "published number one is kept; write them all in the last of the files"));
  EXPECT_EQ(merged("ports: ['80:80']", "ports: ['80:81', '90:90']"), "") << "that is an override";
  EXPECT_EQ(merged("tty: true", "ports: ['80', '443', '53:53/tcp', '53:53/udp']"), "");
}

TEST(SeveralFiles, WhatAMergeJoinsOrLeavesIsNamed) {
  EXPECT_THAT(merged("healthcheck: {test: curl a}", "healthcheck: {test: [NONE]}"),
              HasSubstr("NONE switches nothing off"));
  EXPECT_THAT(merged("healthcheck: {test: curl a}", "healthcheck: {test: curl b}"),
              HasSubstr("services.a.healthcheck.test: its words are put behind those of"));
  EXPECT_THAT(merged("tty: true", "tty: false"),
              HasSubstr("services.a.tty: false does not override the true of an earlier file"));
  EXPECT_THAT(merged("init: true", "init: false"), HasSubstr("services.a.init: false"));
  EXPECT_THAT(merged("user: root", "user: ''"), HasSubstr("services.a.user: an empty value"));
  EXPECT_THAT(merged("environment: {A: b}", "environment: {A: ''}"),
              HasSubstr("\"A\" without a value does not override"));
  EXPECT_THAT(merged("logging: {driver: local}", "logging: {options: {max-size: 1m}}"),
              HasSubstr("services.a.logging: the options are dropped"));
  EXPECT_THAT(
      merged("deploy: {update_config: {delay: 5s}}", "deploy: {update_config: {delay: 0s}}"),
      HasSubstr("services.a.deploy.update_config.delay: an empty value or 0"));
  EXPECT_EQ(merged("tty: true, user: a, environment: {A: b}",
                   "user: b, environment: {A: c, D: ''}, deploy: {replicas: 0}"),
            "");
}

TEST(SeveralFiles, AUseOfAConfigThatAMergeDropsIsNamed) {
  const std::string top = "\nconfigs: {c: {external: true}}";
  const auto output = relaxed().load(
      {"services: {a: {image: x, configs: [{source: c, target: /a}, {source: c, target: /b}]}}" +
           top,
       "services: {a: {tty: true}}"});
  EXPECT_THAT(warnings(output),
              HasSubstr("services.a.configs: this use of \"c\" is dropped for a later one"));
  EXPECT_EQ(to_string(output.findings.front().at), "a.yml:1:36");
}

TEST(SeveralFiles, ATestThatIsThereAndSwitchedOffHasANextStep) {
  const auto output = relaxed().load({"services: {a: {image: x, healthcheck: {test: curl a}}}",
                                      "services: {a: {healthcheck: {disable: true}}}"});
  EXPECT_THAT(errors(output), HasSubstr("at the same time; a test is switched off by leaving it"));
}

TEST(SeveralFiles, NothingOfAMergeIsSaidInStrictMode) {
  const auto output = Loader().load({"version: '3'\nservices: {a: {image: x, ports: ['80']}}",
                                     "version: '3'\nservices: {a: {ports: ['443']}}"});
  EXPECT_EQ(errors(output) + warnings(output), "");
}

}  // namespace
}  // namespace skep::compose::testing
