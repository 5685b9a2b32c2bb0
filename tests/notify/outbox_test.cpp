#include "notify/outbox.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "tests/notify/fixture.hpp"

namespace skep::notify::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const WallTime kOutboxNow{1'800'000'000s};

class OutboxTest : public ::testing::Test {
 protected:
  Outbox open(OutboxLimits limits = {}) {
    auto opened = Outbox::open(file(), limits);
    EXPECT_TRUE(opened) << opened.error().message;
    return *std::move(opened);
  }
  std::filesystem::path file() const { return directory_.path() / "notify.db"; }
  static char first_of(const std::filesystem::path& path) {
    return static_cast<char>(std::ifstream(path).get());
  }

  static void put(Outbox& outbox,
                  const std::string& reason,
                  const std::vector<std::string>& targets = {"chat"},
                  WallTime now = kOutboxNow) {
    const auto done = outbox.put({{message_of(reason), targets, {{"apps/web", reason, kCommit}}}},
                                 {{"apps/web", reason, kCommit}},
                                 now);
    EXPECT_TRUE(done) << done.error().message;
  }

 private:
  Directory directory_;
};

TEST_F(OutboxTest, ADeliveryKeepsItsIdOverFailuresAndRestarts) {
  std::string id;
  {
    auto outbox = open();
    put(outbox, "failed");
    const auto due = outbox.due(kOutboxNow);
    ASSERT_THAT(*due, SizeIs(1));
    id = due->front().id;
    EXPECT_EQ(nlohmann::json::parse(due->front().body).at("id"), id);
    EXPECT_TRUE(*outbox.failed(due->front(), 0s, kOutboxNow));
  }
  auto outbox = open();
  EXPECT_THAT(*outbox.due(kOutboxNow), IsEmpty()) << "not before its time";
  const auto due = outbox.due(kOutboxNow + 5s);
  ASSERT_THAT(*due, SizeIs(1));
  EXPECT_EQ(due->front().id, id);
  EXPECT_EQ(due->front().attempts, 1U);
  EXPECT_TRUE(outbox.delivered(id));
  EXPECT_EQ(outbox.depth(), 0U);
}

TEST_F(OutboxTest, WaitsTwiceAsLongEachTimeUpToALimitAndAsLongAsItIsAsked) {
  auto outbox = open();
  put(outbox, "failed");
  auto now = kOutboxNow;
  for (const auto expected : {5s, 10s, 20s, 40s, 80s, 160s, 320s, 600s, 600s}) {
    const auto due = outbox.due(now);
    ASSERT_THAT(*due, SizeIs(1)) << expected.count();
    EXPECT_TRUE(*outbox.failed(due->front(), 0s, now));
    EXPECT_THAT(*outbox.due(now + expected - 1ms), IsEmpty());
    now += expected;
  }
  const auto due = outbox.due(now);
  EXPECT_TRUE(*outbox.failed(due->front(), 3000s, now));
  EXPECT_THAT(*outbox.due(now + 2999s), IsEmpty());
  EXPECT_THAT(*outbox.due(now + 3000s), SizeIs(1));
}

TEST_F(OutboxTest, WhatCannotBeDeliveredForADayIsGivenUp) {
  auto outbox = open();
  put(outbox, "failed");
  const auto due = outbox.due(kOutboxNow + 25h);
  EXPECT_FALSE(*outbox.failed(due->front(), 0s, kOutboxNow + 25h));
  EXPECT_EQ(outbox.depth(), 0U);
}

TEST_F(OutboxTest, MessagesOfOneTargetKeepTheirOrderAndTargetsDoNotWaitForEachOther) {
  auto outbox = open();
  put(outbox, "failed", {"chat", "pager"});
  put(outbox, "recovered", {"chat", "pager"}, kOutboxNow + 1s);
  auto due = outbox.due(kOutboxNow + 1s);
  ASSERT_THAT(*due, SizeIs(2));
  for (const auto& delivery : *due) {
    EXPECT_EQ(nlohmann::json::parse(delivery.body).at("reason"), "failed");
    if (delivery.target == "chat") {
      EXPECT_TRUE(*outbox.failed(delivery, 0s, kOutboxNow + 1s));
    } else {
      EXPECT_TRUE(outbox.delivered(delivery.id));
    }
  }
  due = outbox.due(kOutboxNow + 2s);
  ASSERT_THAT(*due, SizeIs(1)) << "chat waits, and its second message behind the first";
  EXPECT_EQ(due->front().target, "pager");
  EXPECT_EQ(nlohmann::json::parse(due->front().body).at("reason"), "recovered");
}

TEST_F(OutboxTest, IsBoundedAndTheOldestGoFirst) {
  auto outbox = open({.per_target = 3});
  std::size_t dropped = 0;
  for (int i = 0; i < 5; ++i) {
    const auto done = outbox.put({{message_of("failed", "apps/" + std::to_string(i)), {"chat"}}},
                                 {},
                                 kOutboxNow + std::chrono::seconds(i));
    dropped += *done;
  }
  EXPECT_EQ(dropped, 2U);
  EXPECT_EQ(outbox.depth(), 3U);
  const auto due = outbox.due(kOutboxNow + 10s);
  const auto body = nlohmann::json::parse(due->front().body);
  EXPECT_EQ(body.at("stacks").at(0).at("stack"), "apps/2");
}

TEST_F(OutboxTest, RemembersWhatWasToldUntilTheStackIsForgotten) {
  {
    auto outbox = open();
    put(outbox, "failed");
    put(outbox, "recovered");
  }
  auto outbox = open();
  const auto told = outbox.told();
  ASSERT_THAT(*told, SizeIs(1));
  EXPECT_EQ(told->front().reason, "recovered");
  EXPECT_TRUE(*outbox.said_lately({"apps/web", "failed", kCommit}, kOutboxNow + 59min));
  EXPECT_FALSE(*outbox.said_lately({"apps/web", "failed", kCommit}, kOutboxNow + 61min));
  EXPECT_FALSE(*outbox.said_lately({"apps/web", "failed", "another"}, kOutboxNow));
  EXPECT_TRUE(outbox.forget({"apps/web"}));
  EXPECT_THAT(*outbox.told(), IsEmpty());
}

TEST_F(OutboxTest, DeliveriesToATargetThatIsNoMoreGo) {
  auto outbox = open();
  put(outbox, "failed", {"chat", "old"});
  EXPECT_TRUE(outbox.keep_targets({"chat", "new"}));
  EXPECT_EQ(outbox.depth(), 1U);
}

TEST_F(OutboxTest, ADamagedFileIsSetAsideAndMessagesGoOn) {
  std::ofstream(file()) << std::string(5000, 'x');
  auto outbox = open();
  put(outbox, "failed");
  EXPECT_EQ(outbox.depth(), 1U);
  EXPECT_TRUE(std::filesystem::exists(file().string() + ".damaged"));
}

TEST_F(OutboxTest, ASecondDamagedFileIsKeptBesideTheFirst) {
  std::ofstream(file()) << std::string(5000, 'x');
  (void)open();
  std::ofstream(file()) << std::string(5000, 'y');
  (void)open();
  EXPECT_EQ(first_of(file().string() + ".damaged"), 'x');
  EXPECT_EQ(first_of(file().string() + ".damaged-2"), 'y');
}

TEST_F(OutboxTest, ASoundFileThatCannotBeOpenedNowStaysWhereItIs) {
  {
    auto outbox = open();
    put(outbox, "failed");
  }
  // Where no log can be made, as on a full disk.
  std::filesystem::create_directory(file().string() + "-wal");
  const auto opened = Outbox::open(file());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::unavailable);
  EXPECT_FALSE(std::filesystem::exists(file().string() + ".damaged"));
  std::filesystem::remove(file().string() + "-wal");
  EXPECT_EQ(open().depth(), 1U);
}

TEST_F(OutboxTest, AFileThatSomebodyElseHoldsStaysWhereItIs) {
  {
    auto outbox = open();
    put(outbox, "failed");
  }
  const auto other = Database::open(file(), "");
  ASSERT_TRUE(other && other->run("PRAGMA locking_mode=EXCLUSIVE") &&
              other->run("BEGIN EXCLUSIVE"));
  EXPECT_FALSE(Outbox::open(file()));
  EXPECT_FALSE(std::filesystem::exists(file().string() + ".damaged"));
}

TEST_F(OutboxTest, AClockThatWasSetBackHoldsNothingUp) {
  auto outbox = open();
  put(outbox, "failed");
  EXPECT_TRUE(*outbox.failed(outbox.due(kOutboxNow)->front(), 3'600s, kOutboxNow));
  EXPECT_THAT(*outbox.due(kOutboxNow), IsEmpty()) << "the longest pause that there is";
  EXPECT_THAT(*outbox.due(kOutboxNow - 1s), SizeIs(1));
}

TEST_F(OutboxTest, OnlyItsOwnerReadsTheFile) {
  auto outbox = open();
  struct stat found {};
  ASSERT_EQ(::stat(file().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
}

TEST(Outbox, WhereThereIsNoDirectoryItSaysSo) {
  const auto opened = Outbox::open("/nowhere/at/all/notify.db");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::unavailable);
}

}  // namespace
}  // namespace skep::notify::testing
