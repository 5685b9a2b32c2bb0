#include "repository/settings.hpp"

#include <gmock/gmock.h>

#include "repository/dotenv.hpp"
#include "yaml/parse.hpp"

namespace skep::repository {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

yaml::Node parse(const std::string& text) {
  auto node = yaml::parse(text, "skep.yaml");
  EXPECT_TRUE(node);
  return *node;
}

TEST(ClusterSettings, AnEmptyFileGivesManagementBeforeApps) {
  Findings findings;
  const auto settings = read_cluster_settings({}, findings);
  EXPECT_TRUE(findings.empty());
  ASSERT_EQ(settings.groups.size(), 2U);
  EXPECT_EQ(settings.groups[0].name, "management");
  EXPECT_EQ(settings.groups[1].after, "management");
}

TEST(ClusterSettings, ReadsNetworksVariablesAndDefaults) {
  Findings findings;
  const auto settings = read_cluster_settings(
      parse("networks: { front: { attachable: true, driver_opts: { encrypted: 'true' } }, back: }\n"
            "variables: { DOMAIN: example.com }\n"
            "defaults: { self_heal: warn, timeout: 90s, resolve_image: never }\n"),
      findings);
  EXPECT_TRUE(findings.empty()) << to_string(findings);
  EXPECT_TRUE(settings.networks.at("front").attachable);
  EXPECT_EQ(settings.networks.at("front").options.at("encrypted"), "true");
  EXPECT_EQ(settings.networks.at("back").driver, "overlay");
  EXPECT_EQ(settings.variables.at("DOMAIN"), "example.com");
  EXPECT_EQ(settings.defaults.self_heal, SelfHeal::warn);
  EXPECT_EQ(settings.defaults.timeout, std::chrono::seconds(90));
}

TEST(ClusterSettings, AnUnknownKeyIsAnErrorWithTheNearestRightOne) {
  Findings findings;
  (void)read_cluster_settings(parse("variables: {}\ndefaults:\n  selfHeal: false\n"), findings);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].at, (SourcePosition{"skep.yaml", 3, 3}));
  EXPECT_THAT(findings[0].message, HasSubstr("did you mean self_heal?"));
}

TEST(ClusterSettings, AVariableThatNoComposeFileCanUseIsWarnedOf) {
  Findings findings;
  const auto settings =
      read_cluster_settings(parse("variables:\n  A_1: x\n  a-b: y\n  1st: z\n"), findings);
  EXPECT_EQ(findings.size(), 2U) << to_string(findings);
  EXPECT_FALSE(has_errors(findings));
  EXPECT_THAT(to_string(findings),
              HasSubstr("skep.yaml:3:3: warning: variables.a-b: no compose file can use it"));
  EXPECT_EQ(settings.variables.at("a-b"), "y") << "a template can";
}

TEST(ClusterSettings, GroupsAreOrderedByAfterAndACycleIsAnError) {
  Findings findings;
  const auto settings = read_cluster_settings(
      parse("groups:\n- { path: apps/*, after: base }\n- { path: base/* }\n"), findings);
  EXPECT_TRUE(findings.empty()) << to_string(findings);
  EXPECT_EQ(settings.groups.front().name, "base");
  (void)read_cluster_settings(
      parse("groups:\n- { path: a/*, after: b }\n- { path: b/*, after: a }\n"), findings);
  EXPECT_EQ(findings.size(), 2U);
}

TEST(ClusterSettings, SubnetsAreSubnets) {
  Findings findings;
  (void)read_cluster_settings(
      parse("networks: { n: { subnets: [10.20.0.0/16, 'fd00:1::/64'] } }\n"), findings);
  EXPECT_TRUE(findings.empty()) << to_string(findings);
  for (const auto* wrong : {"10.20.0.0/99", "10.20.0.0", "10.20.0/16", "x/8", "fd00::/129"}) {
    Findings of_wrong;
    (void)read_cluster_settings(
        parse("networks: { n: { subnets: ['" + std::string(wrong) + "'] } }\n"), of_wrong);
    EXPECT_THAT(to_string(of_wrong), testing::HasSubstr(std::string(wrong) + " is no subnet"));
  }
}

TEST(StackSettings, ReadsHooksInTheirOrder) {
  Findings findings;
  const auto settings =
      read_stack_settings(parse("hooks:\n  post_deploy: [{ service: notify, deadline: 10m }]\n"
                                "  pre_deploy: [service: migrate, check]\n"),
                          {},
                          findings);
  EXPECT_TRUE(findings.empty()) << to_string(findings);
  ASSERT_EQ(settings.hooks.size(), 3U);
  EXPECT_EQ(settings.hooks[0].service, "notify");
  EXPECT_EQ(settings.hooks[0].deadline, std::chrono::minutes(10));
  EXPECT_EQ(settings.hooks[1].service, "migrate");
  EXPECT_EQ(settings.hooks[1].phase, HookPhase::pre_deploy);
  EXPECT_EQ(settings.hooks[2].service, "check");
  EXPECT_TRUE(read_stack_settings(parse("hooks: {}\n"), {}, findings).hooks.empty());
  EXPECT_TRUE(findings.empty()) << to_string(findings);
}

TEST(StackSettings, TakesDefaultsAndOverridesThem) {
  StackPolicy defaults;
  defaults.prune = false;
  Findings findings;
  const auto settings = read_stack_settings(
      parse("name: proxy\nenabled: false\nsync: manual\ncompose: [a.yml, b.yml]\n"),
      defaults,
      findings);
  EXPECT_TRUE(findings.empty()) << to_string(findings);
  EXPECT_EQ(settings.name, "proxy");
  EXPECT_FALSE(settings.enabled);
  EXPECT_FALSE(settings.policy.prune);
  EXPECT_EQ(settings.policy.sync, SyncMode::manual);
  EXPECT_THAT(settings.compose, ElementsAre("a.yml", "b.yml"));
}

TEST(StackSettings, AllMistakesAreShownAtOnce) {
  Findings findings;
  (void)read_stack_settings(
      parse("enabled: maybe\nsync: sometimes\ntimeout: 5\nname: [x]\n"), {}, findings);
  EXPECT_EQ(findings.size(), 4U) << to_string(findings);
}

TEST(Duration, TakesUnitsAndRefusesTheRest) {
  EXPECT_EQ(parse_duration("1h30m"), std::chrono::minutes(90));
  EXPECT_EQ(parse_duration("250ms"), std::chrono::milliseconds(250));
  for (const auto* wrong : {"", "5", "s", "-5s", "5w", "1s2", "99999999999999s"}) {
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
  }
}

TEST(Dotenv, ReadsPlainQuotedAndExportedValues) {
  Findings findings;
  const auto variables = parse_dotenv(
      "# comment\nA=1\nexport B = two words # note\nC='a # b'\nD=\"x\\ny\"\r\nE=\nF=p#q\n",
      ".env",
      findings);
  EXPECT_TRUE(findings.empty()) << to_string(findings);
  EXPECT_THAT(variables,
              ElementsAre(Pair("A", "1"),
                          Pair("B", "two words"),
                          Pair("C", "a # b"),
                          Pair("D", "x\ny"),
                          Pair("E", ""),
                          Pair("F", "p#q")));
}

TEST(Dotenv, ACommentNeedsABlankBeforeIt) {
  Findings findings;
  const auto variables =
      parse_dotenv("A=#value\nB= #comment\nC = #x\nD=a #x\nE=#a #x\n", ".env", findings);
  EXPECT_TRUE(findings.empty()) << to_string(findings);
  EXPECT_THAT(
      variables,
      ElementsAre(
          Pair("A", "#value"), Pair("B", ""), Pair("C", ""), Pair("D", "a"), Pair("E", "#a")));
}

TEST(Dotenv, WhatDockerComposeWouldExpandIsSaidAndStays) {
  Findings findings;
  const auto variables = parse_dotenv(
      "DOMAIN=example.org\n"
      "A=https://${DOMAIN}\nB=\"x${DOMAIN:-y}\"\nC=$DOMAIN/x\n"
      "D='${DOMAIN}'\nE=\"\\${DOMAIN}\"\nF=pa$$word$1\nG=$DOMAINS\nH=a$\nI=$$DOMAIN\n",
      "apps/x/.env",
      findings);
  EXPECT_EQ(variables.at("A"), "https://${DOMAIN}");
  EXPECT_EQ(variables.at("E"), "${DOMAIN}");
  ASSERT_EQ(findings.size(), 3U) << to_string(findings);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(findings[std::size_t(i)].severity, Finding::Severity::warning);
    EXPECT_EQ(findings[std::size_t(i)].at.line, i + 2);
  }
  EXPECT_NE(findings[0].message.find("A "), std::string::npos);
  EXPECT_EQ(to_string(findings).find("https"), std::string::npos);
}

TEST(Dotenv, MistakesHaveALineAndNoValue) {
  Findings findings;
  (void)parse_dotenv("A=1\nhunter2\nPASS=\"hunter3\n", "apps/x/.env", findings);
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].at.line, 2);
  EXPECT_EQ(to_string(findings).find("hunter"), std::string::npos);
}

TEST(Dotenv, AValueOfSeveralLinesIsOneMistake) {
  Findings findings;
  const auto variables = parse_dotenv(
      "KEY=\"-----BEGIN X\nhunter2\n-----END X\"\nA=1\nB='x\ny'\nbad\n", ".env", findings);
  ASSERT_EQ(findings.size(), 3U) << to_string(findings);
  EXPECT_EQ(findings[0].at.line, 1);
  EXPECT_NE(findings[0].message.find("KEY has more than one line, which is not read here: write it "
                                     "in one, between double quotes, with \\n"),
            std::string::npos)
      << findings[0].message;
  EXPECT_EQ(findings[1].at.line, 5);
  EXPECT_EQ(findings[2].at.line, 7);
  EXPECT_EQ(variables.at("A"), "1");
  EXPECT_EQ(to_string(findings).find("hunter2"), std::string::npos);
  // Where no later line closes it, the quote is what is wrong.
  findings.clear();
  (void)parse_dotenv("A=\"x\nB=1\nC=\"y\"\n", ".env", findings);
  ASSERT_EQ(findings.size(), 1U) << to_string(findings);
  EXPECT_NE(findings[0].message.find("does not end with its quote"), std::string::npos);
}

}  // namespace
}  // namespace skep::repository
