#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "metrics/prometheus_metrics.hpp"
#include "reconciler/ports/observer.hpp"

namespace skep::metrics::testing {

class StoppedClock final : public Clock {
 public:
  [[nodiscard]] WallTime now() const override { return WallTime(std::chrono::seconds(seconds)); }
  [[nodiscard]] SteadyTime steady() const override { return SteadyTime(); }
  bool sleep_for(std::chrono::milliseconds /*duration*/, std::stop_token /*stop*/) const override {
    return true;
  }
  std::int64_t seconds = 1'700'000'000;
};

/// A healthy stack of two services.
[[nodiscard]] ports::StackStatus healthy_stack(std::string group, std::string name);
/// A plan of one action on an object.
[[nodiscard]] diff::Plan plan_of(diff::Verb verb, diff::ObjectKind kind, std::string name);

/// The value of one series, as it stands in the text; "" where there is none.
[[nodiscard]] std::string value_of(const std::string& text, std::string_view series);
/// All sample lines that hold a word.
[[nodiscard]] std::vector<std::string> lines_with(const std::string& text, std::string_view word);

/// Metrics of an agent to which everything has happened once: every family has a series.
void report_everything(PrometheusMetrics& metrics);

/// A revision that a webhook told of, a second after it was committed.
ports::RevisionReport pushed(std::string commit);

/// An operation that took a second.
ports::SyncReport ended(std::string stack,
                        std::string trigger,
                        std::string result,
                        std::string phase = "",
                        std::vector<diff::ObjectKind> kinds = {});

}  // namespace skep::metrics::testing
