#include "reconciler/redaction.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/digest.hpp"

namespace skep::reconciler {
namespace {

std::string masked(const Redaction& redaction, std::string text) {
  redaction.mask(text);
  return text;
}

TEST(Redaction, AValueIsMaskedRawEscapedForUrlsAndInBase64) {
  const std::string value = "p/ss\"wörd+1";
  Redaction redaction;
  redaction.add(Secret(value));
  EXPECT_EQ(masked(redaction, "login with " + value + " failed"), "login with *** failed");
  EXPECT_EQ(masked(redaction, R"({"p":"p/ss\"wörd+1"})"), R"({"p":"***"})");
  EXPECT_EQ(masked(redaction, "http://u:p%2Fss%22w%C3%B6rd%2B1@h"), "http://u:***@h");
  EXPECT_EQ(masked(redaction, "auth " + base64(value)).substr(0, 8), "auth ***");
}

TEST(Redaction, ALineEndBelongsToTheFileAndNotToTheValue) {
  Redaction redaction;
  redaction.add(Secret("hunter22\n"));
  EXPECT_EQ(masked(redaction, "hunter22 is wrong"), "*** is wrong");
}

TEST(Redaction, AShortValueSilencesTheWholeSentenceButOnlyAsAWord) {
  Redaction redaction;
  redaction.add(Secret("abc"));
  EXPECT_EQ(masked(redaction, "password abc is wrong"), "***");
  EXPECT_EQ(masked(redaction, "the alphabet abcdef"), "the alphabet abcdef");
}

TEST(Redaction, TheLongerOfTwoValuesIsMaskedWhole) {
  Redaction redaction;
  redaction.add(Secret("secret-1"));
  redaction.add(Secret("secret-1-and-more"));
  EXPECT_EQ(masked(redaction, "it is secret-1-and-more"), "it is ***");
}

TEST(Redaction, AValueThatIsAddedLaterCountsForSentencesThatWereMaskedBefore) {
  Redaction redaction;
  EXPECT_EQ(masked(redaction, "it is hunter22"), "it is hunter22");
  redaction.add(Secret("hunter22"));
  EXPECT_EQ(masked(redaction, "it is hunter22"), "it is ***");
}

TEST(Redaction, OfAStackSecretsAndVariablesNamedLikeCredentialsCount) {
  swarm::StackSpec stack;
  stack.secrets["s"].data = Secret("from-a-file");
  auto& env = stack.services["web"].spec.task_template.container.env;
  env = {"DB_PASSWORD=from-a-variable", "LEVEL=information", "TOKEN", "API_KEY=k"};
  Redaction redaction;
  redaction.add(stack);
  EXPECT_EQ(masked(redaction, "from-a-file from-a-variable information k"),
            "*** *** information k");
}

TEST(Redaction, BothSidesOfADifferenceThatAValueReachesAreHidden) {
  RedactionSet set;
  set.add("new-password");
  set.add("4711");
  diff::Plan plan{.stack = *swarm::StackName::parse("x"),
                  .actions = {},
                  .untouched = {},
                  .notes = {},
                  .desired = {}};
  diff::Action action;
  action.changes = {
      {"environment", "URL", diff::FieldChange::Kind::changed, "old-password", "new-password"},
      {"environment", "PIN", diff::FieldChange::Kind::added, "", "4711"},
      {"environment", "LEVEL", diff::FieldChange::Kind::changed, "info", "debug"},
      {"labels", "note", diff::FieldChange::Kind::changed, "live-value", "***"}};
  plan.actions.push_back(action);
  plan.notes.push_back({diff::Note::Severity::warning, "new-password is bad", {}});
  hide_secrets(plan, [&set](std::string& text) { text = set.mask_field(text); });
  const auto& changes = plan.actions.front().changes;
  EXPECT_EQ(changes[0].before, "***");
  EXPECT_EQ(changes[0].after, "***");
  EXPECT_TRUE(changes[0].secret);
  EXPECT_EQ(changes[1].before, "");
  EXPECT_EQ(changes[1].after, "***");
  EXPECT_EQ(changes[2].after, "debug");
  EXPECT_EQ(changes[3].before, "***") << "a placeholder stands for what is live";
  EXPECT_EQ(plan.notes.front().text, "*** is bad");
}

TEST(Redaction, WhatDependsOnAValueThatWasNotReadIsHidden) {
  using Kind = diff::FieldChange::Kind;
  const auto plan_with = [](std::vector<diff::FieldChange> changes) {
    diff::Plan plan{.stack = *swarm::StackName::parse("x"),
                    .actions = {},
                    .untouched = {},
                    .notes = {},
                    .desired = {}};
    diff::Action action;
    action.name = "x_web";
    action.changes = std::move(changes);
    plan.actions.push_back(std::move(action));
    return plan;
  };
  auto plan = plan_with({{"image", "", Kind::changed, "a:1", "a:2"},
                         {"environment", "PIN", Kind::changed, "99887766", "1"},
                         {"environment", "LEVEL", Kind::changed, "info", "debug"},
                         {"ports", "1:443", Kind::added, "", "1:443"},
                         {"ports", "8443:443", Kind::removed, "8443:443", ""},
                         {"stop_grace_period", "", Kind::changed, "45s", "1s"}});
  hide_unknown(plan,
               plan_with({{"image", "", Kind::changed, "a:1", "a:2"},
                          {"environment", "PIN", Kind::changed, "99887766", "2"},
                          {"environment", "LEVEL", Kind::changed, "info", "debug"},
                          {"ports", "2:443", Kind::added, "", "2:443"},
                          {"ports", "8443:443", Kind::removed, "8443:443", ""}}));
  const auto& changes = plan.actions.front().changes;
  EXPECT_EQ(changes[0].before, "a:1");
  EXPECT_EQ(changes[1].before, "***");
  EXPECT_EQ(changes[1].after, "***");
  EXPECT_EQ(changes[1].item, "PIN");
  EXPECT_EQ(changes[2].before, "info");
  EXPECT_EQ(changes[3].item, "***");
  EXPECT_EQ(changes[4].item, "***") << "which element is the value, nobody can tell";
  EXPECT_EQ(changes[4].before, "***");
  EXPECT_EQ(changes[5].before, "***") << "live happens to be what stands in its place";
}

}  // namespace
}  // namespace skep::reconciler
