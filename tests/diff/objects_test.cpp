#include <gtest/gtest.h>

#include "diff/plan.hpp"
#include "support.hpp"

namespace skep::diff {
namespace {

using testing::SimulatedSwarm;
using testing::verbs;
using Verbs = std::vector<std::string>;

/// "s_web" with config "s_conf" and secret "s_pass", deployed.
struct Objects : ::testing::Test {
  SimulatedSwarm swarm;
  swarm::StackSpec desired = testing::stack("s");
  Policy policy;

  void SetUp() override {
    auto& web = testing::add_service(desired, "web");
    testing::add_config(desired, "conf", "one");
    testing::add_secret(desired, "pass", "hunter2");
    testing::cite_config(web, "s_conf", "/conf");
    testing::cite_secret(web, "s_pass", "pass");
    policy = swarm.policy();
    policy.prune = policy.prune_objects = true;
    testing::converge(swarm, desired, policy);
  }
  Plan next() { return plan(desired, swarm.state, policy); }
  std::string config_of_web() {
    return swarm.service("s_web").spec.task_template.container.configs[0].config_name;
  }
};

TEST_F(Objects, HaveTheCliNamesAtFirst_C1_3) {
  EXPECT_EQ(config_of_web(), "s_conf");
  EXPECT_NE(swarm.state.find_secret("s_pass"), nullptr);
  EXPECT_TRUE(next().empty());
}

TEST_F(Objects, AreRotatedWhenTheirContentChangesAndKeepTheOldForARollback) {
  desired.configs["conf"].data = "two";
  desired.secrets["pass"].data = Secret("hunter3");
  const auto made = next();
  ASSERT_EQ(made.actions.size(), 3U);
  EXPECT_EQ(made.actions[0].kind, ObjectKind::secret);
  EXPECT_EQ(made.actions[0].reason, "replaces s_pass");
  EXPECT_EQ(made.actions[0].name.size(), std::string("s_pass-12345678").size());
  EXPECT_EQ(made.actions[1].name.substr(0, 7), "s_conf-");
  EXPECT_EQ(made.actions[2].impact, Impact::restart);
  EXPECT_EQ(made.desired.configs.at("conf").labels.at(testing::kKey), "conf");
  swarm.apply(made);
  EXPECT_EQ(config_of_web(), made.actions[1].name);
  EXPECT_TRUE(next().empty()) << "PreviousSpec still cites the old ones (trap 19)";
  // A later update lets them go.
  desired.services["web"].spec.task_template.container.hostname = "h";
  swarm.apply(next());
  EXPECT_EQ(verbs(next()), (Verbs{"-s_pass", "-s_conf"}));
  swarm.apply(next());
  EXPECT_TRUE(next().empty()) << "the plain name is free now, but that is no reason to move";
  // Back to the first content: the plain name is free and holds it best.
  desired.configs["conf"].data = "one";
  swarm.apply(next());
  EXPECT_EQ(config_of_web(), "s_conf");
  EXPECT_TRUE(next().empty());
}

TEST_F(Objects, GoBackToAnEarlierGenerationThatIsStillThere) {
  desired.configs["conf"].data = "two";
  swarm.apply(next());
  desired.configs["conf"].data = "one";
  EXPECT_EQ(verbs(next()), (Verbs{"~s_web"}));
  swarm.apply(next());
  EXPECT_EQ(config_of_web(), "s_conf");
}

TEST_F(Objects, RotateForANewTemplateDriverButNotForALabel_D5_3_Trap17) {
  desired.configs["conf"].labels["a"] = "b";
  auto made = next();
  EXPECT_EQ(verbs(made), (Verbs{"~s_conf"}));
  EXPECT_EQ(made.actions[0].impact, Impact::none);
  swarm.apply(made);
  EXPECT_TRUE(next().empty());
  desired.configs["conf"].templating = swarm::Driver{"golang", {}};
  made = next();
  EXPECT_EQ(made.actions[0].verb, Verb::create);
  EXPECT_EQ(made.actions[0].reason, "replaces s_conf");
  desired.configs["conf"].templating.reset();
  desired.secrets["pass"].driver = swarm::Driver{"vault", {}};
  desired.secrets["pass"].data = Secret();
  EXPECT_EQ(next().actions[0].reason, "replaces s_pass");
}

TEST_F(Objects, UpdateLabelsOfAGenerationWithoutLosingItsKey_D5_1) {
  desired.configs["conf"].data = "two";
  swarm.apply(next());
  desired.configs["conf"].labels["a"] = "b";
  swarm.apply(next());
  EXPECT_TRUE(next().empty());
  EXPECT_EQ(swarm.state.find_config(config_of_web())->labels.at(testing::kKey), "conf");
}

TEST_F(Objects, AreABlockedNoteWithoutRotation_D5_2_F105) {
  policy.rotate = false;
  desired.configs["conf"].data = "two";
  EXPECT_TRUE(next().blocked());
  EXPECT_TRUE(testing::has_note(next(), Note::Severity::blocked, "s_conf"));
  policy.rotate = true;
  desired.configs["conf"].data = "one";
  desired.secrets["pass"].data = Secret("x");
  policy.secret_suffix = {};
  EXPECT_TRUE(testing::has_note(next(), Note::Severity::blocked, "no key"));
}

TEST_F(Objects, WhoseContentCannotBeToldAreLeftAlone_D5_4) {
  policy.secret_holds = {};
  desired.secrets["pass"].data = Secret("other");
  EXPECT_TRUE(next().empty());
  EXPECT_TRUE(testing::has_note(next(), Note::Severity::info, "cannot be told"));
}

TEST_F(Objects, OfLongNamesKeepTheirHashWithinTheLimit_Trap20) {
  const std::string key(60, 'k');
  testing::add_config(desired, key, "one");
  testing::add_config(desired, key + "2", "one");
  testing::converge(swarm, desired, policy);
  desired.configs[key].data = "two";
  desired.configs[key + "2"].data = "two";
  const auto made = next();
  ASSERT_EQ(made.actions.size(), 4U) << "two new, two old that nothing uses";
  EXPECT_EQ(made.actions[0].name.size(), 64U);
  EXPECT_NE(made.actions[0].name, made.actions[1].name) << "two keys are two objects (trap 18)";
}

TEST_F(Objects, WithoutAStackAreAdoptedAndOfAnotherStackRefused) {
  for (auto& config : swarm.state.configs) config.labels.clear();
  auto made = next();
  EXPECT_EQ(verbs(made), (Verbs{"~s_conf"}));
  EXPECT_TRUE(testing::has_note(made, Note::Severity::info, "adopted"));
  for (auto& config : swarm.state.configs) config.labels = {{testing::kStack, "other"}};
  EXPECT_TRUE(testing::has_note(next(), Note::Severity::blocked, "belongs to stack \"other\""));
}

TEST_F(Objects, RewriteACredentialSpecToo_C6_5) {
  auto& container = desired.services["web"].spec.task_template.container;
  container.privileges->credential_spec = swarm::CredentialSpec{"s_conf", "", ""};
  container.configs.push_back({{}, swarm::RuntimeTarget{}, "", "s_conf"});
  swarm.apply(next());
  EXPECT_TRUE(next().empty());
  desired.configs["conf"].data = "two";
  const auto made = next();
  const auto& spec = made.desired.services.at("web").spec.task_template.container;
  EXPECT_EQ(spec.privileges->credential_spec->config, made.actions[0].name);
  swarm.apply(made);
  EXPECT_TRUE(next().empty());
}

TEST_F(Objects, ThatGitNoLongerNamesGoOnlyWhenNothingCitesThem_D5_6) {
  auto& container = desired.services["web"].spec.task_template.container;
  desired.configs.clear();
  container.configs.clear();
  EXPECT_EQ(verbs(next()), (Verbs{"~s_web"})) << "in use until the service has moved on";
  swarm.apply(next());
  EXPECT_TRUE(next().empty()) << "PreviousSpec cites it";
  swarm.service("s_web").previous_references.clear();
  EXPECT_EQ(verbs(next()), (Verbs{"-s_conf"}));
  policy.prune_objects = false;
  EXPECT_TRUE(next().empty()) << "the CLI never removes configs";
  policy.prune_objects = true;
  swarm::LiveService other;
  other.id = "o";
  other.spec.name = "other_x";
  other.spec.task_template.container.configs.push_back(
      {{}, {}, swarm.state.find_config("s_conf")->id, "s_conf"});
  swarm.state.services.push_back(other);
  swarm.state.normalise();
  EXPECT_TRUE(next().empty()) << "a service of another stack cites it";
}

TEST_F(Objects, ThatAreExternalMustExist_C6_4) {
  desired.external_secrets["ext"] = {"docker-compose.yml", 9, 5};
  const auto made = next();
  ASSERT_TRUE(made.blocked());
  EXPECT_NE(made.notes[0].text.find("docker secret create ext"), std::string::npos);
  EXPECT_EQ(made.notes[0].at->line, 9);
  swarm.state.secrets.push_back({"e", 1, "ext", {}, {}, {}});
  swarm.state.normalise();
  EXPECT_FALSE(next().blocked());
}

TEST_F(Objects, OfANewInstanceAreNoReasonToWrite) {
  policy.instance = "agent-1";
  EXPECT_TRUE(next().empty());
  desired.configs["conf"].labels["a"] = "b";
  swarm.apply(next());
  EXPECT_EQ(swarm.state.find_config("s_conf")->labels.at(testing::kInstance), "agent-1");
  EXPECT_EQ(swarm.service("s_web").spec.labels.count(testing::kInstance), 0U);
  policy.instance.reset();
  EXPECT_TRUE(next().empty());
}

TEST_F(Objects, ThatALiveTaskUsesStayThoughNoSpecCitesThem_Trap19) {
  desired.configs["conf"].data = "two";
  swarm.apply(next());
  desired.services["web"].spec.task_template.container.hostname = "h";
  swarm.apply(next());
  const auto old_config = swarm.state.find_config("s_conf")->id;
  std::vector<std::vector<swarm::ObjectId>> asked;
  std::optional<std::set<swarm::ObjectId>> held{{old_config}};
  policy.held_by_tasks = [&](const std::vector<swarm::ObjectId>& services) {
    asked.push_back(services);
    return held;
  };
  EXPECT_TRUE(next().empty()) << "the task of a paused rollout still runs with it";
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0], (std::vector<swarm::ObjectId>{swarm.service("s_web").id}));
  held.reset();
  EXPECT_TRUE(next().empty()) << "unknown is no permission";
  held.emplace();
  EXPECT_EQ(verbs(next()), (Verbs{"-s_conf"}));
  swarm.apply(next());
  asked.clear();
  EXPECT_TRUE(next().empty());
  EXPECT_TRUE(asked.empty()) << "tasks are read only when something would be removed";
}

TEST_F(Objects, OfADeploymentByHandLoseOnlyTheirOldGenerations) {
  policy.prune = policy.prune_objects = false;
  policy.collect_generations = true;
  desired.configs["conf"].data = "two";
  desired.secrets["pass"].data = Secret("hunter3");
  testing::add_config(desired, "other", "one");
  swarm.apply(next());
  auto& web = desired.services["web"].spec;
  web.task_template.container.hostname = "h";
  swarm.apply(next());
  desired.configs.erase("other");
  EXPECT_EQ(verbs(next()), (Verbs{"-s_pass", "-s_conf"})) << "the CLI leaves s_other, so do we";
}

TEST_F(Objects, OfAKeyedDigestAreCalledTheSameWhoeverMadeThem) {
  policy.secret_suffix = [](const swarm::SecretSpec& spec) {
    return hmac_sha256_hex("key", spec.data.reveal());
  };
  policy.secret_digest = [](const swarm::SecretSpec& spec) {
    return "id:" + hmac_sha256_hex("key", spec.data.reveal());
  };
  desired.secrets["pass"].data = Secret("hunter3");
  const auto made = next();
  const auto digest = hmac_sha256_hex("key", "hunter3");
  EXPECT_EQ(made.actions[0].name, "s_pass-" + digest.substr(0, 8));
  const auto& labels = made.desired.secrets.at("pass").labels;
  EXPECT_EQ(labels.at(std::string(swarm::kDigestLabel)), "id:" + digest);
  swarm.apply(made);
  desired.secrets["pass"].labels["a"] = "b";
  swarm.apply(next());
  const auto* secret = swarm.state.find_secret("s_pass-" + digest.substr(0, 8));
  ASSERT_NE(secret, nullptr);
  EXPECT_EQ(secret->labels.at(std::string(swarm::kDigestLabel)), "id:" + digest)
      << "a label of the user's does not cost ours";
  EXPECT_TRUE(next().empty());
}

TEST_F(Objects, WhoseKeyLabelWasLostAreFoundByTheirLastingName) {
  desired.configs["conf"].data = "two";
  swarm.apply(next());
  for (auto& config : swarm.state.configs) config.labels.erase(testing::kKey);
  EXPECT_TRUE(next().empty()) << verbs(next())[0];
}

/// What `skep eject` asks for.
struct Ejected : Objects {
  void eject() {
    policy.prune = policy.prune_objects = false;
    policy.collect_generations = true;
    policy.plain_names = true;
    policy.instance.reset();
  }
};

TEST_F(Ejected, ObjectsGetTheirPlainNamesBackAndLoseOurLabels) {
  policy.instance = "agent-1";
  auto& web = desired.services["web"].spec;
  desired.configs["conf"].data = "two";
  desired.secrets["pass"].data = Secret("hunter3");
  web.labels["a"] = "b";
  swarm.apply(next());
  ASSERT_EQ(swarm.service("s_web").spec.labels.count(testing::kInstance), 1U);
  eject();
  const auto made = next();
  EXPECT_EQ(verbs(made), (Verbs{"!s_pass", "!s_conf", "~s_web"}))
      << "what holds older content gives its name up";
  EXPECT_FALSE(made.blocked());
  EXPECT_EQ(made.actions[2].impact, Impact::restart);
  swarm.apply(made);
  EXPECT_EQ(config_of_web(), "s_conf");
  EXPECT_EQ(swarm.service("s_web").spec.labels.count(testing::kInstance), 0U);
  EXPECT_EQ(swarm.state.find_config("s_conf")->labels, (swarm::StringMap{{testing::kStack, "s"}}));
  EXPECT_TRUE(next().empty()) << "the generations stay while PreviousSpec cites them";
}

TEST_F(Ejected, AServiceThatOnlyWearsOurLabelLosesItWithoutARestart) {
  policy.instance = "agent-1";
  desired.services["web"].spec.labels["a"] = "b";
  swarm.apply(next());
  eject();
  const auto made = next();
  ASSERT_EQ(verbs(made), (Verbs{"~s_web"}));
  EXPECT_EQ(made.actions[0].impact, Impact::none);
  ASSERT_EQ(made.actions[0].changes.size(), 1U);
  EXPECT_EQ(made.actions[0].changes[0].item, testing::kInstance);
  swarm.apply(made);
  EXPECT_TRUE(next().empty());
}

TEST_F(Ejected, APlainNameThatAServiceUsesWithOlderContentBlocks) {
  eject();
  desired.configs["conf"].data = "two";
  EXPECT_TRUE(testing::has_note(next(), Note::Severity::blocked, "deploy the stack first"));
}

}  // namespace
}  // namespace skep::diff
