#include "repository/template_stack.hpp"

#include <chrono>

#include <gmock/gmock.h>

#include "repository/desired_state.hpp"
#include "tests/fakes/memory_repository.hpp"

namespace skep::repository {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using tests::MemorySnapshot;
using tests::one_service;
using Files = std::map<std::string, std::string>;

DesiredState load_files(const Files& files,
                        const LoadOptions& options = {},
                        const DesiredState* previous = nullptr) {
  auto state = load_desired_state(MemorySnapshot(files, "c1"), options, previous);
  EXPECT_TRUE(state) << state.error().message;
  return *std::move(state);
}

const DesiredStack& stack_named(const DesiredState& state, const std::string& name) {
  for (const auto& stack : state.stacks) {
    if (stack->source.name == name) return *stack;
  }
  ADD_FAILURE() << "no stack " << name;
  return *state.stacks.front();
}

std::string findings(const DesiredState& state, const std::string& name = "a") {
  return to_string(stack_named(state, name).all_findings());
}

std::string image(const DesiredState& state, const std::string& name = "a") {
  const auto& one = stack_named(state, name);
  EXPECT_THAT(one.all_findings(), IsEmpty()) << to_string(one.all_findings());
  return one.broken() ? "" : one.spec.services.at("web").spec.task_template.container.image;
}

/// A repository with the template t, of which the stack a is made.
Files with(const std::string& text, Files more = {}) {
  Files files = {{"templates/t/templates/app.yml", text}, {"apps/a/skep.yaml", "template: t\n"}};
  for (auto& [path, content] : more) files[path] = content;
  return files;
}

const std::string kImage = "services: {web: {image: \"{{ .Values.image }}\"}}\n";

TEST(TemplateStack, IsMadeFromTheRepositorysTemplateAndItsValues) {
  const auto state = load_files(
      with(kImage,
           {{"templates/t/values.yaml", "image: x:1\n"}, {"apps/a/values.yaml", "image: y:2\n"}}));
  EXPECT_EQ(image(state), "y:2");
  EXPECT_EQ(image(load_files(with(kImage, {{"templates/t/values.yaml", "image: x:1\n"}}))), "x:1");
}

TEST(TemplateStack, IsMadeOfFilesInDirectoriesToo) {
  const auto state = load_files(
      with("services: {web: {image: 'y:{{ include \"tag\" . }}'}}\n",
           {{"templates/t/templates/parts/_tag.tpl", "{{ define \"tag\" }}2{{ end }}"},
            {"templates/t/templates/parts/more/web.yml", "services: {web: {hostname: below}}\n"}}));
  EXPECT_EQ(image(state), "y:2");
  EXPECT_EQ(stack_named(state, "a").spec.services.at("web").spec.task_template.container.hostname,
            "below");
}

TEST(TemplateStack, TheRepositorysTemplateComesBeforeTheOneThatShips) {
  const Files values = {{"apps/a/skep.yaml", "template: worker\n"},
                        {"apps/a/values.yaml", "image: y:2\n"}};
  auto files = values;
  const auto shipped = load_files(files);
  EXPECT_EQ(stack_named(shipped, "a").spec.services.count("app"), 1U) << findings(shipped);
  files["templates/worker/templates/x.yml"] = kImage;
  const auto own = load_files(files, {}, &shipped);
  EXPECT_EQ(image(own), "y:2");
  EXPECT_EQ(own.rendered, 1U) << "that there was no such template was part of what it depended on";
}

TEST(TemplateStack, AnUnknownTemplateIsNamedWithTheNearestOne) {
  const auto text = findings(load_files({{"apps/a/skep.yaml", "template: web-ap\n"}}));
  EXPECT_THAT(text, HasSubstr("apps/a/skep.yaml:1:11: error: there is no template web-ap"));
  EXPECT_THAT(text, HasSubstr("did you mean web-app?"));
  for (const auto* name : {"../apps/a", "a/b", "\"\"", ".git", "[1]"})
    EXPECT_THAT(
        findings(load_files({{"apps/a/skep.yaml", "template: " + std::string(name) + "\n"}})),
        HasSubstr("template"))
        << name;
}

TEST(TemplateStack, TemplateAndComposeExcludeEachOther) {
  EXPECT_THAT(
      findings(load_files(with(kImage, {{"apps/a/skep.yaml", "template: t\ncompose: [x.yml]\n"}}))),
      HasSubstr("either template: or compose:"));
  EXPECT_THAT(
      findings(load_files(with(kImage, {{"apps/a/docker-compose.yml", one_service("x:1")}}))),
      HasSubstr("nobody reads docker-compose.yml"));
  EXPECT_THAT(findings(load_files({{"apps/a/skep.yaml", "values: [v.yaml]\n"},
                                   {"apps/a/docker-compose.yml", one_service("x:1")}})),
              HasSubstr("add template: NAME"));
}

TEST(TemplateStack, NamedValuesFilesMustBeThere) {
  const Files files =
      with(kImage,
           {{"apps/a/skep.yaml", "template: t\nvalues: [one.yaml, ../../common/two.yaml]\n"},
            {"apps/a/one.yaml", "image: x:1\n"}});
  EXPECT_THAT(findings(load_files(files)), HasSubstr("there is no file common/two.yaml"));
  auto all = files;
  all["common/two.yaml"] = "image: x:2\n";
  EXPECT_EQ(image(load_files(all)), "x:2");
}

TEST(TemplateStack, DataIsThatOfTheStackTheClusterAndTheEnvironment) {
  LoadOptions options;
  options.templates.environment = "prod";
  const auto state =
      load_files(with("services: {web: {image: \"{{ .Stack.Name }}.{{ .Stack.group }}:"
                      "{{ .Cluster.Variables.TAG }}-{{ .Environment }}\", labels: {path: "
                      "\"{{ .Stack.Path }}\"}}}\n",
                      {{"skep.yaml", "variables: {TAG: v7}\n"}}),
                 options);
  EXPECT_EQ(image(state), "a.apps:v7-prod");
  EXPECT_EQ(stack_named(state, "a")
                .spec.services.at("web")
                .spec.task_template.container.labels.at("path"),
            "apps/a");
}

TEST(TemplateStack, SwarmsPlaceholdersAndVariablesPassThrough) {
  const auto state = load_files(with(
      "services: {web: {image: \"x:${TAG}\", hostname: \"{{.Node.Hostname}}-{{.Task.Slot}}\"}}\n",
      {{"apps/a/.env", "TAG=3\n"}}));
  EXPECT_EQ(image(state), "x:3");
  EXPECT_EQ(stack_named(state, "a").spec.services.at("web").spec.task_template.container.hostname,
            "{{.Node.Hostname}}-{{.Task.Slot}}");
}

TEST(TemplateStack, AllFilesOfATemplateBecomeOneStack) {
  const auto state =
      load_files(with("services: {web: {image: x:1, environment: {A: '1'}}}\n",
                      {{"templates/t/templates/b.yml",
                        "services: {web: {image: x:2, environment: {B: '2'}}, db: {image: y:1}}\n"},
                       {"templates/t/templates/_n.tpl", "{{ fail \"never\" }}"}}));
  EXPECT_EQ(image(state), "x:2");
  EXPECT_EQ(stack_named(state, "a").spec.services.at("web").spec.task_template.container.env.size(),
            2U);
  EXPECT_EQ(stack_named(state, "a").spec.services.count("db"), 1U);
}

TEST(TemplateStack, EnvironmentsAddValuesAndComposeFiles) {
  const auto files = with(kImage,
                          {{"apps/a/values.yaml", "image: base:1\n"},
                           {"apps/a/values.prod.yaml", "image: prod:1\n"},
                           {"apps/a/docker-compose.test.yml", "services: {web: {image: test:1}}\n"},
                           {"apps/b/docker-compose.yml", one_service("base:1")},
                           {"apps/b/docker-compose.prod.yml", "services: {web: {image: prod:1}}\n"},
                           {"apps/c/skep.yaml", "compose: [x.yaml, y.yml]\n"},
                           {"apps/c/x.yaml", one_service("base:1")},
                           {"apps/c/x.prod.yml", "services: {web: {image: prod:1}}\n"},
                           {"apps/c/y.yml", "services: {web: {image: base:2}}\n"}});
  LoadOptions options;
  const auto base = load_files(files, options);
  EXPECT_EQ(image(base, "a"), "base:1");
  EXPECT_EQ(image(base, "b"), "base:1");
  EXPECT_EQ(image(base, "c"), "base:2");
  options.templates.environment = "prod";
  const auto prod = load_files(files, options);
  EXPECT_EQ(image(prod, "a"), "prod:1");
  EXPECT_EQ(image(prod, "b"), "prod:1");
  EXPECT_EQ(image(prod, "c"), "prod:1") << "those of the environment come after all others";
  options.templates.environment = "test";
  EXPECT_EQ(image(load_files(files, options), "a"), "test:1");
}

/// The base file may have any of the default names, or those that compose: says.
TEST(TemplateStack, TheComposeFileOfAnEnvironmentCountsWhateverTheStackIsMadeFrom) {
  LoadOptions options;
  options.templates.environment = "prod";
  const auto override = "services: {web: {image: prod:1}}\n";
  for (const auto* base : {"docker-compose.yml",
                           "docker-compose.yaml",
                           "compose.yaml",
                           "compose.yml",
                           "docker-stack.yml",
                           "stack.yml",
                           "x.yml"}) {
    Files files = {{std::string("apps/a/") + base, one_service("base:1")}};
    if (std::string_view(base) == "x.yml") files["apps/a/skep.yaml"] = "compose: [x.yml]\n";
    for (const auto* variant : {"docker-compose.prod.yml", "docker-compose.prod.yaml"}) {
      auto both = files;
      both[std::string("apps/a/") + variant] = override;
      EXPECT_EQ(image(load_files(both, options)), "prod:1") << base << " and " << variant;
    }
  }
}

TEST(TemplateStack, ItComesAfterTheVariantOfTheStacksOwnFile) {
  LoadOptions options;
  options.templates.environment = "prod";
  const Files files = {{"apps/a/compose.yml", one_service("base:1")},
                       {"apps/a/compose.prod.yaml", "services: {web: {image: x:1, user: u}}\n"},
                       {"apps/a/docker-compose.prod.yml", "services: {web: {image: y:1}}\n"}};
  const auto state = load_files(files, options);
  EXPECT_EQ(image(state), "y:1");
  EXPECT_EQ(stack_named(state, "a").spec.services.at("web").spec.task_template.container.user, "u");
}

/// Of another environment, or of none, nothing is said: that is what the others are for.
TEST(TemplateStack, AFileOfTheEnvironmentThatNobodyReadsIsWarnedOf) {
  const auto files = with(kImage,
                          {{"apps/a/values.yaml", "image: base:1\n"},
                           {"apps/a/values.prod.yaml", "image: base:1\n"},
                           {"apps/a/values.prod.yml", "image: prod:1\n"},
                           {"apps/a/values.prod.sops.yaml", "image: prod:1\n"},
                           {"apps/a/compose.prod.yml", "services: {web: {image: prod:1}}\n"},
                           {"apps/b/docker-compose.yml", one_service("base:1")},
                           {"apps/b/compose.prod.yaml", "services: {web: {image: prod:1}}\n"},
                           {"apps/b/docker-compose.prod.yaml", "services: {web: {user: u}}\n"},
                           {"apps/b/docker-compose.prod.yml", "services: {web: {user: u}}\n"},
                           {"apps/c/docker-compose.yml", one_service("base:1")},
                           {"apps/c/docker-compose.prod.yml", "services: {web: {user: u}}\n"}});
  LoadOptions options;
  for (const auto* environment : {"", "test"}) {
    options.templates.environment = environment;
    const auto state = load_files(files, options);
    for (const auto* name : {"a", "b", "c"}) EXPECT_EQ(findings(state, name), "");
  }
  options.templates.environment = "prod";
  const auto state = load_files(files, options);
  const auto said = findings(state, "a");
  EXPECT_THAT(
      said,
      HasSubstr("apps/a/values.prod.yml: warning: values.prod.yml is not read: --environment "
                "prod adds F.prod.yaml for each values file F.yaml"));
  EXPECT_THAT(said, HasSubstr("values.prod.sops.yaml is not read"));
  EXPECT_THAT(said, HasSubstr("compose.prod.yml is not read"));
  EXPECT_THAT(said, Not(HasSubstr("values.prod.yaml is not read")));
  EXPECT_THAT(findings(state, "b"),
              HasSubstr("apps/b/compose.prod.yaml: warning: compose.prod.yaml is not read: "
                        "--environment prod adds docker-compose.prod.yml, and F.prod.yml for each "
                        "compose file F.yml of the stack"));
  EXPECT_THAT(findings(state, "b"), HasSubstr("docker-compose.prod.yaml is not read"));
  EXPECT_EQ(findings(state, "c"), "");
}

TEST(TemplateStack, AValuesFileThatNobodyReadsIsWarnedOf) {
  auto files = with(kImage,
                    {{"templates/t/values.yaml", "image: x:1\n"},
                     {"apps/a/values.yml", "image: y:1\n"},
                     {"apps/a/values.sops.yaml", "image: z:1\n"}});
  EXPECT_THAT(findings(load_files(files)),
              HasSubstr("apps/a/values.yml: warning: values.yml is not read: name it in skep.yaml "
                        "(values: [values.yml]), or remove it"));
  files["apps/a/values.yaml"] = "image: y:2\n";
  EXPECT_THAT(findings(load_files(files)),
              HasSubstr("values.sops.yaml is not read: name it in skep.yaml (values: [values.yaml, "
                        "values.sops.yaml]), or remove it"));
  files["apps/a/skep.yaml"] = "template: t\nvalues: [values.yaml, values.yml]\n";
  files.erase("apps/a/values.sops.yaml");
  EXPECT_EQ(image(load_files(files)), "y:1");
}

TEST(TemplateStack, AnEnvironmentsFileThatAppearsIsNoticed) {
  auto files = with(kImage,
                    {{"apps/a/values.yaml", "image: base:1\n"},
                     {"apps/b/docker-compose.yml", one_service("base:1")}});
  LoadOptions options;
  options.templates.environment = "prod";
  const auto before = load_files(files, options);
  files["apps/a/values.prod.yaml"] = "image: prod:1\n";
  files["apps/b/docker-compose.prod.yml"] = "services: {web: {image: prod:1}}\n";
  const auto after = load_files(files, options, &before);
  EXPECT_EQ(after.rendered, 2U);
  EXPECT_EQ(image(after, "a"), "prod:1");
  EXPECT_EQ(image(after, "b"), "prod:1");
}

TEST(TemplateStack, SettingsAreForTheStacksThatWereNamed) {
  auto files = with(kImage,
                    {{"templates/t/values.yaml", "image: x:1\n"},
                     {"apps/b/skep.yaml", "template: t\n"},
                     {"apps/c/docker-compose.yml", one_service("x:1")}});
  LoadOptions options;
  options.templates.settings = {{"image=y:9", false}};
  options.templates.settings_for = {"apps/a"};
  auto state = load_files(files, options);
  EXPECT_EQ(image(state, "a"), "y:9");
  EXPECT_EQ(image(state, "b"), "x:1");
  options.templates.settings_for = {"c"};
  EXPECT_THAT(findings(load_files(files, options), "c"),
              HasSubstr("--set is for stacks that are made from a template"));
}

TEST(TemplateStack, OnlyWhatChangedIsRenderedAgain) {
  auto files = with(kImage,
                    {{"templates/t/values.yaml", "image: x:1\n"},
                     {"templates/u/templates/u.yml",
                      "services: {web: {image: '{{ .Files.Get \"v\" | trim }}'}}\n"},
                     {"apps/b/skep.yaml", "template: t\n"},
                     {"apps/c/skep.yaml", "template: u\n"},
                     {"apps/c/v", "z:1\n"}});
  const auto first = load_files(files);
  EXPECT_EQ(first.rendered, 3U);
  EXPECT_EQ(load_files(files, {}, &first).rendered, 0U);
  files["apps/b/values.yaml"] = "image: x:2\n";
  const auto second = load_files(files, {}, &first);
  EXPECT_EQ(second.rendered, 1U);
  EXPECT_EQ(image(second, "b"), "x:2");
  files["apps/c/v"] = "z:2\n";
  const auto third = load_files(files, {}, &second);
  EXPECT_EQ(third.rendered, 1U);
  EXPECT_EQ(image(third, "c"), "z:2");
  files["templates/t/templates/_new.tpl"] = "";
  EXPECT_EQ(load_files(files, {}, &third).rendered, 2U);
}

TEST(TemplateStack, AMistakeOfTheComposeStepShowsTheRenderedLine) {
  const auto text =
      findings(load_files(with("services:\n  web:\n    image: x:1\n    {{ .Values.key }}: 3\n",
                               {{"apps/a/values.yaml", "key: imagge\n"}})));
  EXPECT_THAT(text, HasSubstr("templates/t/templates/app.yml (rendered):4:"));
  EXPECT_THAT(text, HasSubstr("the rendered line is: imagge: 3"));
}

TEST(TemplateStack, AMistakeInATemplateHurtsOnlyItsStacks) {
  const auto state = load_files(with("x: 1\ny: {{ .Values.image.tag }}\n",
                                     {{"apps/b/docker-compose.yml", one_service("x:1")}}));
  EXPECT_THAT(findings(state), HasSubstr("templates/t/templates/app.yml:2:"));
  EXPECT_THAT(findings(state), HasSubstr(".Values.image.tag"));
  EXPECT_FALSE(stack_named(state, "b").broken());
  EXPECT_FALSE(state.broken());
}

TEST(TemplateStack, WhatOnlyHelmHasIsNamedWithWhatThereIs) {
  EXPECT_THAT(findings(load_files(with("x: {{ .Release.Name }}\n"))),
              HasSubstr(".Release is Helm's; here there are .Stack.Name"));
}

TEST(TemplateStack, FilesAreThoseOfTheStackAndOfTheTemplate) {
  const auto get = [](const std::string& path) {
    return with("services: {web: {image: 'x:{{ .Files.Get \"" + path +
                    "\" | trim | default \"none\" }}'}}\n",
                {{"apps/a/near", "near\n"},
                 {"templates/t/far", "far\n"},
                 {"templates/t/near", "wrong"},
                 {"apps/other/secret", "s"},
                 {"apps/other/docker-compose.yml", one_service("x:1")},
                 {"etc/passwd", "p"},
                 {"near", "wrong"}});
  };
  EXPECT_EQ(image(load_files(get("near"))), "x:near");
  EXPECT_EQ(image(load_files(get("./sub/../near"))), "x:near");
  EXPECT_EQ(image(load_files(get("far"))), "x:far");
  EXPECT_EQ(image(load_files(get("missing"))), "x:none");
  for (const auto* path : {"../../etc/passwd",
                           "/etc/passwd",
                           "../other/secret",
                           "..",
                           "../../../../etc/passwd",
                           "../a/../other/secret",
                           "../../apps/other/secret"}) {
    const auto text = findings(load_files(get(path)));
    EXPECT_THAT(text, HasSubstr("nothing else can be read")) << path;
    EXPECT_THAT(text, HasSubstr("templates/t/templates/app.yml:1:")) << path;
  }
}

TEST(TemplateStack, HostileTemplatesEndAtALimitAndHurtOnlyThemselves) {
  const auto start = std::chrono::steady_clock::now();
  const std::vector<std::string> hostile = {
      "{{ range until 100000 }}{{ range until 100000 }}x{{ end }}{{ end }}",
      "{{ define \"r\" }}{{ template \"r\" }}{{ end }}{{ template \"r\" }}",
      "{{ define \"r\" }}{{ include \"r\" . }}{{ include \"r\" . }}{{ end }}{{ include \"r\" . }}",
      "{{ $s := \"0123456789\" }}{{ range until 60 }}{{ $s = cat $s $s }}{{ end }}{{ $s }}",
      "{{ repeat 2000000000 \"x\" }}",
      "{{ tpl \"{{ tpl .Values.t . }}\" . }}{{ tpl .Values.t . }}",
      "{{ until 2000000000 }}",
      "{{ printf \"%2000000000d\" 1 }}",
      "{{ $m := dict }}{{ $m = set $m \"m\" $m }}{{ toYaml $m }}",
      "{{ regexReplaceAll \"(a*)*b\" (repeat 1000000 \"a\") \"\" | len }}{{ fail \"x\" }}",
      std::string(100000, '('),
      "{{ " + std::string(100000, '(') + " }}",
  };
  for (const auto& text : hostile) {
    const auto state = load_files(with(text,
                                       {{"apps/a/values.yaml", "t: '{{ tpl .Values.t . }}'\n"},
                                        {"apps/b/docker-compose.yml", one_service("x:1")}}));
    EXPECT_TRUE(stack_named(state, "a").broken()) << text.substr(0, 80);
    EXPECT_LT(findings(state).size(), 5000U) << text.substr(0, 80);
    EXPECT_FALSE(stack_named(state, "b").broken());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

TEST(TemplateStack, WrongTypesInSettingsAreNamed) {
  EXPECT_THAT(findings(load_files(with(kImage, {{"apps/a/skep.yaml", "template: [a]\n"}}))),
              HasSubstr("template"));
  EXPECT_THAT(
      findings(load_files(with(kImage, {{"apps/a/skep.yaml", "template: t\nvalues: {a: 1}\n"}}))),
      HasSubstr("values"));
  EXPECT_THAT(findings(load_files(with(kImage, {{"apps/a/values.yaml", "just text\n"}}))),
              HasSubstr("apps/a/values.yaml:1:1: error: values must be a mapping"));
}

}  // namespace
}  // namespace skep::repository
