#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "metrics/prometheus_metrics.hpp"
#include "notify/notifier.hpp"
#include "notify/status_reporter.hpp"

namespace skep::cli {

void add_notify_flags(Command& app, std::string& file);

/// What tells people and git hosts of changes; each nullptr where the file asks for none.
struct Notifications {
  std::unique_ptr<notify::Notifier> messages;
  std::unique_ptr<notify::StatusReporter> statuses;
  /// Adds what there is to `told`, and begins. What waits is counted in `metrics`, which uses this
  /// as long as it is rendered.
  void start(std::vector<ports::Observer*>& told, metrics::PrometheusMetrics& metrics) const;
};

/// What is given outlives it. Errors: invalid_input (the file, or one that it names).
Result<Notifications> open_notifications(const Session& session,
                                         const std::string& file,
                                         const RepositoryFlags& repository,
                                         const std::string& instance,
                                         metrics::PrometheusMetrics& metrics,
                                         spdlog::logger& log);

}  // namespace skep::cli
