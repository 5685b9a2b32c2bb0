#include "gitsync/file_checkout.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

namespace skep::gitsync {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct FileCheckoutTest : ::testing::Test {
  FileCheckoutTest() {
    std::string pattern = fs::temp_directory_path() / "checkout.XXXXXX";
    directory = ::mkdtemp(pattern.data());
  }
  ~FileCheckoutTest() override { fs::remove_all(directory); }
  FileCheckoutTest(const FileCheckoutTest&) = delete;
  FileCheckoutTest& operator=(const FileCheckoutTest&) = delete;

  static ports::CheckoutFile file(const std::string& path,
                                  const std::string& text,
                                  bool executable = false) {
    return {*RepoPath::parse(path), text, executable};
  }
  [[nodiscard]] std::string content(const std::string& path) const {
    std::ifstream in(directory / path, std::ios::binary);
    return in ? std::string(std::istreambuf_iterator<char>(in), {}) : "(none)";
  }
  void put(const std::string& path, const std::string& text) const {
    fs::create_directories((directory / path).parent_path());
    std::ofstream(directory / path) << text;
  }
  [[nodiscard]] ::ino_t inode(const std::string& path) const {
    struct stat about {};
    EXPECT_EQ(::lstat((directory / path).c_str(), &about), 0);
    return about.st_ino;
  }
  std::size_t write(const std::vector<ports::CheckoutFile>& files, const std::string& stack = "a") {
    const auto written = FileCheckout(directory).write(stack, files);
    EXPECT_TRUE(written) << written.error().message;
    return written ? *written : 0;
  }
  std::string refusal(const std::vector<ports::CheckoutFile>& files) {
    const auto written = FileCheckout(directory).write("a", files);
    return written ? "written" : written.error().message;
  }
  fs::path directory;
};

TEST_F(FileCheckoutTest, WritesWhatDiffersAndTouchesNothingElse) {
  EXPECT_EQ(write({file("apps/a/x.conf", "one"), file("apps/a/run", "#!", true)}), 2U);
  EXPECT_EQ(content("apps/a/x.conf"), "one");
  EXPECT_EQ(fs::status(directory / "apps/a/run").permissions(), fs::perms(0755));
  EXPECT_EQ(fs::status(directory / "apps/a/x.conf").permissions(), fs::perms(0644));
  const auto run = inode("apps/a/run");
  const auto manifest = inode(".skep-checkout");
  EXPECT_EQ(write({file("apps/a/x.conf", "one"), file("apps/a/run", "#!", true)}), 0U);
  EXPECT_EQ(inode(".skep-checkout"), manifest);
  EXPECT_EQ(write({file("apps/a/x.conf", "two"), file("apps/a/run", "#!", true)}), 1U);
  EXPECT_EQ(content("apps/a/x.conf"), "two");
  EXPECT_EQ(inode("apps/a/run"), run);
  EXPECT_EQ(write({file("apps/a/x.conf", "two", true), file("apps/a/run", "#!", true)}), 1U);
}

TEST_F(FileCheckoutTest, ATaskKeepsTheFileThatItMountedUntilItEnds) {
  write({file("x.conf", "one")});
  std::ifstream mounted(directory / "x.conf");
  const auto before = inode("x.conf");
  write({file("x.conf", "two")});
  EXPECT_NE(inode("x.conf"), before) << "replaced as a whole, not written into";
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(mounted), {}), "one");
}

TEST_F(FileCheckoutTest, WhatLeftGitGoesAndWhatGitNeverHeldStays) {
  put("conf.d/mine.conf", "untracked");
  write({file("conf.d/a.conf", "a"), file("conf.d/b.conf", "b"), file("conf.d/c.conf", "c")});
  put("conf.d/c.conf", "edited on the node");
  EXPECT_EQ(write({file("conf.d/a.conf", "a")}), 1U);
  EXPECT_EQ(content("conf.d/b.conf"), "(none)");
  EXPECT_EQ(content("conf.d/c.conf"), "edited on the node");
  EXPECT_EQ(content("conf.d/mine.conf"), "untracked");
}

TEST_F(FileCheckoutTest, AFileThatAnotherStackMountsStays) {
  write({file("shared.conf", "s"), file("own.conf", "o")});
  write({file("shared.conf", "s")}, "b");
  write({file("next.conf", "n")});
  EXPECT_EQ(content("shared.conf"), "s");
  EXPECT_EQ(content("own.conf"), "(none)");
}

TEST_F(FileCheckoutTest, WhatIsThereAlreadyBecomesOurs) {
  put("x.conf", "same");
  const auto before = inode("x.conf");
  EXPECT_EQ(write({file("x.conf", "same")}), 0U);
  EXPECT_EQ(inode("x.conf"), before);
  put("y.conf", "stale");
  EXPECT_EQ(write({file("x.conf", "same"), file("y.conf", "fresh")}), 1U);
  EXPECT_EQ(content("y.conf"), "fresh") << "git holds it: what stood there does not count";
}

/// A container that may write into a mounted directory plants a link.
TEST_F(FileCheckoutTest, FollowsNoLinkOutOfTheDirectory) {
  const auto outside = directory.string() + "-outside";
  fs::create_directories(outside);
  std::ofstream(outside + "/passwd") << "root";
  fs::create_directories(directory / "apps");
  fs::create_directory_symlink(outside, directory / "apps/a");
  EXPECT_THAT(refusal({file("apps/a/passwd", "owned")}), HasSubstr("apps/a is no directory there"));
  fs::create_symlink(outside + "/passwd", directory / "apps/link");
  EXPECT_EQ(refusal({file("apps/link", "owned")}), "written") << "the link itself is replaced";
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(directory / "apps/link")));
  std::ifstream in(outside + "/passwd");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "root");
  fs::remove_all(outside);
}

TEST_F(FileCheckoutTest, ADirectoryInTheWayIsSaidAndLeftAlone) {
  put("x.conf/keep", "me");
  EXPECT_THAT(refusal({file("x.conf", "one")}), HasSubstr("x.conf is a directory there"));
  EXPECT_EQ(content("x.conf/keep"), "me");
  put("file", "f");
  EXPECT_THAT(refusal({file("file/below", "one")}), HasSubstr("file is no directory there"));
}

TEST_F(FileCheckoutTest, AFileOfOursBecomesADirectoryAndADirectoryAFile) {
  write({file("conf", "one"), file("stays", "s")});
  EXPECT_EQ(write({file("conf/a", "a"), file("conf/sub/b", "b"), file("stays", "s")}), 3U);
  EXPECT_EQ(content("conf/a"), "a");
  EXPECT_EQ(write({file("conf", "two"), file("stays", "s")}), 3U);
  EXPECT_EQ(content("conf"), "two");
  EXPECT_EQ(content("stays"), "s");
}

TEST_F(FileCheckoutTest, ADirectoryThatIsEmptySinceLongIsNoHindrance) {
  write({file("conf/sub/a", "a")});
  write({});
  EXPECT_EQ(write({file("conf", "one")}), 1U);
  EXPECT_EQ(content("conf"), "one");
}

TEST_F(FileCheckoutTest, WhatWasEditedOnTheNodeIsInTheWayAndStays) {
  write({file("conf", "one")});
  put("conf", "edited on the node");
  EXPECT_THAT(refusal({file("conf/a", "a")}), HasSubstr("conf is no directory there"));
  EXPECT_EQ(content("conf"), "edited on the node");
  write({file("dir/a", "a"), file("dir/b", "b")});
  put("dir/a", "edited on the node");
  EXPECT_THAT(refusal({file("dir", "d")}), HasSubstr("dir is a directory there"));
  EXPECT_EQ(content("dir/a"), "edited on the node");
}

TEST_F(FileCheckoutTest, AFileOfAnotherStackIsInTheWayUntilThatStackLeavesIt) {
  write({file("conf", "one")});
  write({file("conf", "one")}, "b");
  EXPECT_THAT(refusal({file("conf/a", "a")}), HasSubstr("conf is no directory there"));
  write({}, "b");
  EXPECT_EQ(write({file("conf/a", "a")}), 2U);
}

TEST_F(FileCheckoutTest, WhatWasKilledInTheMiddleIsNoHindrance) {
  put(".x.conf.skep-new", "half");
  EXPECT_EQ(write({file("x.conf", "one")}), 1U);
  EXPECT_FALSE(fs::exists(directory / ".x.conf.skep-new"));
  // Killed after the file, before the list of them.
  fs::remove(directory / ".skep-checkout");
  EXPECT_EQ(write({file("x.conf", "one")}), 0U);
  EXPECT_EQ(write({file("y.conf", "two")}), 2U) << "x.conf was in the list again";
  EXPECT_EQ(content("x.conf"), "(none)");
}

TEST_F(FileCheckoutTest, NoDirectoryAndBadNamesAreErrors) {
  EXPECT_THAT(refusal({file(".skep-checkout", "x")}), HasSubstr("cannot be kept there"));
  EXPECT_THAT(refusal({file("a\tb", "x")}), HasSubstr("cannot be kept there"));
  const auto written = FileCheckout("/nowhere/at/all").write("a", {file("x", "y")});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(written.error().message, HasSubstr("/nowhere/at/all (--host-checkout)"));
}

}  // namespace
}  // namespace skep::gitsync
