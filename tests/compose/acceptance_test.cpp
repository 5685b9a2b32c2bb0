#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "swarm/json.hpp"
#include "tests/compose/fixture.hpp"

// What the CLI refuses, although there is one thing that it can mean.
namespace skep::compose::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The service `web` of a file that only the relaxed mode takes.
swarm::ServiceSpec taken(const std::string& keys, const std::string& top = "") {
  EXPECT_NE(errors(Loader().load({web(keys, top)})), "") << keys;
  const auto output = relaxed().load({web(keys, top)});
  EXPECT_EQ(errors(output), "") << keys;
  return output.stack.services.at("web").spec;
}

TEST(Acceptance, NumbersOfUlimitsMayBeTexts) {
  const auto spec = taken("ulimits: {nofile: '65535', nproc: {soft: '1', hard: '2'}}");
  EXPECT_THAT(spec.task_template.container.ulimits,
              ElementsAre(swarm::Ulimit{"nofile", 65535, 65535}, swarm::Ulimit{"nproc", 2, 1}));
}

TEST(Acceptance, AmountsMayBeThoseOfOtherTools) {
  const auto spec = taken(
      "deploy: {resources: {limits: {memory: 512Mi}, reservations: {memory: 1Gi}}}\n"
      "ulimits: {memlock: unlimited}");
  EXPECT_EQ(spec.task_template.resources->limits->memory_bytes, 512 << 20);
  EXPECT_EQ(spec.task_template.resources->reservations->memory_bytes, 1 << 30);
  EXPECT_THAT(spec.task_template.container.ulimits, ElementsAre(swarm::Ulimit{"memlock", -1, -1}));
}

TEST(Acceptance, WhatAVariableHoldsIsTakenAsIfItStoodInTheFile) {
  const auto keys = [](const std::function<std::string(const char*)>& value) {
    return "deploy:\n"
           "  resources: {limits: {memory: " +
           value("512Mi") + "}}\n  restart_policy: {condition: " + value("unless-stopped") +
           "}\nulimits: {memlock: " + value("unlimited") +
           ", nofile: {soft: 5, hard: " + value("unlimited") + "}}\ndns: [1.1.1.1, " +
           value("1.1.1.1") +
           "]\nvolumes: [{type: tmpfs, target: /x, tmpfs: {size: " + value("64m") + "}}]";
  };
  const auto plain = taken(keys([](const char* value) { return std::string(value); }));
  const auto variable =
      taken(keys([](const char* value) { return std::string("'${NONE:-") + value + "}'"; }));
  EXPECT_EQ(swarm::to_json(variable), swarm::to_json(plain));
}

TEST(Acceptance, OwnersOfSecretsAndConfigsMayBeNumbers) {
  const auto spec =
      taken("secrets: [{source: s, uid: 103, gid: 104}]", "secrets: {s: {external: true}}");
  EXPECT_EQ(spec.task_template.container.secrets.at(0).file->uid, "103");
  EXPECT_EQ(spec.task_template.container.secrets.at(0).file->gid, "104");
}

TEST(Acceptance, RestartFalseIsNo) {
  EXPECT_FALSE(taken("restart: false").task_template.restart_policy);
  EXPECT_NE(errors(relaxed().load({web("restart: true")})), "");
}

TEST(Acceptance, ConditionsMayBeTheWordsOfRestart) {
  for (const auto& [word, meant] :
       {std::pair("unless-stopped", "any"), {"always", "any"}, {"no", "none"}, {"false", "none"}}) {
    const auto spec = taken(std::string("deploy: {restart_policy: {condition: ") + word + "}}");
    EXPECT_EQ(spec.task_template.restart_policy->condition, meant) << word;
  }
}

TEST(Acceptance, SwitchesMayBeWords) {
  const auto spec = taken("tty: yes\ninit: 'true'\nread_only: off\nstdin_open: on");
  EXPECT_TRUE(spec.task_template.container.tty);
  EXPECT_EQ(spec.task_template.container.init, true);
  EXPECT_FALSE(spec.task_template.container.read_only);
  EXPECT_TRUE(spec.task_template.container.open_stdin);
  taken("networks: [n]", "networks: {n: {external: 'true'}}");
}

TEST(Acceptance, AVariableMayHaveAnAlternative) {
  const auto value_of = [](const std::string& text) {
    auto loader = relaxed();
    const auto output = loader.load({web("hostname: '" + text + "'")});
    EXPECT_EQ(errors(output), "") << text;
    return output.stack.services.at("web").spec.task_template.container.hostname;
  };
  EXPECT_EQ(value_of("a${FOO:+b}c"), "abc");
  EXPECT_EQ(value_of("a${FOO+b}$FOO"), "a{FOO+b}foo")
      << "what the CLI takes stays as it is: rule A5.10";
  EXPECT_EQ(value_of("a${EMPTY:+b}c"), "ac");
  EXPECT_EQ(value_of("a${EMPTY+b}c"), "abc");
  EXPECT_EQ(value_of("a${NOBODY+b}c"), "ac");
  EXPECT_EQ(value_of("$FOO${FOO:+-}x"), "foo-x");
  EXPECT_NE(errors(relaxed().load({web("hostname: '${FOO:+b'")})), "");
  EXPECT_NE(errors(relaxed().load({web("hostname: '${FOO:=b}'")})), "");
}

TEST(Acceptance, ADefaultThatLooksLikeAVariableIsSaid) {
  const auto output = relaxed().load({web("hostname: '${NOBODY:-${FOO}}'")});
  EXPECT_EQ(output.stack.services.at("web").spec.task_template.container.hostname, "${FOO}");
  EXPECT_THAT(warnings(output), HasSubstr("a default ends at the first }"));
}

TEST(Acceptance, AListOfPairsMayHaveMappings) {
  const auto spec = taken("environment:\n  - A: 1\n  - B=2\n  - C: true\nlabels: [{a.b: c}]");
  EXPECT_THAT(spec.task_template.container.env, ElementsAre("A=1", "B=2", "C=true"));
  EXPECT_EQ(spec.task_template.container.labels.at("a.b"), "c");
}

TEST(Acceptance, EmptyListItemsAreLeftOut) {
  const auto spec = taken("environment:\n  - A=1\n  -\nports:\n  - 80\n  - ");
  EXPECT_THAT(spec.task_template.container.env, ElementsAre("A=1"));
  EXPECT_EQ(spec.endpoint_spec->ports.size(), 1U);
}

TEST(Acceptance, DeepKeysWithoutAValueAreLeftOut) {
  const auto spec = taken(
      "deploy:\n  resources:\n    limits:\n      cpus:\n      memory: 64M\n"
      "networks:\n  n:\n    aliases:",
      "networks: {n: {ipam: {config: }}}");
  EXPECT_EQ(spec.task_template.resources->limits->memory_bytes, 64 << 20);
}

TEST(Acceptance, ALongVolumeWithoutATypeIsWhatTheShortFormWouldBe) {
  const auto spec = taken(
      "volumes: [{source: ./a, target: /a}, {source: v, target: /b}, {type: tmpfs, target: /c, "
      "tmpfs: {size: 64m}}]",
      "volumes: {v: {}}");
  const auto& mounts = spec.task_template.container.mounts;
  ASSERT_EQ(mounts.size(), 3U);
  EXPECT_EQ(mounts[0].type, "bind");
  EXPECT_EQ(mounts[0].source, "/D/a");
  EXPECT_EQ(mounts[1].type, "volume");
  EXPECT_EQ(mounts[1].source, "s_v");
  EXPECT_EQ(mounts[2].tmpfs_options->size_bytes, 64 << 20);
}

TEST(Acceptance, VariablesMayStandWhereTheCliForgotThem_A6_4) {
  auto loader = relaxed();
  loader.environment = {{"ON", "true"}, {"N", "7"}};
  const auto text = web("init: ${ON}\ndeploy: {resources: {limits: {pids: '${N}'}}}");
  const auto output = loader.load({text});
  ASSERT_EQ(errors(output), "");
  EXPECT_EQ(output.stack.services.at("web").spec.task_template.container.init, true);
  EXPECT_EQ(output.stack.services.at("web").spec.task_template.resources->limits->pids, 7);
  loader.strict = true;
  EXPECT_NE(errors(loader.load({text})), "");
}

TEST(Acceptance, RatiosAndNamesMayBeOfTheOtherType) {
  const auto spec = taken("deploy: {update_config: {max_failure_ratio: '0.25'}}\nnetworks: [n]",
                          "networks: {n: {name: 5}}");
  EXPECT_FLOAT_EQ(spec.update_config->max_failure_ratio, 0.25F);
  EXPECT_EQ(spec.task_template.networks.at(0).target, "5");
}

TEST(Acceptance, LinesOfEnvFilesMayBeThoseOfAShell) {
  auto loader = relaxed();
  loader.reader.files["/D/e"] = "export A=1\nB = 2\n\texport  C=3 4\nexport=5\n";
  const auto output = loader.load({web("env_file: e")});
  ASSERT_EQ(errors(output), "");
  EXPECT_THAT(output.stack.services.at("web").spec.task_template.container.env,
              ElementsAre("A=1", "B=2", "C=3 4", "export=5"));
  loader.strict = true;
  EXPECT_THAT(errors(loader.load({web("env_file: e")})), HasSubstr("contains whitespaces"));
}

/// The specification: a dependency of the service that is extended is none of the one that extends.
TEST(Acceptance, ExtendsInheritsNoDependencies) {
  auto loader = relaxed();
  loader.reader.files["/D/base.yml"] =
      "services: {base: {image: b, depends_on: {gone: {condition: service_healthy}}, links: "
      "[gone], "
      "environment: {A: b}}}";
  const auto output = loader.load(
      {web("extends: {file: base.yml, service: base}\ndepends_on: [db]", "  db: {image: x}\n")});
  ASSERT_EQ(errors(output), "");
  const auto& depends_on = output.stack.services.at("web").depends_on;
  ASSERT_EQ(depends_on.size(), 1U);
  EXPECT_EQ(depends_on[0].service, "db");
}

}  // namespace
}  // namespace skep::compose::testing
