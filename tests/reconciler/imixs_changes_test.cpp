#include <gmock/gmock.h>

#include "tests/reconciler/world.hpp"

// The changes that the history of the first users' repository holds, each under its number, through
// the whole loop on a swarm that behaves. On a real engine:
//
//   1, 2      e2e.Ports
//   6, 13     e2e.Delivery
//   11        e2e.Removal
//   12        e2e.Replacement
namespace skep::reconciler {
namespace {

using ports::Health;
using ports::SyncState;
using testing::AllOf;
using testing::HasSubstr;
using tests::World;

class ImixsChanges : public tests::WorldTest {
 protected:
  /// What would be done now, and why.
  ports::StackStatus planned(const std::string& stack) {
    auto options = world.options;
    options.plan_only = true;
    spdlog::logger log("test");
    Reconciler look(world.engine, world.observer, world.clock, log, options, [] {});
    const auto turn = look.turn(world.desired(), {});
    EXPECT_TRUE(turn);
    return turn ? World::status(*turn, stack) : ports::StackStatus{};
  }
  static std::string notes_of(const ports::StackStatus& status) {
    std::string text;
    if (!status.plan) return text;
    for (const auto& note : status.plan->notes) text += note.text + "\n";
    return text;
  }
  std::optional<swarm::LiveService> service(const std::string& name) {
    const auto state = world.engine.state();
    const auto* found = state.find_service(name);
    return found == nullptr ? std::nullopt : std::optional(*found);
  }
  std::vector<std::string> written() {
    std::vector<std::string> words;
    for (const auto& write : world.engine.writes())
      if (write.name != "skep-default-state")
        words.push_back(std::string(to_string(write.operation)) + " " + write.name);
    return words;
  }
};

TEST_F(ImixsChanges, ImixsChange1_ARenamedDirectoryHandsItsPortOver) {
  world.options.prune_grace = std::chrono::hours(1);
  world.restart_agent();
  world.files["management/treafik/docker-compose.yml"] =
      "services:\n  proxy:\n    image: traefik:1.7\n    ports: ['80:80', '8100:8080']\n";
  world.files["apps/a/docker-compose.yml"] = tests::one_service("a:1");
  world.files["apps/b/docker-compose.yml"] = tests::one_service("b:1");
  ASSERT_TRUE(push().all_good());
  world.files["management/traefik/docker-compose.yml"] =
      world.files["management/treafik/docker-compose.yml"];
  world.files.erase("management/treafik/docker-compose.yml");
  world.engine.clear_writes();
  EXPECT_TRUE(push().all_good());
  EXPECT_FALSE(service("treafik_proxy"));
  EXPECT_TRUE(service("traefik_proxy"));
  const auto order = written();
  const auto gone = std::find(order.begin(), order.end(), "remove_service treafik_proxy");
  const auto came = std::find(order.begin(), order.end(), "create_service traefik_proxy");
  EXPECT_LT(gone, came) << "the port is free only when the old one is gone";
}

TEST_F(ImixsChanges, ImixsChange2_ARenamedServiceKeepsItsPortAndTheOldOneGoesFirst) {
  const auto compose = [](const std::string& name) {
    return "services:\n  " + name + ":\n    image: swarmpit:1\n    ports: ['8200:8080']\n";
  };
  world.files["management/swarmpit/docker-compose.yml"] = compose("ui");
  ASSERT_TRUE(push().all_good());
  world.files["management/swarmpit/docker-compose.yml"] = compose("app");
  world.engine.clear_writes();
  const auto turn = push();
  EXPECT_TRUE(turn.all_good());
  EXPECT_EQ(World::status(turn, "swarmpit").consecutive_failures, 0U);
  EXPECT_EQ(
      written(),
      (std::vector<std::string>{"remove_service swarmpit_ui", "create_service swarmpit_app"}));
}

TEST_F(ImixsChanges, ImixsChange3_AnOwnNetworkIsReplacedByASharedExternalOne) {
  world.files["apps/shop/docker-compose.yml"] =
      "services: { app: { image: a, networks: [front] } }\nnetworks: { front: }\n";
  ASSERT_TRUE(push().all_good());
  world.files["skep.yaml"] = "defaults: { resolve_image: never }\nnetworks: { imixs-proxy-net: }\n";
  world.files["apps/shop/docker-compose.yml"] =
      "services: { app: { image: a, networks: [front] } }\n"
      "networks: { front: { external: { name: imixs-proxy-net } } }\n";
  const auto turn = push();
  EXPECT_TRUE(turn.all_good()) << World::status(turn, "shop").message;
  const auto state = world.engine.state();
  EXPECT_NE(state.find_network("imixs-proxy-net"), nullptr);
  ASSERT_EQ(service("shop_app")->spec.task_template.networks.size(), 1U);
  EXPECT_EQ(service("shop_app")->spec.task_template.networks[0].target, "imixs-proxy-net");
}

TEST_F(ImixsChanges, ImixsChange4_ABindMountThatBecomesAVolumeLeavesItsDataAndThePlanSaysSo) {
  world.files["apps/shop/docker-compose.yml"] =
      "services: { db: { image: d, volumes: ['/srv/db:/var/lib/db'] } }\n";
  ASSERT_TRUE(push().all_good());
  world.files["apps/shop/docker-compose.yml"] =
      "services: { db: { image: d, volumes: ['dbdata:/var/lib/db'] } }\nvolumes: { dbdata: }\n";
  world.commit();
  EXPECT_THAT(notes_of(planned("shop")),
              AllOf(HasSubstr("/var/lib/db"),
                    HasSubstr("/srv/db"),
                    HasSubstr("shop_dbdata"),
                    HasSubstr("data stays")));
  EXPECT_TRUE(settle().all_good());
  // And the way back.
  world.files["apps/shop/docker-compose.yml"] =
      "services: { db: { image: d, volumes: ['/srv/db:/var/lib/db'] } }\n";
  world.commit();
  EXPECT_THAT(notes_of(planned("shop")), AllOf(HasSubstr("shop_dbdata"), HasSubstr("data stays")));
}

TEST_F(ImixsChanges, ImixsChange5_AnUpgradeWithPortMountAndMountedFileIsOneUpdate) {
  world.files["management/traefik/docker-compose.yml"] =
      "services:\n  proxy:\n    image: traefik:1.4\n    ports: ['80:80']\n"
      "    volumes: ['$PWD/management/traefik/traefik.toml:/etc/traefik/traefik.toml']\n";
  world.files["management/traefik/traefik.toml"] = "debug = false\n";
  ASSERT_TRUE(push().all_good());
  const auto before = service("traefik_proxy");
  world.files["management/traefik/docker-compose.yml"] =
      "services:\n  proxy:\n    image: traefik:1.7\n    ports: ['80:80', '443:443']\n"
      "    volumes:\n      - '$PWD/management/traefik/traefik.toml:/etc/traefik/traefik.toml'\n"
      "      - 'acme:/acme'\nvolumes: { acme: }\n";
  world.files["management/traefik/traefik.toml"] = "debug = true\n";
  world.engine.clear_writes();
  EXPECT_TRUE(push().all_good());
  const auto after = service("traefik_proxy");
  EXPECT_EQ(after->spec.task_template.container.image, "traefik:1.7");
  EXPECT_EQ(after->spec.endpoint_spec->ports.size(), 2U);
  EXPECT_EQ(after->spec.task_template.container.mounts.size(), 1U);
  EXPECT_NE(after->spec.task_template.container.configs.at(0).config_name,
            before->spec.task_template.container.configs.at(0).config_name);
  const auto writes = written();
  EXPECT_EQ(std::count(writes.begin(), writes.end(), "update_service traefik_proxy"), 1)
      << "one restart for all three";
}

TEST_F(ImixsChanges, ImixsChange6_AFixedLabelKeyRestartsNoTask) {
  world.files["apps/shop/docker-compose.yml"] =
      "services:\n  app:\n    image: a\n    deploy:\n      labels:\n        "
      "trafik.port: '80'\n";
  ASSERT_TRUE(push().all_good());
  world.files["apps/shop/docker-compose.yml"] =
      "services:\n  app:\n    image: a\n    deploy:\n      labels:\n        "
      "traefik.port: '80'\n";
  world.commit();
  const auto plan = planned("shop").plan;
  ASSERT_TRUE(plan && plan->actions.size() == 1U);
  EXPECT_EQ(plan->actions[0].impact, diff::Impact::none);
  EXPECT_TRUE(settle().all_good());
  EXPECT_EQ(service("shop_app")->spec.labels.count("traefik.port"), 1U);
  EXPECT_EQ(service("shop_app")->spec.labels.count("trafik.port"), 0U);
}

TEST_F(ImixsChanges, ImixsChange7_ASecondUiThatTakesAPortInUseIsRefusedWithBothNames) {
  world.files["management/swarmpit/docker-compose.yml"] =
      "services:\n  app:\n    image: swarmpit:1\n    ports: ['8200:8080']\n";
  world.files["apps/shop/docker-compose.yml"] = tests::one_service("a:1");
  ASSERT_TRUE(push().all_good());
  world.files["management/zportainer/docker-compose.yml"] =
      "services:\n  ui:\n    image: portainer:1\n    ports: ['8200:9000']\n";
  world.files["apps/shop/docker-compose.yml"] = tests::one_service("a:2");
  const auto turn = push();
  EXPECT_THAT(World::status(turn, "zportainer").message,
              AllOf(HasSubstr("8200"),
                    HasSubstr("zportainer_ui"),
                    HasSubstr("swarmpit_app"),
                    HasSubstr("management/swarmpit")));
  EXPECT_FALSE(service("zportainer_ui"));
  EXPECT_EQ(World::status(turn, "swarmpit").sync, SyncState::synced);
  EXPECT_EQ(service("shop_web")->spec.task_template.container.image, "a:2") << "the others go on";
}

TEST_F(ImixsChanges, ImixsChange8_ARenamedDirectoryWithAnInvalidFileLeavesTheOldStackRunning) {
  world.files["apps/my-ap/docker-compose.yml"] = tests::one_service("a:1");
  world.files["apps/b/docker-compose.yml"] = tests::one_service("b:1");
  world.files["apps/c/docker-compose.yml"] = tests::one_service("c:1");
  ASSERT_TRUE(push().all_good());
  world.files.erase("apps/my-ap/docker-compose.yml");
  world.files["apps/my-app/docker-compose.yml"] =
      "services:\n  web:\n    image: a:1\n    depoly: {}\n";
  world.engine.clear_writes();
  auto turn = push();
  world.clock.advance(std::chrono::hours(24));
  turn = settle();
  EXPECT_TRUE(service("my-ap_web"));
  EXPECT_EQ(written(), std::vector<std::string>{});
  EXPECT_THAT(World::status(turn, "my-app").message, HasSubstr("apps/my-app/docker-compose.yml:4"));
  EXPECT_THAT(World::status(turn, "my-ap").message, HasSubstr("apps/my-app"));
  world.files["apps/my-app/docker-compose.yml"] = tests::one_service("a:1");
  EXPECT_TRUE(push().all_good());
  EXPECT_FALSE(service("my-ap_web"));
  EXPECT_TRUE(service("my-app_web"));
}

TEST_F(ImixsChanges, ImixsChange9_AGlobalServiceBecomesOneServicePerNode) {
  world.files["management/monitoring/docker-compose.yml"] =
      "services:\n  node-exporter:\n    image: ne:1\n    deploy: { mode: global }\n";
  ASSERT_TRUE(push().all_good());
  std::string compose = "services:\n";
  for (const auto* node : {"1", "2"}) {
    compose += "  node-exporter-" + std::string(node) +
               ":\n    image: ne:1\n    deploy: { placement: { constraints: [\"node.hostname == "
               "node-" +
               node + "\"] } }\n";
  }
  world.files["management/monitoring/docker-compose.yml"] = compose;
  world.engine.clear_writes();
  EXPECT_TRUE(push().all_good());
  EXPECT_EQ(written(),
            (std::vector<std::string>{"create_service monitoring_node-exporter-1",
                                      "create_service monitoring_node-exporter-2",
                                      "remove_service monitoring_node-exporter"}))
      << "the old one goes when the new ones run";
}

TEST_F(ImixsChanges, ImixsChange10_OnlyAMountedFileChangesAndItsServiceGetsIt) {
  world.files["management/monitoring/docker-compose.yml"] =
      "services:\n  prometheus:\n    image: p:1\n"
      "    volumes: ['$PWD/management/monitoring/prometheus.yml:/etc/prometheus/prometheus.yml']\n"
      "  grafana:\n    image: g:1\n";
  world.files["management/monitoring/prometheus.yml"] = "scrape: a\n";
  ASSERT_TRUE(push().all_good());
  const auto grafana = service("monitoring_grafana");
  world.files["management/monitoring/prometheus.yml"] = "scrape: b\n";
  world.commit();
  const auto plan = planned("monitoring").plan;
  ASSERT_TRUE(plan);
  EXPECT_TRUE(std::any_of(plan->actions.begin(), plan->actions.end(), [](const auto& action) {
    return action.name == "monitoring_prometheus" && action.impact == diff::Impact::restart;
  }));
  EXPECT_TRUE(settle().all_good());
  const auto reference =
      service("monitoring_prometheus")->spec.task_template.container.configs.at(0);
  EXPECT_EQ(*world.engine.config_data(reference.config_name, {}).value(), "scrape: b\n");
  EXPECT_EQ(service("monitoring_grafana")->version, grafana->version);
}

TEST_F(ImixsChanges, ImixsChange11_AStackIsAddedAndRemovedAndNothingElseMoves) {
  world.files["apps/a/docker-compose.yml"] = tests::one_service("a:1");
  world.files["apps/b/docker-compose.yml"] = tests::one_service("b:1");
  ASSERT_TRUE(push().all_good());
  const auto others = service("a_web")->version + service("b_web")->version;
  world.files["apps/shop/docker-compose.yml"] =
      "services: { db: { image: d, volumes: ['data:/d'] } }\nvolumes: { data: }\n";
  ASSERT_TRUE(push().all_good());
  world.files.erase("apps/shop/docker-compose.yml");
  world.commit();
  EXPECT_THAT(notes_of(planned("shop")), AllOf(HasSubstr("shop_data"), HasSubstr("data stays")));
  settle();
  EXPECT_FALSE(service("shop_db"));
  EXPECT_EQ(world.engine.state().find_network("shop_default"), nullptr);
  EXPECT_EQ(service("a_web")->version + service("b_web")->version, others);
}

TEST_F(ImixsChanges, ImixsChange12_ReplicatedThatBecomesGlobalIsReplacedOnlyWhereAllowed) {
  world.files["management/monitoring/docker-compose.yml"] = tests::one_service("ne:1");
  ASSERT_TRUE(push().all_good());
  world.files["management/monitoring/docker-compose.yml"] =
      tests::one_service("ne:1") + "    deploy: { mode: global }\n";
  world.engine.clear_writes();
  const auto turn = push();
  EXPECT_EQ(written(), std::vector<std::string>{});
  EXPECT_THAT(World::status(turn, "monitoring").message,
              AllOf(HasSubstr("mode"), HasSubstr("replace: allowed")));
  world.files["management/monitoring/skep.yaml"] = "replace: allowed\n";
  EXPECT_TRUE(push().all_good());
  EXPECT_TRUE(service("monitoring_web")->spec.mode.global.has_value());
}

TEST_F(ImixsChanges, ImixsChange13_DocumentationOnlyWritesNothing) {
  world.files["apps/a/docker-compose.yml"] = tests::one_service("a:1");
  ASSERT_TRUE(push().all_good());
  world.files["README.md"] = "words";
  world.files["apps/a/README.md"] = "more words";
  world.engine.clear_writes();
  EXPECT_TRUE(push().all_good());
  EXPECT_EQ(world.engine.write_count(), 0U);
}

}  // namespace
}  // namespace skep::reconciler
