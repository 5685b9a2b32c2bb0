#include "compose/engine_templates.hpp"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/compose/fixture.hpp"

namespace skep::compose::testing {
namespace {

using ::testing::HasSubstr;

TEST(EngineTemplates, WhatTheEngineExpandsIsNoMistake) {
  for (const auto* text : {"",
                           "plain } and }} and { {",
                           "{{.Service.ID}}{{ .Service.Name }}{{.Service.Labels}}",
                           "{{.Node.ID}}-{{.Node.Hostname}}-{{.Node.Platform.OS}}",
                           "{{.Node.Platform.Architecture}}",
                           "{{.Task.ID}}.{{.Task.Name}}.{{- .Task.Slot -}}",
                           "{{ printf \"%s-%d\" .Service.Name .Task.Slot }}",
                           "{{index .Service.Labels \"a.b\"}}",
                           "{{join \"-\" .Task.Slot .Task.Name}}",
                           "{{if eq .Task.Slot \"1\"}}a{{else if (ne 1 2)}}{{.Whatever}}{{end}}",
                           "{{with .Node}}{{.Hostname}}{{end}}",
                           "{{range $i, $c := .Service.Labels}}{{$c}}{{end}}",
                           "{{$x := .Task.Slot}}{{$x}}",
                           "{{ $ä := 1 }}{{ $ä }}{{$.Task.Slot}}{{$}}",
                           "{{.Service.Labels}}{{.Node.Platform}}{{.Task}}",
                           "{{if .Task}}{{.Node.Name}}{{end}}",
                           "{{\"{{\"}}TOOLS}}",
                           "{{`{{`}} }}",
                           "{{/* TOOLS }} */}}",
                           "{{ .Task.Slot | printf \"%s\" | len }}",
                           "{{.}}",
                           "{{ (index .Service.Labels \"a\").Foo }}",
                           "{{and false .Foo}}",
                           "{{print 1 -2 0x1F 1.5 'a'}}"}) {
    EXPECT_EQ(template_mistake(text), std::nullopt) << text;
  }
}

TEST(EngineTemplates, WhatItRefusesIsNamed) {
  const auto said = [](const std::string& text) { return template_mistake(text).value_or(""); };
  EXPECT_EQ(said("x {{TOOLS}}"), "there is no function TOOLS");
  EXPECT_EQ(said("{{ .Task.Slot | upper }}"), "there is no function upper");
  EXPECT_EQ(said("{{ .Task.Slot"), "a {{ is not closed");
  EXPECT_EQ(said("{{ \"a }}"), "a {{ is not closed");
  EXPECT_EQ(said("{{/* a }}"), "a {{ is not closed");
  EXPECT_EQ(said("{{ .Name }}"), "there is no .Name, only .Service, .Node and .Task");
  EXPECT_EQ(said("{{.Values.a}}"), "there is no .Values, only .Service, .Node and .Task");
  EXPECT_EQ(said("{{.Node.Name}}"), "there is no .Node.Name; did you mean .Node.Hostname?");
  EXPECT_EQ(said("{{.Task.Slots}}"), "there is no .Task.Slots; did you mean .Task.Slot?");
  EXPECT_EQ(said("{{$.Service.name}}"), "there is no .Service.name; did you mean .Service.Name?");
  EXPECT_EQ(said("{{.Service.Labels.a}}"),
            "it looks for a label before there is one; write index .Service.Labels \"a\"");
  EXPECT_EQ(said("{{.Node.Addresses}}"),
            "there is no .Node.Addresses; there are .Node.ID, .Node.Hostname, .Node.Platform, "
            ".Node.Platform.Architecture, .Node.Platform.OS");
  EXPECT_EQ(said("{{if .Task}}{{$y}}{{end}}"), "the variable $y is declared nowhere");
  EXPECT_EQ(said("{{$xy := 1}}{{$x}}"), "the variable $x is declared nowhere");
  EXPECT_EQ(said("{{}}"), "there is nothing between {{ and }}");
  EXPECT_EQ(said("{{#if a}}"), "it has a # there");
  EXPECT_EQ(said("{{if .Task}}"), "an {{end}} is missing");
  EXPECT_EQ(said("{{end}}"), "an {{end}} belongs to nothing");
}

TEST(EngineTemplates, ManyVariablesTakeLittleTime) {
  std::string text;
  while (text.size() < (1U << 20U)) text += "{{$a}}";
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(template_mistake(text + "{{$a := 1}}"), std::nullopt);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
}

TEST(EngineTemplates, AreLookedAtWhereTheEngineExpandsThem) {
  for (const bool strict : {true, false}) {
    Loader loader;
    loader.strict = strict;
    const auto output =
        loader.load({web("environment:\n  OK: '{{.Task.Slot}}'\n  T: x {{TOOLS}}")});
    EXPECT_THAT(errors(output),
                HasSubstr("service web: the engine takes {{…}} in environment.T for a template and "
                          "cannot expand it: there is no function TOOLS; where it is to stay as it "
                          "is, write {{\"{{\"}} for its {{"));
    EXPECT_EQ(output.findings.front().at.line, 7);
    for (const auto* keys : {"environment: ['T={{TOOLS}}']",
                             "hostname: '{{.Name}}'",
                             "volumes: ['/a/{{Foo}}:/b']",
                             "volumes: ['/a:/b/{{Foo}}']"}) {
      EXPECT_THAT(errors(loader.load({web(keys)})), HasSubstr("cannot expand it")) << keys;
    }
    EXPECT_EQ(errors(loader.load({web("command: ['{{TOOLS}}']\nlabels: {a: '{{TOOLS}}'}\n"
                                      "environment: {T: '{{\"{{\"}}TOOLS}}'}")})),
              "");
    EXPECT_EQ(errors(loader.load({web("environment: ['A{{Foo}}=1', '{{Bar}}']")})), "")
        << "names are not expanded";
    const auto secret = errors(loader.load({web("environment: {PW: 'a{{canary}}b'}")}));
    EXPECT_THAT(secret, HasSubstr("it knows no such function or variable"));
    EXPECT_THAT(secret, ::testing::Not(HasSubstr("canary")));
    loader.reader.files["/D/a.env"] = "T={{TOOLS}}";
    EXPECT_EQ(loader.load({web("env_file: a.env")}).findings.front().at.line, 5);
  }
}

}  // namespace
}  // namespace skep::compose::testing
