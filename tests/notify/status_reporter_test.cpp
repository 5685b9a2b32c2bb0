#include "notify/status_reporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/notify/status_reporter_fixture.hpp"

namespace skep::notify::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST_F(StatusReporterTest, ADeploymentIsPendingAndThenSucceeds) {
  for (int i = 0; i < 3; ++i) say({rolling("web"), well("db")});
  for (int i = 0; i < 3; ++i) say({well("web"), well("db")});
  EXPECT_THAT(history,
              ElementsAre("01 skep/apps/db success",
                          "01 skep pending",
                          "01 skep/apps/web pending",
                          "01 skep success",
                          "01 skep/apps/web success"));
  EXPECT_EQ(reporter->waiting(), 0U);
  EXPECT_EQ(counts["gitea sent"], 5);
}

TEST_F(StatusReporterTest, WhatIsOverInAMomentIsNeverPending) {
  reporter->status({rolling("web")});
  reporter->turn();
  clock.advance(1s);
  say({well("web")});
  EXPECT_THAT(history, ElementsAre("01 skep success", "01 skep/apps/web success"));
}

TEST_F(StatusReporterTest, AFailureIsAnEndAndItsMendingIsToldLater) {
  say({rolling("web")});
  say({failed("web")});
  EXPECT_EQ(beside[kCommit]["skep"], "failure");
  EXPECT_EQ(words[kCommit + " skep/apps/web"], "service app did not become healthy within 60s");
  say({rolling("web")});
  EXPECT_EQ(beside[kCommit]["skep"], "failure") << "a retry is no news";
  clock.advance(1min);
  say({well("web")});
  EXPECT_EQ(beside[kCommit]["skep"], "success");
  EXPECT_EQ(beside[kCommit]["skep/apps/web"], "success");
}

TEST_F(StatusReporterTest, AStackThatGoesUpAndDownCallsOnceAMinuteAtMost) {
  for (int i = 0; i < 20; ++i) {
    say({failed("web")});
    say({well("web")});
  }
  EXPECT_LE(calls, 2 * 4) << "two minutes, two statuses";
}

TEST_F(StatusReporterTest, ANewerCommitEndsTheOlderOne) {
  say({rolling("web")});
  EXPECT_EQ(beside[kCommit]["skep"], "pending");
  say({rolling("web", kNext)});
  EXPECT_EQ(beside[kCommit]["skep"], "warning");
  EXPECT_EQ(beside[kCommit]["skep/apps/web"], "warning");
  EXPECT_EQ(words[kCommit + " skep"], "superseded by fedcba987654 before it was carried out");
  say({well("web", kNext)});
  EXPECT_EQ(beside[kNext]["skep"], "success");
  EXPECT_EQ(beside[kCommit]["skep"], "warning");
}

TEST_F(StatusReporterTest, ACommitThatSucceededJustBeforeTheNextOneIsNoneThatWasSuperseded) {
  reporter->status({rolling("web")});
  reporter->turn();
  reporter->status({well("web")});
  reporter->status({rolling("web", kNext)});
  reporter->turn();
  EXPECT_EQ(beside[kCommit]["skep"], "success");
  EXPECT_EQ(beside[kCommit]["skep/apps/web"], "success");
}

TEST_F(StatusReporterTest, KilledBetweenTheNextProcessEndsWhatWasBegun) {
  say({rolling("web")});
  answer = 0;
  say({failed("web")});
  start();  // Another process: it knows only the file.
  answer = 201;
  clock.advance(1min);
  say({failed("web")});
  EXPECT_EQ(beside[kCommit]["skep"], "failure") << "what was not told before is told now";
  say({rolling("web", kNext)});
  start();
  const std::string third(40, 'a');
  clock.advance(1min);
  say({well("web", third)});
  EXPECT_EQ(beside[kNext]["skep"], "warning") << "it was pending when the process ended";
  EXPECT_EQ(beside[third]["skep"], "success");
  EXPECT_EQ(reporter->waiting(), 0U);
}

TEST_F(StatusReporterTest, WhereNothingMovesTheWaitEndsWithItsReason) {
  say({waiting("web")});
  EXPECT_EQ(beside[kCommit]["skep/apps/web"], "pending");
  clock.advance(2min);
  say({waiting("web")});
  EXPECT_EQ(beside[kCommit]["skep/apps/web"], "warning");
  EXPECT_THAT(words[kCommit + " skep/apps/web"], HasSubstr("closed until Monday"));
  clock.advance(1min);
  say({rolling("web")});
  EXPECT_EQ(beside[kCommit]["skep/apps/web"], "pending") << "the window opened";
  say({well("web")});
  clock.advance(1min);
  say({well("web")});
  EXPECT_EQ(beside[kCommit]["skep/apps/web"], "success");
}

TEST_F(StatusReporterTest, ALongRolloutIsNoStandstill) {
  say({rolling("web")});
  clock.advance(1h);
  say({rolling("web"), waiting("db")});
  EXPECT_EQ(beside[kCommit]["skep"], "pending");
  EXPECT_EQ(beside[kCommit]["skep/apps/db"], "pending");
}

TEST_F(StatusReporterTest, HeldAndManualStacksReachAnEndAtOnce) {
  auto held = waiting("a"), manual = waiting("b");
  held.held = true;
  held.verdict = "held";
  manual.verdict = "reported";
  manual.message = "sync: manual waits for `skep sync b`";
  say({held, manual, well("c", kCommit)});
  EXPECT_EQ(beside[kCommit]["skep/apps/a"], "warning");
  EXPECT_EQ(beside[kCommit]["skep/apps/b"], "warning");
  EXPECT_EQ(beside[kCommit]["skep/apps/c"], "success");
  EXPECT_EQ(beside[kCommit]["skep"], "warning");
}

TEST_F(StatusReporterTest, ASwarmThatIsAwayLeavesNothingPending) {
  say({rolling("web")});
  auto away = rolling("web");
  away.sync = ports::SyncState::unknown;
  away.health = ports::Health::unknown;
  away.operation.reset();
  away.message = "the swarm could not be read";
  say({away});
  EXPECT_EQ(beside[kCommit]["skep"], "pending");
  clock.advance(2min);
  say({away});
  EXPECT_EQ(beside[kCommit]["skep"], "warning");
  EXPECT_EQ(beside[kCommit]["skep/apps/web"], "warning");
}

TEST_F(StatusReporterTest, ASuccessStandsWhateverIsEditedLater) {
  say({well("web")});
  auto edited = well("web");
  edited.healthy_revision = kCommit;
  edited.sync = ports::SyncState::out_of_sync;
  edited.drift_cause = ports::DriftCause::live;
  edited.verdict = "reported";
  edited.suspended = true;
  clock.advance(1h);
  say({edited});
  EXPECT_EQ(beside[kCommit]["skep"], "success");
  EXPECT_EQ(calls, 2);
}

TEST_F(StatusReporterTest, ARepositoryThatCannotBeReadFailsItsCommit) {
  say({well("web")});
  ports::FetchReport report;
  report.ok = true;
  report.revision = kNext;
  report.unreadable = "skep.yaml:3:1: unknown key netwroks";
  reporter->fetched(report);
  say({well("web")});
  EXPECT_EQ(beside[kNext]["skep"], "failure");
  EXPECT_THAT(words[kNext + " skep"], HasSubstr("netwroks"));
  const std::string third(40, 'a');
  report.revision = third;
  report.unreadable.clear();
  reporter->fetched(report);
  clock.advance(1min);
  say({well("web", third)});
  EXPECT_EQ(beside[third]["skep"], "success");
}

TEST_F(StatusReporterTest, ALimitIsWaitedForWithoutASingleCall) {
  answer = 429;
  retry_after = 100s;
  say({failed("web")});
  EXPECT_EQ(calls, 1);
  for (int i = 0; i < 30; ++i) say({failed("web")});
  EXPECT_EQ(calls, 1);
  answer = 201;
  clock.advance(11s);
  reporter->turn();
  EXPECT_EQ(beside[kCommit]["skep"], "failure");
  EXPECT_THAT(logged.str(), Not(HasSubstr("canary")));
}

TEST_F(StatusReporterTest, AHostThatIsAwayIsAskedMoreAndMoreSeldomAndThenGivenUp) {
  answer = 503;
  for (int i = 0; i < 200; ++i) say({failed("web")});
  EXPECT_LE(calls, 12) << "ten minutes";
  clock.advance(24h);
  reporter->turn();
  clock.advance(1h);
  reporter->turn();
  EXPECT_EQ(reporter->waiting(), 0U);
  EXPECT_EQ(counts["gitea dropped"], 2);
}

TEST_F(StatusReporterTest, WhatAHostNeverTakesIsGivenUpAndOthersAreTold) {
  answer = 422;
  say({failed("web")});
  for (int i = 0; i < 10; ++i) {
    clock.advance(10min);
    reporter->turn();
  }
  EXPECT_EQ(reporter->waiting(), 0U);
  EXPECT_EQ(counts["gitea dropped"], 2);
  answer = 201;
  say({well("web", kNext)});
  EXPECT_EQ(beside[kNext]["skep"], "success");
}

TEST_F(StatusReporterTest, AFleetIsToldSlowlyEnoughForAHostThatCounts) {
  std::vector<ports::StackStatus> stacks;
  for (int i = 0; i < 28; ++i) stacks.push_back(failed("s" + std::to_string(i)));
  reporter->status(stacks);
  reporter->turn();
  EXPECT_EQ(calls, 20);
  EXPECT_EQ(beside[kCommit]["skep"], "failure") << "the one of all comes first";
  clock.advance(60s);
  reporter->turn();
  EXPECT_EQ(calls, 29);
}

TEST_F(StatusReporterTest, SecretsAndLineEndsStayOut) {
  auto broken = failed("web");
  broken.message = "password canary is\nwrong";
  say({broken});
  EXPECT_EQ(words[kCommit + " skep/apps/web"], "password *** is wrong");
}

TEST_F(StatusReporterTest, OneForAllIsEnoughWhereThatIsWanted) {
  start(false);
  say({failed("web")});
  EXPECT_THAT(history, ElementsAre("01 skep failure"));
}

TEST_F(StatusReporterTest, WhatIsNoCommitHasNoStatus) {
  say({well("web", "work tree")});
  EXPECT_EQ(calls, 0);
}

TEST_F(StatusReporterTest, ARemovalThatWasCarriedOutIsASuccessAndAChange) {
  auto leaving = waiting("old", "");
  leaving.message.clear();
  say({well("web", kNext), well("old", kNext)});
  say({well("web"), leaving});
  EXPECT_EQ(beside[kCommit]["skep/apps/old"], "pending");
  ports::SyncReport removal;
  removal.stack = "apps/old";
  removal.result = "success";
  removal.removal = true;
  removal.revision_to = kCommit;
  reporter->synced(removal);
  say({well("web")});
  EXPECT_EQ(beside[kCommit]["skep/apps/old"], "success");
  EXPECT_EQ(words[kCommit + " skep/apps/old"], "removed");
  EXPECT_EQ(words[kCommit + " skep"], "2 stacks changed, 1 stack as git says");
  say({well("web")});
  clock.advance(10min);
  say({well("web")});
  EXPECT_EQ(words[kCommit + " skep"], "2 stacks changed, 1 stack as git says");
  const std::string third(40, 'a');
  auto as_before = well("web", third);
  as_before.applied_revision = kCommit;
  say({as_before});
  EXPECT_THAT(beside[third], SizeIs(1)) << "the next commit did not remove it";
}

TEST_F(StatusReporterTest, ASwarmThatIsAwayDuringARolloutDoesNotTakeTheStackOutOfGit) {
  say({waiting("web")});
  EXPECT_EQ(beside[kCommit]["skep/apps/web"], "pending");
  auto away = waiting("web");
  away.sync = ports::SyncState::unknown;
  away.health = ports::Health::unknown;
  away.message = "the swarm could not be read";
  say({away});
  clock.advance(2min);
  say({away});
  EXPECT_EQ(words[kCommit + " skep/apps/web"], "the swarm could not be read");
  say({well("web")});
  clock.advance(1min);
  say({well("web")});
  EXPECT_EQ(beside[kCommit]["skep/apps/web"], "success");
}

TEST_F(StatusReporterTest, ACommitThatCannotBeReadAsAWholeAndTheOneThatMendsItHaveOneStatusEach) {
  say({well("web"), well("db")});
  auto web = well("web", kNext), db = well("db", kNext);
  for (auto* stack : {&web, &db}) {
    stack->applied_revision = kCommit;
    stack->verdict = "broken";
    stack->sync = ports::SyncState::unknown;
    stack->message = "skep.yaml:3:1: unknown key netwroks";
  }
  ports::FetchReport report;
  report.ok = true;
  report.revision = kNext;
  report.unreadable = "skep.yaml:3:1: unknown key netwroks";
  for (int i = 0; i < 3; ++i) {
    reporter->fetched(report);
    say({web, db});
  }
  EXPECT_EQ(beside[kNext]["skep"], "failure");
  EXPECT_EQ(words[kNext + " skep"], "skep.yaml:3:1: unknown key netwroks");
  EXPECT_THAT(beside[kNext], SizeIs(1));
  const std::string third(40, 'a');
  report.revision = third;
  report.unreadable.clear();
  reporter->fetched(report);
  for (auto* stack : {&web, &db}) *stack = well(stack->name, kCommit);
  web.target_revision = db.target_revision = third;
  say({web, db});
  EXPECT_EQ(beside[third]["skep"], "success");
}

TEST_F(StatusReporterTest, WhatIsSuspendedAndRunsAsGitSaysSaysBoth) {
  auto suspended = well("web");
  suspended.suspended = true;
  suspended.verdict = "suspended";
  suspended.message = "suspended by ada: \xE2\x80\xAEnight\xC2\x9B";
  say({suspended});
  EXPECT_EQ(beside[kCommit]["skep/apps/web"], "success");
  EXPECT_EQ(words[kCommit + " skep/apps/web"], "runs as this commit says; suspended by ada: night");
}

TEST_F(StatusReporterTest, AStackThatLeavesGitEndsToo) {
  say({rolling("web"), rolling("old")});
  EXPECT_EQ(beside[kCommit]["skep/apps/old"], "pending");
  say({rolling("web")});
  EXPECT_EQ(beside[kCommit]["skep/apps/old"], "warning");
}

}  // namespace
}  // namespace skep::notify::testing
