// What an agent may say depends on what it saw itself.
#include <gmock/gmock.h>

#include "tests/notify/notifier_fixture.hpp"

namespace skep::notify::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using NotifierSightTest = NotifierTest;

ports::FetchReport away() {
  ports::FetchReport report;
  report.error = "no route to host";
  return report;
}

TEST_F(NotifierSightTest, AStandbySaysNothingOfGitOrTheSwarm) {
  notifier->standing_by(true);
  for (int i = 0; i < 2; ++i) {
    notifier->fetched(away());
    notifier->observed(false);
    notifier->unreadable("no quorum");
    notifier->status({});
    clock.advance(11min);
    notifier->turn();
  }
  EXPECT_THAT(told(), IsEmpty());
  notifier->fetched(away());
  say({failed("web")});
  EXPECT_THAT(told(), ElementsAre("failed apps/web")) << "what it sees once it is active, it tells";
}

TEST_F(NotifierSightTest, WhoLosesTheLeaseDeliversWhatWaitsAndForgetsTheRest) {
  answer = 0;
  say({failed("web"), well("db")});
  notifier->status({failed("web"), failed("db")});
  notifier->turn();
  notifier->standing_by(true);
  answer = 200;
  clock.advance(11min);
  notifier->turn();
  EXPECT_THAT(told(), ElementsAre("failed apps/web"));
  notifier->status({failed("web"), failed("db")});
  notifier->turn();
  EXPECT_THAT(told(), ElementsAre("failed apps/web")) << "it has to last anew";
  say({failed("web"), failed("db")});
  EXPECT_THAT(told(), ElementsAre("failed apps/web", "failed apps/db"));
}

TEST_F(NotifierSightTest, WhoCannotSeeTheSwarmAtItsStartTakesNoStackForGone) {
  say({failed("web")});
  start();
  notifier->unreadable("no quorum");
  say({});
  say({failed("web")});
  say({well("web")});
  EXPECT_THAT(told(), ElementsAre("failed apps/web", "recovered apps/web"));
}

TEST_F(NotifierSightTest, ARepositoryThatCannotBeReadAsAWholeIsToldWithWhoPushedIt) {
  ports::FetchReport report;
  report.ok = true;
  report.revision = kCommit;
  notifier->fetched(report);
  say({well("web")});
  report.revision = std::string(40, 'b');
  report.author = "Ada <ada@example.com>";
  report.subject = "new network";
  report.unreadable = "skep.yaml:3:1: unknown key netwroks, canary";
  notifier->fetched(report);
  say({well("web")});
  ASSERT_THAT(told(), ElementsAre("broken git"));
  EXPECT_EQ(received.front().at("title"), "git has a commit that cannot be read");
  const auto& story = received.front().at("stacks").at(0);
  EXPECT_EQ(story.at("what"), "skep.yaml:3:1: unknown key netwroks, ***");
  EXPECT_EQ(story.at("author"), "Ada <ada@example.com>");
  EXPECT_EQ(story.at("link"), "https://git.example.com/c/" + report.revision);
  EXPECT_THAT(story.at("remedy"), HasSubstr("skep validate"));
  for (int i = 0; i < 3; ++i) {
    notifier->fetched(report);
    say({well("web")});
  }
  notifier->fetched(away());
  say({well("web")});
  EXPECT_THAT(told(), SizeIs(1)) << "a fetch that fails does not mend it";
  report.revision = std::string(40, 'c');
  report.unreadable.clear();
  notifier->fetched(report);
  say({well("web")});
  EXPECT_THAT(told(), ElementsAre("broken git", "recovered git"));
  EXPECT_EQ(received.back().at("stacks").at(0).at("what"), "it can be read again");
}

TEST_F(NotifierSightTest, OfACommitThatCannotBeReadAsAWholeNoStackIsToldByItself) {
  ports::FetchReport report;
  report.ok = true;
  report.revision = kCommit;
  report.unreadable = "skep.yaml:3:1: unknown key netwroks";
  notifier->fetched(report);
  auto in_git = well("web"), unknown = well("db", "");
  in_git.verdict = unknown.verdict = "broken";
  for (int i = 0; i < 3; ++i) say({in_git, unknown});
  EXPECT_THAT(told(), ElementsAre("broken git"));
  report.revision = std::string(40, 'c');
  report.unreadable.clear();
  notifier->fetched(report);
  say({well("web"), well("db")});
  EXPECT_THAT(told(), ElementsAre("broken git", "recovered git"));
}

}  // namespace
}  // namespace skep::notify::testing
