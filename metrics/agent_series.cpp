#include <string>

#include "metrics/counters.hpp"

namespace skep::metrics {
namespace {

const std::string kCompiler =
#if defined(__clang__)
    "clang " + std::to_string(__clang_major__) + "." + std::to_string(__clang_minor__);
#else
    "gcc " + std::to_string(__GNUC__) + "." + std::to_string(__GNUC_MINOR__);
#endif

}  // namespace

void write_agent(Exposition& out,
                 const MetricsOptions& options,
                 const Counters& counters,
                 const Asked& asked) {
  out.gauge("skep_build_info", "Build of the running agent.");
  out.value(1, {{"version", options.version}, {"commit", options.commit}, {"compiler", kCompiler}});
  out.gauge("skep_last_loop_timestamp_seconds",
            "Dead-man's switch: Unix time of the last turn of each loop; the agent's start before "
            "the first one.");
  out.value(counters.git_loop, {{"loop", "git"}});
  out.value(counters.live_loop, {{"loop", "live"}});
  out.value(counters.apply_loop, {{"loop", "apply"}});
  out.gauge("skep_leader", "1 if this replica may write: it holds the lease, or is the only one.");
  out.value(asked.leader ? 1 : 0);
  out.counter("skep_lease_transitions_total", "Times leadership was gained by this replica.");
  out.value(static_cast<double>(counters.lease_transitions));
  out.counter("skep_render_cache_requests_total", "Renders of stacks that a revision asked for.");
  out.value(static_cast<double>(counters.cache_hits), {{"result", "hit"}});
  out.value(static_cast<double>(counters.cache_misses), {{"result", "miss"}});
  out.counter("skep_audit_write_errors_total",
              "Writes to the history or the audit file that failed.");
  out.value(static_cast<double>(asked.audit_errors + counters.audit_errors));
  out.counter("skep_state_store_errors_total",
              "Attempts to read or write the swarm's state object that failed.");
  out.value(static_cast<double>(counters.state_errors));
  out.counter("skep_panics_total", "Requests that ended in an exception nobody expected.");
  out.value(static_cast<double>(counters.panics));
}

void write_docker(Exposition& out, const Counters& counters) {
  out.gauge("skep_docker_up", "1 if the last reading of the swarm from its manager succeeded.");
  out.value(counters.docker_up ? 1 : 0);
  out.gauge("skep_docker_info", "Docker endpoint in use.");
  if (counters.endpoint) {
    const std::string_view role = !counters.endpoint->swarm_active ? "inactive"
                                  : counters.endpoint->manager     ? "manager"
                                                                   : "worker";
    out.value(1,
              {{"api_version", counters.endpoint->api_version},
               {"engine_version", counters.endpoint->engine_version},
               {"swarm_role", role}});
  }
  out.counter("skep_docker_requests_total", "Docker API calls.");
  for (const auto& [labels, count] : counters.docker) {
    out.value(static_cast<double>(count), {{"operation", labels.first}, {"code", labels.second}});
  }
  out.counter("skep_docker_events_total", "Swarm events seen.");
  for (std::size_t type = 0; type < kEventTypes.size(); ++type) {
    out.value(static_cast<double>(counters.events.at(type)), {{"type", kEventTypes.at(type)}});
  }
  out.counter("skep_docker_event_stream_reconnects_total",
              "Times the event stream was opened again.");
  out.value(counters.stream_openings > 0 ? static_cast<double>(counters.stream_openings - 1) : 0);
}

void write_git(Exposition& out, const MetricsOptions& options, const Counters& counters) {
  const std::string_view repo = options.repository;
  out.counter("skep_git_requests_total", "Git operations.");
  out.value(static_cast<double>(counters.fetches[0]),
            {{"repo", repo}, {"operation", "fetch"}, {"result", "success"}});
  out.value(static_cast<double>(counters.fetches[1]),
            {{"repo", repo}, {"operation", "fetch"}, {"result", "failure"}});
  out.counter("skep_git_verification_failures_total",
              "Fetches whose commit was refused by signature policy or a non-fast-forward move.");
  for (std::size_t reason = 0; reason + 1 < kRefusals.size(); ++reason) {
    out.value(static_cast<double>(counters.refusals.at(reason)),
              {{"repo", repo}, {"reason", kRefusals.at(reason)}});
  }
  out.gauge("skep_git_last_success_timestamp_seconds",
            "Unix time of the last successful fetch, 0 for none yet.");
  out.value(counters.last_fetch, {{"repo", repo}});
  out.gauge("skep_git_interval_seconds", "Longest time between two looks at the repository.");
  out.value(options.interval.count() / 1000.0, {{"repo", repo}});
  out.gauge("skep_git_head_info", "Commit at the tracked ref.");
  if (!counters.head.empty()) out.value(1, {{"repo", repo}, {"revision", counters.head}});
}

void write_changes(Exposition& out, const Counters& counters) {
  out.counter("skep_resource_changes_total", "Writes sent to Docker.");
  for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
    for (std::size_t action = 0; action < kActions.size(); ++action) {
      for (std::size_t result = 0; result < kOutcomes.size(); ++result) {
        out.value(static_cast<double>(counters.changes.at(kind).at(action).at(result)),
                  {{"kind", kKinds.at(kind)},
                   {"action", kActions.at(action)},
                   {"result", kOutcomes.at(result)}});
      }
    }
  }
  // Networks are never rotated, services never stale.
  constexpr std::array<std::string_view, 2> kRotated = {"config", "secret"};
  constexpr std::array kRotatedKinds = {diff::ObjectKind::config, diff::ObjectKind::secret};
  out.counter("skep_secrets_rotated_total",
              "Generations of configs and secrets that took the place of another.");
  for (std::size_t i = 0; i < kRotated.size(); ++i)
    out.value(static_cast<double>(counters.rotated.at(i)), {{"kind", kRotated.at(i)}});
  const auto count = [](const std::map<diff::ObjectKind, std::uint64_t>& of,
                        diff::ObjectKind kind) {
    const auto at = of.find(kind);
    return at == of.end() ? 0.0 : static_cast<double>(at->second);
  };
  out.gauge("skep_stale_objects", "Superseded configs and secrets that are not collected yet.");
  for (std::size_t i = 0; i < kRotated.size(); ++i) {
    out.value(count(counters.inventory.stale, kRotatedKinds.at(i)), {{"kind", kRotated.at(i)}});
  }
  out.gauge("skep_orphaned_objects", "Live objects of stacks that nobody claims.");
  for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
    out.value(count(counters.inventory.orphaned, static_cast<diff::ObjectKind>(kind)),
              {{"kind", kKinds.at(kind)}});
  }
}

void write_http(Exposition& out, const Counters& counters) {
  out.counter("skep_http_requests_total", "HTTP requests answered.");
  for (const auto& [labels, count] : counters.http) {
    const auto& [handler, method, code] = labels;
    out.value(static_cast<double>(count),
              {{"handler", handler}, {"method", method}, {"code", code}});
  }
}

void write_notifications(Exposition& out, const Counters& counters, const Asked& asked) {
  out.counter("skep_notifications_total", "Notifications.");
  for (const auto& [labels, count] : counters.notifications) {
    out.value(static_cast<double>(count), {{"provider", labels.first}, {"result", labels.second}});
  }
  out.gauge("skep_notification_queue_depth", "Undelivered notifications.");
  out.value(static_cast<double>(asked.waiting_notifications));
}

// "other" only where it was counted: it is for words that this file does not know yet.
void write_webhooks(Exposition& out, const Counters& counters) {
  out.counter("skep_webhook_requests_total", "Webhook deliveries.");
  for (std::size_t provider = 0; provider < kWebhookProviders.size(); ++provider) {
    for (std::size_t result = 0; result < kWebhookResults.size(); ++result) {
      const auto count = counters.webhooks.at(provider).at(result);
      const bool other =
          provider + 1 == kWebhookProviders.size() || result + 1 == kWebhookResults.size();
      if (other && count == 0) continue;
      out.value(
          static_cast<double>(count),
          {{"provider", kWebhookProviders.at(provider)}, {"result", kWebhookResults.at(result)}});
    }
  }
}

}  // namespace skep::metrics
