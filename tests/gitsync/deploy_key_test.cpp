#include "gitsync/deploy_key.hpp"

#include <gmock/gmock.h>

#include "gitsync/private_key.hpp"
#include "tests/gitsync/process.hpp"

namespace skep::gitsync::test {
namespace {

TEST(DeployKey, IsWhatSshKeygenUnderstands) {
  const auto keygen = program("ssh-keygen");
  if (keygen.empty()) GTEST_SKIP() << "ssh-keygen is not installed";
  const auto key = make_deploy_key("skep@cluster");
  ASSERT_TRUE(key);
  const TempDirectory temp;
  const auto file = temp.path() / "key";
  write_file(file, key->private_key.reveal());
  std::filesystem::permissions(file, std::filesystem::perms::owner_read);
  const auto shown = run({keygen, "-y", "-f", file.string()});
  EXPECT_EQ(shown.exit_code, 0) << shown.output;
  EXPECT_THAT(shown.output, testing::HasSubstr(key->public_line));
  const auto info = read_private_key(file.string());
  ASSERT_TRUE(info);
  EXPECT_EQ(info->type, "ssh-ed25519");
  EXPECT_FALSE(info->encrypted);
}

TEST(DeployKey, IsAnotherOneEachTime) {
  const auto first = make_deploy_key("x"), second = make_deploy_key("x");
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->public_line, second->public_line);
}

}  // namespace
}  // namespace skep::gitsync::test
