// Whatever a template does, it ends soon, in little memory, with an error that names the limit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "helm-like-templates/renderer/render.hpp"

namespace {

using skep::templates::Limits;
using skep::templates::Map;
using skep::templates::Value;

struct Attack {
  const char* name;
  const char* text;
  const char* limit;
};

class Hostile : public testing::TestWithParam<Attack> {};

TEST_P(Hostile, EndsWithAnErrorThatNamesTheLimit) {
  const auto result = skep::templates::render(
      {{"t", GetParam().text}}, "t", Value(Map()), Limits{.steps = 300'000, .output = 1U << 20U});
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(result.error().message, testing::HasSubstr(GetParam().limit));
  ASSERT_TRUE(result.error().at.has_value()) << result.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Templates,
    Hostile,
    testing::Values(
        Attack{"long_loop", "{{ range until 99999999 }}{{ end }}", "steps"},
        Attack{"endless_number", "{{ range 9223372036854775807 }}{{ end }}", "steps"},
        Attack{"nested_loops",
               "{{ range until 9999 }}{{ range until 9999 }}{{ end }}{{ end }}",
               "steps"},
        Attack{"huge_range", "{{ until 9223372036854775807 }}", "steps"},
        Attack{"recursion",
               "{{ define \"a\" }}{{ template \"a\" }}{{ end }}{{ template \"a\" }}",
               "deep"},
        Attack{"recursive_include",
               "{{ define \"a\" }}{{ include \"a\" . }}{{ end }}{{ include \"a\" . }}",
               "deep"},
        Attack{
            "recursive_tpl",
            "{{ define \"a\" }}{{ tpl `{{ include \"a\" . }}` . }}{{ end }}{{ include \"a\" . }}",
            "deep"},
        Attack{"repeat", "{{ repeat 999999999999 \"x\" }}", "bytes"},
        Attack{"doubling",
               "{{ $s := \"xxxxxxxx\" }}{{ range until 99 }}{{ $s = print $s $s }}{{ end }}",
               "more than"},
        Attack{"output", "{{ range until 9999 }}{{ repeat 999 \"x\" }}{{ end }}", "bytes"},
        Attack{"indent", "{{ indent 999999999 \"a\\nb\" }}", "bytes"},
        Attack{"replace", "{{ repeat 99999 \"x\" | replace \"x\" (repeat 9999 \"y\") }}", "bytes"},
        Attack{
            "widths", "{{ range until 999 }}{{ $x := printf \"%999999d\" 1 }}{{ end }}", "bytes"},
        Attack{"ring", "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ $d }}", "nested too deeply"},
        Attack{"ring_in_yaml",
               "{{ $d := dict }}{{ $_ := set $d \"d\" (list $d) }}{{ toYaml $d }}",
               "nested too deeply"},
        Attack{"ring_in_json",
               "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ toJson $d }}",
               "nested too deeply"},
        Attack{"ring_copied",
               "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ deepCopy $d }}",
               "nested too deeply"},
        Attack{
            "bomb",
            "{{ $d := list 1 }}{{ range until 60 }}{{ $d = list $d $d }}{{ end }}{{ toJson $d }}",
            ""},
        Attack{"deep_list",
               "{{ $d := list }}{{ range until 9999 }}{{ $d = list $d }}{{ end }}{{ $d }}",
               "nested too deeply"},
        Attack{
            "slow_regex",
            "{{ range until 99999 }}{{ $x := regexMatch \"(a*)*b\" (repeat 9999 \"a\") }}{{ end }}",
            ""}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Limits, DeepParenthesesAreRefused) {
  const auto text = "{{ " + std::string(100'000, '(') + "1" + std::string(100'000, ')') + " }}";
  const auto result = skep::templates::render({{"t", text}}, "t", Value(Map()));
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(result.error().message, testing::HasSubstr("nested too deeply"));
}

TEST(Limits, DeepStructuresThatAreDroppedDoNoHarm) {
  const auto* text =
      "{{ $d := list }}{{ $m := dict }}{{ $top := $m }}{{ range until 20000 }}{{ $d = list $d }}"
      "{{ $n := dict }}{{ $_ := set $m \"n\" $n }}{{ $m = $n }}{{ end }}ok";
  const auto result = skep::templates::render({{"t", text}}, "t", Value(Map()));
  ASSERT_TRUE(result.has_value()) << to_string(result.error());
  EXPECT_EQ(*result, "ok");
}

}  // namespace
