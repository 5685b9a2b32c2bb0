// What Go 1.19 has no vectors for: the data of a template, ranges over numbers, our differences.
#include "helm-like-templates/renderer/render.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "yaml/parse.hpp"

namespace {

using skep::templates::Context;
using skep::templates::Value;

Value values(const char* text) { return Value::from(*skep::yaml::parse(text, "values.yaml")); }

Context context(const char* text = "{}") {
  Context made;
  made.values = values(text);
  made.stack = values("{name: shop, group: '', path: stacks/shop}");
  made.cluster = values("{name: prod, domain: example.org}");
  made.environment = "prod";
  made.files = [](const std::string& path) -> skep::Result<std::optional<std::string>> {
    if (path == "a.txt") return std::optional<std::string>("one\ntwo\n");
    if (path.starts_with("..")) return skep::Error{skep::ErrorKind::invalid_input, "outside"};
    return std::optional<std::string>();
  };
  return made;
}

std::string rendered(const std::string& text, const Context& data = context()) {
  auto result = skep::templates::render({{"t", text}}, "t", data);
  return result ? *result : "error: " + to_string(result.error());
}

TEST(Render, VersionsAreComparedByTheirMethods) {
  EXPECT_EQ(rendered("{{ (semver \"1.2.3\").Compare (semver \"1.2.4\") }} "
                     "{{ (semver \"1.2.3\").Compare (semver \"v1.2.3\") }} "
                     "{{ $v := semver \"2.0.0\" }}{{ $v.GreaterThan (semver \"2.0.0-rc.1\") }} "
                     "{{ $v.LessThan (semver \"1.9\") }} {{ $v.Equal $v }} {{ $v.Major }}"),
            "-1 0 true false true 2");
  EXPECT_THAT(rendered("{{ (semver \"1\").Compare \"1\" }}"),
              testing::HasSubstr("a version is expected"));
}

TEST(Render, SliceOfAListTakesNoNoticeOfAThirdIndex) {
  EXPECT_EQ(rendered("{{ slice (list 1 2 3 4) 1 2 3 }}"), "[2]");
}

TEST(Render, GivesStackClusterEnvironmentAndValues) {
  EXPECT_EQ(rendered("{{ .Stack.name }} {{ .Cluster.domain }} {{ .Environment }} {{ .Values.a }}",
                     context("a: 8080")),
            "shop example.org prod 8080");
}

TEST(Render, ReadsFilesThroughTheCallback) {
  EXPECT_EQ(rendered("{{ .Files.Get \"a.txt\" | indent 2 }}"), "  one\n  two\n  ");
  EXPECT_EQ(rendered("{{ range .Files.Lines \"a.txt\" }}[{{ . }}]{{ end }}"), "[one][two]");
  EXPECT_EQ(rendered("{{ .Files.Get \"none\" | default \"d\" }}"), "d");
  EXPECT_THAT(rendered("{{ .Files.Get \"../../etc/passwd\" }}"), testing::HasSubstr("outside"));
  EXPECT_THAT(rendered("{{ .Files.Glob \"*\" }}"), testing::HasSubstr(".Files.Get"));
}

TEST(Render, RangesOverNumbersAsLaterGoDoes) {
  EXPECT_EQ(rendered("{{ range 3 }}{{ . }}{{ end }}"), "012");
  EXPECT_EQ(rendered("{{ range $i := .Values.n }}{{ $i }},{{ end }}", context("n: 2")), "0,1,");
  EXPECT_EQ(rendered("{{ range 0 }}{{ else }}none{{ end }}"), "none");
  EXPECT_THAT(rendered("{{ range $i, $j := 3 }}{{ end }}"), testing::StartsWith("error"));
}

TEST(Render, KnowsElseWith) {
  EXPECT_EQ(
      rendered("{{ with .Values.a }}a{{ else with .Values.b }}{{ . }}{{ end }}", context("b: 5")),
      "5");
}

TEST(Render, WholeNumbersOfValuesStayWhole) {
  EXPECT_EQ(rendered("{{ .Values.n }} {{ eq .Values.n 1000000 }} {{ until .Values.two }}",
                     context("{n: 1000000, two: 2}")),
            "1000000 true [0 1]");
}

TEST(Render, MalformedTextIsAnErrorNotAValue) {
  EXPECT_THAT(rendered("{{ fromYaml \"a: [\" }}"), testing::HasSubstr("invalid YAML"));
  EXPECT_THAT(rendered("{{ b64dec \"?\" }}"), testing::HasSubstr("not base64"));
}

TEST(Render, KeysAndValuesComeSorted) {
  EXPECT_EQ(rendered("{{ keys (dict \"b\" 1 \"a\" 2) }}{{ values (dict \"b\" 1 \"a\" 2) }}"),
            "[a b][2 1]");
}

TEST(Render, DoesNotChangeTheCallersData) {
  const auto data = context("a: {b: 1}");
  EXPECT_EQ(rendered("{{ $_ := set .Values.a \"b\" 2 }}{{ .Values.a.b }}", data), "2");
  EXPECT_EQ(rendered("{{ .Values.a.b }}", data), "1");
}

TEST(Render, LaterDefinitionsReplaceEarlierOnes) {
  const auto result = skep::templates::render({{"a", "{{ define \"x\" }}1{{ end }}"},
                                               {"b", "{{ define \"x\" }}2{{ end }}"},
                                               {"t", "{{ template \"x\" }}"}},
                                              "t",
                                              context());
  EXPECT_EQ(*result, "2");
}

TEST(Overlay, MergesMapsReplacesListsAndDeletesByNull) {
  const auto merged = skep::templates::overlay(values("{a: {x: 1, y: 2}, b: [1], c: 3}"),
                                               values("{a: {y: 5, z: 6}, b: [2], c: null}"));
  Context data;
  data.values = merged;
  EXPECT_EQ(rendered("{{ toJson .Values }}", data), R"({"a":{"x":1,"y":5,"z":6},"b":[2]})");
}

}  // namespace
