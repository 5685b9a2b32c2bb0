#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace skep::sops {

/// A value of a file and the text that stands for it in the file's MAC and under encryption: "True"
/// and "False", decimal integers, numbers without exponent in as few digits as tell them apart.
struct Value {
  enum class Type { text, integer, real, boolean, bytes, comment, time };
  Type type = Type::text;
  std::string text;
  bool operator==(const Value&) const = default;
};

/// As Go's strconv.FormatFloat(number, 'f', -1, 64).
[[nodiscard]] std::string plain_number(double number);

/// The keys that lead to a value; elements of a list have the path of the list.
using Path = std::vector<std::string>;

/// Whether a text is meant to be an encrypted value.
[[nodiscard]] bool is_encrypted_value(std::string_view text);

/// An encrypted value in its parts.
struct Sealed {
  std::string data, nonce, tag;
  Value::Type type = Value::Type::text;
};
/// Nothing where the form is not `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.
[[nodiscard]] std::optional<Sealed> parse_sealed(std::string_view text);

/// "ENC[AES256_GCM,…]", bound to its place; "" where the value is empty, as SOPS does it. `nonce`
/// of 32 bytes.
[[nodiscard]] std::string seal_value(const Value& value,
                                     std::string_view key,
                                     const Path& path,
                                     std::string_view nonce);
/// Errors: invalid_input (not of that form, damaged, of another place or file). Never quotes.
Result<Value> open_value(std::string_view text, std::string_view key, const Path& path);

/// What authenticates the file's MAC is not a path but the time of the last change.
[[nodiscard]] std::string seal_mac(std::string_view mac,
                                   std::string_view key,
                                   std::string_view last_modified,
                                   std::string_view nonce);
Result<std::string> open_mac(std::string_view text,
                             std::string_view key,
                             std::string_view last_modified);

}  // namespace skep::sops
