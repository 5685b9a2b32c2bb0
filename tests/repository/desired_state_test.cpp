#include "repository/desired_state.hpp"

#include <gmock/gmock.h>

#include "tests/fakes/memory_repository.hpp"

namespace skep::repository {
namespace {

using testing::HasSubstr;
using tests::MemorySnapshot;
using tests::one_service;

DesiredState load_snapshot(const MemorySnapshot& snapshot, const DesiredState* previous = nullptr) {
  auto state = load_desired_state(snapshot, {}, previous);
  EXPECT_TRUE(state) << state.error().message;
  return *std::move(state);
}

const DesiredStack& stack(const DesiredState& state, const std::string& name) {
  for (const auto& stack : state.stacks) {
    if (stack->source.name == name) return *stack;
  }
  ADD_FAILURE() << "no stack " << name;
  return *state.stacks.front();
}

TEST(DesiredState, WorksWithNoSettingsAtAll) {
  const auto state =
      load_snapshot(MemorySnapshot({{"apps/MY-APP/docker-compose.yml", one_service("a:1")},
                                    {"management/proxy/stack.yml", one_service("b:1")},
                                    {"README.md", "hello"}},
                                   "c1"));
  ASSERT_EQ(state.stacks.size(), 2U);
  EXPECT_EQ(state.stacks[0]->source.name, "proxy") << "management goes before apps";
  EXPECT_EQ(stack(state, "MY-APP").spec.services.at("web").spec.name, "MY-APP_web");
  EXPECT_FALSE(stack(state, "MY-APP").broken()) << to_string(stack(state, "MY-APP").findings);
}

TEST(DesiredState, OneBadStackHurtsOnlyItself) {
  const auto state =
      load_snapshot(MemorySnapshot({{"apps/bad/docker-compose.yml", "services: [\n"},
                                    {"apps/good/docker-compose.yml", one_service("a:1")}},
                                   "c1"));
  EXPECT_TRUE(stack(state, "bad").broken());
  EXPECT_EQ(stack(state, "bad").findings.front().at.file, "apps/bad/docker-compose.yml");
  EXPECT_FALSE(stack(state, "good").broken());
}

TEST(DesiredState, WhatHasNoPlaceNamesTheDirectory) {
  const auto state =
      load_snapshot(MemorySnapshot({{"apps/x.y/docker-compose.yml", one_service("a:1")}}, "c1"));
  ASSERT_TRUE(stack(state, "x.y").broken());
  for (const auto& finding : stack(state, "x.y").findings)
    EXPECT_THAT(finding.at.file, testing::StartsWith("apps/x.y")) << finding.message;
}

TEST(DesiredState, TwoDefaultFilesOrNoneAreErrors) {
  const auto state =
      load_snapshot(MemorySnapshot({{"apps/two/docker-compose.yml", one_service("a:1")},
                                    {"apps/two/compose.yaml", one_service("a:1")},
                                    {"apps/none/README.md", "soon"}},
                                   "c1"));
  EXPECT_THAT(to_string(stack(state, "two").findings),
              HasSubstr("more than one default compose file"));
  EXPECT_THAT(to_string(stack(state, "none").findings), HasSubstr("no compose file"));
}

TEST(DesiredState, ASettingsFileUnderAnotherNameIsAnErrorThere) {
  auto state = load_snapshot(MemorySnapshot({{"apps/a/docker-compose.yml", one_service("a:1")},
                                             {"apps/a/skep.yml", "sync: manual\n"},
                                             {"apps/b/docker-compose.yml", one_service("b:1")},
                                             {"apps/b/skep.yaml", "sync: manual\n"},
                                             {"apps/b/.skep.yaml", "sync: auto\n"}},
                                            "c1"));
  EXPECT_THAT(to_string(stack(state, "a").findings),
              HasSubstr("apps/a/skep.yml: error: skep.yml is not read: call it skep.yaml"));
  EXPECT_TRUE(stack(state, "a").broken());
  EXPECT_THAT(
      to_string(stack(state, "b").findings),
      HasSubstr(
          "apps/b/.skep.yaml: error: .skep.yaml is not read, for skep.yaml stands beside it"));
  EXPECT_FALSE(state.broken());
  state = load_snapshot(MemorySnapshot({{"apps/a/docker-compose.yml", one_service("a:1")},
                                        {"skep.yml", "defaults: {sync: manual}\n"}},
                                       "c2"));
  EXPECT_THAT(to_string(state.findings),
              HasSubstr("skep.yml: error: skep.yml is not read: call it skep.yaml"));
  EXPECT_TRUE(state.broken());
}

TEST(DesiredState, WhatLooksAsIfItCountedAndIsNotReadIsWarnedOf) {
  std::map<std::string, std::string> files = {
      {"apps/a/docker-compose.yml", one_service("a:1")},
      {"apps/a/docker-compose.override.yml", one_service("a:2")},
      {"apps/a/values.yaml", "a: 1\n"}};
  const auto first = load_snapshot(MemorySnapshot(files, "c1"));
  EXPECT_FALSE(stack(first, "a").broken());
  const auto said = to_string(stack(first, "a").findings);
  EXPECT_THAT(
      said,
      HasSubstr("apps/a/values.yaml: warning: values.yaml is not read, for the stack is made"));
  EXPECT_THAT(said,
              HasSubstr("(compose: [docker-compose.yml, docker-compose.override.yml]), or remove"));
  files["apps/a/skep.yaml"] = "compose: [docker-compose.yml, docker-compose.override.yml]\n";
  files["apps/a/docker-compose.yml"] += "    configs: [v]\nconfigs: {v: {file: values.yaml}}\n";
  EXPECT_EQ(to_string(stack(load_snapshot(MemorySnapshot(files, "c2")), "a").findings), "");
  files.erase("apps/a/skep.yaml");
  files.erase("apps/a/docker-compose.override.yml");
  const auto quiet = load_snapshot(MemorySnapshot(files, "c3"));
  EXPECT_EQ(to_string(stack(quiet, "a").findings), "");
  files["apps/a/compose.override.yaml"] = one_service("a:2");
  EXPECT_THAT(to_string(stack(load_snapshot(MemorySnapshot(files, "c4"), &quiet), "a").findings),
              HasSubstr("compose.override.yaml"))
      << "although nothing that was read is another one";
}

TEST(DesiredState, ALinkOrSubmoduleWhereAStackCouldBeIsWarnedOf) {
  MemorySnapshot snapshot({{"apps/a/docker-compose.yml", one_service("a:1")},
                           {"apps/link", ""},
                           {"apps/sub", ""},
                           {"apps/README.md", ""}},
                          "c1");
  snapshot.kinds = {{"apps/link", ports::TreeEntry::Kind::symlink},
                    {"apps/sub", ports::TreeEntry::Kind::submodule},
                    {"apps/README.md", ports::TreeEntry::Kind::symlink}};
  const auto state = load_snapshot(snapshot);
  EXPECT_FALSE(state.broken());
  EXPECT_EQ(state.findings.size(), 2U) << to_string(state.findings);
  EXPECT_THAT(to_string(state.findings),
              HasSubstr("apps/link: warning: a symbolic link, which skep"));
  EXPECT_THAT(to_string(state.findings), HasSubstr("apps/sub: warning: a submodule, which skep"));
}

TEST(DesiredState, AFileThatGitIgnoresIsWarnedOfWhereItCounts) {
  MemorySnapshot snapshot(
      {{"apps/a/docker-compose.yml", one_service("a:${TAG}")}, {"apps/a/.env", "TAG=1\n"}}, "c1");
  EXPECT_EQ(to_string(stack(load_snapshot(snapshot), "a").findings), "");
  snapshot.ignored = {"apps/a/.env"};
  const auto state = load_snapshot(snapshot);
  EXPECT_THAT(
      to_string(stack(state, "a").findings),
      HasSubstr("apps/a/.env: warning: git ignores this file: it counts in this work tree only"));
  EXPECT_FALSE(stack(state, "a").broken());
}

TEST(DesiredState, AComposeFileThatIsMissingIsToldWhereItIsNamed) {
  const auto state = load_snapshot(MemorySnapshot(
      {{"apps/a/compose.prod.yml", one_service("a:1")},
       {"apps/a/skep.yaml", "compose:\n  - compose.prod.yml\n  - compose.prd.yml\n"}},
      "c1"));
  EXPECT_EQ(
      to_string(stack(state, "a").findings),
      "apps/a/skep.yaml:3:5: error: compose: there is no file apps/a/compose.prd.yml; did you "
      "mean compose.prod.yml?");
}

TEST(DesiredState, ANameThatTheEngineDoesNotTakeIsBlamedOnWhereItWasChosen) {
  const auto state = load_snapshot(MemorySnapshot(
      {{"apps/a/docker-compose.yml", one_service("a:1")}, {"apps/a/skep.yaml", "name: x.y\n"}},
      "c1"));
  EXPECT_THAT(to_string(stack(state, "x.y").findings),
              testing::StartsWith("apps/a/skep.yaml:1:7: error: the stack cannot be called"));
}

TEST(DesiredState, CollidingNamesAreRefusedOnBothSides_Attack30) {
  const auto state =
      load_snapshot(MemorySnapshot({{"apps/x/docker-compose.yml", one_service("a:1")},
                                    {"management/x/docker-compose.yml", one_service("b:1")}},
                                   "c1"));
  EXPECT_TRUE(state.stacks[0]->broken());
  EXPECT_TRUE(state.stacks[1]->broken());
  EXPECT_THAT(to_string(state.stacks[0]->conflicts), HasSubstr("apps/x"));
}

TEST(DesiredState, NamesOfStacksThatDifferInLetterCaseOnlyAreRefusedOnBothSides) {
  const auto state =
      load_snapshot(MemorySnapshot({{"apps/CASE/docker-compose.yml", one_service("a:1")},
                                    {"apps/case/docker-compose.yml", one_service("b:1")}},
                                   "c1"));
  EXPECT_THAT(to_string(stack(state, "case").conflicts),
              HasSubstr("differs from CASE, that of apps/CASE, in letter case only"));
  EXPECT_TRUE(stack(state, "CASE").broken());
}

TEST(DesiredState, APortThatTwoStacksPublishIsRefusedForTheLaterOneWithBothNames) {
  const std::string ports = one_service("a:1") + "    ports: ['8200:80']\n";
  const auto state =
      load_snapshot(MemorySnapshot({{"management/portainer/docker-compose.yml", ports},
                                    {"management/swarmpit/docker-compose.yml", ports}},
                                   "c1"));
  EXPECT_FALSE(stack(state, "portainer").broken());
  EXPECT_THAT(
      to_string(stack(state, "swarmpit").conflicts),
      testing::AllOf(HasSubstr("8200/tcp"), HasSubstr("portainer_web"), HasSubstr("swarmpit_web")));
}

TEST(DesiredState, APortOfTheNodesIsSharedWithOthersOfTheNodesOnly) {
  const auto on = [](const std::string& mode) {
    return one_service("a:1") + "    ports: [{target: 80, published: 8200, mode: " + mode + "}]\n";
  };
  const auto conflicts = [&](const std::string& first, const std::string& second) {
    const auto state = load_snapshot(MemorySnapshot(
        {{"apps/a/docker-compose.yml", on(first)}, {"apps/b/docker-compose.yml", on(second)}},
        "c1"));
    EXPECT_FALSE(stack(state, "a").broken());
    return to_string(stack(state, "b").conflicts);
  };
  EXPECT_EQ(conflicts("host", "host"), "");
  EXPECT_THAT(conflicts("host", "ingress"), HasSubstr("one of them with mode: host"));
  EXPECT_THAT(conflicts("ingress", "host"), HasSubstr("one of them with mode: host"));
}

TEST(DesiredState, ADisabledStackIsNotInGit) {
  const auto state = load_snapshot(MemorySnapshot(
      {{"apps/x/docker-compose.yml", one_service("a:1")}, {"apps/x/skep.yaml", "enabled: false\n"}},
      "c1"));
  EXPECT_TRUE(state.stacks.empty());
  EXPECT_EQ(state.disabled.size(), 1U);
}

TEST(DesiredState, OnlyWhatChangedIsRenderedAgain) {
  std::map<std::string, std::string> files;
  for (int i = 0; i < 20; ++i) {
    files["apps/s" + std::to_string(i) + "/docker-compose.yml"] = one_service("a:1");
  }
  const auto first = load_snapshot(MemorySnapshot(files, "c1"));
  EXPECT_EQ(first.rendered, 20U);
  files["apps/s7/docker-compose.yml"] = one_service("a:2");
  const auto second = load_snapshot(MemorySnapshot(files, "c2"), &first);
  EXPECT_EQ(second.rendered, 1U);
  EXPECT_EQ(stack(second, "s7").spec.services.at("web").spec.task_template.container.image, "a:2");
  files["apps/s3/.env"] = "A=1\n";  // Was asked for and absent.
  EXPECT_EQ(load_snapshot(MemorySnapshot(files, "c3"), &second).rendered, 1U);
}

TEST(DesiredState, WhatCouldNotBeReadIsAskedForAgainAtTheNextCommit) {
  const std::map<std::string, std::string> files = {
      {"apps/a/docker-compose.yml",
       "include: [more.yml]\n" + one_service("a:1") +
           "    extends: { file: base.yml, service: base }\n"
           "    env_file: [web.env]\n    volumes: ['./mounted.txt:/m.txt:ro']\n"
           "configs: { c: { file: ./nginx.conf } }\n"},
      {"apps/a/more.yml", "networks: { back: {} }\n"},
      {"apps/a/base.yml", "services: { base: { image: 'b:1' } }\n"},
      {"apps/a/web.env", "A=1\n"},
      {"apps/a/.env", "B=1\n"},
      {"apps/a/mounted.txt", "m\n"},
      {"apps/a/nginx.conf", "n\n"},
      {"apps/t/skep.yaml", "template: own\n"},
      {"apps/t/values.yaml", "image: a:1\n"},
      {"apps/t/note.txt", "hello"},
      {"templates/own/templates/app.yml",
       "services:\n  web:\n    image: {{ .Values.image }}\n"
       "    hostname: {{ .Files.Get \"note.txt\" }}\n"}};
  for (const auto& [path, text] : files) {
    MemorySnapshot broken(files, "c1");
    broken.unreadable.emplace(
        path, Error{ErrorKind::invalid_input, path + " is a symbolic link: skep does not follow"});
    const auto first = load_snapshot(broken);
    ASSERT_TRUE(first.stacks[0]->broken() != first.stacks[1]->broken()) << path;
    const auto second = load_snapshot(MemorySnapshot(files, "c2"), &first);
    for (const auto& stack : second.stacks)
      EXPECT_FALSE(stack->broken()) << path << ": " << to_string(stack->findings);
    EXPECT_EQ(load_snapshot(MemorySnapshot(files, "c3"), &second).rendered, 0U) << path;
  }
}

TEST(DesiredState, AStacksNameThatTheEngineTakesForNoServiceIsAnErrorBeforehand) {
  const auto state = load_snapshot(MemorySnapshot(
      {{"apps/a/docker-compose.yml", one_service("a:1")}, {"apps/a/skep.yaml", "name: x y\n"}},
      "c1"));
  EXPECT_THAT(to_string(stack(state, "x y").findings),
              HasSubstr("the stack cannot be called \"x y\""));
}

TEST(DesiredState, ADirectoryCalledEnvIsNoFileOfVariables) {
  const auto state = load_snapshot(MemorySnapshot(
      {{"apps/a/docker-compose.yml", one_service("a:1") + "    env_file: [.env/web]\n"},
       {"apps/a/.env/web", "A=1\n"}},
      "c1"));
  EXPECT_FALSE(stack(state, "a").broken()) << to_string(stack(state, "a").findings);
}

TEST(DesiredState, WhatOnlyStandsForAFileIsNotDeployedAsIt) {
  const std::string pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n";
  const std::string sealed("\0GITCRYPT\0hunter2", 17);
  for (const auto& [text, what] : {std::pair(pointer, "Git LFS"), std::pair(sealed, "git-crypt")}) {
    for (const std::string use : {"configs: { c: { file: ./f } }\n",
                                  "secrets: { c: { file: ./f } }\n",
                                  "    volumes: ['./f:/f:ro']\n",
                                  "    env_file: [f]\n"}) {
      const auto state = load_snapshot(MemorySnapshot(
          {{"apps/a/docker-compose.yml", one_service("a:1") + use}, {"apps/a/f", text}}, "c1"));
      EXPECT_THAT(to_string(stack(state, "a").findings),
                  testing::AllOf(HasSubstr("apps/a/f"), HasSubstr(what)))
          << use;
    }
  }
  const auto about = load_snapshot(MemorySnapshot(
      {{"apps/a/docker-compose.yml", one_service("a:1") + "configs: { c: { file: ./f } }\n"},
       {"apps/a/f", "how a pointer begins: " + pointer}},
      "c1"));
  EXPECT_FALSE(stack(about, "a").broken());
}

TEST(DesiredState, ASecondDocumentInSettingsIsAnErrorWithItsLine) {
  const auto cluster =
      load_snapshot(MemorySnapshot({{"skep.yaml", "groups: [apps]\n---\ngroups: [x]\n"}}, "c1"));
  EXPECT_THAT(to_string(cluster.findings),
              HasSubstr("skep.yaml:2:1: error: a second YAML document"));
  const auto state =
      load_snapshot(MemorySnapshot({{"apps/a/docker-compose.yml", one_service("a:1")},
                                    {"apps/a/skep.yaml", "enabled: true\n---\nenabled: false\n"}},
                                   "c1"));
  EXPECT_THAT(to_string(stack(state, "a").findings),
              HasSubstr("apps/a/skep.yaml:2:1: error: a second YAML document"));
}

TEST(DesiredState, AConflictThatIsGoneIsForgotten) {
  const std::string ports = one_service("a:1") + "    ports: ['80:80']\n";
  std::map<std::string, std::string> files = {{"apps/a/docker-compose.yml", ports},
                                              {"apps/b/docker-compose.yml", ports}};
  const auto first = load_snapshot(MemorySnapshot(files, "c1"));
  EXPECT_TRUE(stack(first, "b").broken());
  files.erase("apps/a/docker-compose.yml");
  const auto second = load_snapshot(MemorySnapshot(files, "c2"), &first);
  EXPECT_FALSE(stack(second, "b").broken());
}

TEST(DesiredState, AnUnsetVariableIsAnErrorAndDotEnvSetsIt) {
  std::map<std::string, std::string> files = {
      {"apps/a/docker-compose.yml", one_service("a:${TAG}")}};
  EXPECT_TRUE(stack(load_snapshot(MemorySnapshot(files, "c1")), "a").broken());
  files["apps/a/.env"] = "TAG=7\n";
  const auto state = load_snapshot(MemorySnapshot(files, "c2"));
  EXPECT_EQ(stack(state, "a").spec.services.at("web").spec.task_template.container.image, "a:7");
}

TEST(DesiredState, AMountOfAFileInTheRepositoryBecomesAConfig) {
  const auto compose =
      one_service("a:1") +
      "    volumes: ['$PWD/apps/a/conf.toml:/etc/a.toml', './near.txt:/near.txt', '/host:/host']\n";
  const auto state = load_snapshot(MemorySnapshot({{"apps/a/docker-compose.yml", compose},
                                                   {"apps/a/conf.toml", "x = 1\n"},
                                                   {"apps/a/near.txt", "near\n"}},
                                                  "c1"));
  const auto& a = stack(state, "a");
  ASSERT_FALSE(a.broken()) << to_string(a.findings);
  const auto& container = a.spec.services.at("web").spec.task_template.container;
  ASSERT_EQ(container.mounts.size(), 1U);
  EXPECT_EQ(container.mounts[0].source, "/host");
  EXPECT_EQ(container.configs.size(), 2U);
  EXPECT_EQ(a.spec.configs.size(), 2U);
}

TEST(DesiredState, AMountOfAFileThatIsNotTrackedIsAnErrorThatNamesIt) {
  const auto compose = one_service("a:1") + "    volumes: ['./acme.json:/acme.json']\n";
  const auto state = load_snapshot(MemorySnapshot({{"apps/a/docker-compose.yml", compose}}, "c1"));
  EXPECT_THAT(to_string(stack(state, "a").findings), HasSubstr("apps/a/acme.json"));
}

TEST(DesiredState, ATildeIsAnErrorInARepository) {
  const auto compose = one_service("a:1") + "    volumes: ['~/x:/x']\n";
  EXPECT_TRUE(
      stack(load_snapshot(MemorySnapshot({{"apps/a/docker-compose.yml", compose}}, "c1")), "a")
          .broken());
}

TEST(DesiredState, DependenciesOrderStacksAndACycleIsRefused) {
  std::map<std::string, std::string> files = {{"apps/a/docker-compose.yml", one_service("a:1")},
                                              {"apps/a/skep.yaml", "depends_on: [b]\n"},
                                              {"apps/b/docker-compose.yml", one_service("b:1")}};
  EXPECT_EQ(load_snapshot(MemorySnapshot(files, "c1")).stacks.front()->source.name, "b");
  files["apps/b/skep.yaml"] = "depends_on: [a]\n";
  const auto state = load_snapshot(MemorySnapshot(files, "c2"));
  EXPECT_TRUE(stack(state, "a").broken());
  EXPECT_TRUE(stack(state, "b").broken());
  files["apps/b/skep.yaml"] = "depends_on: [aa]\n";
  EXPECT_THAT(to_string(stack(load_snapshot(MemorySnapshot(files, "c3")), "b").conflicts),
              HasSubstr("did you mean a?"));
}

TEST(DesiredState, AStackThatDependsOnOneOfALaterGroupIsRefusedAtTheItem) {
  std::map<std::string, std::string> files = {
      {"apps/a/docker-compose.yml", one_service("a:1")},
      {"management/p/docker-compose.yml", one_service("p:1")},
      {"management/q/docker-compose.yml", one_service("q:1")},
      {"management/p/skep.yaml", "depends_on:\n  - q\n  - a\n"}};
  const auto state = load_snapshot(MemorySnapshot(files, "c1"));
  EXPECT_FALSE(stack(state, "a").broken());
  EXPECT_FALSE(stack(state, "q").broken());
  const auto said = to_string(stack(state, "p").conflicts);
  EXPECT_THAT(said, HasSubstr("management/p/skep.yaml:3:5"));
  EXPECT_THAT(said,
              HasSubstr("p waits for a, and every stack of apps/* waits for those of "
                        "management/* (after: management)"));
  EXPECT_THAT(said, HasSubstr("remove a from depends_on, or move one of the stacks"));

  files["skep.yaml"] = "groups: [{path: management/*}, {path: apps/*}]\n";
  EXPECT_FALSE(stack(load_snapshot(MemorySnapshot(files, "c2")), "p").broken())
      << "without after: no group waits for another one";
  files["skep.yaml"] =
      "groups:\n  - path: base/*\n  - {path: apps/*, after: base}\n"
      "  - {path: management/*, after: apps}\n";
  files["base/b/docker-compose.yml"] = one_service("b:1");
  EXPECT_FALSE(stack(load_snapshot(MemorySnapshot(files, "c3")), "p").broken());
  files["base/b/skep.yaml"] = "depends_on: [p]\n";
  EXPECT_THAT(to_string(stack(load_snapshot(MemorySnapshot(files, "c4")), "b").conflicts),
              HasSubstr("b waits for p, and every stack of apps/* waits for those of base/*"))
      << "by way of a group in between";
}

}  // namespace
}  // namespace skep::repository
