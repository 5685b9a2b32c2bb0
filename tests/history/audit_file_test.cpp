#include "history/audit_file.hpp"

#include <atomic>
#include <csignal>
#include <sstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <spdlog/sinks/ostream_sink.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/history/recorded.hpp"

namespace skep::history::test {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

/// Until it goes, no file of this process grows beyond so many bytes: as on a full disk.
class FullAfter {
 public:
  explicit FullAfter(std::uintmax_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    auto limit = before_;
    limit.rlim_cur = bytes;
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullAfter() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    (void)std::signal(SIGXFSZ, handler_);
  }
  FullAfter(const FullAfter&) = delete;
  FullAfter& operator=(const FullAfter&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = SIG_DFL;
};

class AuditFileTest : public ::testing::Test {
 protected:
  std::unique_ptr<AuditFile> start() {
    auto audit = AuditFile::open({.file = file(), .failed = [this] { ++failures_; }}, clock_, log_);
    EXPECT_TRUE(audit) << audit.error().message;
    return audit ? *std::move(audit) : nullptr;
  }
  [[nodiscard]] std::filesystem::path file() const { return directory_.path() / "logs" / "audit"; }
  [[nodiscard]] std::vector<nlohmann::json> lines(const std::filesystem::path& path) const {
    std::vector<nlohmann::json> found;
    std::ifstream stream(path);
    for (std::string line; std::getline(stream, line);)
      found.push_back(nlohmann::json::parse(line, nullptr, false));
    return found;
  }
  void SetUp() override { std::filesystem::create_directory(directory_.path() / "logs"); }

  TemporaryDirectory directory_;
  std::ostringstream said_;
  spdlog::logger log_{"test", std::make_shared<spdlog::sinks::ostream_sink_mt>(said_)};
  SystemClock clock_;
  std::atomic<int> failures_ = 0;
};

TEST_F(AuditFileTest, SaysWhoDidWhatWhyAndHowItEnded) {
  const auto audit = start();
  audit->synced(deployment("apps/web"));
  audit->noted({"apps/web", "asked", "approve", "token ci from 192.0.2.7"});
  ASSERT_TRUE(audit->flush());
  const auto found = lines(file());
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].at("record"), "operation");
  EXPECT_EQ(found[0].at("stack"), "apps/web");
  EXPECT_EQ(found[0].at("who"), "uid 0");
  EXPECT_EQ(found[0].at("why"), "git");
  EXPECT_EQ(found[0].at("plan_digest"), "0123456789abcdef");
  EXPECT_EQ(found[0].at("result"), "success");
  EXPECT_EQ(found[0].at("objects").at(1).at("name"), "web_app");
  EXPECT_EQ(found[0].at("objects").at(1).at("error"), "update out of sequence");
  EXPECT_EQ(found[1].at("record"), "asked");
  EXPECT_EQ(found[1].at("who"), "token ci from 192.0.2.7");
}

TEST_F(AuditFileTest, NobodyAskedMeansTheAuthorOfTheCommit) {
  const auto audit = start();
  auto report = deployment("apps/web");
  report.actor.clear();
  audit->synced(report);
  ASSERT_TRUE(audit->flush());
  EXPECT_EQ(lines(file()).at(0).at("who"), "Bea Keeper <bea@example.com>");
}

TEST_F(AuditFileTest, IsAddedToAndReadableByItsOwnerOnly) {
  start()->synced(deployment("apps/one"));
  start()->synced(deployment("apps/two"));
  EXPECT_THAT(lines(file()), SizeIs(2));
  struct stat status {};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(AuditFileTest, WhoMovesItAwayGetsANewOne) {
  const auto audit = start();
  audit->synced(deployment("apps/one"));
  ASSERT_TRUE(audit->flush());
  std::filesystem::rename(file(), file().string() + ".1");
  audit->synced(deployment("apps/two"));
  ASSERT_TRUE(audit->flush());
  EXPECT_EQ(lines(file().string() + ".1").at(0).at("stack"), "apps/one");
  ASSERT_THAT(lines(file()), SizeIs(1));
  EXPECT_EQ(lines(file()).at(0).at("stack"), "apps/two");
  EXPECT_EQ(failures_, 0);
}

TEST_F(AuditFileTest, ALineThatIsLostIsCountedAndSaidOnce) {
  const auto audit = start();
  std::filesystem::remove_all(file().parent_path());
  audit->synced(deployment("apps/one"));
  audit->synced(deployment("apps/two"));
  ASSERT_TRUE(audit->flush());
  EXPECT_EQ(failures_, 2);
  const auto said = said_.str();
  EXPECT_THAT(said, HasSubstr("the audit file cannot be written"));
  EXPECT_EQ(said.find("cannot be written"), said.rfind("cannot be written"));
  std::filesystem::create_directory(file().parent_path());
  audit->synced(deployment("apps/three"));
  ASSERT_TRUE(audit->flush());
  EXPECT_THAT(lines(file()), SizeIs(1));
  EXPECT_THAT(said_.str(), HasSubstr("the audit file is written again"));
}

TEST_F(AuditFileTest, AfterALineThatTheDiskCutShortTheNextOneIsWhole) {
  auto audit = start();
  audit->synced(deployment("apps/one"));
  ASSERT_TRUE(audit->flush());
  {
    const FullAfter limit(std::filesystem::file_size(file()) + 20);
    audit->synced(deployment("apps/two"));
    audit->synced(deployment("apps/three"));
    ASSERT_TRUE(audit->flush());
  }
  EXPECT_EQ(failures_, 2);
  audit->synced(deployment("apps/four"));
  ASSERT_TRUE(audit->flush());
  auto found = lines(file());
  ASSERT_THAT(found, SizeIs(3));
  EXPECT_TRUE(found[1].is_discarded()) << "what was torn stays: nothing is ever changed";
  EXPECT_EQ(found[2].at("stack"), "apps/four");
  {
    const FullAfter limit(std::filesystem::file_size(file()) + 20);
    audit->synced(deployment("apps/five"));
    ASSERT_TRUE(audit->flush());
  }
  audit.reset();
  audit = start();  // Another process finds the torn end.
  audit->synced(deployment("apps/six"));
  ASSERT_TRUE(audit->flush());
  found = lines(file());
  ASSERT_THAT(found, SizeIs(5));
  EXPECT_EQ(found[4].at("stack"), "apps/six");
}

TEST_F(AuditFileTest, OneThatCannotBeOpenedIsAMistakeAtTheStart) {
  std::filesystem::remove_all(file().parent_path());
  const auto audit = AuditFile::open({.file = file()}, clock_, log_);
  ASSERT_FALSE(audit);
  EXPECT_THAT(audit.error().message, HasSubstr("No such file or directory"));
}

// Attack 22: what comes from git begins no new line.
TEST_F(AuditFileTest, ForgesNoLine_Attack22) {
  const auto audit = start();
  auto report = deployment("apps/web");
  report.subject = "a\n{\"record\":\"operation\",\"who\":\"root\"}\xff";
  audit->synced(report);
  ASSERT_TRUE(audit->flush());
  ASSERT_THAT(lines(file()), SizeIs(1));
  EXPECT_THAT(lines(file()).at(0).at("subject").get<std::string>(), HasSubstr("a\n{"));
}

}  // namespace
}  // namespace skep::history::test
