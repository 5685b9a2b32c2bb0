#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/secret.hpp"
#include "server/message.hpp"
#include "server/webhook_payload.hpp"

namespace skep::server {

/// What proves that a call comes from the git host. Each provider has its own secrets, and may have
/// several while one is exchanged for another.
class WebhookProofs {
 public:
  WebhookProofs();
  /// Errors: invalid_input (an empty secret).
  Result<void> add(WebhookProvider provider, Secret secret);
  [[nodiscard]] bool configured(WebhookProvider provider) const;
  [[nodiscard]] bool empty() const noexcept { return secrets_.empty(); }

  /// Checks the proof over the body as it came:
  ///   github           X-Hub-Signature-256: sha256=HEX, HMAC-SHA256 of the body
  ///   gitea, forgejo   X-Gitea-Signature or X-Forgejo-Signature: HEX of the same; or as github
  ///   gitlab           X-Gitlab-Token: the secret itself
  ///   registry         Authorization: Bearer SECRET, or Basic with it as the password; or, where a
  ///                    registry sends no header of one's own, ?token=SECRET
  ///   generic          X-Skep-Signature: sha256=HEX, HMAC-SHA256 of TIMESTAMP.BODY, with
  ///                    X-Skep-Timestamp (Unix seconds) at most five minutes from `now`
  /// Returns what is one of a kind about a genuine call ("" where the proof does not depend on the
  /// body), or nothing for a missing or wrong proof. The time taken does not tell how wrong.
  [[nodiscard]] std::optional<std::string> check(WebhookProvider provider,
                                                 const Request& request,
                                                 WallTime now) const;

 private:
  [[nodiscard]] bool signed_by_us(WebhookProvider provider,
                                  std::string_view hex,
                                  std::string_view text) const;
  [[nodiscard]] bool is_secret(WebhookProvider provider, std::string_view given) const;
  [[nodiscard]] bool equal(std::string_view left, std::string_view right) const;

  std::map<WebhookProvider, std::vector<Secret>> secrets_;
  Secret key_;  ///< Of this process; texts are compared by their keyed hashes.
};

}  // namespace skep::server
