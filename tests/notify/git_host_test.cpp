#include "notify/git_host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "notify/http.hpp"
#include "tests/notify/fixture.hpp"
#include "tests/notify/raw_server.hpp"

namespace skep::notify::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using What = HostVerdict::What;

const WallTime kHostNow{std::chrono::seconds(1'800'000'000)};

struct Located {
  const char* name;
  GitHostType type;
  const char* address;
  const char* api;
  const char* project;
};
class Locate : public ::testing::TestWithParam<Located> {};

TEST_P(Locate, FindsTheApiOfARepository) {
  GitHost host;
  host.type = GetParam().type;
  const auto located = locate(host, GetParam().address);
  if (*GetParam().api == '\0') {
    EXPECT_FALSE(located) << host.api << " " << host.project;
    return;
  }
  ASSERT_TRUE(located) << located.error().message;
  EXPECT_EQ(host.api, GetParam().api);
  EXPECT_EQ(host.project, GetParam().project);
}

using enum GitHostType;
INSTANTIATE_TEST_SUITE_P(
    Addresses,
    Locate,
    ::testing::Values(Located{"github",
                              github,
                              "https://github.com/ops/cluster.git",
                              "https://api.github.com",
                              "ops/cluster"},
                      Located{"github_ssh",
                              github,
                              "git@github.com:ops/cluster.git",
                              "https://api.github.com",
                              "ops/cluster"},
                      Located{"github_enterprise",
                              github,
                              "https://git.example.com:8443/ops/cluster",
                              "https://git.example.com:8443/api/v3",
                              "ops/cluster"},
                      Located{"with_a_password",
                              github,
                              "https://ada:canary@GitHub.com/ops/cluster/",
                              "https://api.github.com",
                              "ops/cluster"},
                      Located{"gitlab_groups",
                              gitlab,
                              "https://gitlab.com/a/b/c/cluster.git",
                              "https://gitlab.com/api/v4",
                              "a/b/c/cluster"},
                      Located{"gitlab_ssh_port",
                              gitlab,
                              "ssh://git@gitlab.example.com:2222/ops/cluster.git",
                              "https://gitlab.example.com/api/v4",
                              "ops/cluster"},
                      Located{"gitea",
                              gitea,
                              "http://gitea:3000/ops/cluster.git",
                              "http://gitea:3000/api/v1",
                              "ops/cluster"},
                      Located{"gitea_below_a_path",
                              gitea,
                              "https://example.com/git/ops/cluster.git",
                              "https://example.com/git/api/v1",
                              "ops/cluster"},
                      Located{"forgejo",
                              forgejo,
                              "https://codeberg.org/ops/cluster?x=1#y",
                              "https://codeberg.org/api/v1",
                              "ops/cluster"},
                      Located{"ipv6",
                              gitea,
                              "http://[::1]:3000/ops/cluster",
                              "http://[::1]:3000/api/v1",
                              "ops/cluster"},
                      Located{"a_path", gitea, "/srv/git/cluster.git", "", ""},
                      Located{"a_file", gitea, "file:///srv/git/cluster.git", "", ""},
                      Located{"no_owner", github, "https://github.com/cluster", "", ""},
                      Located{"no_host", gitea, "https:///ops/cluster", "", ""},
                      Located{"nothing", gitlab, "", "", ""}),
    [](const auto& row) { return std::string(row.param.name); });

GitHost host_at(GitHostType type, const std::string& origin) {
  GitHost host;
  host.name = "forge";
  host.type = type;
  host.token = Secret("canary-token");
  host.branch = "main";
  host.target_url = "https://skep.example.com/{stack}?at={commit}";
  EXPECT_TRUE(locate(host, origin + "/ops/cluster.git"));
  return host;
}

const CommitStatus kStatus = {
    "skep/apps/web", CommitState::failure, "app: \"exit 1\" – zażółć", "apps/web"};

/// Asks a server for its status 201, and gives what it saw.
std::string seen_by_a_server(GitHostType type) {
  const RawServer server([](const std::string&) { return reply(201, "", R"({"id": 1})"); });
  const auto host = host_at(type, server.origin());
  const auto answer = http_sender({}, 5s)(status_call(host, kCommit, kStatus));
  EXPECT_TRUE(answer) << answer.error().message;
  if (answer) {
    EXPECT_EQ(judge(host, *answer, kHostNow).what, What::accepted);
  }
  EXPECT_THAT(server.requests(), SizeIs(1));
  return server.requests().empty() ? std::string() : server.requests().front();
}

TEST(StatusCall, IsGitHubsForm) {
  const auto request = seen_by_a_server(github);
  EXPECT_EQ(first_line(request),
            "POST /api/v3/repos/ops/cluster/statuses/" + kCommit + " HTTP/1.1");
  EXPECT_EQ(header_of(request, "Authorization"), "Bearer canary-token");
  EXPECT_EQ(header_of(request, "Accept"), "application/vnd.github+json");
  EXPECT_EQ(header_of(request, "X-GitHub-Api-Version"), "2022-11-28");
  EXPECT_EQ(header_of(request, "User-Agent"), "skep") << "GitHub refuses calls without one";
  EXPECT_EQ(header_of(request, "Content-Type"), "application/json");
  EXPECT_EQ(nlohmann::json::parse(body_of(request)),
            nlohmann::json({{"state", "failure"},
                            {"context", "skep/apps/web"},
                            {"description", kStatus.words},
                            {"target_url", "https://skep.example.com/apps%2Fweb?at=" + kCommit}}));
}

TEST(StatusCall, IsGitLabsForm) {
  const auto request = seen_by_a_server(gitlab);
  EXPECT_EQ(first_line(request),
            "POST /api/v4/projects/ops%2Fcluster/statuses/" + kCommit + " HTTP/1.1");
  EXPECT_EQ(header_of(request, "PRIVATE-TOKEN"), "canary-token");
  EXPECT_THAT(header_of(request, "Authorization"), IsEmpty());
  EXPECT_EQ(nlohmann::json::parse(body_of(request)),
            nlohmann::json({{"state", "failed"},
                            {"name", "skep/apps/web"},
                            {"ref", "main"},
                            {"description", kStatus.words},
                            {"target_url", "https://skep.example.com/apps%2Fweb?at=" + kCommit}}));
}

TEST(StatusCall, IsGiteasForm) {
  for (const auto type : {gitea, forgejo}) {
    const auto request = seen_by_a_server(type);
    EXPECT_EQ(first_line(request),
              "POST /api/v1/repos/ops/cluster/statuses/" + kCommit + " HTTP/1.1");
    EXPECT_EQ(header_of(request, "Authorization"), "token canary-token");
    EXPECT_EQ(header_of(request, "Content-Type"), "application/json");
    const auto body = nlohmann::json::parse(body_of(request));
    EXPECT_EQ(body.at("state"), "failure");
    EXPECT_EQ(body.at("context"), "skep/apps/web");
  }
}

TEST(StatusCall, UsesTheWordsThatEachHostKnows) {
  const auto words_of = [](GitHostType type) {
    std::vector<std::string> words;
    for (const auto state :
         {CommitState::pending, CommitState::success, CommitState::failure, CommitState::left}) {
      auto status = kStatus;
      status.state = state;
      const auto call = status_call(host_at(type, "https://git.example.com"), kCommit, status);
      words.push_back(nlohmann::json::parse(call.body).at("state"));
    }
    return words;
  };
  using ::testing::ElementsAre;
  EXPECT_THAT(words_of(github), ElementsAre("pending", "success", "failure", "error"));
  EXPECT_THAT(words_of(gitlab), ElementsAre("pending", "success", "failed", "canceled"));
  EXPECT_THAT(words_of(gitea), ElementsAre("pending", "success", "failure", "warning"));
}

TEST(StatusCall, DescriptionsFitWhatAHostTakes) {
  auto status = kStatus;
  status.words.clear();
  for (int i = 0; i < 100; ++i) status.words += "zażółć\n";
  const auto characters = [&](GitHostType type) {
    const auto call = status_call(host_at(type, "https://git.example.com"), kCommit, status);
    const std::string text = nlohmann::json::parse(call.body).at("description");
    EXPECT_THAT(text, Not(HasSubstr("\n")));
    return std::count_if(text.begin(), text.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    });
  };
  EXPECT_EQ(characters(github), 140);
  EXPECT_EQ(characters(gitlab), 255);
}

struct Judged {
  const char* name;
  HttpAnswer answer;
  What what;
  std::chrono::seconds wait;
};
class Judge : public ::testing::TestWithParam<Judged> {};

TEST_P(Judge, KnowsWhatAnAnswerMeans) {
  const auto verdict =
      judge(host_at(gitlab, "https://git.example.com"), GetParam().answer, kHostNow);
  EXPECT_EQ(verdict.what, GetParam().what) << verdict.why;
  if (GetParam().wait > 0s) {
    EXPECT_EQ(verdict.not_before, kHostNow + GetParam().wait);
  }
  EXPECT_THAT(verdict.why, Not(HasSubstr("canary")));
}

INSTANTIATE_TEST_SUITE_P(
    Answers,
    Judge,
    ::testing::Values(
        Judged{"created", {201, 0s}, What::accepted, 0s},
        Judged{"gitlab_stands_there_already",
               {400, 0s, R"({"message":"Cannot transition status via :enqueue from :pending"})"},
               What::accepted,
               0s},
        Judged{"too_many_says_when", {429, 30s}, What::limited, 30s},
        Judged{"too_many_says_nothing", {429, 0s}, What::limited, 60s},
        Judged{"forbidden_with_a_time_is_the_secondary_limit", {403, 90s}, What::limited, 90s},
        Judged{"forbidden_with_nothing_left_waits_for_the_window",
               {403, 0s, "", 0, kHostNow + 600s},
               What::limited,
               600s},
        Judged{"a_window_long_past", {403, 0s, "", 0, kHostNow - 600s}, What::limited, 60s},
        Judged{"a_window_in_a_thousand_years",
               {429, 0s, "", 0, kHostNow + 9'999'999s},
               What::limited,
               7200s},
        Judged{"a_time_without_end", {429, 99'999'999s}, What::limited, 7200s},
        Judged{
            "forbidden_with_calls_left_is_the_token", {403, 0s, "canary", 55}, What::later, 600s},
        Judged{"unauthorized", {401, 0s}, What::later, 600s},
        Judged{"not_found", {404, 0s}, What::refused, 0s},
        Judged{"unprocessable", {422, 0s}, What::refused, 0s},
        Judged{"moved_elsewhere", {301, 0s}, What::refused, 0s},
        Judged{"busy", {502, 0s}, What::later, 0s},
        Judged{"busy_says_when", {503, 20s}, What::limited, 20s}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(StatusHttp, RateLimitsAreReadAsEachHostSpellsThem) {
  const RawServer server([n = 0](const std::string&) mutable {
    switch (n++) {
      case 0:
        return reply(403, "x-ratelimit-remaining: 0\r\nX-RateLimit-Reset: 1800000123\r\n");
      case 1:
        return reply(429, "RateLimit-Remaining: 7\r\nRetry-After: 9\r\n");
      default:
        return reply(429, "RateLimit-Remaining: -3\r\nRateLimit-Reset: 99999999999999999999\r\n");
    }
  });
  const auto call = status_call(host_at(github, server.origin()), kCommit, kStatus);
  const auto send = http_sender({}, 5s);
  auto answer = send(call);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->calls_left, 0);
  EXPECT_EQ(answer->calls_again, kHostNow + 123s);
  answer = send(call);
  EXPECT_EQ(answer->calls_left, 7);
  EXPECT_EQ(answer->retry_after, 9s);
  answer = send(call);
  EXPECT_FALSE(answer->calls_left);
  EXPECT_FALSE(answer->calls_again);
}

TEST(StatusHttp, ARedirectIsFollowedOnTheSameHostOnly) {
  const RawServer other([](const std::string&) { return reply(201); });
  const RawServer server([&](const std::string& request) {
    const auto path = first_line(request);
    if (path.find("/moved/") != std::string::npos) return reply(201);
    if (path.find("/away/") != std::string::npos)
      return reply(307, "Location: " + other.origin() + "/x\r\n");
    if (path.find("/loop/") != std::string::npos) return reply(308, "Location: /loop/\r\n");
    if (path.find("/get/") != std::string::npos) return reply(302, "Location: /moved/\r\n");
    return reply(301, "Location: /moved/\r\n");
  });
  const auto send = http_sender({}, 5s);
  auto call = status_call(host_at(gitea, server.origin()), kCommit, kStatus);
  EXPECT_EQ(send(call)->status, 201);
  ASSERT_THAT(server.requests(), SizeIs(2));
  EXPECT_EQ(first_line(server.requests().back()), "POST /moved/ HTTP/1.1");
  EXPECT_EQ(body_of(server.requests().back()), call.body);
  call.url = server.origin() + "/away/";
  EXPECT_EQ(send(call)->status, 307);
  EXPECT_THAT(other.requests(), IsEmpty()) << "the token would have gone with it";
  call.url = server.origin() + "/get/";
  EXPECT_EQ(send(call)->status, 302);
  call.url = server.origin() + "/loop/";
  EXPECT_EQ(send(call)->status, 308);
  EXPECT_THAT(server.requests(), SizeIs(2 + 1 + 1 + 4)) << "a loop ends";
}

TEST(StatusHttp, NoAnswerTakesMemoryOrTimeWithoutEnd) {
  const std::string chunk = "400\r\n" + std::string(1024, 'x') + "\r\n";
  const RawServer server([&](const std::string& request) -> RawServer::Reply {
    const auto path = first_line(request);
    if (path.find("/chunks") != std::string::npos)
      return {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk};
    if (path.find("/headers") != std::string::npos)
      return {"HTTP/1.1 200 OK\r\n", "X-A: " + std::string(999, 'y') + "\r\n"};
    if (path.find("/silence") != std::string::npos)
      return {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", {}};
    if (path.find("/bomb") != std::string::npos)
      return reply(200, "Content-Encoding: gzip\r\n", std::string(1'000'000, '\x1f'));
    return {"\x16\x03\x01 garbage\r\n\r\n", {}};
  });
  const auto send = http_sender({}, 1s);
  auto call = status_call(host_at(gitea, server.origin()), kCommit, kStatus);
  for (const auto* path : {"/chunks", "/headers", "/silence", "/bomb", "/garbage"}) {
    call.url = server.origin() + path;
    const auto start = std::chrono::steady_clock::now();
    const auto answer = send(call);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 10s) << path;
    if (answer) {
      EXPECT_LE(answer->body.size(), 4096U) << path;
    } else {
      EXPECT_THAT(answer.error().message, Not(HasSubstr("127.0.0.1"))) << path;
    }
  }
}

}  // namespace
}  // namespace skep::notify::testing
