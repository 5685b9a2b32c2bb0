#include "history/store.hpp"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "history/sqlite.hpp"
#include "tests/history/recorded.hpp"

namespace skep::history::test {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class StoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<Store> open(const Limits& limits = {}) {
    auto store = Store::open(file(), limits, trouble);
    if (!store) {
      error = store.error().message;
      return nullptr;
    }
    return *std::move(store);
  }
  [[nodiscard]] std::filesystem::path file() const { return directory.path() / "sub" / "h.db"; }
  [[nodiscard]] std::vector<std::string> stacks(const ports::HistoryQuery& query) const {
    std::vector<std::string> names;
    const auto found = read_operations(file(), query);
    EXPECT_TRUE(found) << found.error().message;
    for (const auto& record : *found) names.push_back(record.report.stack);
    return names;
  }
  [[nodiscard]] std::vector<std::string> kinds(const ports::HistoryQuery& query) const {
    std::vector<std::string> names;
    const auto found = read_events(file(), query);
    EXPECT_TRUE(found) << found.error().message;
    for (const auto& record : *found) names.push_back(record.kind);
    return names;
  }
  void run(const std::string& sql) const {
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(file().c_str(), &raw), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(raw);
    sqlite3_close(raw);
  }

  TemporaryDirectory directory;
  Trouble trouble = Trouble::none;
  std::string error;
};

TEST_F(StoreTest, AnOperationComesBackAsItWasToldInAllItsParts) {
  const auto store = open();
  ASSERT_TRUE(store) << error;
  const auto told = deployment("apps/web");
  ASSERT_TRUE(store->add(told, kThen + 2s));
  const auto found = read_operations(file(), {});
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_THAT(*found, SizeIs(1));
  const auto& record = found->front();
  EXPECT_GT(record.id, 0);
  EXPECT_EQ(record.attempts, 1U);
  EXPECT_EQ(record.last_ended, kThen + 2s);
  const auto& report = record.report;
  EXPECT_EQ(report.stack, told.stack);
  EXPECT_EQ(report.trigger, told.trigger);
  EXPECT_EQ(report.result, told.result);
  EXPECT_EQ(report.started, told.started);
  EXPECT_EQ(report.duration, told.duration);
  EXPECT_EQ(report.revision_from, told.revision_from);
  EXPECT_EQ(report.revision_to, told.revision_to);
  EXPECT_EQ(report.author, told.author);
  EXPECT_EQ(report.subject, told.subject);
  EXPECT_EQ(report.plan_digest, told.plan_digest);
  EXPECT_EQ(report.actor, told.actor);
  ASSERT_THAT(report.objects, SizeIs(2));
  EXPECT_EQ(report.objects[0].kind, diff::ObjectKind::config);
  EXPECT_EQ(report.objects[0].verb, diff::Verb::create);
  EXPECT_EQ(report.objects[0].name, "web_conf");
  EXPECT_THAT(report.objects[0].fields, IsEmpty());
  EXPECT_THAT(report.objects[1].fields, ElementsAre("image", "environment LOG_LEVEL"));
  EXPECT_EQ(report.objects[1].error, "update out of sequence");
}

TEST_F(StoreTest, OperationsComeNewestFirstAndByStackNameOrFullName) {
  const auto store = open();
  ASSERT_TRUE(store) << error;
  ASSERT_TRUE(store->add(deployment("apps/web"), kThen));
  ASSERT_TRUE(store->add(deployment("apps/db"), kThen + 1s));
  ASSERT_TRUE(store->add(deployment("management/web"), kThen + 2s));
  EXPECT_THAT(stacks({}), ElementsAre("management/web", "apps/db", "apps/web"));
  EXPECT_THAT(stacks({.stack = "web"}), ElementsAre("management/web", "apps/web"));
  EXPECT_THAT(stacks({.stack = "apps/web"}), ElementsAre("apps/web"));
  EXPECT_THAT(stacks({.limit = 1}), ElementsAre("management/web"));
  EXPECT_THAT(stacks({.since = kThen + 1s}), ElementsAre("management/web", "apps/db"));
  EXPECT_THAT(stacks({.stack = "web' OR 1=1 --"}), IsEmpty());
}

TEST_F(StoreTest, RetriesThatFailInTheSameWordsAreCountedAndNotListed) {
  const auto store = open();
  ASSERT_TRUE(store) << error;
  auto failure = deployment("apps/web");
  failure.result = "failure";
  failure.failed_phase = "apply";
  failure.message = "port taken";
  EXPECT_TRUE(*store->add(failure, kThen));
  failure.trigger = "retry";
  EXPECT_FALSE(*store->add(failure, kThen + 1min));
  EXPECT_FALSE(*store->add(failure, kThen + 2min));
  auto other_plan = failure;
  other_plan.plan_digest = "of what a person edited";
  EXPECT_TRUE(*store->add(other_plan, kThen + 2min));
  other_plan.plan_digest = "";
  EXPECT_FALSE(*store->add(other_plan, kThen + 2min)) << "without a plan it only looked again";
  failure.message = "network gone";
  EXPECT_TRUE(*store->add(failure, kThen + 3min));
  const auto found = read_operations(file(), {});
  ASSERT_TRUE(found);
  ASSERT_THAT(*found, SizeIs(3));
  EXPECT_EQ((*found)[2].attempts, 3U);
  EXPECT_EQ((*found)[2].last_ended, kThen + 2min);
  EXPECT_EQ((*found)[1].attempts, 2U);
}

TEST_F(StoreTest, EventsComeOldestFirstAndGoOnAfterAnId) {
  const auto store = open();
  ASSERT_TRUE(store) << error;
  for (const auto* kind : {"a", "b", "c", "d"})
    ASSERT_TRUE(store->add(event("apps/web", kind), false));
  EXPECT_THAT(kinds({}), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(kinds({.limit = 2}), ElementsAre("c", "d")) << "the newest, in order";
  const auto first = read_events(file(), {})->front().id;
  EXPECT_THAT(kinds({.after = first, .limit = 2}), ElementsAre("b", "c")) << "what comes next";
}

TEST_F(StoreTest, AStateThatIsKnownFromAnEarlierRunIsNoNews) {
  auto state = event("apps/web", "sync");
  state.value = "synced";
  {
    const auto store = open();
    ASSERT_TRUE(store) << error;
    ASSERT_TRUE(store->add(state, true));
  }
  const auto store = open();
  ASSERT_TRUE(store) << error;
  ASSERT_TRUE(store->add(state, true));
  EXPECT_THAT(kinds({}), SizeIs(1));
  state.value = "out_of_sync";
  ASSERT_TRUE(store->add(state, true));
  EXPECT_EQ(read_events(file(), {})->back().before, "synced") << "told by the file";
  ASSERT_TRUE(store->forget("apps/web"));
  ASSERT_TRUE(store->add(state, true));
  EXPECT_THAT(kinds({}), SizeIs(3));
}

TEST_F(StoreTest, WhatIsUsualFromTheBeginningIsNotTold) {
  const auto store = open();
  ASSERT_TRUE(store) << error;
  auto state = event("apps/web", "held");
  state.before = state.value = "false";
  ASSERT_TRUE(store->add(state, true));
  EXPECT_THAT(kinds({}), IsEmpty());
  state.value = "true";
  ASSERT_TRUE(store->add(state, false));
  EXPECT_THAT(kinds({}), ElementsAre("held"));
}

TEST_F(StoreTest, IdsGrowWithTimeAlsoWhereTheFileWasLost) {
  std::int64_t before = 0;
  {
    const auto store = open();
    ASSERT_TRUE(store) << error;
    ASSERT_TRUE(store->add(event("", "a"), false));
    before = read_events(file(), {})->back().id;
  }
  std::filesystem::remove_all(file().parent_path());
  const auto store = open();
  ASSERT_TRUE(store) << error;
  auto later = event("", "b");
  later.at += 1s;
  ASSERT_TRUE(store->add(later, false));
  EXPECT_GT(read_events(file(), {})->back().id, before);
  later.at -= 1h;  // A clock that was set back.
  ASSERT_TRUE(store->add(later, false));
  const auto all = *read_events(file(), {});
  EXPECT_GT(all[1].id, all[0].id);
}

TEST_F(StoreTest, KeepsNoMoreThanItMay) {
  const auto store = open({.operations = 3, .events = 5});
  ASSERT_TRUE(store) << error;
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(store->add(deployment("apps/s" + std::to_string(i)), kThen + i * 1s));
    ASSERT_TRUE(store->add(event("", std::to_string(i)), false));
  }
  ASSERT_TRUE(store->prune(kThen + 1min, false));
  EXPECT_THAT(stacks({}), ElementsAre("apps/s9", "apps/s8", "apps/s7"));
  EXPECT_THAT(kinds({}), ElementsAre("5", "6", "7", "8", "9"));
}

TEST_F(StoreTest, WhatIsTooOldGoesWithItsObjects) {
  const auto store = open({.age = 24h});
  ASSERT_TRUE(store) << error;
  ASSERT_TRUE(store->add(deployment("apps/old"), kThen));
  ASSERT_TRUE(store->add(deployment("apps/new"), kThen + 25h));
  ASSERT_TRUE(store->add(event("", "old"), false));
  ASSERT_TRUE(store->prune(kThen + 26h, false));
  EXPECT_THAT(stacks({}), ElementsAre("apps/new"));
  EXPECT_THAT(kinds({}), IsEmpty());
  auto database = Database::open(file(), Database::Mode::read);
  ASSERT_TRUE(database);
  auto count = Statement::prepare(*database, "SELECT count(*) FROM objects");
  ASSERT_TRUE(count);
  ASSERT_TRUE(*count->step());
  EXPECT_EQ(count->number(0), 2) << "objects of an operation that is gone are left";
}

TEST_F(StoreTest, AFileOfANewerVersionIsNotWritten) {
  ASSERT_TRUE(open()) << error;
  run("PRAGMA user_version = 99");
  EXPECT_FALSE(open());
  EXPECT_EQ(trouble, Trouble::damaged);
  EXPECT_THAT(error, ::testing::HasSubstr("newer skep (version 99)"));
}

TEST_F(StoreTest, AnEmptyFileIsBroughtUpToDate) {
  std::filesystem::create_directories(file().parent_path());
  std::ofstream(file()).close();
  const auto store = open();
  ASSERT_TRUE(store) << error;
  EXPECT_TRUE(store->add(deployment("apps/web"), kThen));
}

TEST_F(StoreTest, AFileWithoutOurTablesCountsAsDamaged) {
  ASSERT_TRUE(open()) << error;
  run("DROP TABLE events");
  const auto store = open();
  EXPECT_FALSE(store) << "an incomplete file was taken";
  EXPECT_EQ(trouble, Trouble::damaged);
}

TEST_F(StoreTest, IsReadableForItsOwnerOnly) {
  ASSERT_TRUE(open()) << error;
  struct stat info = {};
  ASSERT_EQ(::stat(file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(StoreTest, AFileThatIsNotThereHoldsNothingAndIsNotMadeByReading) {
  EXPECT_THAT(stacks({}), IsEmpty());
  EXPECT_THAT(kinds({}), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(StoreTest, TextOfAnyKindComesBackAsItWas) {
  const auto store = open();
  ASSERT_TRUE(store) << error;
  auto odd = deployment("apps/o'dd\"; DROP TABLE events; --");
  constexpr char kOdd[] = "zero \0 byte, \xff no UTF-8, ü";
  odd.message = std::string(kOdd, sizeof(kOdd) - 1);
  odd.subject = "";
  ASSERT_TRUE(store->add(odd, kThen));
  const auto found = read_operations(file(), {});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->front().report.stack, odd.stack);
  EXPECT_EQ(found->front().report.message, odd.message);
}

}  // namespace
}  // namespace skep::history::test
