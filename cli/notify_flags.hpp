#pragma once

#include <memory>
#include <string>

#include "cli/session.hpp"
#include "metrics/prometheus_metrics.hpp"
#include "notify/notifier.hpp"

namespace skep::cli {

void add_notify_flags(Command& app, std::string& file);

/// What tells people of changes, its thread not started yet; nullptr where no file is given. What
/// is given outlives it. Errors: invalid_input (the file, or one that it names).
Result<std::unique_ptr<notify::Notifier>> open_notifier(const Session& session,
                                                        const std::string& file,
                                                        const std::string& state_directory,
                                                        const std::string& instance,
                                                        metrics::PrometheusMetrics& metrics,
                                                        spdlog::logger& log);

}  // namespace skep::cli
