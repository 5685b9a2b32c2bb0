#include "metrics/prometheus_metrics.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <tuple>

#include <prometheus/histogram.h>

#include "metrics/exposition.hpp"
#include "metrics/process_series.hpp"
#include "metrics/stack_series.hpp"

namespace skep::metrics {
namespace {

constexpr std::array<std::string_view, 4> kActions = {"create", "update", "delete", "replace"};
constexpr std::array<std::string_view, 2> kOutcomes = {"success", "failure"};
constexpr std::array<std::string_view, 6> kEventTypes = {
    "service", "network", "config", "secret", "node", "other"};
constexpr std::array<std::string_view, 8> kMethods = {
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"};

constexpr std::array<std::string_view, 6> kWebhookProviders = {
    "github", "gitlab", "gitea", "forgejo", "generic", "other"};
constexpr std::array<std::string_view, 7> kWebhookResults = {
    "accepted", "bad_signature", "too_large", "malformed", "rate_limited", "ignored", "other"};

constexpr std::array<std::string_view, 5> kNotificationResults = {
    "sent", "failed", "deduplicated", "dropped", "other"};

// Words come from our own code, so this is never reached; it keeps a mistake there from growing
// the series without end.
constexpr std::size_t kMostWords = 64;

const std::string kCompiler =
#if defined(__clang__)
    "clang " + std::to_string(__clang_major__) + "." + std::to_string(__clang_minor__);
#else
    "gcc " + std::to_string(__GNUC__) + "." + std::to_string(__GNUC_MINOR__);
#endif

const prometheus::Histogram::BucketBoundaries kPhaseBuckets = {
    .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15, 30, 60, 120};
const prometheus::Histogram::BucketBoundaries kGitBuckets = {
    .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60};
const prometheus::Histogram::BucketBoundaries kRequestBuckets = {
    .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};

double seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

std::size_t action_index(diff::Verb verb) {
  switch (verb) {
    case diff::Verb::create:
      return 0;
    case diff::Verb::update:
      return 1;
    case diff::Verb::remove:
      return 2;
    case diff::Verb::replace:
      break;
  }
  return 3;
}

// "500"; what is no HTTP status (no answer at all) is "error".
std::string code_of(int status) {
  return status >= 100 && status <= 599 ? std::to_string(status) : "error";
}

using HistogramsByWord = std::map<std::string, prometheus::Histogram, std::less<>>;

void observe(HistogramsByWord& histograms,
             std::string_view word,
             const prometheus::Histogram::BucketBoundaries& buckets,
             double value) {
  auto found = histograms.find(word);
  if (found == histograms.end()) {
    found = histograms.try_emplace(std::string(word), buckets).first;
  }
  found->second.Observe(value);
}

// Adds a word to a vocabulary while there is room; "other" after that.
std::string_view admit(std::set<std::string, std::less<>>& vocabulary, std::string_view word) {
  if (const auto found = vocabulary.find(word); found != vocabulary.end()) return *found;
  if (vocabulary.size() >= kMostWords) return "other";
  return *vocabulary.emplace(word).first;
}

// All that is counted, apart from the stacks' gauges. Copied for a rendering.
struct Counters {
  CountersByStack stacks;
  std::array<std::array<std::array<std::uint64_t, kOutcomes.size()>, kActions.size()>,
             kKinds.size()>
      changes{};
  std::array<std::uint64_t, 2> fetches{};
  std::array<std::uint64_t, kEventTypes.size()> events{};
  std::uint64_t stream_openings = 0;
  std::map<std::pair<std::string, std::string>, std::uint64_t> docker;         // operation, code
  std::map<std::pair<std::string, std::string>, std::uint64_t> notifications;  // provider, result
  std::map<std::tuple<std::string, std::string, std::string>, std::uint64_t>
      http;  // handler, method, code
  std::array<std::array<std::uint64_t, kWebhookResults.size()>, kWebhookProviders.size()>
      webhooks{};
  double last_fetch = 0;
  double git_loop = 0, live_loop = 0, apply_loop = 0;
  bool docker_up = false;
  std::string head;
  std::optional<ports::EngineInfo> endpoint;
};

}  // namespace

struct PrometheusMetrics::State {
  State(MetricsOptions given, const Clock& its_clock)
      : options(std::move(given)), clock(its_clock), fetch_seconds(kGitBuckets) {
    for (std::size_t i = 0; i + 1 < kPhases.size(); ++i) {
      phase_seconds.try_emplace(std::string(kPhases.at(i)), kPhaseBuckets);
    }
    phase_seconds.try_emplace("total", kPhaseBuckets);
    for (std::size_t i = 0; i + 1 < kWebhookProviders.size(); ++i) {
      webhook_seconds.try_emplace(std::string(kWebhookProviders.at(i)), kRequestBuckets);
    }
  }

  double now() const {
    return std::chrono::duration<double>(clock.now().time_since_epoch()).count();
  }

  const MetricsOptions options;
  const Clock& clock;
  std::atomic<std::size_t> last_size = 0;  ///< Of a rendering, so that the next one grows once.

  mutable std::mutex mutex;  // guards all that follows
  Counters counters;
  std::shared_ptr<const std::vector<StackSample>> stacks =
      std::make_shared<const std::vector<StackSample>>();
  std::set<std::string, std::less<>> operations, handlers, notifiers;
  HistogramsByWord phase_seconds, docker_seconds, http_seconds, webhook_seconds;
  prometheus::Histogram fetch_seconds;
  std::function<std::size_t()> waiting;
};

PrometheusMetrics::PrometheusMetrics(MetricsOptions options, const Clock& clock)
    : state_(std::make_unique<State>(std::move(options), clock)) {}

PrometheusMetrics::~PrometheusMetrics() = default;

void PrometheusMetrics::fetched(const ports::FetchReport& report) {
  const std::lock_guard lock(state_->mutex);
  auto& counters = state_->counters;
  counters.git_loop = state_->now();
  ++counters.fetches.at(report.ok ? 0 : 1);
  state_->fetch_seconds.Observe(seconds(report.duration));
  if (!report.ok) return;
  counters.last_fetch = counters.git_loop;
  counters.head = report.revision.substr(0, 12);
}

void PrometheusMetrics::observed(bool ok) {
  const std::lock_guard lock(state_->mutex);
  state_->counters.docker_up = ok;
  state_->counters.live_loop = state_->now();
}

void PrometheusMetrics::phase(std::string_view name, std::chrono::nanoseconds duration) {
  const std::lock_guard lock(state_->mutex);
  const std::string_view known = name == "total" ? name : kPhases.at(index_in(kPhases, name));
  observe(state_->phase_seconds, known, kPhaseBuckets, seconds(duration));
}

void PrometheusMetrics::wrote(const ports::WriteReport& report) {
  const std::lock_guard lock(state_->mutex);
  auto& of_kind = state_->counters.changes.at(static_cast<std::size_t>(report.kind));
  ++of_kind.at(action_index(report.verb)).at(report.ok ? 0 : 1);
}

void PrometheusMetrics::synced(const ports::SyncReport& report) {
  const std::lock_guard lock(state_->mutex);
  auto& of = state_->counters.stacks[report.stack];
  ++of.syncs.at(index_in(kTriggers, report.trigger)).at(index_in(kResults, report.result));
  if (report.result == "failure") ++of.failures.at(index_in(kPhases, report.failed_phase));
  if (report.trigger != "drift" || (report.result != "success" && report.result != "failure")) {
    return;
  }
  // A drift that one pass finds and corrects never shows in a status, so it is counted here.
  if (!of.live_drift_open) {
    const std::set<diff::ObjectKind> kinds(report.kinds.begin(), report.kinds.end());
    for (const auto kind : kinds) ++of.drift_detected.at(static_cast<std::size_t>(kind));
  }
  const bool corrected = report.result == "success";
  ++of.drift_corrected.at(corrected ? 0 : 1);
  of.live_drift_open = !corrected;
}

void PrometheusMetrics::status(const std::vector<ports::StackStatus>& stacks) {
  auto samples = std::make_shared<std::vector<StackSample>>();
  samples->reserve(stacks.size());
  for (const auto& stack : stacks) {
    samples->push_back(sample_of(stack, state_->options.per_service));
  }
  // Two stacks of one name are an error of the repository, but a series twice would make Prometheus
  // refuse the whole scrape.
  std::stable_sort(samples->begin(), samples->end(), [](const auto& left, const auto& right) {
    return left.id < right.id;
  });
  samples->erase(
      std::unique(samples->begin(),
                  samples->end(),
                  [](const auto& left, const auto& right) { return left.id == right.id; }),
      samples->end());

  const std::lock_guard lock(state_->mutex);
  auto& counters = state_->counters;
  counters.apply_loop = state_->now();
  CountersByStack kept;
  for (const auto& sample : *samples) {
    auto& of = kept[sample.id];
    if (auto node = counters.stacks.extract(sample.id)) of = node.mapped();
    const bool live = sample.cause == ports::DriftCause::live;
    if (live && !of.live_drift_open) {
      for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
        const auto& drifted = sample.drifted.at(kind);
        if (std::any_of(drifted.begin(), drifted.end(), [](auto n) { return n > 0; })) {
          ++of.drift_detected.at(kind);
        }
      }
    }
    of.live_drift_open = live;
  }
  counters.stacks = std::move(kept);
  state_->stacks = std::move(samples);
}

void PrometheusMetrics::docker_request(std::string_view operation,
                                       int status,
                                       std::chrono::nanoseconds duration) {
  const std::lock_guard lock(state_->mutex);
  const auto known = admit(state_->operations, operation);
  ++state_->counters.docker[{std::string(known), code_of(status)}];
  observe(state_->docker_seconds, known, kRequestBuckets, seconds(duration));
}

void PrometheusMetrics::docker_endpoint(const ports::EngineInfo& info) {
  const std::lock_guard lock(state_->mutex);
  state_->counters.endpoint = info;
}

void PrometheusMetrics::docker_event(std::string_view type) {
  const std::lock_guard lock(state_->mutex);
  ++state_->counters.events.at(index_in(kEventTypes, type));
}

void PrometheusMetrics::docker_event_stream_opened() {
  const std::lock_guard lock(state_->mutex);
  ++state_->counters.stream_openings;
}

void PrometheusMetrics::http_request(std::string_view handler,
                                     std::string_view method,
                                     int status,
                                     std::chrono::nanoseconds duration) {
  const std::lock_guard lock(state_->mutex);
  const auto known = admit(state_->handlers, handler);
  const auto verb = kMethods.at(index_in(kMethods, method));
  ++state_->counters.http[{std::string(known), std::string(verb), code_of(status)}];
  observe(state_->http_seconds, known, kRequestBuckets, seconds(duration));
}

void PrometheusMetrics::webhook(std::string_view provider,
                                std::string_view result,
                                std::chrono::nanoseconds duration) {
  const std::lock_guard lock(state_->mutex);
  const auto who = index_in(kWebhookProviders, provider);
  ++state_->counters.webhooks.at(who).at(index_in(kWebhookResults, result));
  observe(state_->webhook_seconds, kWebhookProviders.at(who), kRequestBuckets, seconds(duration));
}

void PrometheusMetrics::notification(std::string_view provider, std::string_view result) {
  const std::lock_guard lock(state_->mutex);
  const auto known = admit(state_->notifiers, provider);
  const auto word = kNotificationResults.at(index_in(kNotificationResults, result));
  ++state_->counters.notifications[{std::string(known), std::string(word)}];
}

void PrometheusMetrics::notification_queue(std::function<std::size_t()> depth) {
  const std::lock_guard lock(state_->mutex);
  state_->waiting = std::move(depth);
}

namespace {

void write_agent(Exposition& out, const MetricsOptions& options, const Counters& counters) {
  out.gauge("skep_build_info", "Build of the running agent.");
  out.value(1, {{"version", options.version}, {"commit", options.commit}, {"compiler", kCompiler}});
  out.gauge("skep_last_loop_timestamp_seconds",
            "Dead-man's switch: Unix time of the last turn of each loop, 0 for none yet.");
  out.value(counters.git_loop, {{"loop", "git"}});
  out.value(counters.live_loop, {{"loop", "live"}});
  out.value(counters.apply_loop, {{"loop", "apply"}});
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
  out.gauge("skep_git_last_success_timestamp_seconds",
            "Unix time of the last successful fetch, 0 for none yet.");
  out.value(counters.last_fetch, {{"repo", repo}});
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
}

void write_http(Exposition& out, const Counters& counters) {
  out.counter("skep_http_requests_total", "HTTP requests answered.");
  for (const auto& [labels, count] : counters.http) {
    const auto& [handler, method, code] = labels;
    out.value(static_cast<double>(count),
              {{"handler", handler}, {"method", method}, {"code", code}});
  }
}

void write_notifications(Exposition& out, const Counters& counters, std::size_t waiting) {
  out.counter("skep_notifications_total", "Notifications.");
  for (const auto& [labels, count] : counters.notifications) {
    out.value(static_cast<double>(count), {{"provider", labels.first}, {"result", labels.second}});
  }
  out.gauge("skep_notification_queue_depth", "Undelivered notifications.");
  out.value(static_cast<double>(waiting));
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

}  // namespace

std::string PrometheusMetrics::render() const {
  Exposition out(state_->last_size.load());
  Counters counters;
  std::shared_ptr<const std::vector<StackSample>> stacks;
  std::function<std::size_t()> waiting;
  {
    const std::lock_guard lock(state_->mutex);
    counters = state_->counters;
    waiting = state_->waiting;
    stacks = state_->stacks;
    out.histogram("skep_reconcile_duration_seconds", "Time spent in each reconcile phase.");
    for (const auto& [phase, histogram] : state_->phase_seconds) {
      out.distribution(histogram, {{"phase", phase}});
    }
    out.histogram("skep_git_request_duration_seconds", "Time that git operations took.");
    out.distribution(state_->fetch_seconds,
                     {{"repo", state_->options.repository}, {"operation", "fetch"}});
    out.histogram("skep_docker_request_duration_seconds", "Time that Docker API calls took.");
    for (const auto& [operation, histogram] : state_->docker_seconds) {
      out.distribution(histogram, {{"operation", operation}});
    }
    out.histogram("skep_http_request_duration_seconds", "Time to answer HTTP requests.");
    for (const auto& [handler, histogram] : state_->http_seconds) {
      out.distribution(histogram, {{"handler", handler}});
    }
    out.histogram("skep_webhook_duration_seconds", "Time to answer a webhook.");
    for (const auto& [provider, histogram] : state_->webhook_seconds) {
      out.distribution(histogram, {{"provider", provider}});
    }
  }
  write_agent(out, state_->options, counters);
  write_docker(out, counters);
  write_git(out, state_->options, counters);
  write_changes(out, counters);
  write_http(out, counters);
  write_webhooks(out, counters);
  write_notifications(out, counters, waiting ? waiting() : 0);
  write_stack_gauges(out, *stacks, state_->options.repository);
  write_service_gauges(out, *stacks);
  write_stack_counters(out, counters.stacks);
  write_process_series(out);
  auto text = std::move(out).text();
  state_->last_size = text.size() + text.size() / 64;
  return text;
}

}  // namespace skep::metrics
