// A disk that is full, a clock that is set back.
#include <fstream>
#include <future>
#include <thread>

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

TEST_F(NotifierTroubleTest, WhatWasDeliveredAndCannotBeStruckIsNotSentAgain) {
  answer = 0;
  say({failed("web")});
  answer = 200;
  {
    const FullDisk full(file(), "delivery");
    turn_for(20min);
    EXPECT_THAT(received, SizeIs(1));
    EXPECT_EQ(counts["webhook sent"], 1);
    EXPECT_EQ(counts["any failed"], 1);
    EXPECT_THAT(logged.str(), HasSubstr("database or disk is full"));
  }
  turn_for(1s);
  EXPECT_EQ(notifier->waiting(), 0U);
  say({well("web")});
  EXPECT_THAT(told(), ElementsAre("failed apps/web", "recovered apps/web"));
  const FullDisk again(file(), "delivery");
  say({failed("web", "another")});
  EXPECT_EQ(counts["any failed"], 2) << "it was over in between";
}

TEST_F(NotifierTroubleTest, ATargetThatHangsHoldsUpNoOther) {
  auto pager = webhook("pager");
  pager.headers["X-Which"] = "pager";
  start({pager, webhook("chat")});
  std::promise<void> release;
  on_its_way = [released = release.get_future().share()](const HttpCall& call) {
    const auto& headers = call.headers;
    if (std::find(headers.begin(),
                  headers.end(),
                  std::pair<std::string, std::string>("X-Which", "pager")) != headers.end())
      released.wait();
  };
  say({failed("web")});
  say({well("web")});
  say({failed("web", "another")});
  EXPECT_THAT(told(), ElementsAre("failed apps/web", "recovered apps/web", "failed apps/web"));
  EXPECT_EQ(notifier->waiting(), 3U) << "those of the pager";
  received.clear();
  release.set_value();
  notifier->turn();
  EXPECT_THAT(told(), ElementsAre("failed apps/web", "recovered apps/web", "failed apps/web"));
  EXPECT_EQ(notifier->waiting(), 0U);
}

TEST_F(NotifierTroubleTest, WhatArrivesWhileTheAgentStopsIsNotSentAgain) {
  std::promise<void> release;
  on_its_way = [released = release.get_future().share()](const HttpCall&) { released.wait(); };
  say({failed("web")});
  EXPECT_EQ(notifier->waiting(), 1U);
  const std::jthread later([&] {
    std::this_thread::sleep_for(50ms);
    release.set_value();
  });
  start();
  notifier->turn();
  EXPECT_THAT(told(), ElementsAre("failed apps/web"));
  EXPECT_EQ(notifier->waiting(), 0U);
}

TEST_F(NotifierTroubleTest, WhatIsGivenUpAndCannotBeStruckIsNotSentAgain) {
  answer = 400;
  say({failed("web")});
  for (int i = 0; i < 3; ++i) {
    clock.advance(10min);
    notifier->turn();
  }
  ASSERT_EQ(counts["webhook dropped"], 0);
  const FullDisk full(file(), "delivery");
  clock.advance(10min);
  notifier->turn();
  const auto tried = calls.size();
  turn_for(20min);
  EXPECT_EQ(calls.size(), tried);
  EXPECT_EQ(counts["webhook dropped"], 1);
}

TEST_F(NotifierTroubleTest, WhereTheBackOffCannotBeWrittenTheTargetIsStillLeftAlone) {
  answer = 0;
  say({failed("web")});
  const FullDisk full(file(), "delivery");
  clock.advance(10s);
  notifier->turn();
  const auto tried = calls.size();
  turn_for(59s);
  EXPECT_EQ(calls.size(), tried);
  turn_for(2s);
  EXPECT_EQ(calls.size(), tried + 1);
  answer = 429;
  retry_after = 1'000s;
  clock.advance(1min);
  notifier->turn();
  turn_for(999s);
  EXPECT_EQ(calls.size(), tried + 2) << "what the other side asked for counts too";
}

TEST_F(NotifierTroubleTest, TheLogSaysWhyAServerRefusesAndWhatIsGivenUp) {
  answer = 400;
  answer_body = "{\"error\":\n \"canary at https://hooks.example.com/very/secret/path\"} " +
                std::string(4'000, 'x');
  say({failed("web")});
  const auto first = logged.str();
  EXPECT_THAT(first, HasSubstr("it answers 400: "));
  EXPECT_THAT(first, HasSubstr("*** at ***"));
  EXPECT_THAT(first, ::testing::Not(HasSubstr("very/secret/path")));
  EXPECT_THAT(first, ::testing::Not(HasSubstr(std::string(200, 'x'))));
  EXPECT_THAT(first, ::testing::Not(HasSubstr("given up")));
  answer_body += "another number";
  for (int i = 0; i < 4; ++i) {
    clock.advance(10min);
    notifier->turn();
  }
  EXPECT_EQ(counts["webhook dropped"], 1);
  const auto more = logged.str().substr(first.size());
  EXPECT_THAT(more, HasSubstr("a notification is given up"));
  EXPECT_THAT(more, HasSubstr("apps/web could not be deployed"));
  EXPECT_THAT(more, HasSubstr("target=chat"));
  EXPECT_THAT(more, ::testing::Not(HasSubstr("tried again"))) << "that was said";
}

TEST_F(NotifierTroubleTest, ARedirectIsSaidToBeOne) {
  answer = 302;
  answer_body = "ok";
  say({failed("web")});
  EXPECT_THAT(logged.str(), HasSubstr("it answers 302, a redirect, which is not followed"));
}

TEST_F(NotifierTroubleTest, AnAddressThatIsRefusedIsLoggedOnceUntilItIsTaken) {
  Target mail;
  mail.name = "mail";
  mail.type = "email";
  mail.url = Secret("smtp://mail.example.com");
  mail.content_type = "text/plain";
  mail.mail.from = "skep@example.com";
  mail.mail.to = {"gone@example.com", "ops@example.com"};
  std::vector<RefusedAddress> refused = {{"gone@example.com", "550 no such user"}};
  NotifierOptions options;
  options.file = file();
  options.targets = {mail};
  options.send_mail = [&](const MailCall&) { return MailAnswer{250, {}, refused}; };
  options.counted = counter(counts);
  spdlog::logger log("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(logged));
  notifier = std::make_unique<Notifier>(std::move(options), clock, log);
  const auto times_said = [&] {
    const auto text = logged.str();
    std::size_t times = 0;
    for (auto at = text.find("refuses one"); at != std::string::npos;
         at = text.find("refuses one", at + 1))
      ++times;
    return times;
  };
  say({failed("web")});
  say({well("web")});
  EXPECT_EQ(times_said(), 1U);
  EXPECT_THAT(logged.str(), HasSubstr("address=gone@example.com error=\"550 no such user\""));
  EXPECT_EQ(counts["email sent"], 2);
  refused.clear();
  say({failed("db")});
  refused = {{"gone@example.com", "550 no such user"}};
  say({well("db")});
  EXPECT_EQ(times_said(), 2U);
  notifier.reset();
}

TEST_F(NotifierTroubleTest, WhatIsGivenUpForItsAgeIsLoggedToo) {
  answer = 0;
  say({failed("web")});
  clock.advance(25h);
  notifier->turn();
  EXPECT_EQ(counts["webhook dropped"], 1);
  EXPECT_THAT(logged.str(), HasSubstr("a notification is given up"));
}

TEST_F(NotifierTroubleTest, ADamagedFileIsSetAsideAndThatIsLogged) {
  notifier.reset();
  std::ofstream(file()) << std::string(5000, 'x');
  start();
  notifier->turn();
  EXPECT_THAT(logged.str(), HasSubstr("the file of waiting notifications is damaged"));
  EXPECT_THAT(logged.str(), HasSubstr("notify.db.damaged"));
}

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
