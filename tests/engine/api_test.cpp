#include "engine/api.hpp"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/exec.hpp"
#include "engine/socket_engine.hpp"
#include "tests/engine/stub_server.hpp"

namespace skep::engine {
namespace {

using namespace std::chrono_literals;

EngineOptions options_for(const std::string& socket) {
  return {.endpoint = {.socket = socket, .address = {}, .tls = {}}};
}
EngineOptions options_for(const StubServer& server) { return options_for(server.path()); }

struct ErrorCase {
  const char *name, *method;
  int status;
  const char* words;
  ErrorKind kind;
};
class ApiErrorTest : public testing::TestWithParam<ErrorCase> {};

TEST_P(ApiErrorTest, KindFollowsStatusAndWords_D1_2_D6_9_D8_3_F133) {
  const auto& row = GetParam();
  const auto error = api_error({.operation = "x", .method = row.method, .path = "/x"},
                               {.status = row.status,
                                .headers = {},
                                .body = std::string(R"({"message":")") + row.words + "\"}"});
  EXPECT_EQ(error.kind, row.kind) << error.message;
  EXPECT_NE(error.message.find(row.words), std::string::npos) << error.message;
}

INSTANTIATE_TEST_SUITE_P(
    Answers,
    ApiErrorTest,
    testing::Values(
        ErrorCase{"stale",
                  "POST",
                  500,
                  "rpc error: code = Unknown desc = update out of sequence",
                  ErrorKind::conflict},
        ErrorCase{"name",
                  "POST",
                  409,
                  "rpc error: code = AlreadyExists desc = name conflicts with an existing object: "
                  "service x already exists",
                  ErrorKind::conflict},
        ErrorCase{
            "network_name", "POST", 409, "network with name x already exists", ErrorKind::conflict},
        ErrorCase{"content",
                  "POST",
                  400,
                  "rpc error: code = InvalidArgument desc = bad",
                  ErrorKind::invalid_input},
        ErrorCase{"constraint",
                  "POST",
                  500,
                  "constraint expected one operator from ==, !=",
                  ErrorKind::invalid_input},
        ErrorCase{"mode",
                  "POST",
                  501,
                  "rpc error: code = Unimplemented desc = service mode change is not allowed",
                  ErrorKind::invalid_input},
        ErrorCase{"local_network",
                  "POST",
                  403,
                  "The network x cannot be used with services.",
                  ErrorKind::invalid_input},
        ErrorCase{
            "login", "GET", 401, "unauthorized: authentication required", ErrorKind::unauthorized},
        ErrorCase{"plugin", "GET", 403, "authorization denied by plugin", ErrorKind::unauthorized},
        ErrorCase{"in_use",
                  "DELETE",
                  400,
                  "rpc error: code = InvalidArgument desc = config 'x' is in use by the following "
                  "service: y",
                  ErrorKind::unavailable},
        ErrorCase{"still_leaving",
                  "DELETE",
                  500,
                  "network z8x0yk0jq9vd not found",
                  ErrorKind::unavailable},
        ErrorCase{"worker",
                  "GET",
                  503,
                  "This node is not a swarm manager. Worker nodes can't be used.",
                  ErrorKind::unavailable},
        ErrorCase{"manager_no_more",
                  "GET",
                  503,
                  "This node is not part of a swarm.",
                  ErrorKind::unavailable},
        ErrorCase{
            "leader", "GET", 503, "The swarm does not have a leader.", ErrorKind::unavailable},
        ErrorCase{"gone", "POST", 404, "service x not found", ErrorKind::conflict},
        ErrorCase{"driver", "POST", 404, "plugin \"nosuch\" not found", ErrorKind::invalid_input},
        ErrorCase{"no_image", "GET", 404, "manifest unknown", ErrorKind::invalid_input},
        ErrorCase{"other", "GET", 500, "context deadline exceeded", ErrorKind::unavailable}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ApiError, AWorkerIsToldWhatToDo) {
  const auto error = api_error(
      {.operation = "x", .path = "/services"},
      {.status = 503, .headers = {}, .body = R"({"message":"This node is not a swarm manager."})"});
  EXPECT_NE(error.message.find("docker swarm init"), std::string::npos);
  EXPECT_NE(error.message.find("DOCKER_HOST"), std::string::npos);
}

TEST(ApiError, OneThatWasDemotedIsNotToldToMakeASwarm) {
  const auto error = api_error(
      {.operation = "x", .path = "/services"},
      {.status = 503,
       .headers = {},
       .body = R"({"message":"This node is not a swarm manager. Worker nodes can't be used."})"});
  EXPECT_EQ(error.message.find("docker swarm init"), std::string::npos);
  EXPECT_NE(error.message.find("docker node promote"), std::string::npos);
}

TEST(Connecting, AMissingSocketSaysSo) {
  SocketEngine engine(options_for("/nowhere/docker.sock"));
  const auto info = engine.info({});
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().kind, ErrorKind::unavailable);
  EXPECT_NE(info.error().message.find("/nowhere/docker.sock: is the Docker daemon running?"),
            std::string::npos)
      << info.error().message;
}

TEST(Connecting, ASocketThatNobodyServesSaysSo) {
  auto directory = (std::filesystem::temp_directory_path() / "skep-dead-XXXXXX").string();
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (directory + "/sock").c_str(), sizeof(address.sun_path) - 1);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ::close(listener);
  SocketEngine engine(options_for(directory + "/sock"));
  const auto info = engine.info({});
  std::filesystem::remove_all(directory);
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().kind, ErrorKind::unavailable);
  EXPECT_NE(info.error().message.find("nothing listens"), std::string::npos)
      << info.error().message;
}

TEST(Timeouts, ASilentEngineIsGivenUp) {
  const StubServer server([](const std::string&) { return std::string(); });
  auto options = options_for(server);
  options.request_timeout = 200ms;
  SocketEngine engine(options);
  const auto started = std::chrono::steady_clock::now();
  const auto info = engine.info({});
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().kind, ErrorKind::unavailable);
  EXPECT_NE(info.error().message.find("did not answer /_ping within 200 ms"), std::string::npos)
      << info.error().message;
  EXPECT_LT(std::chrono::steady_clock::now() - started, 2s);
}

TEST(Ping, AnEngineWhoseSwarmHasNoLeaderIsSilentToo) {
  std::string swarm;  // Its answer of the swarm's managers; "" for none.
  const StubServer server([&swarm](const std::string& request) {
    return request.find("/_ping") != std::string::npos ? http_answer(200, "OK") : swarm;
  });
  auto options = options_for(server);
  options.leader_timeout = 200ms;
  SocketEngine engine(options);
  swarm = http_answer(200, "[]");
  EXPECT_TRUE(engine.ping({}));
  swarm = http_answer(403, R"({"message": "not for you"})");
  EXPECT_TRUE(engine.ping({})) << "a socket proxy may keep that for itself";
  swarm = http_answer(500, R"({"message": "rpc error: The swarm does not have a leader"})");
  const auto leaderless = engine.ping({});
  ASSERT_FALSE(leaderless);
  EXPECT_NE(leaderless.error().message.find("does not have a leader"), std::string::npos);
  swarm.clear();
  const auto silent = engine.ping({});
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().kind, ErrorKind::unavailable);
}

TEST(Timeouts, AListIsWaitedForLessLongThanAWrite) {
  const StubServer server([](const std::string&) { return std::string(); });
  auto options = options_for(server);
  options.endpoint.api_version = "1.41";  // No ping.
  options.list_timeout = 200ms;
  SocketEngine engine(options);
  const auto started = std::chrono::steady_clock::now();
  const auto live = engine.observe({});
  ASSERT_FALSE(live);
  EXPECT_EQ(live.error().kind, ErrorKind::unavailable);
  EXPECT_NE(live.error().message.find("within 200 ms"), std::string::npos) << live.error().message;
  EXPECT_LT(std::chrono::steady_clock::now() - started, 5s);
}

TEST(Timeouts, ASilentEngineIsLeftWhenStopAsks) {
  const StubServer server([](const std::string&) { return std::string(); });
  SocketEngine engine(options_for(server));
  std::stop_source stop;
  std::jthread soon([&stop] {
    std::this_thread::sleep_for(50ms);
    stop.request_stop();
  });
  const auto started = std::chrono::steady_clock::now();
  const auto live = engine.observe(stop.get_token());
  ASSERT_FALSE(live);
  EXPECT_EQ(live.error().kind, ErrorKind::cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - started, 1s);
}

TEST(Limits, AnAnswerThatIsTooLargeIsAnErrorAndNeverCut) {
  const StubServer server([](const std::string& request) {
    return http_answer(200, request.starts_with("HEAD") ? "" : "[" + std::string(5000, ' ') + "]");
  });
  auto options = options_for(server);
  options.response_limit = 1000;
  SocketEngine engine(options);
  const auto live = engine.observe({});
  ASSERT_FALSE(live);
  EXPECT_EQ(live.error().kind, ErrorKind::unavailable);
  EXPECT_NE(live.error().message.find("larger than 1000 bytes"), std::string::npos)
      << live.error().message;
}

TEST(Answers, NonsenseIsUnavailableAndNeverEmpty) {
  for (const std::string body : {"", "{}", "[", "<html>", "null", "[]", "[null]"}) {
    const StubServer server([&](const std::string& request) {
      return http_answer(200, request.starts_with("HEAD") ? "" : body);
    });
    SocketEngine engine(options_for(server));
    const auto live = engine.observe({});
    EXPECT_FALSE(live) << body;
    if (live) continue;
    EXPECT_EQ(live.error().kind, ErrorKind::unavailable);
  }
}

TEST(Answers, AConnectionCutInTheMiddleIsUnavailable) {
  const StubServer server([](const std::string& request) {
    return request.starts_with("HEAD")
               ? http_answer(200, "")
               : std::string(
                     "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\n[");
  });
  SocketEngine engine(options_for(server));
  const auto live = engine.observe({});
  ASSERT_FALSE(live);
  EXPECT_EQ(live.error().kind, ErrorKind::unavailable);
}

TEST(Versions, TheSmallerOfBothIsSpokenAndAskedForOnce_D1_1) {
  const StubServer server([](const std::string& request) {
    return http_answer(200, request.starts_with("HEAD") ? "" : R"({"ServerVersion":"25"})");
  });
  SocketEngine engine(options_for(server));
  ASSERT_TRUE(engine.info({}));
  ASSERT_TRUE(engine.info({}));
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_TRUE(requests[0].starts_with("HEAD /_ping "));
  EXPECT_TRUE(requests[1].starts_with("GET /v1.44/info "));
  EXPECT_EQ(older_version("1.5", "1.41"), "1.5");
  EXPECT_EQ(older_version("1.51", "1.9"), "1.9");
}

TEST(Versions, AnEngineThatIsTooOldIsRefused) {
  const StubServer server([](const std::string&) {
    return std::string("HTTP/1.1 200 OK\r\nApi-Version: 1.40\r\nContent-Length: 0\r\n\r\n");
  });
  SocketEngine engine(options_for(server));
  const auto info = engine.info({});
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().kind, ErrorKind::invalid_input);
  EXPECT_NE(info.error().message.find("speaks API 1.40; skep needs 1.41"), std::string::npos);
}

TEST(Versions, AForcedVersionIsUsedWithoutAsking_D1_1) {
  const StubServer server(
      [](const std::string&) { return http_answer(200, R"({"ServerVersion":"25"})"); });
  auto options = options_for(server);
  options.endpoint.api_version = "1.43";
  SocketEngine engine(options);
  ASSERT_TRUE(engine.info({}));
  ASSERT_EQ(server.requests().size(), 1U);
  EXPECT_TRUE(server.requests()[0].starts_with("GET /v1.43/info "));
}

TEST(Requests, OnlyOldEnginesAreAskedToCheckForDuplicates) {
  for (const std::string version : {"1.41", "1.43", "1.44", "1.51"}) {
    const StubServer server([](const std::string&) { return http_answer(201, R"({"Id":"x"})"); });
    auto options = options_for(server);
    options.endpoint.api_version = version;
    SocketEngine engine(options);
    swarm::NetworkSpec spec;
    spec.name = "n";
    const auto written = engine.create_network(spec, {});
    ASSERT_TRUE(written);
    EXPECT_EQ(written->id, "x");
    const auto request = server.requests().at(0);
    EXPECT_NE(request.find(R"("Name":"n")"), std::string::npos);
    EXPECT_EQ(request.find(R"({"CheckDuplicate":true,)") != std::string::npos, version < "1.44")
        << version;
  }
}

TEST(Requests, EveryExchangeIsReported) {
  const StubServer server([](const std::string& request) {
    if (request.starts_with("DELETE")) return http_answer(500, R"({"message":"no"})");
    return http_answer(200, request.starts_with("HEAD") ? "" : R"({"ServerVersion":"25"})");
  });
  std::vector<std::string> seen;
  auto options = options_for(server);
  options.on_request = [&](std::string_view operation, int status, std::chrono::nanoseconds) {
    seen.push_back(std::string(operation) + " " + std::to_string(status));
  };
  SocketEngine engine(options);
  ASSERT_TRUE(engine.info({}));
  EXPECT_FALSE(engine.remove_service("x/../y", {}));
  EXPECT_EQ(seen, (std::vector<std::string>{"ping 200", "info 200", "service_remove 500"}));
  EXPECT_TRUE(server.requests().back().starts_with("DELETE /v1.44/services/x%2F..%2Fy "));
}

TEST(Events, AStreamThatIsNotJsonEndsWithAnError) {
  const StubServer server([](const std::string& request) {
    if (request.starts_with("HEAD")) return http_answer(200, "");
    return std::string(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3c\r\n{\"Type\":\"service\",\"Action\":\"update\",\"Actor\":{\"ID\":\"a\"}}\nhuh\n\r\n");
  });
  SocketEngine engine(options_for(server));
  std::vector<ports::EngineEvent> events;
  bool opened = false;
  const auto ended = engine.follow_events(
      [&](const auto& event) { events.push_back(event); }, [&] { opened = true; }, {});
  EXPECT_TRUE(opened);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].id, "a");
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ErrorKind::unavailable);
}

TEST(Events, AStreamThatTheEngineClosesEndsWithSuccess) {
  const StubServer server([](const std::string& request) {
    if (request.starts_with("HEAD")) return http_answer(200, "");
    return std::string("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  });
  SocketEngine engine(options_for(server));
  EXPECT_TRUE(engine.follow_events([](const auto&) {}, [] {}, {}));
}

TEST(Demultiplex, TakesTheFramesApart) {
  const std::string framed("\1\0\0\0\0\0\0\2hi\2\0\0\0\0\0\0\3err\1\0\0\0\0\0\0\11cut", 32);
  EXPECT_EQ(demultiplex(framed),
            (std::vector<StreamPiece>{{.standard_error = false, .bytes = "hi"},
                                      {.standard_error = true, .bytes = "err"},
                                      {.standard_error = false, .bytes = "cut"}}));
  EXPECT_EQ(demultiplex("plain text of a terminal").size(), 1U);
  EXPECT_TRUE(demultiplex("").empty());
}

}  // namespace
}  // namespace skep::engine
