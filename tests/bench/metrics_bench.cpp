// How long one scrape takes, and how many series it has: 500 stacks with 2,000 services by default,
// or as many as the arguments say (STACKS SERVICES).
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <sys/resource.h>

#include "metrics/prometheus_metrics.hpp"

namespace {

std::vector<skep::ports::StackStatus> fleet(std::size_t stacks, std::size_t services) {
  using namespace skep;
  std::vector<ports::StackStatus> all;
  for (std::size_t i = 0; i < stacks; ++i) {
    ports::StackStatus stack;
    stack.group = "apps";
    stack.name = "customer-application-" + std::to_string(i);
    stack.path = "apps/" + stack.name;
    stack.mode = "auto";
    stack.sync = ports::SyncState::synced;
    stack.health = ports::Health::healthy;
    stack.target_revision = stack.applied_revision = stack.healthy_revision =
        std::string(40, static_cast<char>('a' + i % 6));
    stack.declared = {{diff::ObjectKind::service, services / stacks},
                      {diff::ObjectKind::config, 2},
                      {diff::ObjectKind::network, 1}};
    for (std::size_t k = 0; k < services / stacks; ++k) {
      ports::ServiceStatus service;
      service.name = stack.name + "_service-" + std::to_string(k);
      service.running = service.desired = 2;
      service.update_state = "completed";
      stack.services.push_back(std::move(service));
    }
    all.push_back(std::move(stack));
  }
  return all;
}

double milliseconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

int main(int argc, char** argv) {
  using Steady = std::chrono::steady_clock;
  const auto stacks = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 500;
  const auto services = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 2000;
  if (stacks == 0) {
    std::fputs("usage: skep_metrics_bench [STACKS SERVICES]\n", stderr);
    return 2;
  }
  const skep::SystemClock clock;
  skep::metrics::PrometheusMetrics metrics({.version = "bench", .commit = ""}, clock);
  const auto fleet_status = fleet(stacks, services);
  const auto before = Steady::now();
  metrics.status(fleet_status);
  const auto took = Steady::now() - before;

  constexpr int kRounds = 15;
  std::vector<double> rounds;
  std::string text;
  for (int i = 0; i < kRounds; ++i) {
    const auto start = Steady::now();
    text = metrics.render();
    rounds.push_back(milliseconds(Steady::now() - start));
  }
  std::sort(rounds.begin(), rounds.end());
  std::size_t series = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    if (text[at] != '#') ++series;
    at = end + 1;
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  std::printf("stacks %lu  services %lu  series %zu  text %.1f MB\n",
              stacks,
              services,
              series,
              static_cast<double>(text.size()) / 1e6);
  std::printf(
      "status() %.2f ms  render() median %.1f ms  worst %.1f ms  (figure to reach: 150 ms)\n",
      milliseconds(took),
      rounds[rounds.size() / 2],
      rounds.back());
  std::printf("largest resident set %.1f MiB\n", static_cast<double>(usage.ru_maxrss) / 1024.0);
  return 0;
}
