#include "swarm/image_ref.hpp"

#include <string>

#include <gtest/gtest.h>

namespace skep::swarm {
namespace {

const std::string kHex(64, 'a');
const std::string kDigest = "sha256:" + kHex;

struct SentCase {
  std::string written, sent;
};

TEST(ImageRef, IsSentInItsFamiliarFormWithLatestAdded_C9_3_F135) {
  const SentCase cases[] = {
      {"foo", "foo:latest"},
      {"foo:1", "foo:1"},
      {"docker.io/library/foo", "foo:latest"},
      {"docker.io/library/foo:2", "foo:2"},
      {"index.docker.io/foo", "foo:latest"},
      {"docker.io/a/b", "a/b:latest"},
      {"library/foo", "foo:latest"},
      {"library/foo/bar", "library/foo/bar:latest"},
      {"foo:2@" + kDigest, "foo:2@" + kDigest},
      {"foo@" + kDigest, "foo@" + kDigest},
      {"localhost/foo", "localhost/foo:latest"},
      {"127.0.0.1:5055/rd/busybox:1.0", "127.0.0.1:5055/rd/busybox:1.0"},
      {"my-registry.com:8300/apps/my-app", "my-registry.com:8300/apps/my-app:latest"},
      {"[fd00::1]:5000/x", "[fd00::1]:5000/x:latest"},
      {"Foo/bar", "Foo/bar:latest"},
      {"a_b.c/d", "a_b.c/d:latest"},
      {kHex, kHex},
      {kDigest, kDigest},
      {"FOO", "FOO"},
      {"not an image", "not an image"},
  };
  for (const auto& row : cases) EXPECT_EQ(familiar_tagged(row.written), row.sent) << row.written;
}

TEST(ImageRef, KnowsItsParts_C9_2) {
  const auto ref = ImageRef::parse("Foo/bar:1.0@" + kDigest);
  ASSERT_TRUE(ref);
  EXPECT_EQ(ref->domain, "Foo");
  EXPECT_EQ(ref->path, "bar");
  EXPECT_EQ(ref->tag, "1.0");
  EXPECT_EQ(ref->digest, kDigest);
  EXPECT_EQ(ImageRef::parse("foo")->path, "library/foo");
  EXPECT_EQ(ImageRef::parse("foo")->domain, "docker.io");
  EXPECT_TRUE(ImageRef::parse(kHex)->bare_id);
  EXPECT_TRUE(ImageRef::parse("sha512:" + std::string(128, '0'))->bare_id);
}

struct RefusedCase {
  std::string text, reason;
};

TEST(ImageRef, RefusesWithTheWordsOfTheCli_C9_2_F134) {
  const std::string format = "invalid reference format";
  const RefusedCase cases[] = {
      {"FOO", "invalid reference format: repository name (library/FOO) must be lowercase"},
      {"docker.io/Foo/x", "invalid reference format: repository name (Foo/x) must be lowercase"},
      {"", format},
      {" foo", format},
      {"foo:", format},
      {"foo:.tag", format},
      {"foo:" + std::string(129, 'a'), format},
      {"foo/", format},
      {"/foo", format},
      {"a//b", format},
      {"foo..bar", format},
      {"foo___bar", format},
      {"foo-", format},
      {"-foo", format},
      {"foo@", format},
      {"foo@sha256:abc", "invalid checksum digest length"},
      {"foo@md5:" + std::string(32, 'a'), "unsupported digest algorithm"},
      {"foo@" + kDigest + "@" + kDigest, format},
      {"reg.io:port/foo", format},
      {"reg.io:/foo", format},
      {"-reg.io/foo", format},
      {"reg.io/" + std::string(256, 'a'), "repository name must not be more than 255 characters"},
  };
  for (const auto& row : cases) {
    const auto ref = ImageRef::parse(row.text);
    ASSERT_FALSE(ref) << row.text;
    EXPECT_EQ(ref.error().message, row.reason) << row.text;
    EXPECT_EQ(ref.error().kind, ErrorKind::invalid_input);
  }
}

TEST(ImageRef, AcceptsTheLongestTagPathAndAnyNumberOfDashes) {
  EXPECT_TRUE(ImageRef::parse("foo:" + std::string(128, 'a')));
  EXPECT_TRUE(ImageRef::parse("reg.io/" + std::string(255, 'a')));
  EXPECT_TRUE(ImageRef::parse("foo---bar__baz.qux_a"));
}

TEST(ImageRef, SplitsOffTheDigest) {
  EXPECT_EQ(split_digest("foo:1@" + kDigest), std::make_pair(std::string("foo:1"), kDigest));
  EXPECT_EQ(split_digest("foo:1"), std::make_pair(std::string("foo:1"), std::string()));
}

}  // namespace
}  // namespace skep::swarm
