#include <cstdlib>

#include "tests/e2e/e2e.hpp"
#include "tests/paths.hpp"

namespace skep::e2e {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class DeployVerb : public EndToEnd {
 protected:
  [[nodiscard]] std::string file(const std::string& name = "stack.yml") const {
    return repo->tree() + "/" + name;
  }
  lab::CommandOutput deploy(std::vector<std::string> more = {}, const std::string& input = {}) {
    std::vector<std::string> words{"deploy", "--resolve-image", "never"};
    words.insert(words.end(), more.begin(), more.end());
    return skep(words, input);
  }
  /// Two services on the host's network, which roll fast.
  static std::string two(const std::string& image, const std::string& more = {}) {
    return "services:\n  app: " + service(image, more) + "  other: " + service(kImage1) +
           kHostNetwork;
  }
};

TEST_F(DeployVerb, ComesToTheSameAsTheDockerCliForTheExample) {
  const std::string example =
      SKEP_SOURCE_DIR "/examples/cluster-repo/apps/whoami/docker-compose.yml";
  docker({"network", "create", "-d", "overlay", "imixs-proxy-net"});
  docker({"tag", kImage1, "traefik/whoami:v1.10.3"});
  docker({"stack", "deploy", "--resolve-image", "never", "--detach=true", "-c", example, "whoami"});
  const auto theirs = objects("services").at("whoami_app").at("Spec");
  docker({"service", "rm", "whoami_app"});
  const auto deployed = deploy({"-c", example, "whoami"});
  EXPECT_EQ(deployed.exit_code, 0) << deployed.err;
  EXPECT_EQ(objects("services").at("whoami_app").at("Spec"), theirs);
  EXPECT_THAT(deployed.out, HasSubstr("whoami_app: 2/2 running, healthy"));

  const auto before = versions();
  const auto again = deploy({"-c", example, "whoami"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("nothing was written"));
  EXPECT_EQ(versions(), before);
  // And the CLI finds its own stack.
  EXPECT_THAT(docker({"stack", "ls"}), HasSubstr("whoami"));
}

TEST_F(DeployVerb, ReadsStandardInputAndVariablesOfProcessAndFile) {
  repo->write("vars.env", "IMAGE_TAG=2.0\nHELLO=from the file\n");
  const auto text = two("skep-test/busybox:$IMAGE_TAG", "environment: { HELLO: \"$HELLO\" }");
  ::setenv("HELLO", "from the process", 1);
  const auto deployed = deploy({"-c", "-", "--env-file", file("vars.env"), "input"}, text);
  ::unsetenv("HELLO");
  EXPECT_EQ(deployed.exit_code, 0) << deployed.err;
  const auto container =
      objects("services").at("input_app").at("Spec").at("TaskTemplate").at("ContainerSpec");
  EXPECT_EQ(container.at("Image"), kImage2);
  EXPECT_EQ(container.at("Env"), nlohmann::json{"HELLO=from the process"});
}

TEST_F(DeployVerb, TakesFlagsInEverySpellingOfTheDockerCli) {
  repo->write("stack.yml", two(kImage1));
  const auto path = file();
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"-c=" + path, "-d=true", "t"},
        {"-c" + path, "-dq", "t"},
        {"-q=true", "--compose-file=" + path, "--detach=true", "t"},
        {"--prune=false", "-c", path, "-d", "--", "t"},
        {"-d", "t", "-c", path + "," + path},
        {"--orchestrator", "swarm", "-d", "-c", path, "t"}}) {
    const auto deployed = deploy(words);
    EXPECT_EQ(deployed.exit_code, 0) << testing::PrintToString(words) << deployed.err;
  }
}

TEST_F(DeployVerb, PrunesOnlyWhenAskedTo_F129) {
  repo->write("stack.yml", two(kImage1));
  ASSERT_EQ(deploy({"-c", file(), "small"}).exit_code, 0);
  repo->write("stack.yml", "services:\n  app: " + service(kImage1) + kHostNetwork);
  EXPECT_EQ(deploy({"-c", file(), "small"}).exit_code, 0);
  EXPECT_THAT(names("services"), ElementsAre("small_app", "small_other"));
  EXPECT_EQ(deploy({"--prune", "-c", file(), "small"}).exit_code, 0);
  EXPECT_THAT(names("services"), ElementsAre("small_app"));
}

TEST_F(DeployVerb, DetachedItDoesNotWait_D7_4) {
  // A registry that refuses at once, not the Internet's: how long that takes to answer is nobody's
  // promise.
  repo->write("stack.yml", "services:\n  app: { image: 'localhost:1/not-there:1.0' }\n");
  const auto start = std::chrono::steady_clock::now();
  const auto detached = deploy({"--detach", "-c", file(), "never"});
  EXPECT_EQ(detached.exit_code, 0) << detached.err;
  EXPECT_LT(seconds_since(start), 10);
  lab::CommandOutput waited;
  // Until the engine has tried; on a busy machine it may still be preparing the task after the
  // first three seconds.
  EXPECT_TRUE(eventually([&] {
    waited = deploy({"--timeout", "3s", "-c", file(), "never"});
    return waited.err.find("localhost:1/not-there") != std::string::npos;
  })) << waited.err;
  EXPECT_EQ(waited.exit_code, 1);
  EXPECT_THAT(waited.err, HasSubstr("never_app"));
}

TEST_F(DeployVerb, NothingIsWrittenBeforeAllOfItIsReadAndConverted_D2_1_D2_2) {
  const auto before = versions();
  const auto refused = [&](const std::string& text, const char* words) {
    repo->write("stack.yml", text);
    const auto deployed = deploy({"-d", "-c", file(), "half"});
    EXPECT_EQ(deployed.exit_code, 1) << deployed.out;
    EXPECT_THAT(deployed.err, HasSubstr(words));
    EXPECT_EQ(versions(), before) << words;
  };
  refused("services:\n  app: " + service(kImage1) + "  broken: " +
              service(kImage1, "volumes: [{ type: tmpfs, source: nonsense, target: /x }]") +
              kHostNetwork,
          "broken");
  refused("services:\n  app: " + service(kImage1, "secrets: [here, gone]") +
              "secrets:\n  here: { file: stack.yml }\n  gone: { file: gone.txt }\n" + kHostNetwork,
          "gone.txt");
}

TEST_F(DeployVerb, WhatTheEngineRefusesOfOneServiceIsSaidAndTheOthersStand_D6_7) {
  repo->write("stack.yml",
              "services:\n  a: " + service(kImage1) + "  b: " + service("Foo/bar") +
                  "  c: " + service(kImage1) + kHostNetwork);
  const auto refused = deploy({"-d", "-c", file(), "partly"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("partly_b"));
  EXPECT_THAT(refused.err, HasSubstr("is not a valid repository"));
  EXPECT_THAT(names("services"), ElementsAre("partly_a", "partly_c"));
}

TEST_F(DeployVerb, SaysWhatItDoesInTheClisWords_D2_3_F130) {
  repo->write("c.txt", "one\n");
  const auto text = [](const std::string& more) {
    return "services:\n  app: " + service(kImage1, "networks: [own], configs: [c]" + more) +
           "networks: { own: {} }\nconfigs: { c: { file: c.txt } }\n";
  };
  repo->write("stack.yml", text(""));
  EXPECT_THAT(deploy({"-d", "-c", file(), "said"}).out,
              testing::StartsWith("Creating network said_own\nCreating config said_c\n"
                                  "Creating service said_app\n"));
  const auto tasks_before = tasks("said_app");
  const auto again = deploy({"-d", "-c", file(), "said"});
  EXPECT_THAT(again.out, HasSubstr("nothing was written")) << "where the CLI writes the same again";
  EXPECT_EQ(tasks("said_app"), tasks_before);
  repo->write("stack.yml", text(", environment: { A: b }"));
  const auto id = objects("services").at("said_app").at("ID").get<std::string>();
  EXPECT_THAT(deploy({"-d", "-c", file(), "said"}).out,
              testing::StartsWith("Updating service said_app (id: " + id + ")\n"));
}

TEST_F(DeployVerb, AContainerThatEndsSoonAfterItsStartIsAnError) {
  repo->write("stack.yml",
              "services:\n  app: { image: \"" + std::string(kImage1) +
                  "\", command: [sh, -c, \"sleep 1; exit 3\"], deploy: { restart_policy: "
                  "{ delay: 100ms } } }\n");
  const auto deployed = deploy({"-c", file(), "brief"});
  EXPECT_EQ(deployed.exit_code, 1) << deployed.out;
  EXPECT_THAT(deployed.err, HasSubstr("brief_app"));
  EXPECT_THAT(deployed.err, HasSubstr("non-zero exit (3)"));
}

TEST_F(DeployVerb, WaitsForWhatAServiceDependsOn) {
  repo->write(
      "stack.yml",
      "services:\n  init: { image: " + kImage1 + ", command: [sh, -c, 'sleep 2'] }\n  app: " +
          service(kImage1, "depends_on: { init: { condition: service_completed_successfully } }") +
          "  later: " + service(kImage1, "depends_on: { app: { condition: service_started } }"));
  const auto deployed = deploy({"-c", file(), "once"});
  EXPECT_EQ(deployed.exit_code, 0) << deployed.out << deployed.err;
  EXPECT_THAT(deployed.out, HasSubstr("Waiting with once_app: once_init is not completed yet"));
  EXPECT_THAT(deployed.out, HasSubstr("Waiting with once_later"));
  const auto runs = get(R"(/tasks?filters={"service":["once_init"]})");
  ASSERT_EQ(runs.size(), 1U) << "it was started again";
  EXPECT_EQ(runs[0].at("Status").at("State"), "complete");
  const std::string ended = runs[0].at("Status").at("Timestamp");
  const std::string created = objects("services").at("once_app").at("CreatedAt");
  EXPECT_LE(ended.substr(0, 19), created.substr(0, 19));
  // What is there stays as it is.
  const auto before = versions();
  EXPECT_EQ(deploy({"-c", file(), "once"}).exit_code, 0);
  EXPECT_EQ(versions(), before);
}

TEST_F(DeployVerb, DoesNotWaitForWhatWillNeverComplete) {
  repo->write(
      "stack.yml",
      "services:\n  init: { image: \"" + std::string(kImage1) +
          "\", command: [sh, -c, 'exit 3'] }\n  app: " +
          service(kImage1, "depends_on: { init: { condition: service_completed_successfully } }"));
  const auto deployed = deploy({"-c", file(), "never"});
  EXPECT_EQ(deployed.exit_code, 1) << deployed.out;
  EXPECT_THAT(deployed.err,
              HasSubstr("never_app waits for what never completes: never_init failed: task: "
                        "non-zero exit (3); `docker service logs never_init` shows more"));
}

TEST_F(DeployVerb, AChangedConfigRotatesAndTheServiceCanBeRolledBack) {
  const auto text = two(kImage1, "configs: [c]") + "configs:\n  c: { file: c.txt }\n";
  repo->write("stack.yml", text);
  repo->write("c.txt", "one\n");
  ASSERT_EQ(deploy({"-c", file(), "rot"}).exit_code, 0);
  repo->write("c.txt", "two\n");
  const auto plan = skep({"plan", "--resolve-image", "never", "-c", file(), "rot"});
  EXPECT_EQ(plan.exit_code, 2) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr("+ config  rot_c-"));
  const auto deployed = deploy({"-c", file(), "rot"});
  ASSERT_EQ(deployed.exit_code, 0) << deployed.err;
  const auto used = [this] {
    return objects("services")
        .at("rot_app")
        .at("Spec")
        .at("TaskTemplate")
        .at("ContainerSpec")
        .at("Configs")
        .at(0)
        .at("ConfigName")
        .get<std::string>();
  };
  EXPECT_THAT(used(), testing::MatchesRegex("rot_c-[0-9a-f]{8}"));
  EXPECT_EQ(skep({"plan", "--resolve-image", "never", "-c", file(), "rot"}).exit_code, 0);
  docker({"service", "rollback", "--detach=false", "-q", "rot_app"});
  EXPECT_EQ(used(), "rot_c");
  ASSERT_TRUE(eventually([this] { return running_images("rot_app").size() == 1; }));
  // Deploying goes forward again, to the same name.
  EXPECT_EQ(deploy({"-c", file(), "rot"}).exit_code, 0);
  EXPECT_THAT(used(), testing::MatchesRegex("rot_c-[0-9a-f]{8}"));
  EXPECT_EQ(objects("configs").size(), 2U);
}

TEST_F(DeployVerb, StrictRefusesWhatTheDockerCliRefuses) {
  const auto text = two(kImage1, "configs: [c]") + "configs:\n  c: { file: c.txt }\n";
  repo->write("stack.yml", text);
  repo->write("c.txt", "one\n");
  ASSERT_EQ(deploy({"-c", file(), "rot"}).exit_code, 0);
  repo->write("c.txt", "two\n");
  const auto before = versions();
  const auto refused = deploy({"--strict", "-c", file(), "rot"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err,
              HasSubstr("\"rot_c\" has changed, but the engine takes new labels only"));
  EXPECT_EQ(versions(), before);
}

TEST_F(DeployVerb, PlanOfAFileExitsWith0And2And1) {
  const std::vector<std::string> plan{"plan", "--resolve-image", "never", "-c", file(), "p"};
  repo->write("stack.yml", two(kImage1));
  const auto fresh = skep(plan);
  EXPECT_EQ(fresh.exit_code, 2) << fresh.err;
  EXPECT_THAT(fresh.out, HasSubstr("+ service app"));
  EXPECT_THAT(names("services"), ElementsAre()) << "a plan writes nothing";
  ASSERT_EQ(deploy({"-c", file(), "p"}).exit_code, 0);
  EXPECT_EQ(skep(plan).exit_code, 0);
  repo->write("stack.yml", two(kImage2));
  const auto changed = skep(plan);
  EXPECT_EQ(changed.exit_code, 2);
  EXPECT_THAT(changed.out, HasSubstr(kImage1 + " → 2.0"));
  EXPECT_THAT(changed.out, HasSubstr("other untouched"));
  repo->write("stack.yml", "services:\n  app: 1\n");
  const auto broken = skep(plan);
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_THAT(broken.err, HasSubstr("stack.yml:2:"));
  repo->write("stack.yml", two(kImage1, "secrets: [no]") + "secrets: { no: { external: true } }\n");
  EXPECT_EQ(skep(plan).exit_code, 1);
}

TEST_F(DeployVerb, ATagIsResolvedAtAPrivateRegistryWithItsPassword) {
  const auto& registry = engine().registry();
  ASSERT_FALSE(registry.address.empty());
  docker({"login", "-u", registry.user, "-p", registry.password, registry.address});
  const auto image = registry.address + "/apps/my-app:1.0.0";
  docker({"tag", kImage1, image});
  const auto pushed = docker({"push", image});
  const auto at = pushed.find("sha256:");
  ASSERT_NE(at, std::string::npos) << pushed;
  const auto digest = pushed.substr(at, 71);
  repo->write("stack.yml", two(image));
  const auto deployed = skep({"deploy", "--with-registry-auth", "-c", file(), "private"});
  EXPECT_EQ(deployed.exit_code, 0) << deployed.err;
  EXPECT_EQ(objects("services")
                .at("private_app")
                .at("Spec")
                .at("TaskTemplate")
                .at("ContainerSpec")
                .at("Image"),
            image + "@" + digest);
}

}  // namespace
}  // namespace skep::e2e
