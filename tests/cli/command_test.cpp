#include "cli/command.hpp"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skep::cli {
namespace {

/// Set for the length of a test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

/// A verb with sub-verbs whose flags fill the same fields, as `skep template` is one.
class CommandTest : public testing::TestWithParam<const char*> {
 protected:
  CommandTest() : root_("A program", "program") {
    auto* verb = root_.add_subcommand("verb", "With others below it");
    verb->add_option("--other", other_)->envname("SKEP_TEST_OTHER");
    for (const auto* name : {"first", "second", "third"}) {
      auto* below = verb->add_subcommand(name, "One of them");
      below->add_option("--word", word_)->envname("SKEP_TEST_WORD")->may_be_empty();
      below->add_option("--list", list_)->envname("SKEP_TEST_LIST")->separated_by_commas();
      below->add_flag("--flag", flag_)->envname("SKEP_TEST_FLAG");
      below->callback([this, name] { chosen_ = name; });
    }
  }

  void parse(std::vector<const char*> words) {
    words.insert(words.begin(), "program");
    EXPECT_EQ(root_.parse(static_cast<int>(words.size()), words.data()), std::nullopt);
  }

  Command root_;
  std::string word_ = "default", other_, chosen_;
  std::vector<std::string> list_;
  bool flag_ = false;
};

TEST_P(CommandTest, AFlagWinsOverItsVariableThoughSeveralVerbsShareTheField) {
  const Variable word("SKEP_TEST_WORD", "of the variable");
  parse({"verb", GetParam(), "--word", "of the flag"});
  EXPECT_EQ(word_, "of the flag");
  EXPECT_EQ(chosen_, GetParam());
}
INSTANTIATE_TEST_SUITE_P(Verbs, CommandTest, testing::Values("first", "second", "third"));

TEST_F(CommandTest, AVariableStandsInForAFlagOfTheVerbThatIsChosen) {
  const Variable word("SKEP_TEST_WORD", "of the variable");
  const Variable flag("SKEP_TEST_FLAG", "true");
  parse({"verb", "second"});
  EXPECT_EQ(word_, "of the variable");
  EXPECT_TRUE(flag_);
}

TEST_F(CommandTest, AnEmptyVariableSaysSomethingWhereThatIsAllowed) {
  const Variable word("SKEP_TEST_WORD", "");
  parse({"verb", "second"});
  EXPECT_EQ(word_, "");
}

TEST_F(CommandTest, AFlagWinsOverAnEmptyVariable) {
  const Variable word("SKEP_TEST_WORD", "");
  parse({"verb", "second", "--word", "of the flag"});
  EXPECT_EQ(word_, "of the flag");
}

TEST_F(CommandTest, AVariableHoldsSeveralValuesWithCommas) {
  const Variable list("SKEP_TEST_LIST", "viewer:a=1,operator:b=2");
  parse({"verb", "first"});
  EXPECT_THAT(list_, testing::ElementsAre("viewer:a=1", "operator:b=2"));
}

TEST_F(CommandTest, KnowsItsVariables) {
  const auto* verb = root_.find_subcommand("verb");
  ASSERT_NE(verb, nullptr);
  EXPECT_THAT(verb->find_subcommand("first")->variables(),
              testing::ElementsAre(
                  "SKEP_TEST_WORD", "SKEP_TEST_LIST", "SKEP_TEST_FLAG", "SKEP_TEST_OTHER"));
  EXPECT_THAT(verb->variables(), testing::ElementsAre("SKEP_TEST_OTHER"));
  EXPECT_EQ(root_.find_subcommand("other"), nullptr);
}

TEST_F(CommandTest, AWordThatNothingTakesIsToldWithTheNearestOneThatSomethingDoes) {
  const auto said = [&](std::vector<const char*> words) {
    words.insert(words.begin(), "program");
    testing::internal::CaptureStderr();
    EXPECT_EQ(root_.parse(static_cast<int>(words.size()), words.data()), 1);
    return testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(said({"vreb"}),
            "skep: no command vreb; did you mean verb?\n`program --help` lists them\n");
  EXPECT_THAT(said({"verb", "frist"}),
              testing::HasSubstr("program verb has no command frist; did you mean first?"));
  EXPECT_THAT(said({"verb", "second", "--wrod=x"}),
              testing::HasSubstr("program verb second has no flag --wrod; did you mean --word?"));
  EXPECT_THAT(said({"verb", "second", "--zzz"}),
              testing::HasSubstr("has no flag --zzz\n`program verb second --help` lists them"));
  EXPECT_THAT(said({"verb", "second", "more"}),
              testing::HasSubstr("program verb second has no use for more\n"));
}

TEST_F(CommandTest, HelpIsAVerbAndWhatNothingAsksFor) {
  const auto help = [&](std::vector<const char*> words) {
    words.insert(words.begin(), "program");
    testing::internal::CaptureStdout();
    EXPECT_EQ(root_.parse(static_cast<int>(words.size()), words.data()), 0);
    return testing::internal::GetCapturedStdout();
  };
  EXPECT_THAT(help({}), testing::HasSubstr("With others below it"));
  EXPECT_EQ(help({"help"}), help({"--help"}));
  EXPECT_EQ(help({"help", "verb", "second"}), help({"verb", "second", "--help"}));
}

TEST_F(CommandTest, CompletesTheWordsOfAPositionalAndNamesWhatElseAValueIs) {
  auto* verb = root_.add_subcommand("level", "Words");
  verb->add_option("LEVEL", word_)->one_of({"debug", "info"});
  verb->add_option("--service", other_)->names("SERVICE");
  const auto words = root_.complete({"level", "d"}).words;
  ASSERT_EQ(words.size(), 1U);
  EXPECT_EQ(words[0].text, "debug");
  EXPECT_EQ(root_.complete({"level", "--service", ""}).value, "SERVICE");
  EXPECT_EQ(root_.complete({"level", ""}).value, "LEVEL");
}

TEST_F(CommandTest, TheHelpOfAVerbAndTheHelpOfAllNameVariables) {
  const auto help = [&](const std::vector<const char*>& words) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(root_.parse(static_cast<int>(words.size()), words.data()), 0);
    return testing::internal::GetCapturedStdout();
  };
  EXPECT_THAT(help({"program", "verb", "second", "--help"}),
              testing::HasSubstr("Env:SKEP_TEST_WORD"));
  EXPECT_THAT(help({"program", "--help-all"}), testing::HasSubstr("Env:SKEP_TEST_OTHER"));
}

}  // namespace
}  // namespace skep::cli
