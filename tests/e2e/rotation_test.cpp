#include <fstream>

#include "tests/e2e/e2e.hpp"

namespace skep::e2e {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::UnorderedElementsAre;

/// A stack "shop" whose one service "app" uses the config "conf" and the secret "pass".
class Rotation : public EndToEnd {
 protected:
  static std::string compose(const std::string& more = {}) {
    return "services:\n  app: " +
           service(kImage1,
                   "configs: [conf], secrets: [pass]" + (more.empty() ? "" : ", " + more)) +
           "configs: { conf: { file: ./conf } }\nsecrets: { pass: { file: ./pass } }\n" +
           kHostNetwork;
  }
  void put(const std::string& name, const std::string& text) const {
    std::ofstream(directory() / name) << text;
  }
  /// As from a laptop.
  void deploy(const std::string& conf, const std::string& pass, const std::string& more = {}) {
    put("conf", conf);
    put("pass", pass);
    put("stack.yml", compose(more));
    const auto done = skep(laptop("deploy", {"--detach"}));
    ASSERT_EQ(done.exit_code, 0) << done.out << done.err;
    // As long as the rollout goes on, the next one would be another one.
    ASSERT_TRUE(eventually([this] {
      const auto app = objects("services").at("shop_app");
      const bool moves =
          app.contains("UpdateStatus") && app.at("UpdateStatus").at("State") == "updating";
      const auto tasks =
          get(R"(/tasks?filters={"service":["shop_app"],"desired-state":["running"]})");
      // The engine takes a moment to begin an update that it accepted.
      return !moves && tasks.size() == 1 && tasks[0].at("Status").at("State") == "running" &&
             tasks[0].at("Spec").at("ContainerSpec") ==
                 app.at("Spec").at("TaskTemplate").at("ContainerSpec");
    }));
  }
  [[nodiscard]] std::vector<std::string> laptop(const std::string& verb,
                                                std::vector<std::string> more = {}) const {
    std::vector<std::string> words{
        verb, "-c", (directory() / "stack.yml").string(), "--resolve-image", "never", "shop"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  void push(const std::string& conf, const std::string& pass, const std::string& more = {}) {
    repo->write("apps/shop/conf", conf);
    repo->write("apps/shop/pass", pass);
    repo->stack("shop", compose(more));
    const auto commit = repo->push();
    if (!agent) start_agent(flags);
    ASSERT_TRUE(agent->wait_for_commit(commit));
  }
  [[nodiscard]] nlohmann::json container() const {
    return objects("services").at("shop_app").at("Spec").at("TaskTemplate").at("ContainerSpec");
  }
  [[nodiscard]] std::string used_config() const {
    return container().at("Configs").at(0).at("ConfigName");
  }
  [[nodiscard]] std::string used_secret() const {
    return container().at("Secrets").at(0).at("SecretName");
  }
  /// Of the stack, without the agent's state object.
  [[nodiscard]] std::vector<std::string> shops(const std::string& kind) const {
    std::vector<std::string> found;
    for (const auto& name : names(kind)) {
      if (name.rfind("shop_", 0) == 0) found.push_back(name);
    }
    return found;
  }
  /// What the running task reads.
  [[nodiscard]] bool task_reads(const std::string& conf, const std::string& pass) const {
    return eventually([&] {
      const auto id =
          docker({"ps", "-q", "--filter", "name=shop_app", "--filter", "status=running"});
      if (id.size() < 12) return false;
      const auto read =
          engine().docker({"exec", id.substr(0, 12), "cat", "/conf", "/run/secrets/pass"});
      return read.exit_code == 0 && read.out == conf + pass;
    });
  }
  /// Labels of ours that are left anywhere in the stack.
  [[nodiscard]] std::vector<std::string> our_labels() const {
    std::vector<std::string> found;
    for (const auto* kind : {"services", "configs", "secrets"}) {
      for (const auto& [name, object] : objects(kind)) {
        if (name.rfind("shop_", 0) != 0) continue;
        for (const auto& [label, value] : object.at("Spec").at("Labels").items()) {
          if (label.rfind("io.skep.", 0) == 0) found.push_back(name + " " + label);
        }
      }
    }
    return found;
  }
  /// `docker stack deploy` of stack.yml changes no Spec and no task.
  void expect_that_the_cli_changes_nothing() {
    const auto specs = [this] {
      std::map<std::string, nlohmann::json> found;
      for (const auto* kind : {"services", "configs", "secrets"}) {
        for (const auto& [name, object] : objects(kind))
          found[std::string(kind) + "/" + name] = {object.at("ID"), object.at("Spec")};
      }
      return found;
    };
    const auto before = specs();
    const auto running = tasks("shop_app");
    docker({"stack",
            "deploy",
            "-c",
            (directory() / "stack.yml").string(),
            "--resolve-image",
            "never",
            "shop"});
    EXPECT_EQ(specs(), before);
    EXPECT_EQ(tasks("shop_app"), running);
    const auto plan = skep(laptop("plan"));
    EXPECT_EQ(plan.exit_code, 0) << plan.out;
  }
  std::vector<std::string> flags;
};

TEST_F(Rotation, OfALaptopGivesNewNamesAndARollbackWorks) {
  deploy("one\n", "hunter1");
  EXPECT_EQ(used_config(), "shop_conf");
  EXPECT_EQ(used_secret(), "shop_pass");
  EXPECT_THAT(our_labels(), IsEmpty());
  deploy("two\n", "hunter2");
  EXPECT_THAT(used_config(), testing::MatchesRegex("shop_conf-[0-9a-f]{8}"));
  EXPECT_THAT(used_secret(), testing::MatchesRegex("shop_pass-[0-9a-f]{8}"));
  EXPECT_TRUE(task_reads("two\n", "hunter2"));
  EXPECT_THAT(shops("configs"), SizeIs(2)) << "PreviousSpec cites the old one (trap 19)";
  docker({"service", "rollback", "--detach=false", "shop_app"});
  EXPECT_EQ(used_config(), "shop_conf");
  EXPECT_TRUE(task_reads("one\n", "hunter1")) << "the rolled-back task has what it needs";
}

TEST_F(Rotation, OldGenerationsGoWhenNothingCitesThemAndTheFirstNameIsUsedAgain) {
  deploy("one\n", "hunter1");
  deploy("two\n", "hunter2");
  deploy("two\n", "hunter2", "hostname: h");
  deploy("two\n", "hunter2", "hostname: h");
  EXPECT_THAT(shops("configs"), ElementsAre(used_config()));
  EXPECT_THAT(shops("secrets"), ElementsAre(used_secret()));
  const auto version = versions();
  deploy("two\n", "hunter2", "hostname: h");
  EXPECT_EQ(versions(), version) << "a clean deployment writes nothing";
  deploy("three\n", "hunter3", "hostname: h");
  EXPECT_EQ(used_config(), "shop_conf") << "the first name is free again";
  EXPECT_EQ(used_secret(), "shop_pass");
  EXPECT_TRUE(task_reads("three\n", "hunter3"));
}

TEST_F(Rotation, BackToAnEarlierContentTakesTheObjectThatIsThere) {
  deploy("one\n", "hunter1");
  const auto first = objects("configs").at("shop_conf").at("ID");
  deploy("two\n", "hunter2");
  deploy("one\n", "hunter1");
  EXPECT_EQ(used_config(), "shop_conf");
  EXPECT_EQ(used_secret(), "shop_pass");
  EXPECT_EQ(objects("configs").at("shop_conf").at("ID"), first);
}

TEST_F(Rotation, ALabelAloneIsChangedInPlaceAndRestartsNothing) {
  deploy("one\n", "hunter1");
  deploy("two\n", "hunter2");
  const auto running = tasks("shop_app");
  const auto config = used_config();
  const auto id = objects("configs").at(config).at("ID");
  put("stack.yml",
      "services:\n  app: " + service(kImage1, "configs: [conf], secrets: [pass]") +
          "configs: { conf: { file: ./conf, labels: { a: b } } }\n"
          "secrets: { pass: { file: ./pass, labels: { c: d } } }\n" +
          kHostNetwork);
  ASSERT_EQ(skep(laptop("deploy")).exit_code, 0);
  EXPECT_EQ(used_config(), config);
  EXPECT_EQ(objects("configs").at(config).at("ID"), id);
  EXPECT_EQ(objects("configs").at(config).at("Spec").at("Labels").at("a"), "b");
  EXPECT_EQ(objects("secrets").at(used_secret()).at("Spec").at("Labels").at("c"), "d");
  EXPECT_EQ(tasks("shop_app"), running);
}

TEST_F(Rotation, ADefinitionThatNoServiceUsesIsReplacedToo) {
  const auto file = [&](const std::string& content) {
    put("stack.yml",
        "services:\n  app: " + service(kImage1) + "configs: { idle: { content: " + content +
            " } }\n");
    return skep(laptop("deploy")).exit_code;
  };
  ASSERT_EQ(file("one"), 0);
  EXPECT_THAT(shops("configs"), ElementsAre("shop_idle"));
  const auto running = tasks("shop_app");
  ASSERT_EQ(file("two"), 0);
  ASSERT_EQ(file("two"), 0);
  ASSERT_THAT(shops("configs"), SizeIs(1));
  EXPECT_THAT(shops("configs")[0], testing::MatchesRegex("shop_idle-[0-9a-f]{8}"));
  EXPECT_EQ(tasks("shop_app"), running);
}

TEST_F(Rotation, AGenerationThatATaskOfAPausedRolloutUsesStays_Trap19) {
  const std::string two =
      "deploy: { replicas: 4, restart_policy: { condition: none }, update_config: "
      "{ parallelism: 1, monitor: 2s, failure_action: pause } }, stop_signal: SIGKILL";
  const auto file = [&](const std::string& conf, const std::string& command) {
    put("conf", conf);
    put("stack.yml",
        "services:\n  app: { image: " + kImage1 + ", configs: [conf], command: " + command + ", " +
            two + " }\nconfigs: { conf: { file: ./conf } }\n");
    auto words = laptop("deploy", {"--detach"});
    return skep(words).exit_code;
  };
  ASSERT_EQ(file("one\n", "[sleep, '3600']"), 0);
  ASSERT_TRUE(eventually([this] { return running_images("shop_app").size() == 4; }));
  const auto pauses = [this] {
    return eventually([this] {
      const auto app = objects("services").at("shop_app");
      return app.contains("UpdateStatus") && app.at("UpdateStatus").at("State") == "paused";
    });
  };
  ASSERT_EQ(file("two\n", "['false']"), 0);
  ASSERT_TRUE(pauses());
  ASSERT_EQ(file("three\n", "['false']"), 0);
  ASSERT_TRUE(pauses());
  // Spec is three, PreviousSpec two; tasks that no rollout came to still run with one.
  ASSERT_THAT(running_images("shop_app"), Not(IsEmpty()));
  ASSERT_EQ(file("three\n", "['false']"), 0);
  EXPECT_THAT(shops("configs"), testing::Contains("shop_conf"));
  docker({"service", "scale", "--detach", "shop_app=0"});
  ASSERT_TRUE(eventually([this] { return running_images("shop_app").empty(); }));
}

TEST_F(Rotation, OfTheAgentKeepsARollbackUsableAndCollects) {
  push("one\n", "hunter1");
  EXPECT_EQ(used_config(), "shop_conf");
  push("two\n", "hunter2");
  EXPECT_THAT(used_config(), testing::MatchesRegex("shop_conf-[0-9a-f]{8}"));
  EXPECT_TRUE(task_reads("two\n", "hunter2"));
  EXPECT_THAT(shops("configs"), SizeIs(2));
  push("two\n", "hunter2", "hostname: h");
  EXPECT_TRUE(eventually([this] { return shops("configs").size() == 1; })) << agent->log();
  EXPECT_TRUE(eventually([this] { return shops("secrets").size() == 1; }));
  push("three\n", "hunter3", "hostname: h");
  EXPECT_EQ(used_config(), "shop_conf");
  docker({"service", "rollback", "--detach=false", "shop_app"});
  EXPECT_TRUE(task_reads("two\n", "hunter2"));
}

TEST_F(Rotation, OfALaptopAndTheAgentOnOneStackAgree) {
  push("one\n", "hunter1");
  push("two\n", "hunter2");
  const auto config = used_config();
  const auto secret = used_secret();
  agent.reset();
  deploy("two\n", "hunter2");
  EXPECT_EQ(used_config(), config);
  EXPECT_EQ(used_secret(), secret);
  deploy("three\n", "hunter3");
  const auto by_laptop = used_secret();
  push("three\n", "hunter3");
  EXPECT_EQ(used_secret(), by_laptop) << "its random suffix is known by the key's label";
  agent->wait_for_passes();
  EXPECT_EQ(used_secret(), by_laptop);
}

TEST_F(Rotation, WithADigestKeyNamesAreTheSameEverywhere) {
  put("key", "0123456789abcdef0123456789abcdef\n");
  const auto key = (directory() / "key").string();
  flags = {"--digest-key-file", key};
  push("one\n", "hunter1");
  const auto label =
      objects("secrets").at("shop_pass").at("Spec").at("Labels").at("io.skep.digest");
  push("two\n", "hunter2");
  const auto secret = used_secret();
  agent.reset();
  put("conf", "two\n");
  put("pass", "hunter2");
  put("stack.yml", compose());
  for (const auto* object : {"service", "secret"})
    docker({object, "rm", std::string(object) == "service" ? "shop_app" : secret});
  ASSERT_EQ(skep(laptop("deploy", {"--digest-key-file", key})).exit_code, 0);
  EXPECT_EQ(used_secret(), secret);
  EXPECT_THAT(label.get<std::string>(), testing::MatchesRegex("[0-9a-f]{8}:[0-9a-f]{64}"));
  EXPECT_EQ(skep({"deploy", "-c", "x", "--digest-key-file", (directory() / "no").string(), "shop"})
                .exit_code,
            1);
}

TEST_F(Rotation, EjectGivesTheStackBackAndTheCliRestartsNothing) {
  push("one\n", "hunter1");
  push("two\n", "hunter2");
  push("two\n", "hunter2", "hostname: h");
  ASSERT_THAT(our_labels(), Not(IsEmpty()));
  put("conf", "two\n");
  put("pass", "hunter2");
  put("stack.yml", compose("hostname: h"));
  auto words = laptop("eject");
  const auto refused = skep(words);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("this restarts app; nothing was changed: say --yes"));
  EXPECT_THAT(used_config(), Not("shop_conf"));
  words.push_back("--yes");
  const auto done = skep(words);
  ASSERT_EQ(done.exit_code, 0) << done.out << done.err;
  EXPECT_EQ(used_config(), "shop_conf");
  EXPECT_EQ(used_secret(), "shop_pass");
  EXPECT_THAT(our_labels(), IsEmpty());
  EXPECT_TRUE(task_reads("two\n", "hunter2"));
  expect_that_the_cli_changes_nothing();
  // The agent, which still has it in git, leaves it alone.
  ASSERT_TRUE(agent->wait_until("held", [](const nlohmann::json& status) {
    const auto stack = stack_of(status, "shop");
    return !stack.is_null() && stack.at("held") == true;
  }));
  docker({"service", "update", "--detach", "--env-add", "A=b", "shop_app"});
  agent->wait_for_passes();
  EXPECT_EQ(container().at("Env"), nlohmann::json{"A=b"});
  repo->remove("apps/shop");
  repo->push("gone");
  agent->wait_for_passes(4);
  EXPECT_EQ(names("services").size(), 1U) << "what was ejected is not removed with its directory";
}

TEST_F(Rotation, EjectMovesAServiceAsideWhoseOldContentHasThePlainName) {
  deploy("one\n", "hunter1");
  put("conf", "two\n");
  put("pass", "hunter2");
  EXPECT_THAT(skep(laptop("eject")).err,
              HasSubstr("this restarts app, and in a second step app; nothing was changed"));
  const auto done = skep(laptop("eject", {"--yes"}));
  ASSERT_EQ(done.exit_code, 0) << done.out << done.err;
  EXPECT_THAT(done.out, HasSubstr("older content gives its plain name up"));
  EXPECT_EQ(used_config(), "shop_conf");
  EXPECT_TRUE(task_reads("two\n", "hunter2"));
  EXPECT_THAT(our_labels(), IsEmpty());
  expect_that_the_cli_changes_nothing();
  const auto again = skep(laptop("eject"));
  EXPECT_EQ(again.exit_code, 0) << "nothing restarts, so nothing is asked: " << again.err;
}

TEST_F(Rotation, EjectOfAStackThatIsNotThereChangesNothing) {
  put("conf", "a");
  put("pass", "b");
  put("stack.yml", compose());
  const auto done = skep(laptop("eject", {"--yes"}));
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(done.err, HasSubstr("no stack shop runs on this swarm"));
}

TEST_F(Rotation, AFileOfTheRepositoryReachesTheTaskAndEjectMountsItFromTheCheckout) {
  const auto stack = [this](const std::string& content) {
    repo->write("apps/shop/app.conf", content);
    repo->stack("shop",
                "services:\n  app: " + service(kImage1, "volumes: ['./app.conf:/conf:ro']"));
    return repo->push();
  };
  const auto first = stack("one\n");
  start_agent();
  ASSERT_TRUE(agent->wait_for_commit(first));
  const auto reads = [this](const std::string& expected) {
    return eventually([&] {
      const auto id =
          docker({"ps", "-q", "--filter", "name=shop_app", "--filter", "status=running"});
      return id.size() >= 12 &&
             engine().docker({"exec", id.substr(0, 12), "cat", "/conf"}).out == expected;
    });
  };
  EXPECT_TRUE(reads("one\n"));
  const auto running = tasks("shop_app");
  ASSERT_TRUE(agent->wait_for_commit(stack("two\n")));
  EXPECT_TRUE(reads("two\n"));
  EXPECT_NE(tasks("shop_app"), running);
  const auto done = skep({"eject", "--repo", repo->tree(), "--yes", "shop"});
  ASSERT_EQ(done.exit_code, 0) << done.out << done.err;
  const auto mounts = container().at("Mounts");
  ASSERT_EQ(mounts.size(), 1U);
  EXPECT_EQ(mounts[0].at("Source"), repo->tree() + "/apps/shop/app.conf");
  EXPECT_TRUE(reads("two\n"));
  EXPECT_THAT(our_labels(), IsEmpty());
}

}  // namespace
}  // namespace skep::e2e
