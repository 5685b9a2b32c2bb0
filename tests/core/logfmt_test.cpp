#include "core/logfmt.hpp"

#include <gtest/gtest.h>

#include "core/secret.hpp"

namespace skep {
namespace {

TEST(Logfmt, IsASentenceAndFields) {
  EXPECT_EQ(logfmt("plan applied",
                   {{"stack", "proxy"}, {"changes", 3}, {"clean", false}, {"text", "a b"}}),
            "plan applied stack=proxy changes=3 clean=false text=\"a b\"");
}

TEST(Logfmt, QuotesWhatWouldForgeFieldsOrLines) {
  EXPECT_EQ(logfmt("x", {{"a", ""}}), "x a=\"\"");
  EXPECT_EQ(logfmt("x", {{"a", "b\nc=\"d\"\\"}}), "x a=\"b\\nc=\\\"d\\\"\\\\\"");
  EXPECT_EQ(logfmt("x", {{"a", "\x1b[31m"}}), "x a=\"\\x1b[31m\"");
  EXPECT_EQ(logfmt("x", {{"a", "b\x7f"}}), "x a=\"b\\x7f\"");
  EXPECT_EQ(logfmt("x", {{"a", "b\x08"}}), "x a=\"b\\x08\"");
  EXPECT_EQ(logfmt("x", {{"a", "b\vc"}}), "x a=\"b\\x0bc\"");
  EXPECT_EQ(logfmt("x", {{"a", "grün"}}), "x a=grün");
}

TEST(Logfmt, NeverShowsASecret) {
  EXPECT_EQ(logfmt("login", {{"password", Secret("hunter2")}}), "login password=***");
}

TEST(Logfmt, IsTakenApartAgain) {
  const auto line = logfmt("plan applied",
                           {{"stack", "proxy"},
                            {"changes", 3},
                            {"why", "a \"b\" = c\\d\n\x01 e"},
                            {"none", ""},
                            {"umlaut", "ä"}});
  const auto parsed = parse_logfmt(line);
  EXPECT_EQ(logfmt(parsed), line);
  EXPECT_EQ(parsed.sentence, "plan applied");
  EXPECT_EQ(parsed.fields,
            (std::vector<std::pair<std::string, std::string>>{{"stack", "proxy"},
                                                              {"changes", "3"},
                                                              {"why", "a \"b\" = c\\d\n\x01 e"},
                                                              {"none", ""},
                                                              {"umlaut", "ä"}}));
}

TEST(Logfmt, WhatHasNoFieldsIsOneSentence) {
  for (const std::string text : {"swarm is readable",
                                 "",
                                 "a=b",
                                 "x = y",
                                 "ends with=\"an open quote",
                                 "one=1 and more words",
                                 "ends in a backslash=\"\\"}) {
    EXPECT_EQ(parse_logfmt(text), (LogLine{text, {}})) << text;
  }
}

}  // namespace
}  // namespace skep
