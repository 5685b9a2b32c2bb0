// What a hostile client tries (attacks 12 and 13), on real sockets.
#include <algorithm>
#include <filesystem>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "server/server.hpp"
#include "tests/server/http_fixture.hpp"

namespace skep::server::testing {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

class LimitsTest : public ::testing::Test {
 protected:
  void start(Limits limits) {
    Router router;
    add_routes(router, control_, {});
    router.add(RouteSet::webhook, "POST", "/size", [](const Request& request) {
      return Response{.content_type = "text/plain", .body = std::to_string(request.body.size())};
    });
    auto server = Server::start(std::move(router),
                                {.listeners = {{"127.0.0.1:0", kAllRoutes}}, .limits = limits});
    ASSERT_TRUE(server) << server.error().message;
    server_ = *std::move(server);
    address_ = server_->addresses().front();
  }
  void expect_alive() { EXPECT_EQ(fetch(address_, "GET", "/healthz").status, 200); }

  FakeControl control_;
  std::unique_ptr<Server> server_;
  std::string address_;
};

std::size_t threads_of_this_process() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& thread :
       std::filesystem::directory_iterator("/proc/self/task")) {
    ++count;
  }
  return count;
}

TEST_F(LimitsTest, FiveHundredHalfOpenConnectionsHoldUpNobody_A12) {
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 4096);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  start({});
  const auto threads = threads_of_this_process();
  std::vector<RawClient> half_open;
  for (int i = 0; i < 500; ++i) {
    auto& client = half_open.emplace_back(address_);
    ASSERT_TRUE(client.connected()) << i;
    // Every third sends nothing, a part of the line, or a part of the headers.
    if (i % 3 == 1) client.send("GET /hea");
    if (i % 3 == 2) client.send("POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  }
  EXPECT_EQ(threads_of_this_process(), threads) << "a connection must not cost a thread";
  // The median: being held up by others would hit every request, a busy machine only some.
  std::vector<Steady::duration> took;
  for (int i = 0; i < 21; ++i) {
    const auto begin = Steady::now();
    EXPECT_EQ(fetch(address_, "GET", "/healthz").status, 200);
    took.push_back(Steady::now() - begin);
  }
  std::sort(took.begin(), took.end());
  EXPECT_LT(took[took.size() / 2], 50ms);
}

TEST_F(LimitsTest, ARequestThatTricklesInIsCutOffAtItsDeadline_A12) {
  start({.request = 400ms});
  RawClient slow(address_);
  const auto begin = Steady::now();
  slow.send("GET /healthz HTTP/1.1\r\n");
  bool closed = false;
  while (!closed && Steady::now() - begin < 5s) {
    slow.send("X: y\r\n");
    closed = slow.closed_within(50ms);
  }
  EXPECT_TRUE(closed);
  EXPECT_GE(Steady::now() - begin, 350ms);
  expect_alive();
}

TEST_F(LimitsTest, AConnectionWithoutARequestIsCutOffAtTheDeadline_A12) {
  start({.request = 300ms});
  RawClient silent(address_);
  EXPECT_TRUE(silent.closed_within(5s));
}

TEST_F(LimitsTest, AConnectionThatIsUsedLivesLongerThanOneDeadline) {
  start({.request = 400ms});
  RawClient client(address_);
  const auto begin = Steady::now();
  int answers = 0;
  while (Steady::now() - begin < 900ms) {
    ASSERT_TRUE(client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
    ASSERT_EQ(client.receive().status, 200) << "after " << answers << " answers";
    ++answers;
  }
  EXPECT_GT(answers, 10);
}

TEST_F(LimitsTest, HugeHeadersAreAnswered431) {
  start({});
  const auto reply = fetch(address_, "GET", "/healthz", {"X-Long: " + std::string(100'000, 'a')});
  EXPECT_EQ(reply.status, 431);
  std::vector<std::string> many(5000, "X-Many: aaaaaaaaaaaa");
  EXPECT_EQ(fetch(address_, "GET", "/healthz", many).status, 431);
  expect_alive();
}

TEST_F(LimitsTest, AHugeTargetIsRefused) {
  start({});
  const auto status = fetch(address_, "GET", "/" + std::string(100'000, 'a')).status;
  EXPECT_TRUE(status == 414 || status == 431) << status;
  expect_alive();
}

TEST_F(LimitsTest, ABodyOfTheLimitIsTakenAndOneByteMoreIsNot) {
  start({.body_bytes = 1000});
  const auto taken = fetch(address_, "POST", "/size", {}, std::string(1000, 'x'));
  EXPECT_EQ(taken.status, 200);
  EXPECT_EQ(taken.body, "1000");
  const auto refused = fetch(address_, "POST", "/size", {}, std::string(1001, 'x'));
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(refused.body, "{\"error\":\"the body is too large\"}\n");
}

TEST_F(LimitsTest, ATooLongBodyIsRefusedBeforeItIsSent) {
  start({});
  RawClient client(address_);
  client.send("POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n");
  EXPECT_EQ(client.receive().status, 413);
  RawClient absurd(address_);
  absurd.send("POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::string(40, '9') +
              "\r\n\r\n");
  const auto status = absurd.receive().status;
  EXPECT_TRUE(status == 413 || status == 400) << status;
  expect_alive();
}

TEST_F(LimitsTest, ABodyForAPathThatIsNotThereIsNotRead) {
  start({});
  RawClient client(address_);
  client.send("POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_EQ(client.receive().status, 404);
}

TEST_F(LimitsTest, AChunkedBodyIsTakenWithinTheLimit) {
  start({.body_bytes = 1000});
  const std::string head = "POST /size HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  RawClient small(address_);
  small.send(head + "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n");
  EXPECT_EQ(small.receive().body, "10");
  RawClient large(address_);
  large.send(head + "5dc\r\n" + std::string(1500, 'x') + "\r\n0\r\n\r\n");
  EXPECT_EQ(large.receive().status, 413);
  expect_alive();
}

TEST_F(LimitsTest, AChunkedBodyWithoutEndIsCutOff_A12) {
  start({.body_bytes = 1000});
  RawClient endless(address_);
  endless.send("POST /size HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  const auto chunk = "3e8\r\n" + std::string(1000, 'x') + "\r\n";
  int sent = 0;
  while (sent < 100'000 && endless.send(chunk)) ++sent;
  EXPECT_LT(sent, 100'000);
  expect_alive();
}

TEST_F(LimitsTest, AllBodiesTogetherHaveALimit) {
  start({.body_bytes = 1000, .all_bodies_bytes = 1500});
  const std::string head = "POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
  RawClient first(address_);
  first.send(head + std::string(900, 'x'));
  // Its bytes must have arrived; the other thread may be the faster one.
  Reply second;
  for (int i = 0; i < 100 && second.status != 503; ++i) {
    second = fetch(address_, "POST", "/size", {}, std::string(1000, 'x'));
  }
  EXPECT_EQ(second.status, 503);
  first.send(std::string(100, 'x'));
  EXPECT_EQ(first.receive().body, "1000");
  EXPECT_EQ(fetch(address_, "POST", "/size", {}, std::string(1000, 'x')).status, 200);
}

TEST_F(LimitsTest, OneAddressHasOnlySoManyConnections) {
  start({.connections_per_address = 3, .threads = 1});
  std::vector<RawClient> clients;
  for (int i = 0; i < 3; ++i) {
    auto& client = clients.emplace_back(address_);
    client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_EQ(client.receive().status, 200);
  }
  RawClient fourth(address_);
  fourth.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(fourth.receive().status, 0);
}

struct Malformed {
  std::string name, text;
};
class MalformedTest : public LimitsTest, public ::testing::WithParamInterface<Malformed> {};

TEST_P(MalformedTest, IsRefusedAndTheServerLives_A13) {
  start({.request = 500ms});
  RawClient client(address_);
  client.send(GetParam().text);
  const auto status = client.receive().status;
  EXPECT_TRUE(status == 0 || (status >= 400 && status < 500) || status == 505) << status;
  expect_alive();
}

INSTANTIATE_TEST_SUITE_P(
    Requests,
    MalformedTest,
    ::testing::Values(
        Malformed{"nothing_but_line_feeds", "\n\n\n\n"},
        Malformed{"binary", std::string("\0\xFF\x16\x03\x01\x02\0\r\n\r\n", 11)},
        Malformed{"no_version", "GET /healthz\r\n\r\n"},
        Malformed{"no_host", "GET /healthz HTTP/1.1\r\n\r\n"},
        Malformed{"another_protocol", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
        Malformed{"absolute_form", "GET http://x/healthz HTTP/1.1\r\nHost: x\r\n\r\n"},
        Malformed{"connect", "CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n"},
        Malformed{"header_without_colon", "GET /healthz HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n"},
        Malformed{"negative_length",
                  "POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\nhello"},
        Malformed{"length_is_text",
                  "POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\nhello"},
        Malformed{"two_lengths",
                  "POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"
                  "hello"},
        Malformed{"length_and_chunks",
                  "POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: "
                  "chunked\r\n\r\n0\r\n\r\n"},
        Malformed{"unknown_coding",
                  "POST /size HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\nhello"},
        Malformed{"chunk_size_is_text",
                  "POST /size HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
        Malformed{"chunk_size_overflows",
                  "POST /size HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                  "chunked\r\n\r\nfffffffffffffffff\r\nx"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace skep::server::testing
