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

TEST_F(ImageResolverTest, ARegistryThatFailsIsAskedLessAndLessOften_Attack31) {
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

TEST_F(ImageResolverTest, ATagThatMovedIsAskedForAtOnceUnderWhateverAddress) {
  const std::string image = "127.0.0.1:5000/apps/my-app:1.0";
  engine.set_image(image, {"sha256:" + std::string(64, 'a'), {}});
  EXPECT_FALSE(resolver.look_again("apps/my-app", "1.0")) << "nobody follows it yet";
  EXPECT_FALSE(resolver.resolve(image, 5min, ImageResolver::Stale::used));
  wait_for(1);
  engine.set_image(image, {"sha256:" + std::string(64, 'b'), {}});
  EXPECT_FALSE(resolver.look_again("apps/my-app", "2.0"));
  EXPECT_FALSE(resolver.look_again("my-app", "1.0"));
  EXPECT_TRUE(resolver.resolve(image, 5min, ImageResolver::Stale::used));
  EXPECT_EQ(asked(), 1U);
  EXPECT_TRUE(resolver.look_again("apps/my-app", "1.0"));
  const auto older = resolver.resolve(image, 5min, ImageResolver::Stale::used);
  ASSERT_TRUE(older && older->image) << "the old answer serves meanwhile";
  wait_for(2);
  EXPECT_EQ(resolver.resolve(image, 5min, ImageResolver::Stale::used)->image->digest,
            "sha256:" + std::string(64, 'b'));
  EXPECT_EQ(asked(), 2U) << "one event is one question";
}

TEST_F(ImageResolverTest, AnEventEndsTheBackOffOfItsImageOnly) {
  for (const auto* image : {"a:1", "b:1"})
    EXPECT_FALSE(resolver.resolve(image, 5min, ImageResolver::Stale::used));
  wait_for(2);
  EXPECT_TRUE(resolver.look_again("library/a", "1"));
  for (const auto* image : {"a:1", "b:1"})
    EXPECT_TRUE(resolver.resolve(image, 5min, ImageResolver::Stale::used));
  wait_for(3);
  EXPECT_EQ(asked(), 3U);
}

}  // namespace
}  // namespace skep::reconciler
