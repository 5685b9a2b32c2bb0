#include <filesystem>

#include <sys/resource.h>

#include "cli/digest_key.hpp"
#include "cli/session.hpp"
#include "core/logfmt.hpp"
#include "metrics/prometheus_metrics.hpp"
#include "reconciler/agent.hpp"
#include "reconciler/settings.hpp"
#include "server/api.hpp"
#include "server/server.hpp"

namespace skep::cli {
namespace {

struct AgentFlags {
  RepositoryFlags repository;
  std::string instance = "default";
  std::string interval = "60s";
  std::string prune_grace = "60s";
  std::string self_stack;
  std::string listen = "127.0.0.1:9920";
  std::string listen_metrics;
  std::string socket = "/run/skep/skep.sock";
  std::vector<std::string> tokens;
};

/// An instance's name becomes part of object names and labels.
Result<void> check_instance(const std::string& name) {
  const bool plain =
      !name.empty() && name.size() <= 40 &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
          std::string::npos;
  if (plain) return {};
  return Error{ErrorKind::invalid_input, "--instance must be 1 to 40 letters, digits, - or _"};
}

Result<std::unique_ptr<server::Server>> serve(const AgentFlags& flags,
                                              ports::Control& control,
                                              metrics::PrometheusMetrics& metrics,
                                              spdlog::logger& log) {
  using server::RouteSet;
  auto tokens = server::Tokens::parse(flags.tokens);
  if (!tokens) return std::move(tokens).error().within("--token");
  server::Router router;
  server::add_routes(
      router, control, {*std::move(tokens), [&metrics] { return metrics.render(); }});
  server::ServerOptions options;
  server::RouteSets all = {RouteSet::metrics, RouteSet::health, RouteSet::api};
  if (!flags.socket.empty()) options.listeners.push_back({"unix:" + flags.socket, all});
  if (!flags.listen_metrics.empty()) {
    options.listeners.push_back({flags.listen_metrics, {RouteSet::metrics, RouteSet::health}});
    all.erase(RouteSet::metrics);
  }
  if (!flags.listen.empty()) options.listeners.push_back({flags.listen, all});
  options.answered = [&metrics](std::string_view handler,
                                std::string_view method,
                                int status,
                                std::chrono::nanoseconds duration) {
    metrics.http_request(handler, method, status, duration);
  };
  options.failed = [&log](std::string_view what) {
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

int run_agent(const Session& session, const AgentFlags& flags) {
  const auto log = make_logger(session, true);
  raise_descriptor_limit();
  if (!flags.socket.empty()) {
    std::error_code ignored;  // Where it cannot be made, listening says so.
    std::filesystem::create_directories(std::filesystem::path(flags.socket).parent_path(), ignored);
  }
  if (auto checked = check_instance(flags.instance); !checked) return fail(checked.error());
  const auto interval = reconciler::parse_duration(flags.interval);
  if (!interval || *interval < std::chrono::seconds(1)) {
    return fail(
        {ErrorKind::invalid_input, "--interval must be a duration of at least 1s, such as 60s"});
  }
  const auto prune_grace = reconciler::parse_duration(flags.prune_grace);
  if (!prune_grace)
    return fail({ErrorKind::invalid_input, "--prune-grace must be a duration, such as 60s"});
  auto root = configuration_root(flags.repository);
  if (!root) return fail(root.error());
  auto host_checkout = host_checkout_of(flags.repository);
  if (!host_checkout) return fail(host_checkout.error());
  auto digest = read_digest_key(flags.repository.digest_key_file);
  if (!digest) return fail(digest.error());
  metrics::MetricsOptions metrics_options;
  metrics_options.version = SKEP_VERSION;
  metrics::PrometheusMetrics metrics(metrics_options, session.clock);
  auto engine = open_engine(
      session,
      true,
      [&metrics](std::string_view operation, int status, std::chrono::nanoseconds duration) {
        metrics.docker_request(operation, status, duration);
      });
  if (!engine) return fail(engine.error());
  // The engine may come up after the agent: what it is gets known when it answers.
  if (const auto info = (*engine)->info(session.stop)) metrics.docker_endpoint(*info);
  auto source = open_source(session, flags.repository, *log);
  if (!source) return fail(source.error());
  reconciler::AgentOptions options;
  options.version = SKEP_VERSION;
  options.interval = *interval;
  options.reconciler.prune_grace = *prune_grace;
  options.reconciler.self_stack = flags.self_stack;
  options.load.root = *root;
  options.load.host_checkout = *host_checkout;
  options.reconciler.instance = flags.instance;
  options.reconciler.digest = *std::move(digest);
  reconciler::Agent agent(**source, **engine, metrics, session.clock, *log, options);
  const auto server = serve(flags, agent, metrics, *log);
  if (!server) return fail(server.error());
  agent.run(session.stop);
  return kSuccess;
}

}  // namespace

void add_agent(Command& app, Session& session) {
  auto* verb = app.add_subcommand("agent", "The daemon: keeps the swarm as the repository says");
  auto flags = std::make_shared<AgentFlags>();
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
  verb->add_option("--self-stack",
                   flags->self_stack,
                   "Stack in which this agent runs: it comes last and is never removed")
      ->envname("SKEP_SELF_STACK");
  verb->add_option("--listen", flags->listen, "Address of metrics, health and API; \"\" for none")
      ->envname("SKEP_LISTEN")
      ->capture_default_str();
  verb->add_option(
          "--listen-metrics", flags->listen_metrics, "Address of their own for metrics and health")
      ->envname("SKEP_LISTEN_METRICS");
  verb->add_option("--socket", flags->socket, "Local socket for the command line; \"\" for none")
      ->envname("SKEP_SOCKET")
      ->capture_default_str();
  verb->add_option("--token",
                   flags->tokens,
                   "SHA-256 (hex) of a token that may write over TCP, NAME=SHA256 for the audit")
      ->envname("SKEP_TOKEN");
  verb->set_config(
          "--config", "/etc/skep/agent.toml", "File with these settings, one `name = value` a line")
      ->envname("SKEP_CONFIG");
  verb->footer(
      "Example:  skep agent --repo https://git.example.com/ops/cluster.git --ref main --listen "
      "0.0.0.0:9920");
  verb->callback([&session, flags] {
    session.verb = [&session, flags] { return run_agent(session, *flags); };
  });
}

}  // namespace skep::cli
