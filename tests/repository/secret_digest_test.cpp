#include "repository/secret_digest.hpp"

#include <gmock/gmock.h>

#include "core/digest.hpp"
#include "swarm/labels.hpp"

namespace skep::repository {
namespace {

using diff::SecretAnswer;
using testing::HasSubstr;
using testing::Not;

const Secret kKey("0123456789abcdef0123456789abcdef\n");

swarm::SecretSpec secret(const std::string& data) {
  swarm::SecretSpec spec;
  spec.name = "s_pass";
  spec.data = Secret(data);
  return spec;
}

TEST(SecretDigest, DependsOnDataDriverTemplatingAndKeyAndOnNothingElse) {
  const auto digest = SecretDigest::with_key(kKey).value();
  const auto base = digest.of(secret("hunter2"));
  EXPECT_EQ(base.size(), 64U);
  auto other = secret("hunter2");
  other.labels["a"] = "b";
  other.name = "s_other";
  EXPECT_EQ(digest.of(other), base);
  other.templating = swarm::Driver{"golang", {}};
  EXPECT_NE(digest.of(other), base);
  other = secret("hunter2");
  other.driver = swarm::Driver{"vault", {}};
  EXPECT_NE(digest.of(other), base);
  EXPECT_NE(digest.of(secret("hunter3")), base);
  EXPECT_NE(
      SecretDigest::with_key(Secret("another key, long enough")).value().of(secret("hunter2")),
      base);
  const Secret same("0123456789abcdef0123456789abcdef");
  EXPECT_EQ(SecretDigest::with_key(same).value().of(secret("hunter2")), base)
      << "`echo` puts a line end behind a key";
}

TEST(SecretDigest, IsNoPlainHashOfTheValue_Attack18) {
  const auto label = SecretDigest::with_key(kKey).value().label(secret("hunter2"));
  EXPECT_THAT(label, Not(HasSubstr(sha256_hex("hunter2"))));
  EXPECT_THAT(label, Not(HasSubstr("hunter2")));
}

TEST(SecretDigest, TellsEqualityOnlyFromLabelsOfItsOwnKey) {
  const auto digest = SecretDigest::with_key(kKey).value();
  const auto other = SecretDigest::with_key(Secret("another key, long enough")).value();
  swarm::LiveSecret live;
  EXPECT_EQ(digest.compare(live, secret("a")), SecretAnswer::unknown);
  live.labels[std::string(swarm::kDigestLabel)] = digest.label(secret("a"));
  EXPECT_EQ(digest.compare(live, secret("a")), SecretAnswer::same);
  EXPECT_EQ(digest.compare(live, secret("b")), SecretAnswer::different);
  EXPECT_EQ(other.compare(live, secret("a")), SecretAnswer::unknown);
  EXPECT_EQ(SecretDigest().compare(live, secret("a")), SecretAnswer::unknown);
}

TEST(SecretDigest, RefusesAKeyThatCouldBeGuessedWithoutShowingIt) {
  const auto digest = SecretDigest::with_key(Secret("short-key\n"));
  ASSERT_FALSE(digest);
  EXPECT_THAT(digest.error().message, HasSubstr("has 9 bytes, at least 16"));
  EXPECT_THAT(digest.error().message, Not(HasSubstr("short-key")));
}

}  // namespace
}  // namespace skep::repository
