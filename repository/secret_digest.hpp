#pragma once

#include <string>

#include "core/result.hpp"
#include "core/secret.hpp"
#include "diff/plan.hpp"
#include "swarm/live_state.hpp"
#include "swarm/object_spec.hpp"

namespace skep::repository {

/// Tells secrets apart by an HMAC under the swarm's digest key (`skep_digest_key`, design §5), so
/// that names of generations are the same wherever they are made, and equality is read from a
/// label. A digest without a key reveals nothing, which is why there is none without a key (attack
/// 18).
class SecretDigest {
 public:
  SecretDigest() = default;  ///< Without a key.
  /// Line ends behind the key do not count. Errors: invalid_input for a key of less than 16 bytes.
  static Result<SecretDigest> with_key(const Secret& key);

  [[nodiscard]] bool has_key() const noexcept { return !key_id_.empty(); }
  /// 64 hex digits of the content: data, driver and templating.
  [[nodiscard]] std::string of(const swarm::SecretSpec& spec) const;
  /// The value of swarm::kDigestLabel: "KEYID:DIGEST".
  [[nodiscard]] std::string label(const swarm::SecretSpec& spec) const;
  /// What the live secret's label says; unknown without a label of this key.
  [[nodiscard]] diff::SecretAnswer compare(const swarm::LiveSecret& live,
                                           const swarm::SecretSpec& spec) const;

 private:
  Secret key_;
  std::string key_id_;
};

}  // namespace skep::repository
