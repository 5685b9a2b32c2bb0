#include <thread>

#include <gmock/gmock.h>

#include "swarm/labels.hpp"
#include "tests/reconciler/world.hpp"

// Traps that are shown through the whole loop on a swarm that behaves, each under its number; see
// also traps_test.cpp.
namespace skep::reconciler {
namespace {

using fakes::Operation;
using ports::Health;
using ports::SyncState;
using testing::HasSubstr;
using tests::one_service;
using tests::World;

class NamedTraps : public tests::WorldTest {
 protected:
  /// One stack "a" of that compose text, settled.
  Turn deploy(const std::string& compose) {
    world.files["apps/a/docker-compose.yml"] = compose;
    world.commit();
    return settle();
  }
  swarm::ServiceSpec spec_of(const std::string& service) {
    const auto state = world.engine.state();
    const auto* found = state.find_service(service);
    return found == nullptr ? swarm::ServiceSpec{} : found->spec;
  }
};

TEST_F(NamedTraps, Trap1_APassWithoutADifferenceKeepsPreviousSpecAndUpdateStatus) {
  deploy(one_service("a:1"));
  deploy(one_service("a:2"));
  const auto before = world.engine.state();
  ASSERT_EQ(world.engine.previous_spec("a_web")->task_template.container.image, "a:1");
  world.engine.clear_writes();
  for (int pass = 0; pass < 5; ++pass) settle();
  world.restart_agent();
  settle();
  EXPECT_EQ(world.engine.write_count(), 0U);
  EXPECT_EQ(world.engine.state(), before);
  EXPECT_EQ(world.engine.previous_spec("a_web")->task_template.container.image, "a:1");
}

TEST_F(NamedTraps, Trap2_AnImageChangedByHandIsSeenThoughTheLabelStillNamesTheOldOne) {
  deploy(one_service("a:1"));
  world.engine.edit_service(
      "a_web", [](swarm::ServiceSpec& spec) { spec.task_template.container.image = "evil:1"; });
  ASSERT_EQ(spec_of("a_web").labels.at(std::string(swarm::kImageLabel)), "a:1");
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(image_of("a_web"), "a:1");
}

TEST_F(NamedTraps, Trap3_ChangedContentUnderOneNameStopsNothing) {
  const std::string text =
      "services:\n  one: { image: o, configs: [c] }\n  two: { image: t }\n"
      "configs: { c: { file: c.txt } }\n";
  world.files["apps/a/c.txt"] = "1";
  deploy(text);
  world.files["apps/a/c.txt"] = "2";
  auto changed = text;
  changed.replace(changed.find("image: t"), 8, "image: u");
  EXPECT_TRUE(deploy(changed).all_good());
  EXPECT_THAT(spec_of("a_one").task_template.container.configs.at(0).config_name,
              testing::StartsWith("a_c-"));
  EXPECT_EQ(image_of("a_two"), "u:latest");
}

TEST_F(NamedTraps, Trap7_AMissingExternalNetworkIsBlockedAndNotFailed) {
  const auto turn = deploy(
      "services: { web: { image: a, networks: [n] } }\n"
      "networks: { n: { external: true, name: shared } }\n");
  const auto& status = World::status(turn, "a");
  EXPECT_EQ(status.consecutive_failures, 0U);
  EXPECT_TRUE(status.plan->blocked());
  EXPECT_THAT(status.message, HasSubstr("\"shared\" is declared as external"));
  EXPECT_EQ(world.engine.state().services.size(), 0U);
}

TEST_F(NamedTraps, Trap8_ForceUpdateIsKeptAndNoDrift) {
  deploy(one_service("a:1"));
  world.engine.edit_service("a_web",
                            [](swarm::ServiceSpec& spec) { spec.task_template.force_update = 7; });
  world.engine.clear_writes();
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(world.engine.write_count(), 0U);
  deploy(one_service("a:2"));
  EXPECT_EQ(spec_of("a_web").task_template.force_update, 7U);
}

TEST_F(NamedTraps, Trap9_TheClientItselfAsksTheRegistryAndSendsDigestAndPlatforms_E3_18) {
  const auto digest = "sha256:" + std::string(64, 'a');
  world.files["skep.yaml"] = "";
  world.engine.set_image("a:1", {digest, {{.architecture = "amd64", .os = "linux"}}});
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  world.commit();
  // The answer comes from another thread.
  for (int i = 0; i < 200 && image_of("a_web").empty(); ++i) {
    ASSERT_TRUE(world.agent().turn(world.desired(), {}));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  settle();
  EXPECT_EQ(image_of("a_web"), "a:1@" + digest);
  const auto platforms = spec_of("a_web").task_template.placement->platforms;
  ASSERT_EQ(platforms.size(), 1U);
  EXPECT_EQ(platforms[0].architecture, "amd64");
  const auto asked = world.engine.calls(Operation::resolve_image);
  EXPECT_GE(asked, 1U);
  settle();
  settle();
  EXPECT_EQ(world.engine.calls(Operation::resolve_image), asked) << "a clean pass asks nobody";
}

TEST_F(NamedTraps, Trap10_DefaultsThatTheEngineFillsInAreNoDrift_E3_27) {
  deploy(
      "services:\n  web:\n    image: a\n    ports: ['80:80']\n    deploy: { update_config: { "
      "parallelism: 2 }, resources: { limits: { cpus: '0.5' } } }\n    healthcheck: { test: [CMD, "
      "true] }\n");
  world.engine.clear_writes();
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(world.engine.write_count(), 0U);
}

TEST_F(NamedTraps, Trap11_TwoDirectoriesOfOneNameDoNotBecomeOneStack) {
  world.files["apps/x/docker-compose.yml"] = one_service("a:1");
  world.files["management/x/docker-compose.yml"] = one_service("b:1");
  world.files["apps/y/docker-compose.yml"] = one_service("y:1");
  world.commit();
  settle();
  EXPECT_EQ(image_of("x_web"), "");
  EXPECT_EQ(image_of("y_web"), "y:1") << "the others go on";
}

TEST_F(NamedTraps, Trap13_NothingIsRemovedBeforeTheRestIsHealthy) {
  deploy("services: { web: { image: 'a:1' }, old: { image: o } }\n");
  world.files["apps/a/docker-compose.yml"] = "services: { web: { image: 'a:2' } }\n";
  world.commit();
  world.engine.set_running("a_web", 0);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(world.agent().turn(world.desired(), {}));
    ASSERT_NE(image_of("a_old"), "") << "it went while the new one was not up";
  }
  world.engine.set_running("a_web", std::nullopt);
  settle();
  EXPECT_EQ(image_of("a_old"), "");
}

TEST_F(NamedTraps, Trap15_APinnedLiveImageOfTheSameReferenceIsAdoptedAsItIs) {
  world.files["skep.yaml"] = "";
  World cli;
  cli.files["skep.yaml"] = "";
  cli.files["apps/a/docker-compose.yml"] = one_service("a:1");
  cli.commit();
  const auto& spec = cli.desired().stacks.front()->spec;
  for (const auto& [key, network] : spec.networks)
    ASSERT_TRUE(world.engine.create_network(network, {}));
  auto pinned = spec.services.at("web").spec;
  pinned.task_template.container.image += "@sha256:" + std::string(64, 'b');
  ASSERT_TRUE(world.engine.create_service(pinned, {}));
  const auto version = world.engine.state().find_service("a_web")->version;
  EXPECT_TRUE(deploy(one_service("a:1")).all_good());
  EXPECT_EQ(world.engine.state().find_service("a_web")->version, version);
  EXPECT_EQ(world.engine.calls(Operation::resolve_image), 0U);
}

TEST_F(NamedTraps, Trap16_ASecretThatIsGoneIsDriftThoughItCannotBeRead) {
  world.files["apps/a/s.txt"] = "hidden";
  deploy("services: { web: { image: a, secrets: [s] } }\nsecrets: { s: { file: s.txt } }\n");
  world.engine.drop_service("a_web");
  const auto state = world.engine.state();
  ASSERT_TRUE(world.engine.remove_secret(state.find_secret("a_s")->id, {}));
  EXPECT_TRUE(settle().all_good());
  EXPECT_NE(world.engine.state().find_secret("a_s"), nullptr);
  EXPECT_EQ(image_of("a_web"), "a:latest");
}

TEST_F(NamedTraps, Trap18_GenerationsOfTwoStacksAreNotMixedUp) {
  const std::string text =
      "services: { web: { image: a, configs: [c] } }\nconfigs: { c: { file: c.txt } }\n";
  for (const auto* stack : {"a", "b"}) {
    world.files["apps/" + std::string(stack) + "/docker-compose.yml"] = text;
    world.files["apps/" + std::string(stack) + "/c.txt"] = "1";
  }
  world.commit();
  settle();
  for (const auto* content : {"2", "3", "4"}) {
    world.files["apps/a/c.txt"] = content;
    world.commit();
    EXPECT_TRUE(settle().all_good());
  }
  const auto state = world.engine.state();
  EXPECT_NE(state.find_config("b_c"), nullptr) << "the other stack's only generation";
  const auto own = std::count_if(state.configs.begin(),
                                 state.configs.end(),
                                 [](const auto& config) { return config.name.starts_with("a_c"); });
  EXPECT_EQ(own, 2) << "the present one, and the one for a rollback";
}

TEST_F(NamedTraps, Trap21_OurMarksAreOnTheServiceAndNeverInTheTaskTemplate) {
  deploy(one_service("a:1"));
  const auto spec = spec_of("a_web");
  EXPECT_EQ(spec.labels.count(std::string(swarm::kInstanceLabel)), 1U);
  for (const auto& [name, value] : spec.task_template.container.labels)
    EXPECT_FALSE(name.starts_with(swarm::kOurPrefix)) << name;
}

TEST_F(NamedTraps, Trap22_OneServiceThatCannotBeWrittenHoldsUpNoOther) {
  world.engine.fail_next(Operation::create_service, {ErrorKind::invalid_input, "no such thing"});
  world.files["apps/b/docker-compose.yml"] = one_service("b:1");
  world.files["apps/a/docker-compose.yml"] = "services: { one: { image: o }, two: { image: t } }\n";
  world.commit();
  const auto turn = world.agent().turn(world.desired(), {});
  ASSERT_TRUE(turn);
  EXPECT_EQ(world.engine.state().services.size(), 2U) << "one of a's and b's";
  EXPECT_GT(World::status(*turn, "a").consecutive_failures, 0U);
  EXPECT_EQ(World::status(*turn, "b").consecutive_failures, 0U);
  world.clock.advance(std::chrono::minutes(1));
  EXPECT_TRUE(settle().all_good());
}

TEST_F(NamedTraps, Trap24_ATopLevelNameAndTheLongFormOfDependsOnWork) {
  const auto turn = deploy(
      "name: shop\nservices:\n  db: { image: d }\n  web: { image: w, depends_on: { db: { "
      "condition: service_healthy } } }\n");
  EXPECT_TRUE(turn.all_good());
  EXPECT_EQ(image_of("shop_web"), "w:latest");
}

TEST_F(NamedTraps, Trap25_ABindSourceThatANodeDoesNotHaveIsSaidInTheEnginesWords) {
  const std::string words =
      "invalid mount config for type \"bind\": bind source path does not exist: /srv/data";
  world.engine.fail_tasks_of_next("a_web", words);
  const auto turn = deploy("services: { web: { image: a, volumes: ['/srv/data:/data'] } }\n");
  EXPECT_NE(World::status(turn, "a").health, Health::healthy);
  EXPECT_THAT(World::status(turn, "a").message, HasSubstr("/srv/data"));
}

TEST_F(NamedTraps, Trap28_EqualNamesOnASharedNetworkAreWarnedOf) {
  world.files["skep.yaml"] = "defaults: { resolve_image: never }\nnetworks: { front: }\n";
  const std::string text =
      "services: { app: { image: a, networks: [front] } }\n"
      "networks: { front: { external: true } }\n";
  world.files["apps/a/docker-compose.yml"] = text;
  world.files["apps/b/docker-compose.yml"] = text;
  world.commit();
  const auto& stacks = world.desired().stacks;
  EXPECT_TRUE(stacks[0]->all_findings().empty());
  ASSERT_EQ(stacks[1]->all_findings().size(), 1U);
  const auto warning = stacks[1]->all_findings()[0];
  EXPECT_EQ(warning.severity, Finding::Severity::warning);
  EXPECT_THAT(warning.message, HasSubstr("answers to the name app on the network front"));
  EXPECT_THAT(warning.message, HasSubstr("so does a_app"));
  EXPECT_FALSE(stacks[1]->broken());
  EXPECT_TRUE(settle().all_good());
}

TEST_F(NamedTraps, Trap29_ManyRequestsAtOnceAreOneDeploymentOfTheNewest) {
  deploy(one_service("a:1"));
  world.engine.clear_writes();
  world.files["apps/a/docker-compose.yml"] = one_service("a:2");
  world.commit();
  for (int i = 0; i < 5; ++i) world.agent().request("a");
  world.files["apps/a/docker-compose.yml"] = one_service("a:3");
  world.commit();
  for (int i = 0; i < 5; ++i) world.agent().request("a");
  EXPECT_TRUE(settle().all_good());
  std::size_t updates = 0;
  for (const auto& write : world.engine.writes())
    updates += write.operation == Operation::update_service ? 1U : 0U;
  EXPECT_EQ(updates, 1U);
  EXPECT_EQ(image_of("a_web"), "a:3");
}

TEST_F(NamedTraps, Trap31_TasksThatWaitForANodeAreNoDriftButNotHealthy) {
  deploy(one_service("a:1"));
  world.engine.set_running("a_web", 0);
  auto turn = world.agent().turn(world.desired(), {});
  ASSERT_TRUE(turn);
  EXPECT_EQ(World::status(*turn, "a").sync, SyncState::synced);
  EXPECT_EQ(World::status(*turn, "a").health, Health::progressing);
  EXPECT_FALSE(World::status(*turn, "a").drift_cause);
}

TEST_F(NamedTraps, Trap32_TheOrderOfPortsAndVariablesIsNoDrift) {
  deploy(
      "services: { web: { image: a, environment: { A: '1', B: '2' }, ports: ['80:80', '81:81'] } "
      "}\n");
  world.engine.edit_service("a_web", [](swarm::ServiceSpec& spec) {
    std::swap(spec.task_template.container.env[0], spec.task_template.container.env[1]);
    std::swap(spec.endpoint_spec->ports[0], spec.endpoint_spec->ports[1]);
  });
  world.engine.clear_writes();
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(world.engine.write_count(), 0U);
}

TEST_F(NamedTraps, Trap35_AnUnsetVariableIsAnErrorAndNoEmptyPassword) {
  const auto turn =
      deploy("services: { db: { image: d, environment: { PASSWORD: '${DB_PASSWORD}' } } }\n");
  EXPECT_THAT(World::status(turn, "a").message, HasSubstr("DB_PASSWORD"));
  EXPECT_EQ(world.engine.state().services.size(), 0U);
}

TEST_F(NamedTraps, Trap38_ACleanPassListsOnceAndAsksForNoTasks) {
  deploy(one_service("a:1"));
  const auto observed = world.engine.calls(Operation::observe);
  const auto tasks = world.engine.calls(Operation::tasks);
  const auto data = world.engine.calls(Operation::config_data);
  ASSERT_TRUE(world.agent().turn(world.desired(), {}));
  EXPECT_EQ(world.engine.calls(Operation::observe), observed + 1);
  EXPECT_EQ(world.engine.calls(Operation::tasks), tasks);
  EXPECT_EQ(world.engine.calls(Operation::config_data), data);
}

TEST_F(NamedTraps,
       Trap39_ADirectoryOfTheRepositoryIsMountedOnlyWhenAskedForAndTheDifferenceIsSaid) {
  world.files["apps/a/conf.d/one.conf"] = "1";
  auto turn = deploy("services: { web: { image: a, volumes: ['./conf.d:/etc/conf.d:ro'] } }\n");
  EXPECT_THAT(World::status(turn, "a").message,
              HasSubstr("configs do not hide what the image has there"));
  EXPECT_EQ(image_of("a_web"), "");
  world.files["apps/a/skep.yaml"] = "repo_files: { directories: [conf.d] }\n";
  world.commit();
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(spec_of("a_web").task_template.container.configs.at(0).file->name,
            "/etc/conf.d/one.conf");
}

}  // namespace
}  // namespace skep::reconciler
