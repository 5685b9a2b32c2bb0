#include "server/tokens.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/digest.hpp"

namespace skep::server {
namespace {

TEST(Tokens, NameWhoActs) {
  const auto tokens = Tokens::parse({sha256_hex("first"), "ci=" + sha256_hex("second")});
  ASSERT_TRUE(tokens);
  EXPECT_EQ(tokens->identity("Bearer first"), (Identity{"token 1", Role::operator_}));
  EXPECT_EQ(tokens->identity("bearer second"), (Identity{"token ci", Role::operator_}));
}

TEST(Tokens, RefuseWhatIsNotAKnownToken) {
  const auto tokens = Tokens::parse({sha256_hex("first")});
  ASSERT_TRUE(tokens);
  for (const auto* value : {"",
                            "first",
                            "Bearer",
                            "Bearer ",
                            "Bearer second",
                            "Basic Zmlyc3Q=",
                            "Bearer first ",
                            "Bearerfirst"}) {
    EXPECT_EQ(tokens->identity(value), std::nullopt) << value;
  }
  EXPECT_EQ(tokens->identity("Bearer " + sha256_hex("first")), std::nullopt)
      << "the digest itself is no token";
}

TEST(Tokens, AreDigestsAndTheErrorShowsNone) {
  const auto tokens = Tokens::parse({"my-plain-token"});
  ASSERT_FALSE(tokens);
  EXPECT_THAT(tokens.error().message, ::testing::HasSubstr("sha256sum"));
  EXPECT_THAT(tokens.error().message, ::testing::Not(::testing::HasSubstr("my-plain-token")));
}

TEST(Tokens, InUpperCaseHexAreTheSame) {
  auto digest = sha256_hex("first");
  for (auto& c : digest) c = static_cast<char>(std::toupper(c));
  const auto tokens = Tokens::parse({digest});
  ASSERT_TRUE(tokens);
  EXPECT_TRUE(tokens->identity("Bearer first"));
}

}  // namespace
}  // namespace skep::server
