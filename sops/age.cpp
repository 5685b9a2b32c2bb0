#include "sops/age.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "core/digest.hpp"
#include "sops/armor.hpp"
#include "sops/bech32.hpp"
#include "sops/crypto.hpp"

namespace skep::sops {
namespace {

constexpr std::string_view kRecipientPrefix = "age";
constexpr std::string_view kIdentityPrefix = "age-secret-key-";
constexpr std::string_view kVersionLine = "age-encryption.org/v1";
constexpr std::string_view kX25519Info = "age-encryption.org/v1/X25519";
constexpr std::size_t kPointSize = 32;
constexpr std::size_t kFileKeySize = 16;
constexpr std::size_t kNonceSize = 16;
constexpr std::size_t kChunk = std::size_t{64} << 10U;
constexpr std::size_t kBodyColumns = 64;
/// A header with more is nobody's; each one costs a curve operation for each identity.
constexpr std::size_t kMostStanzas = 1000;

Error damaged(std::string message) {
  return {ErrorKind::invalid_input, "the age file " + std::move(message)};
}

struct Stanza {
  std::vector<std::string> arguments;  ///< The first is the type.
  std::string body;
};

struct Header {
  std::vector<Stanza> stanzas;
  std::string_view authenticated;  ///< Up to and with "---".
  std::string mac;
  std::string_view payload;
};

/// The next line; nothing where no line feed follows.
std::optional<std::string_view> take_ended_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

/// One or more words of visible characters, one blank between.
std::optional<std::vector<std::string>> words_of(std::string_view line) {
  std::vector<std::string> words(1);
  for (const char c : line) {
    if (c == ' ') {
      words.emplace_back();
    } else if (c < 33 || c > 126) {
      return std::nullopt;
    } else {
      words.back() += c;
    }
  }
  for (const auto& word : words) {
    if (word.empty()) return std::nullopt;
  }
  return words;
}

Result<Header> parse_header(std::string_view file) {
  auto rest = file;
  const auto version = take_ended_line(rest);
  if (!version || *version != kVersionLine)
    return damaged("is none of version 1: its first line is not " + std::string(kVersionLine));
  Header header;
  while (true) {
    const auto line = take_ended_line(rest);
    if (!line) return damaged("ends within its header");
    if (line->starts_with("--- ")) {
      auto mac = from_bare_base64(line->substr(4));
      if (!mac || mac->size() != 32) return damaged("has a malformed header MAC");
      if (header.stanzas.empty()) return damaged("has no recipient");
      header.mac = *std::move(mac);
      const auto end = static_cast<std::size_t>(line->data() - file.data()) + 3;
      header.authenticated = file.substr(0, end);
      header.payload = rest;
      return header;
    }
    if (!line->starts_with("-> ")) return damaged("has a malformed header");
    auto words = words_of(line->substr(3));
    if (!words) return damaged("has a malformed recipient");
    Stanza stanza{*std::move(words), {}};
    std::string body;
    while (true) {
      const auto more = take_ended_line(rest);
      if (!more) return damaged("ends within its header");
      if (more->size() > kBodyColumns) return damaged("has a malformed recipient");
      body += *more;
      if (more->size() < kBodyColumns) break;
    }
    auto bytes = from_bare_base64(body);
    if (!bytes) return damaged("has a malformed recipient");
    stanza.body = *std::move(bytes);
    header.stanzas.push_back(std::move(stanza));
    if (header.stanzas.size() > kMostStanzas) return damaged("has too many recipients");
  }
}

std::string zero_nonce() { return std::string(12, '\0'); }

std::string wrap_key(std::string_view shared, std::string_view ephemeral, std::string_view point) {
  return hkdf_sha256(shared, std::string(ephemeral) + std::string(point), kX25519Info);
}

/// The file's key, if this stanza was made for this identity. Errors: damaged().
Result<std::optional<std::string>> unwrap(const Stanza& stanza, const Identity& identity) {
  if (stanza.arguments.size() != 2) return damaged("has a malformed X25519 recipient");
  const auto ephemeral = from_bare_base64(stanza.arguments[1]);
  if (!ephemeral || ephemeral->size() != kPointSize ||
      stanza.body.size() != kFileKeySize + kTagSize) {
    return damaged("has a malformed X25519 recipient");
  }
  auto shared = x25519_shared(identity.key().reveal(), *ephemeral);
  if (!shared) return damaged("has a malformed X25519 recipient");
  auto key = wrap_key(*shared, *ephemeral, identity.recipient().point());
  wipe(*shared);
  auto file_key = chacha20_poly1305_open(key, zero_nonce(), stanza.body);
  wipe(key);
  return file_key;
}

/// Of a chunk: an 11-byte big-endian counter and whether it is the last.
std::string chunk_nonce(std::uint64_t counter, bool last) {
  std::string nonce(12, '\0');
  for (std::size_t i = 0; i < 8; ++i)
    nonce[10 - i] = static_cast<char>((counter >> (8U * i)) & 0xffU);
  nonce[11] = last ? '\1' : '\0';
  return nonce;
}

std::string header_mac(std::string_view file_key, std::string_view authenticated) {
  auto key = hkdf_sha256(file_key, {}, "header");
  auto mac = hmac_sha256(key, authenticated);
  wipe(key);
  return mac;
}

Result<std::string> open_payload(std::string_view file_key, std::string_view payload) {
  if (payload.size() < kNonceSize + kTagSize) return damaged("is cut off");
  auto key = hkdf_sha256(file_key, payload.substr(0, kNonceSize), "payload");
  payload.remove_prefix(kNonceSize);
  std::string plain;
  plain.reserve(payload.size());
  for (std::uint64_t counter = 0;; ++counter) {
    const auto sealed = payload.substr(0, kChunk + kTagSize);
    payload.remove_prefix(sealed.size());
    const bool last = payload.empty();
    auto chunk = chacha20_poly1305_open(key, chunk_nonce(counter, last), sealed);
    // An empty chunk is allowed for an empty file only, so that one text has one form.
    if (!chunk || (chunk->empty() && counter > 0)) {
      wipe(key);
      wipe(plain);
      return damaged("is damaged or cut off: its content does not match its key");
    }
    plain += *chunk;
    wipe(*chunk);
    if (last) break;
  }
  wipe(key);
  return plain;
}

std::string types_of(const Header& header) {
  std::vector<std::string> types;
  for (const auto& stanza : header.stanzas) {
    const auto& type = stanza.arguments.front();
    // Some implementations add recipients of made-up types, so that nobody relies on the list.
    if (type.ends_with("-grease")) continue;
    if (std::find(types.begin(), types.end(), type) == types.end()) types.push_back(type);
  }
  std::string text;
  for (const auto& type : types) text += (text.empty() ? "" : ", ") + type.substr(0, 40);
  return text;
}

}  // namespace

Recipient::Recipient(std::string point)
    : point_(std::move(point)), text_(to_bech32(kRecipientPrefix, point_)) {}

Result<Recipient> Recipient::parse(std::string_view text) {
  const auto shown =
      text.size() > 100 || text.starts_with("AGE-SECRET") ? "" : " \"" + std::string(text) + "\"";
  if (text.starts_with("AGE-SECRET-KEY-")) {
    return Error{ErrorKind::invalid_input,
                 "a secret key stands where a recipient is wanted: give its public half, age1…"};
  }
  if (text.starts_with("ssh-") || text.starts_with("age1yubikey")) {
    return Error{ErrorKind::invalid_input,
                 "the recipient" + shown +
                     " is of a kind that skep does not know: only age1… "
                     "(X25519) keys, as skep secret keygen makes them"};
  }
  auto decoded = from_bech32(text);
  if (!decoded || decoded->prefix != kRecipientPrefix || decoded->data.size() != kPointSize ||
      to_bech32(kRecipientPrefix, decoded->data) != text) {
    return Error{ErrorKind::invalid_input,
                 "the recipient" + shown + " is no age key (age1…): mistyped or cut off?"};
  }
  if (!x25519_shared(std::string(kPointSize, 'k'), decoded->data)) {
    return Error{ErrorKind::invalid_input,
                 "the recipient" + shown + " is no key that a secret belongs to"};
  }
  return Recipient(std::move(decoded->data));
}

Identity::Identity(Secret key) : key_(std::move(key)), recipient_(x25519_public(key_.reveal())) {}

Identity Identity::generate() { return Identity(Secret(random_bytes(kPointSize))); }

Result<Identity> Identity::parse(std::string_view text) {
  auto decoded = from_bech32(text);
  if (!decoded || decoded->prefix != kIdentityPrefix || decoded->data.size() != kPointSize ||
      !text.starts_with('A')) {
    return Error{ErrorKind::invalid_input,
                 "this is no age key (AGE-SECRET-KEY-1…): mistyped or cut off?"};
  }
  return Identity(Secret(std::move(decoded->data)));
}

Secret Identity::text() const {
  auto lower = to_bech32(kIdentityPrefix, key_.reveal());
  for (auto& c : lower) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return Secret(std::move(lower));
}

Result<Identities> parse_identities(std::string_view text, const std::string& file) {
  if (is_armored(text) || text.starts_with(kVersionLine)) {
    return Error{ErrorKind::invalid_input,
                 "the key file is itself encrypted: decrypt it first (age --decrypt)",
                 SourcePosition{file}};
  }
  Identities identities;
  std::optional<Error> other;
  int number = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    const SourcePosition at{file, number, 1};
    if (line.starts_with("AGE-PLUGIN-") || line.starts_with("-----BEGIN")) {
      const Error unknown{ErrorKind::invalid_input,
                          "a key of a kind that skep does not know: only AGE-SECRET-KEY-1… "
                          "(X25519), as skep secret keygen makes them",
                          at};
      // A plugin's key is one line, and may stand beside ours.
      if (!line.starts_with("AGE-PLUGIN-")) return unknown;
      if (!other) other = unknown;
      continue;
    }
    auto identity = Identity::parse(line);
    if (!identity) return Error{ErrorKind::invalid_input, identity.error().message, at};
    identities.push_back(*std::move(identity));
  }
  if (identities.empty() && other) return *std::move(other);
  if (identities.empty()) {
    return Error{ErrorKind::invalid_input, "there is no key in it", SourcePosition{file}};
  }
  return identities;
}

std::string age_encrypt(std::string_view plain, const std::vector<Recipient>& recipients) {
  if (recipients.empty()) throw std::logic_error("no recipient");
  auto file_key = random_bytes(kFileKeySize);
  std::string file(kVersionLine);
  file += '\n';
  for (const auto& recipient : recipients) {
    const auto ephemeral = Identity::generate();
    auto shared = x25519_shared(ephemeral.key().reveal(), recipient.point());
    // Recipient::parse() refused those.
    if (!shared) throw std::logic_error("a recipient of low order");
    const auto& point = ephemeral.recipient().point();
    auto key = wrap_key(*shared, point, recipient.point());
    const auto body = bare_base64(chacha20_poly1305_seal(key, zero_nonce(), file_key));
    file += "-> X25519 " + bare_base64(point) + "\n" + body + "\n";
    wipe(*shared);
    wipe(key);
  }
  file += "---";
  file += " " + bare_base64(header_mac(file_key, file)) + "\n";
  const auto nonce = random_bytes(kNonceSize);
  auto key = hkdf_sha256(file_key, nonce, "payload");
  wipe(file_key);
  file += nonce;
  for (std::uint64_t counter = 0;; ++counter) {
    const auto chunk = plain.substr(0, kChunk);
    plain.remove_prefix(chunk.size());
    file += chacha20_poly1305_seal(key, chunk_nonce(counter, plain.empty()), chunk);
    if (plain.empty()) break;
  }
  wipe(key);
  return file;
}

Result<std::string> age_decrypt(std::string_view file, const Identities& identities) {
  std::string bytes;
  if (is_armored(file)) {
    auto inner = unarmored(file);
    if (!inner) return damaged("has a malformed armor");
    bytes = *std::move(inner);
    file = bytes;
  }
  auto header = parse_header(file);
  if (!header) return std::move(header).error();
  for (const auto& stanza : header->stanzas) {
    // A passphrase stands alone: whoever can add another recipient to it could swap the content.
    if (stanza.arguments.front() == "scrypt") {
      return Error{ErrorKind::unauthorized,
                   header->stanzas.size() > 1
                       ? "the age file mixes a passphrase with other recipients"
                       : "the age file is encrypted with a passphrase, which skep does not use: "
                         "encrypt it to an age1… key"};
    }
  }
  for (const auto& stanza : header->stanzas) {
    if (stanza.arguments.front() != "X25519") continue;
    for (const auto& identity : identities) {
      auto file_key = unwrap(stanza, identity);
      if (!file_key) return std::move(file_key).error();
      if (!*file_key) continue;
      if (!same_bytes(header_mac(**file_key, header->authenticated), header->mac)) {
        wipe(**file_key);
        return damaged("is damaged: its header does not match its MAC");
      }
      auto plain = open_payload(**file_key, header->payload);
      wipe(**file_key);
      return plain;
    }
  }
  return Error{ErrorKind::unauthorized,
               "none of the " + std::to_string(identities.size()) +
                   " age keys at hand fits; the file is for recipients of kind " +
                   types_of(*header)};
}

}  // namespace skep::sops
