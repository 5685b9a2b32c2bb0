// load() as a whole: what one row of a table cannot say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/compose/fixture.hpp"

namespace skep::compose::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string& source_of_first_mount(const Output& output) {
  return output.stack.services.at("web").spec.task_template.container.mounts.at(0).source;
}

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

TEST(Load, AKeyThatIsRefusedHidesNoOtherMistakeOfTheFile) {
  Loader loader;
  loader.strict = false;
  const auto all = errors(loader.load({web("tty: maybe\nports: [80: 80]\ntty: yes\nextra: 1")}));
  EXPECT_THAT(all, HasSubstr("key 80 is not a string: put it in quotes"));
  EXPECT_THAT(all, HasSubstr("mapping key \"tty\" already defined at line"));
  EXPECT_THAT(all, HasSubstr("services.web.tty must be a boolean"));
  EXPECT_THAT(all, HasSubstr("extra"));
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
  EXPECT_EQ(source_of_first_mount(below), "/.skep-repository/apps/y/f");
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

TEST(Load, RefusalsSayWhatIsMostlyMeant) {
  const auto says = [](const std::string& service) {
    Loader loader;
    loader.strict = false;
    return errors(loader.load({web(service)}));
  };
  EXPECT_THAT(says("stop_grace_period: 10"), HasSubstr("; write \"10s\" for seconds"));
  EXPECT_THAT(says("cap_add: [a.b: c]"), HasSubstr("; a colon and a blank make a mapping"));
  EXPECT_THAT(says("environment: -A=1"), HasSubstr("; a blank is missing after the dash"));
  EXPECT_THAT(says("deploy: {placement: {constraints: node.role==manager}}"),
              HasSubstr("; begin each item with a dash"));
  EXPECT_THAT(says("volumes: ['data:/d']"), HasSubstr("; list it under the top-level volumes"));
  EXPECT_THAT(says("volumes: ['data/x:/d']"), HasSubstr("is written ./data/x"));
  EXPECT_THAT(says("networks: [n]"), HasSubstr("; list it under the top-level networks"));
  EXPECT_THAT(says("hostname: '${H:?name the host}'"),
              HasSubstr("hostname: required variable H is missing a value: name the host"));
  EXPECT_THAT(says("hostname: '${H:?name the host}'"), Not(HasSubstr("escape")));
}

}  // namespace
}  // namespace skep::compose::testing
