// Only the agent that really looked says anything beside a commit.
#include <gmock/gmock.h>

#include "tests/notify/status_reporter_fixture.hpp"

namespace skep::notify::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StatusSightTest : public StatusReporterTest {
 protected:
  void fetch(const std::string& commit, const std::string& unreadable = {}) {
    ports::FetchReport report;
    report.ok = true;
    report.revision = commit;
    report.unreadable = unreadable;
    reporter->fetched(report);
  }
};

TEST_F(StatusSightTest, AStandbySaysNothing) {
  fetch(kCommit);
  reporter->standing_by(true);
  fetch(kCommit);
  pass();
  fetch(kNext, "skep.yaml:3:1: unknown key netwroks");
  reporter->unreadable("no quorum");
  reporter->status({});
  pass();
  EXPECT_THAT(history, IsEmpty());
  EXPECT_EQ(reporter->waiting(), 0U);
  say({failed("web")});
  EXPECT_EQ(beside[kCommit]["skep"], "failure") << "once it is active it says what it sees";
}

TEST_F(StatusSightTest, WhatWasFetchedIsNoSuccessBeforeAnybodyLooked) {
  fetch(kCommit);
  pass();
  say({rolling("web")});
  EXPECT_EQ(beside[kCommit]["skep"], "pending");
}

TEST_F(StatusSightTest, WhoCannotSeeTheSwarmSaysNothing) {
  for (int i = 0; i < 3; ++i) {
    fetch(kCommit);
    reporter->unreadable("no quorum");
    reporter->status({});
    pass();
  }
  EXPECT_THAT(history, IsEmpty());
}

TEST_F(StatusSightTest, WhoLostTheLeaseSaysNoMore) {
  say({rolling("web"), failed("db")});
  const auto said = history;
  reporter->status({well("web"), failed("db")});
  reporter->standing_by(true);
  pass();
  EXPECT_EQ(history, said);
  say({rolling("web")});
  EXPECT_EQ(beside[kCommit]["skep/apps/web"], "pending") << "how long it stood still counts anew";
  say({well("web")});
  EXPECT_EQ(beside[kCommit]["skep/apps/web"], "success");
}

TEST_F(StatusSightTest, WhatAnotherAgentSaidMeanwhileIsPutRight) {
  say({failed("web")});
  reporter->standing_by(true);
  pass();
  beside[kCommit]["skep"] = "success";
  say({failed("web")});
  EXPECT_EQ(beside[kCommit]["skep"], "failure");
  say({well("web")});
  pass();
  reporter->standing_by(true);
  pass();
  beside[kCommit]["skep"] = "failure";
  say({rolling("web")});
  EXPECT_EQ(beside[kCommit]["skep"], "pending");
}

TEST_F(StatusSightTest, ARepositoryWithoutStacksIsCarriedOutWhenTurnsSaySo) {
  fetch(kCommit);
  say({});
  EXPECT_THAT(history, IsEmpty()) << "the turn may be of the commit before";
  say({});
  EXPECT_THAT(history, ElementsAre("01 skep success"));
  fetch(kNext);
  say({});
  EXPECT_THAT(history, ElementsAre("01 skep success"));
  say({rolling("web", kNext)});
  EXPECT_EQ(beside[kNext]["skep"], "pending");
}

TEST_F(StatusSightTest, WithoutStacksACommitThatCannotBeReadIsNoSuccess) {
  fetch(kCommit);
  say({});
  say({});
  fetch(kNext, "skep.yaml:3:1: unknown key netwroks");
  for (int i = 0; i < 3; ++i) say({});
  EXPECT_EQ(beside[kNext]["skep"], "failure");
}

TEST_F(StatusSightTest, ACommitThatCannotBeReadIsToldBeforeTheFirstLook) {
  fetch(kCommit, "skep.yaml:3:1: unknown key netwroks");
  pass();
  EXPECT_THAT(history, ElementsAre("01 skep failure"));
}

TEST_F(StatusSightTest, WhatAnEarlierLifeLeftWaitsUntilThisOneLooked) {
  say({rolling("web")});
  answer = 0;
  say({failed("web")});
  start();
  answer = 201;
  history.clear();
  fetch(kNext, "skep.yaml:3:1: unknown key netwroks");
  pass();
  EXPECT_THAT(history, ElementsAre("fe skep failure"));
  start();
  reporter->standing_by(true);
  pass();
  EXPECT_THAT(history, ElementsAre("fe skep failure"));
  say({failed("web")});
  EXPECT_EQ(beside[kCommit]["skep"], "failure");
}

}  // namespace
}  // namespace skep::notify::testing
