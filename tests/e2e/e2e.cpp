#include "tests/e2e/e2e.hpp"

#include <algorithm>
#include <cstdlib>

#include "tests/lab/http.hpp"

namespace skep::e2e {

lab::LabEngine& EndToEnd::engine() {
  static lab::LabEngine own;
  return own;
}

void EndToEnd::SetUp() {
  SKEP_NEEDS_ENGINE(engine());
  sweep();
  repo = std::make_unique<Repo>(directory() / "git");
  repo->pushed = [this] {
    if (agent) agent->pushed();
  };
}

void EndToEnd::TearDown() {
  agent.reset();
  if (engine().cannot().empty() && engine().failure().empty()) sweep();
}

void EndToEnd::sweep() const {
  // A network can go when the tasks in it have; an agent that is a service itself may make things
  // again as long as it runs.
  EXPECT_TRUE(eventually([&] {
    bool gone = true;
    for (const std::string kind : {"services", "configs", "secrets", "networks"}) {
      for (const auto& [name, object] : objects(kind)) {
        gone = false;
        const std::string id = object.at(kind == "networks" ? "Id" : "ID");
        lab::ask(engine().socket(), "/v1.41/" + kind + "/" + id, "DELETE");
      }
    }
    return gone;
  }));
}

std::map<std::string, std::string> EndToEnd::environment() const {
  auto variables = engine().environment();
  variables["XDG_CACHE_HOME"] = (directory() / "cache").string();
  // Of the half second that a start under sanitizers takes, most goes into registering globals,
  // looking for leaks and remembering who allocated what; a test starts dozens of processes, and an
  // agent one for every look at git. The first two are looked for by the tests of the parts, and
  // leaks by one suite here; of an allocation that is misused, the nearest callers will do.
  const auto* const given = std::getenv("ASAN_OPTIONS");  // NOLINT(concurrency-mt-unsafe)
  variables["ASAN_OPTIONS"] =
      std::string("report_globals=0:") +
      (looks_for_leaks() ? "detect_leaks=1:" : "detect_leaks=0:malloc_context_size=3:") +
      (given != nullptr ? given : "");
  return variables;
}

lab::CommandOutput EndToEnd::skep(std::vector<std::string> arguments,
                                  const std::string& standard_input) const {
  arguments.insert(arguments.begin(), binary());
  return lab::run(arguments, environment(), standard_input);
}

std::string EndToEnd::docker(const std::vector<std::string>& arguments,
                             const std::string& standard_input) const {
  const auto done = engine().docker(arguments, standard_input);
  EXPECT_EQ(done.exit_code, 0) << "docker " << arguments.front() << ": " << done.err;
  return done.out;
}

AgentProcess& EndToEnd::start_agent(std::vector<std::string> more) {
  AgentProcess::Options options;
  options.repo = repo->bare();
  options.directory = directory() / "agent";
  options.environment = environment();
  options.more = std::move(more);
  agent = std::make_unique<AgentProcess>(std::move(options));
  return *agent;
}

nlohmann::json EndToEnd::get(const std::string& path) const {
  const auto answer = lab::ask(engine().socket(), "/v1.41" + path);
  auto json = nlohmann::json::parse(answer, nullptr, false);
  EXPECT_FALSE(json.is_discarded()) << path << ": " << answer;
  return json;
}

std::map<std::string, nlohmann::json> EndToEnd::objects(const std::string& kind) const {
  std::map<std::string, nlohmann::json> found;
  for (auto& object : get("/" + kind)) {
    if (kind != "networks") {
      found[object.at("Spec").at("Name")] = object;
    } else if (object.at("Scope") == "swarm" && object.at("Name") != "ingress") {
      found[object.at("Name")] = object;
    }
  }
  return found;
}

std::vector<std::string> EndToEnd::names(const std::string& kind) const {
  std::vector<std::string> found;
  for (const auto& [name, object] : objects(kind)) found.push_back(name);
  return found;
}

std::map<std::string, std::string> EndToEnd::versions() const {
  std::map<std::string, std::string> found;
  for (const auto* kind : {"services", "configs", "secrets"}) {
    for (const auto& [name, object] : objects(kind)) {
      found[std::string(kind) + "/" + name] =
          object.at("ID").get<std::string>() + " " + object.at("Version").at("Index").dump();
    }
  }
  for (const auto& [name, network] : objects("networks"))
    found["networks/" + name] = network.at("Id").get<std::string>();
  return found;
}

std::map<std::string, std::string> EndToEnd::versions_at_rest() const {
  auto seen = versions();
  int equal = 0;
  EXPECT_TRUE(eventually([&] {
    auto now = versions();
    equal = now == seen ? equal + 1 : 0;
    seen = std::move(now);
    return equal == 10;
  }));
  return seen;
}

std::vector<std::string> EndToEnd::tasks(const std::string& service) const {
  std::vector<std::string> found;
  const auto filter = R"({"service":[")" + service + R"("],"desired-state":["running"]})";
  const auto listed = get("/tasks?filters=" + filter);
  if (!listed.is_array()) return {};  // There is no such service.
  for (const auto& task : listed) found.push_back(task.at("ID"));
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::string> EndToEnd::running_images(const std::string& service) const {
  std::vector<std::string> found;
  const auto listed = get(R"(/tasks?filters={"service":[")" + service + R"("]})");
  if (!listed.is_array()) return {};  // There is no such service.
  for (const auto& task : listed) {
    if (task.at("Status").at("State") == "running")
      found.push_back(task.at("Spec").at("ContainerSpec").at("Image"));
  }
  return found;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace skep::e2e
