#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "sops/rules.hpp"

namespace skep::sops {

/// The data key, encrypted to one recipient.
struct WrappedKey {
  std::string recipient;  ///< "age1…", as the file says; nothing proves it.
  std::string sealed;     ///< Armored.
  bool operator==(const WrappedKey&) const = default;
};

/// What SOPS writes beside the values.
struct Metadata {
  std::vector<WrappedKey> keys;
  std::vector<std::string> other_keys;  ///< Kinds that skep has no use for: "pgp", "kms".
  std::string last_modified;            ///< RFC 3339.
  std::string mac;                      ///< ENC[…]
  Rules rules;
  std::string version;
};

/// The version of SOPS whose layout is written.
inline constexpr std::string_view kLayoutVersion = "3.9.4";

/// One `name = value` of the metadata, however the file nests it: a list's index and a mapping's
/// key follow as in a dotenv file, `age__list_0__map_enc`.
using FlatMetadata = std::vector<std::pair<std::string, std::string>>;

/// Errors: invalid_input: something is missing, or cannot be used (Shamir's key groups, rules about
/// comments, two kinds of rule).
Result<Metadata> parse_metadata(const FlatMetadata& flat);
/// In the order of names.
[[nodiscard]] FlatMetadata flat(const Metadata& metadata);

}  // namespace skep::sops
