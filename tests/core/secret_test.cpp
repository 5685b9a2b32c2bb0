#include "core/secret.hpp"

#include <sstream>

#include <gtest/gtest.h>

namespace skep {
namespace {

TEST(Secret, PrintsAsStars) {
  std::ostringstream out;
  out << Secret("hunter2");
  EXPECT_EQ(out.str(), "***");
  EXPECT_EQ(format_as(Secret("hunter2")), "***");
}

TEST(Secret, IsComparedByContent) {
  EXPECT_EQ(Secret("a"), Secret("a"));
  EXPECT_FALSE(Secret("a") == Secret("b"));
  EXPECT_FALSE(Secret("a") == Secret("ab"));
  EXPECT_EQ(Secret(), Secret(""));
  EXPECT_TRUE(Secret().empty());
}

TEST(Secret, SharesItsBufferAmongCopies) {
  const Secret one("hunter2-hunter2-hunter2");
  const Secret copy = one;
  EXPECT_EQ(one.reveal().data(), copy.reveal().data());
  EXPECT_EQ(copy.size(), 23U);
}

}  // namespace
}  // namespace skep
