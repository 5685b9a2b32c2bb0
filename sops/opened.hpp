#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "sops/age.hpp"
#include "sops/document.hpp"

namespace skep::sops {

inline constexpr std::size_t kDataKeySize = 32;

/// An encrypted file whose values were decrypted and whose MAC was verified.
struct Opened {
  Document document;
  std::string key;                           ///< The data key; wiped by whoever holds it.
  std::vector<std::optional<Value>> values;  ///< By leaf; nothing where it is not encrypted.
};

/// Errors: unauthorized (no key fits), invalid_input (damaged or changed), positioned.
Result<Opened> open(std::string_view text,
                    const std::string& file,
                    Format format,
                    const Identities& identities);

/// Nothing is decrypted. Errors: invalid_input, without metadata too.
Result<Document> read_encrypted(std::string_view text, const std::string& file, Format format);

/// Whether a value of an encrypted file is to be decrypted. Which comments are whose is told by
/// nothing in such a file, so there the value itself says it: the MAC is over the decrypted values,
/// so that one that was exchanged for a plain one, or the other way round, is found all the same.
[[nodiscard]] bool is_sealed(const Leaf& leaf, const Selector& selector);

/// The error with a place of the document.
[[nodiscard]] Error at(const Document& document, std::size_t offset, Error error);

}  // namespace skep::sops
