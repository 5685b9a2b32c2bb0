#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/digest.hpp"
#include "tests/server/http_fixture.hpp"

namespace skep::server::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Json = nlohmann::json;

/// Holds one record of each kind, and remembers what it was asked.
class FakeHistory final : public ports::History {
 public:
  [[nodiscard]] Result<std::vector<ports::OperationRecord>> operations(
      const ports::HistoryQuery& query) const override {
    asked = query;
    if (broken) return Error{.kind = ErrorKind::unavailable, .message = "disk image is malformed"};
    ports::OperationRecord record;
    record.id = 1'700'000'000'123'000;
    record.report.stack = "apps/web";
    record.report.trigger = "git";
    record.report.result = "failure";
    record.report.started = WallTime(std::chrono::milliseconds(1'700'000'000'123));
    record.report.message = "bad \xff byte";
    record.report.objects = {
        {diff::ObjectKind::service, diff::Verb::replace, "web_app", {"image"}, "refused"}};
    return std::vector{record};
  }
  [[nodiscard]] Result<std::vector<ports::EventRecord>> events(
      const ports::HistoryQuery& query) const override {
    asked = query;
    ports::EventRecord event;
    event.id = 7;
    event.stack = "apps/web";
    event.kind = "health";
    event.before = "healthy";
    event.value = "degraded";
    return std::vector{event};
  }
  [[nodiscard]] std::string trouble() const override { return is_troubled; }

  mutable ports::HistoryQuery asked;
  bool broken = false;
  std::string is_troubled;
};

class HistoryRoutes : public ::testing::Test {
 protected:
  void SetUp() override { start(&history_); }
  void start(const ports::History* history, Tokens tokens = {}) {
    server_.reset();
    Router router;
    add_routes(router, control_, {.tokens = std::move(tokens), .metrics = {}, .history = history});
    auto server = Server::start(
        std::move(router),
        {.listeners = {{"127.0.0.1:0", kAllRoutes}, {"unix:" + socket_path(), kAllRoutes}}});
    ASSERT_TRUE(server) << server.error().message;
    server_ = *std::move(server);
    tcp_ = server_->addresses()[0];
    socket_ = server_->addresses()[1];
  }
  [[nodiscard]] std::string socket_path() const {
    return (directory_.path() / "skep.sock").string();
  }

  FakeControl control_;
  FakeHistory history_;
  TemporaryDirectory directory_;
  std::unique_ptr<Server> server_;
  std::string tcp_, socket_;
};

TEST_F(HistoryRoutes, AnOperationIsTellableInAllItsParts) {
  const auto reply = fetch(tcp_, "GET", "/api/v1/history?stack=apps/web&n=5&since=1700000000");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const auto json = Json::parse(reply.body);
  EXPECT_EQ(json.at("trouble"), "");
  const auto& operation = json.at("operations").at(0);
  EXPECT_EQ(operation.at("id"), 1'700'000'000'123'000);
  EXPECT_EQ(operation.at("started"), "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(operation.at("message"), "bad \xEF\xBF\xBD byte");
  EXPECT_EQ(operation.at("objects").at(0).at("verb"), "replace");
  EXPECT_THAT(operation.at("objects").at(0).at("fields"), ElementsAre("image"));
  EXPECT_EQ(history_.asked.stack, "apps/web");
  EXPECT_EQ(history_.asked.limit, 5U);
  EXPECT_EQ(history_.asked.since, WallTime(std::chrono::seconds(1'700'000'000)));
}

TEST_F(HistoryRoutes, EventsGoOnAfterAnId) {
  const auto reply = fetch(tcp_, "GET", "/api/v1/events?after=6");
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(Json::parse(reply.body).at("events").at(0).at("value"), "degraded");
  EXPECT_EQ(history_.asked.after, 6);
}

TEST_F(HistoryRoutes, WhatIsNoNumberIsRefusedWithTheParameterNamed) {
  for (const auto* bad : {"n=0",
                          "n=1001",
                          "n=-1",
                          "n=x",
                          "n=1%20",
                          "since=x",
                          "since=99999999999999",
                          "after=-1",
                          "after=99999999999999999999"}) {
    const auto reply = fetch(tcp_, "GET", std::string("/api/v1/events?") + bad);
    EXPECT_EQ(reply.status, 400) << bad;
    EXPECT_THAT(reply.body, HasSubstr(std::string(bad, std::string(bad).find('=')))) << bad;
  }
}

TEST_F(HistoryRoutes, AFileThatCannotBeReadIsAnErrorThatSaysSo) {
  history_.broken = true;
  const auto reply = fetch(tcp_, "GET", "/api/v1/history");
  EXPECT_EQ(reply.status, 503);
  EXPECT_THAT(reply.body, HasSubstr("the history cannot be read: disk image is malformed"));
}

TEST_F(HistoryRoutes, WhyNothingIsKeptGoesWithTheAnswer) {
  history_.is_troubled = "database or disk is full";
  EXPECT_EQ(Json::parse(fetch(tcp_, "GET", "/api/v1/history").body).at("trouble"),
            "database or disk is full");
}

TEST_F(HistoryRoutes, AnAgentWithoutAHistorySaysSo) {
  start(nullptr);
  EXPECT_EQ(fetch(tcp_, "GET", "/api/v1/history").status, 404);
  EXPECT_THAT(fetch(tcp_, "GET", "/api/v1/events").body, HasSubstr("keeps no history"));
}

TEST_F(HistoryRoutes, AnExplanationIsTheChainTheServicesAndTheirLogs) {
  const auto reply = fetch(tcp_, "GET", "/api/v1/stacks/apps/web/explain");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const auto json = Json::parse(reply.body);
  EXPECT_EQ(json.at("summary"), "suspended by uid 0");
  const auto& condition = json.at("conditions").at(0);
  EXPECT_EQ(condition.at("state"), "stopped");
  EXPECT_EQ(condition.at("until"), "2023-11-14T22:13:20.123Z");
  EXPECT_TRUE(condition.at("since").is_null());
  EXPECT_THAT(json.at("services").at(0).at("log"), ElementsAre("bad \xEF\xBF\xBD byte"));
  EXPECT_EQ(fetch(tcp_, "GET", "/api/v1/stacks/apps/none/explain").status, 404);
}

TEST_F(HistoryRoutes, ATraceNamesFileLineAndCommit) {
  const auto reply = fetch(tcp_, "GET", "/api/v1/services/web_app/trace");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const auto json = Json::parse(reply.body);
  EXPECT_EQ(json.at("at").at("file"), "apps/web/docker-compose.yml");
  EXPECT_EQ(json.at("at").at("line"), 3);
  EXPECT_EQ(json.at("running").at("commit"), std::string(40, 'a'));
  EXPECT_TRUE(json.at("last_change").is_null());
  EXPECT_EQ(fetch(tcp_, "GET", "/api/v1/services/none/trace").status, 404);
}

TEST_F(HistoryRoutes, ARollbackIsAWriteLikeTheOthers) {
  const std::string path = "/api/v1/stacks/apps/web/rollback?revision=abc123";
  EXPECT_EQ(fetch(tcp_, "POST", path, {"Content-Length: 0"}).status, 403) << "no token configured";
  EXPECT_EQ(fetch(tcp_, "GET", path).status, 405);
  start(&history_, *Tokens::parse({"ci=" + sha256_hex("token")}));
  EXPECT_EQ(fetch(tcp_, "POST", path, {"Content-Length: 0"}).status, 401);
  EXPECT_THAT(control_.calls(), IsEmpty());
  EXPECT_EQ(fetch(tcp_, "POST", path, {"Content-Length: 0", "Authorization: Bearer token"}).status,
            202);
  EXPECT_EQ(fetch(socket_, "POST", path, {"Content-Length: 0"}).status, 202);
  EXPECT_EQ(control_.calls().size(), 2U);
  EXPECT_THAT(control_.calls().at(0),
              HasSubstr("rollback apps/web to abc123 by token ci from 127.0.0.1"));
}

TEST_F(HistoryRoutes, ARollbackThatCannotBeSaysWhy) {
  const auto reply = fetch(
      socket_, "POST", "/api/v1/stacks/apps/web/rollback?revision=unknown", {"Content-Length: 0"});
  EXPECT_EQ(reply.status, 409);
  EXPECT_THAT(reply.body, HasSubstr("no commit"));
  EXPECT_EQ(
      fetch(socket_, "POST", "/api/v1/stacks/apps/none/rollback", {"Content-Length: 0"}).status,
      404);
  EXPECT_EQ(fetch(socket_,
                  "POST",
                  "/api/v1/stacks/apps/web/rollback?revision=" + std::string(65, 'a'),
                  {"Content-Length: 0"})
                .status,
            400);
}

}  // namespace
}  // namespace skep::server::testing
