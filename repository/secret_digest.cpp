#include "repository/secret_digest.hpp"

#include "core/digest.hpp"
#include "diff/generation.hpp"
#include "swarm/labels.hpp"

namespace skep::repository {
namespace {

constexpr std::size_t kShortestKey = 16;

}  // namespace

Result<SecretDigest> SecretDigest::with_key(const Secret& key) {
  std::string bytes(key.reveal());
  while (!bytes.empty() && (bytes.back() == '\n' || bytes.back() == '\r')) bytes.pop_back();
  if (bytes.size() < kShortestKey) {
    return Error{ErrorKind::invalid_input,
                 "the digest key has " + std::to_string(bytes.size()) + " bytes, at least " +
                     std::to_string(kShortestKey) +
                     " are needed: openssl rand -hex 32 | docker secret create skep_digest_key -"};
  }
  SecretDigest digest;
  // Tells keys apart, so that a label made under another key is no answer.
  digest.key_id_ = hmac_sha256_hex(bytes, "skep digest key").substr(0, 8);
  digest.key_ = Secret(std::move(bytes));
  return digest;
}

std::string SecretDigest::of(const swarm::SecretSpec& spec) const {
  return hmac_sha256_hex(
      key_.reveal(),
      "secret " + diff::generation_content(spec.data.reveal(), spec.driver, spec.templating));
}

std::string SecretDigest::label(const swarm::SecretSpec& spec) const {
  return key_id_ + ":" + of(spec);
}

diff::SecretAnswer SecretDigest::compare(const swarm::LiveSecret& live,
                                         const swarm::SecretSpec& spec) const {
  const auto at = live.labels.find(std::string(swarm::kDigestLabel));
  if (!has_key() || at == live.labels.end() || !at->second.starts_with(key_id_ + ":"))
    return diff::SecretAnswer::unknown;
  return at->second == label(spec) ? diff::SecretAnswer::same : diff::SecretAnswer::different;
}

}  // namespace skep::repository
