#include <fstream>

#include "tests/e2e/e2e.hpp"

namespace skep::e2e {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// One way to get a stack wrong, and what skep says of it.
struct Mistake {
  std::string name;
  std::string compose;  ///< Of apps/bad.
  std::string at;       ///< "file:line:column" of the finding; "" where only the swarm knows.
  std::string words;
};
void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.name; }

std::string with(const std::string& more, const std::string& below = {}) {
  return "services:\n  app:\n    image: " + kImage1 + "\n" + more + below;
}

const std::string kFile = "apps/bad/docker-compose.yml";

const std::vector<Mistake>& mistakes() {
  static const std::vector<Mistake> all = {
      {"invalid_yaml",
       "services:\n  app: {image: 'x\n",
       kFile + ":3:1",
       "end of map flow not found"},
      {"unknown_key", with("    imagee: x\n"), kFile + ":4:5", "imagee"},
      {"wrong_type", with("    ports: 80\n"), kFile + ":4:", "services.app.ports must be a list"},
      {"missing_env_file", with("    env_file: no.env\n"), kFile + ":4:", "no.env"},
      {"missing_config_file",
       with("    configs: [c]\n", "configs:\n  c: { file: no.txt }\n"),
       kFile + ":6:",
       "no.txt"},
      {"missing_external_network",
       with("    networks: [nowhere]\n", "networks:\n  nowhere: { external: true }\n"),
       "",
       "nowhere"},
      {"missing_external_secret",
       with("    secrets: [unknown]\n", "secrets:\n  unknown: { external: true }\n"),
       "",
       "unknown"},
      {"unset_variable",
       with("    environment: { PASSWORD: \"${PASSWORD}\" }\n"),
       kFile + ":4:",
       "PASSWORD"},
      {"path_out_of_the_repository",
       with("    configs: [c]\n", "configs:\n  c: { file: ../../../etc/passwd }\n"),
       kFile + ":6:",
       "outside"},
  };
  return all;
}

/// What must always hold: the bad stack is named with the reason and untouched, the good one runs.
class Mistakes : public EndToEnd {
 protected:
  lab::CommandOutput apply() {
    repo->stack("good", "services:\n  app: " + service(kImage1) + kHostNetwork);
    repo->push();
    return skep({"apply", "--repo", repo->bare(), "--ref", "main"});
  }
  [[nodiscard]] lab::CommandOutput validate() const { return skep({"validate", repo->tree()}); }
  void expect_only_good_runs() const {
    EXPECT_THAT(names("services"), ElementsAre("good_app"));
    EXPECT_THAT(names("networks"), ElementsAre());
    EXPECT_THAT(names("configs"), ElementsAre("skep-default-state"));
    EXPECT_THAT(names("secrets"), ElementsAre());
  }
};

class MistakesOfOneStack : public Mistakes, public testing::WithParamInterface<Mistake> {};

TEST_P(MistakesOfOneStack, IsNamedFreezesItsStackAndNoOther) {
  const auto& mistake = GetParam();
  repo->stack("bad", mistake.compose);
  const auto applied = apply();
  EXPECT_EQ(applied.exit_code, 1);
  EXPECT_THAT(applied.out + applied.err, HasSubstr(mistake.words));
  EXPECT_THAT(applied.out + applied.err, HasSubstr(mistake.at));
  expect_only_good_runs();
  const auto validated = validate();
  EXPECT_EQ(validated.exit_code, mistake.at.empty() ? 0 : 1) << validated.out;
  EXPECT_THAT(validated.out, HasSubstr(mistake.at.empty() ? "2 stacks" : mistake.at));
  if (!mistake.at.empty()) {
    EXPECT_THAT(validated.out, HasSubstr(" 1 errors"));
  }
}

INSTANTIATE_TEST_SUITE_P(Mistakes,
                         MistakesOfOneStack,
                         testing::ValuesIn(mistakes()),
                         [](const auto& row) { return row.param.name; });

TEST_F(Mistakes, OneStackWithInvalidYamlLeavesTheOthersToTheAgent) {
  repo->stack("bad", "services:\n  app: " + service(kImage1));
  repo->stack("good", "services:\n  app: " + service(kImage1));
  start_agent();
  ASSERT_TRUE(agent->wait_for_commit(repo->push()));
  const auto before = versions();
  repo->stack("bad", "services:\n  app: [\n");
  repo->stack("good", "services:\n  app: " + service(kImage2));
  const auto commit = repo->push("one mistake");
  ASSERT_TRUE(agent->wait_until("good is updated", [&](const nlohmann::json& status) {
    const auto good = stack_of(status, "good");
    return is(good, "synced", "healthy") && good.at("target_revision") == commit;
  }));
  EXPECT_THAT(running_images("good_app"), ElementsAre(kImage2));
  EXPECT_EQ(versions().at("services/bad_app"), before.at("services/bad_app"));
  const auto shown = skep({"status", "--socket", agent->socket()});
  EXPECT_EQ(shown.exit_code, 1);
  EXPECT_THAT(shown.out,
              testing::ContainsRegex("apps/bad .*unknown .*" + kFile + ":[0-9]+:[0-9]+: "));
  EXPECT_EQ(skep({"status", "good", "--socket", agent->socket()}).exit_code, 0);
  EXPECT_EQ(skep({"status", "bad", "--socket", agent->socket()}).exit_code, 1);
  EXPECT_EQ(agent->metric("skep_stack_sync_state", R"(stack="apps/bad",state="unknown")"), 1);
  repo->stack("bad", "services:\n  app: " + service(kImage2));
  ASSERT_TRUE(agent->wait_for_commit(repo->push("mended")));
}

TEST_F(Mistakes, Attack8_AnApplicationThatAsksForTheSocketIsBlockedAndNoOther) {
  repo->stack("bad", with("    volumes: ['/var/run/docker.sock:/s']\n"));
  repo->stack("good", "services:\n  app: " + service(kImage1));
  const auto policy = (directory() / "no-rules.yaml").string();
  std::ofstream(policy) << "# as without a file\n";
  start_agent({"--policy-file", policy});
  repo->push();
  ASSERT_TRUE(agent->wait_until("good runs", [](const nlohmann::json& status) {
    return is(stack_of(status, "good"), "synced", "healthy");
  }));
  EXPECT_THAT(names("services"), ElementsAre("good_app"));
  const auto explained = skep({"explain", "bad", "--socket", agent->socket()});
  EXPECT_THAT(explained.out,
              HasSubstr("service app of apps/bad may not mount /var/run/docker.sock of the node; "
                        "bind_sources in the agent's policy file can allow it"));
  const auto planned =
      skep({"plan", "bad", "--repo", repo->bare(), "--ref", "main", "--policy-file", policy});
  EXPECT_EQ(planned.exit_code, 1);
  EXPECT_THAT(planned.out, HasSubstr(kFile + ":2:3"));
}

TEST_F(Mistakes, AllMistakesOfOnePushAreShownInOneRun) {
  for (const auto& mistake : mistakes()) {
    if (!mistake.at.empty()) repo->stack(mistake.name, mistake.compose);
  }
  const auto applied = apply();
  EXPECT_EQ(applied.exit_code, 1);
  for (const auto& shown : {applied.err, validate().out}) {
    for (const auto& mistake : mistakes()) {
      if (mistake.at.empty()) continue;
      const auto file = "apps/" + mistake.name + "/docker-compose.yml:";
      EXPECT_THAT(shown, testing::ContainsRegex(file + "[0-9]+:[0-9]+: ")) << mistake.name;
    }
  }
  expect_only_good_runs();
}

TEST_F(Mistakes, CollidingNamesFreezeBothStacks) {
  repo->stack("one", "services:\n  app: " + service(kImage1));
  repo->stack("two", "services:\n  app: " + service(kImage1));
  repo->write("apps/two/skep.yaml", "name: one\n");
  const auto applied = apply();
  EXPECT_EQ(applied.exit_code, 1);
  EXPECT_THAT(applied.err, HasSubstr("apps/two/skep.yaml:1:7"));
  expect_only_good_runs();
}

TEST_F(Mistakes, APortThatTwoStacksPublishFreezesTheLaterOne) {
  repo->stack("one", with("    ports: ['8080:80']\n"));
  repo->stack("two", with("    ports: ['8080:80']\n"));
  const auto applied = apply();
  EXPECT_EQ(applied.exit_code, 1);
  EXPECT_THAT(applied.err, HasSubstr("apps/two/docker-compose.yml:2:3: error: port 8080/tcp"));
  EXPECT_THAT(applied.err, HasSubstr("published by service one_app of apps/one"));
  EXPECT_THAT(names("services"), ElementsAre("good_app", "one_app"));
}

TEST_F(Mistakes, LinksInTheRepositoryAreRefusedByName_Trap30_Attack1) {
  repo->link("apps/linked/docker-compose.yml", "/etc/passwd");
  repo->stack("bad", with("    configs: [c]\n", "configs:\n  c: { file: link.txt }\n"));
  repo->link("apps/bad/link.txt", "/etc/passwd");
  const auto applied = apply();
  EXPECT_EQ(applied.exit_code, 1);
  EXPECT_THAT(applied.err, HasSubstr("apps/linked/docker-compose.yml"));
  EXPECT_THAT(applied.err, HasSubstr("apps/bad/link.txt"));
  EXPECT_THAT(applied.err, testing::ContainsRegex("link"));
  EXPECT_THAT(applied.out + applied.err, testing::Not(HasSubstr("root:")));
  expect_only_good_runs();
}

TEST_F(Mistakes, UnknownKeysInSkepYamlAreErrorsThatNameTheRightOne) {
  repo->stack("bad", "services:\n  app: " + service(kImage1));
  repo->write("apps/bad/skep.yaml", "selfHeal: true\n");
  const auto applied = apply();
  EXPECT_EQ(applied.exit_code, 1);
  EXPECT_THAT(applied.err, HasSubstr("apps/bad/skep.yaml:1:1"));
  EXPECT_THAT(applied.err, HasSubstr("self_heal"));
  expect_only_good_runs();
}

TEST_F(Mistakes, ADirectoryThatLostItsComposeFileIsFrozenAndItsStackStays) {
  repo->stack("bad", "services:\n  app: " + service(kImage1));
  apply();
  const auto before = versions();
  repo->remove("apps/bad/docker-compose.yml");
  repo->write("apps/bad/README.md", "soon\n");
  const auto applied = apply();
  EXPECT_EQ(applied.exit_code, 1);
  EXPECT_THAT(applied.err, HasSubstr("apps/bad"));
  EXPECT_EQ(versions().at("services/bad_app"), before.at("services/bad_app"));
}

}  // namespace
}  // namespace skep::e2e
