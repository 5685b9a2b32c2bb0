#include "diff/plan.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace skep::diff {
namespace {

using testing::has_note;
using testing::SimulatedSwarm;
using testing::verbs;
using Verbs = std::vector<std::string>;

struct PlanTest : ::testing::Test {
  SimulatedSwarm swarm;
  swarm::StackSpec desired = testing::stack("s");
  Policy policy = swarm.policy();

  Plan next() { return plan(desired, swarm.state, policy); }
  void deploy() { testing::converge(swarm, desired, policy); }
  swarm::ServiceSpec& web() { return desired.services.at("web").spec; }
};

TEST_F(PlanTest, CreatesInTheOrderOfUse) {
  auto& service = testing::add_service(desired, "web");
  testing::add_config(desired, "c", "x");
  testing::add_secret(desired, "p", "y");
  testing::cite_config(service, "s_c", "/c");
  EXPECT_EQ(verbs(next()), (Verbs{"+s_default", "+s_p", "+s_c", "+s_web"}));
  deploy();
  const auto clean = next();
  EXPECT_TRUE(clean.empty());
  EXPECT_EQ(clean.untouched, (Verbs{"web"}));
  EXPECT_TRUE(clean.notes.empty());
}

TEST_F(PlanTest, KeepsForceUpdate_E3_23_F126) {
  testing::add_service(desired, "web");
  deploy();
  swarm.service("s_web").spec.task_template.force_update = 7;
  EXPECT_TRUE(next().empty());
  web().task_template.container.hostname = "h";
  EXPECT_EQ(next().desired.services.at("web").spec.task_template.force_update, 7U);
}

TEST_F(PlanTest, HealsWhatSomebodySetByHand_E3_25_D6_3) {
  testing::add_service(desired, "web");
  deploy();
  auto& live = swarm.service("s_web").spec;
  live.mode.replicated->replicas = 4;
  live.task_template.container.env = {"DEBUG=1"};
  live.unknown["/TaskTemplate/New"] = "1";
  const auto made = next();
  ASSERT_EQ(made.actions.size(), 1U);
  EXPECT_EQ(made.actions[0].changes.size(), 3U);
}

TEST_F(PlanTest, LooksAtNothingOutsideTheSpec_E3_19) {
  testing::add_service(desired, "web");
  deploy();
  auto& live = swarm.service("s_web");
  live.version += 5;
  live.created_at = live.updated_at = "2026-01-01T00:00:00Z";
  live.has_previous_spec = !live.has_previous_spec;
  live.previous_references = {"gone"};
  live.update = {"paused", "", "", "update paused due to failure"};
  live.running_tasks = live.desired_tasks = live.completed_tasks = 9;
  EXPECT_TRUE(next().empty());
}

TEST_F(PlanTest, WritesEqualPartsInTheLiveOrderSoThatALabelRestartsNothing_E4_3) {
  auto& service = testing::add_service(desired, "web");
  service.task_template.container.env = {"A=1", "B=2"};
  testing::publish(service, 80);
  testing::publish(service, 81);
  deploy();
  auto& live = swarm.service("s_web").spec;
  std::swap(live.task_template.container.env[0], live.task_template.container.env[1]);
  std::swap(live.endpoint_spec->ports[0], live.endpoint_spec->ports[1]);
  EXPECT_TRUE(next().empty());
  web().labels["a"] = "b";
  const auto made = next();
  ASSERT_EQ(made.actions.size(), 1U);
  EXPECT_EQ(made.actions[0].impact, Impact::none);
  const auto& written = made.desired.services.at("web").spec;
  EXPECT_EQ(written.task_template.container, live.task_template.container);
  EXPECT_EQ(written.endpoint_spec, live.endpoint_spec);
}

TEST_F(PlanTest, NeverRunsAJobAgainForALabelOrAReference_F131_Trap33) {
  auto& job = testing::add_service(desired, "job");
  job.mode = {};
  job.mode.replicated_job.emplace();
  testing::add_config(desired, "c", "x");
  testing::cite_config(job, "s_c", "/c");
  deploy();
  desired.services.at("job").spec.labels["a"] = "b";
  swarm.service("s_job").spec.task_template.container.configs[0].config_id = "gone";
  auto made = next();
  EXPECT_TRUE(made.empty());
  EXPECT_EQ(made.untouched, (Verbs{"job"}));
  EXPECT_TRUE(has_note(made, Note::Severity::info, "job \"s_job\""));
  desired.services.at("job").spec.task_template.container.args = {"new"};
  made = next();
  ASSERT_EQ(made.actions.size(), 1U);
  EXPECT_EQ(made.actions[0].impact, Impact::rerun);
}

TEST_F(PlanTest, ChangesAModeOnlyByReplacing_F132_Trap5) {
  testing::add_service(desired, "web");
  deploy();
  web().mode = {};
  web().mode.global.emplace();
  EXPECT_TRUE(has_note(next(), Note::Severity::blocked, "replace: allowed"));
  EXPECT_NE(next().notes[0].text.find("s_web"), std::string::npos);
  policy.allow_replace = true;
  const auto made = next();
  EXPECT_FALSE(made.blocked());
  EXPECT_EQ(verbs(made), (Verbs{"!s_web"}));
  swarm.apply(made);
  EXPECT_TRUE(next().empty());
}

TEST_F(PlanTest, SeesAChangedNetwork_D4_1_F99_E3_28_Trap4) {
  testing::add_service(desired, "web");
  testing::add_service(desired, "db");
  deploy();
  EXPECT_TRUE(next().notes.empty());
  auto& network = desired.networks.at("default");
  network.labels["a"] = "b";
  EXPECT_TRUE(next().empty());
  EXPECT_TRUE(has_note(next(), Note::Severity::info, "labels differ"));
  for (const auto& edit : std::vector<std::function<void(swarm::NetworkSpec&)>>{
           [](auto& n) { n.attachable = true; },
           [](auto& n) { n.internal = true; },
           [](auto& n) { n.driver = "weave"; },
           [](auto& n) { n.options["encrypted"] = ""; },
           [](auto& n) {
             n.ipam.emplace();
             n.ipam->config = {{"10.9.0.0/24"}};
           }}) {
    auto changed = desired;
    edit(changed.networks.at("default"));
    auto made = plan(changed, swarm.state, policy);
    EXPECT_TRUE(made.empty());
    EXPECT_TRUE(has_note(made, Note::Severity::warning, "s_default")) << testing::all_notes(made);
    auto allowed = policy;
    allowed.allow_replace = true;
    made = plan(changed, swarm.state, allowed);
    EXPECT_EQ(verbs(made), (Verbs{"-s_db", "-s_web", "!s_default", "+s_db", "+s_web"}));
    auto copy = swarm;
    copy.apply(made);
    EXPECT_TRUE(plan(changed, copy.state, allowed).empty());
  }
}

/// A `docker stack deploy` of `driver: bridge` leaves it behind when the engine refuses the
/// services.
TEST_F(PlanTest, ReplacesANetworkOfOneNodeWhichServesNoService) {
  testing::add_service(desired, "web");
  auto& network = swarm.add_network("s_default", "local");
  network.spec.driver = "bridge";
  network.spec.labels = desired.networks.at("default").labels;
  desired.networks.at("default").driver = "overlay";
  EXPECT_EQ(verbs(next()), (Verbs{"!s_default", "+s_web"})) << testing::all_notes(next());
}

TEST_F(PlanTest, NeverReplacesANetworkUnderServicesOfOthers) {
  testing::add_service(desired, "web");
  deploy();
  swarm::LiveService other;
  other.id = "o";
  other.spec.name = "other_app";
  other.spec.task_template.networks = {{"s_default", {}, {}}};
  swarm.state.services.push_back(other);
  swarm.state.normalise();
  desired.networks.at("default").attachable = true;
  policy.allow_replace = true;
  EXPECT_TRUE(next().empty());
  EXPECT_TRUE(has_note(next(), Note::Severity::warning, "other_app"));
}

TEST_F(PlanTest, IsBlockedByAnExternalNetworkThatIsMissingOrLocal_D3_1) {
  testing::add_service(desired, "web");
  desired.external_networks["proxy"] = {"docker-compose.yml", 20, 3};
  desired.external_networks["host"] = {};
  auto made = next();
  ASSERT_TRUE(made.blocked());
  EXPECT_NE(made.notes[0].text.find("docker network create --driver overlay proxy"),
            std::string::npos);
  EXPECT_EQ(made.notes[0].at->line, 20);
  swarm.add_network("proxy", "local");
  EXPECT_TRUE(has_note(next(), Note::Severity::blocked, "\"local\" instead of \"swarm\""));
  EXPECT_TRUE(has_note(next(), Note::Severity::blocked, "remove that one first with \"docker"));
  swarm.add_network("proxy", "swarm");
  EXPECT_FALSE(next().blocked());
}

TEST_F(PlanTest, ANetworkWithAddressesThatAnotherOneHasIsNamed) {
  testing::add_service(desired, "web");
  auto& network = desired.networks.at("default");
  network.ipam.emplace().config = {{"10.77.4.0/24"}};
  desired.networks_at["default"] = {"docker-compose.yml", 9, 3};
  swarm.add_network("other_net").spec.ipam = swarm::Ipam{"default", {{"10.77.0.0/16"}}};
  swarm.add_network("bridge", "local").spec.ipam = swarm::Ipam{"default", {{"10.77.4.0/24"}}};
  const auto made = next();
  ASSERT_TRUE(
      has_note(made,
               Note::Severity::warning,
               "network \"s_default\" will get no place in the swarm: its subnet 10.77.4.0/24 "
               "overlaps 10.77.0.0/16 of the network \"other_net\""));
  EXPECT_EQ(made.notes.size(), 1U) << testing::all_notes(made);
  EXPECT_EQ(made.notes[0].at->line, 9);
  network.ipam->config = {{"10.78.0.0/24"}};
  EXPECT_TRUE(next().notes.empty());
}

TEST_F(PlanTest, IsBlockedByAForeignNetworkOrServiceOfThatName_D4_2_D6_1) {
  testing::add_service(desired, "web");
  swarm.add_network("s_default");
  EXPECT_TRUE(has_note(next(), Note::Severity::blocked, "network \"s_default\" exists already"));
  swarm.state.networks.clear();
  deploy();
  swarm.service("s_web").spec.labels.erase(testing::kStack);
  EXPECT_TRUE(has_note(next(), Note::Severity::blocked, "does not belong to a stack"));
  swarm.service("s_web").spec.labels[testing::kStack] = "other";
  EXPECT_TRUE(has_note(next(), Note::Severity::blocked, "belongs to stack \"other\""));
  EXPECT_TRUE(next().empty());
}

TEST_F(PlanTest, IsBlockedByAPortThatAnotherStackHas_Trap6) {
  testing::publish(testing::add_service(desired, "web"), 80);
  auto other = testing::stack("other");
  testing::publish(testing::add_service(other, "proxy"), 80);
  testing::converge(swarm, other, policy);
  const auto made = next();
  ASSERT_TRUE(made.blocked());
  EXPECT_NE(made.notes[0].text.find("s_web"), std::string::npos);
  EXPECT_NE(made.notes[0].text.find("other_proxy"), std::string::npos);
  web().endpoint_spec->ports[0].protocol = "udp";
  EXPECT_FALSE(next().blocked());
  web().endpoint_spec->ports[0].protocol = "tcp";
  web().endpoint_spec->ports[0].mode = "host";  // The mesh has a port for itself (seen).
  EXPECT_TRUE(has_note(next(), Note::Severity::blocked, "is taken by service \"other_proxy\""));
  EXPECT_TRUE(has_note(next(), Note::Severity::blocked, "or both with mode: host"));
}

TEST_F(PlanTest, IsBlockedByAPortThatAnotherStackPublishesOnTheNodes) {
  auto other = testing::stack("other");
  auto& proxy = testing::add_service(other, "proxy");
  testing::publish(proxy, 80);
  proxy.endpoint_spec->ports[0].mode = "host";
  testing::converge(swarm, other, policy);
  testing::publish(testing::add_service(desired, "web"), 80);
  const auto made = next();
  ASSERT_TRUE(has_note(made, Note::Severity::blocked, "one with mode: host"));
  EXPECT_FALSE(made.notes[0].port_in_use);  // Nobody exchanges such a port.
  EXPECT_TRUE(made.notes[0].at);
  web().endpoint_spec->ports[0].mode = "host";  // Nodes share theirs, the scheduler sees to it.
  EXPECT_FALSE(next().blocked());
}

TEST_F(PlanTest, IsBlockedByAPortThatOneServiceWantsOnTheNodesAndAnotherInTheMesh) {
  testing::publish(testing::add_service(desired, "a"), 80);
  testing::publish(testing::add_service(desired, "b"), 80);
  desired.services.at("a").spec.endpoint_spec->ports[0].mode = "host";
  EXPECT_TRUE(has_note(next(), Note::Severity::blocked, "is published by both \"s_a\" and"));
  EXPECT_EQ(next().notes.size(), 1U);
  desired.services.at("b").spec.endpoint_spec->ports[0].mode = "host";
  EXPECT_FALSE(next().blocked());
  desired.services.at("b").spec.endpoint_spec->ports[0] = {"", "udp", 80, 80, "ingress"};
  EXPECT_FALSE(next().blocked());
}

TEST_F(PlanTest, UpdatesFirstWhatGivesAPortOfTheNodesUp) {
  testing::publish(testing::add_service(desired, "z"), 80);
  desired.services.at("z").spec.endpoint_spec->ports[0].mode = "host";
  testing::add_service(desired, "a");
  deploy();
  desired.services.at("z").spec.endpoint_spec->ports[0].published = 81;
  testing::publish(desired.services.at("a").spec, 80);
  EXPECT_FALSE(next().blocked()) << testing::all_notes(next());
  EXPECT_EQ(verbs(next()), (Verbs{"~s_z", "~s_a"}));
}

TEST_F(PlanTest, IsBlockedByAPortThatTwoOfItsServicesWant) {
  testing::publish(testing::add_service(desired, "a"), 80);
  testing::publish(testing::add_service(desired, "b"), 80);
  const auto made = next();
  EXPECT_EQ(made.notes.size(), 1U) << testing::all_notes(made);
  EXPECT_TRUE(made.blocked());
}

TEST_F(PlanTest, RemovesFirstWhatHoldsAPortThatANewServiceTakes_Trap12) {
  testing::publish(testing::add_service(desired, "zold"), 80);
  testing::add_service(desired, "gone");
  deploy();
  desired.services.clear();
  testing::publish(testing::add_service(desired, "anew"), 80);
  EXPECT_TRUE(has_note(next(), Note::Severity::blocked, "turn pruning on (--prune"));
  policy.prune = true;
  const auto made = next();
  EXPECT_FALSE(made.blocked()) << testing::all_notes(made);
  EXPECT_EQ(verbs(made), (Verbs{"-s_zold", "+s_anew", "-s_gone"}));
}

TEST_F(PlanTest, RemovesFirstWhatHoldsAPortOfTheNodesThatANewServiceTakes_Trap12) {
  testing::publish(testing::add_service(desired, "zold"), 80);
  desired.services.at("zold").spec.endpoint_spec->ports[0].mode = "host";
  deploy();
  auto spec = desired.services.at("zold");
  desired.services.clear();
  testing::publish(testing::add_service(desired, "anew"), 80);
  desired.services.at("anew").spec.endpoint_spec->ports[0].mode = "host";
  policy.prune = true;
  const auto made = next();
  EXPECT_EQ(verbs(made), (Verbs{"-s_zold", "+s_anew"}));
  EXPECT_TRUE(made.actions[0].makes_room);
  // An agent that was killed in between, or an older one, may have made it already: it has no
  // place.
  policy.prune = false;
  deploy();
  policy.prune = true;
  swarm.service("s_anew").running_tasks = 0;
  swarm.service("s_anew").desired_tasks = 1;
  const auto stuck = next();
  ASSERT_EQ(verbs(stuck), (Verbs{"-s_zold"}));
  EXPECT_TRUE(stuck.actions[0].makes_room);
  EXPECT_FALSE(stuck.only_removals()) << "it does not wait until the rest is healthy";
  swarm.service("s_anew").running_tasks = 1;
  EXPECT_FALSE(next().actions.at(0).makes_room) << "on another node, it is in nobody's way";
}

TEST_F(PlanTest, UpdatesFirstWhatGivesAPortUp) {
  testing::publish(testing::add_service(desired, "z"), 80);
  testing::add_service(desired, "a");
  deploy();
  desired.services.at("z").spec.endpoint_spec->ports[0].published = 81;
  testing::publish(desired.services.at("a").spec, 80);
  const auto made = next();
  EXPECT_FALSE(made.blocked()) << testing::all_notes(made);
  EXPECT_EQ(verbs(made), (Verbs{"~s_z", "~s_a"}));
}

TEST_F(PlanTest, LetsOneServiceGiveItsPortUpWhereTwoChangePorts) {
  testing::publish(testing::add_service(desired, "a"), 80);
  testing::publish(testing::add_service(desired, "b"), 81);
  deploy();
  desired.services.at("a").spec.endpoint_spec->ports[0].published = 81;
  desired.services.at("b").spec.endpoint_spec->ports[0].published = 80;
  const auto made = next();
  EXPECT_FALSE(made.blocked()) << testing::all_notes(made);
  EXPECT_EQ(verbs(made), (Verbs{"~s_b", "~s_a", "~s_b"}));
  ASSERT_EQ(made.actions[0].gives_up.size(), 1U);
  EXPECT_EQ(made.actions[0].gives_up[0].published, 81U);
  EXPECT_EQ(made.actions[0].impact, Impact::restart);
  EXPECT_EQ(made.actions[0].reason, "gives up port 81/tcp first, for s_a takes it");
  EXPECT_TRUE(made.actions[1].gives_up.empty());
  EXPECT_TRUE(has_note(made, Note::Severity::warning, "the ports answer nobody in between"));
}

TEST_F(PlanTest, ARingOfThreePortsIsCutOnce) {
  testing::publish(testing::add_service(desired, "a"), 80);
  testing::publish(testing::add_service(desired, "b"), 81);
  testing::publish(testing::add_service(desired, "c"), 82);
  deploy();
  desired.services.at("a").spec.endpoint_spec->ports[0].published = 81;
  desired.services.at("b").spec.endpoint_spec->ports[0].published = 82;
  desired.services.at("c").spec.endpoint_spec->ports[0].published = 80;
  EXPECT_EQ(verbs(next()), (Verbs{"~s_b", "~s_a", "~s_c", "~s_b"}));
}

TEST_F(PlanTest, ANetworkThatHasNotGotItsPlaceYetIsNoDrift) {
  testing::add_service(desired, "web");
  desired.networks.at("default").options = {{"encrypted", "true"}};
  deploy();
  ASSERT_TRUE(next().empty());
  for (auto& network : swarm.state.networks) {
    network.spec.driver.clear();  // As it reads back at once after it was made.
    network.spec.options.clear();
    network.spec.ipam.reset();
  }
  policy.allow_replace = true;
  EXPECT_TRUE(next().empty()) << testing::all_notes(next());
  EXPECT_TRUE(next().notes.empty()) << testing::all_notes(next());
}

TEST_F(PlanTest, CreatesDependenciesFirstAndSurvivesACircle) {
  testing::add_service(desired, "a");
  testing::add_service(desired, "b");
  testing::add_service(desired, "c");
  desired.services.at("a").depends_on = {{"c", {}}};
  EXPECT_EQ(verbs(next()), (Verbs{"+s_default", "+s_b", "+s_c", "+s_a"}));
  desired.services.at("c").depends_on = {{"a", {}}};
  EXPECT_EQ(next().actions.size(), 4U);
}

TEST_F(PlanTest, PrunesServicesOnlyWhenTold_D7_1) {
  testing::mount_volume(testing::add_service(desired, "db"), "s_data");
  testing::add_service(desired, "web");
  deploy();
  desired.services.erase("db");
  EXPECT_TRUE(next().empty());
  EXPECT_TRUE(has_note(next(), Note::Severity::info, "s_db"));
  policy.prune = true;
  const auto made = next();
  EXPECT_EQ(verbs(made), (Verbs{"-s_db"}));
  EXPECT_EQ(made.actions[0].impact, Impact::stop);
  EXPECT_TRUE(has_note(made, Note::Severity::info, "s_data"));
}

TEST_F(PlanTest, ANetworkThatNobodyUsesAnyMoreStaysAlsoWhenPruning_D4_3) {
  testing::add_service(desired, "web");
  deploy();
  swarm.add_network("s_old").spec.labels = desired.networks.at("default").labels;
  policy.prune = true;
  EXPECT_TRUE(next().empty());
}

TEST_F(PlanTest, OfNothingRemovesTheStackAndNothingElse_D7_5) {
  auto& service = testing::add_service(desired, "web");
  testing::add_config(desired, "c", "x");
  testing::cite_config(service, "s_c", "/c");
  testing::add_secret(desired, "p", "y");
  deploy();
  auto other = testing::stack("other");
  testing::add_service(other, "web");
  testing::converge(swarm, other, policy);
  desired = testing::stack("s");
  EXPECT_TRUE(next().empty()) << "not without being told";
  policy.prune = policy.prune_objects = true;
  EXPECT_EQ(verbs(next()), (Verbs{"-s_web", "-s_p", "-s_c", "-s_default"}));
  swarm.apply(next());
  EXPECT_TRUE(next().empty());
  EXPECT_EQ(swarm.state.services.size(), 1U);
  EXPECT_EQ(swarm.state.networks.size(), 1U);
}

TEST_F(PlanTest, WarnsBeforeDataIsLostFromSight) {
  auto& service = testing::add_service(desired, "db");
  testing::mount_volume(service, "s_data");
  service.task_template.placement->constraints = {"node.hostname==a"};
  deploy();
  auto& spec = desired.services.at("db").spec;
  spec.task_template.placement->constraints.clear();
  EXPECT_TRUE(has_note(next(), Note::Severity::warning, "node.hostname==a"));
  spec.task_template.container.mounts[0].source = "s_data2";
  EXPECT_TRUE(has_note(next(), Note::Severity::warning, "\"s_data\""));
}

TEST_F(PlanTest, PutsItsInstanceOnlyOnWhatItWrites) {
  testing::add_service(desired, "web");
  deploy();
  policy.instance = "agent-1";
  EXPECT_TRUE(next().empty());
  web().task_template.container.hostname = "h";
  deploy();
  EXPECT_EQ(swarm.service("s_web").spec.labels.at(testing::kInstance), "agent-1");
  EXPECT_TRUE(next().empty());
}

TEST_F(PlanTest, TellsWhatAnOldEngineDropsAndStaysClean_C10_1) {
  auto& service = testing::add_service(desired, "web");
  testing::mount_volume(service, "s_data");
  service.task_template.container.mounts[0].volume_options->subpath = "sub";
  policy.engine_api = "1.41";
  deploy();
  EXPECT_TRUE(next().empty());
  EXPECT_TRUE(has_note(next(), Note::Severity::info, "volume.subpath"));
}

}  // namespace
}  // namespace skep::diff
