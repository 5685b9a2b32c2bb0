// A clock that is set back.
#include <gmock/gmock.h>

#include "tests/notify/status_reporter_fixture.hpp"

namespace skep::notify::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using StatusTroubleTest = StatusReporterTest;

TEST_F(StatusTroubleTest, AClockThatIsSetBackHoldsNoStatusUp) {
  reporter->status({waiting("web")});
  reporter->turn();
  clock.set_back(24h);
  pass(3s);
  EXPECT_EQ(beside[kCommit]["skep"], "pending");
  pass(2min);
  EXPECT_EQ(beside[kCommit]["skep"], "warning") << "it stood still for long enough";
  answer = 429;
  retry_after = 100s;
  say({failed("web")});
  clock.set_back(24h);
  answer = 201;
  pass(110s);
  EXPECT_EQ(beside[kCommit]["skep"], "failure") << "the host was left alone for long enough";
}

}  // namespace
}  // namespace skep::notify::testing
