#include <iomanip>

#include "tests/e2e/e2e.hpp"

namespace skep::e2e {
namespace {

using testing::HasSubstr;

/// What a person may do to a live stack, one thing at a time, and the word that explains it.
struct Edit {
  std::string name;
  std::vector<std::vector<std::string>> commands;  ///< Of the Docker CLI.
  std::string object;                              ///< That the plan names.
  std::string field;                               ///< Of its changes; "" where it is gone or new.
};

const std::vector<Edit>& edits() {
  const auto app = [](std::vector<std::string> flags) {
    std::vector<std::string> words{"service", "update", "--detach", "--no-resolve-image"};
    words.insert(words.end(), flags.begin(), flags.end());
    words.push_back("shop_app");
    return std::vector<std::vector<std::string>>{words};
  };
  static const std::vector<Edit> kEdits = {
      {"env", app({"--env-add", "HAND=made"}), "shop_app", "environment"},
      {"image", app({"--image", kImage2}), "shop_app", "image"},
      {"command", app({"--args", "sleep 4321"}), "shop_app", "command"},
      {"replicas", app({"--replicas", "2"}), "shop_app", "deploy.replicas"},
      {"label", app({"--label-add", "hand=made"}), "shop_app", "deploy.labels"},
      {"mount",
       app({"--mount-add", "type=volume,source=hand,target=/hand"}),
       "shop_app",
       "volumes"},
      {"constraint",
       app({"--constraint-add", "node.role==manager"}),
       "shop_app",
       "deploy.placement.constraints"},
      {"port", app({"--publish-add", "published=18071,target=80"}), "shop_app", "ports"},
      {"secret reference", app({"--secret-rm", "shop_s"}), "shop_app", "secrets"},
      {"config reference", app({"--config-rm", "shop_c"}), "shop_app", "configs"},
      {"resources", app({"--limit-memory", "64M"}), "shop_app", "deploy.resources"},
      {"update policy", app({"--update-parallelism", "3"}), "shop_app", "deploy.update_config"},
      {"removed service", {{"service", "rm", "shop_other"}}, "shop_other", ""},
      {"extra service",
       {{"service",
         "create",
         "--detach",
         "--no-resolve-image",
         "--network",
         "host",
         "--name",
         "shop_extra",
         "--label",
         "com.docker.stack.namespace=shop",
         kImage1}},
       "shop_extra",
       ""},
      {"removed network",
       {{"service", "rm", "shop_netted"}, {"network", "rm", "shop_spare"}},
       "shop_spare",
       ""},
      {"node label", {{"node", "update", "--label-rm", "shop", "NODE"}}, "", ""},
  };
  return kEdits;
}

class KindsOfDrift : public EndToEnd {
 protected:
  void deploy(const std::string& settings) {
    node = docker({"node", "ls", "--format", "{{.Hostname}}"});
    while (!node.empty() && node.back() == '\n') node.pop_back();
    repo->write("skep.yaml",
                "defaults: { resolve_image: never, self_heal: " + settings + " }\nnodes: { " +
                    node + ": { labels: { shop: 'yes' } } }\n");
    const std::string on_host = "networks: [hostnet]";
    repo->stack(
        "shop",
        "services:\n  app: " +
            idle_service(kImage1,
                         on_host + ", environment: { A: one }, command: [sleep, '1234'], secrets: "
                                   "[s], configs: [c]") +
            "  other: " + idle_service(kImage1, on_host) +
            "  netted: " + idle_service(kImage1, "networks: [spare]") +
            "networks:\n  hostnet: { external: true, name: host }\n  spare: {}\n"
            "configs:\n  c: { file: c.txt }\nsecrets:\n  s: { file: s.txt }\n");
    repo->write("apps/shop/c.txt", "c\n");
    repo->write("apps/shop/s.txt", "s\n");
    start_agent();
    ASSERT_TRUE(agent->wait_for_commit(repo->push()));
    ASSERT_TRUE(eventually([this] { return label() == "yes"; }));
    agent->wait_for_passes();
    healthy = picture();
  }
  /// Everything that a person could have changed: spec by name.
  std::map<std::string, std::string> picture() {
    std::map<std::string, std::string> found;
    for (const auto& [name, service] : objects("services")) found[name] = service.at("Spec").dump();
    for (const auto& name : names("networks")) found["network " + name] = "";
    for (const auto& name : names("configs")) found["config " + name] = "";
    for (const auto& name : names("secrets")) found["secret " + name] = "";
    found["node"] = label();
    // A network that was made anew has another id.
    for (auto& [name, text] : found) {
      for (std::size_t at = 0; (at = text.find("\"Target\":\"", at)) != std::string::npos; ++at) {
        const auto from = at + 10;
        if (text.compare(from, 1, "/") != 0) text.erase(from, text.find('"', from) - from);
      }
    }
    return found;
  }
  std::string label() {
    const auto labels = get("/nodes").at(0).at("Spec").at("Labels");
    return labels.is_object() && labels.contains("shop") ? labels.at("shop").get<std::string>()
                                                         : "";
  }
  void make(const Edit& edit) {
    for (auto words : edit.commands) {
      for (auto& word : words) {
        if (word == "NODE") word = node;
      }
      // What holds a network ends a moment after its service.
      ASSERT_TRUE(eventually([&] { return engine().docker(words).exit_code == 0; }))
          << words.front();
    }
  }
  void wait_until_well() {
    ASSERT_TRUE(agent->wait_until("well", [](const nlohmann::json& status) {
      return is(stack_of(status, "shop"), "synced", "healthy");
    }));
  }
  /// To ask for a pass, as wait_for_passes() does, is to ask for what it heals.
  void wait_for_unasked_pass() {
    const auto before = agent->passes();
    docker({"config", "create", "poke", "-"}, "seen by the agent as an event");
    EXPECT_TRUE(eventually([&] { return agent->passes() > before; }));
    docker({"config", "rm", "poke"});
    EXPECT_TRUE(eventually([&] { return agent->passes() > before + 1; }));
  }
  std::string node;
  std::map<std::string, std::string> healthy;
};

TEST_F(KindsOfDrift, EachIsHealed) {
  deploy("true");
  std::cout << "edit                 healed after\n";
  for (const auto& edit : edits()) {
    SCOPED_TRACE(edit.name);
    // The agent may remove or make the service again while its network is being removed by hand.
    if (edit.name == "removed network") continue;
    make(edit);
    const auto start = std::chrono::steady_clock::now();
    ASSERT_TRUE(eventually([this] { return picture() == healthy; })) << agent->log();
    std::cout << std::left << std::setw(21) << edit.name << std::fixed << std::setprecision(2)
              << seconds_since(start) << " s\n";
    wait_until_well();
  }
}

TEST_F(KindsOfDrift, EachIsExplainedByItsFieldWhereSelfHealIsWarnAndHealedOnDemand) {
  deploy("warn");
  std::cout << "edit                 reported after   left alone\n";
  for (const auto& edit : edits()) {
    SCOPED_TRACE(edit.name);
    make(edit);
    const auto start = std::chrono::steady_clock::now();
    if (edit.object.empty()) {  // Of the cluster, not of a stack: healed at once, for it is shared.
      ASSERT_TRUE(eventually([this] { return picture() == healthy; }));
      continue;
    }
    ASSERT_TRUE(agent->wait_until("it is explained", [&](const nlohmann::json& status) {
      const auto stack = stack_of(status, "shop");
      if (!stack.is_object() || stack.at("sync") != "out_of_sync" ||
          stack.at("drift_cause") != "live" || stack.at("plan").is_null())
        return false;
      for (const auto& action : stack.at("plan").at("actions")) {
        if (action.at("name") != edit.object) continue;
        if (edit.field.empty()) return true;
        for (const auto& change : action.at("changes")) {
          if (change.at("path").get<std::string>().starts_with(edit.field)) return true;
        }
      }
      return false;
    }));
    std::cout << std::left << std::setw(21) << edit.name << std::fixed << std::setprecision(2)
              << seconds_since(start) << " s           ";
    const auto edited = picture();
    wait_for_unasked_pass();
    EXPECT_EQ(picture(), edited) << "warn heals nothing";
    EXPECT_NE(edited, healthy);
    std::cout << (picture() == edited ? "yes" : "no") << "\n";
    ASSERT_EQ(skep({"sync", "shop", "--socket", agent->socket()}).exit_code, 0);
    ASSERT_TRUE(eventually([this] { return picture() == healthy; })) << agent->log();
    wait_until_well();
  }
}

}  // namespace
}  // namespace skep::e2e
