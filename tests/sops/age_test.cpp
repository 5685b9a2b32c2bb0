#include "sops/age.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/digest.hpp"
#include "sops/armor.hpp"
#include "sops/bech32.hpp"
#include "sops/crypto.hpp"

namespace skep::sops {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

constexpr std::size_t kChunk = 64U << 10U;

std::string sample(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += static_cast<char>((i * 31 + i / 251) & 0xffU);
  return text;
}

/// A directory of the test's own.
class Scratch {
 public:
  Scratch() {
    auto name = (fs::temp_directory_path() / "skep-age-XXXXXX").string();
    directory_ = mkdtemp(name.data());
  }
  ~Scratch() { fs::remove_all(directory_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ / name; }
  void write(const std::string& name, std::string_view text) const {
    std::ofstream(path(name), std::ios::binary) << text;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  fs::path directory_;
};

bool run(const std::string& command) {
  return std::system((command + " 2>/dev/null").c_str()) == 0;
}
bool has_age() { return run("age --version >/dev/null"); }

Identity identity() { return Identity::generate(); }

TEST(Bech32, ReadsWhatItWrites) {
  for (std::size_t size : {0U, 1U, 5U, 20U, 32U, 100U}) {
    const auto data = sample(size);
    const auto decoded = from_bech32(to_bech32("age", data));
    ASSERT_TRUE(decoded) << size;
    EXPECT_EQ(decoded->prefix, "age");
    EXPECT_EQ(decoded->data, data);
  }
}

TEST(Bech32, TakesTheExamplesOfBip173) {
  EXPECT_TRUE(from_bech32("A12UEL5L"));
  EXPECT_TRUE(from_bech32("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"));
  EXPECT_FALSE(from_bech32("A1G7SGD8"));
  EXPECT_FALSE(from_bech32("10a06t8"));
  EXPECT_FALSE(from_bech32("1qzzfhee"));
  EXPECT_FALSE(from_bech32("a12UEL5L"));
}

TEST(AgeKeys, AnyOneChangedCharacterOfAKeyIsRefused) {
  const std::string secret(identity().text().reveal());
  const auto recipient = identity().recipient().text();
  for (std::size_t i = 0; i < secret.size(); ++i) {
    auto changed = secret;
    changed[i] = changed[i] == 'Q' ? 'P' : 'Q';
    const auto parsed = Identity::parse(changed);
    ASSERT_FALSE(parsed) << i;
    EXPECT_THAT(parsed.error().message, Not(HasSubstr(changed.substr(16, 8))));
  }
  for (std::size_t i = 0; i < recipient.size(); ++i) {
    auto changed = recipient;
    changed[i] = changed[i] == 'q' ? 'p' : 'q';
    EXPECT_FALSE(Recipient::parse(changed)) << i;
  }
}

TEST(AgeKeys, ASecretKeyInPlaceOfARecipientIsNotQuoted) {
  const std::string secret(identity().text().reveal());
  const auto parsed = Recipient::parse(secret);
  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error().message, HasSubstr("public half"));
  EXPECT_THAT(parsed.error().message, Not(HasSubstr(secret.substr(20))));
}

TEST(AgeKeys, ARecipientOfLowOrderIsRefused) {
  EXPECT_FALSE(Recipient::parse(to_bech32("age", std::string(32, '\0'))));
}

TEST(AgeKeys, AKeyFileHasCommentsAndSeveralKeys) {
  const auto a = identity();
  const auto b = identity();
  const auto text = "# created\n\n" + std::string(a.text().reveal()) + "\r\n#x\n" +
                    std::string(b.text().reveal());
  const auto parsed = parse_identities(text, "keys.txt");
  ASSERT_TRUE(parsed) << parsed.error().message;
  ASSERT_EQ(parsed->size(), 2U);
  EXPECT_EQ((*parsed)[0].recipient(), a.recipient());
  EXPECT_EQ((*parsed)[1].recipient(), b.recipient());
}

TEST(AgeKeys, MistakesInAKeyFileHaveTheirLine) {
  EXPECT_EQ(parse_identities("# only\n", "k").error().message, "there is no key in it");
  const auto bad = parse_identities("# x\nAGE-SECRET-KEY-1NONSENSE\n", "k");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().at->line, 2);
  EXPECT_THAT(bad.error().message, Not(HasSubstr("NONSENSE")));
  EXPECT_THAT(parse_identities("AGE-PLUGIN-YUBIKEY-1QQ\n", "k").error().message,
              HasSubstr("does not know"));
  const auto beside = "AGE-PLUGIN-YUBIKEY-1QQ\n" + std::string(identity().text().reveal());
  EXPECT_TRUE(parse_identities(beside, "k"));
  const auto sealed = armored(age_encrypt("x", {identity().recipient()}));
  EXPECT_THAT(parse_identities(sealed, "k").error().message, HasSubstr("itself encrypted"));
}

class AgeSizes : public testing::TestWithParam<std::size_t> {};

TEST_P(AgeSizes, WhatIsEncryptedIsDecrypted) {
  const auto key = identity();
  const auto plain = sample(GetParam());
  const auto file = age_encrypt(plain, {identity().recipient(), key.recipient()});
  for (const auto& form : {file, armored(file)}) {
    const auto opened = age_decrypt(form, {identity(), key});
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(*opened, plain);
  }
}

TEST_P(AgeSizes, TheRealAgeReadsOurFiles) {
  if (!has_age()) GTEST_SKIP() << "age is not installed";
  const Scratch scratch;
  const auto key = identity();
  const auto plain = sample(GetParam());
  scratch.write("key", key.text().reveal());
  const auto file = age_encrypt(plain, {identity().recipient(), key.recipient()});
  scratch.write("raw.age", file);
  scratch.write("text.age", armored(file));
  for (const auto* name : {"raw.age", "text.age"}) {
    ASSERT_TRUE(run("age -d -i " + scratch.path("key") + " -o " + scratch.path("out") + " " +
                    scratch.path(name)));
    EXPECT_EQ(scratch.read("out"), plain) << name;
  }
}

TEST_P(AgeSizes, WeReadFilesOfTheRealAge) {
  if (!has_age()) GTEST_SKIP() << "age is not installed";
  const Scratch scratch;
  ASSERT_TRUE(run("age-keygen -o " + scratch.path("key")));
  const auto keys = parse_identities(scratch.read("key"), "key");
  ASSERT_TRUE(keys) << keys.error().message;
  const auto plain = sample(GetParam());
  scratch.write("plain", plain);
  for (const auto* flags : {"", "-a "}) {
    ASSERT_TRUE(run("age " + std::string(flags) + "-r " + identity().recipient().text() + " -r " +
                    keys->front().recipient().text() + " -o " + scratch.path("out") + " " +
                    scratch.path("plain")));
    const auto opened = age_decrypt(scratch.read("out"), *keys);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(*opened, plain);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Age,
    AgeSizes,
    testing::Values(0, 1, kChunk - 1, kChunk, kChunk + 1, 2 * kChunk, 3 * kChunk + 17),
    [](const auto& row) { return std::to_string(row.param) + "_bytes"; });

TEST(Age, EveryChangedByteIsRefused) {
  const auto key = identity();
  const auto file = age_encrypt("correct horse", {key.recipient(), identity().recipient()});
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (const unsigned flip : {1U, 0x20U, 0x80U}) {
      auto changed = file;
      changed[i] = static_cast<char>(static_cast<unsigned char>(changed[i]) ^ flip);
      const auto opened = age_decrypt(changed, {key});
      EXPECT_FALSE(opened) << "byte " << i << " flip " << flip;
    }
  }
}

TEST(Age, EveryChangedCharacterOfAnArmoredFileIsRefused) {
  const auto key = identity();
  const auto file = armored(age_encrypt("correct horse", {key.recipient()}));
  for (std::size_t i = 0; i + 1 < file.size(); ++i) {
    auto changed = file;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(age_decrypt(changed, {key})) << i;
    changed = file;
    changed.erase(i, 1);
    EXPECT_FALSE(age_decrypt(changed, {key})) << i;
  }
}

TEST(Age, AFileCutAnywhereIsRefused) {
  const auto key = identity();
  const auto file = age_encrypt(sample(kChunk + 100), {key.recipient()});
  for (std::size_t size = 0; size < file.size(); size += size < 400 ? 1 : 977)
    EXPECT_FALSE(age_decrypt(std::string_view(file).substr(0, size), {key})) << size;
  // At the border of a chunk, too, and with something added.
  const auto header = file.size() - 16 - (kChunk + 16) - (100 + 16);
  EXPECT_FALSE(age_decrypt(std::string_view(file).substr(0, header + 16 + kChunk + 16), {key}));
  EXPECT_FALSE(age_decrypt(file + "x", {key}));
}

TEST(Age, RecipientsThatCannotBeUsedAreSkippedAndNamed) {
  const auto key = identity();
  auto file = age_encrypt("x", {identity().recipient()});
  const auto without_mine = age_decrypt(file, {key});
  ASSERT_FALSE(without_mine);
  EXPECT_EQ(without_mine.error().kind, ErrorKind::unauthorized);
  EXPECT_THAT(without_mine.error().message, HasSubstr("X25519"));
  const std::string ssh =
      "age-encryption.org/v1\n-> ssh-ed25519 abcdef AAAA\nAAAA\n--- " + std::string(43, 'A') + "\n";
  const auto other = age_decrypt(ssh + std::string(64, 'x'), {key});
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("ssh-ed25519"));
  const std::string password =
      "age-encryption.org/v1\n-> scrypt abcdef 18\nAAAA\n--- " + std::string(43, 'A') + "\n";
  EXPECT_THAT(age_decrypt(password + std::string(64, 'x'), {key}).error().message,
              HasSubstr("passphrase"));
}

TEST(Age, AnUnknownRecipientBesideOursIsNoObstacle) {
  if (!has_age() || !run("command -v ssh-keygen >/dev/null"))
    GTEST_SKIP() << "age or ssh-keygen is not installed";
  const Scratch scratch;
  const auto key = identity();
  ASSERT_TRUE(run("ssh-keygen -q -t ed25519 -N '' -f " + scratch.path("ssh")));
  scratch.write("plain", "hello");
  ASSERT_TRUE(run("age -R " + scratch.path("ssh.pub") + " -r " + key.recipient().text() + " -o " +
                  scratch.path("out") + " " + scratch.path("plain")));
  const auto opened = age_decrypt(scratch.read("out"), {key});
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(*opened, "hello");
}

TEST(Age, AThousandRecipientsOfAHostileFileAreRefusedAtOnce) {
  std::string file = "age-encryption.org/v1\n";
  for (int i = 0; i < 5000; ++i) file += "-> x y\nAAAA\n";
  file += "--- " + std::string(43, 'A') + "\n" + std::string(64, 'x');
  EXPECT_THAT(age_decrypt(file, {identity()}).error().message, HasSubstr("too many"));
}

}  // namespace
}  // namespace skep::sops
