#include "tests/e2e/cut_proxy.hpp"
#include "tests/e2e/e2e.hpp"

namespace skep::e2e {
namespace {

using Where = CutProxy::Where;

constexpr std::size_t kMostWrites = 40;  ///< Of one plan here; more would mean that it never ends.

/// Promise 8: killed between any two writes, the next run reaches the same end.
class Cut : public EndToEnd {
 protected:
  static std::string stack_text(const std::string& image, bool old_one) {
    const std::string more = "networks: [hostnet, own], configs: [c], secrets: [s]";
    return "services:\n  app: " +
           idle_service(image, "networks: [hostnet], configs: [c], secrets: [s]") +
           "  netted: " + idle_service(kImage1, "networks: [own]") +
           (old_one ? "  old: " + idle_service(kImage1, "networks: [hostnet]") : "") +
           "networks:\n  hostnet: { external: true, name: host }\n  own: {}\n"
           "configs:\n  c: { file: c.txt }\nsecrets:\n  s: { file: s.txt }\n";
  }
  void write_first() {
    repo->stack("shop", stack_text(kImage1, true));
    repo->write("apps/shop/c.txt", "one\n");
    repo->write("apps/shop/s.txt", "one\n");
  }
  void write_second() {
    repo->stack("shop", stack_text(kImage2, false));
    repo->write("apps/shop/c.txt", "two\n");
    repo->write("apps/shop/s.txt", "two\n");
  }
  /// An agent on this engine endpoint, with a fresh disk each time.
  AgentProcess& agent_on(const std::string& docker_host) {
    AgentProcess::Options options;
    options.repo = repo->bare();
    options.directory = directory() / ("agent-" + std::to_string(++agents_));
    options.environment = environment();
    options.environment["DOCKER_HOST"] = docker_host;
    agent = std::make_unique<AgentProcess>(std::move(options));
    return *agent;
  }
  /// Names without the suffix of a rotation, and what each service cites.
  std::vector<std::string> picture() {
    std::vector<std::string> lines;
    const auto bare = [](const std::string& name) { return name.substr(0, name.find('-')); };
    for (const auto& [name, object] : objects("services")) {
      const auto& container = object.at("Spec").at("TaskTemplate").at("ContainerSpec");
      auto line = name + " " + container.at("Image").get<std::string>();
      for (const auto* kind : {"Configs", "Secrets"}) {
        if (!container.contains(kind) || container.at(kind).is_null()) continue;
        for (const auto& reference : container.at(kind))
          line += " " +
                  bare(reference.at(std::string(kind) == "Configs" ? "ConfigName" : "SecretName"));
      }
      lines.push_back(std::move(line));
    }
    for (const auto& name : names("networks")) lines.push_back("network " + name);
    return lines;
  }
  /// Configs and secrets that no Spec and no PreviousSpec cites.
  std::vector<std::string> orphans() {
    std::string cited;
    for (const auto& [name, object] : objects("services")) cited += object.dump();
    std::vector<std::string> found;
    for (const auto* kind : {"configs", "secrets"}) {
      for (const auto& name : names(kind)) {
        if (name != "skep-default-state" && cited.find('"' + name + '"') == std::string::npos)
          found.push_back(name);
      }
    }
    return found;
  }
  void empty_the_swarm() {
    agent.reset();
    TearDown();
  }
  /// Runs the deployment of `commit` once for each of its writes, cut there. `prepare` makes the
  /// state before it.
  void cut_everywhere(Where where,
                      const std::function<std::string()>& prepare,
                      const std::vector<std::string>& expected) {
    std::size_t cuts = 0;
    for (std::size_t at = 1; at <= kMostWrites; ++at) {
      SCOPED_TRACE("cut at write " + std::to_string(at));
      const auto commit = prepare();
      ASSERT_FALSE(HasFatalFailure());
      const auto socket = (directory() / "cut.sock").string();
      auto proxy = std::make_unique<CutProxy>(socket, engine().socket(), at, where);
      agent_on(proxy->docker_host());
      bool arrived = false;
      ASSERT_TRUE(eventually(
          [&] {
            if (proxy->cut()) return true;
            const auto status = agent->status();
            arrived = status.is_object() && status.at("revision") == commit &&
                      is(stack_of(status, "shop"), "synced", "healthy");
            return arrived && !proxy->cut();
          },
          std::chrono::seconds(60)))
          << agent->log();
      const bool was_cut = proxy->cut();
      agent->kill();
      proxy.reset();
      agent_on(engine().docker_host());
      ASSERT_TRUE(agent->wait_for_commit(commit));
      agent->wait_for_passes();
      EXPECT_EQ(picture(), expected);
      EXPECT_THAT(orphans(), testing::IsEmpty());
      const auto before = versions();
      agent->wait_for_passes();
      EXPECT_EQ(versions(), before) << "it never comes to rest";
      empty_the_swarm();
      if (!was_cut) {
        std::cout << cuts << " writes cut one by one\n";
        EXPECT_GE(cuts, 5U) << "there was nothing to cut";
        return;
      }
      ++cuts;
    }
    FAIL() << "the plan never ends";
  }
  int agents_ = 0;
};

TEST_F(Cut, Promise8_BeforeEachWriteOfAFirstDeployment) {
  write_first();
  const auto commit = repo->push();
  cut_everywhere(Where::before,
                 [&] { return commit; },
                 {"shop_app " + kImage1 + " shop_c shop_s",
                  "shop_netted " + kImage1,
                  "shop_old " + kImage1,
                  "network shop_own"});
}

TEST_F(Cut, Promise8_AfterEachWriteOfAnUpdateWhoseAnswerIsLost) {
  cut_everywhere(
      Where::after,
      [&] {
        write_first();
        const auto head = repo->push("first");
        agent_on(engine().docker_host());
        EXPECT_TRUE(agent->wait_for_commit(head));
        agent.reset();
        write_second();
        return repo->push("second");
      },
      {"shop_app " + kImage2 + " shop_c shop_s", "shop_netted " + kImage1, "network shop_own"});
}

}  // namespace
}  // namespace skep::e2e
