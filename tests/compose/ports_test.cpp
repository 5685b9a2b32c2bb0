#include "compose/ports.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compose/schema_formats.hpp"

namespace skep::compose {
namespace {

using ::testing::ElementsAre;

/// "published:target/protocol" for each, in order.
std::string shown(std::string_view text) {
  const auto parsed = parse_ports(text);
  if (!parsed) return "error: " + parsed.error().message;
  std::string result;
  for (const auto& port : parsed->ports) {
    EXPECT_EQ(port.mode, "ingress");
    if (!result.empty()) result += ' ';
    result +=
        std::to_string(port.published) + ':' + std::to_string(port.target) + '/' + port.protocol;
  }
  return result;
}

struct PortCase {
  std::string name, text, expected;
};
class PortTest : public ::testing::TestWithParam<PortCase> {};

TEST_P(PortTest, IsReadAsTheCliReadsIt) {
  EXPECT_EQ(shown(GetParam().text), GetParam().expected);
  EXPECT_EQ(valid_port_text(GetParam().text), GetParam().expected.rfind("error", 0) != 0);
}

INSTANTIATE_TEST_SUITE_P(
    Rules,
    PortTest,
    ::testing::Values(
        PortCase{"B1_1_target_alone", "80", "0:80/tcp"},
        PortCase{"B1_1_published_and_target", "8080:80", "8080:80/tcp"},
        PortCase{"B1_1_bracketed_address", "[::1]:8080:80", "8080:80/tcp"},
        PortCase{"B1_1_plain_six", "::1:8080:80", "8080:80/tcp"},
        PortCase{
            "B1_1_name_is_no_address", "localhost:8080:80", "error: invalid IP address: localhost"},
        PortCase{"B1_1_short_address", "1.2.3:8080:80", "error: invalid IP address: 1.2.3"},
        PortCase{"B1_2_protocol", "53:53/udp", "53:53/udp"},
        PortCase{"B1_2_sctp", "53/sctp", "0:53/sctp"},
        PortCase{"B1_2_empty_protocol", "80/", "0:80/tcp"},
        PortCase{"B1_2_second_slash", "80/udp/x", "0:80/udp"},
        PortCase{"B1_2_leading_zero", "0080", "0:80/tcp"},
        PortCase{"B1_2_sign", "+80", "error: invalid containerPort: +80"},
        PortCase{"B1_2_blank", " 80", "error: invalid containerPort:  80"},
        PortCase{"B1_2_too_large", "65536", "error: invalid containerPort: 65536"},
        PortCase{"B1_2_largest", "65535", "0:65535/tcp"},
        PortCase{"B1_2_backwards", "90-80", "error: invalid containerPort: 90-80"},
        PortCase{"B1_2_third_field", "80-81-99", "0:80/tcp 0:81/tcp"},
        PortCase{"B1_2_empty", "", "error: no port specified: <empty>"},
        PortCase{"B1_3_empty_host", ":80", "0:80/tcp"},
        PortCase{"B1_3_address_only", "127.0.0.1::80", "0:80/tcp"},
        PortCase{"B1_4_pairwise", "3000-3001:4000-4001", "3000:4000/tcp 3001:4001/tcp"},
        PortCase{
            "B1_4_F41_range_of_one_target", "3000-3002:80", "3000:80/tcp 3001:80/tcp 3002:80/tcp"},
        PortCase{"B1_4_F42_unequal",
                 "3000-3001:4000-4002",
                 "error: invalid ranges specified for container and host Ports: 4000-4002 and "
                 "3000-3001"},
        PortCase{"B1_5_zero_is_absent", "0:80", "0:80/tcp"},
        PortCase{"B1_6_F45_sorted_as_text", "9-11", "0:10/tcp 0:11/tcp 0:9/tcp"},
        PortCase{"B1_6_prefix", "80-81:8-9", "80:8/tcp 81:9/tcp"},
        PortCase{"F49_upper_case", "8080:80/UDP", "8080:80/udp"},
        PortCase{"F49_unknown", "80/foo", "error: invalid proto: foo"}),
    [](const auto& row) { return row.param.name; });

TEST(Ports, DroppedAddressIsWarnedAbout_B1_7) {
  EXPECT_THAT(
      parse_ports("127.0.0.1:8080:80")->warnings,
      ElementsAre("ignoring IP-address (127.0.0.1:8080:80/tcp) service will listen on '0.0.0.0'"));
  EXPECT_THAT(
      parse_ports("[::1]:8080:80")->warnings,
      ElementsAre("ignoring IP-address ([::1]:8080:80/tcp) service will listen on '0.0.0.0'"));
  EXPECT_THAT(
      parse_ports("127.0.0.1:8000-8002:80")->warnings,
      ElementsAre(
          "ignoring IP-address (127.0.0.1:8000-8002:80/tcp) service will listen on '0.0.0.0'"));
  EXPECT_EQ(parse_ports("127.0.0.1:9000-9001:90-91")->warnings.size(), 2U);
  EXPECT_TRUE(parse_ports("0.0.0.0:8080:80")->warnings.empty());
  EXPECT_TRUE(parse_ports("[::]:8080:80")->warnings.empty());
}

}  // namespace
}  // namespace skep::compose
