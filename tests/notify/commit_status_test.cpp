#include "notify/commit_status.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/notify/fixture.hpp"

namespace skep::notify::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kOlder = "fedcba9876543210fedcba9876543210fedcba98";

ports::StackStatus to_do(const std::string& name) {
  auto stack = well(name);
  stack.sync = ports::SyncState::out_of_sync;
  stack.applied_revision = kOlder;
  stack.drift_cause = ports::DriftCause::pending;
  stack.verdict = "apply";
  return stack;
}

/// What git wants is not there, for `verdict` and `message`.
ports::StackStatus not_there(const std::string& verdict, const std::string& message) {
  auto stack = to_do("web");
  stack.verdict = verdict;
  stack.message = message;
  stack.held = verdict == "held";
  return stack;
}

struct Case {
  std::string name;
  ports::StackStatus stack;
  CommitState state;
  bool concerned;
  std::string words;
};

std::vector<Case> cases() {
  using enum CommitState;
  auto rolling = to_do("web");
  rolling.verdict = "nothing";
  rolling.sync = ports::SyncState::synced;
  rolling.applied_revision = kCommit;
  rolling.healthy_revision = kOlder;
  rolling.health = ports::Health::progressing;
  rolling.operation.emplace();
  auto untouched = well("web");
  untouched.applied_revision = untouched.healthy_revision = kOlder;
  auto ill = untouched;
  ill.health = ports::Health::degraded;
  auto edited = well("web");
  edited.healthy_revision = kCommit;
  edited.sync = ports::SyncState::out_of_sync;
  edited.drift_cause = ports::DriftCause::live;
  edited.verdict = "reported";
  edited.message = "was edited by hand";
  auto quarantined = not_there("held", "rolled back to fedcba987654, for 0123456789ab failed");
  quarantined.quarantined = true;
  auto going_back = not_there("apply", "is being rolled back to fedcba987654");
  going_back.quarantined = true;
  going_back.operation.emplace();
  auto suspended = not_there("reported", "suspended by ada: incident");
  suspended.suspended = true;
  auto suspended_well = well("web");
  suspended_well.suspended = true;
  suspended_well.verdict = "suspended";
  auto broken = not_there("broken", "docker-compose.yml:2:3: services must be a mapping");
  broken.sync = ports::SyncState::unknown;
  auto away = well("web");
  away.sync = ports::SyncState::unknown;
  away.health = ports::Health::unknown;
  away.message = "the swarm could not be read";
  return {
      {"deployed", well("web"), success, true, "runs as this commit says"},
      {"untouched", untouched, success, false, "runs as this commit says"},
      {"on_its_way", to_do("web"), CommitState::pending, true, "is being deployed"},
      {"rolling_out", rolling, CommitState::pending, true, "is not healthy yet"},
      {"failed", failed("web"), failure, true, "service app did not become healthy within 60s"},
      {"fell_ill_long_after", ill, success, false, "runs as this commit says"},
      {"edited_by_hand_afterwards", edited, success, true, "runs as this commit says"},
      {"rolled_back", quarantined, failure, true, quarantined.message},
      {"on_its_way_back", going_back, failure, true, going_back.message},
      {"unreadable", broken, failure, true, broken.message},
      {"blocked",
       not_there("blocked", "network x is missing"),
       failure,
       true,
       "network x is missing"},
      {"held", not_there("held", "read skep plan web"), left, true, "read skep plan web"},
      {"manual", not_there("reported", "sync: manual waits"), left, true, "sync: manual waits"},
      {"suspended", suspended, left, true, suspended.message},
      {"suspended_but_as_git_says", suspended_well, success, true, "runs as this commit says"},
      {"swarm_away", away, CommitState::pending, true, away.message},
      {"waits",
       not_there("wait", "closed until Monday"),
       CommitState::pending,
       true,
       "closed until Monday"},
  };
}

class Verdict : public ::testing::TestWithParam<Case> {};

TEST_P(Verdict, IsWhatTheStackCameTo) {
  const auto verdict = verdict_of(GetParam().stack);
  EXPECT_EQ(to_string(verdict.state), to_string(GetParam().state));
  EXPECT_EQ(verdict.concerned, GetParam().concerned);
  EXPECT_EQ(verdict.words, GetParam().words);
  EXPECT_EQ(verdict.stack, "apps/web");
}

INSTANTIATE_TEST_SUITE_P(Stacks, Verdict, ::testing::ValuesIn(cases()), [](const auto& row) {
  return row.param.name;
});

StackVerdict verdict(const std::string& stack, CommitState state, bool concerned = true) {
  StackVerdict made;
  made.stack = stack;
  made.state = state;
  made.words = "its words";
  made.concerned = concerned;
  return made;
}

TEST(CommitStatuses, TheOneOfAllTellsTheWorstAndEachChangedStackHasItsOwn) {
  const auto statuses = statuses_of({verdict("apps/a", CommitState::success),
                                     verdict("apps/b", CommitState::success, false),
                                     verdict("apps/c", CommitState::pending),
                                     verdict("apps/d", CommitState::failure)},
                                    "skep",
                                    30,
                                    false);
  ASSERT_THAT(statuses, SizeIs(4));
  EXPECT_EQ(statuses.at(0), (CommitStatus{"skep", CommitState::failure, "apps/d: its words", ""}));
  EXPECT_EQ(statuses.at(1).context, "skep/apps/a");
  EXPECT_EQ(statuses.at(2).context, "skep/apps/c");
  EXPECT_EQ(statuses.at(3),
            (CommitStatus{"skep/apps/d", CommitState::failure, "its words", "apps/d"}));
}

TEST(CommitStatuses, ACommitThatChangesNothingSucceedsAtOnceAndAlone) {
  const auto statuses =
      statuses_of({verdict("apps/a", CommitState::success, false)}, "skep", 30, false);
  ASSERT_THAT(statuses, SizeIs(1));
  EXPECT_EQ(statuses.front().state, CommitState::success);
  EXPECT_EQ(statuses.front().words, "nothing to change; 1 stack as git says");
  EXPECT_EQ(statuses_of({}, "skep", 30, false).front().state, CommitState::success);
}

TEST(CommitStatuses, WhereNothingMovesNothingStaysPending) {
  auto waiting = verdict("apps/a", CommitState::pending);
  auto ill = verdict("apps/b", CommitState::pending);
  ill.otherwise = CommitState::failure;
  for (const auto& status : statuses_of({waiting, ill}, "skep", 30, true))
    EXPECT_NE(status.state, CommitState::pending) << status.context;
  EXPECT_EQ(statuses_of({waiting}, "skep", 30, true).front().state, CommitState::left);
  EXPECT_EQ(statuses_of({ill}, "skep", 30, true).front().state, CommitState::failure);
}

TEST(CommitStatuses, OfVeryManyStacksOnlyThoseThatFailHaveTheirOwn) {
  std::vector<StackVerdict> stacks;
  for (int i = 0; i < 100; ++i)
    stacks.push_back(verdict("apps/s" + std::to_string(i), CommitState::pending));
  stacks.push_back(verdict("apps/bad", CommitState::failure));
  const auto statuses = statuses_of(stacks, "skep", 30, false);
  ASSERT_THAT(statuses, SizeIs(2));
  EXPECT_EQ(statuses.at(1).context, "skep/apps/bad");
}

TEST(CommitStatuses, AStackThatIsPendingNamesUpToFiveOfItsKind) {
  std::vector<StackVerdict> stacks;
  for (int i = 0; i < 7; ++i)
    stacks.push_back(verdict("apps/s" + std::to_string(i), CommitState::pending));
  EXPECT_EQ(statuses_of(stacks, "skep", 0, false).front().words,
            "7 stacks are on their way: apps/s0, apps/s1, apps/s2, apps/s3, apps/s4 and 2 more");
}

TEST(CommitStatusWords, AreCutBetweenCharactersAndStandOnOneLine) {
  EXPECT_EQ(one_line("  two\r\n lines\tand\x1b[31m colour "), "two lines and [31m colour");
  EXPECT_EQ(at_most("zażółć gęślą", 6), "zażół…");
  EXPECT_EQ(at_most("zażółć", 6), "zażółć");
  EXPECT_EQ(at_most("🐝🐝🐝", 2), "🐝…");
  EXPECT_EQ(at_most("a\xff\xc3", 5), "a��") << "no host takes what is no UTF-8";
  EXPECT_EQ(at_most("\xed\xa0\x80", 5), "���") << "a surrogate";
  EXPECT_THAT(at_most("", 5), IsEmpty());
}

}  // namespace
}  // namespace skep::notify::testing
