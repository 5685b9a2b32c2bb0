#include "gitsync/fetch_protocol.hpp"

#include <gmock/gmock.h>

namespace skep::gitsync {
namespace {

TEST(FetchProtocol, ARequestArrivesAsItWasSent) {
  auto url = RemoteUrl::parse("https://h.example/x");
  FetchRequest request{.url = url->url,
                       .ref = "main",
                       .directory = "/a/b \xFF",
                       .slot = "00ff",
                       .credentials = {},
                       .limits = {},
                       .previous_commit = "1",
                       .previous_id = "2",
                       .allow_rewind = true,
                       .compact = true};
  request.credentials.user = "bea";
  request.credentials.password = Secret(std::string("a\0\xFF\"", 4));
  request.credentials.ssh_key_passphrase = Secret("pass");
  request.credentials.ssh_key_file = "/key";
  request.credentials.known_hosts = "h ssh-ed25519 AAAA\n";
  request.credentials.host_key_fingerprints = {"SHA256:x"};
  request.credentials.ca_file = "/ca";
  request.limits.objects = 7;
  const auto got = parse_request(to_json(request));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->url, request.url);
  EXPECT_EQ(got->directory, request.directory);
  EXPECT_EQ(got->credentials.user, "bea");
  EXPECT_EQ(got->credentials.password, request.credentials.password);
  EXPECT_EQ(got->credentials.ssh_key_passphrase, request.credentials.ssh_key_passphrase);
  EXPECT_EQ(got->credentials.known_hosts, request.credentials.known_hosts);
  EXPECT_EQ(got->credentials.host_key_fingerprints, request.credentials.host_key_fingerprints);
  EXPECT_EQ(got->credentials.ca_file, "/ca");
  EXPECT_EQ(got->limits.objects, 7U);
  EXPECT_TRUE(got->allow_rewind);
  EXPECT_TRUE(got->compact);
}

TEST(FetchProtocol, AnAnswerOrItsErrorArrives) {
  const FetchAnswer answer{.commit = "c",
                           .remote_id = "r",
                           .downloaded = true,
                           .fast_forward = false,
                           .received_bytes = 9};
  const auto got = parse_answer(to_json(Result<FetchAnswer>(answer)));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->commit, "c");
  EXPECT_FALSE(got->fast_forward);
  EXPECT_EQ(got->received_bytes, 9U);
  const auto failed =
      parse_answer(to_json(Result<FetchAnswer>(Error{ErrorKind::unauthorized, "no \xFF"})));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::unauthorized);
}

TEST(FetchProtocol, WhatIsNoMessageIsAnErrorWithoutTheText) {
  for (const char* const text : {"", "{", "[]", "{\"url\":\"https://u:hunter22@\"}", "null"}) {
    const auto request = parse_request(text);
    ASSERT_FALSE(request);
    EXPECT_THAT(request.error().message, testing::Not(testing::HasSubstr("hunter22")));
    EXPECT_FALSE(parse_answer(text));
  }
}

}  // namespace
}  // namespace skep::gitsync
