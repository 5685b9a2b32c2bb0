#include "server/target.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/router.hpp"

namespace skep::server {
namespace {

using ::testing::ElementsAre;

TEST(Target, IsSplitBeforeItIsDecoded) {
  const auto target = parse_target("/api/v1/stacks/a%2Fb/M%C3%BCller-APP?x=1%262&flag");
  ASSERT_TRUE(target);
  EXPECT_THAT(target->parts, ElementsAre("api", "v1", "stacks", "a/b", "M\xC3\xBCller-APP"));
  EXPECT_EQ(target->query.at("x"), "1&2");
  EXPECT_EQ(target->query.at("flag"), "");
}

TEST(Target, OfTheRootHasNoParts) {
  EXPECT_TRUE(parse_target("/")->parts.empty());
  EXPECT_EQ(parse_target("/?a=b")->path, "/");
  EXPECT_EQ(parse_target("/metrics/")->path, "/metrics");
}

TEST(Target, MayNameTheHostAsProxiesDo) {
  EXPECT_EQ(*parse_target("http://skep:9920/api/v1/status?a=b"),
            *parse_target("/api/v1/status?a=b"));
  EXPECT_EQ(*parse_target("HTTPS://skep"), *parse_target("/"));
  EXPECT_EQ(*parse_target("http://skep?a=b"), *parse_target("/?a=b"));
}

struct BadTarget {
  std::string name, text;
};

class BadTargets : public ::testing::TestWithParam<BadTarget> {};

TEST_P(BadTargets, AreRefused) { EXPECT_FALSE(parse_target(GetParam().text)); }

INSTANTIATE_TEST_SUITE_P(
    Targets,
    BadTargets,
    ::testing::Values(BadTarget{"empty", ""},
                      BadTarget{"no_slash", "metrics"},
                      BadTarget{"absolute_form_without_a_host", "http:///metrics"},
                      BadTarget{"another_scheme", "ftp://x/metrics"},
                      BadTarget{"climbing_in_absolute_form", "http://x/a/../b"},
                      BadTarget{"asterisk", "*"},
                      BadTarget{"dot_dot", "/a/../b"},
                      BadTarget{"encoded_dot_dot", "/a/%2e%2E/b"},
                      BadTarget{"dot", "/a/./b"},
                      BadTarget{"dot_dot_at_the_end", "/a/.."},
                      BadTarget{"two_slashes", "/a//b"},
                      BadTarget{"two_slashes_at_the_end", "/a//"},
                      BadTarget{"encoded_nul", "/a%00b"},
                      BadTarget{"encoded_line_feed", "/a%0Ab"},
                      BadTarget{"broken_escape", "/a%2"},
                      BadTarget{"no_escape", "/a%zz"},
                      BadTarget{"lone_percent", "/%"},
                      BadTarget{"no_utf8", "/a%FFb"},
                      BadTarget{"cut_utf8", "/a%C3"},
                      BadTarget{"overlong_utf8", "/a%C0%AFb"},
                      BadTarget{"key_twice", "/a?k=1&k=2"},
                      BadTarget{"nul_in_query", "/a?k=%00"}),
    [](const auto& row) { return row.param.name; });

TEST(Router, FindsTheRouteOfAMethodAndFillsInParameters) {
  Router router;
  const auto handler = [](const Request&) { return Response{}; };
  router.add(RouteSet::api, "GET", "/stacks/{group}/{name}", handler);
  router.add(RouteSet::api, "POST", "/stacks/{group}/{name}", handler);
  const auto match = router.find({RouteSet::api}, "POST", *parse_target("/stacks/apps/web"));
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.route->method, "POST");
  EXPECT_EQ(match.parameters.at("group"), "apps");
  EXPECT_EQ(match.parameters.at("name"), "web");
}

TEST(Router, TellsTheMethodsOfAPathThatHasOthers) {
  Router router;
  router.add(RouteSet::api, "GET", "/a", [](const Request&) { return Response{}; });
  const auto match = router.find({RouteSet::api}, "DELETE", *parse_target("/a"));
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allowed, "GET, HEAD");
}

TEST(Router, HidesRoutesThatAListenerDoesNotServe) {
  Router router;
  router.add(RouteSet::api, "GET", "/a", [](const Request&) { return Response{}; });
  const auto match = router.find({RouteSet::metrics}, "GET", *parse_target("/a"));
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allowed, "");
}

}  // namespace
}  // namespace skep::server
