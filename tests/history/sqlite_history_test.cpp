#include "history/sqlite_history.hpp"

#include <sstream>

#include <gmock/gmock.h>
#include <sched.h>
#include <spdlog/sinks/ostream_sink.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "tests/history/recorded.hpp"

namespace skep::history::test {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

/// The recorder with its thread, on a real file.
class SqliteHistoryTest : public ::testing::Test {
 protected:
  void start() {
    history.reset();
    HistoryOptions options;
    options.file = file();
    options.retry = 20ms;
    options.limits = limits;
    options.queue = queue;
    history = std::make_unique<SqliteHistory>(options, clock, log);
  }
  [[nodiscard]] std::filesystem::path file() const { return state / "history.db"; }
  [[nodiscard]] std::vector<std::string> stacks() const {
    std::vector<std::string> names;
    const auto found = history->operations({.limit = 1'000});
    if (!found) return {"error: " + found.error().message};
    for (const auto& record : *found) names.push_back(record.report.stack);
    return names;
  }
  [[nodiscard]] std::vector<std::string> events() const {
    std::vector<std::string> told;
    const auto found = history->events({.limit = 1'000});
    if (!found) return {"error: " + found.error().message};
    for (const auto& one : *found)
      told.push_back(one.kind + " " + one.value + (one.message.empty() ? "" : ": " + one.message));
    return told;
  }
  template <typename Condition>
  [[nodiscard]] bool eventually(Condition&& condition) {
    const auto deadline = clock.steady() + 20s;
    while (clock.steady() < deadline) {
      if (condition()) return true;
      clock.sleep_for(5ms, {});
    }
    return false;
  }
  [[nodiscard]] std::vector<std::string> set_aside() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(state)) {
      const auto name = entry.path().filename().string();
      if (name.find(".damaged-") != std::string::npos) names.push_back(name);
    }
    return names;
  }
  [[nodiscard]] std::size_t said(const std::string& sentence) const {
    const auto text = lines.str();
    std::size_t count = 0;
    for (auto at = text.find(sentence); at != std::string::npos; at = text.find(sentence, at + 1))
      ++count;
    return count;
  }

  TemporaryDirectory directory;
  std::filesystem::path state = directory.path() / "state";
  Limits limits;
  std::size_t queue = 1'000;
  SystemClock clock;
  std::ostringstream lines;
  spdlog::logger log{"test", std::make_shared<spdlog::sinks::ostream_sink_mt>(lines)};
  std::unique_ptr<SqliteHistory> history;
};

TEST_F(SqliteHistoryTest, KeepsWhatItIsToldOverARestart) {
  start();
  history->synced(deployment("apps/web"));
  history->noted({"apps/web", "asked", "sync", "uid 0"});
  start();  // The first one writes what is left when it ends.
  ASSERT_TRUE(history->flush());
  EXPECT_THAT(stacks(), ElementsAre("apps/web"));
  EXPECT_THAT(events(),
              ElementsAre("operation success: git: aaaaaaaaaaaa -> bbbbbbbbbbbb \"web: newer "
                          "image\"",
                          "asked : sync"));
}

TEST_F(SqliteHistoryTest, AnUnreadableSwarmIsOneEventAndNotOneForEachStack) {
  ports::StackStatus stack;
  stack.group = "apps";
  stack.name = "web";
  stack.sync = ports::SyncState::synced;
  stack.health = ports::Health::healthy;
  start();
  history->observed(true);
  history->status({stack});
  history->observed(false);
  history->unreadable("no quorum");
  auto unknown = stack;
  unknown.sync = ports::SyncState::unknown;
  unknown.health = ports::Health::unknown;
  history->status({unknown});
  history->unreadable("no quorum");
  history->observed(true);
  history->status({stack});
  ASSERT_TRUE(history->flush());
  EXPECT_THAT(
      events(),
      ElementsAre(
          "sync synced", "health healthy", "swarm unreadable: no quorum", "swarm readable"));
}

TEST_F(SqliteHistoryTest, GitThatCannotBeReadIsToldOnceAndWhenItComesBack) {
  start();
  history->fetched({true, "a", 1ms, ""});
  history->fetched({false, "", 1ms, "no route"});
  history->fetched({false, "", 1ms, "no route"});
  history->fetched({true, "a", 1ms, ""});
  ASSERT_TRUE(history->flush());
  EXPECT_THAT(events(), ElementsAre("git unreadable: no route", "git readable"));
}

TEST_F(SqliteHistoryTest, ACommitThatCannotBeReadAsAWholeIsTroubleOfGit) {
  start();
  ports::FetchReport report{true, "a", 1ms};
  history->fetched(report);
  report.unreadable = "skep.yaml:3:1: unknown key netwroks";
  history->fetched(report);
  history->fetched(report);
  report.unreadable.clear();
  history->fetched(report);
  ASSERT_TRUE(history->flush());
  EXPECT_THAT(events(),
              ElementsAre("git unreadable: skep.yaml:3:1: unknown key netwroks", "git readable"));
}

TEST_F(SqliteHistoryTest, AFileThatIsDeletedWhileItRunsIsMadeAgainAndNothingIsSaid) {
  start();
  history->synced(deployment("apps/lost"));
  ASSERT_TRUE(history->flush());
  std::filesystem::remove_all(state);
  EXPECT_THAT(stacks(), IsEmpty());
  history->synced(deployment("apps/web"));
  ASSERT_TRUE(history->flush());
  EXPECT_THAT(stacks(), ElementsAre("apps/web"));
  EXPECT_EQ(history->trouble(), "");
}

TEST_F(SqliteHistoryTest, ADamagedFileIsSetAsideUnderANameThatTellsWhen) {
  std::filesystem::create_directories(state);
  std::ofstream(file()) << std::string(10'000, 'x');
  start();
  history->synced(deployment("apps/web"));
  ASSERT_TRUE(history->flush());
  EXPECT_THAT(stacks(), ElementsAre("apps/web"));
  ASSERT_THAT(set_aside(), SizeIs(1));
  EXPECT_THAT(set_aside().front(),
              ::testing::MatchesRegex("history.db.damaged-20..-..-..T......Z"));
  EXPECT_EQ(said("set aside"), 1U) << lines.str();
  EXPECT_EQ(history->trouble(), "");
}

TEST_F(SqliteHistoryTest, DamageInTheMiddleOfTheFileIsFoundWhileItRuns) {
  start();
  for (int i = 0; i < 200; ++i) history->synced(deployment("apps/s" + std::to_string(i)));
  ASSERT_TRUE(history->flush());
  start();  // Closing moves everything from the WAL into the file.
  ASSERT_TRUE(history->flush());
  ASSERT_THAT(stacks(), SizeIs(200));
  {
    const auto size = std::filesystem::file_size(file());
    ASSERT_GT(size, 40'000U);
    std::fstream damage(file(), std::ios::in | std::ios::out | std::ios::binary);
    damage.seekp(static_cast<std::streamoff>(size / 4));
    damage << std::string(size / 2, '\x5a');
  }
  EXPECT_TRUE(eventually([&] {
    history->synced(deployment("apps/after"));
    (void)history->flush();
    const auto now = stacks();
    return now.size() < 200 && !now.empty() && now.front() == "apps/after";
  })) << ::testing::PrintToString(stacks());
  EXPECT_THAT(set_aside(), SizeIs(1));
  EXPECT_EQ(history->trouble(), "");
}

TEST_F(SqliteHistoryTest, AFileThatIsDamagedAgainAndAgainDoesNotFillTheDisk) {
  start();
  for (int i = 0; i < 4; ++i) {
    history.reset();
    std::ofstream(file()) << "no database at all, but long enough to be looked at " << i;
    start();
    history->synced(deployment("apps/web"));
    ASSERT_TRUE(history->flush());
    clock.sleep_for(1'100ms, {});  // Their names tell the second.
  }
  EXPECT_THAT(set_aside(), SizeIs(2));
  EXPECT_THAT(stacks(), SizeIs(1));
}

TEST_F(SqliteHistoryTest, AFileOfANewerSkepIsKeptAsideAndNotOverwritten) {
  start();
  history->synced(deployment("apps/newer"));
  history.reset();
  {
    std::fstream patch(file(), std::ios::in | std::ios::out | std::ios::binary);
    patch.seekp(60 + 3);  // user_version, big endian, of the database header.
    patch.put(99);
  }
  start();
  history->synced(deployment("apps/web"));
  ASSERT_TRUE(history->flush());
  EXPECT_THAT(stacks(), ElementsAre("apps/web"));
  ASSERT_THAT(set_aside(), SizeIs(1));
  EXPECT_THAT(all_bytes(state), HasSubstr("apps/newer"));
}

TEST_F(SqliteHistoryTest, ADirectoryInItsPlaceIsSetAside) {
  std::filesystem::create_directories(file() / "sub");
  start();
  history->synced(deployment("apps/web"));
  ASSERT_TRUE(history->flush());
  EXPECT_THAT(stacks(), ElementsAre("apps/web"));
  EXPECT_THAT(set_aside(), SizeIs(1));
}

TEST_F(SqliteHistoryTest, WhileTheDirectoryCannotBeMadeItSaysSoOnceAndRecoversByItself) {
  std::ofstream(state) << "a file where the directory should be";
  start();
  history->synced(deployment("apps/one"));
  ASSERT_TRUE(eventually([&] { return !history->trouble().empty(); }));
  history->synced(deployment("apps/two"));
  clock.sleep_for(100ms, {});  // Several attempts in vain.
  EXPECT_EQ(said("history is not kept"), 1U) << lines.str();
  EXPECT_EQ(said("kept again"), 0U);
  std::filesystem::remove(state);
  ASSERT_TRUE(eventually([&] { return history->trouble().empty(); }));
  EXPECT_THAT(stacks(), ElementsAre("apps/two", "apps/one")) << "what waited was lost";
  EXPECT_EQ(said("kept again"), 1U) << lines.str();
}

TEST_F(SqliteHistoryTest, WhatDoesNotFitInTheQueueIsLostOldestFirstAndSaidSo) {
  std::ofstream(state) << "in the way";
  queue = 3;
  start();
  for (int i = 0; i < 10; ++i) history->synced(deployment("apps/s" + std::to_string(i)));
  ASSERT_TRUE(eventually([&] { return !history->trouble().empty(); }));
  std::filesystem::remove(state);
  ASSERT_TRUE(eventually([&] { return history->trouble().empty(); }));
  ASSERT_TRUE(history->flush());
  EXPECT_THAT(stacks(), ElementsAre("apps/s9", "apps/s8", "apps/s7"));
  // The one that the writer held in its hand when the queue was full is not always counted.
  EXPECT_THAT(events(),
              ::testing::Contains(::testing::AnyOf(HasSubstr("7 older records were lost"),
                                                   HasSubstr("6 older records were lost"))));
}

TEST_F(SqliteHistoryTest, ItNeverWaitsForTheDisk) {
  std::ofstream(state) << "in the way";
  start();
  const auto begun = clock.steady();
  for (int i = 0; i < 1'000; ++i) history->synced(deployment("apps/web"));
  EXPECT_LT(clock.steady() - begun, 60s) << "a thousand waits would take hours";
}

TEST_F(SqliteHistoryTest, ItsFileGrowsNoFurtherThanItMay) {
  limits.bytes = 512U << 10U;
  start();
  for (int i = 0; i < 3'000; ++i) {
    history->synced(deployment("apps/s" + std::to_string(i)));
    if (i % 200 != 0) continue;
    ASSERT_TRUE(history->flush());
  }
  ASSERT_TRUE(history->flush());
  EXPECT_EQ(history->trouble(), "");
  EXPECT_EQ(stacks().front(), "apps/s2999") << "the newest are what counts";
  history.reset();
  EXPECT_LE(std::filesystem::file_size(file()), limits.bytes);
}

/// On a file system of a given size, or read-only, in a mount namespace of this process's own.
class OnAFileSystem : public SqliteHistoryTest {
 protected:
  void mount_small(const char* size) {
    std::filesystem::create_directories(state);
    if (::unshare(CLONE_NEWNS) != 0) GTEST_SKIP() << "this needs root";
    ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(::mount("tmpfs", state.c_str(), "tmpfs", 0, size), 0);
    mounted_ = true;
  }
  void TearDown() override {
    history.reset();
    if (mounted_) ::umount2(state.c_str(), MNT_DETACH);
  }

 private:
  bool mounted_ = false;
};

TEST_F(OnAFileSystem, ThatIsFullItWaitsAndGoesOnWhenThereIsRoom) {
  mount_small("size=2m");
  if (IsSkipped() || HasFatalFailure()) return;
  start();
  history->synced(deployment("apps/before"));
  ASSERT_TRUE(history->flush());
  {
    std::ofstream ballast(state / "ballast", std::ios::binary);
    while (ballast << std::string(4'096, 'b') << std::flush) continue;
  }
  for (int i = 0; i < 200; ++i) history->synced(deployment("apps/during"));
  ASSERT_TRUE(eventually([&] { return !history->trouble().empty(); }));
  EXPECT_THAT(stacks(), ::testing::Contains("apps/before")) << "what is written is still readable";
  clock.sleep_for(100ms, {});
  EXPECT_EQ(said("history is not kept"), 1U) << lines.str();
  std::filesystem::remove(state / "ballast");
  ASSERT_TRUE(eventually([&] { return history->trouble().empty(); })) << history->trouble();
  history->synced(deployment("apps/after"));
  ASSERT_TRUE(history->flush());
  EXPECT_EQ(stacks().front(), "apps/after");
  EXPECT_EQ(stacks().back(), "apps/before") << "a full disk cost what was there";
}

TEST_F(OnAFileSystem, ThatBecomesReadOnlyItWaitsAndGoesOn) {
  mount_small("size=4m");
  if (IsSkipped() || HasFatalFailure()) return;
  start();
  history->synced(deployment("apps/before"));
  ASSERT_TRUE(history->flush());
  history.reset();
  ASSERT_EQ(::mount("none", state.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
  start();
  history->synced(deployment("apps/during"));
  ASSERT_TRUE(eventually([&] { return !history->trouble().empty(); }));
  ASSERT_EQ(::mount("none", state.c_str(), nullptr, MS_REMOUNT, nullptr), 0);
  ASSERT_TRUE(eventually([&] { return history->trouble().empty(); }));
  EXPECT_THAT(stacks(), ElementsAre("apps/during", "apps/before"));
  EXPECT_THAT(set_aside(), IsEmpty()) << "a file that cannot be written is not damaged";
}

}  // namespace
}  // namespace skep::history::test
