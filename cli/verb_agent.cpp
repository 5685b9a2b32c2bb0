#include <array>
#include <charconv>
#include <filesystem>

#include <sys/resource.h>
#include <unistd.h>

#include "cli/agent_settings.hpp"
#include "cli/commit.hpp"
#include "cli/log.hpp"
#include "cli/notify_flags.hpp"
#include "cli/policy_flag.hpp"
#include "cli/repository_run.hpp"
#include "cli/webhook_flags.hpp"
#include "core/logfmt.hpp"
#include "gitsync/file_checkout.hpp"
#include "history/audit_file.hpp"
#include "history/sqlite_history.hpp"
#include "metrics/prometheus_metrics.hpp"
#include "reconciler/agent/agent.hpp"
#include "reconciler/agent/lease.hpp"
#include "reconciler/ports/observers.hpp"
#include "repository/settings.hpp"
#include "server/api.hpp"
#include "server/masked_json.hpp"
#include "server/server.hpp"
#include "server/webhook.hpp"

namespace skep::cli {
namespace {

struct AgentSettings {
  RepositoryFlags repository;
  std::string instance = "default";
  std::string interval = "60s";
  std::string prune_grace = "60s";
  std::string settle = "5s";
  std::string self_stack;
  bool standby = false;
  bool no_service_metrics = false;
  std::string listen = "127.0.0.1:9920";
  std::string listen_metrics;
  std::string listen_webhook;
  WebhookFlags webhook;
  std::string notify_file;
  std::string socket = "/run/skep/skep.sock";
  std::vector<std::string> tokens;
  bool token_to_read = false;
  std::string tls_certificate, tls_key;
  std::string audit_file;
  std::string history_operations = "10000";
  std::string history_days = "90";
};

/// How much is kept, and where.
Result<history::HistoryOptions> history_options(const AgentSettings& flags) {
  const auto number = [](const std::string& text, std::size_t most, std::size_t& into) {
    const auto* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, into);
    return error == std::errc() && at == end && into >= 1 && into <= most;
  };
  history::HistoryOptions options;
  std::size_t days = 0;
  if (!number(flags.history_operations, 1'000'000, options.limits.operations)) {
    return Error{ErrorKind::invalid_input,
                 "--history-operations must be a number from 1 to 1000000"};
  }
  if (!number(flags.history_days, 3'650, days))
    return Error{ErrorKind::invalid_input, "--history-days must be a number from 1 to 3650"};
  constexpr std::size_t kEventsEach = 10;
  constexpr std::size_t kBytesEach = 8U << 10U;
  options.limits.age = std::chrono::hours(24 * days);
  options.limits.events = options.limits.operations * kEventsEach;
  options.limits.bytes = std::max(options.limits.bytes, options.limits.operations * kBytesEach);
  options.file = std::filesystem::path(flags.repository.state_directory) /
                 ("history-" + flags.instance + ".db");
  return options;
}

Result<std::unique_ptr<server::Server>> serve(const Session& session,
                                              const AgentSettings& flags,
                                              ports::Control& control,
                                              metrics::PrometheusMetrics& metrics,
                                              const ports::History& history,
                                              const std::shared_ptr<RedactionSet>& redaction,
                                              spdlog::logger& log) {
  using server::RouteSet;
  auto tokens = server::Tokens::parse(flags.tokens);
  if (!tokens) return std::move(tokens).error().within("--token");
  if (flags.token_to_read && tokens->empty()) {
    return Error{ErrorKind::invalid_input,
                 "--token-to-read lets nobody in: no --token is given beside it"};
  }
  server::Router router;
  server::add_routes(router,
                     control,
                     {.tokens = *std::move(tokens),
                      .metrics = [&metrics] { return metrics.render(); },
                      .history = &history,
                      .token_to_read = flags.token_to_read,
                      .log_level = [&log] { return level_of(log); },
                      .set_log_level =
                          [&log](const std::string& level, const std::string& actor) {
                            auto done = set_level(log, level);
                            if (done)
                              log.warn(logfmt("log level set", {{"now", level}, {"actor", actor}}));
                            return done;
                          }});
  if (auto added = add_webhooks(router, session, flags.webhook, flags.repository, control, log);
      !added) {
    return std::move(added).error();
  }
  server::ServerOptions options;
  if (flags.tls_certificate.empty() != flags.tls_key.empty())
    return Error{ErrorKind::invalid_input, "--tls-cert and --tls-key go together"};
  if (!flags.tls_certificate.empty()) {
    auto certificate = server::TlsCertificate::load(
        {.certificate = flags.tls_certificate, .key = flags.tls_key}, [&log](std::string_view why) {
          log.error(
              logfmt("the new certificate cannot be used; the old one stays", {{"error", why}}));
        });
    if (!certificate) return std::move(certificate).error().within("--tls-cert");
    options.certificate = *std::move(certificate);
  }
  server::RouteSets all = {RouteSet::metrics, RouteSet::health, RouteSet::api};
  if (!flags.socket.empty()) options.listeners.push_back({"unix:" + flags.socket, all});
  if (!flags.listen_metrics.empty()) {
    options.listeners.push_back({flags.listen_metrics, {RouteSet::metrics, RouteSet::health}});
    all.erase(RouteSet::metrics);
  }
  if (flags.listen_webhook.empty()) {
    all.insert(RouteSet::webhook);
  } else {
    options.listeners.push_back({flags.listen_webhook, {RouteSet::webhook}});
  }
  if (!flags.listen.empty()) options.listeners.push_back({flags.listen, all});
  options.answered = [&metrics](std::string_view handler,
                                std::string_view method,
                                int status,
                                std::chrono::nanoseconds duration) {
    metrics.http_request(handler, method, status, duration);
    const auto provider = server::webhook_provider(handler);
    const auto result = server::webhook_result(status);
    if (!provider.empty() && !result.empty()) metrics.webhook(provider, result, duration);
  };
  const auto mask = [redaction](std::string_view text) { return redaction->mask(text); };
  const auto masked_json = [redaction, mask](std::string_view text) {
    return server::masked_json(
        text, mask, [redaction](std::string_view image) { return redaction->mask_field(image); });
  };
  options.mask = [redaction, mask, masked_json](server::Response& response) {
    if (response.content_type.find("version=0.0.4") != std::string::npos) {
      response.body = redaction->mask_quoted(response.body);
    } else if (response.content_type.starts_with("application/json")) {
      response.body = masked_json(response.body);
    } else {
      response.body = mask(response.body);
    }
  };
  options.mask_piece = [masked_json](std::string& text) { text = masked_json(text); };
  options.failed = [&log, &metrics](std::string_view what) {
    metrics.panicked();
    log.error(logfmt("request failed", {{"error", what}}));
  };
  auto started = server::Server::start(std::move(router), std::move(options));
  if (started) {
    for (const auto& address : (*started)->addresses())
      log.info(logfmt("listening", {{"address", address}}));
  }
  return started;
}

/// Each listener may hold a thousand connections; the usual soft limit of descriptors is lower than
/// that.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/// What is decrypted must not end in a file because of a crash.
void forbid_core_dumps() {
  const rlimit none{0, 0};
  (void)setrlimit(RLIMIT_CORE, &none);
}

/// Nothing where it was not asked for.
Result<std::unique_ptr<history::AuditFile>> open_audit(const Session& session,
                                                       const AgentSettings& flags,
                                                       metrics::PrometheusMetrics& metrics,
                                                       spdlog::logger& log) {
  if (flags.audit_file.empty()) return std::unique_ptr<history::AuditFile>();
  auto audit = history::AuditFile::open(
      {.file = flags.audit_file, .failed = [&metrics] { metrics.audit_write_failed(); }},
      session.clock,
      log);
  if (!audit) return std::move(audit).error().within("--audit-file");
  return audit;
}

int run_agent(const Session& session, AgentSettings flags) {
  // A directory that happens to be the current one must not become what the swarm is like.
  if (flags.repository.repo.empty()) {
    return fail({ErrorKind::invalid_input,
                 "name the repository that the swarm is to follow: --repo URL, SKEP_REPO=URL, or "
                 "repo = \"URL\" in the settings file (--config)"});
  }
  flags.repository.state_directory = agent_state_directory(session, flags.repository);
  const auto log = make_logger(session, true);
  raise_descriptor_limit();
  forbid_core_dumps();
  session.user_signal->set([log] {
    const bool more = level_of(*log) != "debug";
    (void)set_level(*log, more ? "debug" : "info");
    log->warn(logfmt("log level set", {{"now", level_of(*log)}, {"actor", "SIGUSR1"}}));
  });
  if (!flags.socket.empty()) {
    std::error_code ignored;  // Where it cannot be made, listening says so.
    std::filesystem::create_directories(std::filesystem::path(flags.socket).parent_path(), ignored);
  }
  if (auto checked = check_instance(flags.instance); !checked) return fail(checked.error());
  const auto interval = interval_of(flags.interval);
  if (!interval) return fail(interval.error());
  const auto prune_grace = repository::parse_duration(flags.prune_grace);
  if (!prune_grace)
    return fail({ErrorKind::invalid_input, "--prune-grace must be a duration, such as 60s"});
  const auto settle = repository::parse_duration(flags.settle);
  if (!settle) return fail({ErrorKind::invalid_input, "--settle must be a duration, such as 5s"});
  auto load = load_options(session, flags.repository);
  if (!load) return fail(load.error());
  auto kept = history_options(flags);
  if (!kept) return fail(kept.error());
  metrics::MetricsOptions metrics_options;
  metrics_options.version = SKEP_VERSION;
  metrics_options.commit = SKEP_COMMIT;
  metrics_options.interval = *interval;
  metrics_options.per_service = !flags.no_service_metrics;
  metrics::PrometheusMetrics metrics(metrics_options, session.clock);
  auto engine = open_engine(
      session,
      true,
      [&metrics](std::string_view operation, int status, std::chrono::nanoseconds duration) {
        metrics.docker_request(operation, status, duration);
      });
  if (!engine) return fail(engine.error());
  auto source = open_source(session, flags.repository, *log);
  if (!source) return fail(source.error());
  reconciler::AgentOptions options;
  options.version = SKEP_VERSION;
  options.interval = *interval;
  options.reconciler.prune_grace = *prune_grace;
  options.reconciler.settle = *settle;
  options.reconciler.self_stack = flags.self_stack;
  options.reconciler.digest = load->digest;
  options.load = *std::move(load);
  gitsync::FileCheckout checkout(options.load.host_checkout);
  if (!options.load.host_checkout.empty()) options.reconciler.checkout = &checkout;
  options.reconciler.instance = flags.instance;
  auto access = read_access_policy(flags.repository.policy_file);
  if (!access) return fail(access.error());
  options.reconciler.access = *std::move(access);
  history::SqliteHistory history(*std::move(kept), session.clock, *log);
  metrics.audit_errors([&history] { return history.write_errors(); });
  const auto notifications = open_notifications(
      session, flags.notify_file, flags.repository, flags.instance, metrics, *log);
  if (!notifications) return fail(notifications.error());
  std::vector<ports::Observer*> told = {&metrics, &history};
  notifications->start(told, metrics);
  const auto audit = open_audit(session, flags, metrics, *log);
  if (!audit) return fail(audit.error());
  if (*audit) told.push_back(audit->get());
  ports::Observers observers(std::move(told));
  std::array<char, 256> hostname{};
  (void)::gethostname(hostname.data(), hostname.size() - 1);
  reconciler::LeaseOptions lease_options;
  lease_options.instance = flags.instance;
  lease_options.holder = hostname.data();
  reconciler::Lease lease(**engine, *log, lease_options);
  reconciler::LeasedEngine leased(**engine, lease);
  if (flags.standby) {
    options.lease = &lease;
    metrics.leadership([&lease] { return lease.held(); });
  }
  ports::Engine& used = flags.standby ? static_cast<ports::Engine&>(leased) : **engine;
  reconciler::Agent agent(**source, used, observers, session.clock, *log, options);
  const auto server = serve(session, flags, agent, metrics, history, session.redaction, *log);
  if (!server) return fail(server.error());
  session.look_signal->set([&agent, &log] {
    log->info(logfmt("a look at git asked for", {{"actor", "SIGUSR2"}}));
    agent.look_at_git();
  });
  agent.run(session.stop);
  session.look_signal->set({});  // The agent is about to go.
  return kSuccess;
}

}  // namespace

void add_agent(Command& app, Session& session) {
  auto* verb = app.add_subcommand("agent", "The daemon: keeps the swarm as the repository says");
  auto flags = std::make_shared<AgentSettings>();
  flags->repository.repo.clear();
  add_repository_flags(*verb, flags->repository);
  verb->add_option(
          "--instance", flags->instance, "Name of this agent among those that share a swarm")
      ->envname("SKEP_INSTANCE")
      ->capture_default_str();
  verb->add_option("--interval", flags->interval, "Between two looks at the repository")
      ->envname("SKEP_INTERVAL")
      ->capture_default_str();
  verb->add_option("--prune-grace",
                   flags->prune_grace,
                   "How long a stack that left the repository stays, in case it comes back")
      ->envname("SKEP_PRUNE_GRACE")
      ->capture_default_str();
  verb->add_option("--settle",
                   flags->settle,
                   "How long all tasks have to run before a deployment is called healthy")
      ->envname("SKEP_SETTLE")
      ->capture_default_str();
  verb->add_flag("--standby",
                 flags->standby,
                 "Several agents of one instance run; one is active, and another takes over within "
                 "40 s when it is gone")
      ->envname("SKEP_STANDBY");
  verb->add_option("--self-stack",
                   flags->self_stack,
                   "Stack in which this agent runs: it comes last and is never removed")
      ->envname("SKEP_SELF_STACK");
  verb->add_option("--listen", flags->listen, "Address of metrics, health and API; \"\" for none")
      ->envname("SKEP_LISTEN")
      ->may_be_empty()
      ->capture_default_str();
  verb->add_option(
          "--listen-metrics", flags->listen_metrics, "Address of their own for metrics and health")
      ->envname("SKEP_LISTEN_METRICS");
  verb->add_flag("--no-service-metrics",
                 flags->no_service_metrics,
                 "No series of single services in /metrics: most of all, on a big swarm")
      ->envname("SKEP_NO_SERVICE_METRICS");
  verb->add_option("--listen-webhook", flags->listen_webhook, "Address of their own for webhooks")
      ->envname("SKEP_LISTEN_WEBHOOK");
  add_webhook_flags(*verb, flags->webhook);
  add_notify_flags(*verb, flags->notify_file);
  add_policy_flag(*verb, flags->repository.policy_file);
  verb->add_option("--socket", flags->socket, "Local socket for the command line; \"\" for none")
      ->envname("SKEP_SOCKET")
      ->may_be_empty()
      ->capture_default_str();
  verb->add_option(
          "--token",
          flags->tokens,
          "SHA-256 (hex) of a token for TCP, as [viewer:|operator:][NAME=]SHA256; a viewer "
          "reads, an operator (the default) also acts; NAME is for the audit (can be given several "
          "times, or with commas)")
      ->envname("SKEP_TOKEN")
      ->separated_by_commas();
  verb->add_flag("--token-to-read",
                 flags->token_to_read,
                 "Over TCP, API and metrics need a token also to be read (health does not)")
      ->envname("SKEP_TOKEN_TO_READ");
  verb->add_option(
          "--tls-cert",
          flags->tls_certificate,
          "PEM file with the certificate of all TCP listeners, and those between it and the "
          "authority; read again when it changes")
      ->envname("SKEP_TLS_CERT");
  verb->add_option("--tls-key", flags->tls_key, "PEM file with its key")->envname("SKEP_TLS_KEY");
  verb->add_option("--audit-file",
                   flags->audit_file,
                   "File to which a JSON line is added for all that is done or asked for; can be "
                   "moved away at any time")
      ->envname("SKEP_AUDIT_FILE");
  verb->add_option(
          "--history-operations", flags->history_operations, "Operations that the history keeps")
      ->envname("SKEP_HISTORY_OPERATIONS")
      ->capture_default_str();
  verb->add_option("--history-days", flags->history_days, "Days that the history goes back")
      ->envname("SKEP_HISTORY_DAYS")
      ->capture_default_str();
  verb->settings_file(
          "--config",
          "/etc/skep/agent.toml",
          "File with these settings, `name = \"value\"` on a line of its own; flags and "
          "variables win")
      ->envname("SKEP_CONFIG");
  verb->footer(
      "Example:  skep agent --repo https://git.example.com/ops/cluster.git --ref main --listen "
      "0.0.0.0:9920");
  verb->callback([&session, flags] {
    session.verb = [&session, flags] { return run_agent(session, *flags); };
  });
}

}  // namespace skep::cli
