#include "tests/metrics/metrics_fixture.hpp"

#include <sstream>

#include "reconciler/ports/engine.hpp"

namespace skep::metrics::testing {

using namespace std::chrono_literals;

ports::StackStatus healthy_stack(std::string group, std::string name) {
  ports::StackStatus stack;
  stack.path = group + "/" + name;
  stack.group = std::move(group);
  stack.name = std::move(name);
  stack.mode = "auto";
  stack.sync = ports::SyncState::synced;
  stack.health = ports::Health::healthy;
  stack.target_revision = std::string(40, 'a');
  stack.applied_revision = std::string(40, 'a');
  stack.healthy_revision = std::string(40, 'a');
  stack.declared = {{diff::ObjectKind::service, 2}, {diff::ObjectKind::config, 1}};
  for (const auto* key : {"web", "db"}) {
    ports::ServiceStatus service;
    service.name = stack.name + "_" + key;
    service.running = service.desired = service.tasks_running = 2;
    stack.services.push_back(std::move(service));
  }
  stack.last_success = WallTime(1'699'999'000s);
  stack.last_duration = 1500ms;
  return stack;
}

diff::Plan plan_of(diff::Verb verb, diff::ObjectKind kind, std::string name) {
  diff::Plan plan;
  diff::Action action;
  action.verb = verb;
  action.kind = kind;
  action.name = std::move(name);
  plan.actions.push_back(std::move(action));
  return plan;
}

std::string value_of(const std::string& text, std::string_view series) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto blank = line.rfind(' ');
    if (blank != std::string::npos && line.substr(0, blank) == series)
      return line.substr(blank + 1);
  }
  return "";
}

std::vector<std::string> lines_with(const std::string& text, std::string_view word) {
  std::vector<std::string> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('#') && line.find(word) != std::string::npos) found.push_back(line);
  }
  return found;
}

void report_everything(PrometheusMetrics& metrics) {
  metrics.connected({.engine_version = "26.1.4",
                     .api_version = "1.45",
                     .swarm_active = true,
                     .manager = true,
                     .node_id = "n",
                     .cluster_id = "c",
                     .node_hostname = "manager-1"});
  metrics.docker_request("service_update", 200, 12ms);
  metrics.heard("service");
  metrics.events_opened();
  metrics.http_request("/metrics", "GET", 200, 3ms);
  metrics.fetched({.ok = true, .revision = std::string(40, 'b'), .duration = 300ms});
  metrics.revised(pushed(std::string(40, 'b')));
  metrics.observed(true);
  metrics.phase("plan", 2ms);
  metrics.wrote({.kind = diff::ObjectKind::service, .verb = diff::Verb::update, .ok = true});
  metrics.status({healthy_stack("apps", "MY-APP"), healthy_stack("management", "proxy")});
  auto report = ended("apps/MY-APP", "git", "success");
  report.revision_to = std::string(40, 'b');
  report.last_write = WallTime(1'700'000'002s);
  metrics.synced(report);
  metrics.task_failed({"apps/MY-APP", "MY-APP_web", "nonzero_exit"});
  metrics.notification("slack", "sent");
}

ports::RevisionReport pushed(std::string commit) {
  ports::RevisionReport report;
  report.commit = std::move(commit);
  report.committed_at = WallTime(1'700'000'000s);
  report.seen_at = WallTime(1'700'000'001s);
  report.source = ports::RevisionReport::Source::webhook;
  return report;
}

ports::SyncReport ended(std::string stack,
                        std::string trigger,
                        std::string result,
                        std::string phase,
                        std::vector<diff::ObjectKind> kinds) {
  ports::SyncReport report;
  report.stack = std::move(stack);
  report.trigger = std::move(trigger);
  report.result = std::move(result);
  report.failed_phase = std::move(phase);
  report.duration = std::chrono::seconds(1);
  report.kinds = std::move(kinds);
  return report;
}

}  // namespace skep::metrics::testing
