#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/compose/fixture.hpp"

// One mistake is one finding, which names the place, the key's path and what to write instead.
// Strict mode is not asked here: what it says is the CLI's.
namespace skep::compose::testing {
namespace {

using ::testing::HasSubstr;

/// All findings of a file, one a line, each as line:column: severity: message.
std::string findings_of(const std::string& text) {
  std::string lines;
  for (const auto& finding : relaxed().load({text}).findings) {
    lines += std::to_string(finding.at.line) + ':' + std::to_string(finding.at.column) +
             (finding.severity == Finding::Severity::error ? ": error: " : ": warning: ") +
             finding.message + '\n';
  }
  return lines;
}

struct OneFinding {
  const char* name;
  std::string text;
  std::string expected;  ///< Its beginning.
};

class OneFindingTest : public ::testing::TestWithParam<OneFinding> {};

TEST_P(OneFindingTest, SaysPlacePathAndWhatToDo) {
  const auto lines = findings_of(GetParam().text);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 1) << lines;
  EXPECT_THAT(lines, ::testing::StartsWith(GetParam().expected));
}

const auto kName = [](const auto& row) { return std::string(row.param.name); };

INSTANTIATE_TEST_SUITE_P(
    NoSecondError,
    OneFindingTest,
    ::testing::Values(
        OneFinding{
            "src_of_a_bind_mount",
            web("volumes: [{type: bind, src: ./a, target: /b}]"),
            "5:28: error: services.web.volumes.0 Additional property src is not allowed; did "
            "you mean source?\n"},
        OneFinding{
            "src_without_a_type",
            web("volumes: [{src: ./a, target: /b}]"),
            "5:16: error: services.web.volumes.0 Additional property src is not allowed; did "
            "you mean source?\n"},
        OneFinding{
            "dst_of_a_volume",
            web("volumes: [{type: volume, source: a, dst: /b}]", "volumes: {a: {}}"),
            "5:41: error: services.web.volumes.0 Additional property dst is not allowed; did "
            "you mean target?\n"},
        OneFinding{"destination_of_a_volume",
                   web("volumes: [{type: volume, destination: /b}]"),
                   "5:30: error: services.web.volumes.0 Additional property destination is not "
                   "allowed; did you mean target?\n"},
        OneFinding{"part_of_deploy_among_the_services",
                   web("", "  resources:\n    limits: {cpus: '1'}\n    reservations: {cpus: '1'}"),
                   "5:3: error: services.resources Additional property limits is not allowed; "
                   "resources belongs below deploy of a service: it is perhaps indented too "
                   "little\n"},
        OneFinding{"key_of_a_service_among_the_services",
                   web("", "  environment:\n    A: b"),
                   "5:3: error: services.environment Additional property A is not allowed; "
                   "environment belongs below a service: it is perhaps indented too little\n"},
        OneFinding{"word_of_a_service_among_the_services",
                   web("", "  restart: always"),
                   "5:12: error: services.restart must be a mapping; restart belongs below a "
                   "service"},
        OneFinding{"content_that_is_a_list",
                   web("", "configs: {c: {content: [a]}}"),
                   "5:24: error: configs.c.content must be a string; write a | behind the colon, "
                   "and the text below it\n"},
        OneFinding{"content_that_is_a_number",
                   web("", "configs: {c: {content: 5}}"),
                   "5:24: error: configs.c.content must be a string; put it in quotes\n"},
        OneFinding{"variable_that_is_a_list",
                   web("", "secrets: {c: {environment: [A]}}"),
                   "5:28: error: secrets.c.environment must be a string; write the name of one "
                   "variable\n"},
        OneFinding{"secret_that_is_a_path",
                   web("", "secrets: {a: ./file}"),
                   "5:14: error: secrets.a must be a mapping; write a: {file: ./file}, or "
                   "{external: true} for one that exists\n"},
        OneFinding{"secret_that_is_written_out",
                   web("", "secrets: {a: hunter2}"),
                   "5:14: error: secrets.a must be a mapping; write a: {file: PATH}, or {external: "
                   "true} for one that exists\n"},
        OneFinding{"config_that_is_a_path",
                   web("", "configs: {a: ./file}"),
                   "5:14: error: configs.a must be a mapping; write a: {file: ./file}"},
        OneFinding{"config_without_any_content",
                   web("", "configs: {a: {}}"),
                   "5:11: error: config a: it says nothing of its content; write file: PATH, or "
                   "external: true for one that exists\n"},
        OneFinding{"src_of_a_config",
                   web("configs:\n- src: cfg", "configs: {cfg: {external: true}}"),
                   "6:7: error: services.web.configs.0: source is missing; did you mean source "
                   "instead of src?\n"},
        OneFinding{"name_of_a_secret",
                   web("secrets:\n- secret: a\n  target: b", "secrets: {a: {external: true}}"),
                   "6:7: error: services.web.secrets.0: source is missing; did you mean source "
                   "instead of secret?\n"},
        OneFinding{"config_without_a_source",
                   web("configs: [{target: a}]"),
                   "5:15: error: services.web.configs.0: source is missing\n"},
        OneFinding{"key_that_a_config_has_not",
                   web("configs: [{source: c, permission: 5}]", "configs: {c: {external: true}}"),
                   "5:39: warning: services.web.configs.0.permission: the key is unknown, and "
                   "ignored as docker stack deploy ignores it; allowed here are source, target, "
                   "uid, gid, mode\n"},
        OneFinding{"key_that_a_secret_nearly_has",
                   web("secrets: [{source: c, traget: d}]", "secrets: {c: {external: true}}"),
                   "5:35: warning: services.web.secrets.0.traget: the key is unknown, and ignored "
                   "as docker stack deploy ignores it; did you mean target?\n"}),
    kName);

INSTANTIATE_TEST_SUITE_P(
    PlaceAndPath,
    OneFindingTest,
    ::testing::Values(
        OneFinding{"last_empty_item",
                   web("volumes:\n  - a:/a\n  - \nhostname: x", "volumes: {a: {}}"),
                   "7:7: warning: services.web.volumes.1 is empty: taken as not written\n"},
        OneFinding{"empty_item_before_a_comment_and_another_one",
                   web("environment:\n  - # none\n\n  # more\n  - A=1"),
                   "6:7: warning: services.web.environment.0 is empty: taken as not written\n"},
        OneFinding{"empty_item_between_brackets",
                   web("dns: [1.1.1.1, ~, 8.8.8.8]"),
                   "5:20: warning: services.web.dns.1 is empty: taken as not written\n"},
        OneFinding{"item_twice",
                   web("cap_add: [A, A]"),
                   "5:18: warning: services.web.cap_add.1 stands in the list already; once is "
                   "enough\n"},
        OneFinding{"alias_twice",
                   web("networks: {a: {aliases: [x, x]}}", "networks: {a: {}}"),
                   "5:33: warning: services.web.networks.a.aliases.1 stands in the list already"},
        OneFinding{"condition",
                   web("depends_on: {db: {condition: healthy}}", "  db: {image: a}"),
                   "5:34: error: services.web.depends_on.db.condition must be service_started, "
                   "service_healthy or service_completed_successfully"},
        OneFinding{"condition_nearly_right",
                   web("depends_on: {db: {condition: service_helthy}}", "  db: {image: a}"),
                   "5:34: error: services.web.depends_on.db.condition must be service_started, "
                   "service_healthy or service_completed_successfully; did you mean "
                   "service_healthy?\n"},
        OneFinding{"address_of_a_port",
                   web("ports: [{target: 80, host_ip: 1.2.3.4}]"),
                   "5:26: warning: services.web.ports.0.host_ip is ignored: "},
        OneFinding{"name_of_a_port",
                   web("ports: [{target: 80, name: http}]"),
                   "5:26: warning: services.web.ports.0.name is ignored"},
        OneFinding{"empty_key_of_a_port",
                   web("ports: [{target: 80, published: }]"),
                   "5:26: warning: services.web.ports.0.published is empty"},
        OneFinding{"address_in_a_network",
                   web("networks: {a: {ipv4_address: 10.0.0.1}}", "networks: {a: {}}"),
                   "5:20: warning: services.web.networks.a.ipv4_address is ignored: Swarm chooses "
                   "addresses itself\n"},
        OneFinding{"scale",
                   web("scale: 2\ndeploy: {replicas: 3}"),
                   "5:5: warning: services.web.scale is ignored: deploy says it already\n"},
        OneFinding{"volume_without_a_type",
                   web("volumes: [{source: /a, target: /b}]"),
                   "5:15: warning: services.web.volumes.0 has no type: taken as type: bind\n"},
        OneFinding{"type_of_a_volume",
                   web("volumes: [{type: bnd, source: /a, target: /b}]"),
                   "5:22: error: services.web.volumes.0.type: the type \"bnd\" is unknown; it is "
                   "one of volume, bind, tmpfs, npipe, cluster, image; did you mean bind?\n"},
        OneFinding{"order_of_an_update",
                   web("deploy: {update_config: {order: start_first}}"),
                   "5:37: error: services.web.deploy.update_config.order must be one of the "
                   "following: \"start-first\", \"stop-first\"; did you mean start-first?\n"}),
    kName);

TEST(OneFinding, AServiceThatIsExtendedAndNotThereIsNamedWithTheNearest) {
  EXPECT_THAT(findings_of(web("extends: dbb", "  db: {image: a}")),
              HasSubstr("5:14: error: services.web.extends: there is no service \"dbb\"; did you "
                        "mean db?\n"));
}

INSTANTIATE_TEST_SUITE_P(
    WhatIsMeant,
    OneFindingTest,
    ::testing::Values(
        OneFinding{"env",
                   web("env: {A: b}"),
                   "5:5: error: services.web Additional property env is not allowed; did you mean "
                   "environment?\n"},
        OneFinding{"cmd",
                   web("cmd: x"),
                   "5:5: error: services.web Additional property cmd is not allowed; did you mean "
                   "command?\n"},
        OneFinding{"depends",
                   web("depends: [a]"),
                   "5:5: error: services.web Additional property depends is not allowed; did you "
                   "mean depends_on?\n"},
        OneFinding{"memory",
                   web("memory: 5m"),
                   "5:5: error: services.web Additional property memory is not allowed; its place "
                   "is below deploy.resources.limits\n"},
        OneFinding{"replica",
                   web("replica: 3"),
                   "5:5: error: services.web Additional property replica is not allowed; did you "
                   "mean replicas? Its place is below deploy\n"},
        OneFinding{"restart_policy_with_a_dash",
                   web("restart-policy: {condition: any}"),
                   "5:5: error: services.web Additional property restart-policy is not allowed; "
                   "did you mean restart_policy? Its place is below deploy\n"},
        OneFinding{"ports_in_deploy",
                   web("deploy: {ports: ['80:80']}"),
                   "5:14: error: services.web.deploy Additional property ports is not allowed; its "
                   "place is the service itself\n"},
        OneFinding{"environment_in_deploy",
                   web("deploy: {environment: {A: b}}"),
                   "5:14: error: services.web.deploy Additional property environment is not "
                   "allowed; its place is the service itself\n"},
        OneFinding{"cpus_beside_limits",
                   web("deploy: {resources: {cpus: '1'}}"),
                   "5:26: error: services.web.deploy.resources Additional property cpus is not "
                   "allowed; its place is below deploy.resources.limits\n"},
        OneFinding{"option_of_a_logging_driver",
                   web("logging: {driver: json-file, max-size: 10m}"),
                   "5:34: error: services.web.logging Additional property max-size is not allowed; "
                   "its place is below logging.options\n"},
        OneFinding{"service_in_a_service",
                   web("db:\n  image: x"),
                   "5:5: error: services.web Additional property db is not allowed; a service "
                   "stands below services: db is perhaps indented too far\n"},
        OneFinding{"part_of_a_secret_s_name",
                   web("secrets: [db_pass]", "secrets: {db_password: {external: true}}"),
                   "5:15: error: service web: undefined secret \"db_pass\"; did you mean "
                   "db_password?\n"},
        OneFinding{"more_than_a_network_s_name",
                   web("networks: [frontend]", "networks: {front: {}}"),
                   "5:16: error: service web: undefined network \"frontend\"; did you mean "
                   "front?\n"},
        OneFinding{"restart",
                   web("restart: allways"),
                   "5:14: error: service web: unknown restart policy: allways; it is one of "
                   "\"no\", always, unless-stopped, on-failure, on-failure:3; did you mean "
                   "always?\n"},
        OneFinding{"restart_true",
                   web("restart: true"),
                   "5:14: error: services.web.restart must be a string; write always, "
                   "unless-stopped or on-failure\n"},
        OneFinding{"half_a_replica",
                   web("deploy: {replicas: 2.5}"),
                   "5:24: error: services.web.deploy.replicas must be a integer; write a whole "
                   "number\n"},
        OneFinding{"attempts_below_zero",
                   web("deploy: {restart_policy: {max_attempts: -1}}"),
                   "5:45: error: services.web.deploy.restart_policy.max_attempts: -1 is negative; "
                   "write 0 or more\n"},
        OneFinding{"thousandths_of_a_cpu",
                   web("deploy: {resources: {limits: {cpus: 500m}}}"),
                   "5:41: error: service web: failed to parse 500m as a rational number; write "
                   "0.5: there are no thousandths (m) here, half of one is 0.5\n"},
        OneFinding{"more_thousandths_of_a_cpu",
                   web("deploy: {resources: {limits: {cpus: 1050m}}}"),
                   "5:41: error: service web: failed to parse 1050m as a rational number; write "
                   "1.05: "},
        OneFinding{
            "many_thousandths_of_a_cpu",
            web("deploy: {resources: {limits: {cpus: 2000m}}}"),
            "5:41: error: service web: failed to parse 2000m as a rational number; write 2: "},
        OneFinding{"words_for_cpus",
                   web("deploy: {resources: {limits: {cpus: half}}}"),
                   "5:41: error: service web: failed to parse half as a rational number; write a "
                   "number of cpus, such as 0.5 for half of one\n"},
        OneFinding{"unclosed_variable",
                   web("hostname: a-${FOO"),
                   "5:15: error: services.web.hostname: the brace of a ${ is not closed in "
                   "\"a-${FOO\"; write ${VAR}, or $${ where it is to stay text\n"},
        OneFinding{"unclosed_default",
                   web("hostname: ${FOO:-x"),
                   "5:15: error: services.web.hostname: the brace of a ${ is not closed"},
        OneFinding{"empty_file",
                   "",
                   "1:1: error: top-level object must be a mapping; the file is empty\n"},
        OneFinding{"file_of_comments",
                   "# none\n",
                   "1:1: error: top-level object must be a mapping; the file is empty\n"},
        OneFinding{"service_with_a_dot",
                   "services: {wazuh.manager: {image: x}}",
                   "1:12: error: service wazuh.manager: the engine takes no name such as "
                   "\"s_wazuh.manager\": it is a DNS name component, of letters, digits, '-' and "
                   "'_' inside; call it wazuh-manager and keep the old name as an alias: networks: "
                   "{default: {aliases: [wazuh.manager]}}\n"},
        OneFinding{"network_with_a_dot",
                   web("networks: [a.b]", "networks: {a.b: {}}"),
                   "6:12: error: networks.a.b: the engine takes no name such as \"s_a.b\": it is a "
                   "DNS name component, of letters, digits, '-' and '_' inside; give it another "
                   "one with name:\n"},
        OneFinding{"external_without_a_word",
                   web("networks: [a]", "networks: {a: {name: b, external: }}"),
                   "6:25: error: networks.a.external must be a boolean or mapping; write true for "
                   "what exists already\n"},
        OneFinding{"mode_of_a_port",
                   web("ports: [{target: 80, published: 80, mode: hosts}]"),
                   "5:47: warning: services.web.ports.0.mode: the engine does not know \"hosts\" "
                   "and takes it as ingress; it is one of ingress, host; did you mean host?\n"},
        OneFinding{"protocol_of_a_port",
                   web("ports: [{target: 80, published: 80, protocol: upd}]"),
                   "5:51: warning: services.web.ports.0.protocol: the engine does not know "
                   "\"upd\" and takes it as tcp; it is one of tcp, udp, sctp; did you mean udp?\n"},
        OneFinding{"include_from_the_web",
                   web("", "include: ['https://example.org/a.yml']"),
                   "5:11: error: include: \"https://example.org/a.yml\" is another machine's: skep "
                   "reads files of the repository only; copy the file into it\n"},
        OneFinding{"include_from_git",
                   web("", "include: ['git@example.org:a/b.git']"),
                   "5:11: error: include: \"git@example.org:a/b.git\" is another machine's"}),
    kName);

TEST(OneFinding, OfABlockThatServicesShareIsSaidOnceWithTheNumberOfTheOthers) {
  const std::string three = "services: {a: *a, b: *a, c: *a}\n";
  const auto restart = findings_of("x-a: &a {image: x, restart: \"no\"}\n" + three);
  EXPECT_THAT(restart, ::testing::StartsWith("1:29: warning: service a: restart: \"no\" says"));
  EXPECT_THAT(restart, HasSubstr("(and 2 more such warnings here)\n"));
  EXPECT_EQ(std::count(restart.begin(), restart.end(), '\n'), 1) << restart;
  const auto image = findings_of("x-a: &a {image: Nginx}\n" + three);
  EXPECT_THAT(image, ::testing::StartsWith("1:17: error: invalid image reference for service a"));
  EXPECT_THAT(image, HasSubstr("(and 2 more such errors here)\n"));
  EXPECT_EQ(std::count(image.begin(), image.end(), '\n'), 1) << image;
  const auto nested = findings_of("x-a: &a {image: x, hostname: '${A:-${B:-x}}'}\n" + three);
  EXPECT_THAT(nested, ::testing::StartsWith("1:30: warning: services.a.hostname: a default ends"));
  EXPECT_EQ(std::count(nested.begin(), nested.end(), '\n'), 1) << nested;
}

TEST(OneFinding, WordsThatTheEngineKnowsAreNone) {
  for (const auto* keys : {"ports: [{target: 80, published: 80, mode: HOST, protocol: SCTP}]",
                           "ports: [{target: 80, published: 80}]",
                           "volumes: [{type: tmpfs, target: /a}]"}) {
    EXPECT_EQ(findings_of(web(keys)), "") << keys;
  }
  // Services may be called as their parts are.
  EXPECT_EQ(findings_of("services: {secrets: {image: a}, deploy: {image: a, hostname: b}}"), "");
}

}  // namespace
}  // namespace skep::compose::testing
