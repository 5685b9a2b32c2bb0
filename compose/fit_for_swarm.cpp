#include "compose/fit_for_swarm.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "compose/text.hpp"

namespace skep::compose {
namespace {

void warn(Findings& findings, const SourcePosition& at, std::string message) {
  findings.push_back({Finding::Severity::warning, std::move(message), at});
}

bool is_job(const Service& service) { return service.deploy.mode.ends_with("-job"); }

/// The services that others wait for until they have ended well, and one of those others each.
std::map<std::string, std::string> awaited(const ComposeFile& file) {
  std::map<std::string, std::string> result;
  for (const auto& [key, service] : file.services) {
    for (const auto& dependency : service.depends_on) {
      if (dependency.condition != swarm::ServiceDependency::Condition::completed) continue;
      result.emplace(dependency.service, key);
    }
  }
  return result;
}

/// The engine starts again what ended, unless it is told not to: then nobody sees it complete.
void end_once(const std::string& key,
              Service& service,
              const std::string& waiting,
              Findings& findings) {
  auto& policy = service.deploy.restart_policy;
  if (policy && policy->condition == "any") {
    findings.push_back({Finding::Severity::error,
                        "service " + key + ": with the restart condition any it never completes, " +
                            "and " + waiting +
                            " waits for that; write condition: none or on-failure",
                        service.position_of("deploy.restart_policy.condition")});
    return;
  }
  if (policy && !policy->condition.empty()) return;
  const auto word = cut(service.restart, ':').before;
  const bool failures = word == "on-failure" || (policy && policy->max_attempts);
  if (!policy) {
    if (failures) return;  // Is converted as it is written.
    const bool known = word.empty() || word == "no" || word == "always" || word == "unless-stopped";
    if (!known) return;  // Is refused below.
    policy.emplace();
  }
  policy->condition = failures ? "on-failure" : "none";
  warn(findings,
       service.position_of("restart"),
       "service " + key + ": taken as deploy.restart_policy.condition: " + policy->condition +
           ", for " + waiting + " waits until it has completed; the engine would start it again " +
           "and again");
}

void name_what_is_restarted(const std::string& key, const Service& service, Findings& findings) {
  if (service.restart != "no" || service.deploy.restart_policy || is_job(service)) return;
  warn(findings,
       service.position_of("restart"),
       "service " + key + ": restart: \"no\" says nothing to a swarm: the engine restarts it all " +
           "the same; write deploy.restart_policy.condition: none");
}

/// "a → b → a", at most ten of them.
std::string shown_circle(const std::vector<std::string>& circle) {
  constexpr std::size_t kMostShown = 10;
  std::string text;
  for (std::size_t i = 0; i < circle.size() && i < kMostShown; ++i) text += circle[i] + " → ";
  return text + (circle.size() > kMostShown ? "… → " : "") + circle.front();
}

void refuse_circle(std::vector<std::string> circle, const ComposeFile& file, Findings& findings) {
  std::rotate(circle.begin(), std::min_element(circle.begin(), circle.end()), circle.end());
  const auto& first = circle.front();
  findings.push_back({Finding::Severity::error,
                      circle.size() == 1 ? "service " + first + " waits for itself"
                      : circle.size() == 2
                          ? "services " + first + " and " + circle[1] + " wait for each other"
                          : "services wait for each other: " + shown_circle(circle),
                      file.services.at(first).position_of("depends_on")});
}

/// Follows what services wait for, without recursion: a chain may be as long as the file. Of what
/// hangs together one circle is said.
void refuse_circles(const ComposeFile& file, Findings& findings) {
  struct Step {
    std::string key;
    std::set<std::string>::const_iterator next, end;
  };
  std::set<std::string> seen;
  for (const auto& [root, unused] : file.services) {
    std::vector<Step> way;
    std::set<std::string> on_way;
    const auto enter = [&](const std::string& key) {
      const auto& waits_for = file.services.at(key).waits_for;
      way.push_back({key, waits_for.begin(), waits_for.end()});
      seen.insert(key);
      on_way.insert(key);
    };
    if (!seen.contains(root)) enter(root);
    while (!way.empty()) {
      if (way.back().next == way.back().end) {
        on_way.erase(way.back().key);
        way.pop_back();
        continue;
      }
      const auto& key = *way.back().next++;
      if (on_way.contains(key)) {
        std::vector<std::string> circle;
        for (const auto& step : way) {
          if (step.key == key) circle.clear();
          circle.push_back(step.key);
        }
        refuse_circle(std::move(circle), file, findings);
        break;
      }
      if (!seen.contains(key) && file.services.contains(key)) enter(key);
    }
  }
}

/// The engine attaches no service to a network of one node.
void widen(const std::string& key, Network& network, Findings& findings) {
  network.driver = "overlay";
  const auto dropped = std::erase_if(network.driver_opts, [](const auto& option) {
    return option.first.starts_with("com.docker.network.bridge.");
  });
  warn(findings,
       network.driver_at,
       "networks." + key + ".driver: bridge is taken as overlay: a network of services spans the " +
           "swarm" + (dropped > 0 ? "; its options com.docker.network.bridge.* are left out" : ""));
}

}  // namespace

void fit_for_swarm(ComposeFile& file, Findings& findings) {
  refuse_circles(file, findings);
  const auto waited_for = awaited(file);
  std::set<std::string> used;
  for (auto& [key, service] : file.services) {
    const auto waiting = waited_for.find(key);
    if (waiting != waited_for.end() && !is_job(service)) {
      end_once(key, service, waiting->second, findings);
    }
    name_what_is_restarted(key, service, findings);
    if (service.networks.empty()) used.insert("default");
    for (const auto& [network, unused] : service.networks) used.insert(network);
  }
  for (auto& [key, network] : file.networks) {
    // One that no service uses is never made.
    if (network.driver == "bridge" && !network.external && used.contains(key)) {
      widen(key, network, findings);
    }
  }
}

}  // namespace skep::compose
