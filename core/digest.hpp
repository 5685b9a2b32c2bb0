#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace skep {

/// Lower-case hex.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);
/// Raw 32 bytes.
[[nodiscard]] std::string sha256(std::string_view bytes);
/// For templates that ask for them by name; nothing of ours trusts SHA-1.
[[nodiscard]] std::string sha1_hex(std::string_view bytes);
[[nodiscard]] std::string sha512_hex(std::string_view bytes);
[[nodiscard]] std::string hmac_sha256_hex(std::string_view key, std::string_view bytes);
[[nodiscard]] std::string to_hex(std::string_view bytes);

/// Takes the same time wherever the difference is.
[[nodiscard]] bool same_bytes(std::string_view a, std::string_view b);

/// RFC 4648 §4 with padding.
[[nodiscard]] std::string base64(std::string_view bytes);
/// RFC 4648 §5 with padding, as X-Registry-Auth wants it.
[[nodiscard]] std::string base64url(std::string_view bytes);
/// Strict §4 decoding, one text for each value; nothing where the text is not base64.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);
/// The same, but heedless of the last character's bits that belong to no byte.
[[nodiscard]] std::optional<std::string> from_loose_base64(std::string_view text);

/// From the system's generator, fit for keys.
[[nodiscard]] std::string random_bytes(std::size_t count);

}  // namespace skep
