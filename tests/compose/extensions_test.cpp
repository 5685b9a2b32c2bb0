#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/compose/fixture.hpp"

namespace skep::compose::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Condition = swarm::ServiceDependency::Condition;

const swarm::ServiceSpec& service(const Output& output, const std::string& key = "web") {
  return output.stack.services.at(key).spec;
}

TEST(Extensions, AllAreRefusedWhereStrict) {
  for (const auto* keys : {"depends_on: {db: {condition: service_healthy}}",
                           "labels:",
                           "environment: {A: true}",
                           "cap_add: [A, A]",
                           "env_file: [{path: x, required: false}]",
                           "extends: db",
                           "profiles: [a]",
                           "pull_policy: always",
                           "ports: [{target: 80, published: '8080'}]"}) {
    EXPECT_NE(errors(Loader().load({web(keys)})), "") << keys;
  }
  EXPECT_NE(errors(Loader().load({"name: x\nservices: {}"})), "");
}

TEST(Extensions, ADollarThatBeginsNoVariableStaysAnywhere) {
  const auto output =
      relaxed().load({web("command: ['--x=^/(dev|proc)($|/)', '$(id)', 'a$']\n"
                          "environment: {A: 'p$1', B: 'u:$2y$05$1rR4hl3V', C: '$FOO$'}")});
  ASSERT_EQ(errors(output), "");
  const auto& container = output.stack.services.at("web").spec.task_template.container;
  EXPECT_THAT(container.args, ElementsAre("--x=^/(dev|proc)($|/)", "$(id)", "a$"));
  EXPECT_THAT(container.env, ElementsAre("A=p$1", "B=u:$2y$05$1rR4hl3V", "C=foo$"));
  EXPECT_THAT(warnings(output), HasSubstr("write $$ for each $"));
  for (const auto* text : {"${FOO", "${FOO }", "${}", "${1}", "${FOO:=x}", "x $ ${FOO"}) {
    EXPECT_THAT(errors(relaxed().load({web("command: ['" + std::string(text) + "']")})),
                HasSubstr("invalid interpolation format"))
        << text;
  }
}

TEST(Extensions, OptionsOfAVolumeThatNobodyReadsAreSaid) {
  const auto output = relaxed().load({web(
      "volumes: ['/a:/a:RO', '/b:/b:ro,Z', '/c:/c:noexec', '/d:/d:ro,rslave,cached', '/e:/e']")});
  ASSERT_EQ(errors(output), "");
  const auto said = warnings(output);
  EXPECT_THAT(said,
              HasSubstr("the option \"RO\" of a volume is ignored by Swarm; did you mean ro?"));
  EXPECT_THAT(said, HasSubstr("the option \"Z\" of a volume is ignored by Swarm: set the files'"));
  EXPECT_THAT(said, HasSubstr("the option \"noexec\" of a volume is ignored by Swarm"));
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 3) << said;
}

TEST(Extensions, OptionsOfAnExternalVolumeAreLeftOut) {
  const auto output = relaxed().load({web("volumes: ['data:/d']",
                                          "volumes: {data: {external: true, driver: local, "
                                          "labels: {a: b}}}")});
  ASSERT_EQ(errors(output), "");
  const auto& mount = output.stack.services.at("web").spec.task_template.container.mounts.at(0);
  EXPECT_EQ(mount.source, "data");
  EXPECT_THAT(warnings(output),
              HasSubstr("volumes.data: driver is ignored: the volume is external"));
  EXPECT_EQ(errors(relaxed().load({web("", "volumes: {d: {external: false, driver: local}}")})),
            "");
}

TEST(Extensions, AnyOldVersionIsReadAsTheNewest) {
  for (const auto* version : {"'1.0'", "'2.4'", "3.14", "'4'", "'3.3'"}) {
    const auto output = relaxed().load(
        {"version: " + std::string(version) + "\nservices: {web: {image: a, init: true}}\n"});
    EXPECT_EQ(errors(output), "") << version;
  }
  EXPECT_NE(errors(relaxed().load({"version: latest\nservices: {web: {image: a}}\n"})), "");
  const auto mixed = relaxed().load(
      {"version: '3.3'\nservices: {web: {image: a}}\n", "services: {web: {image: b}}\n"});
  EXPECT_EQ(errors(mixed), "");
}

TEST(Extensions, ARangeInALongPortIsToldWhereRangesGo) {
  EXPECT_THAT(errors(relaxed().load({web("ports: [{target: 80, published: '8080-8081'}]")})),
              HasSubstr("write a range of ports in the short form, \"8080-8081:80\""));
}

TEST(Extensions, TopLevelNameIsReturned) {
  auto loader = relaxed();
  loader.environment["N"] = "proxy";
  const auto output = loader.load({"name: my-$N\nservices: {web: {image: x}}"});
  ASSERT_EQ(errors(output), "");
  EXPECT_EQ(output.name, "my-proxy");
  EXPECT_EQ(output.stack.name.text(), "s");
}

TEST(Extensions, LongDependsOnKeepsItsConditions) {
  const auto output = relaxed().load(
      {web("depends_on: {db: {condition: service_healthy}, job: {condition: "
           "service_completed_successfully}, gone: {required: false, condition: service_started}}",
           "  db: {image: x}\n  job: {image: x}")});
  ASSERT_EQ(errors(output), "");
  EXPECT_THAT(output.stack.services.at("web").depends_on,
              ElementsAre(swarm::ServiceDependency{"db", Condition::healthy},
                          swarm::ServiceDependency{"job", Condition::completed}));
}

TEST(Extensions, DependingOnNothingIsAnError) {
  EXPECT_THAT(errors(relaxed().load({web("depends_on: {nope: {condition: service_healthy}}")})),
              HasSubstr("depends on \"nope\", which is no service of this stack"));
}

TEST(Extensions, MappingWithOnlyCommentsCountsAsNotWritten) {
  const auto output =
      relaxed().load({web("labels:\n  # a: b\ndeploy:\n  labels:\n  #  x: y\n  replicas: 2")});
  ASSERT_EQ(errors(output), "");
  EXPECT_THAT(warnings(output), HasSubstr("services.web.deploy.labels is empty"));
  EXPECT_EQ(service(output).mode.replicated->replicas, 2U);
}

TEST(Extensions, EmptyServicesStayAnError) { EXPECT_NE(errors(relaxed().load({"services:"})), ""); }

TEST(Extensions, BooleansNumbersAndDuplicatesAreTakenAsMeant) {
  const auto output = relaxed().load(
      {web("environment: {A: true, B: false}\nlabels: {l: true}\nuser: 1000\ncommand: [sleep, 5]\n"
           "ports: ['80:80', '80:80', {target: 90, published: '9090', host_ip: 1.2.3.4, name: x}]\n"
           "deploy: {replicas: '3', resources: {limits: {cpus: 0.5}}}")});
  ASSERT_EQ(errors(output), "");
  const auto& container = service(output).task_template.container;
  EXPECT_THAT(container.env, ElementsAre("A=true", "B=false"));
  EXPECT_EQ(container.labels.at("l"), "true");
  EXPECT_EQ(container.user, "1000");
  EXPECT_THAT(container.args, ElementsAre("sleep", "5"));
  EXPECT_EQ(service(output).endpoint_spec->ports.size(), 2U);
  EXPECT_EQ(service(output).endpoint_spec->ports[1].published, 9090U);
  EXPECT_EQ(service(output).mode.replicated->replicas, 3U);
  EXPECT_EQ(service(output).task_template.resources->limits->nano_cpus, 500'000'000);
  EXPECT_THAT(warnings(output), HasSubstr("host_ip is ignored"));
}

TEST(Extensions, OldAndUnquotedVersionsAreTaken) {
  EXPECT_EQ(errors(relaxed().load({"version: 3.8\nservices: {web: {image: x}}"})), "");
  const auto output =
      relaxed().load({"version: '2.4'\nservices: {web: {image: x, mem_limit: 64m, scale: 2}}"});
  ASSERT_EQ(errors(output), "");
  EXPECT_THAT(warnings(output), HasSubstr("version 2.4 is read as 3.13"));
  EXPECT_EQ(service(output).task_template.resources->limits->memory_bytes, 64 << 20);
  EXPECT_EQ(service(output).mode.replicated->replicas, 2U);
  EXPECT_NE(errors(relaxed().load({"version: v3\nservices: {}"})), "");
}

TEST(Extensions, OptionalEnvFilesMayBeMissing) {
  auto loader = relaxed();
  loader.reader.files["/D/a.env"] = "A=1";
  const auto output =
      loader.load({web("env_file: [{path: a.env}, {path: none.env, required: false}]")});
  ASSERT_EQ(errors(output), "");
  EXPECT_THAT(service(output).task_template.container.env, ElementsAre("A=1"));
  EXPECT_THAT(errors(loader.load({web("env_file: [{path: none.env}]")})),
              HasSubstr("no such file"));
}

TEST(Extensions, ConfigsAndSecretsComeFromTheFileOrTheEnvironment) {
  auto loader = relaxed();
  loader.environment = {{"PW", "canary"}, {"V", "v"}};
  const auto output =
      loader.load({web("", "configs: {c: {content: 'a $V'}}\nsecrets: {k: {environment: PW}}")});
  ASSERT_EQ(errors(output), "");
  EXPECT_EQ(output.stack.configs.at("c").data, "a v");
  EXPECT_EQ(output.stack.secrets.at("k").data.reveal(), "canary");
  EXPECT_THAT(errors(loader.load({web("", "secrets: {k: {environment: NOPE}}")})),
              HasSubstr("\"NOPE\" is not set"));
}

TEST(Extensions, ServiceExtendsAnother) {
  const auto output = relaxed().load({web(
      "extends: {service: base}\nenvironment: [B=2]\ncommand: run\nvolumes: ['/y:/d']",
      "  base:\n    image: old\n    environment: {A: 1, B: 1}\n    command: [a, b]\n    volumes: "
      "['/x:/d', '/z:/z']\n"
      "    deploy: {replicas: 4, labels: {a: b}}\n    depends_on: [other]\n  other: {image: x}")});
  ASSERT_EQ(errors(output), "");
  const auto& spec = service(output);
  EXPECT_EQ(spec.task_template.container.image, "nginx:latest");
  EXPECT_THAT(spec.task_template.container.env, ElementsAre("A=1", "B=2"));
  EXPECT_THAT(spec.task_template.container.args, ElementsAre("run"));
  EXPECT_EQ(spec.task_template.container.mounts.size(), 2U);
  EXPECT_EQ(spec.task_template.container.mounts[0].source, "/y");
  EXPECT_EQ(spec.mode.replicated->replicas, 4U);
  EXPECT_TRUE(output.stack.services.at("web").depends_on.empty());
}

TEST(Extensions, HostsOfBothServicesStayAndTheLaterAddressWins) {
  auto loader = relaxed();
  loader.environment["CACHE"] = "cache";
  const auto output = loader.load(
      {web("extends: base\nextra_hosts: ['${CACHE:-c}:10.0.0.6', 'six=::2', 'both:10.0.0.9']",
           "  base: {image: x, extra_hosts: ['db:10.0.0.5', 'six:::1', 'both:10.0.0.8']}")});
  ASSERT_EQ(errors(output), "");
  EXPECT_THAT(
      service(output).task_template.container.hosts,
      ::testing::UnorderedElementsAre("10.0.0.5 db", "10.0.0.6 cache", "::2 six", "10.0.0.9 both"));
  const auto mapped = relaxed().load({web("extends: base\nextra_hosts: ['cache:10.0.0.6']",
                                          "  base: {image: x, extra_hosts: {db: 10.0.0.5}}")});
  ASSERT_EQ(errors(mapped), "");
  EXPECT_THAT(service(mapped).task_template.container.hosts,
              ::testing::UnorderedElementsAre("10.0.0.5 db", "10.0.0.6 cache"));
}

TEST(Extensions, AVariableInAVolumeHidesNotWhereItIsMounted) {
  const auto output =
      relaxed().load({web("extends: base\nvolumes: ['${D:-vol}:/b']",
                          "  base: {image: x, volumes: ['${D:-vol}:/a', '${D:-old}:/b']}\n"
                          "volumes: {vol: {}, old: {}}")});
  ASSERT_EQ(errors(output), "");
  const auto& mounts = service(output).task_template.container.mounts;
  ASSERT_EQ(mounts.size(), 2U);
  for (const auto& mount : mounts) EXPECT_EQ(mount.source, "s_vol") << mount.target;
}

TEST(Extensions, PathsOfAnotherFileStartThere) {
  auto loader = relaxed();
  loader.reader.files = {
      {"/D/common/base.yml",
       "services: {b: {extends: {file: more/deep.yml, service: d}, env_file: b.env}}"},
      {"/D/common/more/deep.yml", "services: {d: {volumes: ['./data:/data']}}"},
      {"/D/common/b.env", "X=1"}};
  const auto output = loader.load({web("extends: {file: common/base.yml, service: b}")});
  ASSERT_EQ(errors(output), "");
  EXPECT_THAT(service(output).task_template.container.env, ElementsAre("X=1"));
  EXPECT_EQ(service(output).task_template.container.mounts[0].source, "/D/common/more/data");
}

TEST(Extensions, CirclesAreErrors_Attack10) {
  EXPECT_THAT(errors(relaxed().load({web("extends: b", "  b: {image: x, extends: web}")})),
              HasSubstr("extends itself"));
  auto loader = relaxed();
  loader.reader.files = {{"/D/x.yml", "include: [y.yml]\nservices: {a: {image: x}}"},
                         {"/D/y.yml", "include: [x.yml]"}};
  EXPECT_THAT(errors(loader.load({"include: [x.yml]\nservices: {}"})),
              HasSubstr("x.yml includes itself"));
  std::string chain = "services:\n";
  for (int i = 0; i < 40; ++i) {
    chain += "  s" + std::to_string(i) + ": {image: x, extends: s" + std::to_string(i + 1) + "}\n";
  }
  EXPECT_THAT(errors(relaxed().load({chain + "  s40: {image: x}\n"})),
              HasSubstr("more than 20 deep"));
}

TEST(Extensions, IncludedFilesBringTheirDefinitions) {
  auto loader = relaxed();
  loader.reader.files = {{"/D/lib/db.yml",
                          "services: {db: {image: pg, volumes: ['./init:/init', "
                          "'data:/d']}}\nvolumes: {data: }\nconfigs: {c: {file: c.txt}}"},
                         {"/D/lib/c.txt", "text"}};
  const auto output = loader.load({web("", "include: [lib/db.yml]")});
  ASSERT_EQ(errors(output), "");
  EXPECT_EQ(service(output, "db").task_template.container.mounts[0].source, "/D/lib/init");
  EXPECT_EQ(output.stack.configs.at("c").data, "text");
  loader.reader.files["/D/lib/db.yml"] = "services: {web: {image: other}}";
  EXPECT_THAT(errors(loader.load({web("", "include: [lib/db.yml]")})),
              HasSubstr("services.web is defined here and in the included file"));
}

TEST(Extensions, PathsOfOneIncludeAreOneProject) {
  auto loader = relaxed();
  loader.reader.files = {
      {"/D/sub/compose.yml",
       "services: {pg: {image: 'pg:1', environment: {A: '1'}, volumes: ['./d:/d']}}"},
      {"/D/sub/more/over.yml",
       "services: {pg: {image: 'pg:2', environment: {B: '2'}, volumes: ['./e:/e']}}"}};
  const auto output =
      loader.load({web("", "include: [{path: [sub/compose.yml, sub/more/over.yml]}]")});
  ASSERT_EQ(errors(output), "");
  const auto& container = service(output, "pg").task_template.container;
  EXPECT_EQ(container.image, "pg:2");
  EXPECT_THAT(container.env, ElementsAre("A=1", "B=2"));
  EXPECT_EQ(container.mounts.at(1).source, "/D/sub/e") << "relative to the first file";
}

TEST(Extensions, VariablesBesideAnIncludedFileAreNotRead) {
  auto loader = relaxed();
  loader.reader.files = {{"/D/sub/compose.yml", "services: {c: {image: 'redis:${RV:-7}'}}"},
                         {"/D/sub/.env", "RV=6"}};
  const auto output = loader.load({web("", "include: [sub/compose.yml]")});
  ASSERT_EQ(errors(output), "");
  EXPECT_EQ(service(output, "c").task_template.container.image, "redis:7");
  EXPECT_THAT(warnings(output), HasSubstr("/D/sub/.env is not read"));
  loader.reader.files["/D/.env"] = "RV=6";
  loader.reader.files.erase("/D/sub/.env");
  EXPECT_EQ(warnings(loader.load({web("", "include: [sub/compose.yml]")})), "");
}

TEST(Extensions, ServicesOfProfilesWaitForThem) {
  auto loader = relaxed();
  const std::string text = web("", "  debug: {image: x, profiles: [dev, test]}");
  const auto without = loader.load({text});
  EXPECT_FALSE(without.stack.services.contains("debug"));
  EXPECT_THAT(warnings(without), HasSubstr("service debug is not deployed"));
  loader.environment["COMPOSE_PROFILES"] = "a,test";
  EXPECT_TRUE(loader.load({text}).stack.services.contains("debug"));
}

TEST(Extensions, KeysThatSwarmCannotHonourAreNamedWithWhatHappensInstead) {
  const auto output =
      relaxed().load({web("build: .\nplatform: linux/arm64\npull_policy: always\ncontainer_name: "
                          "x\nprivileged: true\nnetwork_mode: host\nrestart: always")});
  ASSERT_EQ(errors(output), "");
  for (const auto* key : {"build", "platform", "pull_policy", "container_name"}) {
    EXPECT_THAT(warnings(output),
                HasSubstr("services.web." + std::string(key) + " is ignored by Swarm: "));
  }
  EXPECT_THAT(warnings(output), HasSubstr("services.web.privileged is ignored by Swarm: DANGER"));
  EXPECT_THAT(warnings(output), HasSubstr("services.web.network_mode is ignored by Swarm: DANGER"));
  EXPECT_EQ(service(output).task_template.restart_policy->condition, "any");
}

TEST(Extensions, SmallTextsCannotAskForLargeStacks) {
  std::string text = "services:\n  base: {image: x, command: [";
  for (int i = 0; i < 9000; ++i) text += "a,";
  text += "b]}\n";
  for (int i = 0; i < 100; ++i) text += "  s" + std::to_string(i) + ": {extends: base}\n";
  EXPECT_THAT(errors(relaxed().load({text})), HasSubstr("make the stack too large"));
  auto loader = relaxed();
  for (int i = 0; i < 19; ++i) {
    const auto next = std::to_string(i + 1) + ".yml";
    loader.reader.files["/D/" + std::to_string(i) + ".yml"] =
        "include: [" + next + ", " + next + "]";
  }
  loader.reader.files["/D/19.yml"] = "services: {}";
  EXPECT_THAT(errors(loader.load({"include: [0.yml]\nservices: {}"})),
              HasSubstr("too many includes"));
  std::string ports = "ports: [";
  for (int i = 0; i < 2000; ++i) ports += "'1-65535/tcp',";
  EXPECT_THAT(
      errors(relaxed().load({web(ports + "80, '1-65534', '1-65533', '1-65532', '1-65531']")})),
      HasSubstr("more than 200000 ports"));
}

TEST(Extensions, WhatTheEngineIsNeverAskedForIsNamed) {
  const auto output = relaxed().load(
      {web("networks: [n]\ndeploy: {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}",
           "networks: {n: {enable_ipv6: true, ipam: {config: [{subnet: 10.0.0.0/24, gateway: "
           "10.0.0.1}]}}}")});
  ASSERT_EQ(errors(output), "");
  EXPECT_EQ(output.stack.networks.at("n").ipam->config.at(0).subnet, "10.0.0.0/24");
  EXPECT_THAT(warnings(output), HasSubstr("networks.n: enable_ipv6 is ignored"));
  EXPECT_THAT(warnings(output), HasSubstr("networks.n: gateway is ignored"));
  EXPECT_THAT(warnings(output), HasSubstr("reservations.devices is ignored by Swarm: DANGER"));
}

TEST(Extensions, ModesAreOctalWhateverTheirPrefix) {
  for (const auto* mode : {"'440'", "'0440'", "'0o440'"}) {
    const auto output =
        relaxed().load({web("configs: [{source: c, target: /c, mode: " + std::string(mode) + "}]",
                            "configs: {c: {content: x}}")});
    ASSERT_EQ(errors(output), "") << mode;
    EXPECT_EQ(service(output).task_template.container.configs.at(0).file->mode, 0440U) << mode;
  }
  EXPECT_NE(errors(relaxed().load(
                {web("configs: [{source: c, mode: '480'}]", "configs: {c: {content: x}}")})),
            "");
}

TEST(Extensions, OfEqualItemsWithAKeyTheLastCounts) {
  const auto output =
      relaxed().load({web("environment: [A=1, A=2, A=1]\nlabels: [L=1, L=2, L=1]")});
  ASSERT_EQ(errors(output), "");
  EXPECT_THAT(service(output).task_template.container.env, ElementsAre("A=1"));
  EXPECT_EQ(service(output).task_template.container.labels.at("L"), "1");
}

TEST(Extensions, EqualVolumesAndConfigsCountOnce) {
  const auto output = relaxed().load(
      {web("volumes: ['/a:/x', '/a:/x']\nconfigs: [c, c]", "configs: {c: {content: x}}")});
  ASSERT_EQ(errors(output), "");
  EXPECT_EQ(service(output).task_template.container.mounts.size(), 1U);
  EXPECT_EQ(service(output).task_template.container.configs.size(), 1U);
}

TEST(Extensions, AGenericResourceMayBeAText) {
  const auto output = relaxed().load(
      {web("deploy: {resources: {reservations: {generic_resources: [{discrete_resource_spec: "
           "{kind: gpu, value: '2'}}]}}}")});
  ASSERT_EQ(errors(output), "");
}

TEST(Extensions, EveryNetworkModeIsToldWhatHappensInstead) {
  const auto said = [](const std::string& mode) {
    return warnings(relaxed().load({web("network_mode: " + mode)}));
  };
  EXPECT_THAT(said("host"), HasSubstr("an external network named host"));
  EXPECT_THAT(said("bridge"), ::testing::Not(HasSubstr("DANGER")));
  EXPECT_THAT(said("none"), HasSubstr("an external network named none"));
  EXPECT_THAT(said("'service:db'"), HasSubstr("a network namespace of its own"));
}

TEST(Extensions, NestedDefaultsAreNamedWhereNothingElseFits) {
  for (const auto* keys : {"ports: ['${A:-${B:-80}}:80']", "image: 'x:${A:-${B:-1}}'"}) {
    const auto output = relaxed().load({"services:\n  web:\n    " + std::string(keys) +
                                        (keys[0] == 'p' ? "\n    image: x\n" : "\n")});
    EXPECT_THAT(errors(output), HasSubstr("a default ends at the first }")) << keys;
    EXPECT_THAT(errors(output), ::testing::Not(HasSubstr("format"))) << keys;
  }
  const auto kept = relaxed().load({web("environment: {image: '${A:-${B:-1}}'}")});
  EXPECT_EQ(errors(kept), "");
  EXPECT_THAT(warnings(kept), HasSubstr("a default ends at the first }"));
}

TEST(Extensions, BlocksThatMeanNothingNeedNoVariables) {
  auto loader = relaxed();
  loader.unset_variable_is_error = true;
  const std::string block = "x-args: &a {OTHER: '${NOBODY}', MUST: '${NOBODY:?say it}'}\n";
  EXPECT_EQ(errors(loader.load({block + "services: {web: {image: x, build: {args: *a}}}"})), "");
  const auto used = loader.load({block + "services: {web: {image: x, environment: *a}}"});
  EXPECT_THAT(errors(used), HasSubstr("services.web.environment.OTHER: variable NOBODY"));
  EXPECT_THAT(errors(used), ::testing::Not(HasSubstr("x-args")));
}

TEST(Extensions, MistakesAreSaidOnceAndAsTheyAreWritten) {
  EXPECT_EQ(errors(relaxed().load({"name: ${STK:?give it a name}\nservices: {web: {image: x}}"})),
            "name: required variable STK is missing a value: give it a name; set it in the "
            "environment, or in a file of --env-file\n");
  auto loader = relaxed();
  loader.unset_variable_is_error = true;
  EXPECT_THAT(errors(loader.load({web("", "configs: {c: {content: '$NOBODY'}}")})),
              HasSubstr("configs.c.content: variable NOBODY is not set"));
  EXPECT_THAT(errors(loader.load({web("hostname: ${NOBODY:?}")})),
              HasSubstr("NOBODY is missing a value; set it in .env or cluster variables"));
  EXPECT_THAT(errors(loader.load({web("volumes: [{type: volume, source: ./a, target: /a}]")})),
              HasSubstr("a path is mounted with type: bind"));
}

TEST(Extensions, TheTagsOfDockerComposeAreNamed) {
  const auto output = relaxed().load(
      {web("ports: ['80:80']\nenvironment: {A: x}"),
       "services:\n  web:\n    ports: !override ['8080:80']\n    environment: {A: !reset null}\n"
       "    volumes: !reset []\n"});
  ASSERT_EQ(errors(output), "");
  EXPECT_THAT(warnings(output),
              HasSubstr("the tag !reset means nothing to docker stack deploy: the "
                        "value is taken as text"));
  EXPECT_THAT(warnings(output),
              HasSubstr("the tag !override means nothing to docker stack deploy: "
                        "this is merged with what earlier files say"));
  EXPECT_EQ(output.findings.front().at.line, 3);
  EXPECT_EQ(service(output).endpoint_spec->ports.size(), 2U);
}

TEST(Extensions, TheSameWarningStandsOnceAtAPlace) {
  EXPECT_THAT(warnings(relaxed().load({web("ports: ['127.0.0.1:5000-5010:80-90']")})),
              HasSubstr("service will listen on '0.0.0.0' (and 10 more such warnings here)\n"));
  const auto shared = relaxed().load(
      {"x-a: &a {image: x, privileged: true, build: .}\nservices: {a: *a, b: *a, c: *a}"});
  ASSERT_EQ(errors(shared), "");
  EXPECT_EQ(shared.findings.size(), 2U);
  EXPECT_THAT(warnings(shared), HasSubstr("use cap_add (and 2 more such warnings here)"));
  const auto apart = relaxed().load({web("build: .", "  db: {image: x, build: .}")});
  EXPECT_EQ(apart.findings.size(), 2U);
}

TEST(Extensions, WhatIsAllowedAtTheTopNamesTheExtensions) {
  EXPECT_THAT(errors(relaxed().load({web("", "gadgets: {}")})),
              HasSubstr("secrets, configs, name, include"));
  EXPECT_THAT(errors(Loader().load({web("", "gadgets: {}")})),
              ::testing::Not(HasSubstr("include")));
  EXPECT_THAT(errors(relaxed().load({web("", "inclde: []")})), HasSubstr("did you mean include?"));
}

TEST(Extensions, ASecondDocumentIsNamed) {
  const std::string text = "services: {web: {image: x}}\n---\nservices: {db: {image: y}}\n";
  const auto output = relaxed().load({text});
  ASSERT_EQ(errors(output), "");
  EXPECT_THAT(warnings(output), HasSubstr("a second YAML document begins here"));
  EXPECT_EQ(output.findings.front().at.line, 2);
  EXPECT_EQ(warnings(Loader().load({text})), "");
}

TEST(Extensions, UnsetVariableIsAnErrorWhereAskedFor) {
  auto loader = relaxed();
  loader.unset_variable_is_error = true;
  EXPECT_NE(errors(loader.load({web("hostname: $NOBODY")})), "");
  EXPECT_EQ(errors(loader.load({web("hostname: ${NOBODY:-x}")})), "");
}

}  // namespace
}  // namespace skep::compose::testing
