#include "core/redaction.hpp"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/digest.hpp"

namespace skep {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Redaction, AValueIsMaskedWhereverItStands) {
  RedactionSet set;
  set.add("correct-horse");
  EXPECT_EQ(set.mask("a=correct-horse b=xcorrect-horsey"), "a=*** b=x***y");
  EXPECT_EQ(set.mask("nothing here"), "nothing here");
  EXPECT_EQ(set.mask("correct-hors"), "correct-hors");
}

TEST(Redaction, EveryFormOfAValueIsMasked) {
  const std::string value = "p\"a s/s?\\w+\xc3\xa4'<&>\tx";
  RedactionSet set;
  set.add(value);
  for (const auto& form : {std::string("p\\\"a s/s?\\\\w+\xc3\xa4'<&>\\tx"),
                           std::string("p\\\"a s/s?\\\\w+\xc3\xa4'\\u003c\\u0026\\u003e\\tx"),
                           std::string("p\"a s/s?\\w+\xc3\xa4''<&>\tx"),
                           std::string("p%22a%20s%2Fs%3F%5Cw%2B%C3%A4%27%3C%26%3E%09x"),
                           std::string("p%22a%20s%2fs%3f%5cw%2b%c3%a4%27%3c%26%3e%09x"),
                           std::string("p%22a+s%2Fs%3F%5Cw%2B%C3%A4%27%3C%26%3E%09x"),
                           base64(value),
                           base64url(value),
                           base64("user:" + value),
                           base64("users:" + value + "@host"),
                           base64("usersX:" + value + "\n")}) {
    const auto masked = set.mask("<" + form + ">");
    EXPECT_THAT(masked, HasSubstr("***")) << form;
    EXPECT_LT(masked.size(), 24U) << form << " → " << masked;
  }
}

TEST(Redaction, SoIsWhatTheEscapesOfYamlAndGoMakeOfIt) {
  const std::string value = "za\xc5\xbc\a1\x1b\x02\xf0\x9f\x90\xa2\xc2\x85z";
  RedactionSet set;
  set.add(value);
  for (const auto* form : {"za\xc5\xbc\\a1\\e\\x02\\U0001F422\\Nz",
                           "za\xc5\xbc\\a1\\x1b\\x02\xf0\x9f\x90\xa2\xc2\x85z",
                           "za\\u017c\\u00071\\u001b\\u0002\\ud83d\\udc22\\u0085z"})
    EXPECT_EQ(set.mask(form), "***") << form;
  set.add("form\ffeed\b");
  EXPECT_EQ(set.mask("form\\ffeed\\b"), "***");
}

TEST(Redaction, OfOverlappingValuesNothingIsLeft) {
  RedactionSet set;
  set.add("abcdefgh");
  set.add("efghijkl");
  set.add("abcdefghijklmnop");
  EXPECT_EQ(set.mask("-abcdefghijkl-"), "-***-");
  EXPECT_EQ(set.mask("-abcdefghijklmnop-"), "-***-");
}

TEST(Redaction, EachLineOfAKeyIsMasked) {
  RedactionSet set;
  set.add("-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\n  c2VjcmV0\n-----END KEY-----\n");
  EXPECT_EQ(set.mask("failed at MIIEvQIBADANBgkqhkiG: c2VjcmV0."), "failed at ***: ***.");
}

TEST(Redaction, ShortValuesMaskTheWholeFieldThatTheyReach) {
  RedactionSet set;
  set.add("pin7");
  EXPECT_EQ(set.mask_field("PIN=pin7"), "***");
  EXPECT_EQ(set.mask_field("spinning pin70"), "spinning pin70");
  EXPECT_EQ(set.mask("pin7 in a longer text"), "pin7 in a longer text");
  EXPECT_TRUE(set.reveals("x pin7"));
}

TEST(Redaction, OneOrTwoBytesCountOnlyWhereTheyAreAllOfAField) {
  RedactionSet set;
  set.add("1");
  EXPECT_EQ(set.mask_field("1"), "***");
  EXPECT_EQ(set.mask_field("WORKERS=1"), "***");
  EXPECT_EQ(set.mask_field("1 of 2 tasks run"), "1 of 2 tasks run");
}

TEST(Redaction, NumbersOutsideOfQuotesAreNoValuesOfMetrics) {
  RedactionSet set;
  set.add("123456");
  EXPECT_EQ(set.mask_quoted("a{b=\"x123456\",c=\"\\\"123456\"} 123456\n"),
            "a{b=\"x***\",c=\"\\\"***\"} 123456\n");
}

TEST(Redaction, JsonStaysJson) {
  RedactionSet set;
  set.add("123456");
  EXPECT_EQ(set.mask(R"({"a": 123456, "b": "123456", "c": [123456]})"),
            R"({"a": 0, "b": "***", "c": [0]})");
}

TEST(Redaction, BlanksAroundAValueAreNoPartOfIt) {
  RedactionSet set;
  set.add("  secret-value\n");
  EXPECT_EQ(set.mask("secret-value"), "***");
  EXPECT_THAT(set.mask(base64("  secret-value\n")), Not(HasSubstr("c2VjcmV0")));
  set.add("   ");
  EXPECT_EQ(set.mask("   "), "   ");
}

TEST(Redaction, AThousandValuesCostOnePass) {
  RedactionSet set;
  for (int i = 0; i < 5'000; ++i) set.add("password-number-" + std::to_string(i * 7919));
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "a line of a log that holds nothing of interest\n";
  text += "password-number-7919";
  const auto masked = set.mask(text);
  EXPECT_TRUE(masked.ends_with("\n***"));
}

TEST(Redaction, ServesSeveralThreads) {
  RedactionSet set;
  std::thread writer([&set] {
    for (int i = 0; i < 500; ++i) set.add("password-number-" + std::to_string(i));
  });
  for (int i = 0; i < 500; ++i) (void)set.mask("x password-number-1 y");
  writer.join();
  EXPECT_EQ(set.mask("password-number-499"), "***");
}

}  // namespace
}  // namespace skep
