#include "sops/shamir.hpp"

#include <algorithm>
#include <stdexcept>

#include <gtest/gtest.h>

namespace skep::sops {
namespace {

// Worked out by hand from the polynomials 6b + 9d x + 07 x², 65 + fe x and 79 + 01 x + 80 x² over
// the field of AES.
const std::string kParts[] = {{"\xcc\x7c\xcc\x03", 4},
                              {"\x18\x80\xcc\x80", 4},
                              {"\x89\x89\xc5\xff", 4},
                              {"\xa3\xe2\xc7\x11", 4}};

TEST(Shamir, PartsOfAKnownPolynomialGiveItsSecret) {
  EXPECT_EQ(joined_secret({kParts[0], kParts[1], kParts[2]}), "key");
  EXPECT_EQ(joined_secret({kParts[3], kParts[0], kParts[1]}), "key");
  EXPECT_EQ(joined_secret({kParts[0], kParts[1], kParts[2], kParts[3]}), "key");
  EXPECT_NE(joined_secret({kParts[0], kParts[1]}), "key");
}

TEST(Shamir, EveryChoiceOfEnoughPartsGivesTheSecretAndFewerDoNot) {
  const std::string secret("\x00\xff\x01 a data key of 32 bytes .....", 32);
  for (const auto& [count, needed] : {std::pair{2, 2}, {3, 2}, {5, 3}, {5, 5}}) {
    const auto parts = split_secret(secret, std::size_t(count), std::size_t(needed));
    ASSERT_EQ(parts.size(), std::size_t(count));
    for (unsigned choice = 1; choice < (1U << count); ++choice) {
      std::vector<std::string> chosen;
      for (int i = 0; i < count; ++i) {
        if ((choice >> i & 1U) != 0) chosen.push_back(parts[std::size_t(i)]);
      }
      const auto joined = joined_secret(chosen);
      EXPECT_EQ(joined == secret, int(chosen.size()) >= needed) << count << " " << choice;
    }
  }
}

TEST(Shamir, WhatCannotBePartsIsRefused) {
  EXPECT_FALSE(joined_secret({}));
  EXPECT_FALSE(joined_secret({"ab"}));
  EXPECT_FALSE(joined_secret({"ab", "abc"}));
  EXPECT_FALSE(joined_secret({"ab", "cb"}));
  EXPECT_FALSE(joined_secret({"a", "b"}));
  EXPECT_THROW((void)split_secret("x", 2, 3), std::logic_error);
  EXPECT_THROW((void)split_secret("x", 256, 2), std::logic_error);
}

}  // namespace
}  // namespace skep::sops
