#include "server/webhook_proof.hpp"

#include <algorithm>
#include <charconv>

#include "core/ascii.hpp"
#include "core/digest.hpp"

namespace skep::server {
namespace {

using namespace std::chrono_literals;

constexpr auto kClocksDiffer = 5min;
constexpr std::size_t kSignatureDigits = 64;
constexpr std::size_t kLongestWebhookToken = 4096;

/// The digits behind "sha256="; "" where there are none.
std::string_view prefixed(std::string_view value) {
  constexpr std::string_view kPrefix = "sha256=";
  return value.starts_with(kPrefix) ? value.substr(kPrefix.size()) : std::string_view();
}

bool is_recent(std::string_view timestamp, WallTime now) {
  std::int64_t seconds = 0;
  const auto* end = timestamp.data() + timestamp.size();
  const auto [at, error] = std::from_chars(timestamp.data(), end, seconds);
  if (timestamp.empty() || error != std::errc() || at != end) return false;
  const auto present =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  const auto most = std::chrono::seconds(kClocksDiffer).count();
  // Not `present - seconds`: the sender chooses the number.
  return seconds >= present - most && seconds <= present + most;
}

/// The signature that a host sends, by the names that it has for it.
std::string_view signature_of(WebhookProvider provider, const Request& request) {
  if (provider == WebhookProvider::gitea || provider == WebhookProvider::forgejo) {
    for (const auto* name : {"x-forgejo-signature", "x-gitea-signature"}) {
      if (const auto value = request.header(name); !value.empty()) return value;
    }
  }
  return prefixed(request.header("x-hub-signature-256"));
}

/// What a registry was given to send.
std::string registry_secret(const Request& request) {
  const auto header = request.header("authorization");
  if (header.empty()) {
    const auto token = request.query.find("token");
    return token == request.query.end() ? std::string() : token->second;
  }
  const auto space = std::min(header.find(' '), header.size());
  const auto scheme = lower(header.substr(0, space));
  const auto rest = header.substr(std::min(space + 1, header.size()));
  if (scheme == "bearer") return std::string(rest);
  if (scheme != "basic" || rest.size() > 2 * kLongestWebhookToken) return {};
  const auto pair = from_base64(rest);
  const auto colon = pair ? pair->find(':') : std::string::npos;
  return colon == std::string::npos ? std::string() : pair->substr(colon + 1);
}

}  // namespace

WebhookProofs::WebhookProofs() : key_(random_bytes(32)) {}

Result<void> WebhookProofs::add(WebhookProvider provider, Secret secret) {
  if (secret.empty()) return Error{ErrorKind::invalid_input, "the secret is empty", std::nullopt};
  secrets_[provider].push_back(std::move(secret));
  return {};
}

bool WebhookProofs::configured(WebhookProvider provider) const {
  return secrets_.contains(provider);
}

bool WebhookProofs::equal(std::string_view left, std::string_view right) const {
  // Both become of one length, and nothing that a caller chooses is compared byte by byte.
  return Secret(hmac_sha256_hex(key_.reveal(), left)) ==
         Secret(hmac_sha256_hex(key_.reveal(), right));
}

bool WebhookProofs::is_secret(WebhookProvider provider, std::string_view given) const {
  if (given.empty() || given.size() > kLongestWebhookToken) return false;
  bool found = false;
  for (const auto& secret : secrets_.at(provider)) found |= equal(secret.reveal(), given);
  return found;
}

bool WebhookProofs::signed_by_us(WebhookProvider provider,
                                 std::string_view hex,
                                 std::string_view text) const {
  if (hex.size() != kSignatureDigits) return false;
  const Secret given(lower(hex));
  bool found = false;
  for (const auto& secret : secrets_.at(provider)) {
    found |= Secret(hmac_sha256_hex(secret.reveal(), text)) == given;
  }
  return found;
}

std::optional<std::string> WebhookProofs::check(WebhookProvider provider,
                                                const Request& request,
                                                WallTime now) const {
  if (!configured(provider)) return std::nullopt;
  if (provider == WebhookProvider::gitlab || provider == WebhookProvider::registry) {
    const bool gitlab = provider == WebhookProvider::gitlab;
    const auto given =
        gitlab ? std::string(request.header("x-gitlab-token")) : registry_secret(request);
    return is_secret(provider, given) ? std::optional(std::string()) : std::nullopt;
  }
  if (provider == WebhookProvider::generic) {
    const auto timestamp = request.header("x-skep-timestamp");
    const auto hex = prefixed(request.header("x-skep-signature"));
    if (!is_recent(timestamp, now)) return std::nullopt;
    const auto text = std::string(timestamp) + "." + request.body;
    if (!signed_by_us(provider, hex, text)) return std::nullopt;
    return lower(hex);
  }
  const auto hex = signature_of(provider, request);
  if (!signed_by_us(provider, hex, request.body)) return std::nullopt;
  return lower(hex);
}

}  // namespace skep::server
