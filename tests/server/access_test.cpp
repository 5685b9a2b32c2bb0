// Who may do what over HTTP.
#include "server/access.hpp"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/digest.hpp"
#include "tests/server/http_fixture.hpp"

namespace skep::server::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class AccessTest : public ::testing::Test {
 protected:
  explicit AccessTest(bool to_read = false)
      : access_({.tokens = *Tokens::parse({"viewer:grafana=" + sha256_hex("looker"),
                                           "operator:ci=" + sha256_hex("doer"),
                                           sha256_hex("plain")}),
                 .to_read = to_read,
                 .now = [this] { return now_; }}) {}
  /// "actor", or the status of the refusal.
  std::string check(Role needed, const std::string& token, const std::string& from = "192.0.2.7") {
    Request request;
    request.peer_name = from;
    if (!token.empty()) request.headers["authorization"] = "Bearer " + token;
    const auto answer = access_.check(request, needed);
    const auto* refused = std::get_if<Response>(&answer);
    return refused == nullptr ? std::get<std::string>(answer) : std::to_string(refused->status);
  }

  SteadyTime now_{1h};
  Access access_;
};

TEST_F(AccessTest, AViewerReadsAndAnOperatorActs_Attack19) {
  EXPECT_EQ(check(Role::viewer, "looker"), "token grafana from 192.0.2.7");
  EXPECT_EQ(check(Role::operator_, "looker"), "403");
  EXPECT_EQ(check(Role::viewer, "doer"), "token ci from 192.0.2.7");
  EXPECT_EQ(check(Role::operator_, "doer"), "token ci from 192.0.2.7");
  EXPECT_EQ(check(Role::operator_, "plain"), "token 3 from 192.0.2.7");
}

TEST_F(AccessTest, NobodyIsNobody_Attack20) {
  EXPECT_EQ(check(Role::viewer, ""), "192.0.2.7") << "reading is open";
  EXPECT_EQ(check(Role::operator_, ""), "401");
  EXPECT_EQ(check(Role::viewer, "wrong"), "401") << "a wrong token is refused also there";
  for (const auto* header : {"Bearer", "Bearer ", "Basic ZG9lcg==", "doer", ",", "Bearer doer,x"}) {
    Request request;
    request.headers["authorization"] = header;
    const auto answer = access_.check(request, Role::operator_);
    ASSERT_TRUE(std::holds_alternative<Response>(answer)) << header;
    EXPECT_EQ(std::get<Response>(answer).status, 401) << header;
  }
}

class ClosedAccess : public AccessTest {
 protected:
  ClosedAccess() : AccessTest(true) {}
};

TEST_F(ClosedAccess, ReadsOnlyWithAToken_Attack32) {
  EXPECT_EQ(check(Role::viewer, ""), "401");
  EXPECT_EQ(check(Role::viewer, "looker"), "token grafana from 192.0.2.7");
}

TEST_F(AccessTest, AfterTenWrongTokensAlsoTheRightOneWaits_Attack20) {
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(check(Role::operator_, "wrong" + std::to_string(i)), "401");
  EXPECT_EQ(check(Role::operator_, "wrong"), "429");
  EXPECT_EQ(check(Role::operator_, "doer"), "429") << "else it would be told from a wrong one";
  EXPECT_EQ(check(Role::operator_, "doer", "192.0.2.8"), "token ci from 192.0.2.8");
  now_ += 6s;
  EXPECT_EQ(check(Role::operator_, "doer"), "token ci from 192.0.2.7");
}

TEST_F(AccessTest, RightTokensCostNothing) {
  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(check(Role::operator_, "doer"), "token ci from 192.0.2.7");
}

TEST_F(AccessTest, ManyTriesAtOnceAreNoMoreThanTen_Attack20) {
  std::atomic<int> tried = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int k = 0; k < 50; ++k) tried += check(Role::operator_, "wrong") == "401" ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(tried, 10);
}

TEST_F(AccessTest, ManyAddressesTakeNoMemoryWithoutEnd_Attack20) {
  TokenTries tries;
  int taken = 0;
  for (int i = 0; i < 6000; ++i) taken += tries.take(std::to_string(i), now_) ? 1 : 0;
  EXPECT_EQ(taken, 4096 + 10) << "those that come when there is no room share one bucket";
  EXPECT_TRUE(tries.take("new", now_ + 1h)) << "full buckets make room";
}

TEST(Tokens, AWrongRoleNameOrEmptyTokenIsRefusedAtTheStart_Attack20) {
  const auto digest = sha256_hex("x");
  for (const auto& entry :
       {"admin:" + digest, "viewer:a b=" + digest, ":" + digest, sha256_hex(""), std::string()}) {
    const auto tokens = Tokens::parse({entry});
    ASSERT_FALSE(tokens) << entry;
    EXPECT_THAT(tokens.error().message, Not(HasSubstr(digest)));
  }
  EXPECT_TRUE(Tokens::parse({"viewer:" + digest, "operator:a=" + digest, "b=" + digest}));
}

}  // namespace
}  // namespace skep::server::testing
