#include "yaml/scalar.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace skep::yaml {
namespace {

TEST(Scalar, IntegersBeyondSixtyFourBitsBecomeFloats_A2_8) {
  EXPECT_EQ(resolve_plain("18446744073709551615"),
            Node::Value(std::uint64_t{18446744073709551615U}));
  EXPECT_EQ(resolve_plain("18446744073709551616"), Node::Value(18446744073709551616.0));
  EXPECT_EQ(resolve_plain("-9223372036854775808"), Node::Value(std::int64_t{INT64_MIN}));
  EXPECT_EQ(resolve_plain("-9223372036854775809"), Node::Value(-9223372036854775809.0));
}

TEST(Scalar, LeadingZeroIsOctalUnlessADigitIsTooLarge_A2_8) {
  EXPECT_EQ(resolve_plain("0440"), Node::Value(std::int64_t{288}));
  EXPECT_EQ(resolve_plain("0888"), Node::Value(888.0));
  EXPECT_EQ(resolve_plain("09"), Node::Value(9.0));
}

TEST(Scalar, TooLargeAFloatStaysTextAndTooSmallAOneIsZero_A2_9) {
  EXPECT_EQ(resolve_plain("1e400"), Node::Value(std::string("1e400")));
  EXPECT_EQ(resolve_plain("1e-400"), Node::Value(0.0));
  EXPECT_TRUE(std::isinf(std::get<double>(resolve_plain("-.INF"))));
  EXPECT_TRUE(std::isnan(std::get<double>(resolve_plain(".nan"))));
}

TEST(Scalar, YesAndNoAreText_A2_6) {
  for (const auto* word : {"yes", "no", "on", "off", "y", "n", "tRue", "None", "nil"}) {
    EXPECT_EQ(resolve_plain(word), Node::Value(std::string(word)));
  }
}

TEST(Scalar, TimestampsPrintAsGoPrintsThem_A2_10) {
  const auto printed = [](const char* text) {
    const auto value = resolve_plain(text);
    const auto* time = std::get_if<Timestamp>(&value);
    return time == nullptr ? std::string("no timestamp") : time->printed;
  };
  EXPECT_EQ(printed("2020-01-02"), "2020-01-02 00:00:00 +0000 UTC");
  EXPECT_EQ(printed("2020-1-2t1:2:3.250+02:00"), "2020-01-02 01:02:03.25 +0200 +0200");
  EXPECT_EQ(printed("2020-01-02T10:00:00-05:30"), "2020-01-02 10:00:00 -0530 -0530");
  EXPECT_EQ(printed("2020-01-02 10:00:00"), "2020-01-02 10:00:00 +0000 UTC");
  EXPECT_EQ(printed("2020-02-30"), "no timestamp");
  EXPECT_EQ(printed("2020-01-02 10:00:00 Z"), "no timestamp");
}

TEST(Scalar, TagThatDoesNotFitIsRefusedInGosWords_A2_12) {
  std::string reason;
  EXPECT_FALSE(resolve_tagged("!!int", "x", reason).has_value());
  EXPECT_EQ(reason, "cannot decode !!str `x` as a !!int");
  EXPECT_EQ(resolve_tagged("!!float", "5", reason), Node::Value(5.0));
  EXPECT_EQ(resolve_tagged("!local", "5", reason), Node::Value(std::string("5")));
}

}  // namespace
}  // namespace skep::yaml
