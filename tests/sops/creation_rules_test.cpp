#include "sops/creation_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skep::sops {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

const std::string& anna() {
  static const auto key = Identity::generate().recipient().text();
  return key;
}
const std::string& berta() {
  static const auto key = Identity::generate().recipient().text();
  return key;
}

std::string complaint(const std::string& text) {
  const auto rule = creation_rule(text, ".sops.yaml", "apps/web/.env");
  return rule ? std::string("none") : to_string(rule.error());
}

TEST(CreationRules, TheFirstThatIsForThePathIsTaken) {
  const auto text = "creation_rules:\n  - path_regex: ^other/\n    age: " + anna() +
                    "\n  - path_regex: \\.env$\n    age: >-\n      " + anna() + ",\n      " +
                    berta() + "\n    encrypted_regex: ^PASS\n  - age: " + berta() + "\n";
  const auto rule = creation_rule(text, ".sops.yaml", "apps/web/.env");
  ASSERT_TRUE(rule) << to_string(rule.error());
  ASSERT_TRUE(*rule);
  EXPECT_THAT((*rule)->recipients, SizeIs(2));
  EXPECT_EQ((*rule)->rules.kind, Rules::Kind::encrypted_regex);
  EXPECT_EQ((*rule)->rules.text, "^PASS");
  EXPECT_THAT((*creation_rule(text, ".sops.yaml", "x"))->recipients, SizeIs(1));
}

TEST(CreationRules, KeysMayStandInAListOrInOneGroup) {
  const auto text =
      "creation_rules:\n  - key_groups:\n      - age: [" + anna() + ", " + berta() + "]\n";
  const auto rule = creation_rule(text, ".sops.yaml", "x");
  ASSERT_TRUE(rule && *rule);
  EXPECT_THAT((*rule)->recipients, SizeIs(2));
}

TEST(CreationRules, SeveralGroupsHaveAThreshold) {
  const auto text = "creation_rules:\n  - shamir_threshold: 2\n    key_groups:\n      - age: [" +
                    anna() + "]\n      - age: [" + berta() + "]\n      - age: [" + anna() + "]\n";
  const auto rule = creation_rule(text, ".sops.yaml", "x");
  ASSERT_TRUE(rule && *rule) << to_string(rule.error());
  EXPECT_THAT((*rule)->groups, SizeIs(3));
  EXPECT_THAT((*rule)->recipients, SizeIs(0));
  EXPECT_EQ((*rule)->threshold, 2U);
}

TEST(CreationRules, NoneIsNoError) {
  EXPECT_FALSE(*creation_rule("", "f", "x"));
  EXPECT_FALSE(*creation_rule("stores: {}\n", "f", "x"));
  EXPECT_FALSE(*creation_rule("creation_rules: [{path_regex: y, pgp: F}]\n", "f", "x"));
}

TEST(CreationRules, WhatSkepCannotDoIsSaidWithItsPlace) {
  EXPECT_THAT(complaint("creation_rules:\n  - pgp: ABC\n"),
              HasSubstr(".sops.yaml:2:10: pgp: skep"));
  EXPECT_THAT(complaint("creation_rules:\n  - age: age1x\n"), HasSubstr("no age key"));
  EXPECT_THAT(complaint("creation_rules:\n  - path_regex: (\n"), HasSubstr("path_regex"));
  EXPECT_THAT(complaint("creation_rules: 5\n"), HasSubstr("must be a list"));
  EXPECT_THAT(complaint("creation_rules:\n  - key_groups: [{age: []}, {age: []}]\n"),
              HasSubstr("no age key"));
  EXPECT_THAT(complaint("creation_rules:\n  - key_groups: [{age: " + anna() +
                        "}, {age: " + berta() + "}]\n    shamir_threshold: 3\n"),
              HasSubstr(".sops.yaml:3:23: shamir_threshold: must be from 2 to"));
  EXPECT_THAT(complaint("creation_rules:\n  - encrypted_regex: a\n    encrypted_suffix: b\n"),
              HasSubstr("only one of"));
  EXPECT_THAT(complaint("creation_rules:\n  - encrypted_comment_regex: (\n"),
              HasSubstr("encrypted_comment_regex"));
}

}  // namespace
}  // namespace skep::sops
