#include "server/webhook_payload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/webhook_memory.hpp"
#include "server/webhook_repository.hpp"

namespace skep::server::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;
using Provider = WebhookProvider;

constexpr const char* kZero = "0000000000000000000000000000000000000000";

// As the hosts' documentation shows them, shortened to what is of interest and to what might
// confuse: lists, addresses of others, names again further down.
const std::string kGitHubPush = R"({
  "ref": "refs/heads/main", "before": "6113728f27ae82c7b1a177c8d03f9e96e0adf246",
  "after": "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c", "created": false, "deleted": false,
  "base_ref": null, "commits": [{"id": "1", "ref": 7, "repository": {"url": "https://evil/x"}}],
  "repository": {"id": 186853002, "clone_url": "https://github.com/Codertocat/Hello-World.git",
    "ssh_url": "git@github.com:Codertocat/Hello-World.git", "url": "https://github.com/Codertocat/Hello-World",
    "owner": {"url": "https://api.github.com/users/Codertocat"}, "size": 1.5e3},
  "pusher": {"name": "Codertocat"}, "sender": {"url": "https://api.github.com/users/Codertocat"}})";

const std::string kGitLabPush = R"({
  "object_kind": "push", "event_name": "push", "ref": "refs/heads/main",
  "after": "da1560886d4f094c3e6c9ef40349f7d38b5d27d7", "checkout_sha": null, "project_id": 15,
  "project": {"id": 15, "git_ssh_url": "git@example.com:mike/diaspora.git",
    "git_http_url": "http://example.com/mike/diaspora.git", "namespace": "Mike", "avatar_url": null},
  "repository": {"name": "Diaspora", "url": "git@example.com:mike/diaspora.git", "visibility_level": 0}})";

const std::string kGiteaPush = R"({
  "ref": "refs/heads/develop", "before": "28e1879d029cb852e4844d9c718537df08844e03",
  "after": "bffeb74224043ba2feb48d137756c8a9331c449a",
  "repository": {"id": 140, "clone_url": "http://localhost:3000/gitea/webhooks.git",
    "ssh_url": "ssh://gitea@localhost:2222/gitea/webhooks.git", "default_branch": "develop"}})";

WebhookPush push_in(Provider provider, const std::string& event, const std::string& json) {
  const auto payload = parse_webhook(provider, event, json);
  EXPECT_TRUE(payload) << payload.error().message;
  if (!payload || !std::holds_alternative<WebhookPush>(*payload)) {
    ADD_FAILURE() << "no push: " << event << ' ' << json.substr(0, 200);
    return {};
  }
  return std::get<WebhookPush>(*payload);
}

std::string refused(Provider provider, const std::string& event, const std::string& json) {
  const auto payload = parse_webhook(provider, event, json);
  EXPECT_FALSE(payload) << json.substr(0, 200);
  return payload ? std::string() : payload.error().message;
}

TEST(WebhookPayload, ReadsThePushOfEachHost) {
  const auto github = push_in(Provider::github, "push", kGitHubPush);
  EXPECT_EQ(github.ref, "refs/heads/main");
  EXPECT_FALSE(github.deleted);
  EXPECT_THAT(github.repositories,
              UnorderedElementsAre("https://github.com/Codertocat/Hello-World.git",
                                   "git@github.com:Codertocat/Hello-World.git",
                                   "https://github.com/Codertocat/Hello-World"));
  const auto gitlab = push_in(Provider::gitlab, "Push Hook", kGitLabPush);
  EXPECT_EQ(gitlab.ref, "refs/heads/main");
  EXPECT_THAT(gitlab.repositories,
              UnorderedElementsAre("git@example.com:mike/diaspora.git",
                                   "http://example.com/mike/diaspora.git",
                                   "git@example.com:mike/diaspora.git"));
  EXPECT_EQ(push_in(Provider::gitlab, "System Hook", kGitLabPush), gitlab);
  for (const auto provider : {Provider::gitea, Provider::forgejo}) {
    const auto gitea = push_in(provider, "push", kGiteaPush);
    EXPECT_EQ(gitea.ref, "refs/heads/develop");
    EXPECT_THAT(gitea.repositories,
                UnorderedElementsAre("http://localhost:3000/gitea/webhooks.git",
                                     "ssh://gitea@localhost:2222/gitea/webhooks.git"));
  }
}

TEST(WebhookPayload, AGenericCallNeedsNothingInItsBody) {
  EXPECT_EQ(push_in(Provider::generic, "", ""), WebhookPush());
  EXPECT_EQ(push_in(Provider::generic, "", "{}"), WebhookPush());
  EXPECT_EQ(push_in(Provider::generic, "", R"({"ref": null, "more": [1]})"), WebhookPush());
  EXPECT_EQ(push_in(Provider::generic, "", R"({"ref": "main"})").ref, "refs/heads/main");
  const auto full = push_in(
      Provider::generic, "", R"({"ref": "refs/tags/v1", "repository": "https://h/a/b.git"})");
  EXPECT_EQ(full.ref, "refs/tags/v1");
  EXPECT_THAT(full.repositories, ElementsAre("https://h/a/b.git"));
}

TEST(WebhookPayload, SeesADeletionHoweverItIsSaid) {
  const std::string start = R"({"ref": "refs/heads/x", "repository": {"url": "https://h/a/b"}, )";
  EXPECT_TRUE(push_in(Provider::github, "push", start + R"("deleted": true})").deleted);
  const auto zero = start + R"("after": ")" + kZero + "\"}";
  EXPECT_TRUE(push_in(Provider::github, "push", zero).deleted);
  EXPECT_TRUE(push_in(Provider::gitlab, "Push Hook", zero).deleted);
  EXPECT_TRUE(push_in(Provider::gitea, "push", zero).deleted);
  const auto sha256 = start + R"("after": ")" + std::string(64, '0') + "\"}";
  EXPECT_TRUE(push_in(Provider::gitea, "push", sha256).deleted);
  EXPECT_FALSE(push_in(Provider::github, "push", start + R"("after": null})").deleted);
}

TEST(WebhookPayload, OtherEventsAreNothingToDo) {
  const auto nothing = [](Provider provider, const std::string& event, const std::string& json) {
    const auto payload = parse_webhook(provider, event, json);
    return payload && std::holds_alternative<WebhookNothing>(*payload);
  };
  EXPECT_TRUE(nothing(Provider::github, "ping", R"({"zen": "Keep it", "hook_id": 1})"));
  EXPECT_TRUE(nothing(Provider::github, "pull_request", "{}"));
  EXPECT_TRUE(
      nothing(Provider::gitlab, "Merge Request Hook", R"({"object_kind": "merge_request"})"));
  EXPECT_TRUE(nothing(Provider::gitlab, "System Hook", R"({"event_name": "project_create"})"));
  EXPECT_TRUE(nothing(Provider::gitlab, "System Hook", R"({"event_name": ["push"]})"));
  EXPECT_TRUE(nothing(Provider::gitlab, "push", kGitLabPush));
  EXPECT_TRUE(nothing(Provider::gitea, "release", kGiteaPush));
}

struct MalformedPayload {
  const char* name;
  std::string json;
  const char* says;
};

class MalformedPush : public ::testing::TestWithParam<MalformedPayload> {};

TEST_P(MalformedPush, IsRefusedWithAReasonByEveryProvider_A13) {
  for (const auto& [provider, event] : {std::pair(Provider::github, "push"),
                                        std::pair(Provider::gitlab, "Push Hook"),
                                        std::pair(Provider::gitea, "push"),
                                        std::pair(Provider::forgejo, "push")}) {
    const auto message = refused(provider, event, GetParam().json);
    EXPECT_THAT(message, HasSubstr(GetParam().says)) << to_string(provider);
    EXPECT_THAT(message, Not(HasSubstr("4711"))) << "quotes the payload";
  }
}

std::string nested(const std::string& open, std::size_t levels) {
  std::string text;
  for (std::size_t i = 0; i < levels; ++i) text += open;
  return text;
}

INSTANTIATE_TEST_SUITE_P(
    Shapes,
    MalformedPush,
    ::testing::Values(
        MalformedPayload{"nothing", "", "no JSON"},
        MalformedPayload{"words", "hello 4711", "no JSON"},
        MalformedPayload{"half", R"({"ref": "refs/heads/4711)", "no JSON"},
        MalformedPayload{"two_documents", "{} {}", "no JSON"},
        MalformedPayload{"bad_utf8", "{\"ref\": \"\xff\xfe\"}", "no JSON"},
        MalformedPayload{"byte_0", std::string("{\"ref\": \"a\0\"}", 13), "no JSON"},
        MalformedPayload{"null_document", "null", "must be an object"},
        MalformedPayload{"list", R"([{"ref": "refs/heads/4711"}])", "must be an object"},
        MalformedPayload{"text", R"("refs/heads/main")", "must be an object"},
        MalformedPayload{"number", "4711", "must be an object"},
        MalformedPayload{"empty", "{}", "\"ref\" is missing"},
        MalformedPayload{
            "ref_only_inside", R"({"commits": {"ref": "refs/heads/x"}})", "\"ref\" is missing"},
        MalformedPayload{"ref_null", R"({"ref": null})", "must be a text"},
        MalformedPayload{"ref_number", R"({"ref": 4711})", "must be a text"},
        MalformedPayload{"ref_list", R"({"ref": ["refs/heads/main"]})", "must be a text"},
        MalformedPayload{"ref_object", R"({"ref": {"ref": "refs/heads/main"}})", "must be a text"},
        MalformedPayload{"ref_bare", R"({"ref": "4711"})", "full one"},
        MalformedPayload{"ref_empty", R"({"ref": ""})", "full one"},
        MalformedPayload{
            "ref_long", R"({"ref": "refs/)" + std::string(100'000, 'a') + "\"}", "too long"},
        MalformedPayload{"no_repository", R"({"ref": "refs/heads/x"})", "no address"},
        MalformedPayload{
            "repository_null", R"({"ref": "refs/heads/x", "repository": null})", "no address"},
        MalformedPayload{
            "repository_text", R"({"ref": "refs/heads/x", "repository": "4711"})", "no address"},
        MalformedPayload{"repository_list",
                         R"({"ref": "refs/heads/x", "repository": [{"url": "u"}]})",
                         "no address"},
        MalformedPayload{
            "repository_empty", R"({"ref": "refs/heads/x", "repository": {}})", "no address"},
        MalformedPayload{
            "address_number",
            R"({"ref": "refs/heads/x", "repository": {"clone_url": 4711, "url": [], "ssh_url": ""}})",
            "no address"},
        MalformedPayload{"address_long",
                         R"({"ref": "refs/heads/x", "repository": {"url": ")" +
                             std::string(100'000, 'a') + "\"}}",
                         "no address"},
        MalformedPayload{"deleted_text",
                         R"({"ref": "refs/heads/x", "deleted": "yes", "repository": {"url": "u"}})",
                         "true or false"},
        MalformedPayload{"after_number",
                         R"({"ref": "refs/heads/x", "after": 4711, "repository": {"url": "u"}})",
                         "must be a text"},
        MalformedPayload{"huge_number", R"({"size": 1e999, "ref": "refs/heads/x"})", "too large"},
        MalformedPayload{"long_number", "{\"a\": " + std::string(500'000, '9') + "}", "too large"},
        MalformedPayload{"deep_lists", nested("[", 1'000'000), "levels deep"},
        MalformedPayload{"deep_objects", nested(R"({"a":)", 200'000), "levels deep"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(WebhookPayload, AnEventWithoutItsHeaderIsRefused) {
  for (const auto provider :
       {Provider::github, Provider::gitlab, Provider::gitea, Provider::forgejo})
    EXPECT_THAT(refused(provider, "", kGitHubPush), HasSubstr("header"));
}

TEST(WebhookPayload, AGenericBodyOfWrongTypesIsRefused) {
  for (const auto* json : {"[]", "7", "{", R"({"ref": 1})", R"({"repository": {"url": "u"}})"})
    EXPECT_THAT(refused(Provider::generic, "", json), Not(IsEmpty())) << json;
}

TEST(WebhookPayload, ReadsTheFormThatGitHubCanSend) {
  EXPECT_EQ(*payload_of_form("payload=%7B%22a%22%3A+1%7D"), "{\"a\": 1}");
  EXPECT_EQ(*payload_of_form("x=1&payload=%7b%7D&y=2"), "{}");
  EXPECT_EQ(*payload_of_form("payload="), "");
  for (const auto* bad : {"", "&&&", "x=1", "xpayload=1", "payload=%7", "payload=%", "payload=%zz"})
    EXPECT_FALSE(payload_of_form(bad)) << bad;
}

TEST(WebhookRepository, OneRepositoryHasOneIdentityHoweverItIsWritten) {
  for (const auto* address : {"https://git.example.com/ops/cluster.git",
                              "https://git.example.com/ops/cluster",
                              "http://Git.Example.COM:8080/ops/Cluster.git/",
                              "https://user:token@git.example.com/ops/cluster.git",
                              "https://git.example.com//ops/cluster.git?x=1#y",
                              "ssh://git@git.example.com:2222/ops/cluster.git",
                              "ssh://git@ssh.git.example.com:443/ops/cluster.git",
                              "git://git.example.com/ops/cluster.git",
                              "git@git.example.com:ops/cluster.git",
                              "git.example.com:/ops/cluster",
                              "https://git.example.com./ops/%63luster.git"})
    EXPECT_EQ(repository_identity(address), "git.example.com/ops/cluster") << address;
  EXPECT_EQ(repository_identity("file:///srv/git/Cluster.git"), "/srv/git/cluster");
  EXPECT_EQ(repository_identity("/srv/git/cluster.git/"), "/srv/git/cluster");
  EXPECT_EQ(repository_identity("http://[2001:DB8::1]:3000/a/b.git"), "2001:db8::1/a/b");
  EXPECT_EQ(repository_identity("git@ssh.github.com:a/b"), "github.com/a/b");
  EXPECT_EQ(repository_identity("ssh.com:a/b"), "ssh.com/a/b");
}

TEST(WebhookRepository, WhatIsNoAddressHasNone) {
  for (const auto* address : {"",
                              "https://",
                              "https://host",
                              "https://host/",
                              "words",
                              "a/b",
                              "://",
                              ":",
                              "@:",
                              "file://",
                              "/"})
    EXPECT_EQ(repository_identity(address), "") << address;
  EXPECT_EQ(repository_identity(std::string(10'000, 'a') + ":b"), "");
}

TEST(WebhookRepository, AnotherRepositoryIsAnother) {
  const std::vector<std::string> ours = {"https://git.example.com/ops/cluster.git"};
  EXPECT_TRUE(names_repository({"https://x/y", "git@git.example.com:ops/cluster.git"}, ours));
  EXPECT_FALSE(names_repository({"https://git.example.com/ops/cluster2.git",
                                 "https://git.example.org/ops/cluster.git",
                                 "https://git.example.com/ops/cluster.git/wiki",
                                 ""},
                                ours));
  EXPECT_FALSE(names_repository({}, ours));
  EXPECT_FALSE(names_repository({""}, {""})) << "what is no address equals nothing";
}

TEST(WebhookRepository, ARefMovesWhatFollowsIt) {
  EXPECT_TRUE(moves_ref("refs/heads/main", "main"));
  EXPECT_TRUE(moves_ref("refs/heads/main", "refs/heads/main"));
  EXPECT_TRUE(moves_ref("refs/tags/v1", "v1"));
  EXPECT_TRUE(moves_ref("refs/heads/feature/a", "feature/a"));
  EXPECT_TRUE(moves_ref("refs/heads/any", ""));
  EXPECT_TRUE(moves_ref("refs/heads/any", "HEAD"));
  EXPECT_TRUE(moves_ref("refs/heads/any", std::string(40, 'a')));
  EXPECT_FALSE(moves_ref("refs/heads/main2", "main"));
  EXPECT_FALSE(moves_ref("refs/heads/a/main", "main"));
  EXPECT_FALSE(moves_ref("refs/heads/Main", "main"));
  EXPECT_FALSE(moves_ref("refs/tags/main", "refs/heads/main"));
  EXPECT_FALSE(moves_ref("refs/pull/1/head", "main"));
}

TEST(WebhookMemory, ForgetsTheOldestFirstAndIsBounded) {
  SeenDeliveries seen(3);
  EXPECT_TRUE(seen.first_time({"a"}));
  EXPECT_FALSE(seen.first_time({"a"}));
  EXPECT_FALSE(seen.first_time({"new", "a"})) << "one known mark is enough";
  EXPECT_TRUE(seen.first_time({"new"})) << "what was refused left no mark";
  EXPECT_TRUE(seen.first_time({"b", "c"}));
  EXPECT_TRUE(seen.first_time({"a"})) << "four marks, and room for three";
  EXPECT_TRUE(seen.first_time({}));
  EXPECT_TRUE(seen.first_time({})) << "a call without an id is no repetition";
}

TEST(WebhookMemory, OneSourceCannotCallWithoutEndAndOthersDoNotMind_A12) {
  CallRate rate(3, 1);
  SteadyTime now{};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(rate.allowed("a", now));
  EXPECT_FALSE(rate.allowed("a", now));
  EXPECT_TRUE(rate.allowed("b", now));
  now += std::chrono::seconds(1);
  EXPECT_TRUE(rate.allowed("a", now));
  EXPECT_FALSE(rate.allowed("a", now));
}

TEST(WebhookMemory, ManySourcesAtOnceShareOneBucket_A12) {
  CallRate rate(2, 1, 10);
  SteadyTime now{};
  int allowed = 0;
  for (int i = 0; i < 1000; ++i)
    allowed += rate.allowed("source " + std::to_string(i), now) ? 1 : 0;
  EXPECT_EQ(allowed, 12);
  now += std::chrono::seconds(10);
  EXPECT_TRUE(rate.allowed("a new one", now)) << "full buckets are forgotten";
}

}  // namespace
}  // namespace skep::server::testing
