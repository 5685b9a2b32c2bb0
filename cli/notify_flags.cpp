#include "cli/notify_flags.hpp"

#include <filesystem>

#include "core/logfmt.hpp"
#include "gitsync/remote_url.hpp"
#include "notify/http.hpp"
#include "notify/settings.hpp"
#include "notify/smtp.hpp"

namespace skep::cli {
namespace {

/// "refs/heads/main" and "main" are a branch, a tag is none.
std::string branch_of(const std::string& ref) {
  constexpr std::string_view kBranches = "refs/heads/";
  if (ref.starts_with(kBranches)) return ref.substr(kBranches.size());
  return ref.starts_with("refs/") ? std::string() : ref;
}

}  // namespace

void add_notify_flags(Command& app, std::string& file) {
  app.add_option("--notify-file",
                 file,
                 "YAML file that says who is told of changes, and where commit statuses go "
                 "(docs/notifications.md)")
      ->envname("SKEP_NOTIFY_FILE");
}

void Notifications::start(std::vector<ports::Observer*>& told,
                          metrics::PrometheusMetrics& metrics) const {
  metrics.notification_queue([notes = messages.get(), ticks = statuses.get()] {
    return (notes == nullptr ? 0 : notes->waiting()) + (ticks == nullptr ? 0 : ticks->waiting());
  });
  if (messages) {
    told.push_back(messages.get());
    messages->start();
  }
  if (statuses) {
    told.push_back(statuses.get());
    statuses->start();
  }
}

Result<Notifications> open_notifications(const Session& session,
                                         const std::string& file,
                                         const RepositoryFlags& repository,
                                         const std::string& instance,
                                         metrics::PrometheusMetrics& metrics,
                                         spdlog::logger& log) {
  Notifications opened;
  if (file.empty()) return opened;
  const auto text = read_file(file);
  if (!text) return Error(text.error()).within("--notify-file");
  notify::Followed followed;
  if (gitsync::names_remote(repository.repo)) followed.repository = repository.repo;
  followed.branch = branch_of(repository.ref);
  auto settings = notify::parse_settings(*text, file, read_file, followed);
  if (!settings) return std::move(settings).error().within("--notify-file");
  const auto mask = [redaction = session.redaction](std::string_view sentence) {
    return redaction->mask(sentence);
  };
  const auto counted = [&metrics](std::string_view type, std::string_view result) {
    metrics.notification(type, result);
  };
  const std::filesystem::path directory(repository.state_directory);
  log.info(logfmt(
      "notifications are on",
      {{"targets", settings->targets.size()}, {"commit_statuses", settings->statuses.size()}}));
  if (!settings->targets.empty()) {
    notify::NotifierOptions options;
    options.file = directory / ("notify-" + instance + ".db");
    options.instance = instance;
    options.commit_url = settings->commit_url;
    options.targets = std::move(settings->targets);
    options.send = notify::http_sender(session.stop);
    options.send_mail = notify::smtp_sender(session.stop);
    options.mask = mask;
    options.counted = counted;
    opened.messages = std::make_unique<notify::Notifier>(std::move(options), session.clock, log);
  }
  if (!settings->statuses.empty()) {
    notify::StatusReporterOptions options;
    options.file = directory / ("statuses-" + instance + ".db");
    options.hosts = std::move(settings->statuses);
    options.send = notify::http_sender(session.stop);
    options.mask = mask;
    options.counted = counted;
    opened.statuses =
        std::make_unique<notify::StatusReporter>(std::move(options), session.clock, log);
  }
  return opened;
}

}  // namespace skep::cli
