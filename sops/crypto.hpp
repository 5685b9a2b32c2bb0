#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace skep::sops {

// The primitives that age and SOPS are made of, each one OpenSSL's. Keys and nonces of a wrong
// length are our own bug (std::logic_error); what comes from a file is a value to be refused.

inline constexpr std::size_t kTagSize = 16;  ///< Of both authenticated ciphers.

[[nodiscard]] std::string x25519_public(std::string_view secret);
/// Nothing where the other side's point is of low order, so that the secret would be known to all.
[[nodiscard]] std::optional<std::string> x25519_shared(std::string_view secret,
                                                       std::string_view other);

/// RFC 5869; 32 bytes.
[[nodiscard]] std::string hkdf_sha256(std::string_view key,
                                      std::string_view salt,
                                      std::string_view info);
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view bytes);

/// Ciphertext with the tag behind it.
[[nodiscard]] std::string chacha20_poly1305_seal(std::string_view key,
                                                 std::string_view nonce,
                                                 std::string_view plain);
[[nodiscard]] std::optional<std::string> chacha20_poly1305_open(std::string_view key,
                                                                std::string_view nonce,
                                                                std::string_view sealed);
[[nodiscard]] std::string aes256_gcm_seal(std::string_view key,
                                          std::string_view nonce,
                                          std::string_view plain,
                                          std::string_view associated);
/// Nonces of 1 to 128 bytes, as files have them.
[[nodiscard]] std::optional<std::string> aes256_gcm_open(std::string_view key,
                                                         std::string_view nonce,
                                                         std::string_view sealed,
                                                         std::string_view associated);

/// Overwrites, so that freed memory does not keep a key.
void wipe(std::string& secret);

}  // namespace skep::sops
