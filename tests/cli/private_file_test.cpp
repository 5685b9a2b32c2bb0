#include "cli/private_file.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace skep::cli {
namespace {

namespace fs = std::filesystem;

class PrivateFiles : public testing::Test {
 protected:
  void SetUp() override {
    auto pattern = (fs::temp_directory_path() / "skep-private-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { fs::remove_all(directory_); }

  [[nodiscard]] std::string path(const std::string& name) const {
    return (directory_ / name).string();
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] fs::perms mode(const std::string& name) const {
    return fs::status(path(name)).permissions();
  }
  [[nodiscard]] std::ptrdiff_t entries() const {
    return std::distance(fs::directory_iterator(directory_), fs::directory_iterator());
  }

  fs::path directory_;
};

TEST_F(PrivateFiles, ReplacingKeepsModeAndLinksAndLeavesNothingBeside) {
  std::ofstream(path("a")) << "old";
  fs::permissions(path("a"), fs::perms(0640));
  fs::create_symlink("a", path("link"));
  ASSERT_TRUE(replace_file(path("link"), "new", 0600));
  EXPECT_EQ(read("a"), "new");
  EXPECT_EQ(mode("a"), fs::perms(0640));
  EXPECT_TRUE(fs::is_symlink(path("link")));
  ASSERT_TRUE(replace_file(path("b"), "new", 0600));
  EXPECT_EQ(mode("b"), fs::perms(0600));
  EXPECT_EQ(entries(), 3);
  ASSERT_TRUE(replace_file(path("link"), "new", 0600, OldMode::goes));
  EXPECT_EQ(mode("a"), fs::perms(0600));
}

TEST_F(PrivateFiles, WhatIsNoFileIsWrittenToAndStays) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const int reader = ::open(path("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  // As /dev/stdout is made: a link to a name that leads nowhere but can be opened.
  const int out = ::open(path("pipe").c_str(), O_WRONLY | O_CLOEXEC);
  fs::create_symlink("/proc/self/fd/" + std::to_string(out), path("out"));
  for (const auto* name : {"pipe", "out"}) {
    const auto written = replace_file(path(name), "text", 0600);
    EXPECT_TRUE(written) << name << ": " << to_string(written.error());
    std::string buffer(10, '\0');
    const auto got = ::read(reader, buffer.data(), buffer.size());
    EXPECT_EQ(got < 0 ? "" : buffer.substr(0, static_cast<std::size_t>(got)), "text") << name;
  }
  EXPECT_TRUE(fs::is_fifo(path("pipe")));
  EXPECT_TRUE(fs::is_symlink(path("out")));
  fs::create_directory(path("folder"));
  EXPECT_FALSE(replace_file(path("folder"), "text", 0600));
  EXPECT_EQ(entries(), 3);
  ::close(out);
  ::close(reader);
}

TEST_F(PrivateFiles, AreForTheirOwnerAndTellWhetherTheyAreInMemory) {
  std::string where;
  {
    const auto file = PrivateFile::make("x.yaml", "text");
    ASSERT_TRUE(file) << to_string(file.error());
    where = file->path();
    EXPECT_EQ(fs::status(where).permissions(), fs::perms(0600));
    EXPECT_EQ(fs::status(fs::path(where).parent_path()).permissions(), fs::perms(0700));
    EXPECT_TRUE(file->is_in_memory() || !where.starts_with("/dev/shm/"));
    file->remove();
    EXPECT_FALSE(fs::exists(fs::path(where).parent_path()));
  }
}

}  // namespace
}  // namespace skep::cli
