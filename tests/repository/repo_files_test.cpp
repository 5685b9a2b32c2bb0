#include "repository/repo_files.hpp"

#include <gmock/gmock.h>

#include "repository/desired_state.hpp"
#include "tests/fakes/memory_repository.hpp"

namespace skep::repository {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using tests::MemorySnapshot;

/// apps/a with one service whose volumes the test chooses.
struct RepoFilesTest : testing::Test {
  RepoFilesTest() {
    files["apps/a/app.conf"] = "near";
    files["apps/a/conf.d/one.conf"] = "1";
    files["apps/a/conf.d/deep/two.conf"] = "2";
    files["shared/proxy.toml"] = "far";
  }

  void mount(const std::string& volumes, const std::string& settings = "") {
    files["apps/a/docker-compose.yml"] =
        "services:\n  web:\n    image: a:1\n    volumes: [" + volumes + "]\n";
    if (!settings.empty()) files["apps/a/skep.yaml"] = settings;
  }
  /// Renders what stands in `files` now.
  const DesiredStack& load() {
    const MemorySnapshot snapshot(files, "c" + std::to_string(++commits), executables);
    auto loaded = load_desired_state(snapshot, options, state ? &*state : nullptr);
    EXPECT_TRUE(loaded) << loaded.error().message;
    state = *std::move(loaded);
    return *state->stacks.at(0);
  }
  const swarm::ContainerSpec& web() {
    return load().spec.services.at("web").spec.task_template.container;
  }
  std::string findings() { return to_string(load().findings); }

  std::map<std::string, std::string> files;
  std::set<std::string> executables;
  LoadOptions options;
  std::optional<DesiredState> state;
  int commits = 0;
};

TEST_F(RepoFilesTest, ATrackedFileBecomesAConfigAtTheSameTarget) {
  mount("'./app.conf:/etc/app.conf:ro'");
  const auto& container = web();
  ASSERT_THAT(container.configs, SizeIs(1)) << findings();
  EXPECT_THAT(container.mounts, IsEmpty());
  EXPECT_EQ(container.configs[0].file->name, "/etc/app.conf");
  EXPECT_EQ(container.configs[0].file->mode, 0444U);
  EXPECT_EQ(container.configs[0].file->uid, "0");
  EXPECT_EQ(container.configs[0].file->gid, "0");
  const auto& config = state->stacks[0]->spec.configs.begin()->second;
  EXPECT_EQ(config.data, "near");
  EXPECT_EQ(config.name, container.configs[0].config_name);
  EXPECT_THAT(config.name, testing::MatchesRegex("a_file-[0-9a-f]{8}-app.conf"));
  EXPECT_EQ(findings(), "");
}

TEST_F(RepoFilesTest, AMountThatIsNotReadOnlyIsCarriedWithAWarning) {
  mount("'./app.conf:/etc/app.conf'");
  EXPECT_THAT(web().configs, SizeIs(1));
  EXPECT_THAT(findings(),
              HasSubstr("warning: a_web: the mount of apps/a/app.conf at /etc/app.conf "
                        "becomes a config, which the container cannot write to"));
}

TEST_F(RepoFilesTest, PwdIsTheStacksDirectoryWhereThePathIsThereElseTheRoot) {
  mount("'$PWD/app.conf:/near:ro', '$PWD/shared/proxy.toml:/far:ro', '${PWD}/app.conf:/near2:ro'");
  const auto& container = web();
  ASSERT_THAT(container.configs, SizeIs(3)) << findings();
  std::map<std::string, std::string> data;
  for (const auto& reference : container.configs) {
    for (const auto& [key, config] : state->stacks[0]->spec.configs) {
      if (config.name == reference.config_name) data[reference.file->name] = config.data;
    }
  }
  EXPECT_EQ(data["/near"], "near");
  EXPECT_EQ(data["/near2"], "near");
  EXPECT_EQ(data["/far"], "far");
  EXPECT_THAT(state->stacks[0]->spec.configs, SizeIs(2)) << "one config a file";
}

TEST_F(RepoFilesTest, ADotPathAndOneUpAreBelowTheStacksDirectory) {
  mount("'./app.conf:/near:ro', '../../shared/proxy.toml:/far:ro'");
  EXPECT_THAT(web().configs, SizeIs(2)) << findings();
  mount("'../../../etc/passwd:/far:ro'");
  EXPECT_THAT(findings(), HasSubstr("leaves the repository"));
}

TEST_F(RepoFilesTest, TheSameFileInTwoServicesIsOneConfig) {
  files["apps/a/docker-compose.yml"] =
      "services:\n"
      "  one: {image: a:1, volumes: ['./app.conf:/c:ro']}\n"
      "  two: {image: a:1, volumes: ['./app.conf:/d:ro']}\n";
  const auto& spec = load().spec;
  EXPECT_THAT(spec.configs, SizeIs(1));
  EXPECT_EQ(spec.services.at("one").spec.task_template.container.configs[0].config_name,
            spec.services.at("two").spec.task_template.container.configs[0].config_name);
}

TEST_F(RepoFilesTest, TwoFilesOfOneNameAreTwoConfigs) {
  files["apps/a/other/app.conf"] = "other";
  mount("'./app.conf:/c:ro', './other/app.conf:/d:ro'");
  web();
  EXPECT_THAT(state->stacks[0]->spec.configs, SizeIs(2));
}

TEST_F(RepoFilesTest, TheExecutableBitIsKeptAndItsChangeAloneIsSeen) {
  mount("'./app.conf:/entry.sh:ro'");
  EXPECT_EQ(web().configs.at(0).file->mode, 0444U);
  const auto content = state->stacks[0]->content;
  executables.insert("apps/a/app.conf");
  EXPECT_EQ(web().configs.at(0).file->mode, 0555U) << "git's id of the file is the same";
  EXPECT_NE(state->stacks[0]->content, content);
}

TEST_F(RepoFilesTest, AnEmptyFileAndOneOverTheLimitAreClearErrors_D5_5) {
  mount("'./app.conf:/c:ro'");
  files["apps/a/app.conf"] = "";
  EXPECT_THAT(findings(),
              HasSubstr("apps/a/docker-compose.yml:2:3: error: a_web: the mount of apps/a/app.conf "
                        "at /c: a config holds 1 to 1023999 bytes, this file has 0"));
  files["apps/a/app.conf"] = std::string(1'024'000, 'x');
  EXPECT_THAT(findings(), HasSubstr("this file has 1024000"));
  files["apps/a/app.conf"] = std::string(1'023'999, 'x');
  EXPECT_EQ(findings(), "");
}

TEST_F(RepoFilesTest, AnUntrackedNeighbourNeedsAHostCheckout) {
  mount("'$PWD/acme.json:/acme.json', './app.conf:/c:ro'");
  EXPECT_THAT(findings(), HasSubstr("--host-checkout DIR"));
  EXPECT_TRUE(state->stacks[0]->broken());
  options.host_checkout = "/srv/cluster";
  state.reset();
  const auto& container = web();
  EXPECT_EQ(findings(), "");
  ASSERT_THAT(container.mounts, SizeIs(1));
  EXPECT_EQ(container.mounts[0].source, "/srv/cluster/acme.json") << "$PWD of a missing path: root";
  EXPECT_FALSE(container.mounts[0].read_only);
  EXPECT_THAT(container.configs, SizeIs(1)) << "what git holds still becomes a config";
  mount("'./acme.json:/acme.json'");
  EXPECT_EQ(web().mounts.at(0).source, "/srv/cluster/apps/a/acme.json");
}

TEST_F(RepoFilesTest, ADirectoryOnlyWhenItIsAskedForByPathWithTheDifferenceSaid) {
  mount("'./conf.d:/etc/conf.d/:ro'");
  EXPECT_THAT(findings(), HasSubstr("repo_files: { directories: [apps/a/conf.d] }"));
  EXPECT_TRUE(state->stacks[0]->broken());
  for (const auto* path : {"conf.d", "apps/a/conf.d", "./conf.d/"}) {
    mount("'./conf.d:/etc/conf.d/:ro'",
          "repo_files: { directories: [" + std::string(path) + "] }\n");
    std::vector<std::string> targets;
    for (const auto& reference : web().configs) targets.push_back(reference.file->name);
    EXPECT_THAT(targets,
                testing::UnorderedElementsAre("/etc/conf.d/one.conf", "/etc/conf.d/deep/two.conf"))
        << path;
    EXPECT_THAT(findings(), HasSubstr("what the image has in that directory stays visible"));
  }
  files["apps/a/conf.d/new.conf"] = "3";
  EXPECT_THAT(web().configs, SizeIs(3)) << "a file that is added is seen";
  files["apps/a/conf.d/empty"] = "";
  EXPECT_THAT(findings(), HasSubstr("apps/a/conf.d/empty at /etc/conf.d/empty: a config holds 1"));
}

TEST_F(RepoFilesTest, HostPassesEveryPathOnBelowTheHostCheckout) {
  mount("'./app.conf:/c', './conf.d:/d', '$PWD/shared/proxy.toml:/e:ro', /abs:/f",
        "repo_files: host\n");
  EXPECT_THAT(findings(), HasSubstr("say where it is with --host-checkout DIR"));
  options.host_checkout = "/srv/cluster";
  state.reset();
  std::vector<std::string> sources;
  for (const auto& mount : web().mounts) sources.push_back(mount.source);
  EXPECT_THAT(sources,
              ElementsAre("/srv/cluster/apps/a/app.conf",
                          "/srv/cluster/apps/a/conf.d",
                          "/srv/cluster/shared/proxy.toml",
                          "/abs"));
  EXPECT_THAT(state->stacks[0]->spec.configs, IsEmpty());
  EXPECT_EQ(findings(), "");
}

TEST_F(RepoFilesTest, CheckoutMountsBelowTheHostCheckoutAndSaysWhatHasToBeThere) {
  files["apps/a/empty"] = "";
  executables.insert("apps/a/app.conf");
  mount(
      "'./app.conf:/c', './conf.d:/d:ro', '$PWD/shared/proxy.toml:/e:ro', './empty:/f', "
      "'./acme.json:/g', /abs:/h",
      "repo_files: checkout\n");
  EXPECT_THAT(findings(), HasSubstr("say where it is with --host-checkout DIR"));
  options.host_checkout = "/srv/cluster";
  state.reset();
  std::vector<std::string> sources;
  for (const auto& mount : web().mounts) sources.push_back(mount.source);
  EXPECT_THAT(sources,
              ElementsAre("/srv/cluster/apps/a/app.conf",
                          "/srv/cluster/apps/a/conf.d",
                          "/srv/cluster/shared/proxy.toml",
                          "/srv/cluster/apps/a/empty",
                          "/srv/cluster/apps/a/acme.json",
                          "/abs"));
  EXPECT_EQ(findings(), "");
  EXPECT_THAT(state->stacks[0]->spec.configs, IsEmpty());
  const auto file = [](const char* path, const char* text, bool executable = false) {
    return ports::CheckoutFile{*RepoPath::parse(path), text, executable};
  };
  EXPECT_THAT(state->stacks[0]->checkout,
              ElementsAre(file("apps/a/app.conf", "near", true),
                          file("apps/a/conf.d/deep/two.conf", "2"),
                          file("apps/a/conf.d/one.conf", "1"),
                          file("apps/a/empty", ""),
                          file("shared/proxy.toml", "far")));
}

TEST_F(RepoFilesTest, TheLabelOfACheckoutChangesWithContentModeAndFilesAndWithNothingElse) {
  options.host_checkout = "/srv/cluster";
  mount("'./app.conf:/c:ro', './conf.d:/d:ro'", "repo_files: checkout\n");
  const auto label = [&] { return web().labels.at("io.skep.repo-files"); };
  const auto first = label();
  files["README.md"] = "another file";
  files["apps/a/acme.json"] = "not mounted";
  EXPECT_EQ(label(), first);
  files["apps/a/app.conf"] = "changed";
  const auto changed = label();
  EXPECT_NE(changed, first);
  executables.insert("apps/a/app.conf");
  const auto executable = label();
  EXPECT_NE(executable, changed);
  files["apps/a/conf.d/new.conf"] = "";
  const auto added = label();
  EXPECT_NE(added, executable);
  files.erase("apps/a/conf.d/new.conf");
  EXPECT_EQ(label(), executable);
  mount("'./acme.d:/c:ro', /abs:/d", "repo_files: checkout\n");
  EXPECT_EQ(web().labels.count("io.skep.repo-files"), 0U) << "git holds nothing of it";
}

TEST_F(RepoFilesTest, EjectedACheckoutIsAPlainBindMountAgain) {
  options.host_checkout = "/srv/cluster";
  options.repo_files_on_host = true;
  mount("'./app.conf:/c:ro'", "repo_files: checkout\n");
  EXPECT_EQ(web().mounts.at(0).source, "/srv/cluster/apps/a/app.conf");
  EXPECT_EQ(web().labels.count("io.skep.repo-files"), 0U);
}

TEST_F(RepoFilesTest, AWrongModeOrKeyNamesWhatIsAllowed) {
  mount("'./app.conf:/c:ro'", "repo_files: { mode: hots, directorys: [a] }\n");
  EXPECT_THAT(findings(), HasSubstr("repo_files.mode must be one of: config, checkout, host"));
  EXPECT_THAT(findings(), HasSubstr("did you mean directories?"));
}

TEST_F(RepoFilesTest, ALongStackNameStillGivesNamesThatTheEngineTakes_Trap20) {
  const std::string name(45, 'n');
  files["apps/a/skep.yaml"] = "name: " + name + "\n";
  mount("'./app.conf:/c:ro'");
  const auto& configs = web().configs;
  ASSERT_THAT(configs, SizeIs(1)) << findings();
  EXPECT_LE(configs[0].config_name.size(), 64U);
  EXPECT_THAT(configs[0].config_name.back(), Not('-'));
}

}  // namespace
}  // namespace skep::repository
