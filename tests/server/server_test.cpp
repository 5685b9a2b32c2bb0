#include "server/server.hpp"

#include <atomic>
#include <fstream>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.hpp"
#include "metrics/prometheus_metrics.hpp"
#include "server/listen_socket.hpp"
#include "server/status_json.hpp"
#include "tests/server/http_fixture.hpp"

namespace skep::server::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class ServerTest : public ::testing::Test {
 protected:
  void start(std::vector<Listener> listeners, Tokens tokens = {}) {
    Router router;
    add_routes(router, control_, {.tokens = std::move(tokens), .metrics = [this] {
                                    return metrics_.render();
                                  }});
    router.add(RouteSet::webhook, "POST", "/echo", [](const Request& request) {
      return Response{.content_type = "text/plain", .body = request.body};
    });
    router.add(RouteSet::webhook, "GET", "/throws", [](const Request&) -> Response {
      throw std::logic_error("secret detail");
    });
    auto server = Server::start(std::move(router),
                                {.listeners = std::move(listeners),
                                 .limits = {},
                                 .answered =
                                     [this](auto handler, auto method, int status, auto duration) {
                                       metrics_.http_request(handler, method, status, duration);
                                     },
                                 .failed = [this](auto) { ++failures_; }});
    ASSERT_TRUE(server) << server.error().message;
    server_ = *std::move(server);
    address_ = server_->addresses().front();
  }

  std::string socket_path() const { return (directory_.path() / "skep.sock").string(); }

  FakeControl control_;
  SystemClock clock_;
  metrics::PrometheusMetrics metrics_{{.version = "0.1.0", .commit = "c"}, clock_};
  TemporaryDirectory directory_;
  std::atomic<int> failures_ = 0;
  std::unique_ptr<Server> server_;
  std::string address_;
};

TEST_F(ServerTest, TellsTheMetricsAndCountsItsOwnAnswers) {
  start({{"127.0.0.1:0", kAllRoutes}});
  EXPECT_EQ(fetch(address_, "GET", "/healthz").status, 200);
  EXPECT_EQ(fetch(address_, "GET", "/no-such-path-4711").status, 404);
  const auto reply = fetch(address_, "GET", "/metrics");
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.head, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8"));
  EXPECT_THAT(
      reply.body,
      HasSubstr("skep_http_requests_total{handler=\"/healthz\",method=\"GET\",code=\"200\"} 1\n"));
  EXPECT_THAT(
      reply.body,
      HasSubstr("skep_http_requests_total{handler=\"none\",method=\"GET\",code=\"404\"} 1\n"));
  EXPECT_THAT(reply.body, Not(HasSubstr("4711")));
}

TEST_F(ServerTest, HealthAndReadinessFollowTheLoop) {
  start({{"127.0.0.1:0", kAllRoutes}});
  EXPECT_EQ(fetch(address_, "GET", "/healthz").status, 200);
  EXPECT_EQ(fetch(address_, "GET", "/readyz").status, 200);
  control_.is_alive = control_.is_ready = false;
  EXPECT_EQ(fetch(address_, "GET", "/healthz").status, 503);
  const auto reply = fetch(address_, "GET", "/readyz");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.body, "{\"error\":\"no first pass has ended yet\"}\n");
  control_.current.docker_error = "the swarm has no leader";
  EXPECT_EQ(fetch(address_, "GET", "/readyz").body,
            "{\"error\":\"the swarm cannot be read: the swarm has no leader\"}\n");
}

TEST_F(ServerTest, StatusIsWhatTheCliCanRead) {
  start({{"127.0.0.1:0", kAllRoutes}});
  const auto reply = fetch(address_, "GET", "/api/v1/status");
  EXPECT_EQ(reply.status, 200);
  const auto status = parse_status(reply.body);
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(to_json(*status), to_json(control_.current));
}

TEST_F(ServerTest, AStackIsFoundByGroupAndName) {
  start({{"127.0.0.1:0", kAllRoutes}});
  EXPECT_THAT(fetch(address_, "GET", "/api/v1/stacks").body,
              StartsWith("{\"stacks\":[{\"group\":\"management\",\"name\":\"proxy\""));
  const auto reply = fetch(address_, "GET", "/api/v1/stacks/apps/web");
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.body, StartsWith("{\"stack\":{\"group\":\"apps\",\"name\":\"web\""));
  EXPECT_THAT(reply.body, HasSubstr("\"plan\":null,\"conditions\":["));
  EXPECT_EQ(fetch(address_, "GET", "/api/v1/stacks/apps/none").status, 404);
}

TEST_F(ServerTest, AStacksPlanIsThatOfTheDiff) {
  auto& plan = control_.current.stacks[1].plan.emplace();
  plan.stack = *swarm::StackName::parse("web");
  auto& action = plan.actions.emplace_back();
  action.verb = diff::Verb::remove;
  action.name = "web_worker";
  action.key = "worker";
  start({{"127.0.0.1:0", kAllRoutes}});
  const auto reply = fetch(address_, "GET", "/api/v1/stacks/apps/web");
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.body, HasSubstr("web_worker"));
}

TEST_F(ServerTest, EveryAnswerCarriesTheSecurityHeaders_Attack21) {
  start({{"127.0.0.1:0", kAllRoutes}});
  for (const auto* path : {"/healthz", "/nothing", "/api/v1/status", "/a/../b"}) {
    const auto head = fetch(address_, "GET", path).head;
    EXPECT_THAT(head, HasSubstr("X-Content-Type-Options: nosniff\r\n")) << path;
    EXPECT_THAT(head, HasSubstr("Cache-Control: no-store\r\n")) << path;
    EXPECT_THAT(head, HasSubstr("Content-Security-Policy: default-src 'none'")) << path;
    EXPECT_THAT(head, HasSubstr("X-Frame-Options: DENY\r\n")) << path;
  }
}

// What comes from git and the engine is data in JSON, and no browser may take it for a page.
TEST_F(ServerTest, WhatLooksLikeAPageStaysData_Attack21) {
  auto& web = control_.current.stacks[1];
  web.message = "<script>alert(1)</script>";
  auto& service = web.services.emplace_back();
  service.name = "javascript:alert(1)";
  service.image = "\"><img src=x onerror=y>";
  start({{"127.0.0.1:0", kAllRoutes}});
  for (const auto* path : {"/api/v1/status",
                           "/api/v1/stacks/apps/web",
                           "/api/v1/stacks/apps/%3Cscript%3E",
                           "/%3Cscript%3Ealert(1)%3C%2Fscript%3E"}) {
    const auto reply = fetch(address_, "GET", path);
    EXPECT_THAT(reply.head, HasSubstr("Content-Type: application/json\r\n")) << path;
    EXPECT_THAT(reply.head, HasSubstr("X-Content-Type-Options: nosniff\r\n")) << path;
    EXPECT_THAT(reply.head, HasSubstr("Content-Security-Policy: default-src 'none'")) << path;
  }
  EXPECT_THAT(fetch(address_, "GET", "/api/v1/status").body,
              HasSubstr("\"message\":\"<script>alert(1)</script>\""));
}

TEST_F(ServerTest, WithTokenToReadOnlyProbesAreOpen_Attack32) {
  Router router;
  add_routes(router,
             control_,
             {.tokens = *Tokens::parse({"viewer:" + sha256_hex("looker")}),
              .metrics = [this] { return metrics_.render(); },
              .token_to_read = true});
  std::vector<std::string> patterns;
  for (const auto* route : router.routes()) {
    if (route->method == "GET" && route->set != RouteSet::health)
      patterns.push_back(route->pattern);
  }
  auto server = Server::start(std::move(router), {.listeners = {{"127.0.0.1:0", kAllRoutes}}});
  ASSERT_TRUE(server) << server.error().message;
  const auto address = (*server)->addresses().front();
  EXPECT_THAT(patterns, ::testing::Contains("/metrics"));
  for (auto path : patterns) {
    if (const auto at = path.find("{group}"); at != std::string::npos) path.replace(at, 7, "apps");
    if (const auto at = path.find("{name}"); at != std::string::npos) path.replace(at, 6, "web");
    EXPECT_EQ(fetch(address, "GET", path).status, 401) << path;
    EXPECT_NE(fetch(address, "GET", path + "?n=1", {"Authorization: Bearer looker"}).status, 401)
        << path;
  }
  EXPECT_EQ(fetch(address, "GET", "/healthz").status, 200);
  EXPECT_EQ(fetch(address, "GET", "/readyz").status, 200);
}

TEST_F(ServerTest, WritingOverTcpWithoutAnyTokenConfiguredTellsTheWay) {
  start({{"127.0.0.1:0", kAllRoutes}});
  const auto reply =
      fetch(address_, "POST", "/api/v1/sync", {"Authorization: Bearer x", "Content-Length: 0"});
  EXPECT_EQ(reply.status, 403);
  EXPECT_THAT(reply.body, HasSubstr("no API token is configured"));
  EXPECT_THAT(reply.body, HasSubstr("unix socket"));
  EXPECT_THAT(control_.calls(), IsEmpty());
}

TEST_F(ServerTest, WritingOverTcpNeedsAKnownToken) {
  start({{"127.0.0.1:0", kAllRoutes}}, *Tokens::parse({"ci=" + sha256_hex("right")}));
  const auto none = fetch(address_, "POST", "/api/v1/sync", {"Content-Length: 0"});
  EXPECT_EQ(none.status, 401);
  EXPECT_THAT(none.head, HasSubstr("WWW-Authenticate: Bearer"));
  EXPECT_EQ(fetch(address_,
                  "POST",
                  "/api/v1/stacks/apps/web/approve",
                  {"Authorization: Bearer wrong", "Content-Length: 0"})
                .status,
            401);
  EXPECT_THAT(control_.calls(), IsEmpty());
  EXPECT_EQ(fetch(address_,
                  "POST",
                  "/api/v1/stacks/apps/web/approve",
                  {"Authorization: Bearer right", "Content-Length: 0"})
                .status,
            202);
  EXPECT_THAT(control_.calls(), ElementsAre("approve apps/web by token ci from 127.0.0.1"));
}

TEST_F(ServerTest, WhoMayNotWriteDoesNotLearnWhichStacksThereAre) {
  start({{"127.0.0.1:0", kAllRoutes}}, *Tokens::parse({sha256_hex("right")}));
  EXPECT_EQ(fetch(address_, "POST", "/api/v1/stacks/apps/none/sync", {"Content-Length: 0"}).status,
            401);
}

TEST_F(ServerTest, OneThatStandsByNamesTheActiveOneInsteadOfDenyingAStack) {
  start({{"unix:" + socket_path(), kAllRoutes}});
  control_.current.stacks.clear();
  control_.current.standby_for = "elsewhere";
  const auto read = fetch(address_, "GET", "/api/v1/stacks/apps/web/explain");
  EXPECT_EQ(read.status, 404);
  EXPECT_THAT(read.body,
              HasSubstr("this agent stands by and knows of no stack; active is elsewhere"));
  const auto written =
      fetch(address_, "POST", "/api/v1/stacks/apps/web/suspend", {"Content-Length: 0"});
  EXPECT_EQ(written.status, 409);
  EXPECT_THAT(written.body, HasSubstr("active is elsewhere: ask there"));
  EXPECT_TRUE(control_.calls().empty());
}

TEST_F(ServerTest, ASuspensionHasAReasonAndATime) {
  start({{"unix:" + socket_path(), kAllRoutes}});
  const auto post = [&](const std::string& what) {
    return fetch(address_, "POST", "/api/v1/stacks/apps/web/" + what, {"Content-Length: 0"}).status;
  };
  EXPECT_EQ(post("suspend?for=7200&reason=data%20base"), 202);
  EXPECT_EQ(post("suspend"), 202);
  EXPECT_EQ(post("suspend?for=2h"), 400);
  EXPECT_EQ(post("suspend?for=0"), 400);
  EXPECT_EQ(post("suspend?reason=" + std::string(501, 'x')), 400);
  EXPECT_EQ(post("resume"), 202);
  const auto actor = "uid " + std::to_string(::getuid());
  EXPECT_THAT(control_.calls(),
              ElementsAre("suspend apps/web for 7200000 (data base) by " + actor,
                          "suspend apps/web for ever () by " + actor,
                          "resume apps/web by " + actor));
}

TEST_F(ServerTest, ABodyGivesWhatTheQueryCouldGive) {
  start({{"unix:" + socket_path(), kAllRoutes}});
  const auto post = [&](const std::string& what, const std::string& body) {
    std::vector<std::string> headers = {"Content-Type: application/x-www-form-urlencoded"};
    if (body.empty()) headers.emplace_back("Content-Length: 0");
    return fetch(address_, "POST", "/api/v1/stacks/apps/web/" + what, headers, body);
  };
  EXPECT_EQ(post("rollback", R"({"revision": "0123abc"})").status, 202);
  EXPECT_EQ(post("suspend", R"({"reason": "data base", "for": 7200})").status, 202);
  EXPECT_EQ(post("suspend?for=60", R"({"for": "60"})").status, 202);
  EXPECT_EQ(post("resume", "{}\n").status, 202);
  const auto actor = "uid " + std::to_string(::getuid());
  EXPECT_THAT(control_.calls(),
              ElementsAre("rollback apps/web to 0123abc by " + actor,
                          "suspend apps/web for 7200000 (data base) by " + actor,
                          "suspend apps/web for 60000 () by " + actor,
                          "resume apps/web by " + actor));
  const std::vector<std::array<std::string, 3>> bad = {
      {"rollback", "revision=0123abc", "must be one JSON object"},
      {"rollback", R"(["0123abc"])", "must be one JSON object"},
      {"rollback", R"({"revision": "0123abc")", "must be one JSON object"},
      {"rollback", R"({"revision": "a", "revision": "b"})", "no key twice"},
      {"rollback", R"({"revison": "0123abc"})", "there is no parameter revison here; there is"},
      {"rollback", R"({"revision": 123})", "revision in the body must be a string"},
      {"rollback", R"({"revision": null})", "must be a string"},
      {"rollback", R"({"revision": ""})", "is empty"},
      {"rollback?revision=", "", "is empty"},
      {"rollback?revision=0123", R"({"revision": "4567"})", "different values"},
      {"suspend", R"({"reason": "x", "for": "2h"})", "for must be a number of seconds"},
      {"suspend", R"({"reason": "x", "for": 1.5})", "must be a whole number"},
      {"suspend", R"({"reason": "two\nlines"})", "control character"},
      {"suspend?for=", "", "is empty"},
      {"resume", R"({"reason": "x"})", "this path takes none"},
      {"sync", "now", "takes no body"},
  };
  for (const auto& [what, body, says] : bad) {
    const auto reply = post(what, body);
    EXPECT_EQ(reply.status, 400) << what << " " << body;
    EXPECT_THAT(reply.body, HasSubstr(says)) << what << " " << body;
  }
  EXPECT_EQ(control_.calls().size(), 4U) << "what is not understood does nothing";
}

TEST_F(ServerTest, AParameterThatAQuestionDoesNotHaveIsRefused) {
  start({{"127.0.0.1:0", kAllRoutes}});
  const auto reply = fetch(address_, "GET", "/api/v1/history?limit=1");
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.body, HasSubstr("there is no parameter limit here; there is n, since, stack"));
  EXPECT_EQ(fetch(address_, "GET", "/api/v1/status?stack=web").status, 400);
  EXPECT_EQ(fetch(address_, "GET", "/healthz?from=balancer").status, 200) << "probes take anything";
}

TEST_F(ServerTest, AnswersATargetInAbsoluteForm) {
  start({{"127.0.0.1:0", kAllRoutes}});
  EXPECT_EQ(fetch(address_, "GET", "http://skep.example.com/healthz").status, 200);
}

TEST_F(ServerTest, TheUnixSocketMayWrite) {
  start({{"unix:" + socket_path(), kAllRoutes}});
  EXPECT_EQ(fetch(address_, "POST", "/api/v1/sync", {"Content-Length: 0"}).status, 202);
  EXPECT_EQ(fetch(address_, "POST", "/api/v1/stacks/apps/web/sync", {"Content-Length: 0"}).status,
            202);
  EXPECT_EQ(
      fetch(address_, "POST", "/api/v1/stacks/management/proxy/approve", {"Content-Length: 0"})
          .status,
      409)
      << "nothing is held";
  EXPECT_EQ(fetch(address_, "POST", "/api/v1/stacks/apps/none/sync", {"Content-Length: 0"}).status,
            404);
  const auto actor = "uid " + std::to_string(::getuid());
  EXPECT_THAT(control_.calls(), ElementsAre("sync  by " + actor, "sync apps/web by " + actor));
}

TEST_F(ServerTest, AWrongMethodIsToldTheRightOnes) {
  start({{"127.0.0.1:0", kAllRoutes}});
  const auto reply = fetch(address_, "DELETE", "/api/v1/status");
  EXPECT_EQ(reply.status, 405);
  EXPECT_THAT(reply.head, HasSubstr("Allow: GET, HEAD\r\n"));
  EXPECT_EQ(fetch(address_, "GET", "/api/v1/sync").status, 405);
  EXPECT_EQ(fetch(address_, "BREW", "/healthz").status, 405);
}

TEST_F(ServerTest, HeadHasTheHeadersAndNoBody) {
  start({{"127.0.0.1:0", kAllRoutes}});
  const auto reply = fetch(address_, "HEAD", "/healthz");
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.head, HasSubstr("Content-Length: 16"));
  EXPECT_EQ(reply.body, "");
}

TEST_F(ServerTest, APathThatClimbsIsRefused) {
  start({{"127.0.0.1:0", kAllRoutes}});
  for (const auto* path : {"/../../etc/passwd",
                           "/api/v1/stacks/..%2f..%2fetc/passwd/../x",
                           "/api/v1/stacks/%2e%2e/web",
                           "/api/v1/stacks/apps/web%00",
                           "/api/v1/stacks/apps/%C0%AE",
                           "//healthz"}) {
    EXPECT_EQ(fetch(address_, "GET", path).status, 400) << path;
  }
  EXPECT_EQ(fetch(address_, "GET", "/api/v1/stacks/apps%2Fweb/x").status, 404);
}

TEST_F(ServerTest, AListenerServesItsRoutesOnly) {
  start({{"127.0.0.1:0", {RouteSet::metrics}}, {"127.0.0.1:0", {RouteSet::health, RouteSet::api}}});
  const auto addresses = server_->addresses();
  ASSERT_EQ(addresses.size(), 2U);
  EXPECT_EQ(fetch(addresses[0], "GET", "/metrics").status, 200);
  EXPECT_EQ(fetch(addresses[0], "GET", "/api/v1/status").status, 404);
  EXPECT_EQ(fetch(addresses[1], "GET", "/metrics").status, 404);
  EXPECT_EQ(fetch(addresses[1], "GET", "/api/v1/status").status, 200);
}

TEST_F(ServerTest, ListensOnIpv6) {
  auto probe = ListenSocket::open("[::1]:0");
  if (!probe) GTEST_SKIP() << "no IPv6 here: " << probe.error().message;
  start({{"[::1]:0", kAllRoutes}});
  EXPECT_THAT(address_, StartsWith("[::1]:"));
  EXPECT_EQ(fetch(address_, "GET", "/healthz").status, 200);
}

TEST_F(ServerTest, WithoutAHostListensOnEveryAddress) {
  start({{":0", kAllRoutes}});
  const auto port = address_.substr(address_.rfind(':'));
  EXPECT_EQ(fetch("127.0.0.1" + port, "GET", "/healthz").status, 200);
}

TEST_F(ServerTest, AHandlersExceptionIsABare500AndTheServerLives) {
  start({{"127.0.0.1:0", kAllRoutes}});
  const auto reply = fetch(address_, "GET", "/throws");
  EXPECT_EQ(reply.status, 500);
  EXPECT_THAT(reply.body, Not(HasSubstr("secret detail")));
  EXPECT_EQ(failures_, 1);
  EXPECT_EQ(fetch(address_, "GET", "/healthz").status, 200);
}

TEST_F(ServerTest, OneConnectionServesManyRequests) {
  start({{"127.0.0.1:0", kAllRoutes}});
  RawClient client(address_);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
    EXPECT_EQ(client.receive().status, 200);
  }
}

TEST_F(ServerTest, UnderstandsARealClientOnTheUnixSocket) {
  start({{"unix:" + socket_path(), kAllRoutes}});
  std::string body;
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 &curl_easy_cleanup);
  const std::string sent(100'000, 'x');
  curl_easy_setopt(curl.get(), CURLOPT_UNIX_SOCKET_PATH, socket_path().c_str());
  curl_easy_setopt(curl.get(), CURLOPT_URL, "http://skep/echo");
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, sent.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &append_for_curl);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, 10L);
  ASSERT_EQ(curl_easy_perform(curl.get()), CURLE_OK);
  EXPECT_EQ(body, sent);
}

TEST(ListenSocket, OfAUnixPathIsForItsOwnerOnly) {
  const TemporaryDirectory directory;
  const auto path = (directory.path() / "s").string();
  const auto before = ::umask(0);
  const auto socket = ListenSocket::open("unix:" + path);
  ::umask(before);
  ASSERT_TRUE(socket) << socket.error().message;
  struct stat file {};
  ASSERT_EQ(::stat(path.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777U, 0600U);
}

TEST(ListenSocket, ReplacesTheFileOfADeadServer) {
  const TemporaryDirectory directory;
  const auto path = (directory.path() / "s").string();
  const auto kept = (directory.path() / "kept").string();
  {
    const auto dead = ListenSocket::open(path);
    ASSERT_TRUE(dead);
    std::filesystem::create_hard_link(path, kept);
  }
  EXPECT_FALSE(std::filesystem::exists(path)) << "its own file goes with it";
  std::filesystem::rename(kept, path);
  const auto socket = ListenSocket::open(path);
  EXPECT_TRUE(socket) << socket.error().message;
}

TEST(ListenSocket, LeavesASocketOnWhichSomebodyListens) {
  const TemporaryDirectory directory;
  const auto path = (directory.path() / "s").string();
  const auto first = ListenSocket::open(path);
  ASSERT_TRUE(first);
  const auto second = ListenSocket::open(path);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::unavailable);
  EXPECT_THAT(second.error().message, HasSubstr("another process listens there"));
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(ListenSocket, LeavesAFileThatIsNoSocket) {
  const TemporaryDirectory directory;
  const auto path = (directory.path() / "s").string();
  std::ofstream(path) << "precious";
  EXPECT_FALSE(ListenSocket::open(path));
  EXPECT_EQ(std::filesystem::file_size(path), 8U);
}

TEST(ListenSocket, DoesNotRemoveTheFileOfItsSuccessor) {
  const TemporaryDirectory directory;
  const auto path = (directory.path() / "s").string();
  auto first = std::make_unique<Result<ListenSocket>>(ListenSocket::open(path));
  ASSERT_TRUE(*first);
  std::filesystem::rename(path, directory.path() / "old");
  const auto second = ListenSocket::open(path);
  ASSERT_TRUE(second);
  first.reset();
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(ListenSocket, SaysWhatIsNoAddress) {
  for (const auto* address : {"",
                              "9920",
                              "host",
                              "127.0.0.1:",
                              "127.0.0.1:99999",
                              "127.0.0.1:http",
                              "[::1:80",
                              "::1:80",
                              "unix:",
                              "unix:relative"}) {
    const auto socket = ListenSocket::open(address);
    ASSERT_FALSE(socket) << address;
    EXPECT_EQ(socket.error().kind, ErrorKind::invalid_input) << address;
  }
  EXPECT_FALSE(ListenSocket::open("/" + std::string(200, 'x')));
}

TEST(ListenSocket, SaysThatAPortIsTaken) {
  const auto first = ListenSocket::open("127.0.0.1:0");
  ASSERT_TRUE(first);
  const auto second = ListenSocket::open(first->address());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::unavailable);
}

}  // namespace
}  // namespace skep::server::testing
