#include "notify/notifier.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/digest.hpp"
#include "notify/http.hpp"
#include "server/server.hpp"
#include "tests/notify/notifier_fixture.hpp"

namespace skep::notify::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

TEST_F(NotifierTest, AFailureAndItsRecoveryAreToldOnceEach) {
  say({well("web")});
  EXPECT_THAT(told(), IsEmpty()) << "that all is well is no news";
  for (int i = 0; i < 5; ++i) say({failed("web")});
  for (int i = 0; i < 5; ++i) say({well("web")});
  EXPECT_THAT(told(), ElementsAre("failed apps/web", "recovered apps/web"));
  const auto& story = received.at(0).at("stacks").at(0);
  EXPECT_EQ(story.at("words").at(0), "web_app: task: non-zero exit (1)");
  EXPECT_EQ(story.at("link"), "https://git.example.com/c/" + kCommit);
  EXPECT_EQ(counts["webhook sent"], 2);
}

TEST_F(NotifierTest, TheSameTroubleWithAnotherCommitIsToldAgain) {
  say({failed("web", "a")});
  say({failed("web", "a")});
  say({failed("web", "b")});
  EXPECT_THAT(told(), ElementsAre("failed apps/web", "failed apps/web"));
}

TEST_F(NotifierTest, WhatWasNotSaidAgainAndStandsIsToldAfterTheHour) {
  say({failed("web")});
  say({well("web")});
  say({failed("web")});
  EXPECT_THAT(told(), testing::SizeIs(2));
  clock.advance(1h);
  say({failed("web")});
  say({failed("web")});
  EXPECT_THAT(told(),
              testing::ElementsAre("failed apps/web", "recovered apps/web", "failed apps/web"));
}

TEST_F(NotifierTest, AStackThatGoesUpAndDownIsToldOnceAnHour) {
  for (int i = 0; i < 10; ++i) {
    say({failed("web")});
    say({well("web")});
  }
  EXPECT_THAT(told(), ElementsAre("failed apps/web", "recovered apps/web"));
  EXPECT_EQ(counts["any deduplicated"], 18);
  clock.advance(1h);
  say({failed("web")});
  EXPECT_THAT(told(), SizeIs(3));
}

TEST_F(NotifierTest, WhatPassesWithinAMomentIsNotTold) {
  notifier->status({failed("web")});
  notifier->turn();
  clock.advance(4s);
  notifier->status({well("web")});
  notifier->turn();
  clock.advance(1h);
  notifier->turn();
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(NotifierTest, AnOutageOfManyStacksIsOneMessage) {
  std::vector<ports::StackStatus> all, out;
  for (int i = 0; i < 50; ++i) {
    all.push_back(well("s" + std::to_string(i)));
    out.push_back(failed("s" + std::to_string(i)));
  }
  say(all);
  say(out);
  ASSERT_THAT(received, SizeIs(1));
  EXPECT_EQ(received.front().at("title"), "50 stacks could not be deployed");
  EXPECT_THAT(received.front().at("stacks"), SizeIs(50));
  say(all);
  ASSERT_THAT(received, SizeIs(2));
  EXPECT_EQ(received.back().at("title"), "50 stacks are well again");
}

TEST_F(NotifierTest, WhatAnOutageReachesNextIsToldTogether) {
  std::vector<ports::StackStatus> stacks;
  for (int i = 0; i < 30; ++i) stacks.push_back(well("s" + std::to_string(i)));
  say(stacks);
  for (int i = 0; i < 10; ++i)
    stacks.at(static_cast<std::size_t>(i)) = failed("s" + std::to_string(i));
  say(stacks);
  ASSERT_THAT(received, SizeIs(1));
  for (int i = 10; i < 16; ++i) {  // One by one, every six seconds.
    stacks.at(static_cast<std::size_t>(i)) = failed("s" + std::to_string(i));
    say(stacks);
  }
  for (int i = 0; i < 10; ++i) say(stacks);
  ASSERT_THAT(received, SizeIs(2));
  EXPECT_EQ(received.back().at("title"), "6 stacks could not be deployed");
}

TEST_F(NotifierTest, ARecoveryThatIsOwedIsToldThoughOneWasToldLately) {
  auto ill = well("web");
  ill.health = ports::Health::degraded;
  say({failed("web")});
  say({well("web")});
  say({ill});
  say({well("web")});
  EXPECT_THAT(
      told(),
      ElementsAre(
          "failed apps/web", "recovered apps/web", "degraded apps/web", "recovered apps/web"));
  EXPECT_THAT(received.back().at("stacks").at(0).at("what").get<std::string>(),
              HasSubstr("before, it was degraded"));
}

TEST_F(NotifierTest, WhatIsBrokenNamesWhoPushedIt) {
  ports::FetchReport report;
  report.ok = true;
  report.revision = kCommit;
  report.author = "Ada <ada@example.com>";
  report.subject = "new tag";
  notifier->fetched(report);
  auto broken = well("web");
  broken.verdict = "broken";
  say({broken});
  ASSERT_THAT(received, SizeIs(1));
  EXPECT_EQ(received.front().at("stacks").at(0).at("author"), "Ada <ada@example.com>");
  EXPECT_EQ(received.front().at("stacks").at(0).at("subject"), "new tag");
}

TEST_F(NotifierTest, WhatACommitChangedIsToldOfThatCommitOnly) {
  const auto carried_out = [&](const std::string& revision, const std::string& field) {
    ports::SyncReport report;
    report.stack = "apps/web";
    report.revision_to = revision;
    report.subject = "about " + field;
    ports::ObjectReport object;
    object.name = "web_app";
    object.fields = {field};
    report.objects.push_back(object);
    notifier->synced(report);
  };
  say({well("web")});
  carried_out("earlier", "deploy.replicas");
  auto broken = well("web");
  broken.verdict = "broken";
  say({broken});
  ASSERT_THAT(told(), ElementsAre("broken apps/web"));
  EXPECT_THAT(received.back().at("stacks").at(0).at("changes"), IsEmpty());
  carried_out(kCommit, "image");
  carried_out("earlier", "labels");  // The way back.
  auto back = failed("web");
  back.quarantined = true;
  back.quarantined_revision = kCommit;
  back.rolled_back_to = "earlier";
  say({back});
  ASSERT_THAT(told(), ElementsAre("broken apps/web", "rolled_back apps/web"));
  const auto& story = received.back().at("stacks").at(0);
  EXPECT_EQ(story.at("changes").at(0), "update web_app (image)");
  EXPECT_EQ(story.at("subject"), "about image");
}

TEST_F(NotifierTest, WhatFailedIsToldInItsOwnWordsAndNotInThoseOfTheWayBack) {
  auto stack = failed("web");
  stack.consecutive_failures = 0;
  stack.health = ports::Health::progressing;
  say({stack});
  stack.quarantined = true;
  stack.quarantined_revision = kCommit;
  stack.rolled_back_to = "earlier";
  stack.services.front().trouble = "new: created";
  say({stack});
  ASSERT_THAT(told(), ElementsAre("rolled_back apps/web"));
  EXPECT_EQ(received.back().at("stacks").at(0).at("words").at(0),
            "web_app: task: non-zero exit (1)");
}

TEST_F(NotifierTest, ARemovalThatWaitsNamesTheCommitThatGitHas) {
  ports::FetchReport report;
  report.ok = true;
  report.revision = kCommit;
  report.author = "Ada <ada@example.com>";
  notifier->fetched(report);
  auto held = well("web", "");
  held.applied_revision = "earlier";
  held.held = true;
  say({held});
  const auto& story = received.at(0).at("stacks").at(0);
  EXPECT_EQ(story.at("revision"), kCommit);
  EXPECT_EQ(story.at("author"), "Ada <ada@example.com>");
  EXPECT_EQ(story.at("link"), "https://git.example.com/c/" + kCommit);
}

TEST_F(NotifierTest, AFewStacksHaveMessagesOfTheirOwn) {
  say({failed("a"), failed("b"), well("c")});
  EXPECT_THAT(told(), UnorderedElementsAre("failed apps/a", "failed apps/b"));
}

TEST_F(NotifierTest, WhileTheSwarmIsNotKnownNothingIsSaidOfStacks) {
  say({well("web")});
  auto unknown = well("web");
  unknown.sync = ports::SyncState::unknown;
  unknown.health = ports::Health::unknown;
  notifier->observed(false);
  notifier->unreadable("no quorum");
  say({unknown});
  EXPECT_THAT(told(), IsEmpty());
  clock.advance(10min);
  notifier->turn();
  clock.advance(6s);
  notifier->turn();
  EXPECT_THAT(told(), ElementsAre("unreachable swarm"));
  EXPECT_THAT(received.front().at("stacks").at(0).at("what"), HasSubstr("no quorum"));
  notifier->observed(true);
  say({well("web")});
  EXPECT_THAT(told(), ElementsAre("unreachable swarm", "recovered swarm"));
}

TEST_F(NotifierTest, GitIsAwayForTenMinutesBeforeAnybodyIsTold) {
  ports::FetchReport bad;
  bad.error = "no route to host";
  notifier->fetched(bad);
  say({well("web")});
  clock.advance(9min);
  notifier->fetched(bad);
  say({well("web")});
  EXPECT_THAT(told(), IsEmpty());
  clock.advance(1min);
  notifier->fetched(bad);
  say({well("web")});
  say({well("web")});
  EXPECT_THAT(told(), ElementsAre("unreachable git"));
  ports::FetchReport fine;
  fine.ok = true;
  notifier->fetched(fine);
  say({well("web")});
  EXPECT_THAT(told(), ElementsAre("unreachable git", "recovered git"));
}

TEST_F(NotifierTest, AnUndoneLiveEditIsToldWithWhatItWas) {
  say({well("web")});
  ports::SyncReport report;
  report.stack = "apps/web";
  report.trigger = "drift";
  report.result = "success";
  report.revision_to = kCommit;
  report.author = "Ada <ada@example.com>";
  ports::ObjectReport object;
  object.name = "web_app";
  object.fields = {"image"};
  report.objects.push_back(object);
  notifier->synced(report);
  notifier->synced(report);
  notifier->turn();
  EXPECT_THAT(told(), ElementsAre("drift_healed apps/web"));
  EXPECT_EQ(received.front().at("stacks").at(0).at("changes").at(0), "update web_app (image)");
}

TEST_F(NotifierTest, DriftIsToldOnceItLastsThoughTheLoopSaysNothingMore) {
  say({well("web")});
  auto edited = well("web");
  edited.sync = ports::SyncState::out_of_sync;
  edited.drift_cause = ports::DriftCause::live;
  edited.drift_since = clock.now();
  say({edited});
  clock.advance(23s);
  notifier->turn();
  clock.advance(6s);
  notifier->turn();
  EXPECT_THAT(told(), ::testing::IsEmpty());
  clock.advance(1s);
  notifier->turn();
  clock.advance(5s);
  notifier->turn();
  EXPECT_THAT(told(), ElementsAre("drift apps/web"));
  say({well("web")});
  edited.drift_since = clock.now();
  say({edited});
  say({well("web")});
  clock.advance(1min);
  notifier->turn();
  EXPECT_THAT(told(), ElementsAre("drift apps/web", "recovered apps/web"))
      << "what was put right meanwhile is not told";
}

TEST_F(NotifierTest, HeldRolledBackAndBrokenStacksAreToldByTheirNames) {
  auto held = well("a");
  held.held = true;
  auto back = failed("b");
  back.quarantined = true;
  back.rolled_back_to = kCommit;
  auto broken = well("c");
  broken.verdict = "broken";
  broken.message = "docker-compose.yml:3:5: services must be a mapping, canary";
  say({held, back, broken});
  EXPECT_THAT(told(), UnorderedElementsAre("held apps/a", "rolled_back apps/b", "broken apps/c"));
  for (const auto& message : received) EXPECT_THAT(message.dump(), Not(HasSubstr("canary")));
}

TEST_F(NotifierTest, AMessageSurvivesARestartWithItsIdAndComesWhenTheTargetIsBack) {
  answer = 503;
  say({well("web")});
  say({failed("web")});
  ASSERT_THAT(calls, Not(IsEmpty()));
  const auto header = [](const HttpCall& call) {
    for (const auto& [name, value] : call.headers) {
      if (name == "X-Skep-Delivery") return value;
    }
    return std::string();
  };
  const auto id = header(calls.back());
  start();
  answer = 0;
  clock.advance(10s);
  notifier->turn();
  EXPECT_EQ(header(calls.back()), id);
  answer = 200;
  start();
  clock.advance(1min);
  say({failed("web")});
  EXPECT_THAT(told(), ElementsAre("failed apps/web"));
  EXPECT_EQ(received.front().at("id"), id);
  start();
  say({failed("web")});
  say({well("web")});
  EXPECT_THAT(told(), ElementsAre("failed apps/web", "recovered apps/web"))
      << "a new process does not begin again, and knows what it has told";
}

TEST_F(NotifierTest, TheOtherSideSaysHowLongToWait) {
  answer = 429;
  retry_after = 100s;
  say({failed("web")});
  const auto tried = calls.size();
  clock.advance(99s);
  notifier->turn();
  EXPECT_EQ(calls.size(), tried);
  clock.advance(2s);
  answer = 200;
  notifier->turn();
  EXPECT_THAT(told(), ElementsAre("failed apps/web"));
}

TEST_F(NotifierTest, AMessageThatIsNeverUnderstoodMakesWayForTheNext) {
  answer = 400;
  say({failed("web")});
  for (int i = 0; i < 10; ++i) {
    clock.advance(10min);
    notifier->turn();
  }
  EXPECT_EQ(notifier->waiting(), 0U);
  EXPECT_EQ(counts["webhook dropped"], 1);
  answer = 200;
  say({well("web")});
  EXPECT_THAT(told(), ElementsAre("recovered apps/web"));
}

TEST_F(NotifierTest, ATargetGetsOnlyWhatItWants) {
  auto pager = webhook("pager");
  pager.only = {"failed"};
  auto chat = webhook("chat");
  chat.only = {"recovered", "held"};
  start({pager, chat});
  say({failed("web")});
  say({well("web")});
  EXPECT_THAT(told(), ElementsAre("failed apps/web", "recovered apps/web"));
}

TEST_F(NotifierTest, TheLogNamesTheTargetAndNeverItsAddress) {
  answer = 500;
  say({failed("web")});
  clock.advance(1h);
  notifier->turn();
  EXPECT_THAT(logged.str(), HasSubstr("target=chat"));
  EXPECT_THAT(logged.str(), Not(HasSubstr("secret")));
}

TEST_F(NotifierTest, ATroubleEndsWithTheStackThatLeftAndIsForgotten) {
  say({failed("web"), well("other")});
  say({well("other")});
  EXPECT_THAT(told(), ElementsAre("failed apps/web", "recovered apps/web"));
  EXPECT_EQ(received.back().at("stacks").at(0).at("what"),
            "it left git; before, it could not be deployed");
  EXPECT_EQ(received.back().at("title"), "apps/web left git");
  for (int i = 0; i < 3; ++i) say({well("other")});
  start();
  say({failed("web", "another"), well("other")});
  EXPECT_THAT(told(), ElementsAre("failed apps/web", "recovered apps/web", "failed apps/web"));
}

TEST_F(NotifierTest, AStackThatWasWellLeavesWithoutAWord) {
  say({well("web"), well("other")});
  say({well("other")});
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(NotifierTest, AnAlertOfARemovalThatWaitedEndsWhenItIsApproved) {
  auto pager = webhook("pager");
  pager.type = "alertmanager";
  start({pager});
  auto held = well("web");
  held.held = true;
  say({held, well("other")});
  ASSERT_THAT(received, SizeIs(1));
  EXPECT_EQ(received.front().at(0).at("annotations").at("reason"), "held");
  say({well("other")});
  ASSERT_THAT(received, SizeIs(2));
  EXPECT_EQ(received.back().at(0).at("labels"), received.front().at(0).at("labels"));
  EXPECT_EQ(received.back().at(0).at("endsAt"), to_rfc3339(clock.now())) << "it is resolved";
}

/// A receiver as others have one, reached by HTTP.
TEST(NotifyHttp, SendsWhatTheReceiverCanVerifyAndSeesItsAnswers) {
  server::Router router;
  std::mutex mutex;
  std::vector<server::Request> requests;
  router.add(server::RouteSet::api, "POST", "/hook", [&](const server::Request& request) {
    const std::lock_guard lock(mutex);
    requests.push_back(request);
    return server::Response{};
  });
  router.add(server::RouteSet::api, "POST", "/busy", [](const server::Request&) {
    server::Response response;
    response.status = 429;
    response.headers.emplace_back("Retry-After", "17");
    return response;
  });
  router.add(server::RouteSet::api, "POST", "/moved", [](const server::Request&) {
    server::Response response;
    response.status = 302;
    response.headers.emplace_back("Location", "/hook");
    return response;
  });
  router.add(server::RouteSet::api, "POST", "/long", [](const server::Request&) {
    server::Response response;
    response.body = std::string(1'000'000, 'x');
    return response;
  });
  const auto server = server::Server::start(
      std::move(router), {.listeners = {{"127.0.0.1:0", {server::RouteSet::api}}}, .limits = {}});
  ASSERT_TRUE(server) << server.error().message;
  const auto base = "http://" + (*server)->addresses().front();

  Target target;
  target.name = "pager";
  target.type = "webhook";
  target.url = Secret(base + "/hook");
  target.secret = Secret("signing");
  const auto now = WallTime(1'800'000'000s);
  auto call =
      *call_for(target, {"the-id", "pager", to_json(message_of("failed"), "the-id"), 0, now}, now);
  const auto send = http_sender({}, 5s);
  const auto answer = send(call);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  ASSERT_THAT(requests, SizeIs(1));
  const auto& request = requests.front();
  EXPECT_EQ(request.header("x-skep-delivery"), "the-id");
  EXPECT_EQ(request.header("content-type"), "application/json");
  EXPECT_EQ(request.header("x-skep-signature"),
            "sha256=" + hmac_sha256_hex("signing", "1800000000." + request.body));
  EXPECT_EQ(request.body, call.body);

  call.url = base + "/busy";
  const auto busy = send(call);
  ASSERT_TRUE(busy);
  EXPECT_EQ(busy->status, 429);
  EXPECT_EQ(busy->retry_after, 17s);
  call.url = base + "/moved";
  EXPECT_EQ(send(call)->status, 302) << "a redirect could lead anywhere";
  EXPECT_THAT(requests, SizeIs(1));
  call.url = base + "/long";
  EXPECT_EQ(send(call)->status, 200);
  call.url = "http://127.0.0.1:1/secret-path";
  const auto refused = send(call);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, Not(HasSubstr("secret-path")));
}

}  // namespace
}  // namespace skep::notify::testing
