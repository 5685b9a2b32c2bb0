#include "gitsync/ssh_signature.hpp"

#include <array>
#include <memory>
#include <optional>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "core/digest.hpp"
#include "core/handle.hpp"
#include "gitsync/ssh_wire.hpp"

namespace skep::gitsync {
namespace {

using Key = Handle<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using DigestContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using Number = Handle<BIGNUM, BN_free>;
using ParameterBuilder = Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using Parameters = Handle<OSSL_PARAM, OSSL_PARAM_free>;
using EcdsaPair = Handle<ECDSA_SIG, ECDSA_SIG_free>;

constexpr std::string_view kMagic = "SSHSIG";
constexpr std::size_t kShortestRsa = 2048;

Error refused(std::string message) { return {ErrorKind::unauthorized, std::move(message), {}}; }

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string as_string(std::string_view text) {
  std::string wire;
  for (const unsigned shift : {24U, 16U, 8U, 0U})
    wire += static_cast<char>((text.size() >> shift) & 0xFFU);
  return wire.append(text);
}

Number number_of(std::string_view bytes) {
  return Number(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

Key key_from(const char* type, const ParameterBuilder& builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
    return nullptr;
  return Key(key);
}

Key rsa_key(std::string_view exponent, std::string_view modulus) {
  const auto e = number_of(exponent), n = number_of(modulus);
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  if (!e || !n || !builder || BN_num_bits(n.get()) < static_cast<int>(kShortestRsa) ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1)
    return nullptr;
  return key_from("RSA", builder);
}

Key ec_key(std::string_view curve, std::string_view point) {
  const char* group = curve == "nistp256"   ? "prime256v1"
                      : curve == "nistp384" ? "secp384r1"
                      : curve == "nistp521" ? "secp521r1"
                                            : nullptr;
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  if (group == nullptr || !builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(
          builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
    return nullptr;
  return key_from("EC", builder);
}

/// ECDSA's two numbers as SSH writes them → as OpenSSL reads them; "" where they are none.
std::string der_of(std::string_view blob) {
  const auto r = take_string(blob);
  const auto s = r ? take_string(blob) : std::nullopt;
  EcdsaPair pair(ECDSA_SIG_new());
  if (!r || !s || !blob.empty() || !pair) return {};
  auto first = number_of(*r), second = number_of(*s);
  if (!first || !second || ECDSA_SIG_set0(pair.get(), first.get(), second.get()) != 1) return {};
  (void)first.release();  // The pair owns them now.
  (void)second.release();
  unsigned char* der = nullptr;
  const int length = i2d_ECDSA_SIG(pair.get(), &der);
  if (length <= 0) return {};
  const std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return text;
}

bool check(const Key& key, const char* digest, std::string_view message, std::string_view blob) {
  const DigestContext context(EVP_MD_CTX_new());
  const auto* method = digest == nullptr ? nullptr : EVP_get_digestbyname(digest);
  return key && context &&
         EVP_DigestVerifyInit(context.get(), nullptr, method, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(
             context.get(), bytes_of(blob), blob.size(), bytes_of(message), message.size()) == 1;
}

/// What a security token signs instead of the message.
struct Token {
  std::string_view application;
  std::string_view flags_and_counter;
};

std::string signed_by(const std::optional<Token>& token, std::string_view message) {
  if (!token) return std::string(message);
  return sha256(token->application) + std::string(token->flags_and_counter) + sha256(message);
}

/// The five bytes behind a token's signature, whose first bit says that somebody touched it.
std::optional<std::string_view> touched(std::string_view rest) {
  constexpr std::size_t kFlagsAndCounter = 5;
  if (rest.size() != kFlagsAndCounter || (static_cast<unsigned char>(rest.front()) & 1U) == 0)
    return std::nullopt;
  return rest;
}

bool check_key(const SshSignature& signature, std::string_view message) {
  std::string_view key = signature.key;
  std::string_view blob = signature.blob;
  const auto type = take_string(key);
  if (!type) return false;
  const bool on_token = type->starts_with("sk-");
  if (type->find("rsa") == type->npos && signature.algorithm != *type) return false;
  if (*type == "ssh-rsa") {
    const auto exponent = take_string(key);
    const auto modulus = exponent ? take_string(key) : std::nullopt;
    const char* digest = signature.algorithm == "rsa-sha2-512"   ? "SHA512"
                         : signature.algorithm == "rsa-sha2-256" ? "SHA256"
                                                                 : nullptr;
    const auto number = take_string(blob);
    return modulus && digest != nullptr && number && blob.empty() &&
           check(rsa_key(*exponent, *modulus), digest, message, *number);
  }
  const auto finish = [&](const Key& made, const char* digest, bool ecdsa) {
    const auto body = take_string(blob);
    if (!body) return false;
    std::optional<Token> token;
    if (on_token) {
      const auto application = take_string(key);
      const auto counter = touched(blob);
      if (!application || !counter) return false;
      token = Token{*application, *counter};
    } else if (!blob.empty()) {
      return false;
    }
    const auto der = ecdsa ? der_of(*body) : std::string(*body);
    return check(made, digest, signed_by(token, message), der);
  };
  if (*type == "ssh-ed25519" || *type == "sk-ssh-ed25519@openssh.com") {
    const auto raw = take_string(key);
    if (!raw) return false;
    const Key made(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(*raw), raw->size()));
    return finish(made, nullptr, false);
  }
  if (type->starts_with("ecdsa-sha2-nistp") || *type == "sk-ecdsa-sha2-nistp256@openssh.com") {
    const auto curve = take_string(key);
    const auto point = curve ? take_string(key) : std::nullopt;
    if (!point) return false;
    const char* digest = *curve == "nistp256"   ? "SHA256"
                         : *curve == "nistp384" ? "SHA384"
                                                : "SHA512";
    return finish(ec_key(*curve, *point), digest, true);
  }
  return false;
}

}  // namespace

Result<SshSignature> parse_ssh_signature(std::string_view armored) {
  constexpr std::string_view kBegin = "-----BEGIN SSH SIGNATURE-----";
  constexpr std::string_view kEnd = "-----END SSH SIGNATURE-----";
  const Error damaged{ErrorKind::invalid_input, "it is no SSH signature", {}};
  const auto begin = armored.find(kBegin);
  const auto end = armored.find(kEnd);
  if (begin == armored.npos || end == armored.npos || end < begin) return damaged;
  std::string packed;
  for (const char c : armored.substr(begin + kBegin.size(), end - begin - kBegin.size()))
    if (c != '\n' && c != '\r' && c != ' ') packed += c;
  const auto decoded = from_base64(packed);
  if (!decoded || !decoded->starts_with(kMagic)) return damaged;
  auto rest = std::string_view(*decoded).substr(kMagic.size());
  const auto version = take_number(rest);
  if (!version || *version != 1) return damaged;
  std::array<std::string_view, 5> parts;
  for (auto& part : parts) {
    const auto next = take_string(rest);
    if (!next) return damaged;
    part = *next;
  }
  auto inner = parts[4];
  const auto algorithm = take_string(inner);
  if (!algorithm || !rest.empty()) return damaged;
  SshSignature signature;
  signature.key = parts[0];
  signature.name_space = parts[1];
  signature.reserved = parts[2];
  signature.hash = parts[3];
  signature.algorithm = *algorithm;
  signature.blob = inner;
  return signature;
}

Result<void> verify(const SshSignature& signature, std::string_view message) {
  if (signature.name_space != "git")
    return refused("its signature was not made for git but for \"" + signature.name_space + "\"");
  if (signature.hash != "sha256" && signature.hash != "sha512")
    return refused("its signature uses the hash " + signature.hash + ", which is not supported");
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int length = 0;
  if (EVP_Digest(message.data(),
                 message.size(),
                 reinterpret_cast<unsigned char*>(digest.data()),
                 &length,
                 signature.hash == "sha256" ? EVP_sha256() : EVP_sha512(),
                 nullptr) != 1)
    return refused("its signature could not be checked");
  digest.resize(length);
  const auto signed_text = std::string(kMagic) + as_string(signature.name_space) +
                           as_string(signature.reserved) + as_string(signature.hash) +
                           as_string(digest);
  if (!check_key(signature, signed_text)) return refused("its signature does not fit its content");
  return {};
}

}  // namespace skep::gitsync
