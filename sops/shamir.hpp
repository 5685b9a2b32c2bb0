#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace skep::sops {

// Shamir's secret sharing over the field of AES (GF(2^8), x^8+x^4+x^3+x+1), a polynomial for each
// byte. A part has the bytes at its place x, and x itself behind them, as in SOPS.

/// `threshold` of the parts give the secret, fewer nothing. 2 <= threshold <= parts <= 255, or
/// std::logic_error.
[[nodiscard]] std::vector<std::string> split_secret(std::string_view secret,
                                                    std::size_t parts,
                                                    std::size_t threshold);

/// From all parts at hand; fewer than were needed give something else. Nothing where they are fewer
/// than two, of different lengths, or two have the same place.
[[nodiscard]] std::optional<std::string> joined_secret(const std::vector<std::string>& parts);

}  // namespace skep::sops
