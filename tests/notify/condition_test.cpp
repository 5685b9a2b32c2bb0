#include "notify/condition.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/notify/fixture.hpp"

namespace skep::notify::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const WallTime kNow{1'800'000'000s};

std::string reason(const ports::StackStatus& stack) {
  const auto condition = condition_of(stack, kNow);
  if (!condition || condition->still.count() > 0) return "not settled";
  return condition->reason.empty() ? "well" : condition->reason;
}

TEST(Condition, SaysWhatAPersonWouldBeToldOf) {
  EXPECT_EQ(reason(well("web")), "well");
  EXPECT_EQ(reason(failed("web")), "failed");
  auto stack = well("web");
  stack.held = true;
  stack.sync = ports::SyncState::out_of_sync;
  EXPECT_EQ(reason(stack), "held");
  stack = well("web");
  stack.verdict = "broken";
  stack.sync = ports::SyncState::unknown;
  stack.health = ports::Health::unknown;
  EXPECT_EQ(reason(stack), "broken") << "git can be broken while nothing else is known";
  stack = well("web");
  stack.verdict = "blocked";
  EXPECT_EQ(reason(stack), "blocked");
  stack = failed("web");
  stack.quarantined = true;
  stack.quarantine_reason = "app exited";
  EXPECT_EQ(reason(stack), "failed") << "what failed runs on, as on_failure: pause wants it";
  EXPECT_EQ(condition_of(stack, kNow)->story.what, "app exited");
  stack.rolled_back_to = "fedcba9876543210";
  EXPECT_EQ(reason(stack), "rolled_back");
  EXPECT_EQ(condition_of(stack, kNow)->story.what, "app exited");
  stack.rolled_back_to.clear();
  stack.services.front().sent_back_by_person = true;
  EXPECT_EQ(reason(stack), "rolled_back") << "by docker service rollback";
  stack = well("web");
  stack.health = ports::Health::degraded;
  EXPECT_EQ(reason(stack), "degraded");
  stack = well("web");
  stack.message = "contended: somebody else keeps changing app: image";
  EXPECT_EQ(reason(stack), "contended");
}

TEST(Condition, WhatIsNotSettledIsNoChange) {
  auto unknown = well("web");
  unknown.sync = ports::SyncState::unknown;
  unknown.health = ports::Health::unknown;
  EXPECT_EQ(reason(unknown), "not settled") << "the swarm could not be read";
  auto moving = well("web");
  moving.health = ports::Health::progressing;
  EXPECT_EQ(reason(moving), "not settled");
  auto first = well("web");
  first.sync = ports::SyncState::out_of_sync;
  first.health = ports::Health::missing;
  first.verdict = "apply";
  EXPECT_EQ(reason(first), "not settled") << "it is about to be deployed";
  auto suspended = well("web");
  suspended.suspended = true;
  EXPECT_EQ(reason(suspended), "not settled") << "a person's word is no recovery";
}

TEST(Condition, DriftIsToldOnceItLasts) {
  auto stack = well("web");
  stack.sync = ports::SyncState::out_of_sync;
  stack.drift_cause = ports::DriftCause::live;
  stack.drift_since = kNow - 29s;
  EXPECT_EQ(reason(stack), "not settled");
  EXPECT_EQ(condition_of(stack, kNow)->still, 1s);
  stack.drift_since = kNow - 30s;
  EXPECT_EQ(reason(stack), "drift");
  stack.drift_cause = ports::DriftCause::pending;
  EXPECT_EQ(reason(stack), "not settled") << "a commit that is being carried out is no drift";
}

TEST(Condition, TellsTheFailingTasksOwnWordsAndWhatToDo) {
  const auto story = condition_of(failed("web"), kNow)->story;
  EXPECT_EQ(story.stack, "apps/web");
  EXPECT_EQ(story.revision, kCommit);
  EXPECT_THAT(story.words, ElementsAre("web_app: task: non-zero exit (1)"));
  EXPECT_THAT(story.remedy, HasSubstr("skep explain web"));
}

TEST(Condition, SaysWhatSkepDidAndDoesNext) {
  const auto story = [](const ports::StackStatus& stack) {
    return condition_of(stack, kNow)->story;
  };
  auto retried = failed("web");
  retried.next_retry = kNow + 60s;
  EXPECT_EQ(story(retried).done, "skep tries it again by itself at 2027-01-15T08:01:00Z");
  EXPECT_THAT(story(retried).remedy, HasSubstr("skep logs web"));
  auto broken = well("web");
  broken.verdict = "broken";
  EXPECT_EQ(story(broken).done, "skep changed nothing: what ran before runs on");
  auto back = failed("web");
  back.quarantined = true;
  back.rolled_back_to = "fedcba9876543210";
  EXPECT_EQ(story(back).done, "skep went back to fedcba987654");
  back.rolled_back_to.clear();
  EXPECT_THAT(story(back).done, HasSubstr("leaves it as it stands"));
  EXPECT_THAT(story(back).remedy, HasSubstr("skep sync web"));
}

TEST(Condition, TellsWhoWentBack) {
  auto stack = failed("web");
  stack.quarantined = true;
  stack.rolled_back_to = "fedcba9876543210";
  stack.services.front().update_state = "rollback_completed";
  EXPECT_EQ(reason(stack), "failed") << "as failure_action: rollback wants it";
  EXPECT_EQ(condition_of(stack, kNow)->story.done,
            "swarm went back to fedcba987654 by itself; skep does not try it again");
  stack.services.front().sent_back_by_person = true;
  EXPECT_EQ(reason(stack), "rolled_back");
  EXPECT_EQ(condition_of(stack, kNow)->story.done, "a person went back to fedcba987654");
}

TEST(Condition, ATaskThatComesUpIsNotWhatTheEngineSaysOfATrouble) {
  auto stack = failed("web");
  for (const auto* trouble : {"starting", "preparing: preparing", "no suitable node"}) {
    auto& service = stack.services.emplace_back();
    service.name = "web_b";
    service.trouble = trouble;
  }
  EXPECT_THAT(condition_of(stack, kNow)->story.words,
              ElementsAre("web_app: task: non-zero exit (1)", "web_b: no suitable node"));
}

TEST(Condition, IsAboutTheCommitThatChangedTheStackAndNotALaterOne) {
  auto stack = failed("web");
  stack.applied_revision = "culprit";
  EXPECT_EQ(condition_of(stack, kNow)->story.revision, "culprit")
      << "else each commit to the manual would tell of it again";
  stack.quarantined = true;
  stack.quarantined_revision = "the other";
  EXPECT_EQ(condition_of(stack, kNow)->story.revision, "the other");
}

TEST(Condition, NamesWhatAnOperationChangedAndNoValue) {
  ports::SyncReport report;
  for (int i = 0; i < 12; ++i) {
    ports::ObjectReport object;
    object.name = "web_" + std::to_string(i);
    if (i == 0) object.fields = {"image", "environment LOG_LEVEL"};
    if (i == 1) object.error = "no such network";
    report.objects.push_back(object);
  }
  const auto changes = changes_of(report);
  ASSERT_EQ(changes.size(), 11U);
  EXPECT_EQ(changes.at(0), "update web_0 (image, environment LOG_LEVEL)");
  EXPECT_EQ(changes.at(1), "update web_1: no such network");
  EXPECT_EQ(changes.back(), "and 2 more");
}

TEST(Message, IsMadeShorterUntilItFits) {
  auto message = message_of("failed");
  auto& first = message.stories.front();
  first.what = std::string(900, 'w');
  first.words = {std::string(900, 'e'), "two", "three"};
  first.changes = {std::string(900, 'c')};
  first.remedy = "look";
  message.stories.assign(30, Story(first));
  const auto within = [&](std::size_t most) {
    return text_within(message, [most](const std::string& text) { return text.size() <= most; });
  };
  EXPECT_EQ(within(1'000'000), text_of(message));
  for (const auto most : {30'000U, 20'000U, 5'000U, 1'000U}) {
    const auto text = within(most);
    EXPECT_LE(text.size(), most);
    EXPECT_THAT(text, HasSubstr("to do: look")) << "whole stories";
    EXPECT_THAT(text, ::testing::ContainsRegex("and [0-9]+ more\n$"));
  }
  EXPECT_THAT(within(30'000), HasSubstr("and 10 more")) << "shorter sentences first";
}

TEST(Message, ItsStoriesComeBackFromTheOutbox) {
  auto message = message_of("failed");
  message.stories.front().words = {"web_app: \"x\""};
  message.stories.push_back({"apps/b", "r", "a", "s", "l", "w", {"x"}, {"y", "z"}, "d", "m"});
  EXPECT_EQ(stories_of(to_json(message, "0")), message.stories);
}

TEST(Message, ATitleAndATextSayItAll) {
  auto message = message_of("failed");
  auto& story = message.stories.front();
  story.what = "app did not become healthy";
  story.author = "Ada <ada@example.com>";
  story.subject = "new tag";
  story.link = "https://git.example.com/c/1";
  story.words = {"web_app: non-zero exit (1)"};
  story.changes = {"update web_app (image)"};
  story.done = "skep went back to abc";
  story.remedy = "look";
  EXPECT_EQ(title_of(message), "apps/web could not be deployed");
  EXPECT_EQ(
      text_of(message),
      "apps/web: app did not become healthy\n"
      "  the engine says: web_app: non-zero exit (1)\n"
      "  commit 0123456789ab \"new tag\" by Ada <ada@example.com> https://git.example.com/c/1\n"
      "  changed: update web_app (image)\n"
      "  skep went back to abc\n"
      "  to do: look\n");
}

TEST(Message, SaysNothingTwice) {
  auto message = message_of("failed");
  message.stories.front().what = "no progress: web_app: non-zero exit (1)";
  message.stories.front().words = {"web_app: non-zero exit (1)", "web_db: no suitable node"};
  EXPECT_EQ(text_of(message),
            "apps/web: no progress: web_app: non-zero exit (1)\n"
            "  the engine says: web_db: no suitable node\n"
            "  commit 0123456789ab\n");
}

TEST(Message, AnInstanceWithANameOfItsOwnIsNamedFirst) {
  auto message = message_of("failed");
  message.instance = "prod";
  EXPECT_EQ(title_of(message), "prod: apps/web could not be deployed");
  EXPECT_EQ(recovery_from("failed", "apps/web"),
            "it is as git says, and healthy; before, it could not be deployed");
  EXPECT_EQ(recovery_from("unreachable", "git"), "it can be reached again");
}

TEST(Message, AnOutageOfManyIsOneMessageOfBoundedLength) {
  Message message = message_of("degraded");
  for (int i = 1; i < 500; ++i) message.stories.push_back(message.stories.front());
  EXPECT_EQ(title_of(message), "500 stacks are degraded");
  EXPECT_THAT(text_of(message), HasSubstr("and 480 more\n"));
  EXPECT_LT(text_of(message).size(), 5000U);
}

TEST(Message, BytesThatAreNoUtf8DoNotBreakTheJson) {
  auto message = message_of("failed");
  message.stories.front().words = {"bad \xff byte"};
  EXPECT_THAT(to_json(message, "id"), HasSubstr("bad \xef\xbf\xbd byte"));
}

}  // namespace
}  // namespace skep::notify::testing
