#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "metrics/prometheus_metrics.hpp"
#include "metrics/stack_series.hpp"
#include "reconciler/ports/engine.hpp"
#include "reconciler/ports/observer.hpp"

namespace skep::metrics {

inline constexpr std::array<std::string_view, 4> kActions = {
    "create", "update", "delete", "replace"};
inline constexpr std::array<std::string_view, 2> kOutcomes = {"success", "failure"};
inline constexpr std::array<std::string_view, 6> kEventTypes = {
    "service", "network", "config", "secret", "node", "other"};
inline constexpr std::array<std::string_view, 8> kMethods = {
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"};

inline constexpr std::array<std::string_view, 7> kWebhookProviders = {
    "github", "gitlab", "gitea", "forgejo", "generic", "registry", "other"};
inline constexpr std::array<std::string_view, 7> kWebhookResults = {
    "accepted", "bad_signature", "too_large", "malformed", "rate_limited", "ignored", "other"};

inline constexpr std::array<std::string_view, 5> kNotificationResults = {
    "sent", "failed", "deduplicated", "dropped", "other"};
/// What one phase of reconciling takes; the last two are of whole turns.
inline constexpr std::array<std::string_view, 7> kTurnPhases = {
    "fetch", "render", "observe", "plan", "apply", "total", "other"};

/// Why a commit was not believed.
inline constexpr std::array<std::string_view, 6> kRefusals = {
    "unsigned", "unknown_key", "bad_signature", "expired", "rewound", "other"};

/// All that is counted, apart from the stacks' gauges. Copied for a rendering.
struct Counters {
  CountersByStack stacks;
  std::array<std::array<std::array<std::uint64_t, kOutcomes.size()>, kActions.size()>,
             kKinds.size()>
      changes{};
  std::array<std::uint64_t, 2> fetches{};
  std::array<std::uint64_t, kRefusals.size()> refusals{};
  std::array<std::uint64_t, kEventTypes.size()> events{};
  std::uint64_t stream_openings = 0;
  std::map<std::pair<std::string, std::string>, std::uint64_t> docker;         // Operation, code.
  std::map<std::pair<std::string, std::string>, std::uint64_t> notifications;  // Provider, result.
  std::map<std::tuple<std::string, std::string, std::string>, std::uint64_t>
      http;  // Handler, method, code.
  std::array<std::array<std::uint64_t, kWebhookResults.size()>, kWebhookProviders.size()>
      webhooks{};
  /// Of audit, state store, and exceptions that nothing else caught.
  std::uint64_t audit_errors = 0, state_errors = 0, panics = 0;
  std::uint64_t lease_transitions = 0;
  std::uint64_t cache_hits = 0, cache_misses = 0;
  std::array<std::uint64_t, 2> rotated{};  ///< Configs, secrets.
  ports::Inventory inventory;
  double last_fetch = 0;
  double git_loop = 0, live_loop = 0, apply_loop = 0;  ///< Unix time.
  bool docker_up = false;
  std::string head;
  std::optional<ports::EngineInfo> endpoint;
};

/// What the agent is asked when a scrape comes.
struct Asked {
  std::size_t waiting_notifications = 0;
  std::uint64_t audit_errors = 0;
  bool leader = true;
};

// The families of the agent itself, each function one group of them.
void write_agent(Exposition& out,
                 const MetricsOptions& options,
                 const Counters& counters,
                 const Asked& asked);
void write_docker(Exposition& out, const Counters& counters);
void write_git(Exposition& out, const MetricsOptions& options, const Counters& counters);
void write_changes(Exposition& out, const Counters& counters);
void write_http(Exposition& out, const Counters& counters);
void write_webhooks(Exposition& out, const Counters& counters);
void write_notifications(Exposition& out, const Counters& counters, const Asked& asked);

}  // namespace skep::metrics
