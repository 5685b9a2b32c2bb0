// An error says where, what and what to do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "helm-like-templates/renderer/render.hpp"

namespace {

using skep::templates::Context;
using testing::HasSubstr;

skep::Error error_of(const std::string& text) {
  const auto result = skep::templates::render(
      {{"web-app/templates/app.yml", text}}, "web-app/templates/app.yml", Context());
  return result ? skep::Error{} : result.error();
}

TEST(Errors, NameTemplateLineColumnExpressionAndReason) {
  const auto error = error_of("a: 1\nimage: \"{{ .Values.image.tag }}\"\n");
  EXPECT_THAT(
      to_string(error),
      testing::StartsWith("web-app/templates/app.yml:2:12: .Values.image.tag: nil pointer"));
  EXPECT_THAT(error.message, HasSubstr(".Values.image is not set"));
}

TEST(Errors, ColumnsCountCharacters) { EXPECT_EQ(error_of("ööö {{ fail \"x\" }}").at->column, 8); }

TEST(Errors, OfAnIncludedTemplateSayWhereItWasCalled) {
  const auto result =
      skep::templates::render({{"_helpers.tpl", "{{ define \"a\" }}\n{{ fail \"boom\" }}{{ end }}"},
                               {"main", "\n\n{{ include \"a\" . }}"}},
                              "main",
                              Context());
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(to_string(*result.error().at), "_helpers.tpl:2:4");
  EXPECT_THAT(result.error().message, HasSubstr("boom"));
  EXPECT_THAT(result.error().message, HasSubstr("called at main:3:4"));
}

TEST(Errors, SuggestTheFunctionThatWasMeant) {
  EXPECT_THAT(error_of("{{ toYml . }}").message, HasSubstr("did you mean \"toYaml\"?"));
}

TEST(Errors, SuggestTheIndexOfAKeyWithADash) {
  EXPECT_THAT(error_of("{{ .Values.my-key }}").message, HasSubstr("(index .Values \"my-key\")"));
  EXPECT_THAT(error_of("{{ $.Values.a.my-own-key | quote }}").message,
              HasSubstr("(index $.Values.a \"my-own-key\")"));
  EXPECT_THAT(error_of("{{ .my-key }}").message, HasSubstr("(index . \"my-key\")"));
  EXPECT_THAT(error_of("{{ 1 - 2 }}").message, testing::Not(HasSubstr("index")));
}

TEST(Errors, SuggestTheNameWithACapital) {
  EXPECT_THAT(error_of("{{ .values.a }}").message, HasSubstr("did you mean .Values?"));
  EXPECT_THAT(error_of("{{ $.stack.name }}").message, HasSubstr("did you mean $.Stack?"));
}

TEST(Errors, OfAnOpenStructurePointToItsBeginning) {
  EXPECT_EQ(error_of("\n{{ if true }}\n\n").at->line, 2);
}

class Refused : public testing::TestWithParam<const char*> {};

TEST_P(Refused, IsRefusedByNameWithTheReason_Attack6) {
  const auto error = error_of(std::string("{{ ") + GetParam() + " }}");
  EXPECT_THAT(error.message,
              HasSubstr(std::string("function \"") + GetParam() + "\" is refused: "));
}

INSTANTIATE_TEST_SUITE_P(Functions,
                         Refused,
                         testing::Values("now",
                                         "date",
                                         "ago",
                                         "unixEpoch",
                                         "randAlphaNum",
                                         "uuidv4",
                                         "shuffle",
                                         "env",
                                         "expandenv",
                                         "lookup",
                                         "getHostByName",
                                         "genCA",
                                         "htpasswd",
                                         "bcrypt",
                                         "call",
                                         "exec",
                                         "derivePassword",
                                         "encryptAES",
                                         "toToml"));

}  // namespace
