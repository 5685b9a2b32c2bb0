#include "metrics/prometheus_metrics.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <set>

#include <prometheus/histogram.h>

#include "metrics/counters.hpp"
#include "metrics/exposition.hpp"
#include "metrics/process_series.hpp"
#include "metrics/stack_series.hpp"

namespace skep::metrics {
namespace {

// Words come from our own code, so this is never reached; it keeps a mistake there from growing
// the series without end.
constexpr std::size_t kMostWords = 64;

const prometheus::Histogram::BucketBoundaries kPhaseBuckets = {
    .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15, 30, 60, 120};
const prometheus::Histogram::BucketBoundaries kGitBuckets = {
    .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60};
const prometheus::Histogram::BucketBoundaries kRequestBuckets = {
    .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};
const prometheus::Histogram::BucketBoundaries kLeadTimeBuckets = {
    .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600};
const prometheus::Histogram::BucketBoundaries kCorrectionBuckets = {
    .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 60, 600};
constexpr std::size_t kRevisionsKept = 64;  ///< Whose first sight is remembered.

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

/// Made where there is none yet.
prometheus::Histogram& histogram_of(HistogramsByWord& histograms,
                                    std::string_view word,
                                    const prometheus::Histogram::BucketBoundaries& buckets) {
  auto found = histograms.find(word);
  if (found == histograms.end()) {
    found = histograms.try_emplace(std::string(word), buckets).first;
  }
  return found->second;
}

void observe(HistogramsByWord& histograms,
             std::string_view word,
             const prometheus::Histogram::BucketBoundaries& buckets,
             double value) {
  histogram_of(histograms, word, buckets).Observe(value);
}

// A service that is on its way back, or there, and was not when it was last looked at.
void count_rollbacks(const StackSample& sample, StackCounters& of) {
  std::set<std::string> rolled_back;
  std::array<bool, kInitiators.size()> began{};
  for (const auto& service : sample.services) {
    if (!kUpdateStates.at(service.update_state).starts_with("rollback_")) continue;
    rolled_back.insert(service.name);
    if (of.rolled_back.count(service.name) != 0) continue;
    began.at(index_in(kInitiators, service.sent_back_by_person ? "user" : "swarm")) = true;
  }
  // What an agent finds when it starts is not its news.
  for (std::size_t i = 0; of.known && i < began.size(); ++i) of.rollbacks.at(i) += began.at(i);
  of.rolled_back = std::move(rolled_back);
  of.known = true;
}

std::string group_of(const std::string& stack) {
  return stack.substr(0, std::min(stack.rfind('/'), stack.size()));
}

// Between two moments of the wall clock, which may be set back between them.
double between(WallTime from, WallTime to) {
  return std::max(std::chrono::duration<double>(to - from).count(), 0.0);
}

// Adds a word to a vocabulary while there is room; "other" after that.
std::string_view admit(std::set<std::string, std::less<>>& vocabulary, std::string_view word) {
  if (const auto found = vocabulary.find(word); found != vocabulary.end()) return *found;
  if (vocabulary.size() >= kMostWords) return "other";
  return *vocabulary.emplace(word).first;
}

}  // namespace

struct PrometheusMetrics::State {
  State(MetricsOptions given, const Clock& its_clock)
      : options(std::move(given)),
        clock(its_clock),
        fetch_seconds(kGitBuckets),
        correction_seconds(kCorrectionBuckets) {
    for (std::size_t i = 0; i + 1 < kTurnPhases.size(); ++i) {
      phase_seconds.try_emplace(std::string(kTurnPhases.at(i)), kPhaseBuckets);
    }
    for (const auto* source : {"poll", "webhook", "manual"})
      detect_seconds.try_emplace(source, kLeadTimeBuckets);
    counters.git_loop = counters.live_loop = counters.apply_loop = now();
    for (std::size_t i = 0; i + 1 < kWebhookProviders.size(); ++i) {
      webhook_seconds.try_emplace(std::string(kWebhookProviders.at(i)), kRequestBuckets);
    }
  }

  double now() const {
    return std::chrono::duration<double>(clock.now().time_since_epoch()).count();
  }

  /// From the first sight of a revision, for each stack that it changed and that got there.
  void observe_lead_time(const ports::SyncReport& report) {
    const bool of_git = report.trigger == "git" || report.trigger == "retry";
    if (!of_git || report.removal || report.revision_from == report.revision_to) return;
    const auto seen = std::find_if(first_seen.begin(), first_seen.end(), [&](const auto& entry) {
      return entry.first == report.revision_to;
    });
    if (seen == first_seen.end()) return;
    // A person let it wait.
    if (counters.stacks[report.stack].suspended_at >= seen->second) return;
    const auto group = admit(groups, group_of(report.stack));
    observe(healthy_seconds, group, kLeadTimeBuckets, between(seen->second, clock.now()));
    if (!report.last_write) return;
    observe(applied_seconds, group, kLeadTimeBuckets, between(seen->second, *report.last_write));
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
  HistogramsByWord detect_seconds, applied_seconds, healthy_seconds;  ///< The last two by group.
  prometheus::Histogram fetch_seconds, correction_seconds;
  std::set<std::string, std::less<>> groups;
  std::deque<std::pair<std::string, WallTime>> first_seen;  ///< By commit; the newest last.
  std::function<std::size_t()> waiting;
  std::function<std::uint64_t()> audit_errors;
  std::function<bool()> leader;
};

PrometheusMetrics::PrometheusMetrics(MetricsOptions options, const Clock& clock)
    : state_(std::make_unique<State>(std::move(options), clock)) {}

PrometheusMetrics::~PrometheusMetrics() = default;

void PrometheusMetrics::fetched(const ports::FetchReport& report) {
  const std::lock_guard lock(state_->mutex);
  auto& counters = state_->counters;
  counters.git_loop = state_->now();
  // What cannot be read as a whole is of no more use than what did not come.
  ++counters.fetches.at(report.usable() ? 0 : 1);
  if (!report.refused.empty()) ++counters.refusals.at(index_in(kRefusals, report.refused));
  state_->fetch_seconds.Observe(seconds(report.duration));
  observe(state_->phase_seconds, "fetch", kPhaseBuckets, seconds(report.duration));
  if (!report.usable()) return;
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
  const auto known = kTurnPhases.at(index_in(kTurnPhases, name));
  observe(state_->phase_seconds, known, kPhaseBuckets, seconds(duration));
}

void PrometheusMetrics::wrote(const ports::WriteReport& report) {
  const std::lock_guard lock(state_->mutex);
  auto& of_kind = state_->counters.changes.at(static_cast<std::size_t>(report.kind));
  ++of_kind.at(action_index(report.verb)).at(report.ok ? 0 : 1);
  if (report.ok && report.rotation)
    ++state_->counters.rotated.at(report.kind == diff::ObjectKind::config ? 0 : 1);
}

void PrometheusMetrics::revised(const ports::RevisionReport& report) {
  const std::lock_guard lock(state_->mutex);
  auto& counters = state_->counters;
  counters.cache_hits += report.reused;
  counters.cache_misses += report.rendered;
  for (const auto& refused : report.refused) {
    auto& of = counters.stacks[refused.stack];
    ++of.syncs.at(index_in(kTriggers, "git")).at(index_in(kResults, "failure"));
    ++of.failures.at(index_in(kPhases, refused.phase));
    of.refused_at = std::chrono::duration<double>(report.seen_at.time_since_epoch()).count();
  }
  // What an agent began with was seen before, by itself or another one: nobody knows when.
  if (!report.source || report.commit.empty()) return;
  using Source = ports::RevisionReport::Source;
  const std::string_view source = *report.source == Source::webhook ? "webhook"
                                  : *report.source == Source::poll  ? "poll"
                                                                    : "manual";
  observe(state_->detect_seconds,
          source,
          kLeadTimeBuckets,
          between(report.committed_at, report.seen_at));
  auto& seen = state_->first_seen;
  // One that comes back is a new deployment of it.
  std::erase_if(seen, [&](const auto& entry) { return entry.first == report.commit; });
  seen.emplace_back(report.commit, report.seen_at);
  if (seen.size() > kRevisionsKept) seen.pop_front();
}

void PrometheusMetrics::forbidden(const std::string& stack, std::string_view rule) {
  const std::lock_guard lock(state_->mutex);
  ++state_->counters.stacks[stack].forbidden[std::string(rule)];
}

void PrometheusMetrics::task_failed(const ports::TaskFailure& failure) {
  if (!state_->options.per_service) return;
  const std::lock_guard lock(state_->mutex);
  auto& of = state_->counters.stacks[failure.stack];
  ++of.task_failures[{failure.service, index_in(kFailureReasons, failure.reason)}];
}

void PrometheusMetrics::inventoried(const ports::Inventory& inventory) {
  const std::lock_guard lock(state_->mutex);
  state_->counters.inventory = inventory;
}

void PrometheusMetrics::connected(const ports::EngineInfo& engine) {
  const std::lock_guard lock(state_->mutex);
  state_->counters.endpoint = engine;
}

void PrometheusMetrics::events_opened() {
  const std::lock_guard lock(state_->mutex);
  ++state_->counters.stream_openings;
}

void PrometheusMetrics::heard(std::string_view type) {
  const std::lock_guard lock(state_->mutex);
  ++state_->counters.events.at(index_in(kEventTypes, type));
}

void PrometheusMetrics::leading() {
  const std::lock_guard lock(state_->mutex);
  ++state_->counters.lease_transitions;
}

void PrometheusMetrics::standing_by(bool docker_up) {
  const std::lock_guard lock(state_->mutex);
  auto& counters = state_->counters;
  counters.docker_up = docker_up;
  counters.live_loop = counters.apply_loop = state_->now();
  // The active agent tells of stacks; what this one knew grows old.
  counters.stacks.clear();
  counters.inventory = {};
  state_->stacks = std::make_shared<const std::vector<StackSample>>();
}

void PrometheusMetrics::idle(bool docker_up) {
  const std::lock_guard lock(state_->mutex);
  auto& counters = state_->counters;
  counters.docker_up = docker_up;
  counters.live_loop = counters.apply_loop = state_->now();
}

void PrometheusMetrics::state_lost() {
  const std::lock_guard lock(state_->mutex);
  ++state_->counters.state_errors;
}

void PrometheusMetrics::synced(const ports::SyncReport& report) {
  const std::lock_guard lock(state_->mutex);
  auto& of = state_->counters.stacks[report.stack];
  ++of.syncs.at(index_in(kTriggers, report.trigger)).at(index_in(kResults, report.result));
  if (report.result == "failure") ++of.failures.at(index_in(kPhases, report.failed_phase));
  const bool ended = report.result == "success" || report.result == "failure";
  const bool succeeded = report.result == "success";
  if (report.trigger == "drift" && ended) ++of.drift_corrected.at(succeeded ? 0 : 1);
  if (report.trigger == "rollback" && ended)
    ++of.rollbacks.at(index_in(kInitiators, report.actor.empty() ? "agent" : "user"));
  if (!succeeded) return;
  if (report.trigger == "drift" && report.drift_since && report.last_write)
    state_->correction_seconds.Observe(between(*report.drift_since, *report.last_write));
  state_->observe_lead_time(report);
}

void PrometheusMetrics::status(const std::vector<ports::StackStatus>& stacks) {
  auto samples = std::make_shared<std::vector<StackSample>>();
  samples->reserve(stacks.size());
  for (const auto& stack : stacks) {
    samples->push_back(sample_of(stack));
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
    // At zero before the first deployment, or the first one would not show as an increase.
    const auto group = admit(state_->groups, group_of(sample.id));
    histogram_of(state_->healthy_seconds, group, kLeadTimeBuckets);
    histogram_of(state_->applied_seconds, group, kLeadTimeBuckets);
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
    if (sample.suspended) of.suspended_at = state_->clock.now();
    count_rollbacks(sample, of);
  }
  counters.stacks = std::move(kept);
  state_->stacks = std::move(samples);
}

void PrometheusMetrics::leadership(std::function<bool()> held) {
  const std::lock_guard lock(state_->mutex);
  state_->leader = std::move(held);
}

void PrometheusMetrics::audit_errors(std::function<std::uint64_t()> count) {
  const std::lock_guard lock(state_->mutex);
  state_->audit_errors = std::move(count);
}

void PrometheusMetrics::audit_write_failed() {
  const std::lock_guard lock(state_->mutex);
  ++state_->counters.audit_errors;
}

void PrometheusMetrics::panicked() {
  const std::lock_guard lock(state_->mutex);
  ++state_->counters.panics;
}

void PrometheusMetrics::docker_request(std::string_view operation,
                                       int status,
                                       std::chrono::nanoseconds duration) {
  const std::lock_guard lock(state_->mutex);
  const auto known = admit(state_->operations, operation);
  ++state_->counters.docker[{std::string(known), code_of(status)}];
  observe(state_->docker_seconds, known, kRequestBuckets, seconds(duration));
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

std::string PrometheusMetrics::render() const {
  Exposition out(state_->last_size.load());
  Counters counters;
  std::shared_ptr<const std::vector<StackSample>> stacks;
  Asked asked;
  std::function<std::size_t()> waiting;
  std::function<std::uint64_t()> audit_errors;
  std::function<bool()> leader;
  {
    const std::lock_guard lock(state_->mutex);
    counters = state_->counters;
    waiting = state_->waiting;
    audit_errors = state_->audit_errors;
    leader = state_->leader;
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
    out.histogram("skep_commit_to_detect_seconds",
                  "Commit time to first sight by the agent, by what made it look.");
    for (const auto& [source, histogram] : state_->detect_seconds) {
      out.distribution(histogram, {{"source", source}});
    }
    out.histogram("skep_commit_to_applied_seconds",
                  "First sight of a revision to last write accepted by Swarm, for each stack.");
    for (const auto& [group, histogram] : state_->applied_seconds) {
      out.distribution(histogram, {{"group", group}});
    }
    out.histogram("skep_commit_to_healthy_seconds",
                  "First sight of a revision to all services healthy, for each stack.");
    for (const auto& [group, histogram] : state_->healthy_seconds) {
      out.distribution(histogram, {{"group", group}});
    }
    out.histogram("skep_drift_correction_seconds",
                  "First sight of a live edit to its correction accepted by Swarm.");
    out.distribution(state_->correction_seconds, {});
  }
  if (waiting) asked.waiting_notifications = waiting();
  if (audit_errors) asked.audit_errors = audit_errors();
  if (leader) asked.leader = leader();
  write_agent(out, state_->options, counters, asked);
  write_docker(out, counters);
  write_git(out, state_->options, counters);
  write_changes(out, counters);
  write_http(out, counters);
  write_webhooks(out, counters);
  write_notifications(out, counters, asked);
  write_stack_gauges(out, *stacks, counters.stacks, state_->options.repository, state_->now());
  write_stack_counters(out, counters.stacks);
  if (state_->options.per_service) {
    write_service_gauges(out, *stacks);
    write_task_failures(out, counters.stacks);
  }
  write_process_series(out);
  auto text = std::move(out).text();
  state_->last_size = text.size() + text.size() / 64;
  return text;
}

}  // namespace skep::metrics
