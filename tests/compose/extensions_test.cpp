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
  for (const auto* text : {"${FOO }", "${}", "${1}", "${FOO:=x}", "x $ ${FOO }"}) {
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

TEST(Extensions, VariablesAreLookedIntoWhereTheySayThatAVolumeIsExternal) {
  const auto load = [](const std::string& external) {
    return relaxed().load(
        {web("volumes: ['data:/d']",
             "volumes: {data: {external: " + external + ", driver: nfs, labels: {a: b}}}")});
  };
  for (const auto* no : {"'${EXT:-false}'", "'${EXT:-OFF}'", "false"}) {
    const auto output = load(no);
    ASSERT_EQ(errors(output), "") << no;
    EXPECT_EQ(warnings(output), "") << no;
    const auto& mount = service(output).task_template.container.mounts.at(0);
    EXPECT_EQ(mount.source, "s_data") << no;
    ASSERT_TRUE(mount.volume_options && mount.volume_options->driver_config) << no;
    EXPECT_EQ(mount.volume_options->driver_config->name, "nfs") << no;
  }
  const auto yes = load("'${EXT:-yes}'");
  ASSERT_EQ(errors(yes), "");
  EXPECT_THAT(warnings(yes), HasSubstr("volumes.data: driver is ignored: the volume is external"));
  EXPECT_THAT(errors(load("'${EXT:-perhaps}'")), HasSubstr("invalid boolean: perhaps"));
}

TEST(Extensions, PathsOfAnotherFileStartThereThoughAVariableBeginsThem) {
  auto loader = relaxed();
  loader.environment = {{"ABS", "/abs"}, {"MONEY", "./a$b"}};
  loader.reader.files = {
      {"/D/sub/base.yml",
       "services:\n  b:\n    image: x\n    env_file: ['${X:-prod}.env']\n    volumes:\n"
       "    - '${DD:-./dd}:/1'\n    - '${ABS}/x:/2'\n    - '${NAME:-named}:/3'\n"
       "    - '$MONEY:/4'\n    - {type: bind, source: '~/.ssh', target: /5}\n"
       "    - {type: bind, source: '${U:-up}/../c', target: /6}\n"
       "    - './${V:-v/../w}:/7:ro'\n    - '~/y:/8'\n"
       "volumes: {named: {}}\nsecrets: {s: {file: '${S:-./sec}/s.txt'}}"},
      {"/D/sub/prod.env", "A=1"},
      {"/D/sub/sec/s.txt", "canary"}};
  const auto expect = [](const swarm::ServiceSpec& spec) {
    const auto& container = spec.task_template.container;
    EXPECT_THAT(container.env, ElementsAre("A=1"));
    std::vector<std::string> sources;
    for (const auto& mount : container.mounts) sources.push_back(mount.source);
    EXPECT_THAT(sources,
                ElementsAre("/D/sub/dd",
                            "/abs/x",
                            "s_named",
                            "/D/sub/a$b",
                            "/root/.ssh",
                            "/D/sub/c",
                            "/D/sub/w",
                            "/root/y"));
    EXPECT_TRUE(container.mounts.at(6).read_only);
  };
  const auto extended =
      loader.load({web("extends: {file: sub/base.yml, service: b}", "volumes: {named: {}}")});
  ASSERT_EQ(errors(extended), "");
  expect(service(extended));
  const auto included = loader.load({web("", "include: ['sub/base.yml']")});
  ASSERT_EQ(errors(included), "");
  expect(service(included, "b"));
  EXPECT_EQ(included.stack.secrets.at("s").data.reveal(), "canary");
  loader.unset_variable_is_error = true;
  loader.reader.files["/D/sub/base.yml"] = "services: {b: {image: x, volumes: ['$NOBODY:/a']}}";
  EXPECT_EQ(errors(loader.load({web("", "include: ['sub/base.yml']")})),
            "services.b.volumes.[]: variable NOBODY is not set; set it in .env or cluster "
            "variables, or give a default: ${NOBODY:-…}\n");
}

TEST(Extensions, ProfilesAreAListOfNames) {
  const auto said = [](const std::string& profiles) {
    return relaxed().load({web("", "  a: {image: x, profiles: " + profiles + "}")});
  };
  const auto text = said("debug");
  EXPECT_EQ(errors(text), "services.a.profiles must be a list of names; write [debug]\n");
  EXPECT_EQ(text.findings.front().at.line, 5);
  EXPECT_EQ(text.findings.front().at.column, 27);
  EXPECT_EQ(errors(said("{debug: true}")), "services.a.profiles must be a list of names\n");
  EXPECT_EQ(errors(said("[[debug]]")), "services.a.profiles must be a list of names\n");
  EXPECT_EQ(errors(said("")), "");
  auto loader = relaxed();
  loader.environment = {{"COMPOSE_PROFILES", "blue"}, {"COLOUR", "blue"}};
  const auto output = loader.load({web("",
                                       "  a: {image: x, profiles: ['$COLOUR']}\n"
                                       "  b: {image: x, profiles: ['${OTHER:-red}']}")});
  ASSERT_EQ(errors(output), "");
  EXPECT_TRUE(output.stack.services.contains("a"));
  EXPECT_THAT(warnings(output), HasSubstr("none of its profiles (red) is in COMPOSE_PROFILES"));
}

TEST(Extensions, DatesStayAsTheyAreWritten) {
  const auto output = relaxed().load(
      {web("command: [run, 2024-01-02]\nhostname: 2024-01-03\nenvironment: [A: 2024-01-04]")});
  ASSERT_EQ(errors(output), "");
  const auto& container = service(output).task_template.container;
  EXPECT_THAT(container.args, ElementsAre("run", "2024-01-02"));
  EXPECT_EQ(container.hostname, "2024-01-03");
  EXPECT_THAT(container.env, ElementsAre("A=2024-01-04"));
}

TEST(Extensions, OptionsOfAnotherLoggingDriverDoNotStay) {
  const auto load = [](const std::string& logging) {
    const auto output =
        relaxed().load({web("extends: base\nlogging: " + logging,
                            "  base: {image: x, logging: {driver: json-file, options: {a: b}}}")});
    EXPECT_EQ(errors(output), "");
    return *service(output).task_template.log_driver;
  };
  EXPECT_EQ(load("{driver: syslog, options: {c: d}}").options, (swarm::StringMap{{"c", "d"}}));
  EXPECT_EQ(load("{driver: json-file, options: {c: d}}").options,
            (swarm::StringMap{{"a", "b"}, {"c", "d"}}));
  EXPECT_EQ(load("{options: {a: d}}").options, (swarm::StringMap{{"a", "d"}}));
}

TEST(Extensions, TheLaterSecretOfATargetCounts) {
  const auto output = relaxed().load(
      {web("extends: base\nsecrets: [{source: b, target: /run/secrets/x}, {source: c, uid: '5'}]\n"
           "configs: [{source: d, target: x}]",
           "  base: {image: x, secrets: [{source: a, target: x}, c], configs: [{source: e, target: "
           "/x}, e]}\nsecrets: {a: {external: true}, b: {external: true}, c: {external: true}}\n"
           "configs: {d: {external: true}, e: {external: true}}")});
  ASSERT_EQ(errors(output), "");
  const auto& container = service(output).task_template.container;
  ASSERT_EQ(container.secrets.size(), 2U);
  EXPECT_EQ(container.secrets[0].secret_name, "b");
  EXPECT_EQ(container.secrets[1].secret_name, "c");
  EXPECT_EQ(container.secrets[1].file->uid, "5");
  ASSERT_EQ(container.configs.size(), 2U);
  EXPECT_EQ(container.configs[0].config_name, "d");
  EXPECT_EQ(container.configs[1].config_name, "e");
}

TEST(Extensions, OnePortMayBeWrittenInManyWays) {
  const auto ports = [](const std::string& over, const std::string& base) {
    const auto output = relaxed().load(
        {web("extends: base\nports: [" + over + "]", "  base: {image: x, ports: [" + base + "]}")});
    EXPECT_EQ(errors(output), "") << over;
    return service(output).endpoint_spec->ports;
  };
  const auto host = ports("{target: 80, published: 8080, mode: host}", "'8080:80'");
  ASSERT_EQ(host.size(), 1U);
  EXPECT_EQ(host[0].mode, "host");
  const auto ingress = ports("'8080:80/tcp'", "{target: 80, published: '8080', mode: host}");
  ASSERT_EQ(ingress.size(), 1U);
  EXPECT_EQ(ingress[0].mode, "ingress");
  EXPECT_EQ(ports("80", "'80'").size(), 1U);
  EXPECT_EQ(ports("'${P:-8080}:80/UDP'", "'${P:-8080}:80/udp'").size(), 1U);
  EXPECT_EQ(ports("'[::1]:8080:80'", "{target: 80, published: 8080, host_ip: '::1'}").size(), 1U);
  EXPECT_EQ(ports("'8080:80/udp'", "'8080:80'").size(), 2U);
  EXPECT_EQ(ports("'8081:80'", "'8080:80'").size(), 2U);
}

TEST(Extensions, ConfigsHaveOneContent) {
  auto loader = relaxed();
  loader.environment = {{"V", "v"}};
  loader.reader.files["/D/c"] = "x";
  for (const auto* two :
       {"content: a, environment: V", "content: a, file: c", "file: c, environment: V"}) {
    EXPECT_THAT(errors(loader.load({web("", "configs: {c: {" + std::string(two) + "}}")})),
                HasSubstr("only one of file, content and environment is allowed"))
        << two;
  }
}

TEST(Extensions, AnAlternateIsPutInWhereNothingElseCanBeMeant) {
  auto loader = relaxed();
  const std::string image =
      "services: {web: {image: '${REG:+reg.example.com/}app:${TAG:-1}', "
      "ports: ['${P:+8080:}${T:-80}'], environment: ['A=${P:+x}${T:-y}']}}";
  EXPECT_EQ(service(loader.load({image})).task_template.container.image, "app:1");
  loader.environment = {{"REG", "r"}, {"P", "p"}};
  const auto output = loader.load({image});
  ASSERT_EQ(errors(output), "");
  const auto& spec = service(output);
  EXPECT_EQ(spec.task_template.container.image, "reg.example.com/app:1");
  EXPECT_EQ(spec.endpoint_spec->ports.at(0).published, 8080U);
  EXPECT_THAT(spec.task_template.container.env, ElementsAre("A={P:+x}y")) << "as the CLI has it";
  EXPECT_EQ(warnings(output),
            "services.web.environment.[]: a $ that begins no variable is left out and what follows "
            "it stays text, as with docker stack deploy; write $$ for a $ that is to stay; "
            "${VAR:+text} works only where docker stack deploy refuses the value\n");
  loader.strict = true;
  EXPECT_THAT(errors(loader.load({image})), HasSubstr("invalid image reference"));
}

TEST(Extensions, KeysThatTheyDoNotKnowAreErrorsAndNotLeftOut) {
  struct Row {
    std::string text, error;
  };
  const std::vector<Row> rows = {
      {web("depends_on: {db: {conditon: service_healthy}}", "  db: {image: x}"),
       "services.web.depends_on.db Additional property conditon is not allowed; did you mean "
       "condition?"},
      {web("depends_on: {db: service_healthy}", "  db: {image: x}"),
       "services.web.depends_on.db must be a mapping; write {condition: service_healthy}"},
      {web("depends_on: {db: [a]}", "  db: {image: x}"),
       "services.web.depends_on.db must be a mapping"},
      {web("depends_on: {db: {condition: service_helthy}}", "  db: {image: x}"),
       "did you mean service_healthy?"},
      {web("depends_on: {db: {required: maybe}}", "  db: {image: x}"),
       "services.web.depends_on.db.required must be true or false"},
      {web("depends_on: {dbb: {}}", "  db: {image: x}"),
       "no service of this stack; did you mean db?"},
      {web("extends: {service: base, fil: y.yml}", "  base: {image: x}"),
       "extends Additional property fil is not allowed; did you mean file?"},
      {web("env_file: [{path: e.env, requird: true}]"),
       "services.web.env_file.[] Additional property requird is not allowed; did you mean "
       "required?"},
      {web("", "include: [{path: i.yml, projct_directory: x}]"),
       "include.[] Additional property projct_directory is not allowed; did you mean "
       "project_directory?"},
  };
  for (const auto& row : rows) {
    auto loader = relaxed();
    loader.reader.files["/D/e.env"] = "A=b\n";
    loader.reader.files["/D/i.yml"] = "services: {other: {image: x}}\n";
    const auto found = errors(loader.load({row.text}));
    EXPECT_THAT(found, HasSubstr(row.error)) << row.text;
    EXPECT_EQ(std::count(found.begin(), found.end(), '\n'), 1) << found;
  }
}

TEST(Extensions, WhatDependsOnSaysMayComeFromVariables) {
  const auto output =
      relaxed().load({web("depends_on: {db: {condition: \"${NONE:-service_healthy}\", required: "
                          "\"true\", restart: true}}",
                          "  db: {image: x}")});
  EXPECT_EQ(errors(output), "");
  ASSERT_EQ(output.stack.services.at("web").depends_on.size(), 1U);
  EXPECT_EQ(output.stack.services.at("web").depends_on.front().condition,
            swarm::ServiceDependency::Condition::healthy);
}

}  // namespace
}  // namespace skep::compose::testing
