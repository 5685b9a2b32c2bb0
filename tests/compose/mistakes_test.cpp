#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/compose/fixture.hpp"

// A refusal says where, what, what is allowed, and what was most likely meant.
namespace skep::compose::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// The errors of a file, one a line, each as line:column: message. Both modes say the same.
std::string said(const std::string& text) {
  std::string result;
  for (const bool strict : {true, false}) {
    Loader loader;
    loader.strict = strict;
    std::string lines;
    for (const auto& finding : loader.load({text}).findings) {
      if (finding.severity != Finding::Severity::error) continue;
      lines += std::to_string(finding.at.line) + ':' + std::to_string(finding.at.column) + ": " +
               finding.message + '\n';
    }
    if (!strict) {
      EXPECT_EQ(lines, result) << text;
    }
    result = lines;
  }
  return result;
}

struct Case {
  const char* name;
  std::string text;
  std::string expected;  ///< A part of it.
};

class MistakeTest : public ::testing::TestWithParam<Case> {};

TEST_P(MistakeTest, IsSaidWithItsPlaceAndWhatToDo) {
  EXPECT_THAT(said(GetParam().text), HasSubstr(GetParam().expected));
}

INSTANTIATE_TEST_SUITE_P(
    All,
    MistakeTest,
    ::testing::Values(
        Case{"tab",
             "services:\n  web:\n\timage: nginx\n",
             "3:2: end of map not found; the line begins with a tab: indent with spaces"},
        Case{"tab_after_spaces",
             "services:\n  web:\n    image: nginx\n  \tports: [80]\n",
             "indent with spaces"},
        Case{"word_for_a_number",
             web("deploy: {replicas: two}"),
             "services.web.deploy.replicas must be a integer; write a number, such as 2"},
        Case{"word_for_a_switch",
             web("tty: perhaps"),
             "services.web.tty must be a boolean; write true or false, without quotes"},
        Case{"unknown_mode",
             web("deploy: {replicas: 2, mode: globl}"),
             "5:33: service web: Unknown mode: globl; it is one of replicated, global, "
             "replicated-job, global-job"},
        Case{"near_network",
             web("networks: [front]", "networks: {frnt: {}}"),
             "undefined network \"front\"; did you mean frnt?"},
        Case{"far_network",
             web("networks: [front]", "networks: {database: {}}"),
             "undefined network \"front\"; list it under the top-level networks"},
        Case{"near_volume",
             web("volumes: ['dbdata:/d']", "volumes: {db-data: {}}"),
             "undefined volume \"dbdata\"; did you mean db-data?"},
        Case{"near_secret",
             web("secrets: [db_pasword]", "secrets: {db_password: {external: true}}"),
             "undefined secret \"db_pasword\"; did you mean db_password?"},
        Case{"near_config",
             web("configs: [{source: ngnix}]", "configs: {nginx: {external: true}}"),
             "undefined config \"ngnix\"; did you mean nginx?"},
        Case{"pairs_as_a_text",
             web("environment: A=1"),
             "services.web.environment must be a mapping; write KEY: VALUE below it, or a list of "
             "KEY=VALUE"},
        Case{
            "first_version",
            "web:\n  image: nginx\n",
            "1:1: (root) Additional property web is not allowed; a service stands below services:"},
        Case{"build_only",
             "services:\n  web:\n    build: .\n",
             "no image specified; a swarm builds nothing: build the image, push it to a registry"},
        Case{"glued_key",
             "services:\n  web:\n    image:nginx\n    ports: [\"80:80\"]\n",
             "4:10: illegal map value; a blank is missing after image: on the line before"},
        Case{"glued_only_key",
             "services:\n  web:\n    image:nginx\n",
             "3:5: services.web must be a mapping; a blank is missing after the colon"},
        Case{"command_for_a_healthcheck",
             web("healthcheck: curl -f http://localhost"),
             "5:18: services.web.healthcheck must be a mapping; write test: below it, and the "
             "command there"},
        Case{"arguments_for_a_healthcheck",
             web("healthcheck: [CMD, curl, localhost]"),
             "5:18: services.web.healthcheck must be a mapping; write test: below it, and the "
             "command there"},
        Case{"glued_key_of_a_healthcheck",
             web("healthcheck: test:curl"),
             "services.web.healthcheck must be a mapping; a blank is missing after the colon"},
        Case{"glued_pair",
             web("labels: com.example.a:b"),
             "services.web.labels must be a mapping; a blank is missing after the colon"},
        Case{"network_with_settings_as_a_list_item",
             web("networks:\n- back\n- front: {aliases: [a]}"),
             "7:7: services.web.networks.1 must be a string; write front: without the dash, and "
             "the other names here, too"},
        Case{"network_with_settings_at_the_same_indentation",
             web("networks:\n- front:\n  aliases: [a]"),
             "services.web.networks.0 must be a string; write front: without the dash"},
        Case{"list_in_a_list",
             "x-a: &a [A=1]\nservices:\n  web:\n    image: x\n    environment:\n      - *a\n",
             "6:9: services.web.environment.0 must be a string; a list cannot be put into a list: "
             "write its items one by one"},
        Case{"key_of_deploy_in_the_service",
             web("replicas: 2"),
             "services.web Additional property replicas is not allowed; its place is below deploy"},
        Case{"key_of_placement_in_deploy",
             web("deploy: {constraints: [node.role == manager]}"),
             "its place is below deploy.placement"},
        Case{"restart_in_deploy",
             web("deploy: {restart: on-failure}"),
             "its place is below deploy.restart_policy, as condition"},
        Case{"ratio_in_percent",
             web("deploy: {update_config: {max_failure_ratio: 10%}}"),
             "max_failure_ratio must be a number; write a number from 0 to 1, such as 0.1"},
        Case{"mode_in_letters",
             web("secrets: [{source: s, mode: rw}]", "secrets: {s: {external: true}}"),
             "mode must be a number; write an octal number, such as 0440"},
        Case{"dash_in_a_number",
             web("deploy: {replicas: a-b}"),
             "services.web.deploy.replicas must be a integer; write a number, such as 2"},
        Case{"services_that_differ_in_letter_case",
             "services:\n  Web:\n    image: x\n  web:\n    image: x\n",
             "4:3: service web: the engine takes its name \"s_web\" for that of the service Web, "
             "\"s_Web\", for it heeds no case"},
        Case{"networks_that_differ_in_letter_case",
             web("networks: [default, Default]", "networks: {Default: {}}"),
             "network default: the engine takes its name \"s_default\" for that of the network "
             "Default"},
        Case{"names_of_configs_that_differ_in_letter_case",
             web("configs: [a, b]", "configs: {a: {file: /x, name: N}, b: {file: /x, name: n}}"),
             "config b: the engine takes its name \"n\" for that of the config a, \"N\""},
        Case{"ulimit_in_words",
             web("ulimits: {nofile: many}"),
             "write a number, such as 65535, or -1 for no limit"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Mistakes, AServiceThatIsNoMappingIsSaidOnce) {
  EXPECT_EQ(said("services:\n  web: nginx\n"), "2:8: services.web must be a mapping\n");
}

TEST(Mistakes, DependsOnAsAListOfMappingsIsToldWhatEachModeTakes) {
  const auto text = web("depends_on:\n- db: {condition: service_healthy}", "  db: {image: x}");
  EXPECT_THAT(errors(relaxed().load({text})),
              HasSubstr("services.web.depends_on.0 must be a string; write db: without the dash"));
  EXPECT_THAT(errors(Loader().load({text})),
              HasSubstr("services.web.depends_on.0 must be a string; docker stack deploy takes "
                        "names only: write - db"));
}

TEST(Mistakes, EntriesThatAreIndentedLikeTheirKeyAreToldWhereTheyMayBelong) {
  const auto text = web("environment:\nA: b\nPORT: 80\nlabels:\nc.d: e\ntty: true\nf: g");
  for (const bool strict : {true, false}) {
    Loader loader;
    loader.strict = strict;
    const auto all = errors(loader.load({text}));
    const std::string additional = "services.web Additional property ";
    for (const auto* key : {"A", "PORT"}) {
      EXPECT_THAT(all,
                  HasSubstr(additional + key +
                            " is not allowed; if it belongs to environment, indent it more"));
    }
    EXPECT_THAT(
        all, HasSubstr(additional + "c.d is not allowed; if it belongs to labels, indent it more"));
    EXPECT_THAT(all, Not(HasSubstr("f is not allowed; if")));
  }
}

/// The CLI passes these on; the engine's refusals are in the corpus. Ours come before any write.
INSTANTIATE_TEST_SUITE_P(
    RefusedByTheEngine,
    MistakeTest,
    ::testing::Values(
        Case{"restart_condition_c5_4",
             web("deploy: {restart_policy: {condition: maybe}}"),
             "restart_policy condition \"maybe\" is unknown to the engine; it is one of none, "
             "on-failure, any"},
        Case{"failure_action_c5_3_c5_6",
             web("deploy: {update_config: {failure_action: explode}}"),
             "it is one of pause, continue, rollback"},
        Case{
            "endpoint_mode_c4", web("deploy: {endpoint_mode: anycast}"), "it is one of vip, dnsrr"},
        Case{"ingress_port_with_dnsrr_c4",
             web("ports: ['80:80']\ndeploy: {endpoint_mode: dnsrr}"),
             "mode: host"},
        Case{"port_twice_c8_2", web("ports: ['80:80', '80:81/tcp']"), "80/tcp is published twice"},
        Case{"target_twice_c3_4",
             web("volumes: ['/a:/d', '/b:/d']"),
             "5:24: service web: two volumes have the target \"/d\""},
        Case{"constraint_c4",
             web("deploy: {placement: {constraints: [node.role = manager]}}"),
             "has neither == nor !="},
        Case{"constraint_with_quotes_c4",
             web("deploy: {placement: {constraints: ['node.labels.disk == \"ssd\"']}}"),
             "has a value that the engine does not take: \"\\\"ssd\\\"\"; write it without quotes"},
        Case{"constraint_without_a_value_c4",
             web("deploy: {placement: {constraints: ['node.role==']}}"),
             "has no value"},
        Case{"constraint_with_an_odd_key_c4",
             web("deploy: {placement: {constraints: ['node role==manager']}}"),
             "has a key that the engine does not take: \"node role\""},
        Case{"constraint_as_mapping_c4",
             web("deploy: {placement: {constraints: [node.role: manager]}}"),
             "must be a string; a colon and a blank make a mapping: write node.role == manager"},
        Case{"memory_b10_1_d8_2",
             web("deploy: {resources: {limits: {memory: '50'}}}"),
             "at least 4 MiB; write 64M for megabytes"},
        Case{"cpus_c5_2_d8_2",
             web("deploy: {resources: {limits: {cpus: '0.0001'}}}"),
             "no less than 0.001 cpus"},
        Case{"job_with_update_config_c5_1",
             web("deploy: {mode: global-job, update_config: {parallelism: 1}}"),
             "a job takes no update_config"},
        Case{"negative_delay_b11_1",
             web("deploy: {update_config: {delay: -1s}}"),
             "no negative durations"},
        Case{"healthcheck_c5_5", web("healthcheck: {test: a, interval: 5us}"), "less than 1ms"},
        Case{"rollback_action_c5_3",
             web("deploy: {rollback_config: {failure_action: explode}}"),
             "5:48: service web: rollback_config failure_action \"explode\" is unknown to the "
             "engine"},
        Case{"failure_ratio_c5_3",
             web("deploy: {update_config: {max_failure_ratio: 1.5}}"),
             "5:49: service web: the engine takes a max_failure_ratio from 0 to 1"},
        Case{"negative_restart_delay_c5_4",
             web("deploy: {restart_policy: {delay: -1s}}"),
             "5:38: service web: the engine takes no negative durations"},
        Case{"negative_restart_window_c5_4",
             web("deploy: {restart_policy: {window: -1s}}"),
             "5:39: service web: the engine takes no negative durations"},
        Case{"propagation_c3_4",
             web("volumes: [{type: bind, source: /a, target: /a, bind: {propagation: both}}]"),
             "5:15: service web: the propagation \"both\" is unknown to the engine; it is one of "
             "private, rprivate, shared, rshared, slave, rslave"},
        Case{"ingress_c7",
             web("networks: [a]", "networks: {a: {external: true, name: ingress}}"),
             "5:16: service web: the engine attaches no service to the network ingress"},
        Case{"none_c7",
             web("networks: [a]", "networks: {a: {external: true, name: none}}"),
             "5:16: service web: the engine attaches no service to the network none"},
        Case{"driver_option_without_value",
             web("networks: [a]", "networks: {a: {driver_opts: {encrypted: }}}"),
             "driver_opts.encrypted must be a string or number; where it has no value write \"\""},
        Case{"ingress_by_default_c7",
             web("", "networks: {default: {external: true, name: ingress}}"),
             "3:3: service web: the engine attaches no service to the network ingress"},
        Case{"network_name_c2",
             web("networks: [a]", "networks: {a: {name: a.b}}"),
             "6:12: networks.a: the engine takes no name such as \"a.b\""},
        Case{"secret_name_c6_1",
             web("", "secrets: {a: {file: f, name: 'a b'}}"),
             "5:11: secret a: the engine takes no name such as \"a b\": it is made of letters"},
        Case{"config_name_c6_1",
             web("", "configs: {a_: {file: f}}"),
             "config a_: the engine takes no name such as \"s_a_\""},
        Case{
            "subnet_c2",
            web("networks: [a]", "networks: {a: {ipam: {config: [{subnet: 10.1.0.0}]}}}"),
            "6:41: networks.a.ipam: the engine takes no subnet such as \"10.1.0.0\"; write it with "
            "its prefix, such as 10.1.0.0/16"},
        Case{"dotted_name_d8_1", "services: {a.b: {image: x}}", "DNS name component"},
        Case{"long_name_d8_1",
             "services: {" + std::string(70, 'a') + ": {image: x}}",
             "names of up to 63 characters"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Mistakes, WhatTheEngineTakesIsNone) {
  for (const auto* subnet : {"10.1.0.0/16",
                             "10.1.2.3/24",
                             "10.99.4.0/024",
                             "0.0.0.0/0",
                             "10.0.0.1/32",
                             "'fd00::/64'",
                             "'::ffff:10.9.0.0/112'",
                             "''"}) {
    EXPECT_EQ(said(web("networks: [a]",
                       "networks: {a: {ipam: {config: [{subnet: " + std::string(subnet) + "}]}}}")),
              "")
        << subnet;
  }
  for (const auto* subnet : {"x/8",
                             "10.1.0.0/33",
                             "10.1.0.0/",
                             "10.1/16",
                             "'fd00::/129'",
                             "10.1.0.0/+8",
                             "010.1.0.0/16",
                             "10.1.0.0/16/16"}) {
    EXPECT_THAT(
        said(web("networks: [a]",
                 "networks: {a: {ipam: {config: [{subnet: " + std::string(subnet) + "}]}}}")),
        HasSubstr("takes no subnet"))
        << subnet;
  }
  for (const auto* keys :
       {"deploy: {rollback_config: {failure_action: rollback, max_failure_ratio: 1.5}}",
        "deploy: {update_config: {max_failure_ratio: 1.00000001}}",
        "deploy: {update_config: {max_failure_ratio: 0}}",
        "volumes: [{type: bind, source: /a, target: /a, bind: {propagation: RSHARED}}]",
        "volumes: [{type: bind, source: /a, target: /a, bind: {}}]",
        "deploy: {placement: {constraints: [\"node.role\\u00a0==\\u00a0manager\"]}}",
        "deploy: {placement: {constraints: [\"\\u2003node.role == manager\\u3000\"]}}"}) {
    EXPECT_EQ(said(web(keys)), "") << keys;
  }
  for (const auto* keys :
       {"deploy: {placement: {constraints: [\"node.role\\u00a0x == manager\"]}}",
        "deploy: {placement: {constraints: [\"\\u200bnode.role == manager\"]}}"}) {
    EXPECT_THAT(said(web(keys)), HasSubstr("has a key that the engine does not take")) << keys;
  }
  const std::string longest(61, 'a');  // With the stack's name before it.
  EXPECT_EQ(said(web("networks: [" + longest + "]", "networks: {" + longest + ": {}}")), "");
  EXPECT_THAT(said(web("networks: [a" + longest + "]", "networks: {a" + longest + ": {}}")),
              HasSubstr("names of up to 63 characters"));
  Loader loader;
  loader.reader.files["/D/f"] = "x";
  EXPECT_EQ(errors(loader.load({web("", "secrets: {a: {file: f, name: a-._b}}")})), "");
}

/// At the very key, however deep.
INSTANTIATE_TEST_SUITE_P(
    Places,
    MistakeTest,
    ::testing::Values(
        Case{"condition",
             web("deploy:\n  restart_policy:\n    delay: 1s\n    condition: maybe"),
             "8:20: service web: restart_policy condition"},
        Case{"failure_action",
             web("deploy:\n  update_config:\n    delay: 1s\n    failure_action: explode"),
             "8:25: service web: update_config failure_action"},
        Case{"memory",
             web("deploy:\n  resources:\n    limits: {memory: 64M}\n    reservations: {memory: "
                 "'5'}"),
             "8:32: service web: memory is 5 bytes"},
        Case{"cpus",
             web("deploy:\n  resources:\n    limits:\n      cpus: '0.0001'"),
             "8:17: service web: the engine takes no less"},
        Case{"timeout",
             web("healthcheck:\n  test: a\n  interval: 1s\n  timeout: 5us"),
             "8:16: service web: timeout of the healthcheck"},
        Case{"start_period",
             web("healthcheck:\n  test: a\n  start_period: 5us"),
             "7:21: service web: start_period of the healthcheck"},
        Case{"constraint",
             web("deploy:\n  placement:\n    constraints:\n    - node.role == manager\n    - a.b = "
                 "c"),
             "9:11: service web: the placement constraint"},
        Case{"port_twice",
             web("ports:\n- '80:80'\n- '81:81'\n- '80:82'"),
             "8:7: service web: the port 80/tcp"},
        Case{"port_with_dnsrr",
             web("ports:\n- {target: 80, published: 80, mode: host}\n- '81:81'\n"
                 "deploy: {endpoint_mode: dnsrr}"),
             "7:7: service web: with endpoint_mode dnsrr"},
        Case{"range_of_ports",
             web("ports:\n- '80-180:80-180'\ndeploy: {endpoint_mode: dnsrr}"),
             "6:5: service web: with endpoint_mode dnsrr"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Mistakes, ContentsThatTheEngineRefusesAreSaidFirst_C6_1) {
  Loader loader;
  loader.reader.files = {{"/D/empty", ""}, {"/D/large", std::string(512'000, 'x')}};
  const auto text = web("", "secrets: {a: {file: empty}, b: {file: large}}");
  const auto output = loader.load({text});
  EXPECT_THAT(errors(output), HasSubstr("secret a: the content is empty"));
  EXPECT_THAT(errors(output), HasSubstr("secret b: the content has 512000 bytes"));
}

TEST(Mistakes, IgnoredKeysOfAWrongTypeAreRefusedAsTheCliDoes) {
  EXPECT_THAT(errors(Loader().load({web("shm_size: 64")})), HasSubstr("services.web.shm_size"));
  EXPECT_THAT(errors(Loader().load({web("domainname: 2020-01-02")})), HasSubstr("domainname"));
  auto loader = relaxed();
  EXPECT_EQ(errors(loader.load({web("shm_size: 64")})), "");
}

}  // namespace
}  // namespace skep::compose::testing
