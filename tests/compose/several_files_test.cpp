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

}  // namespace
}  // namespace skep::compose::testing
