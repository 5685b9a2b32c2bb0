// The corner cases of section F, and rules that no unit test covers, each a row.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "swarm/json.hpp"
#include "tests/compose/fixture.hpp"

namespace skep::compose::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

/// What a row expects: of the service `web` at a JSON pointer, or of the findings.
struct Row {
  std::string name;
  std::vector<std::string> files;
  std::string where;     ///< "/Labels", or "error", "warning", "ok".
  std::string expected;  ///< JSON text, "absent", or a part of a message.
};

/// For failures; without it the bytes of the row would be shown.
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

std::string at(const Output& output, const std::string& pointer) {
  const auto web_service = output.stack.services.find("web");
  if (web_service == output.stack.services.end()) return "no service web";
  const auto spec = json::parse(swarm::to_json(web_service->second.spec));
  const json::json_pointer place(pointer);
  return spec.contains(place) ? spec.at(place).dump() : "absent";
}

class LoadTest : public ::testing::TestWithParam<Row> {};

TEST_P(LoadTest, DoesWhatTheCliDoes) {
  const auto& row = GetParam();
  Loader loader;
  loader.environment = {{"FOO", "foo"},
                        {"EMPTY", ""},
                        {"N", "0440"},
                        {"HEX", "0x1F"},
                        {"T", "yes"},
                        {"BOOL", "true"},
                        {"X", "$FOO"}};
  loader.reader.files = {{"/D/sec.txt", "canary"},
                         {"/D/export.env", "export A=1"},
                         {"/D/quoted.env", "B=\"q\" # c"},
                         {"/D/host.env", "HOSTV"},
                         {"/D/e.env", "E=1"}};
  const auto output = loader.load(row.files);
  if (row.where == "error") {
    EXPECT_THAT(errors(output), HasSubstr(row.expected));
    for (const auto& finding : output.findings) EXPECT_GT(finding.at.line, 0) << finding.message;
    return;
  }
  ASSERT_EQ(errors(output), "");
  if (row.where == "warning") {
    EXPECT_THAT(warnings(output), HasSubstr(row.expected));
  } else if (row.where != "ok") {
    EXPECT_EQ(at(output, row.where), row.expected);
  }
}

const std::string kContainer = "/TaskTemplate/ContainerSpec";
const std::string kEnv = kContainer + "/Env";
const std::string kMounts = kContainer + "/Mounts";
const std::string kPorts = "/EndpointSpec/Ports";
const auto name_of_row = [](const auto& row) { return row.param.name; };

Row value(std::string name,
          const std::string& keys,
          std::string where,
          std::string expected,
          const std::string& top = "") {
  return {std::move(name), {web(keys, top)}, std::move(where), std::move(expected)};
}
Row error(std::string name,
          const std::string& keys,
          std::string expected,
          const std::string& top = "") {
  return {std::move(name), {web(keys, top)}, "error", std::move(expected)};
}

INSTANTIATE_TEST_SUITE_P(
    Files,
    LoadTest,
    ::testing::Values(
        Row{"F1", {""}, "error", "top-level object must be a mapping"},
        Row{"F2", {"services:"}, "error", "services must be a mapping"},
        Row{"F3", {"services: {}"}, "ok", ""},
        Row{"F4", {"services: {web: {image: x, oom_score_adj: 5}}"}, "ok", ""},
        Row{"F5", {"version: 3.8\nservices: {}"}, "error", "version must be a string"},
        Row{"F6", {"version: '3'\nservices: {web: {image: x, oom_score_adj: 5}}"}, "ok", ""},
        Row{"F7", {"version: '2.4'"}, "error", "unsupported Compose file version: 2.4"},
        Row{"F8", {"version:"}, "error", "unsupported Compose file version: <nil>"},
        Row{"F9", {"version: ''\nservices: {}"}, "ok", ""},
        Row{"F10_mismatch",
            {"version: '3.8'", "services: {}"},
            "error",
            "version mismatched between two composefiles : 3.8 and 3.13"},
        Row{"F10_same", {"version: '3'", "services: {}"}, "ok", ""},
        Row{"F11", {"services: {}\n---\n[garbage"}, "ok", ""},
        Row{"F12",
            {"services: {}\nservices: {}"},
            "error",
            "mapping key \"services\" already defined at line 1"},
        Row{"F14",
            {"services: {we b: {image: x}}"},
            "error",
            "services Additional property we b is not allowed"},
        Row{"F15", {"services: {}\nnetworks: {a b: {nonsense: 1}}"}, "ok", ""},
        Row{"F16_old", {"version: '3.3'\nx-foo: 1"}, "error", "x-foo"},
        Row{"F16_new", {"version: '3.4'\nx-foo: 1"}, "ok", ""},
        Row{"F17",
            {"x-b: &b {image: b}\nservices: {web: {<<: [*b, {image: y}]}}"},
            "/Labels/com.docker.stack.image",
            "\"b\""},
        error("F18_plain", "tty: yes", "services.web.tty must be a boolean"),
        value("F18_variable", "tty: \"${T}\"", kContainer + "/TTY", "true"),
        error("F19_true",
              "labels: {a: true}",
              "services.web.labels.a must be a string, number or null"),
        value("F19_yes", "labels: {a: yes}", kContainer + "/Labels/a", "\"yes\""),
        value("F20", "environment: {P: 2020-01-02}", kEnv, "[\"P=2020-01-02 00:00:00 +0000 UTC\"]"),
        value("F21",
              "environment: {A: 0777, B: 09, C: 1_0, D: 12:30:45, E: 1e400}",
              kEnv,
              R"(["A=511","B=9","C=10","D=12:30:45","E=1e400"])"),
        value("F22", "labels: {a: 1000000.0}", kContainer + "/Labels/a", "\"1e+06\""),
        Row{"F25_secret", {"secrets: {a: }"}, "error", "secrets.a must be a mapping"},
        Row{"F25_network", {"networks: {a: }\nvolumes: {a: }"}, "ok", ""},
        value("F37", "labels: {\"$FOO\": 1}", kContainer + "/Labels/$FOO", "\"1\""),
        value("F38_variable", "deploy: {replicas: \"${N}\"}", "/Mode/Replicated/Replicas", "440"),
        error("F38_hexadecimal",
              "deploy: {replicas: \"${HEX}\"}",
              "failed to cast to expected type"),
        error("F38_unset", "deploy: {replicas: \"${UNSET}\"}", "failed to cast to expected type"),
        error("F38_text",
              "deploy: {replicas: \"3\"}",
              "services.web.deploy.replicas must be a integer"),
        error("F39", "init: \"${BOOL}\"", "services.web.init must be a boolean"),
        value("F40", "hostname: $X", kContainer + "/Hostname", "\"$FOO\"")),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(
    PortsAndVolumes,
    LoadTest,
    ::testing::Values(
        error("F42",
              "ports: ['3000-3001:4000-4002']",
              "services.web.ports.0 Does not match format 'ports'"),
        Row{"F43",
            {web("ports: ['127.0.0.1:8080:80']")},
            "warning",
            "ignoring IP-address (127.0.0.1:8080:80/tcp)"},
        value("F44", "ports: [{target: 80}]", kPorts, R"([{"TargetPort":80}])"),
        error("F46_same", "ports: ['80:80', '80:80']", "array items[0,1] must be unique"),
        value("F46_two_spellings",
              "ports: ['80:80', '80:80/tcp']",
              kPorts + "/1/PublishedPort",
              "80"),
        error("F47",
              "ports: [{target: 80, published: '8080'}]",
              "services.web.ports.0.published must be a integer"),
        value(
            "F48",
            "ports: ['9000:90', '70', '80:80']",
            kPorts,
            R"([{"Protocol":"tcp","PublishMode":"ingress","TargetPort":70},{"Protocol":"tcp","PublishMode":"ingress","PublishedPort":80,"TargetPort":80},{"Protocol":"tcp","PublishMode":"ingress","PublishedPort":9000,"TargetPort":90}])"),
        value("F50", "volumes: ['x:/d']", kMounts, R"([{"Target":"x:/d","Type":"volume"}])"),
        error("F51",
              "volumes: ['vol:/d:rshared']",
              "service web: bind options are incompatible with type volume",
              "volumes: {vol: }"),
        value("F52",
              "volumes: ['/a:/b:z']",
              kMounts,
              R"([{"Source":"/a","Target":"/b","Type":"bind"}])"),
        error("F53", "volumes: ['a/b:/c']", "service web: undefined volume \"a/b\""),
        value("F54", "volumes: ['~user/a:/b']", kMounts + "/0/Source", "\"/rootuser/a\""),
        value("F55", "volumes: ['./a/../b//c:/d']", kMounts + "/0/Source", "\"/D/b/c\""),
        value("F56",
              "volumes: [{type: bind, source: x, target: /d}]",
              kMounts + "/0/Source",
              "\"/D/x\""),
        error("F57",
              "",
              "conflicting parameters \"external\" and \"driver\" specified for volume \"v\"",
              "volumes: {v: {external: true, driver: x}}"),
        value("F58",
              "volumes: ['vv:/d']",
              kMounts,
              R"([{"Source":"n","Target":"/d","Type":"volume","VolumeOptions":{}}])",
              "volumes: {vv: {external: true, name: n}}"),
        value("F59",
              "volumes: [{type: volume, target: /d, volume: {nocopy: true}}]",
              kMounts,
              R"([{"Target":"/d","Type":"volume"}])"),
        value("F60", "tmpfs: /run", kMounts, "absent"),
        error("F61",
              "volumes: [{type: tmpfs, target: /d, tmpfs: {size: 5m}}]",
              "must be a integer"),
        value("F62", "volumes: ['/a:/d', '/b:/d']", kMounts + "/1/Source", "\"/b\""),
        error("C3_4_type",
              "volumes: [{type: floppy, target: /d}]",
              "service web: volume type must be volume, bind, tmpfs, npipe, or cluster"),
        error("C3_4_tmpfs_source",
              "volumes: [{type: tmpfs, source: x, target: /d}]",
              "invalid tmpfs source, source must be empty"),
        value("C3_3_cluster_group",
              "volumes: [{type: cluster, source: 'group:g', target: /d}]",
              kMounts,
              R"([{"ClusterOptions":{},"Source":"group:g","Target":"/d","Type":"cluster"}])"),
        value("B2_6_subpath",
              "volumes: [{type: volume, source: vv, target: /d, volume: {subpath: s}}]",
              kMounts + "/0/VolumeOptions/Subpath",
              "\"s\"",
              "volumes: {vv: {external: true}}"),
        error("B2_7_empty_bind",
              "volumes: [{type: bind, target: /d}]",
              "invalid mount config for type \"bind\": field Source must not be empty")),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(
    EnvironmentAndCommands,
    LoadTest,
    ::testing::Values(
        value("F63", "environment: {FOO: ''}", kEnv, R"(["FOO=foo"])"),
        value("F64", "env_file: e.env\nenvironment: {E: }", kEnv, R"(["E"])"),
        error("F65",
              "env_file: export.env",
              "invalid env file (/D/export.env): line 1: variable name contains whitespaces"),
        value("F66", "env_file: quoted.env", kEnv, R"(["B=\"q\" # c"])"),
        value("F67", "env_file: host.env", kEnv, "absent"),
        value("F68_last_wins", "environment: [A=1, A=2]", kEnv, R"(["A=2"])"),
        error("F68_same", "environment: [A=1, A=1]", "must be unique"),
        error("B4_2_missing_file", "env_file: no.env", "open /D/no.env: no such file or directory"),
        value("F69", "command: 'a # b'", kContainer + "/Args", R"(["a"])"),
        value("F70", R"(command: 'echo "a\nb"')", kContainer + "/Args", R"(["echo","anb"])"),
        value("F71", "command: ''", kContainer + "/Args", "absent"),
        error("F72", "command: [1]", "services.web.command.0 must be a string"),
        error("B3_2",
              "command: 'a \"b'",
              "error decoding 'Command': EOF found when expecting closing quote"),
        value("F73", "healthcheck: {}", kContainer + "/Healthcheck", "{}"),
        error("F74_both",
              "healthcheck: {disable: true, test: x}",
              "service web: test and disable can't be set at the same time"),
        value("F74_interval",
              "healthcheck: {disable: true, interval: 5s}",
              kContainer + "/Healthcheck",
              R"({"Test":["NONE"]})"),
        error("F75_day", "healthcheck: {interval: 1d}", "Does not match format 'duration'"),
        error("F75_number", "healthcheck: {interval: 5}", "must be a string"),
        error("F75_text", "healthcheck: {interval: '5'}", "Does not match format 'duration'"),
        value("F75_zero", "healthcheck: {interval: '0'}", kContainer + "/Healthcheck", "{}"),
        value("F76",
              "healthcheck: {test: NONE}",
              kContainer + "/Healthcheck/Test",
              R"(["CMD-SHELL","NONE"])"),
        value("F77", "stop_grace_period: 0s", kContainer + "/StopGracePeriod", "0")),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(
    Options,
    LoadTest,
    ::testing::Values(
        Row{"F78_warning",
            {web("restart: always")},
            "warning",
            "Ignoring unsupported options: restart"},
        value("F78_policy",
              "restart: always",
              "/TaskTemplate/RestartPolicy",
              R"({"Condition":"any"})"),
        value("F79",
              "restart: on-failure",
              "/TaskTemplate/RestartPolicy",
              R"({"Condition":"on-failure","MaxAttempts":0})"),
        value("F80",
              "restart: always\ndeploy: {restart_policy: {condition: none}}",
              "/TaskTemplate/RestartPolicy",
              R"({"Condition":"none"})"),
        value("C5_4_negative",
              "restart: 'on-failure:-1'",
              "/TaskTemplate/RestartPolicy/MaxAttempts",
              "18446744073709551615"),
        error("C5_4_unknown",
              "restart: sometimes",
              "service web: unknown restart policy: sometimes"),
        error("C5_4_count", "restart: 'always:x'", "maximum retry count must be an integer"),
        error("C5_4_no_policy", "restart: ':3'", "no policy provided before colon"),
        value("F81_none", "extra_hosts: ['nohost']", kContainer + "/Hosts", "absent"),
        value("F81_list",
              "extra_hosts: ['c=5.6.7.8', 'd=[::1]']",
              kContainer + "/Hosts",
              R"(["5.6.7.8 c","::1 d"])"),
        value("F81_mapping",
              "extra_hosts: {b: 1.1.1.1, a: 2.2.2.2}",
              kContainer + "/Hosts",
              R"(["2.2.2.2 a","1.1.1.1 b"])"),
        value("F82_all",
              "cap_add: [ALL, NET_ADMIN]\ncap_drop: [ALL]",
              kContainer + "/CapabilityAdd",
              R"(["ALL"])"),
        value("F82_drop",
              "cap_add: [ALL, NET_ADMIN]\ncap_drop: [ALL]",
              kContainer + "/CapabilityDrop",
              "absent"),
        value("F82_spellings",
              "cap_drop: [mknod, MKNOD]",
              kContainer + "/CapabilityDrop",
              R"(["CAP_MKNOD"])"),
        value("F83", "dns: []", kContainer + "/DNSConfig", "{}"),
        value("F84", "logging: {}", "/TaskTemplate/LogDriver", "{}"),
        error("F85",
              "ulimits: {nofile: {soft: 1}}",
              "services.web.ulimits.nofile hard is required"),
        value("F86", "oom_score_adj: 500", kContainer + "/OomScoreAdj", "absent"),
        value("F87",
              "network_mode: host",
              "/TaskTemplate/Networks",
              R"([{"Aliases":["web"],"Target":"s_default"}])"),
        error("F88",
              "deploy: {mode: global, replicas: 1}",
              "replicas can only be used with replicated or replicated-job mode"),
        error("C5_1_unknown", "deploy: {mode: Global}", "service web: Unknown mode: Global"),
        value("F89_empty",
              "deploy: {update_config: {}}",
              "/UpdateConfig",
              R"({"MaxFailureRatio":0,"Order":"","Parallelism":1})"),
        value("F89_zero",
              "deploy: {update_config: {parallelism: 0}}",
              "/UpdateConfig/Parallelism",
              "0"),
        error("F90_number",
              "deploy: {resources: {limits: {cpus: 0.5}}}",
              "services.web.deploy.resources.limits.cpus must be a string"),
        error("F90_third",
              "deploy: {resources: {limits: {cpus: '1/3'}}}",
              "service web: value is too precise"),
        error("F91_suffix", "deploy: {resources: {limits: {memory: 1Gi}}}", "invalid suffix: 'gi'"),
        value("F91",
              "deploy: {resources: {limits: {memory: 1.5g}}}",
              "/TaskTemplate/Resources/Limits/MemoryBytes",
              "1610612736"),
        value("F92",
              "deploy: {labels: {com.docker.stack.image: x}}",
              "/Labels/com.docker.stack.image",
              "\"nginx\""),
        error("A7_1", "mem_limit: 5m", "Compose file contains unsupported options: mem_limit"),
        error("A8_10",
              "deploy: {replicas: -1}",
              "cannot parse 'Deploy.Replicas', -1 overflows uint"),
        Row{"C9_1",
            {"services: {web: {build: .}}"},
            "error",
            "invalid image reference for service web: no image specified"},
        Row{"F134_upper",
            {"services: {web: {image: FOO}}"},
            "error",
            "invalid image reference for service web: invalid reference format: repository name "
            "(library/FOO) must be lowercase"},
        Row{"F135",
            {"services: {web: {image: docker.io/library/foo}}"},
            kContainer + "/Image",
            "\"foo:latest\""},
        Row{"F135_label",
            {"services: {web: {image: docker.io/library/foo}}"},
            "/Labels/com.docker.stack.image",
            "\"docker.io/library/foo\""}),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(
    Networks,
    LoadTest,
    ::testing::Values(
        error("F93", "networks: [b]", "service web: undefined network \"b\""),
        value("F96",
              "networks: [h]",
              "/TaskTemplate/Networks",
              R"([{"Target":"host"}])",
              "networks: {h: {external: true, name: host}}"),
        value("F97",
              "networks: {a: {aliases: [web]}}",
              "/TaskTemplate/Networks/0/Aliases",
              R"(["web","web"])",
              "networks: {a: }"),
        value("F98", "networks: []", "/TaskTemplate/Networks/0/Target", "\"s_default\""),
        error("F100",
              "",
              "network n: network.external.name and network.name conflict; only use network.name",
              "networks: {n: {external: {name: x}, name: y}}"),
        value("C7_4",
              "networks: [a, b]",
              "/TaskTemplate/Networks/0/Target",
              "\"aaa\"",
              "networks: {a: {name: zzz}, b: {name: aaa}}"),
        value("F101",
              "secrets: [k]",
              kContainer + "/Secrets/0/File",
              R"({"GID":"0","Mode":292,"Name":"k","UID":"0"})",
              "secrets: {k: {file: sec.txt, name: other}}"),
        error("F102",
              "secrets: [k, {source: l, target: k}]",
              "duplicate secret target for s_l not allowed",
              "secrets: {k: {file: sec.txt}, l: {file: sec.txt}}"),
        error("F103", "", "read /D: is a directory", "secrets: {k: {}}"),
        error("C6_3", "configs: [k]", "service web: undefined config \"k\""),
        error("C6_1_missing",
              "",
              "open /D/no.txt: no such file or directory",
              "configs: {k: {file: no.txt}}"),
        error("F106",
              "credential_spec: {config: a}",
              "invalid credential spec: spec specifies config a, but no such config can be found",
              "configs: {a: {file: sec.txt, name: nn}}"),
        error("C6_5_two",
              "credential_spec: {file: a, registry: b}",
              "invalid credential spec: cannot specify both \"File\" and \"Registry\""),
        Row{"F107", {web("", "secrets: {k: {external: true, file: missing}}")}, "ok", ""},
        value("F108_octal",
              "secrets: [{source: k, mode: 0400}]",
              kContainer + "/Secrets/0/File/Mode",
              "256",
              "secrets: {k: {file: sec.txt}}"),
        value("F108_zero",
              "secrets: [{source: k, mode: 0}]",
              kContainer + "/Secrets/0/File/Mode",
              "0",
              "secrets: {k: {file: sec.txt}}"),
        error("F108_text",
              "secrets: [{source: k, mode: '0440'}]",
              "must be a number",
              "secrets: {k: {file: sec.txt}}"),
        error("B9_1_both",
              "",
              "secret k: secret.driver and secret.file conflict; only use secret.driver",
              "secrets: {k: {file: sec.txt, driver: d}}"),
        Row{"B8_1_warning",
            {web("", "networks: {n: {external: {name: x}}}")},
            "warning",
            "network n: network.external.name is deprecated in favor of network.name"}),
    name_of_row);

Row merged(std::string name,
           const std::string& base,
           const std::string& over,
           std::string where,
           std::string expected) {
  return {std::move(name), {web(base), web(over)}, std::move(where), std::move(expected)};
}

INSTANTIATE_TEST_SUITE_P(
    Merge_A9,
    LoadTest,
    ::testing::Values(
        merged("F109",
               "ports: ['80', '90']",
               "",
               kPorts,
               R"([{"Protocol":"tcp","PublishMode":"ingress","TargetPort":90}])"),
        merged(
            "F110",
            "ports: ['53:53/tcp', '53:53/udp']",
            "",
            kPorts,
            R"([{"Protocol":"udp","PublishMode":"ingress","PublishedPort":53,"TargetPort":53}])"),
        merged("F111", "ports: ['80:80']", "ports: ['80:8080']", kPorts + "/0/TargetPort", "8080"),
        merged("A9_2_no_ports_in_base", "", "ports: ['80', '90']", kPorts + "/1/TargetPort", "90"),
        merged("F112", "tty: true", "tty: false", kContainer + "/TTY", "true"),
        merged(
            "F113_environment", "environment: {B: 2}", "environment: {B: ''}", kEnv, R"(["B=2"])"),
        merged(
            "F113_labels", "labels: {B: 2}", "labels: {B: ''}", kContainer + "/Labels/B", "\"\""),
        merged("A9_2_new_null",
               "environment: {B: 2}",
               "environment: {A: , C: ''}",
               kEnv,
               R"(["A","B=2","C="])"),
        merged("F114",
               "healthcheck: {test: [CMD, a]}",
               "healthcheck: {test: [CMD, b]}",
               kContainer + "/Healthcheck/Test",
               R"(["CMD","a","CMD","b"])"),
        merged("F115",
               "dns: 1.1.1.1",
               "dns: 1.1.1.1",
               kContainer + "/DNSConfig/Nameservers",
               R"(["1.1.1.1","1.1.1.1"])"),
        merged("F116",
               "deploy: {replicas: 3}",
               "deploy: {replicas: 0}",
               "/Mode/Replicated/Replicas",
               "0"),
        merged("F117",
               "logging: {driver: x}",
               "logging: {driver: x, options: {b: 3}}",
               "/TaskTemplate/LogDriver",
               R"({"Name":"x"})"),
        merged("A9_2_logging_options",
               "logging: {driver: x, options: {a: 1}}",
               "logging: {options: {b: 3}}",
               "/TaskTemplate/LogDriver",
               R"({"Name":"x","Options":{"a":"1","b":"3"}})"),
        merged("A9_2_logging_drivers",
               "logging: {driver: x, options: {a: 1}}",
               "logging: {driver: y}",
               "/TaskTemplate/LogDriver",
               R"({"Name":"y"})"),
        merged("F119", "command: a b", "command: []", kContainer + "/Args", R"(["a","b"])"),
        merged("F120", "init: true", "init: false", kContainer + "/Init", "true"),
        merged("A9_2_init_fills", "", "init: false", kContainer + "/Init", "false"),
        merged(
            "A9_2_volumes_by_target",
            "volumes: ['/b:/z', '/a:/y']",
            "volumes: ['/c:/z']",
            kMounts,
            R"([{"Source":"/a","Target":"/y","Type":"bind"},{"Source":"/c","Target":"/z","Type":"bind"}])"),
        merged("A9_2_constraints",
               "deploy: {placement: {constraints: [a==b]}}",
               "deploy: {placement: {constraints: [a==b]}}",
               "/TaskTemplate/Placement/Constraints",
               R"(["a==b","a==b"])"),
        merged("A9_3", "deploy: {replicas: 3}", "deploy:", "/Mode/Replicated/Replicas", "3"),
        merged("A9_2_grace",
               "stop_grace_period: 5s",
               "stop_grace_period: 0s",
               kContainer + "/StopGracePeriod",
               "5000000000"),
        Row{"A9_2_attempts_zero",
            {web("deploy: {restart_policy: {max_attempts: 3, delay: 5s}}"),
             web("deploy: {restart_policy: {max_attempts: 0, delay: 0s}}")},
            "/TaskTemplate/RestartPolicy",
            R"({"Delay":5000000000,"MaxAttempts":0})"},
        Row{"A9_2_networks",
            {web("networks: {a: {aliases: [x], driver_opts: {k: v}}}", "networks: {a: }"),
             web("networks: {a: {aliases: []}}")},
            "/TaskTemplate/Networks/0",
            R"({"Aliases":["web"],"DriverOpts":{"k":"v"},"Target":"s_a"})"},
        Row{"A9_7_three",
            {web("hostname: a"), web("hostname: b"), web("hostname: c")},
            kContainer + "/Hostname",
            "\"c\""}),
    name_of_row);

TEST(Load, TopLevelDefinitionIsReplacedWhole_F118_A9_4) {
  const auto output =
      Loader().load({web("networks: [n]", "networks: {n: {driver: a, internal: true}}"),
                     web("", "networks: {n: {driver: b}}")});
  ASSERT_EQ(errors(output), "");
  EXPECT_EQ(output.stack.networks.at("n").driver, "b");
  EXPECT_FALSE(output.stack.networks.at("n").internal);
}

TEST(Load, OnlyNetworksInUseAreCreatedAndAllSecretsAre_F94) {
  Loader loader;
  loader.reader.files["/D/x"] = "data";
  const auto output = loader.load({web("networks: [a]",
                                       "networks: {a: , b: , e: {external: true}}\nsecrets: {k: "
                                       "{file: x}}\nconfigs: {c: {file: ./x}}")});
  ASSERT_EQ(errors(output), "");
  EXPECT_EQ(output.stack.networks.size(), 1U);
  EXPECT_TRUE(output.stack.external_networks.empty());
  EXPECT_EQ(output.stack.secrets.at("k").data.reveal(), "data");
  EXPECT_EQ(output.stack.configs.at("c").data, "data");
  EXPECT_EQ(output.stack.configs.at("c").name, "s_c");
}

TEST(Load, ExternalObjectsInUseAreListedWithTheirPosition) {
  const auto output = Loader().load({web(
      "networks: [n, h]\nsecrets: [k]\nconfigs: [c]",
      "networks: {n: {external: true, name: nn}, h: {external: true, name: host}}\n"
      "secrets: {k: {external: true}, unused: {external: true}}\nconfigs: {c: {external: true}}")});
  ASSERT_EQ(errors(output), "");
  ASSERT_EQ(output.stack.external_networks.size(), 1U);
  EXPECT_EQ(to_string(output.stack.external_networks.at("nn")), "a.yml:8:12");
  EXPECT_EQ(output.stack.external_secrets.size(), 1U);
  EXPECT_TRUE(output.stack.external_secrets.contains("k"));
  EXPECT_TRUE(output.stack.external_configs.contains("c"));
}

TEST(Load, TwoNetworkKeysWithOneNameAreOneNetwork_C2_4) {
  const auto output =
      Loader().load({web("networks: [a, b]", "networks: {a: {name: n, driver: x}, b: {name: n}}")});
  ASSERT_EQ(output.stack.networks.size(), 1U);
  EXPECT_EQ(output.stack.networks.at("b").name, "n");
}

TEST(Load, AllMistakesOfAllFilesAreFoundInOneCall) {
  const auto output =
      Loader().load({web("tty: maybe\nvolumes: ['nope:/d']"),
                     "version: \"3.13\"\nservices:\n  db:\n    image: UPPER\n    ports: ['x']\n"});
  const auto all = errors(output);
  EXPECT_THAT(all, HasSubstr("services.web.tty must be a boolean"));
  EXPECT_THAT(all, HasSubstr("undefined volume \"nope\""));
  EXPECT_THAT(all, HasSubstr("repository name (library/UPPER) must be lowercase"));
  EXPECT_THAT(all, HasSubstr("services.db.ports.0"));
  EXPECT_EQ(output.findings.size(), 4U) << to_string(output.findings);
}

TEST(Load, FilesOfSecretsAndEnvironmentsAreNeverQuoted) {
  Loader loader;
  loader.reader.files = {{"/D/bad.env", "canary here"}, {"/D/s", "canary"}};
  const auto output =
      loader.load({web("env_file: bad.env\nsecrets: [k, k]", "secrets: {k: {file: s}}")});
  EXPECT_NE(errors(output), "");
  EXPECT_THAT(to_string(output.findings), Not(HasSubstr("canary")));
}

TEST(Load, HomeHasNoMeaningInARepository) {
  Loader loader;
  loader.home = std::nullopt;
  loader.directory = std::string(kRepositoryRoot) + "/apps/x";
  EXPECT_THAT(errors(loader.load({web("volumes: ['~/a:/b']")})),
              HasSubstr("~ has no meaning in a repository; write an absolute path"));
  const auto below = loader.load({web("volumes: ['../y/f:/b']")});
  EXPECT_EQ(at(below, kMounts + "/0/Source"), "\"/.skep-repository/apps/y/f\"");
  EXPECT_THAT(errors(loader.load({web("volumes: ['../../../etc:/b']")})),
              HasSubstr("leaves the repository"));
}

TEST(Load, NamedVolumesThatAreMountedAreListed) {
  const auto output = Loader().load({web("volumes: ['data:/a', 'ext:/b', /anon, '/h:/h']",
                                         "volumes: {data: , ext: {external: true}, unused: }")});
  EXPECT_THAT(output.stack.volumes, ::testing::ElementsAre("ext", "s_data"));
}

TEST(Load, ShortDependsOnIsKept) {
  const auto output = Loader().load({web("depends_on: [db]", "  db: {image: x}")});
  ASSERT_EQ(errors(output), "");
  ASSERT_EQ(output.stack.services.at("web").depends_on.size(), 1U);
  EXPECT_EQ(output.stack.services.at("web").depends_on[0].service, "db");
}

}  // namespace
}  // namespace skep::compose::testing
