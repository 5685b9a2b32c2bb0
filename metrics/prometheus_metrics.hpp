#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "reconciler/ports/engine.hpp"
#include "reconciler/ports/observer.hpp"

namespace skep::metrics {

struct MetricsOptions {
  std::string version;  ///< Of this program.
  std::string commit;   ///< It was built from; "" where that is not known.
  /// The `repo` label: a name from the configuration, never a URL (it could carry credentials).
  std::string repository = "config";
  std::chrono::milliseconds interval{60'000};  ///< Between two looks at it.
  /// Series per service; they are most of all series on a big swarm.
  bool per_service = true;
};

/// Turns what the loop reports into Prometheus' text format. What is exported, and what is left
/// out: docs/metrics.md.
///
/// Gauges of stacks are made from the last status() alone, so the series of a stack that left are
/// gone with the next call; its counters go at the same moment. Every label has a closed set of
/// values or one that the configuration repository bounds. Safe from several threads; nothing here
/// blocks on I/O, and rendering holds up no reporter for longer than a copy of the counters takes.
class PrometheusMetrics final : public ports::Observer {
 public:
  /// The clock must outlive this object.
  PrometheusMetrics(MetricsOptions options, const Clock& clock);
  ~PrometheusMetrics() override;
  PrometheusMetrics(const PrometheusMetrics&) = delete;
  PrometheusMetrics& operator=(const PrometheusMetrics&) = delete;
  PrometheusMetrics(PrometheusMetrics&&) = delete;
  PrometheusMetrics& operator=(PrometheusMetrics&&) = delete;

  void fetched(const ports::FetchReport& report) override;
  void observed(bool ok) override;
  void phase(std::string_view name, std::chrono::nanoseconds duration) override;
  void wrote(const ports::WriteReport& report) override;
  void synced(const ports::SyncReport& report) override;
  void revised(const ports::RevisionReport& report) override;
  void forbidden(const std::string& stack, std::string_view rule) override;
  void task_failed(const ports::TaskFailure& failure) override;
  void inventoried(const ports::Inventory& inventory) override;
  void connected(const ports::EngineInfo& engine) override;
  void events_opened() override;  ///< Every time but the first counts as a reconnect.
  void heard(std::string_view type) override;
  void leading() override;
  void standing_by(bool docker_up) override;
  void idle(bool docker_up) override;
  void state_lost() override;
  void status(const std::vector<ports::StackStatus>& stacks) override;

  /// One call of the Engine API. `operation` is the engine adapter's own word for it
  /// ("service_update"), never a path; `status` is the HTTP status, 0 where no answer came.
  void docker_request(std::string_view operation, int status, std::chrono::nanoseconds duration);
  /// One answered HTTP request; `handler` is the route's pattern, never the path that was asked.
  void http_request(std::string_view handler,
                    std::string_view method,
                    int status,
                    std::chrono::nanoseconds duration);

  /// One answered webhook call; words of the metrics' own closed sets, or "other".
  void webhook(std::string_view provider,
               std::string_view result,
               std::chrono::nanoseconds duration);

  /// One outcome of a notification, in the words of metrics.md; `provider` is a target's type.
  void notification(std::string_view provider, std::string_view result);
  /// A line that could not be written to the audit file.
  void audit_write_failed();
  /// Asked at each rendering how many notifications wait; must not block. Set before the first.
  void notification_queue(std::function<std::size_t()> depth);
  /// Asked at each rendering whether this agent may write; without it, it always may. Must not
  /// block.
  void leadership(std::function<bool()> held);
  /// Asked at each rendering how often the history could not be written. Must not block.
  void audit_errors(std::function<std::uint64_t()> count);
  /// An exception that nobody expected was caught at the last moment.
  void panicked();

  /// The whole exposition, in text format 0.0.4.
  [[nodiscard]] std::string render() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace skep::metrics
