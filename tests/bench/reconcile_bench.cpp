// What a pass costs the agent when nothing differs, without an engine's own time: 1,000 stacks with
// 5,000 services by default, or as many as the arguments say (STACKS SERVICES-EACH). The engine's
// answers are generated once, as text, and read anew in each pass. A command, no test.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <malloc.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <time.h>

#include "swarm/json.hpp"
#include "tests/reconciler/world.hpp"

namespace {

using namespace skep;
using Json = nlohmann::json;

double cpu_milliseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double resident_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::atof(line.c_str() + 6) / 1024;
  }
  return 0;
}

struct Answers {
  std::string services, networks, configs, secrets, nodes;
  [[nodiscard]] std::size_t size() const {
    return services.size() + networks.size() + configs.size() + secrets.size() + nodes.size();
  }
};

template <typename Spec>
Json spec_json(const Spec& spec) {
  return Json::parse(to_json(spec));
}

/// As an engine of API 1.41 lists them.
Answers answers_of(const swarm::LiveState& live) {
  Answers answers;
  const Json time = "2026-11-21T09:17:42.123456789Z";
  Json list = Json::array();
  for (const auto& service : live.services) {
    const auto spec = spec_json(service.spec);
    list.push_back({{"ID", service.id},
                    {"Version", {{"Index", service.version}}},
                    {"CreatedAt", time},
                    {"UpdatedAt", time},
                    {"Spec", spec},
                    {"PreviousSpec", spec},
                    {"Endpoint", {{"Spec", {{"Mode", "vip"}}}, {"VirtualIPs", Json::array()}}},
                    {"ServiceStatus",
                     {{"RunningTasks", service.running_tasks},
                      {"DesiredTasks", service.desired_tasks},
                      {"CompletedTasks", service.completed_tasks}}}});
  }
  answers.services = list.dump();
  list = Json::array();
  for (const auto& network : live.networks) {
    auto json = spec_json(network.spec);
    json["Id"] = network.id;
    json["Scope"] = network.scope;
    json["Ingress"] = network.ingress;
    list.push_back(std::move(json));
  }
  answers.networks = list.dump();
  list = Json::array();
  for (const auto& config : live.configs) {
    list.push_back(
        {{"ID", config.id},
         {"Version", {{"Index", config.version}}},
         {"Spec", {{"Name", config.name}, {"Labels", config.labels}, {"Data", "eA=="}}}});
  }
  answers.configs = list.dump();
  answers.secrets = "[]";
  list = Json::array();
  for (const auto& node : live.nodes) {
    list.push_back({{"ID", node.id},
                    {"Version", {{"Index", node.version}}},
                    {"Spec", {{"Role", node.role}, {"Availability", node.availability}}},
                    {"Description", {{"Hostname", node.hostname}}},
                    {"Status", {{"State", node.state}}}});
  }
  answers.nodes = list.dump();
  return answers;
}

/// Reads the recorded answers; whatever else it is asked ends the bench, for a clean pass asks for
/// nothing else.
class RecordedEngine final : public ports::Engine {
 public:
  explicit RecordedEngine(Answers answers) : answers_(std::move(answers)) {}
  double reading = 0;  ///< Milliseconds of CPU in the last observe().

  Result<ports::EngineInfo> info(std::stop_token /*stop*/) override {
    return ports::EngineInfo{"20.10", "1.41", true, true, "n", "c", "node-1"};
  }
  Result<void> ping(std::stop_token /*stop*/) override { return {}; }
  Result<swarm::LiveState> observe(std::stop_token /*stop*/) override {
    const auto started = cpu_milliseconds();
    swarm::LiveState live;
    live.services = *swarm::read_services(answers_.services);
    live.networks = *swarm::read_networks(answers_.networks);
    live.configs = *swarm::read_configs(answers_.configs);
    live.secrets = *swarm::read_secrets(answers_.secrets);
    live.nodes = *swarm::read_nodes(answers_.nodes);
    live.normalise();
    reading = cpu_milliseconds() - started;
    return live;
  }
  Result<std::vector<swarm::Task>> tasks(const std::vector<swarm::ObjectId>& /*services*/,
                                         std::stop_token /*stop*/) override {
    return unexpected("tasks");
  }
  Result<std::optional<std::string>> config_data(const std::string& /*name*/,
                                                 std::stop_token /*stop*/) override {
    return unexpected("config_data");
  }
  Result<std::optional<swarm::LiveConfig>> find_config(const std::string& /*name*/,
                                                       std::stop_token /*stop*/) override {
    return unexpected("find_config");
  }
  std::string credentials_mark(const std::string& /*image*/, std::stop_token /*stop*/) override {
    return "";
  }
  Result<diff::ResolvedImage> resolve_image(const std::string& /*image*/,
                                            std::stop_token /*stop*/) override {
    return unexpected("resolve_image");
  }
  Result<ports::Written> create_network(const swarm::NetworkSpec& spec,
                                        std::stop_token /*stop*/) override {
    return unexpected("create_network " + spec.name);
  }
  Result<void> remove_network(const swarm::ObjectId& id, std::stop_token /*stop*/) override {
    return unexpected("remove_network " + id);
  }
  Result<ports::Written> create_config(const swarm::ConfigSpec& spec,
                                       std::stop_token /*stop*/) override {
    return unexpected("create_config " + spec.name);
  }
  Result<void> update_config(const swarm::ObjectId& id,
                             swarm::ObjectVersion /*version*/,
                             const swarm::ConfigSpec& /*spec*/,
                             std::stop_token /*stop*/) override {
    return unexpected("update_config " + id);
  }
  Result<void> remove_config(const swarm::ObjectId& id, std::stop_token /*stop*/) override {
    return unexpected("remove_config " + id);
  }
  Result<ports::Written> create_secret(const swarm::SecretSpec& spec,
                                       std::stop_token /*stop*/) override {
    return unexpected("create_secret " + spec.name);
  }
  Result<void> update_secret(const swarm::ObjectId& id,
                             swarm::ObjectVersion /*version*/,
                             const swarm::SecretSpec& /*spec*/,
                             std::stop_token /*stop*/) override {
    return unexpected("update_secret " + id);
  }
  Result<void> remove_secret(const swarm::ObjectId& id, std::stop_token /*stop*/) override {
    return unexpected("remove_secret " + id);
  }
  Result<diff::SecretAnswer> secret_holds(const swarm::ObjectId& /*id*/,
                                          const swarm::SecretSpec& /*spec*/,
                                          std::stop_token /*stop*/) override {
    return unexpected("secret_holds");
  }
  Result<ports::Written> create_service(const swarm::ServiceSpec& spec,
                                        std::stop_token /*stop*/) override {
    return unexpected("create_service " + spec.name);
  }
  Result<ports::Written> update_service(const swarm::ObjectId& /*id*/,
                                        swarm::ObjectVersion /*version*/,
                                        const swarm::ServiceSpec& spec,
                                        std::stop_token /*stop*/) override {
    return unexpected("update_service " + spec.name);
  }
  Result<void> remove_service(const swarm::ObjectId& id, std::stop_token /*stop*/) override {
    return unexpected("remove_service " + id);
  }
  Result<void> update_node(const swarm::LiveNode& node, std::stop_token /*stop*/) override {
    return unexpected("update_node " + node.hostname);
  }
  Result<void> follow_events(const std::function<void(const ports::EngineEvent&)>& /*on_event*/,
                             const std::function<void()>& /*on_open*/,
                             std::stop_token /*stop*/) override {
    return {};
  }

 private:
  static Error unexpected(const std::string& call) {
    std::fprintf(stderr, "a clean pass asked for %s\n", call.c_str());
    std::exit(1);
  }
  Answers answers_;
};

std::string compose_text(std::size_t stack, std::size_t services) {
  std::string text = "services:\n";
  for (std::size_t i = 0; i < services; ++i) {
    text += "  s" + std::to_string(i) + ":\n    image: registry.example.com/apps/app-" +
            std::to_string(i) +
            ":1.2.3\n    environment: { LOG_LEVEL: info, DB_HOST: db, STACK: 'n" +
            std::to_string(stack) +
            "' }\n    deploy: { replicas: 2, labels: { tier: web, owner: team }, update_config: { "
            "parallelism: 1, order: start-first }, resources: { limits: { cpus: '0.5', memory: "
            "128M } }, placement: { constraints: [node.labels.disk == ssd] } }\n    healthcheck: { "
            "test: [CMD, curl, localhost], interval: 10s }\n";
  }
  return text;
}

}  // namespace

int main(int count, char** arguments) {
  const std::size_t stacks = count > 1 ? std::strtoul(arguments[1], nullptr, 10) : 1000;
  const std::size_t each = count > 2 ? std::strtoul(arguments[2], nullptr, 10) : 5;
  Answers answers;
  tests::World world;
  for (std::size_t i = 0; i < stacks; ++i) {
    char name[32];
    std::snprintf(name, sizeof name, "apps/stack-%04zu", i);
    world.files[std::string(name) + "/docker-compose.yml"] = compose_text(i, each);
  }
  const auto rendering = cpu_milliseconds();
  world.commit();
  std::printf("rendered once         %8.0f ms CPU\n", cpu_milliseconds() - rendering);
  if (!world.settle() || !world.settle()->all_good()) {
    std::fprintf(stderr, "the fake swarm did not settle: %s\n", world.error.c_str());
    return 1;
  }
  answers = answers_of(world.engine.state());
  const auto size = answers.size();
  RecordedEngine engine(std::move(answers));
  spdlog::logger log("bench");
  ports::Observer nobody;
  reconciler::ReconcilerOptions options;
  options.seed = 7;
  reconciler::Reconciler reconciler(engine, nobody, world.clock, log, options, [] {});
  std::vector<double> passes, readings;
  for (int pass = 0; pass < 11; ++pass) {
    const auto started = cpu_milliseconds();
    const auto turn = reconciler.turn(world.desired(), {});
    if (!turn || turn->wrote || !turn->all_good()) {
      std::fprintf(stderr, "the pass was not clean\n");
      return 1;
    }
    passes.push_back(cpu_milliseconds() - started);
    readings.push_back(engine.reading);
  }
  const auto median = [](std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  };
  ::malloc_trim(0);
  std::printf("engine's answers      %8.1f MiB, %zu stacks, %zu services\n",
              static_cast<double>(size) / (1 << 20),
              stacks,
              stacks * each);
  std::printf("a clean pass          %8.0f ms CPU (figure: 500), of it reading the answers %.0f\n",
              median(passes),
              median(readings));
  std::printf(
      "memory after a pass   %8.0f MiB RSS, with the answers and a whole fake swarm in it\n",
      resident_mib());
  return 0;
}
