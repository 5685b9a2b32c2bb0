#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "server/router.hpp"
#include "server/webhook_proof.hpp"

namespace skep::server {

struct WebhookOptions {
  WebhookProofs proofs;
  /// What the agent follows: its remote, and the addresses under which the host may know it.
  std::vector<std::string> repositories;
  std::string ref;  ///< As the agent was given it; "" for the default branch.
  /// Says that git may have something new; must not block.
  std::function<void()> hint;
  /// Says that a tag of a registry may have moved; whether a stack follows it. Must not block.
  std::function<bool(std::string_view repository, std::string_view tag)> image_hint = {};
  /// A line for the log, once a minute for each kind.
  std::function<void(std::string_view)> say = {};
  double burst = 120, per_second = 20;  ///< Of calls from one address, genuine or not.
};

/// POST /webhook/{github,gitlab,gitea,forgejo,generic}: a git host says that somebody pushed;
/// POST /webhook/registry: a registry says so. It is only a hint to look: nothing of a payload is
/// contacted, and what the agent does next is what it would have done at its next poll. Answers:
///   202 a push to what the agent follows, which is fetched now; a tag that a stack follows
///   200 nothing to do, with the reason: a ping, another event, branch or repository, a deletion,
///       a delivery that was seen already
///   400 malformed · 401 proof missing or wrong · 404 no proof is configured for this provider
///   413, 415 (any Content-Encoding, another Content-Type) · 429 too many calls from one address
/// `clock` outlives the router.
void add_webhook_routes(Router& router, const Clock& clock, WebhookOptions options);

/// The provider's name where `pattern` is one of these routes; "" else.
[[nodiscard]] std::string_view webhook_provider(std::string_view pattern);
/// What an answer of these routes means in the metric `result`; "" where it is not counted (a
/// provider that is not configured).
[[nodiscard]] std::string_view webhook_result(int status);

}  // namespace skep::server
