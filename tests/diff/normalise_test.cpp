#include "diff/normalise.hpp"

#include <functional>
#include <ostream>

#include <gtest/gtest.h>

#include "diff/service_diff.hpp"
#include "support.hpp"

namespace skep::diff {
namespace {

using swarm::ServiceSpec;
using testing::box;
using Edit = std::function<void(ServiceSpec&)>;

/// What was sent, and what the engine returns for it: no drift.
struct SentAndReturned {
  std::string name;
  Edit sent, returned;
  bool drift = false;
};
void PrintTo(const SentAndReturned& row, std::ostream* out) { *out << row.name; }

class Normalise : public ::testing::TestWithParam<SentAndReturned> {};

TEST_P(Normalise, ComparesWhatWasSentWithWhatTheEngineReturns) {
  auto stack = testing::stack("s");
  auto sent = testing::add_service(stack, "web");
  swarm::LiveState state;
  state.networks.push_back({"net-id", "swarm", false, false, {}});
  state.networks[0].spec.name = "s_default";
  state.secrets.push_back({"sec-id", 1, "s_sec", {}, {}, {}});
  state.configs.push_back({"conf-id", 1, "s_conf", {}, {}, "", 0});
  swarm::LiveService live;
  live.spec = sent;
  live.spec.task_template.networks[0].target = "net-id";
  if (GetParam().sent) GetParam().sent(sent);
  if (GetParam().sent) GetParam().sent(live.spec);
  if (GetParam().returned) GetParam().returned(live.spec);
  state.services.push_back(live);
  state.normalise();
  const auto sides = comparable(sent, state.services[0], state, "1.41");
  EXPECT_EQ(sides.equal(), !GetParam().drift);
  EXPECT_EQ(service_changes(sides.live, sides.desired).empty(), !GetParam().drift);
}

void two_ports(ServiceSpec& s) {
  s.endpoint_spec->ports = {{"", "", 80, 8080, ""}, {"", "udp", 53, 53, "host"}};
}
void update_config(ServiceSpec& s) { s.update_config.emplace(); }
void restart_policy(ServiceSpec& s) { s.task_template.restart_policy.emplace(); }
void volume(ServiceSpec& s) {
  testing::mount_volume(s, "s_data");
  box(s).mounts[0].volume_options->subpath = "sub";
}
void health(ServiceSpec& s) {
  box(s).healthcheck.emplace();
  box(s).healthcheck->start_interval = std::chrono::seconds(1);
}
void references(ServiceSpec& s) {
  testing::cite_secret(s, "s_sec", "a");
  testing::cite_secret(s, "s_sec", "b");
  testing::cite_config(s, "s_conf", "/c");
}
void ids(ServiceSpec& s) {
  for (auto& r : box(s).secrets) r.secret_id = "sec-id";
  for (auto& r : box(s).configs) r.config_id = "conf-id";
}

INSTANTIATE_TEST_SUITE_P(
    E3,
    Normalise,
    ::testing::Values(
        SentAndReturned{"same", {}, {}},
        SentAndReturned{"E3_1_runtime", {}, [](auto& s) { s.task_template.runtime = "container"; }},
        SentAndReturned{"E3_1_other_runtime", {}, [](auto& s) { s.task_template.runtime = "plugin"; }, true},
        SentAndReturned{"E3_2_isolation", {}, [](auto& s) { box(s).isolation = "default"; }},
        SentAndReturned{"E3_2_unknown_isolation",
            [](auto& s) { box(s).isolation = "odd"; },
            [](auto& s) { box(s).isolation = "default"; }},
        SentAndReturned{"E3_2_hyperv_stays", {}, [](auto& s) { box(s).isolation = "hyperv"; }, true},
        SentAndReturned{"E3_3_privileges_absent", {}, [](auto& s) { box(s).privileges.reset(); }},
        SentAndReturned{"E3_3_no_new_privileges",
            {},
            [](auto& s) { box(s).privileges->no_new_privileges = true; },
            true},
        SentAndReturned{"E3_4_network_by_id", {}, {}},
        SentAndReturned{"E3_4_other_network",
            {},
            [](auto& s) { s.task_template.networks[0].target = "other-id"; },
            true},
        SentAndReturned{"E3_4_host_network_has_no_name",
            [](auto& s) { s.task_template.networks = {{"host", {}, {}}}; },
            [](auto& s) { s.task_template.networks[0].target = "t3jx54tngt3p"; }},
        SentAndReturned{"E3_5_endpoint_mode", {}, [](auto& s) { s.endpoint_spec->mode = "vip"; }},
        SentAndReturned{"E3_5_endpoint_absent", {}, [](auto& s) { s.endpoint_spec.reset(); }},
        SentAndReturned{"E3_5_dnsrr", {}, [](auto& s) { s.endpoint_spec->mode = "dnsrr"; }, true},
        SentAndReturned{"E3_6_ports",
            two_ports,
            [](auto& s) {
              s.endpoint_spec->ports[0].protocol = "tcp";
              s.endpoint_spec->ports[0].mode = "ingress";
            }},
        SentAndReturned{"E3_6_ports_in_another_order",
            two_ports,
            [](auto& s) { std::swap(s.endpoint_spec->ports[0], s.endpoint_spec->ports[1]); }},
        SentAndReturned{"E3_6_port_host_mode",
            two_ports,
            [](auto& s) { s.endpoint_spec->ports[0].mode = "host"; },
            true},
        SentAndReturned{"E3_7_assigned_port_is_not_in_the_spec",
            [](auto& s) { s.endpoint_spec->ports = {{"", "tcp", 90, 0, "ingress"}}; },
            {}},
        SentAndReturned{"E3_8_one_replica", {}, [](auto& s) { s.mode.replicated->replicas = 1; }},
        SentAndReturned{"E3_25_scaled_by_hand", {}, [](auto& s) { s.mode.replicated->replicas = 2; }, true},
        SentAndReturned{"E3_8_job_counts",
            [](auto& s) {
              s.mode = {};
              s.mode.replicated_job.emplace();
            },
            [](auto& s) {
              s.mode.replicated_job->max_concurrent = 1;
              s.mode.replicated_job->total_completions = 1;
            }},
        SentAndReturned{"E3_9_update_config",
            update_config,
            [](auto& s) {
              s.update_config->failure_action = "pause";
              s.update_config->order = "stop-first";
            }},
        SentAndReturned{"E3_9_rollback_config",
            [](auto& s) { s.rollback_config.emplace(); },
            [](auto& s) {
              s.rollback_config->failure_action = "pause";
              s.rollback_config->order = "stop-first";
            }},
        SentAndReturned{"E3_9_absent_stays_absent", {}, update_config, true},
        SentAndReturned{"E3_9_monitor",
            update_config,
            [](auto& s) { s.update_config->monitor = std::chrono::seconds(5); },
            true},
        SentAndReturned{"E3_10_restart_policy",
            restart_policy,
            [](auto& s) {
              s.task_template.restart_policy->condition = "any";
              s.task_template.restart_policy->max_attempts = 0;
            }},
        SentAndReturned{"E3_10_none_stored", {}, restart_policy, true},
        SentAndReturned{"E3_10_delay",
            restart_policy,
            [](auto& s) { s.task_template.restart_policy->delay = std::chrono::seconds(5); },
            true},
        SentAndReturned{"E3_11_mount_type_and_consistency",
            [](auto& s) {
              swarm::Mount mount;
              mount.source = "/a";
              mount.target = "/b";
              mount.consistency = "cached";
              mount.bind_options.emplace();
              box(s).mounts = {mount};
            },
            [](auto& s) {
              box(s).mounts[0].type = "bind";
              box(s).mounts[0].consistency.clear();
              box(s).mounts[0].bind_options.reset();
            }},
        SentAndReturned{"E3_11_cluster_options_dropped",
            [](auto& s) {
              swarm::Mount mount;
              mount.type = "cluster";
              mount.source = "group:g";
              mount.target = "/b";
              mount.cluster_options.emplace();
              box(s).mounts = {mount};
            },
            [](auto& s) { box(s).mounts[0].cluster_options.reset(); }},
        SentAndReturned{"E3_11_subpath_dropped",
            volume,
            [](auto& s) { box(s).mounts[0].volume_options->subpath.clear(); }},
        SentAndReturned{"E3_11_another_subpath",
            volume,
            [](auto& s) { box(s).mounts[0].volume_options->subpath = "x"; },
            true},
        SentAndReturned{"E3_12_start_interval_dropped",
            health,
            [](auto& s) { box(s).healthcheck->start_interval = {}; }},
        SentAndReturned{"E3_12_empty_healthcheck_is_not_none",
            [](auto& s) { box(s).healthcheck.emplace(); },
            [](auto& s) { box(s).healthcheck.reset(); },
            true},
        SentAndReturned{"E3_13_empty_dns_is_not_none",
            [](auto& s) { box(s).dns_config.emplace(); },
            [](auto& s) { box(s).dns_config.reset(); },
            true},
        SentAndReturned{"E3_14_init_false",
            [](auto& s) { box(s).init = false; },
            [](auto& s) { box(s).init.reset(); },
            true},
        SentAndReturned{"E3_14_stop_grace_period_zero",
            [](auto& s) { box(s).stop_grace_period = swarm::Nanoseconds(0); },
            [](auto& s) { box(s).stop_grace_period.reset(); },
            true},
        SentAndReturned{"E3_15_label", {}, [](auto& s) { s.labels["x"] = ""; }, true},
        SentAndReturned{"E3_17_env_order",
            [](auto& s) { box(s).env = {"A=1", "B=2"}; },
            [](auto& s) { std::swap(box(s).env[0], box(s).env[1]); }},
        SentAndReturned{"E3_17_args_order",
            [](auto& s) { box(s).args = {"a", "b"}; },
            [](auto& s) { std::swap(box(s).args[0], box(s).args[1]); },
            true},
        SentAndReturned{"E3_22_references_are_sets",
            references,
            [](auto& s) {
              ids(s);
              std::swap(box(s).secrets[0], box(s).secrets[1]);
            }},
        SentAndReturned{"E3_22_another_object_of_that_name",
            references,
            [](auto& s) {
              ids(s);
              box(s).configs[0].config_id = "gone";
            },
            true},
        SentAndReturned{"E3_24_alias_order",
            [](auto& s) { s.task_template.networks[0].aliases = {"a", "b"}; },
            [](auto& s) { s.task_template.networks[0].aliases = {"b", "a"}; },
            true},
        SentAndReturned{"our_own_label", {}, [](auto& s) { s.labels[testing::kInstance] = "x"; }},
        SentAndReturned{"field_of_a_newer_api",
            {},
            [](auto& s) { s.unknown["/TaskTemplate/New"] = "1"; },
            true}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Normalise, TwiceIsOnce) {
  const auto spec = swarm::read_service_spec(testing::testdata("swarm/e2_create.json"));
  ASSERT_TRUE(spec);
  const auto once = canonical(*spec);
  EXPECT_EQ(canonical(once), once);
}

TEST(Normalise, NotesWhatAnOldEngineDropsAndBelievesNoNewOne_E3_11_E3_12) {
  auto stack = testing::stack("s");
  auto& sent = testing::add_service(stack, "web");
  volume(sent);
  health(sent);
  swarm::LiveService live;
  live.spec = sent;
  box(live.spec).mounts[0].volume_options->subpath.clear();
  box(live.spec).healthcheck->start_interval = {};
  const auto old = comparable(sent, live, {}, "1.41");
  EXPECT_TRUE(old.equal());
  EXPECT_EQ(old.dropped,
            (std::vector<std::string>{"healthcheck.start_interval", "volume.subpath of /data"}));
  EXPECT_TRUE(comparable(sent, live, {}, "").equal());
  EXPECT_FALSE(comparable(sent, live, {}, "1.44").equal());
  EXPECT_FALSE(comparable(sent, live, {}, "1.50").equal());
  EXPECT_TRUE(api_at_least("1.44", 1, 44));
  EXPECT_FALSE(api_at_least("1.9", 1, 44));
  EXPECT_TRUE(api_at_least("2.0", 1, 44));
}

TEST(Normalise, ComparesACredentialSpecByTheNameOfItsConfig_C6_5) {
  auto stack = testing::stack("s");
  auto& sent = testing::add_service(stack, "web");
  box(sent).privileges->credential_spec = swarm::CredentialSpec{"s_conf", "", ""};
  box(sent).configs.push_back({{}, swarm::RuntimeTarget{}, "", "s_conf"});
  swarm::LiveState state;
  state.configs.push_back({"conf-id", 1, "s_conf", {}, {}, "", 0});
  swarm::LiveService live;
  live.spec = sent;
  box(live.spec).privileges->credential_spec->config = "conf-id";
  box(live.spec).configs[0].config_id = "conf-id";
  EXPECT_TRUE(comparable(sent, live, state, "").equal());
  // The reference of the credential spec says which one it is.
  box(live.spec).privileges->credential_spec->config = "other";
  box(live.spec).configs[0].config_id = "other";
  EXPECT_FALSE(comparable(sent, live, state, "").equal());
}

}  // namespace
}  // namespace skep::diff
