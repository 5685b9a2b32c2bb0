#include "sops/bech32.hpp"

#include <cstdint>
#include <vector>

namespace skep::sops {
namespace {

constexpr std::string_view kCharacters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::size_t kChecksumLength = 6;

using Groups = std::vector<std::uint8_t>;  // Of five bits.

std::uint32_t polymod(const Groups& values) {
  constexpr std::uint32_t kGenerator[] = {
      0x3b6a57b2U, 0x26508e6dU, 0x1ea119faU, 0x3d4233ddU, 0x2a1462b3U};
  std::uint32_t sum = 1;
  for (const auto value : values) {
    const auto top = sum >> 25U;
    sum = ((sum & 0x1ffffffU) << 5U) ^ value;
    for (unsigned bit = 0; bit < 5; ++bit) {
      if (((top >> bit) & 1U) != 0) sum ^= kGenerator[bit];
    }
  }
  return sum;
}

/// The prefix as the checksum sees it.
Groups expanded(std::string_view prefix) {
  Groups values;
  for (const char c : prefix)
    values.push_back(static_cast<std::uint8_t>(static_cast<unsigned char>(c) >> 5U));
  values.push_back(0);
  for (const char c : prefix)
    values.push_back(static_cast<std::uint8_t>(static_cast<unsigned char>(c) & 31U));
  return values;
}

Groups to_groups(std::string_view data) {
  Groups groups;
  std::uint32_t buffer = 0;
  unsigned bits = 0;
  for (const char c : data) {
    buffer = (buffer << 8U) | static_cast<unsigned char>(c);
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      groups.push_back(static_cast<std::uint8_t>((buffer >> bits) & 31U));
    }
    buffer &= (1U << bits) - 1U;
  }
  if (bits > 0) groups.push_back(static_cast<std::uint8_t>((buffer << (5U - bits)) & 31U));
  return groups;
}

std::optional<std::string> from_groups(const Groups& groups) {
  std::string data;
  std::uint32_t buffer = 0;
  unsigned bits = 0;
  for (const auto group : groups) {
    buffer = (buffer << 5U) | group;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      data += static_cast<char>((buffer >> bits) & 0xffU);
    }
    buffer &= (1U << bits) - 1U;
  }
  if (bits >= 5 || buffer != 0) return std::nullopt;
  return data;
}

}  // namespace

std::string to_bech32(std::string_view prefix, std::string_view data) {
  auto checked = expanded(prefix);
  const auto groups = to_groups(data);
  checked.insert(checked.end(), groups.begin(), groups.end());
  checked.insert(checked.end(), kChecksumLength, 0);
  const auto sum = polymod(checked) ^ 1U;
  std::string text(prefix);
  text += '1';
  for (const auto group : groups) text += kCharacters[group];
  for (unsigned i = 0; i < kChecksumLength; ++i)
    text += kCharacters[(sum >> (5U * (kChecksumLength - 1U - i))) & 31U];
  return text;
}

std::optional<Bech32> from_bech32(std::string_view text) {
  std::string lower;
  bool has_upper = false;
  bool has_lower = false;
  for (const char c : text) {
    if (c < 33 || c > 126) return std::nullopt;
    const bool upper = c >= 'A' && c <= 'Z';
    has_upper = has_upper || upper;
    has_lower = has_lower || (c >= 'a' && c <= 'z');
    lower += upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  if (has_upper && has_lower) return std::nullopt;
  const auto one = lower.rfind('1');
  if (one == std::string::npos || one == 0 || lower.size() - one - 1 < kChecksumLength)
    return std::nullopt;
  auto checked = expanded(std::string_view(lower).substr(0, one));
  Groups groups;
  for (const char c : std::string_view(lower).substr(one + 1)) {
    const auto value = kCharacters.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    groups.push_back(static_cast<std::uint8_t>(value));
  }
  checked.insert(checked.end(), groups.begin(), groups.end());
  if (polymod(checked) != 1) return std::nullopt;
  groups.resize(groups.size() - kChecksumLength);
  auto data = from_groups(groups);
  if (!data) return std::nullopt;
  return Bech32{lower.substr(0, one), *std::move(data)};
}

}  // namespace skep::sops
