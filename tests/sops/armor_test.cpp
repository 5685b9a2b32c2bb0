#include "sops/armor.hpp"

#include <gtest/gtest.h>

namespace skep::sops {
namespace {

TEST(Armor, ReadsWhatItWritesAndWindowsLineEnds) {
  for (std::size_t size : {1U, 2U, 3U, 47U, 48U, 49U, 96U, 500U}) {
    const std::string bytes(size, '\xA7');
    auto text = armored(bytes);
    EXPECT_EQ(unarmored(text), bytes) << size;
    std::string windows;
    for (const char c : text) windows += c == '\n' ? "\r\n" : std::string(1, c);
    EXPECT_EQ(unarmored("\n " + windows + "\n\n"), bytes) << size;
  }
}

TEST(Armor, RefusesWhatHasAnotherForm) {
  const std::string begin = "-----BEGIN AGE ENCRYPTED FILE-----\n";
  const std::string end = "-----END AGE ENCRYPTED FILE-----\n";
  EXPECT_FALSE(unarmored(begin + end));
  EXPECT_FALSE(unarmored(begin + "AAAA\n"));
  EXPECT_FALSE(unarmored(begin + "AAAA\nAAAA\n" + end)) << "a short line before the last";
  EXPECT_FALSE(unarmored(begin + std::string(68, 'A') + "\n" + end)) << "a long line";
  EXPECT_FALSE(unarmored(begin + "AAAB\n\n" + end)) << "an empty line";
  EXPECT_FALSE(unarmored(begin + "AB==\n" + end)) << "bits that mean nothing";
  EXPECT_FALSE(unarmored(begin + "AAAA\n" + end + "more"));
  EXPECT_TRUE(unarmored(begin + "AAAA\n" + end));
}

TEST(Armor, BareBase64HasOneSpelling) {
  EXPECT_EQ(from_bare_base64(""), "");
  EXPECT_EQ(from_bare_base64("AA"), std::string(1, '\0'));
  EXPECT_FALSE(from_bare_base64("AB"));
  EXPECT_FALSE(from_bare_base64("AA=="));
  EXPECT_FALSE(from_bare_base64("A"));
  EXPECT_FALSE(from_bare_base64("A A"));
}

}  // namespace
}  // namespace skep::sops
