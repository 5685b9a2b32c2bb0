#include "core/result.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace skep {
namespace {

TEST(Result, HoldsAValueOrAnError) {
  Result<std::string> good(std::string("x"));
  EXPECT_TRUE(good);
  EXPECT_EQ(good->size(), 1U);
  const Result<std::string> bad(Error{ErrorKind::conflict, "moved", {}});
  EXPECT_FALSE(bad);
  EXPECT_EQ(bad.error().kind, ErrorKind::conflict);
}

TEST(Result, MovesItsValueOut) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(3));
  const auto value = std::move(result).value();
  EXPECT_EQ(*value, 3);
}

TEST(Result, OfVoidIsSuccessByDefault) {
  const Result<void> good;
  EXPECT_TRUE(good);
  const Result<void> bad(Error{ErrorKind::cancelled, "stop", {}});
  EXPECT_FALSE(bad);
}

TEST(Error, TellsWhereAndWhileDoingWhat) {
  auto error =
      Error{ErrorKind::invalid_input, "image is empty", SourcePosition{"a.yml", 3, 7}}.within(
          "service web");
  EXPECT_EQ(to_string(error), "a.yml:3:7: service web: image is empty");
  error.at.reset();
  EXPECT_EQ(to_string(error), "service web: image is empty");
}

TEST(SourcePosition, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(to_string(SourcePosition{"a", 0, 5}), "a");
  EXPECT_EQ(to_string(SourcePosition{"a", 2, 0}), "a:2");
}

}  // namespace
}  // namespace skep
