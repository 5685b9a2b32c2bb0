#include "cli/notify_flags.hpp"

#include <filesystem>

#include "core/logfmt.hpp"
#include "notify/http.hpp"
#include "notify/settings.hpp"

namespace skep::cli {

void add_notify_flags(Command& app, std::string& file) {
  app.add_option("--notify-file",
                 file,
                 "YAML file that says who is told of changes (docs/notifications.md)")
      ->envname("SKEP_NOTIFY_FILE");
}

Result<std::unique_ptr<notify::Notifier>> open_notifier(const Session& session,
                                                        const std::string& file,
                                                        const std::string& state_directory,
                                                        const std::string& instance,
                                                        metrics::PrometheusMetrics& metrics,
                                                        spdlog::logger& log) {
  if (file.empty()) return std::unique_ptr<notify::Notifier>();
  const auto text = read_file(file);
  if (!text) return Error(text.error()).within("--notify-file");
  auto settings = notify::parse_settings(*text, file, read_file);
  if (!settings) return std::move(settings).error().within("--notify-file");
  notify::NotifierOptions options;
  options.file = std::filesystem::path(state_directory) / ("notify-" + instance + ".db");
  options.instance = instance;
  options.commit_url = settings->commit_url;
  options.targets = std::move(settings->targets);
  options.send = notify::http_sender(session.stop);
  options.mask = [redaction = session.redaction](std::string_view sentence) {
    return redaction->mask(sentence);
  };
  options.counted = [&metrics](std::string_view type, std::string_view result) {
    metrics.notification(type, result);
  };
  log.info(logfmt("notifications are on", {{"targets", options.targets.size()}}));
  return std::make_unique<notify::Notifier>(std::move(options), session.clock, log);
}

}  // namespace skep::cli
