#include "reconciler/access/access_policy.hpp"

#include <gmock/gmock.h>

#include "reconciler/access/access_breaches.hpp"
#include "reconciler/access/policed_engine.hpp"
#include "swarm/labels.hpp"
#include "tests/reconciler/world.hpp"

// Attacks 7 and 8: a service asks for power over the node, by whatever way (docs/policy.md).
namespace skep::reconciler {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using tests::one_service;
using tests::World;

AccessPolicy policy(const std::string& text) {
  auto parsed = AccessPolicy::parse(text, "policy.yaml");
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? *std::move(parsed) : AccessPolicy();
}

std::string error_of(const std::string& text) {
  const auto parsed = AccessPolicy::parse(text, "policy.yaml");
  return parsed ? "" : to_string(parsed.error());
}

TEST(AccessPolicy, WithoutAFileManagementMayDoEverythingAndAppsMayNot) {
  const AccessPolicy usual;
  EXPECT_TRUE(usual.profile("management/traefik").everything);
  EXPECT_EQ(usual.profile("apps/x"), AccessProfile{});
  EXPECT_EQ(usual.profile("management/traefik/deeper"), AccessProfile{}) << "one level, as groups";
  EXPECT_EQ(usual.profile("infra/x"), AccessProfile{}) << "a group that the repository made up";
}

TEST(AccessPolicy, TheFirstRuleThatMatchesCounts) {
  const auto rules = policy(
      "rules:\n"
      "  - { path: apps/agent, allow: everything }\n"
      "  - { path: apps/*, capabilities: [NET_ADMIN], ports: [80, 8000-8999], managers: true }\n");
  EXPECT_TRUE(rules.profile("apps/agent").everything);
  EXPECT_THAT(rules.profile("apps/other").capabilities, ElementsAre("NET_ADMIN"));
  EXPECT_THAT(*rules.profile("apps/other").ports,
              ElementsAre(std::pair(80U, 80U), std::pair(8000U, 8999U)));
  EXPECT_TRUE(rules.profile("apps/other").managers);
  EXPECT_TRUE(rules.profile("management/x").everything) << "no rule is about it";
}

TEST(AccessPolicy, AnUnknownKeyIsNoSettingOfThePolicyFile) {
  EXPECT_THAT(error_of("rules: [{ path: apps/*, registry: x }]\n"),
              testing::EndsWith("rules[0].registry is not a setting of the policy file"));
}

TEST(AccessPolicy, AMistakeIsAnErrorWithItsPlaceAndAllAreShownAtOnce) {
  const auto error = error_of(
      "rules:\n"
      "  - path: apps/*\n"
      "    capabilites: [ALL]\n"
      "    ports: [0, 9000-80, web]\n"
      "    managers: perhaps\n"
      "  - allow: most\n"
      "  - { path: a/*, bind_sources: [relative] }\n"
      "  - { path: a/*, allow: everything, managers: true }\n");
  EXPECT_THAT(error, HasSubstr("policy.yaml:3:5: rules[0].capabilites"));
  EXPECT_THAT(error, HasSubstr("capabilities"));
  EXPECT_THAT(error, HasSubstr("policy.yaml:4:13: rules[0].ports[] must be a port"));
  EXPECT_THAT(error, HasSubstr("policy.yaml:4:16"));
  EXPECT_THAT(error, HasSubstr("policy.yaml:4:25"));
  EXPECT_THAT(error, HasSubstr("policy.yaml:5:15: rules[0].managers must be true or false"));
  EXPECT_THAT(error, HasSubstr("rules[1].allow must be one of: everything"));
  EXPECT_THAT(error, HasSubstr("rules[1] needs a path"));
  EXPECT_THAT(error, HasSubstr("\"relative\" must be an absolute directory"));
  EXPECT_THAT(error, HasSubstr("leaves nothing else to say"));
  EXPECT_EQ(error_of(""), "") << "an empty file is the default";
}

/// What the default profile says of one service.
struct Row {
  std::string name;
  std::function<void(swarm::ServiceSpec&)> ask;
  std::string refused;  ///< Part of the breach; "" where it is allowed.
  std::string profile = {};
};

swarm::Mount bind(const std::string& source, bool read_only = false) {
  swarm::Mount mount;
  mount.type = "bind";
  mount.source = source;
  mount.target = "/in";
  mount.read_only = read_only;
  return mount;
}

auto binds(const std::string& source, bool read_only = false) {
  return [=](swarm::ServiceSpec& spec) {
    spec.task_template.container.mounts.push_back(bind(source, read_only));
  };
}

auto volume_of_device(const std::string& device) {
  return [=](swarm::ServiceSpec& spec) {
    swarm::Mount mount;
    mount.type = "volume";
    mount.source = "data";
    mount.volume_options.emplace().driver_config = {
        "local", {{"type", "none"}, {"o", "bind"}, {"device", device}}};
    spec.task_template.container.mounts.push_back(mount);
  };
}

auto constrained(const std::string& constraint) {
  return [=](swarm::ServiceSpec& spec) {
    spec.task_template.placement.emplace().constraints = {constraint};
  };
}

auto attached(const std::string& network) {
  return [=](swarm::ServiceSpec& spec) {
    spec.task_template.networks.push_back({network, {}, {}});
  };
}

auto published(std::uint32_t port) {
  return [=](swarm::ServiceSpec& spec) {
    spec.endpoint_spec.emplace().ports.push_back({"", "tcp", 80, port, "ingress"});
  };
}

auto capable(const std::string& name) {
  return [=](swarm::ServiceSpec& spec) { spec.task_template.container.capability_add = {name}; };
}

auto image(const std::string& text) {
  return [=](swarm::ServiceSpec& spec) { spec.task_template.container.image = text; };
}

class Attack8 : public testing::TestWithParam<Row> {};

TEST_P(Attack8, IsJudgedByTheSpecThatWouldBeSent) {
  const auto& row = GetParam();
  swarm::ServiceSpec spec;
  spec.task_template.container.image = "nginx:1";
  row.ask(spec);
  const auto profile =
      row.profile.empty()
          ? AccessProfile{}
          : policy("rules: [{ path: apps/x, " + row.profile + " }]").profile("apps/x");
  const auto found = breaches(spec, profile, {"x_default"});
  if (row.refused.empty()) {
    EXPECT_THAT(found, IsEmpty()) << found.front().message;
  } else {
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found.front().message, row.refused);
  }
  EXPECT_THAT(breaches(spec, AccessProfile{.everything = true}, {}), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Asks,
    Attack8,
    testing::Values(
        Row{"data_directory", binds("/srv/data"), ""},
        Row{"root_of_the_node", binds("/"), "mount / of the node"},
        Row{"docker_socket",
            binds("/var/run/docker.sock"),
            "mount /var/run/docker.sock of the node"},
        Row{"docker_socket_read_only",
            binds("/run/docker.sock", true),
            "mount /run/docker.sock of the node"},
        Row{"by_a_detour",
            binds("/srv/../var//run/./docker.sock"),
            "mount /var/run/docker.sock of the node"},
        Row{"what_holds_it", binds("/var"), "mount /var of the node"},
        Row{"a_name_that_only_begins_so", binds("/etcetera"), ""},
        Row{"passwords", binds("/etc/shadow", true), "mount /etc/shadow of the node"},
        Row{"time_zone", binds("/etc/localtime", true), ""},
        Row{"time_zone_to_write", binds("/etc/localtime"), "mount /etc/localtime of the node"},
        Row{"out_of_the_harmless",
            binds("/etc/ssl/certs/../../shadow", true),
            "mount /etc/shadow of the node"},
        Row{"of_its_node", binds("/srv/{{.Node.Hostname}}/data"), ""},
        Row{"by_a_label",
            binds("/srv/{{index .Service.Labels \"x\"}}"),
            "mount /srv/{{index .Service.Labels \"x\"}} of the node"},
        Row{"volume_that_is_a_bind", volume_of_device("/etc"), "mount /etc of the node"},
        Row{"volume_of_a_device", volume_of_device("/dev/sda1"), "mount /dev/sda1 of the node"},
        Row{"volume_of_a_share", volume_of_device("//server/share"), ""},
        Row{"volume_of_nfs", volume_of_device(":/export"), ""},
        Row{"only_what_is_listed",
            binds("/srv/data"),
            "mount /srv/data of the node",
            "bind_sources: [/mnt]"},
        Row{"listed", binds("/mnt/a"), "", "bind_sources: [/mnt]"},
        Row{"beside_the_listed", binds("/mnt2"), "mount /mnt2 of the node", "bind_sources: [/mnt]"},
        Row{"listed_socket",
            binds("/var/run/docker.sock"),
            "",
            "bind_sources: [ordinary, /var/run/docker.sock]"},
        Row{"ordinary_beside_it",
            binds("/srv/a"),
            "",
            "bind_sources: [ordinary, /var/run/docker.sock]"},
        Row{"usual_capability", capable("CAP_NET_BIND_SERVICE"), ""},
        Row{"all_capabilities", capable("ALL"), "add the capability ALL"},
        Row{"admin_capability", capable("CAP_SYS_ADMIN"), "add the capability SYS_ADMIN"},
        Row{"allowed_capability", capable("CAP_SYS_PTRACE"), "", "capabilities: [SYS_PTRACE]"},
        Row{"network_setting",
            [](auto& spec) {
              spec.task_template.container.sysctls = {{"net.core.somaxconn", "1024"}};
            },
            ""},
        Row{"kernel_setting",
            [](auto& spec) {
              spec.task_template.container.sysctls = {{"kernel.shmmax", "1"}};
            },
            "set the kernel's kernel.shmmax"},
        Row{"own_network", attached("x_default"), "", "networks: []"},
        Row{"shared_network", attached("proxy"), ""},
        Row{"network_of_the_node", attached("host"), "use the node's own network"},
        Row{"network_not_listed",
            attached("backend"),
            "join the network backend",
            "networks: [proxy]"},
        Row{"any_port", published(80), ""},
        Row{"port_out_of_range", published(80), "publish the port 80", "ports: [8000-8999]"},
        Row{"port_in_range", published(8300), "", "ports: [8000-8999]"},
        Row{"port_of_chance",
            published(0),
            "publish a port that the engine chooses",
            "ports: [80]"},
        Row{"on_managers", constrained("node.role==manager"), "ask for placement on managers"},
        Row{"on_managers_spelt_otherwise",
            constrained(" Node.Role  ==  MANAGER"),
            "ask for placement on managers"},
        Row{"not_on_workers", constrained("node.role != worker"), "ask for placement on managers"},
        Row{"on_managers_allowed", constrained("node.role == manager"), "", "managers: true"},
        Row{"not_on_managers", constrained("node.role != manager"), ""},
        Row{"on_a_node", constrained("node.hostname == w1"), ""},
        Row{"unconfined",
            [](auto& spec) {
              spec.task_template.container.privileges.emplace().seccomp =
                  swarm::Seccomp{"unconfined", ""};
            },
            "switch off the engine's confinement"},
        Row{"any_registry", image("evil.example.com/x:1"), ""},
        Row{"other_registry",
            image("evil.example.com/x:1"),
            "run the image evil.example.com/x",
            "registries: [my-registry.com:8300, docker.io/library]"},
        Row{"registry_whose_name_begins_so",
            image("my-registry.com:83000/x"),
            "run the image my-registry.com:83000/x",
            "registries: ['my-registry.com:8300']"},
        Row{"official_image",
            image("nginx:1@sha256:" + std::string(64, 'a')),
            "",
            "registries: [docker.io/library]"}),
    [](const auto& row) { return row.param.name; });

/// Through the whole loop.
class Attack7 : public testing::Test {
 protected:
  void start(const std::string& rules = "") {
    world.options.access = policy(rules);
    world.restart_agent();
  }
  ports::StackStatus settle(const std::string& stack) {
    const auto turn = world.settle();
    EXPECT_TRUE(turn) << world.error;
    return turn ? World::status(*turn, stack) : ports::StackStatus{};
  }
  World world;
  const std::string evil = one_service("a:2") + "    volumes: ['/:/host']\n";
};

TEST_F(Attack7, AStackThatBreaksThePolicyIsNotDeployedAndTheOthersAre) {
  start();
  world.files["apps/bad/docker-compose.yml"] = evil;
  world.files["apps/good/docker-compose.yml"] = one_service("a:1");
  world.files["management/ui/docker-compose.yml"] = evil;
  world.commit();
  const auto bad = settle("bad");
  EXPECT_THAT(bad.message,
              HasSubstr("service web of apps/bad may not mount / of the node; "
                        "bind_sources in the agent's policy file can allow it"));
  EXPECT_EQ(world.engine.state().find_service("bad_web"), nullptr);
  EXPECT_NE(world.engine.state().find_service("good_web"), nullptr);
  EXPECT_NE(world.engine.state().find_service("ui_web"), nullptr);
}

TEST_F(Attack7, AnUpdateThatBreaksItLeavesWhatRuns) {
  start();
  world.files["apps/a/docker-compose.yml"] = one_service("a:1");
  world.commit();
  settle("a");
  const auto before = world.engine.state();
  world.files["apps/a/docker-compose.yml"] = evil;
  world.commit();
  EXPECT_THAT(settle("a").message, HasSubstr("may not mount / of the node"));
  EXPECT_EQ(world.engine.state().find_service("a_web")->version,
            before.find_service("a_web")->version);
  world.files["apps/a/docker-compose.yml"] = one_service("a:3");
  world.commit();
  settle("a");
  EXPECT_EQ(world.engine.state().find_service("a_web")->spec.task_template.container.image, "a:3")
      << "the next commit resumes";
}

TEST_F(Attack7, AHookIsNoWayAround) {
  start();
  world.files["apps/a/skep.yaml"] = "hooks: { pre_deploy: [{ service: job }] }\n";
  world.files["apps/a/docker-compose.yml"] =
      one_service("a:1") + "  job:\n    image: b:1\n    volumes: ['/etc:/host']\n";
  world.commit();
  EXPECT_THAT(settle("a").message, HasSubstr("service job of apps/a may not mount /etc"));
  EXPECT_EQ(world.engine.state().services.size(), 0U);
}

TEST_F(Attack7, TheWayBackToAnOlderCommitIsNoWayAround) {
  world.options.access = policy("rules: [{ path: apps/*, allow: everything }]");
  world.restart_agent();
  world.files["apps/a/docker-compose.yml"] = evil;
  world.commit();
  settle("a");
  const auto old = world.desired().revision.commit;
  const auto content = world.desired().stacks.front()->content;
  world.files["apps/a/docker-compose.yml"] = one_service("a:3");
  world.commit();
  settle("a");
  start();  // Since then the policy has become strict.
  world.agent().rollback("a", {old, content, world.desired().stacks.front()->content, "eve"});
  EXPECT_THAT(settle("a").message, HasSubstr("may not mount / of the node"));
  EXPECT_EQ(world.engine.state().find_service("a_web")->spec.task_template.container.image, "a:3");
}

TEST_F(Attack7, AnUpdateThatIsSentAgainIsJudgedByTheStacksOwnRules) {
  world.options.access = policy("rules: [{ path: apps/*, allow: everything }]");
  world.restart_agent();
  world.files["apps/a/docker-compose.yml"] = evil;
  world.commit();
  settle("a");
  world.engine.set_running("a_web", 0);
  world.files["apps/a/docker-compose.yml"] = evil + "    environment: { A: b }\n";
  world.commit();
  ASSERT_TRUE(world.agent().turn(world.desired(), {}));
  const auto began = world.engine.state().find_service("a_web")->updated_at;
  world.engine.set_node_state("node-1", "down");
  world.engine.set_node_state("node-1", "ready");
  world.engine.set_update_status("a_web", {"paused", began, "", "update paused"});
  world.restart_agent();  // It has judged nothing yet.
  ASSERT_TRUE(world.agent().turn(world.desired(), {}));
  EXPECT_NE(world.engine.state().find_service("a_web")->update.state, "paused");
}

TEST_F(Attack7, WhatRunsAlreadyIsAdoptedButNotChangedAnyMore) {
  world.options.access.reset();  // Deployed before there was a policy.
  world.restart_agent();
  world.files["apps/a/docker-compose.yml"] = evil;
  world.commit();
  settle("a");
  start();
  EXPECT_EQ(settle("a").sync, ports::SyncState::synced) << "what runs is not judged";
  world.files["apps/a/docker-compose.yml"] = evil + "    environment: { A: b }\n";
  world.commit();
  EXPECT_THAT(settle("a").message, HasSubstr("may not mount / of the node"));
}

TEST_F(Attack7, TheChokePointRefusesWhatNobodyPlanned) {
  PolicedEngine engine(world.engine);
  swarm::ServiceSpec spec;
  spec.name = "a_web";
  spec.labels[std::string(swarm::kStackLabel)] = "a";
  spec.task_template.container.image = "a:1";
  spec.task_template.container.mounts.push_back(bind("/var/run/docker.sock"));
  const auto unknown = engine.create_service(spec, {});
  ASSERT_FALSE(unknown) << "a stack that nobody admitted";
  EXPECT_EQ(unknown.error().kind, ErrorKind::unauthorized);
  EXPECT_THAT(unknown.error().message, HasSubstr("it may not mount /var/run/docker.sock"));
  engine.admit("a", {}, {});
  EXPECT_FALSE(engine.create_service(spec, {}));
  engine.admit("a", {.everything = true}, {});
  const auto made = engine.create_service(spec, {});
  ASSERT_TRUE(made) << made.error().message;
  engine.admit("a", {}, {});
  const auto live = *world.engine.state().find_service("a_web");
  EXPECT_FALSE(engine.update_service(live.id, live.version, spec, {}));
  spec.task_template.container.mounts.clear();
  EXPECT_TRUE(engine.update_service(live.id, live.version, spec, {}));
}

}  // namespace
}  // namespace skep::reconciler
