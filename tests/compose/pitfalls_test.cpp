#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/compose/fixture.hpp"

// What is accepted without a word elsewhere, and does not do what was meant.
namespace skep::compose::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Pitfall {
  const char* name;
  std::string keys;     ///< Of a service.
  std::string warning;  ///< A part of it, "" for none.
};

std::string with(const std::string& keys) {
  if (!keys.starts_with("image:")) return web(keys);
  return "version: \"3.13\"\nservices:\n  web:\n    " + keys + "\n";
}

void PrintTo(const Pitfall& row, std::ostream* out) { *out << row.name; }

class PitfallTest : public ::testing::TestWithParam<Pitfall> {};

TEST_P(PitfallTest, IsTakenWithAWordInDefaultModeAndSilentlyInStrictMode) {
  auto loader = relaxed();
  loader.reader.files["/D/e.env"] =
      "NAME=\"Firefly III\"\nMEMORY=8000   # MiB\nURL=http://${HOST}\n";
  loader.reader.files["/D/plain.env"] = "NAME=it's \"so\"\nHASH=a#b\n";
  const auto output = loader.load({with(GetParam().keys)});
  EXPECT_EQ(errors(output), "");
  if (GetParam().warning.empty()) {
    EXPECT_EQ(warnings(output), "");
  } else {
    EXPECT_THAT(warnings(output), HasSubstr(GetParam().warning));
  }
  loader.strict = true;
  EXPECT_THAT(loader.load({with(GetParam().keys)}).findings, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    All,
    PitfallTest,
    ::testing::Values(
        Pitfall{"label_with_a_colon",
                "labels: ['traefik.enable: true']",
                "services.web.labels: \"traefik.enable: true\" is taken for the name of a label "
                "without a value; write traefik.enable=true"},
        Pitfall{"label_of_the_service_with_a_colon",
                "deploy: {labels: ['a: b']}",
                "services.web.deploy.labels: \"a: b\""},
        Pitfall{"healthcheck_of_no_kind",
                "healthcheck: {test: [curl, -f, x]}",
                "services.web.healthcheck.test: a list begins with CMD, CMD-SHELL or NONE, and "
                "\"curl\" is none of them"},
        Pitfall{"healthcheck_of_a_kind", "healthcheck: {test: [CMD, curl, -f, x]}", ""},
        Pitfall{"healthcheck_in_a_line", "healthcheck: {test: curl -f x}", ""},
        Pitfall{"no_healthcheck", "healthcheck: {test: [NONE]}", ""},
        Pitfall{"attribute_in_singular",
                "deploy: {placement: {constraints: [node.label.x == y]}}",
                "services.web.deploy.placement.constraints: no node has \"node.label.x\"; did you "
                "mean node.labels.x?"},
        Pitfall{"attribute_misspelt",
                "deploy: {placement: {constraints: [node.hostnme==a]}}",
                "did you mean node.hostname?"},
        Pitfall{"attribute_of_nothing",
                "deploy: {placement: {constraints: [zone!=a]}}",
                "it may be node.id, node.hostname"},
        Pitfall{"role_misspelt",
                "deploy: {placement: {constraints: [node.role==mananger]}}",
                "a node's role is manager or worker, never \"mananger\""},
        Pitfall{"attributes_that_are",
                "deploy: {placement: {constraints: [node.role == Manager, Node.Labels.a==b, "
                "engine.labels.x!=y, node.platform.os==linux, node.ip==10.0.0.0/8]}}",
                ""},
        Pitfall{"upper_case_owner",
                "image: YourName/app:1.0",
                "services.web.image: \"YourName\" is taken for the host of a registry"},
        Pitfall{"host_with_a_port", "image: Registry:5000/app", ""},
        Pitfall{"relative_target",
                "volumes: [\"/data:app\"]",
                "the target \"app\" is not absolute: no container can start with it; write /app"},
        Pitfall{"variable_with_a_colon",
                "environment: [\"C: d\"]",
                "\"C: d\" is taken for the name of a variable and has no value; write C=d"},
        Pitfall{"more_than_the_hard_limit",
                "ulimits: {nofile: {soft: 9, hard: 5}}",
                "services.web.ulimits.nofile: soft is more than hard"},
        Pitfall{"quotes_in_an_env_file",
                "env_file: e.env",
                "/D/e.env: NAME: the quotes are part of the value"},
        Pitfall{"comment_in_an_env_file",
                "env_file: e.env",
                "/D/e.env: MEMORY: what follows the # is part of the value"},
        Pitfall{
            "variable_in_an_env_file", "env_file: e.env", "/D/e.env: URL: no variables are put in"},
        Pitfall{"plain_env_file", "env_file: plain.env", ""},
        Pitfall{"unset_variable",
                "image: \"nginx${TAG}\"",
                "services.web.image: variable TAG is not set: nothing stands in its place, as with "
                "docker stack deploy; set it in the environment, or in a file of --env-file, or "
                "give a default: ${TAG:-…}"},
        Pitfall{"variable_that_is_empty", "hostname: \"a${EMPTY}\"", ""}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Pitfalls, ModesThatAreReadAsDecimalNumbersAreShownInOctal) {
  const auto with_mode = [](const std::string& mode) {
    return web("configs: [{source: c, mode: " + mode + "}]", "configs: {c: {external: true}}");
  };
  EXPECT_THAT(warnings(relaxed().load({with_mode("644")})),
              HasSubstr("services.web.configs: mode 644 is a decimal number, 01204 in octal; write "
                        "0644"));
  EXPECT_THAT(warnings(relaxed().load({with_mode("444")})), HasSubstr("write 0444"));
  for (const auto* mode : {"0644", "0o444", "0400", "'0440'", "0777", "0640", "0500"})
    EXPECT_EQ(warnings(relaxed().load({with_mode(mode)})), "") << mode;
}

TEST(Pitfalls, AVariableThatIsNotSetIsSaidOnceHoweverOftenItIsUsed) {
  const auto output = relaxed().load({web("environment: {A: $NONE, B: $NONE, C: $OTHER}")});
  const auto text = warnings(output);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
}

TEST(Pitfalls, OtherNamesOfLinksNeedAliases) {
  EXPECT_THAT(warnings(relaxed().load({web("links: [\"db:mysql\"]", "  db: {image: x}")})),
              HasSubstr("but not as mysql: give that name there, networks: {default: {aliases: "
                        "[mysql]}}"));
}

TEST(Pitfalls, NetworksWithCommonAddressesAreNamed) {
  const auto with_subnets = [](const std::string& a, const std::string& b) {
    return warnings(relaxed().load({web("networks: [a, b]",
                                        "networks: {a: {ipam: {config: [{subnet: " + a +
                                            "}]}}, b: {ipam: {config: [{subnet: " + b +
                                            "}]}}, unused: {ipam: {config: "
                                            "[{subnet: 10.0.0.0/8}]}}}")}));
  };
  EXPECT_THAT(with_subnets("10.77.0.0/16", "10.77.4.0/24"),
              HasSubstr("networks.b.ipam: the subnet 10.77.4.0/24 overlaps with 10.77.0.0/16 of "
                        "the network a"));
  EXPECT_THAT(with_subnets("'fd00:1::/32'", "'fd00:1:2::/48'"), HasSubstr("overlaps"));
  EXPECT_EQ(with_subnets("10.77.0.0/24", "10.77.1.0/24"), "");
  EXPECT_EQ(with_subnets("10.77.0.0/24", "'fd00::/8'"), "");
}

TEST(Pitfalls, ABadStackNameIsBlamedOnce) {
  Input input;
  input.stack = *swarm::StackName::parse("my stack");
  input.files = {{"a.yml",
                  "services: {a: {image: x, networks: [n]}, b: {image: x}}\nnetworks: {n: {}}\n"
                  "configs: {c: {content: x}}\n"}};
  input.working_directory = "/D";
  input.strict = false;
  const auto output = load(input);
  ASSERT_EQ(output.findings.size(), 1U) << to_string(output.findings);
  EXPECT_THAT(to_string(output.findings),
              HasSubstr("a.yml: error: the stack cannot be called \"my stack\": its name begins"));
}

TEST(Pitfalls, WhatIsMeantByABlankInAnEnvFile) {
  const auto said = [](const std::string& text, bool strict = false) {
    auto loader = strict ? Loader() : relaxed();
    loader.reader.files["/D/e.env"] = text;
    return errors(loader.load({web("env_file: e.env")}));
  };
  EXPECT_THAT(said("A: hunter2\n"),
              HasSubstr("line 1: variable name contains whitespaces; write "
                        "A=… instead of A: …"));
  EXPECT_EQ(said("A: hunter2\n").find("hunter2"), std::string::npos);
  EXPECT_THAT(
      said("KEY=\"-----BEGIN X\nab cd\n-----END X\"\n"),
      HasSubstr("line 2: variable name contains whitespaces; a value has one line only, and "
                "that of KEY seems to go on here"));
  EXPECT_EQ(said("A: b\n", true).find("; "), std::string::npos);
}

}  // namespace
}  // namespace skep::compose::testing
