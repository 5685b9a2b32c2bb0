#include "sops/crypto.hpp"

#include <limits>
#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "core/handle.hpp"

namespace skep::sops {
namespace {

using Key = Handle<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using Cipher = Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using Kdf = Handle<EVP_KDF, EVP_KDF_free>;
using KdfContext = Handle<EVP_KDF_CTX, EVP_KDF_CTX_free>;

constexpr std::size_t kKeySize = 32;
constexpr std::size_t kLongestNonce = 128;  // GCM in OpenSSL.

const unsigned char* in(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* out(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

void require(bool done, const char* what) {
  if (!done) throw std::logic_error(what);
}

int length(std::string_view bytes) {
  require(bytes.size() <= std::size_t(std::numeric_limits<int>::max()), "too long for a cipher");
  return static_cast<int>(bytes.size());
}

std::string seal(const EVP_CIPHER* algorithm,
                 std::string_view key,
                 std::string_view nonce,
                 std::string_view plain,
                 std::string_view associated) {
  require(key.size() == kKeySize && !nonce.empty(), "key or nonce of a wrong length");
  const Cipher cipher(EVP_CIPHER_CTX_new());
  std::string sealed(plain.size() + kTagSize, '\0');
  int written = 0;
  bool done = cipher && EVP_EncryptInit_ex(cipher.get(), algorithm, nullptr, nullptr, nullptr) == 1;
  done = done &&
         EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_IVLEN, length(nonce), nullptr) == 1;
  done = done && EVP_EncryptInit_ex(cipher.get(), nullptr, nullptr, in(key), in(nonce)) == 1;
  if (!associated.empty()) {
    done = done && EVP_EncryptUpdate(
                       cipher.get(), nullptr, &written, in(associated), length(associated)) == 1;
  }
  if (!plain.empty()) {
    done = done &&
           EVP_EncryptUpdate(cipher.get(), out(sealed), &written, in(plain), length(plain)) == 1;
  }
  done = done && EVP_EncryptFinal_ex(cipher.get(), out(sealed) + plain.size(), &written) == 1;
  done = done &&
         EVP_CIPHER_CTX_ctrl(
             cipher.get(), EVP_CTRL_AEAD_GET_TAG, int(kTagSize), out(sealed) + plain.size()) == 1;
  require(done, "a cipher is not available");
  return sealed;
}

std::optional<std::string> open(const EVP_CIPHER* algorithm,
                                std::string_view key,
                                std::string_view nonce,
                                std::string_view sealed,
                                std::string_view associated) {
  require(key.size() == kKeySize, "key of a wrong length");
  if (nonce.empty() || nonce.size() > kLongestNonce || sealed.size() < kTagSize)
    return std::nullopt;
  const auto body = sealed.substr(0, sealed.size() - kTagSize);
  std::string tag(sealed.substr(body.size()));
  const Cipher cipher(EVP_CIPHER_CTX_new());
  std::string plain(body.size(), '\0');
  int written = 0;
  bool done = cipher && EVP_DecryptInit_ex(cipher.get(), algorithm, nullptr, nullptr, nullptr) == 1;
  done = done &&
         EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_IVLEN, length(nonce), nullptr) == 1;
  done = done && EVP_DecryptInit_ex(cipher.get(), nullptr, nullptr, in(key), in(nonce)) == 1;
  if (!associated.empty()) {
    done = done && EVP_DecryptUpdate(
                       cipher.get(), nullptr, &written, in(associated), length(associated)) == 1;
  }
  if (!body.empty()) {
    done =
        done && EVP_DecryptUpdate(cipher.get(), out(plain), &written, in(body), length(body)) == 1;
  }
  done = done &&
         EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, int(kTagSize), tag.data()) == 1;
  std::string rest(kTagSize, '\0');
  done = done && EVP_DecryptFinal_ex(cipher.get(), out(rest), &written) == 1;
  if (done) return plain;
  wipe(plain);
  return std::nullopt;
}

}  // namespace

std::string x25519_public(std::string_view secret) {
  require(secret.size() == kKeySize, "key of a wrong length");
  const Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, in(secret), secret.size()));
  std::string result(kKeySize, '\0');
  std::size_t size = result.size();
  require(
      key && EVP_PKEY_get_raw_public_key(key.get(), out(result), &size) == 1 && size == kKeySize,
      "X25519 is not available");
  return result;
}

std::optional<std::string> x25519_shared(std::string_view secret, std::string_view other) {
  require(secret.size() == kKeySize && other.size() == kKeySize, "key of a wrong length");
  const Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, in(secret), secret.size()));
  const Key peer(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, in(other), other.size()));
  require(key && peer, "X25519 is not available");
  const KeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr));
  require(context && EVP_PKEY_derive_init(context.get()) == 1, "X25519 is not available");
  std::string shared(kKeySize, '\0');
  std::size_t size = shared.size();
  // OpenSSL refuses a result of zeros itself; that is what a point of low order gives.
  if (EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
      EVP_PKEY_derive(context.get(), out(shared), &size) != 1 || size != kKeySize ||
      shared == std::string(kKeySize, '\0')) {
    return std::nullopt;
  }
  return shared;
}

std::string hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info) {
  const Kdf kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const KdfContext context(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr);
  std::string digest = "SHA256";
  std::string secret(key);
  std::string salted(salt);
  std::string about(info);
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret.data(), secret.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salted.data(), salted.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, about.data(), about.size()),
      OSSL_PARAM_construct_end()};
  std::string result(kKeySize, '\0');
  require(context && EVP_KDF_derive(context.get(), out(result), result.size(), parameters) == 1,
          "HKDF is not available");
  wipe(secret);
  return result;
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  require(
      HMAC(EVP_sha256(), key.data(), length(key), in(bytes), bytes.size(), out(digest), &size) !=
          nullptr,
      "HMAC is not available");
  digest.resize(size);
  return digest;
}

std::string chacha20_poly1305_seal(std::string_view key,
                                   std::string_view nonce,
                                   std::string_view plain) {
  return seal(EVP_chacha20_poly1305(), key, nonce, plain, {});
}

std::optional<std::string> chacha20_poly1305_open(std::string_view key,
                                                  std::string_view nonce,
                                                  std::string_view sealed) {
  return open(EVP_chacha20_poly1305(), key, nonce, sealed, {});
}

std::string aes256_gcm_seal(std::string_view key,
                            std::string_view nonce,
                            std::string_view plain,
                            std::string_view associated) {
  return seal(EVP_aes_256_gcm(), key, nonce, plain, associated);
}

std::optional<std::string> aes256_gcm_open(std::string_view key,
                                           std::string_view nonce,
                                           std::string_view sealed,
                                           std::string_view associated) {
  return open(EVP_aes_256_gcm(), key, nonce, sealed, associated);
}

void wipe(std::string& secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

}  // namespace skep::sops
