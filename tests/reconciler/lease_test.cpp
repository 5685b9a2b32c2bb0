#include "reconciler/agent/lease.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/fake_engine.hpp"

namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;
using fakes::Operation;

class LeaseTest : public testing::Test {
 protected:
  std::unique_ptr<Lease> lease(const std::string& host) {
    LeaseOptions options;
    options.holder = host;
    options.clock = [this] { return now; };
    return std::make_unique<Lease>(engine, log, options);
  }
  /// Lets both tick whenever they want to, for so long.
  void run(Lease* a, Lease* b, std::chrono::milliseconds duration) {
    const auto end = now + duration;
    auto next_a = now, next_b = now;
    while (now < end) {
      if (a != nullptr && next_a <= now) next_a = now + a->tick({});
      if (b != nullptr && next_b <= now) next_b = now + b->tick({});
      EXPECT_FALSE(a != nullptr && b != nullptr && a->held() && b->held()) << "two are active";
      now += 100ms;
    }
  }
  fakes::FakeEngine engine;
  spdlog::logger log{"test"};
  std::chrono::nanoseconds now = 1h;
};

TEST_F(LeaseTest, TheFirstOneIsActiveAndTheOtherWaits) {
  auto a = lease("a");
  auto b = lease("b");
  run(a.get(), b.get(), 10min);
  EXPECT_TRUE(a->held());
  EXPECT_FALSE(b->held());
  EXPECT_EQ(b->holder(), "a");
  EXPECT_LE(engine.write_count(), 61U) << "it is renewed every ten seconds";
  EXPECT_GE(engine.write_count(), 55U);
}

TEST_F(LeaseTest, ASlowAnswerIsNoReasonToTakeOver) {
  auto a = lease("a");
  a->tick({});
  ASSERT_TRUE(a->held());
  LeaseOptions options;
  options.holder = "b";
  int looks = 0;
  // Between the question and the answer of b's first look 40 s pass; a renews meanwhile.
  options.clock = [&] { return now + (looks++ == 0 ? 0s : 40s); };
  Lease b(engine, log, options);
  now += 11s;
  a->tick({});
  b.tick({});
  b.tick({});
  EXPECT_FALSE(b.held());
}

TEST_F(LeaseTest, TheOtherTakesOverWithin40SecondsAfterTheFirstIsGone) {
  auto a = lease("a");
  auto b = lease("b");
  run(a.get(), b.get(), 1min);
  const auto killed = now;
  while (!b->held() && now < killed + 5min) run(nullptr, b.get(), 100ms);
  EXPECT_LE(now - killed, 40s);
  EXPECT_FALSE(a->held()) << "it believes in its lease for longer than others do";
  run(a.get(), b.get(), 1min);
  EXPECT_TRUE(b->held());
  EXPECT_FALSE(a->held()) << "it came back, and must wait";
}

TEST_F(LeaseTest, OneThatGoesInAnOrderlyWayIsFollowedAtOnce) {
  auto a = lease("a");
  auto b = lease("b");
  run(a.get(), b.get(), 1min);
  a->release({});
  EXPECT_FALSE(a->held());
  run(nullptr, b.get(), 3s);
  EXPECT_TRUE(b->held());
}

TEST_F(LeaseTest, AHolderThatCannotRenewStopsBeforeAnybodyElseBegins) {
  auto a = lease("a");
  auto b = lease("b");
  run(a.get(), b.get(), 1min);
  // Only its own requests fail: a manager that was cut off.
  std::optional<std::chrono::nanoseconds> stopped;
  const auto cut = now;
  while (!b->held() && now < cut + 2min) {
    run(nullptr, b.get(), 100ms);
    if (!a->held() && !stopped) stopped = now;
  }
  ASSERT_TRUE(b->held());
  ASSERT_TRUE(stopped);
  EXPECT_LT(*stopped, now) << "there was a time in which both could write";
}

TEST_F(LeaseTest, AMachineThatSleptDoesNotBelieveInItsOldLease) {
  auto a = lease("a");
  run(a.get(), nullptr, 1min);
  ASSERT_TRUE(a->held());
  now += 10min;
  EXPECT_FALSE(a->held());
}

TEST_F(LeaseTest, OfTwoThatTryAtOnceOneWins) {
  auto a = lease("a");
  auto b = lease("b");
  (void)a->tick({});
  (void)b->tick({});
  EXPECT_TRUE(a->held());
  EXPECT_FALSE(b->held());
}

TEST_F(LeaseTest, ALeaseThatWasRemovedByHandIsMadeAnew) {
  auto a = lease("a");
  run(a.get(), nullptr, 1min);
  const auto state = engine.state();
  ASSERT_TRUE(engine.remove_config(state.find_config("skep-default-lease")->id, {}));
  run(a.get(), nullptr, 30s);
  EXPECT_TRUE(a->held());
}

TEST_F(LeaseTest, NoWriteGoesThroughWithoutIt) {
  auto a = lease("a");
  LeasedEngine leased(engine, *a);
  swarm::ServiceSpec spec;
  spec.name = "s";
  spec.task_template.container.image = "i";
  const auto refused = leased.create_service(spec, {});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("not the active one"), std::string::npos);
  EXPECT_TRUE(leased.observe({}));
  EXPECT_EQ(engine.write_count(), 0U);
  (void)a->tick({});
  EXPECT_TRUE(leased.create_service(spec, {}));
  now += 26s;
  EXPECT_FALSE(leased.remove_service(engine.state().find_service("s")->id, {}));
  EXPECT_NE(engine.state().find_service("s"), nullptr);
}

}  // namespace
}  // namespace skep::reconciler
