#include "gitsync/deploy_key.hpp"

#include <array>
#include <cstdint>

#include <openssl/evp.h>

#include "core/digest.hpp"
#include "core/handle.hpp"

namespace skep::gitsync {
namespace {

using KeyHandle = Handle<EVP_PKEY, EVP_PKEY_free>;

constexpr std::size_t kHalf = 32;  ///< Bytes of each half of an Ed25519 key.
constexpr std::size_t kBlock = 8;  ///< To which an unencrypted private part is filled up.
constexpr std::size_t kLine = 70;
constexpr std::string_view kType = "ssh-ed25519";

/// RFC 4251 §5.
void put_number(std::string& into, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8)
    into += static_cast<char>((number >> static_cast<unsigned>(shift)) & 0xFFU);
}

void put_string(std::string& into, std::string_view text) {
  put_number(into, static_cast<std::uint32_t>(text.size()));
  into += text;
}

}  // namespace

Result<DeployKey> make_deploy_key(std::string_view comment) {
  const KeyHandle key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  std::array<unsigned char, kHalf> secret{}, open{};
  auto secret_size = secret.size(), open_size = open.size();
  if (!key || EVP_PKEY_get_raw_private_key(key.get(), secret.data(), &secret_size) != 1 ||
      EVP_PKEY_get_raw_public_key(key.get(), open.data(), &open_size) != 1 ||
      secret_size != kHalf || open_size != kHalf) {
    return Error{ErrorKind::unavailable, "no key could be made"};
  }
  const std::string public_half(open.begin(), open.end());
  std::string blob;
  put_string(blob, kType);
  put_string(blob, public_half);

  // Two equal numbers first: with a passphrase they would tell whether it was the right one.
  const auto check = random_bytes(4);
  auto part = check + check;
  put_string(part, kType);
  put_string(part, public_half);
  put_string(part, std::string(secret.begin(), secret.end()) + public_half);
  put_string(part, comment);
  for (char filler = 1; part.size() % kBlock != 0; ++filler) part += filler;

  std::string body("openssh-key-v1\0", 15);
  put_string(body, "none");  // cipher
  put_string(body, "none");  // key derivation
  put_string(body, "");
  put_number(body, 1);  // keys
  put_string(body, blob);
  put_string(body, part);
  const auto encoded = base64(body);
  std::string text = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
  for (std::size_t at = 0; at < encoded.size(); at += kLine)
    text += encoded.substr(at, kLine) + "\n";
  text += "-----END OPENSSH PRIVATE KEY-----\n";
  return DeployKey{Secret(std::move(text)),
                   std::string(kType) + " " + base64(blob) + " " + std::string(comment)};
}

}  // namespace skep::gitsync
