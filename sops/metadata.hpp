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
  std::size_t group = 0;  ///< Its key group: each has a part of the key, or the only one all of it.
  bool operator==(const WrappedKey&) const = default;
};

/// What SOPS writes beside the values.
struct Metadata {
  std::vector<WrappedKey> keys;
  std::vector<std::string> other_keys;  ///< Kinds that skep has no use for: "pgp", "kms".
  std::size_t groups = 1;               ///< Of keys; from two on the key is split (Shamir).
  std::size_t threshold = 0;            ///< So many groups are needed; 0 for all of them.
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

/// Errors: invalid_input: something is missing, or cannot be used (two kinds of rule).
Result<Metadata> parse_metadata(const FlatMetadata& flat);
/// How many groups must give their part of the key.
[[nodiscard]] std::size_t needed_groups(const Metadata& metadata);
/// In the order of names.
[[nodiscard]] FlatMetadata flat(const Metadata& metadata);

}  // namespace skep::sops
