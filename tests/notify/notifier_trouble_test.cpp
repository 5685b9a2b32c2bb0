// A clock that is set back.
#include <gmock/gmock.h>

#include "tests/notify/notifier_fixture.hpp"

namespace skep::notify::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class NotifierTroubleTest : public NotifierTest {
 protected:
  /// As the thread does it.
  void turn_for(std::chrono::milliseconds time) {
    for (; time > 0ms; time -= 500ms) {
      clock.advance(500ms);
      notifier->turn();
    }
  }
};

TEST_F(NotifierTroubleTest, AClockThatIsSetBackSilencesNothing) {
  say({well("web")});
  notifier->status({failed("web")});
  notifier->turn();
  clock.set_back(24h);
  clock.advance(6s);
  notifier->turn();
  EXPECT_THAT(told(), ElementsAre("failed apps/web"));
}

TEST_F(NotifierTroubleTest, AClockThatIsSetBackHidesNoOutage) {
  ports::FetchReport bad;
  bad.error = "no route to host";
  notifier->fetched(bad);
  say({well("web")});
  clock.set_back(24h);
  clock.advance(10min);
  say({well("web")});
  EXPECT_THAT(told(), ElementsAre("unreachable git"));
}

TEST_F(NotifierTroubleTest, WhatWasSaidInAFutureThatDidNotComeIsSaidAgain) {
  say({failed("web")});
  say({well("web")});
  clock.set_back(24h);
  clock.advance(61min);
  say({failed("web")});
  EXPECT_THAT(told(), ElementsAre("failed apps/web", "recovered apps/web", "failed apps/web"));
}

}  // namespace
}  // namespace skep::notify::testing
