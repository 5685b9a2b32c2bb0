#include "sops/shamir.hpp"

#include <cstdint>
#include <stdexcept>

#include "core/digest.hpp"
#include "sops/crypto.hpp"

namespace skep::sops {
namespace {

using Element = std::uint8_t;

/// Always eight rounds without a branch: what is multiplied is secret.
Element product(Element a, Element b) {
  unsigned result = 0;
  unsigned factor = a;
  for (int bit = 0; bit < 8; ++bit) {
    result ^= factor & (0U - ((static_cast<unsigned>(b) >> bit) & 1U));
    factor = (factor << 1U) ^ (0x11BU & (0U - (factor >> 7U)));
  }
  return static_cast<Element>(result);
}

/// The power 254, for the field has 255 elements that are not zero.
Element inverse(Element a) {
  Element result = 1;
  for (int i = 0; i < 254; ++i) result = product(result, a);
  return result;
}

Element element(char c) { return static_cast<Element>(static_cast<unsigned char>(c)); }

}  // namespace

std::vector<std::string> split_secret(std::string_view secret,
                                      std::size_t parts,
                                      std::size_t threshold) {
  if (threshold < 2 || threshold > parts || parts > 255)
    throw std::logic_error("a secret is split into 2 to 255 parts, and needs as many at most");
  std::vector<std::string> result(parts);
  for (const char byte : secret) {
    auto coefficients = random_bytes(threshold - 1);
    for (std::size_t part = 0; part < parts; ++part) {
      const auto x = static_cast<Element>(part + 1);
      Element y = 0;
      for (const char coefficient : coefficients) y = product(y ^ element(coefficient), x);
      result[part] += static_cast<char>(y ^ element(byte));
    }
    wipe(coefficients);
  }
  for (std::size_t part = 0; part < parts; ++part) result[part] += static_cast<char>(part + 1);
  return result;
}

std::optional<std::string> joined_secret(const std::vector<std::string>& parts) {
  if (parts.size() < 2 || parts.size() > 255) return std::nullopt;
  const auto size = parts.front().size();
  if (size < 2) return std::nullopt;
  // Lagrange's weights at 0: subtraction is addition here.
  std::vector<Element> weights;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].size() != size) return std::nullopt;
    const auto x = element(parts[i].back());
    Element weight = 1;
    for (std::size_t j = 0; j < parts.size(); ++j) {
      if (i == j) continue;
      const auto other = element(parts[j].back());
      if (other == x) return std::nullopt;
      weight = product(weight, product(other, inverse(other ^ x)));
    }
    weights.push_back(weight);
  }
  std::string secret(size - 1, '\0');
  for (std::size_t at = 0; at < secret.size(); ++at) {
    Element sum = 0;
    for (std::size_t i = 0; i < parts.size(); ++i)
      sum ^= product(element(parts[i][at]), weights[i]);
    secret[at] = static_cast<char>(sum);
  }
  return secret;
}

}  // namespace skep::sops
