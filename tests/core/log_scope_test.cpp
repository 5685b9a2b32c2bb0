#include "core/log_scope.hpp"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(LogScope, NestsAndEndsWithItsBlock) {
  EXPECT_THAT(LogScope::fields(), IsEmpty());
  {
    const LogScope pass("pass", "7");
    {
      const LogScope stack("stack", "web");
      EXPECT_THAT(LogScope::fields(), ElementsAre(Pair("pass", "7"), Pair("stack", "web")));
    }
    EXPECT_THAT(LogScope::fields(), ElementsAre(Pair("pass", "7")));
  }
  EXPECT_THAT(LogScope::fields(), IsEmpty());
}

TEST(LogScope, IsOfItsThread) {
  const LogScope pass("pass", "7");
  std::thread([] { EXPECT_THAT(LogScope::fields(), IsEmpty()); }).join();
}

}  // namespace
}  // namespace skep
