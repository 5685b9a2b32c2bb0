#include "swarm/subnet.hpp"

#include <gtest/gtest.h>

namespace skep::swarm {
namespace {

TEST(Subnet, OverlapsWhereOneHoldsTheOtherOrBothAreOne) {
  EXPECT_TRUE(subnets_overlap("10.0.2.0/24", "10.0.2.0/24"));
  EXPECT_TRUE(subnets_overlap("10.99.0.0/16", "10.99.7.0/24"));
  EXPECT_TRUE(subnets_overlap("10.99.7.0/24", "10.99.0.0/16"));
  EXPECT_TRUE(subnets_overlap("0.0.0.0/0", "192.168.1.0/28"));
  EXPECT_TRUE(subnets_overlap("10.0.0.16/28", "10.0.0.20/30"));
  EXPECT_TRUE(subnets_overlap("fd00:1::/32", "fd00:1:2::/64"));
}

TEST(Subnet, DoesNotOverlapItsNeighbours) {
  EXPECT_FALSE(subnets_overlap("10.0.2.0/24", "10.0.3.0/24"));
  EXPECT_FALSE(subnets_overlap("10.0.0.0/28", "10.0.0.16/28"));
  EXPECT_FALSE(subnets_overlap("fd00:1::/32", "fd00:2::/32"));
  EXPECT_FALSE(subnets_overlap("10.0.0.0/8", "fd00::/8"));
}

TEST(Subnet, WhatIsNoneOverlapsNothing) {
  for (const auto* text :
       {"", "/", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8", "x/8", "10.0.0.0/8x"})
    EXPECT_FALSE(subnets_overlap(text, "10.0.0.0/8")) << text;
}

}  // namespace
}  // namespace skep::swarm
