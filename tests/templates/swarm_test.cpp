// Swarm's own placeholders pass through the renderer (Docker: "Create services using templates").
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "helm-like-templates/renderer/render.hpp"

namespace {

using skep::templates::Context;
using skep::templates::render;

class Placeholder : public testing::TestWithParam<const char*> {};

TEST_P(Placeholder, RendersToItself) {
  const std::string text = std::string("a ") + GetParam() + " b\n";
  const auto result = render({{"t", text}}, "t", Context());
  ASSERT_TRUE(result.has_value()) << to_string(result.error());
  EXPECT_EQ(*result, text);
}

// In every field in which the engine takes them: hostname, env, mounts (source, volume labels).
INSTANTIATE_TEST_SUITE_P(
    Fields,
    Placeholder,
    testing::Values("hostname: \"{{.Node.Hostname}}\"",
                    "- NODE={{ .Node.ID }}",
                    "- OS={{.Node.Platform.OS}}/{{.Node.Platform.Architecture}}",
                    "- SERVICE={{.Service.Name}}-{{.Service.ID}}",
                    "- LABEL={{.Service.Labels.tier}}",
                    "- L={{index .Service.Labels \"com.example/tier\"}}",
                    "- T={{.Task.Name}}.{{ .Task.Slot }}.{{.Task.ID}}",
                    "source: data-{{.Task.Slot}}",
                    "target: /x/{{  .Node.Hostname  }}",
                    "source: '{{ printf \"%s-%d\" .Service.Name .Task.Slot }}'",
                    "- X={{ .Service.Name | printf \"%q\" }}",
                    "- L={{ len .Service.Labels }}{{ .Service.Labels }}"));

TEST(Placeholder, IsTrimmedAroundAndKeepsItsInside) {
  const auto result = render({{"t", "a  {{- .Node.ID -}}  b"}}, "t", Context());
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(*result, "a{{ .Node.ID }}b");
}

TEST(Placeholder, StandsInsideOfLoopsDefinitionsAndTpl) {
  const auto result =
      render({{"t",
               "{{ define \"h\" }}{{.Task.Slot}}{{ end }}{{ range until 2 }}{{.Node.ID}}{{ end }}"
               "{{ include \"h\" . | quote }}{{ tpl \"{{`{{.Service.Name}}`}}\" . }}"
               "{{ tpl `{{.Service.Name}}` . }}"}},
             "t",
             Context());
  ASSERT_TRUE(result.has_value()) << to_string(result.error());
  EXPECT_EQ(*result,
            "{{.Node.ID}}{{.Node.ID}}\"{{.Task.Slot}}\"{{.Service.Name}}{{.Service.Name}}");
}

TEST(Placeholder, CannotBeComputedWith) {
  for (const auto* text : {"{{ if .Node.Hostname }}{{ end }}",
                           "{{ .Service.Name | upper }}",
                           "{{ $x := .Task.Slot }}",
                           "{{ printf \"%s\" .Node.ID .Values.x }}",
                           "{{ range .Service.Labels }}{{ end }}"}) {
    const auto result = render({{"t", text}}, "t", Context());
    ASSERT_FALSE(result.has_value()) << text;
    EXPECT_THAT(result.error().message, testing::HasSubstr("only Swarm knows")) << text;
    EXPECT_TRUE(result.error().at.has_value());
  }
}

TEST(Placeholder, IsNotAFieldThatSwarmDoesNotKnow) {
  const auto result = render({{"t", "{{ .Node.Name }}|{{ .Values.Node }}"}}, "t", Context());
  EXPECT_FALSE(result.has_value());  // .Node is not set
}

}  // namespace
