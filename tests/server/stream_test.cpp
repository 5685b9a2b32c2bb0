// Events as they come, on real sockets.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/digest.hpp"
#include "tests/server/http_fixture.hpp"

namespace skep::server::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Json = nlohmann::json;

/// Keeps what it is told, as the real one does: newest last, `after` from the oldest on.
class GrowingHistory final : public ports::History {
 public:
  void add(std::string stack, std::string value, std::string message = {}) {
    const std::lock_guard lock(mutex_);
    ports::EventRecord event;
    event.id = 100 + static_cast<std::int64_t>(events_.size());
    event.stack = std::move(stack);
    event.kind = "health";
    event.value = std::move(value);
    event.message = std::move(message);
    events_.push_back(std::move(event));
  }
  [[nodiscard]] Result<std::vector<ports::OperationRecord>> operations(
      const ports::HistoryQuery& /*query*/) const override {
    return std::vector<ports::OperationRecord>();
  }
  [[nodiscard]] Result<std::vector<ports::EventRecord>> events(
      const ports::HistoryQuery& query) const override {
    const std::lock_guard lock(mutex_);
    ++questions;
    std::vector<ports::EventRecord> found;
    for (const auto& event : events_) {
      if (event.id > query.after && (query.stack.empty() || query.stack == event.stack))
        found.push_back(event);
    }
    if (found.size() <= query.limit) return found;
    if (query.after > 0) {
      found.resize(query.limit);
    } else {
      found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(query.limit));
    }
    return found;
  }
  [[nodiscard]] std::string trouble() const override { return ""; }

  mutable std::atomic<int> questions = 0;

 private:
  mutable std::mutex mutex_;
  std::vector<ports::EventRecord> events_;
};

class StreamTest : public ::testing::Test {
 protected:
  void start(Limits limits = {}, ApiOptions options = {}) {
    limits.streams.look = 10ms;
    Router router;
    options.history = &history_;
    add_routes(router, control_, std::move(options));
    ServerOptions server_options;
    server_options.listeners = {{"127.0.0.1:0", kAllRoutes}};
    server_options.limits = limits;
    server_options.mask_piece = [](std::string& text) {
      for (auto at = text.find("hunter22"); at != std::string::npos; at = text.find("hunter22"))
        text.replace(at, 8, "***");
    };
    auto server = Server::start(std::move(router), std::move(server_options));
    ASSERT_TRUE(server) << server.error().message;
    server_ = *std::move(server);
    address_ = server_->addresses().front();
  }
  /// A client that has got the beginning of a stream.
  RawClient open(const std::string& query = "", const std::string& headers = "") {
    RawClient client(address_);
    client.send("GET /api/v1/events/stream" + query + " HTTP/1.1\r\nHost: x\r\n" + headers +
                "\r\n");
    head_ = client.receive_until(": events of skep\n\n");
    EXPECT_THAT(head_, StartsWith("HTTP/1.1 200"));
    return client;
  }

  FakeControl control_;
  GrowingHistory history_;
  std::unique_ptr<Server> server_;
  std::string address_, head_;
};

TEST_F(StreamTest, TellsWhatComesFromNowOn) {
  history_.add("apps/web", "old");
  start();
  auto client = open();
  EXPECT_THAT(head_, HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(head_, HasSubstr("retry: 3000\n"));
  history_.add("apps/web", "degraded");
  history_.add("apps/db", "healthy");
  const auto text = client.receive_until("id: 102\ndata: {");
  EXPECT_THAT(text, HasSubstr("id: 101\ndata: {\"id\":101,"));
  EXPECT_THAT(text, HasSubstr("\"value\":\"degraded\""));
  EXPECT_THAT(head_ + text, Not(HasSubstr("\"old\"")));
}

TEST_F(StreamTest, WhoComesBackMissesNothing) {
  for (int i = 0; i < 250; ++i) history_.add("apps/web", std::to_string(i));
  start();
  auto client = open("", "Last-Event-ID: 102\r\n");
  const auto text = head_ + client.receive_until("id: 349\n");
  EXPECT_THAT(text, Not(HasSubstr("id: 102\n")));
  for (int id = 103; id <= 349; ++id)
    ASSERT_THAT(text, HasSubstr("id: " + std::to_string(id) + "\n"));
  auto another = open("?after=347");
  EXPECT_THAT(head_ + another.receive_until("id: 349\n"), HasSubstr("id: 348\n"));
}

TEST_F(StreamTest, OfOneStackTellsNothingOfOthers) {
  start();
  auto client = open("?stack=apps/web");
  history_.add("apps/db", "degraded");
  history_.add("apps/web", "healthy");
  EXPECT_THAT(client.receive_until("\"healthy\""), Not(HasSubstr("apps/db")));
}

TEST_F(StreamTest, SaysThatItIsStillThere) {
  Limits limits;
  limits.streams.beat = 50ms;
  start(limits);
  auto client = open();
  EXPECT_THAT(client.receive_until(": still here\n\n"), HasSubstr(": still here\n\n"));
  EXPECT_THAT(client.receive_until(": still here\n\n"), HasSubstr(": still here\n\n"));
}

TEST_F(StreamTest, IsMaskedLikeEveryOtherAnswer_Attack17) {
  start();
  auto client = open();
  history_.add("apps/web", "degraded", "cannot log in with hunter22");
  const auto text = client.receive_until("\n\n");
  EXPECT_THAT(text, HasSubstr("cannot log in with ***"));
  EXPECT_THAT(text, Not(HasSubstr("hunter22")));
}

TEST_F(StreamTest, OnlySoManyAtATimeAndAPlaceIsFreeAgainAfterwards_Attack12) {
  Limits limits;
  limits.streams.streams = 2;
  start(limits);
  auto first = open();
  {
    const auto second = open();
    const auto reply = fetch(address_, "GET", "/api/v1/events/stream");
    EXPECT_EQ(reply.status, 503);
    EXPECT_THAT(reply.head, HasSubstr("Retry-After: 5\r\n"));
  }
  bool free = false;
  for (int i = 0; i < 200 && !free; ++i) {
    RawClient third(address_);
    third.send("GET /api/v1/events/stream HTTP/1.1\r\nHost: x\r\n\r\n");
    free = third.receive_until("\r\n\r\n").starts_with("HTTP/1.1 200");
    if (!free) std::this_thread::sleep_for(20ms);
  }
  EXPECT_TRUE(free);
  EXPECT_EQ(fetch(address_, "GET", "/healthz").status, 200);
}

TEST_F(StreamTest, AClientThatTakesNothingIsDropped_Attack12) {
  Limits limits;
  limits.idle = 1s;
  limits.streams.streams = 1;
  limits.streams.buffer_bytes = 4096;
  start(limits);
  const auto slow = open();
  // Far more than the buffers of both sides hold.
  for (int i = 0; i < 300; ++i) history_.add("apps/web", "x", std::string(100'000, 'x'));
  bool free = false;
  const auto begin = std::chrono::steady_clock::now();
  while (!free && std::chrono::steady_clock::now() - begin < 60s) {
    RawClient next(address_);
    next.send("GET /api/v1/events/stream HTTP/1.1\r\nHost: x\r\n\r\n");
    free = next.receive_until("\r\n\r\n").starts_with("HTTP/1.1 200");
    if (!free) std::this_thread::sleep_for(50ms);
  }
  EXPECT_TRUE(free) << "its place was not given to somebody else";
}

TEST_F(StreamTest, LivesLongerThanARequestMayTake) {
  Limits limits;
  limits.request = 200ms;
  limits.streams.beat = 50ms;
  start(limits);
  auto client = open();
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < 600ms)
    ASSERT_THAT(client.receive_until("\n\n"), HasSubstr("still here"));
}

TEST_F(StreamTest, AfterTheHeadOfOneTheNextRequestHasItsDeadlineAgain_Attack12) {
  Limits limits;
  limits.request = 300ms;
  start(limits);
  RawClient client(address_);
  client.send("HEAD /api/v1/events/stream HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_THAT(client.receive_until("\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  client.send("GET /healthz HTTP/1.1\r\n");
  bool closed = false;
  for (int i = 0; i < 40 && !closed; ++i) {
    client.send("X: y\r\n");
    closed = client.closed_within(50ms);
  }
  EXPECT_TRUE(closed);
}

TEST_F(StreamTest, WithNobodyThereAsksTheHistoryNothing) {
  start();
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(history_.questions, 0);
}

TEST_F(StreamTest, EndsWithTheServer) {
  start();
  auto client = open();
  server_.reset();
  EXPECT_TRUE(client.closed_within(5s));
}

TEST_F(StreamTest, AnIdThatIsNoneIsRefused) {
  start();
  for (const auto* bad : {"x", "-1", "1.5", "99999999999999999999"}) {
    EXPECT_EQ(
        fetch(address_, "GET", "/api/v1/events/stream", {std::string("Last-Event-ID: ") + bad})
            .status,
        400)
        << bad;
  }
}

TEST_F(StreamTest, NeedsATokenWhereReadingDoes_Attack32) {
  ApiOptions options;
  options.tokens = *Tokens::parse({"viewer:" + sha256_hex("secret")});
  options.token_to_read = true;
  start({}, std::move(options));
  EXPECT_EQ(fetch(address_, "GET", "/api/v1/events/stream").status, 401);
  (void)open("", "Authorization: Bearer secret\r\n");
}

}  // namespace
}  // namespace skep::server::testing
