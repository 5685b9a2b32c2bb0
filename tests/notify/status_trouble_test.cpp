// A disk that is full, a clock that is set back.
#include <atomic>
#include <fstream>
#include <future>

#include <gmock/gmock.h>

#include "tests/notify/status_reporter_fixture.hpp"

namespace skep::notify::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using StatusTroubleTest = StatusReporterTest;

TEST_F(StatusTroubleTest, WhatAHostTookIsNotToldAgainThoughTheDiskIsFull) {
  answer = 0;
  say({failed("web")});
  const FullDisk full(file(), "status");
  answer = 201;
  pass(20min);
  EXPECT_THAT(history, ElementsAre("01 skep failure", "01 skep/apps/web failure"));
  EXPECT_EQ(reporter->waiting(), 0U);
  EXPECT_EQ(counts["any failed"], 1);
  EXPECT_THAT(logged.str(), HasSubstr("database or disk is full"));
}

TEST_F(StatusTroubleTest, WhatAHostRefusesIsGivenUpThoughTheDiskIsFull) {
  answer = 0;
  say({failed("web")});
  const FullDisk full(file(), "status");
  answer = 422;
  calls = 0;
  for (int i = 0; i < 20; ++i) pass(10min);
  EXPECT_EQ(calls, 2 * 5);
  EXPECT_EQ(counts["gitea dropped"], 2);
}

TEST_F(StatusTroubleTest, WhatTheDiskMissedIsWrittenWithTheNext) {
  answer = 0;
  say({failed("web")});
  answer = 201;
  {
    const FullDisk full(file(), "status");
    pass(20min);
  }
  say({failed("web"), failed("db")});
  history.clear();
  start();
  clock.advance(1h);
  say({failed("web"), failed("db")});
  EXPECT_THAT(history, IsEmpty());
}

TEST_F(StatusTroubleTest, AHostThatHangsHoldsUpNoOther) {
  reporter.reset();
  std::promise<void> release;
  const auto released = release.get_future().share();
  std::atomic<int> told = 0;
  StatusReporterOptions options;
  options.file = file();
  for (const std::string name : {"hangs", "answers"}) {
    GitHost host;
    host.name = name;
    host.token = Secret("canary-token");
    EXPECT_TRUE(locate(host, "https://" + name + ".example.com/ops/cluster.git"));
    options.hosts.push_back(host);
  }
  options.send = [&](const HttpCall& call) -> Result<HttpAnswer> {
    if (call.url.find("hangs") != std::string::npos) {
      released.wait();
      return Error{ErrorKind::unavailable, "no answer in time", std::nullopt};
    }
    ++told;
    HttpAnswer answer_of_it;
    answer_of_it.status = 201;
    return answer_of_it;
  };
  spdlog::logger log("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(logged));
  StatusReporter both(std::move(options), clock, log);
  both.status({failed("web")});
  both.turn();
  EXPECT_EQ(told, 2);
  both.status({well("web")});
  clock.advance(2min);
  both.turn();
  EXPECT_EQ(told, 4) << "it still hangs";
  EXPECT_EQ(both.waiting(), 2U);
  release.set_value();
}

TEST_F(StatusTroubleTest, ADamagedFileIsSetAsideAndThatIsLogged) {
  reporter.reset();
  std::ofstream(file()) << std::string(5000, 'x');
  start();
  say({failed("web")});
  EXPECT_THAT(logged.str(), HasSubstr("the file of commit statuses is damaged"));
  EXPECT_EQ(beside[kCommit]["skep"], "failure");
}

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
