#include "cli/moment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skep::cli {
namespace {

using namespace std::chrono_literals;

std::string seconds(const std::string& text) {
  const auto moment = unix_time_of(text, WallTime(1'000'000s));
  return moment ? *moment : moment.error().message;
}

TEST(Moment, IsHowLongAgoATimeWithItsZoneOrSecondsSince1970) {
  EXPECT_EQ(seconds("10m"), "999400");
  EXPECT_EQ(seconds("1h30m"), "994600");
  EXPECT_EQ(seconds("1764323862"), "1764323862");
  EXPECT_EQ(seconds("1764323862.25"), "1764323862.25");
  EXPECT_EQ(seconds("1970-01-02T00:00:00Z"), "86400");
  EXPECT_EQ(seconds("1970-01-02T02:00:00.5+02:00"), "86400.5");
  EXPECT_EQ(seconds("1970-01-01T23:30:00-00:30"), "86400");
}

TEST(Moment, IsNothingElse) {
  for (const auto* text : {"",
                           "soon",
                           "10x",
                           "1970-01-02",
                           "1970-01-02T00:00:00",
                           "1970-01-02T00:00:00+2",
                           "1970-01-02T00:00:00.Z",
                           ".5"}) {
    EXPECT_THAT(seconds(text), testing::HasSubstr("is no moment: write how long ago")) << text;
  }
}

}  // namespace
}  // namespace skep::cli
