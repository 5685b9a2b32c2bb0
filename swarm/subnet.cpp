#include "swarm/subnet.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

#include <arpa/inet.h>

namespace skep::swarm {
namespace {

struct Subnet {
  int family = AF_INET;
  std::array<unsigned char, sizeof(in6_addr)> address{};
  unsigned bits = 0;  ///< Of the prefix.
};

std::optional<Subnet> parse_subnet(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  Subnet subnet;
  const std::string address(text.substr(0, slash));
  subnet.family = address.find(':') == std::string::npos ? AF_INET : AF_INET6;
  if (inet_pton(subnet.family, address.c_str(), subnet.address.data()) != 1) return std::nullopt;
  const auto digits = text.substr(slash + 1);
  const auto* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, subnet.bits);
  const unsigned most = subnet.family == AF_INET ? 32 : 128;
  if (read.ec != std::errc() || read.ptr != end || subnet.bits > most) return std::nullopt;
  return subnet;
}

bool bit(const Subnet& subnet, unsigned i) {
  return ((subnet.address[i / 8] >> (7 - i % 8)) & 1U) != 0;
}

}  // namespace

bool subnets_overlap(std::string_view a, std::string_view b) {
  const auto one = parse_subnet(a);
  const auto other = parse_subnet(b);
  if (!one || !other || one->family != other->family) return false;
  for (unsigned i = 0; i < std::min(one->bits, other->bits); ++i) {
    if (bit(*one, i) != bit(*other, i)) return false;
  }
  return true;
}

}  // namespace skep::swarm
