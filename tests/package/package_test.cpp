#include "helm-like-templates/package/package.hpp"

#include <gmock/gmock.h>

namespace skep::package {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

Output rendered(Package::Files files, Input input = {}) {
  if (input.values_place.empty()) input.values_place = "apps/x/values.yaml";
  return render(Package::from("t", "templates/t", std::move(files)), input);
}

std::string errors_of(Package::Files files, Input input = {}) {
  return to_string(rendered(std::move(files), std::move(input)).findings);
}

TEST(Package, EveryFileIsADocumentInTheOrderOfNames) {
  const auto output = rendered({{"templates/b.yml", "b: {{ include \"n\" . }}\n"},
                                {"templates/a.yaml", "a: {{ .Values.x }}\n"},
                                {"templates/_helpers.tpl", "{{ define \"n\" }}named{{ end }}"},
                                {"templates/_more.yml", "never: rendered"},
                                {"templates/NOTES.txt", "{{ broken"},
                                {"values.yaml", "x: 1"}});
  EXPECT_THAT(output.findings, IsEmpty()) << to_string(output.findings);
  ASSERT_EQ(output.documents.size(), 2U);
  EXPECT_EQ(output.documents[0].source, "templates/t/templates/a.yaml");
  EXPECT_EQ(output.documents[0].text, "a: 1\n");
  EXPECT_EQ(output.documents[1].text, "b: named\n");
}

TEST(Package, WhatRendersToNothingIsLeftOut) {
  const auto output =
      rendered({{"templates/a.yml", "a: 1"},
                {"templates/b.yml", "---\n# only\n{{ if .Values.no }}b: 1{{ end }}\n"}});
  EXPECT_EQ(output.documents.size(), 1U);
  EXPECT_THAT(errors_of({{"templates/b.yml", "{{/* nothing */}}"}}),
              HasSubstr("renders to nothing"));
}

TEST(Package, ASecondDocumentIsRefusedAndNotDropped) {
  EXPECT_THAT(
      errors_of({{"templates/a.yml", "---\na: 1\n---\n# b\nb: {{ 1 }}\n"}}),
      HasSubstr("templates/t/templates/a.yml (rendered):3:1: error: a second YAML document"));
  EXPECT_THAT(errors_of({{"templates/a.yml", "a: 1\n...\nb: 1\n"}}), HasSubstr("(rendered):3:1"));
  EXPECT_EQ(errors_of({{"templates/a.yml", "---\na: 1\n---\n# {{ if false }}\nb: 1{{ end }}\n"}}),
            "");
  const Package::Files files = {{"templates/a.yml", "a: 1"}};
  Input input;
  input.values = {{"apps/x/values.yaml", "n: 1\n---\nm: 2\n"}};
  EXPECT_THAT(errors_of(files, input), HasSubstr("apps/x/values.yaml:2:1: error: a second YAML"));
  auto with = files;
  with["values.yaml"] = "n: 1\n---\nm: 2\n";
  EXPECT_THAT(errors_of(with), HasSubstr("templates/t/values.yaml:2:1: error: a second YAML"));
}

TEST(Package, ValuesComeFromDefaultsFilesAndSettingsInThisOrder) {
  Input input;
  input.values = {{"v1.yaml", "a: 2\nb: 2\nc: 2\ngone: null\n"}, {"v2.yaml", "b: 3\nc: 3\n"}};
  input.settings = {{"c=4", false}, {"d=5", true}};
  const auto output = rendered({{"values.yaml", "a: 1\nb: 1\nc: 1\nd: 1\ngone: 1\n"},
                                {"templates/a.yml",
                                 "v: {{ .Values.a }}{{ .Values.b }}{{ .Values.c }}{{ .Values.d "
                                 "}}{{ hasKey .Values \"gone\" }}"}},
                               input);
  ASSERT_EQ(output.documents.size(), 1U) << to_string(output.findings);
  EXPECT_EQ(output.documents[0].text, "v: 2345false");
}

TEST(Package, AMistakeInValuesIsShownWhereItIsWritten) {
  const Package::Files files = {
      {"templates/a.yml", "a: 1"},
      {"values.schema.json", R"({"properties": {"n": {"type": "integer"}}})"}};
  Input input;
  input.values = {{"apps/x/values.yaml", "# hello\nn: many\n"}};
  EXPECT_THAT(errors_of(files, input), HasSubstr("apps/x/values.yaml:2:4: error: n must be"));
  input.values = {{"apps/x/values.yaml", "n: [\n"}};
  EXPECT_THAT(errors_of(files, input), HasSubstr("apps/x/values.yaml:"));
  input.values = {{"apps/x/values.yaml", "- n\n"}};
  EXPECT_THAT(errors_of(files, input), HasSubstr("must be a mapping"));
  input.values = {};
  input.settings = {{"n=x", false}};
  EXPECT_THAT(errors_of(files, input), HasSubstr("--set n: error: n must be a whole number"));
}

TEST(Package, ADefaultThatMayNotStayIsMendedInTheStacksValues) {
  EXPECT_THAT(
      errors_of({{"templates/a.yml", "a: 1"},
                 {"values.yaml", "n: ''\n"},
                 {"values.schema.json", R"({"properties": {"n": {"minLength": 1}}})"}}),
      HasSubstr("templates/t/values.yaml:1:4: error: n must have at least 1 characters; set "
                "it in apps/x/values.yaml"));
}

TEST(Package, AMistakeInATemplateHasLineColumnAndExpression) {
  EXPECT_THAT(
      errors_of({{"templates/a.yml", "x: 1\ny: {{ .Values.image.tag }}"}, {"values.yaml", "{}"}}),
      HasSubstr("templates/t/templates/a.yml:2:"));
  EXPECT_THAT(errors_of({{"templates/a.yml", "x: {{ if }}"}}),
              HasSubstr("templates/t/templates/a.yml:1:"));
}

TEST(Package, ABadFolderIsNamed) {
  EXPECT_THAT(errors_of({}), HasSubstr("no file to render"));
  EXPECT_THAT(
      errors_of({{"templates/a.yml", "a: 1"}, {"template.yaml", "versoin: '1'"}}),
      HasSubstr(
          "templates/t/template.yaml:1:1: error: unknown key versoin; did you mean version?"));
  EXPECT_THAT(errors_of({{"templates/a.yml", "a: 1"}, {"template.yaml", "version: 1"}}),
              HasSubstr("put it in quotes"));
  EXPECT_THAT(errors_of({{"templates/a.yml", "a: 1"}, {"template.yaml", "name: other"}}),
              HasSubstr("name must be t"));
  EXPECT_THAT(errors_of({{"templates/a.yml", "a: 1"}, {"values.yaml", "[1]"}}),
              HasSubstr("must be a mapping"));
  EXPECT_THAT(errors_of({{"templates/a.yml", "a: 1"}, {"values.schema.json", "{"}}),
              HasSubstr("templates/t/values.schema.json:"));
  Package::Files many;
  for (int i = 0; i < 65; ++i) many["templates/" + std::to_string(i) + ".yml"] = "a: 1";
  EXPECT_THAT(errors_of(many), HasSubstr("more than 64"));
}

TEST(Package, TheLimitsAreForAllFilesTogether) {
  Package::Files files;
  for (int i = 0; i < 60; ++i)
    files["templates/" + std::to_string(i) + ".yml"] = "{{ range until 60000 }}{{ . }} {{ end }}";
  EXPECT_THAT(errors_of(files), HasSubstr("templates/t/templates/0.yml:1"));
  for (auto& [path, text] : files) text = "a: {{ repeat 500000 \"x\" }}";
  EXPECT_THAT(errors_of(files), HasSubstr("error"));
}

TEST(Package, TheRenderedLineIsShownWithoutItsIndentation) {
  EXPECT_EQ(rendered_line("  b: c  "), "; the rendered line is: b: c");
  EXPECT_EQ(rendered_line(" "), "");
  EXPECT_EQ(rendered_line(""), "");
  EXPECT_LT(rendered_line(std::string(100000, 'x')).size(), 250U);
}

}  // namespace
}  // namespace skep::package
