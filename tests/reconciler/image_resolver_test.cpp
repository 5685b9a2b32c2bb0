#include "reconciler/image_resolver.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "tests/reconciler/world.hpp"

namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;
using fakes::Operation;

class ImageResolverTest : public testing::Test {
 protected:
  [[nodiscard]] std::size_t asked() const { return engine.calls(Operation::resolve_image); }
  /// Waits until `count` questions were answered.
  void wait_for(int count) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (answers < count && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(1ms);
    ASSERT_EQ(answers, count);
  }
  fakes::FakeEngine engine;
  tests::ManualClock clock;
  std::atomic<int> answers{0};
  ImageResolver resolver{engine, clock, [this] { ++answers; }};
};

TEST_F(ImageResolverTest, ARegistryThatFailsIsAskedLessAndLessOften) {
  EXPECT_FALSE(resolver.resolve("a:1", 30s));
  wait_for(1);
  for (int turn = 0; turn < 100; ++turn) {
    const auto answer = resolver.resolve("a:1", 30s);
    ASSERT_TRUE(answer) << "every turn would wait for it";
    EXPECT_FALSE(answer->image);
    EXPECT_EQ(answer->error, "no registry answers for a:1");
  }
  EXPECT_EQ(asked(), 1U) << "asked at every turn";
  int questions = 1;
  for (const std::chrono::seconds patience : {30s, 60s, 120s, 240s, 480s, 960s, 1800s, 1800s}) {
    clock.advance(patience - 1s);
    ASSERT_TRUE(resolver.resolve("a:1", 30s));
    clock.advance(2s);
    ASSERT_TRUE(resolver.resolve("a:1", 30s)) << "the old failure serves while it is asked again";
    wait_for(++questions);
    EXPECT_EQ(resolver.resolve("a:1", 30s)->at, clock.steady()) << patience.count() << " s";
  }
}

TEST_F(ImageResolverTest, WhoWasForgivenIsAskedAtOnce) {
  EXPECT_FALSE(resolver.resolve("a:1", 30s));
  wait_for(1);
  ASSERT_TRUE(resolver.resolve("a:1", 30s));
  engine.set_image("a:1", {"sha256:" + std::string(64, 'a'), {}});
  resolver.forgive();
  EXPECT_FALSE(resolver.resolve("a:1", 30s));
  wait_for(2);
  const auto answer = resolver.resolve("a:1", 30s);
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->image);
  EXPECT_EQ(answer->failures, 0U);
}

TEST_F(ImageResolverTest, AnOldAnswerIsOnlyUsedWhereThatIsSaid) {
  engine.set_image("a:1", {"sha256:" + std::string(64, 'a'), {}});
  EXPECT_FALSE(resolver.resolve("a:1", 30s));
  wait_for(1);
  clock.advance(31s);
  EXPECT_TRUE(resolver.resolve("a:1", 30s, ImageResolver::Stale::used));
  wait_for(2);
  clock.advance(31s);
  EXPECT_FALSE(resolver.resolve("a:1", 30s));
  wait_for(3);
}

}  // namespace
}  // namespace skep::reconciler
