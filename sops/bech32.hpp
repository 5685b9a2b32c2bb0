#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace skep::sops {

/// Bytes behind a human-readable prefix. Source: BIP 173, without its limit of 90 characters.
struct Bech32 {
  std::string prefix;  ///< Lower case.
  std::string data;
};

/// All lower case. `prefix` is printable ASCII in lower case.
[[nodiscard]] std::string to_bech32(std::string_view prefix, std::string_view data);

/// Nothing where the text is mixed in case, holds a foreign character, has a wrong checksum or
/// padding.
[[nodiscard]] std::optional<Bech32> from_bech32(std::string_view text);

}  // namespace skep::sops
