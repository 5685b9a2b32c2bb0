#include "gitsync/private_key.hpp"

#include <gmock/gmock.h>

#include "tests/gitsync/process.hpp"

namespace skep::gitsync::test {
namespace {

using testing::HasSubstr;

TEST(PrivateKey, TellsTypeAndPassphraseOfWhatSshKeygenMakes) {
  const auto keygen = program("ssh-keygen");
  if (keygen.empty()) GTEST_SKIP() << "ssh-keygen is not installed";
  const struct {
    std::vector<std::string> arguments;
    const char* type;
    bool encrypted;
  } rows[] = {{{"-t", "ed25519", "-N", ""}, "ssh-ed25519", false},
              {{"-t", "ed25519", "-N", "hunter22"}, "ssh-ed25519", true},
              {{"-t", "rsa", "-b", "2048", "-N", ""}, "ssh-rsa", false},
              {{"-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""}, "ssh-rsa", false},
              {{"-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "hunter22"}, "ssh-rsa", true},
              {{"-t", "ecdsa", "-N", ""}, "ecdsa-sha2-nistp256", false}};
  int number = 0;
  for (const auto& row : rows) {
    const TempDirectory temp;
    const auto file = temp.path() / "key";
    std::vector<std::string> command{keygen, "-q", "-f", file.string()};
    command.insert(command.end(), row.arguments.begin(), row.arguments.end());
    ASSERT_EQ(run(command).exit_code, 0);
    const auto info = read_private_key(file.string());
    ASSERT_TRUE(info) << info.error().message;
    EXPECT_EQ(info->type, row.type) << number;
    EXPECT_EQ(info->encrypted, row.encrypted) << number++;
  }
}

TEST(PrivateKey, WhatIsNoKeyIsSaidSoWithoutItsContent_Attack3) {
  const TempDirectory temp;
  const auto file = temp.path() / "key";
  for (const char* const text :
       {"hunter22",
        "",
        "-----BEGIN CERTIFICATE-----\nhunter22\n",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END",
        "-----BEGIN "}) {
    write_file(file, text);
    const auto info = read_private_key(file.string());
    ASSERT_FALSE(info) << text;
    EXPECT_EQ(info.error().kind, ErrorKind::unauthorized);
    EXPECT_THAT(info.error().message, testing::Not(HasSubstr("hunter22")));
  }
  EXPECT_THAT(read_private_key((temp.path() / "none").string()).error().message,
              HasSubstr("cannot be read: No such file"));
}

}  // namespace
}  // namespace skep::gitsync::test
