#include "helm-like-templates/package/schema.hpp"

#include <chrono>

#include <gmock/gmock.h>

#include "yaml/parse.hpp"

namespace skep::package {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

yaml::Node parse(const std::string& text, const std::string& file) {
  auto node = yaml::parse(text, file);
  EXPECT_TRUE(node) << node.error().message;
  return *std::move(node);
}

std::string checked(const std::string& schema, const std::string& values) {
  return to_string(check(parse(schema, "schema.json"), parse(values, "values.yaml")));
}

TEST(Schema, TextThatIsNotKnownIsOnlyLookedAtForItsType) {
  const auto found = [](const std::string& schema, const std::string& values) {
    return to_string(check(parse(schema, "schema.json"), parse(values, "values.yaml"), {}, "***"));
  };
  for (const auto* rule : {R"({"enum": ["a", "b"]})",
                           R"({"const": "a"})",
                           R"({"pattern": "^[a-z]+$"})",
                           R"({"minLength": 8})",
                           R"({"maxLength": 1})",
                           R"({"oneOf": [{"const": "a"}, {"const": "b"}]})",
                           R"({"not": {"pattern": "x"}})",
                           R"({"if": {"const": "a"}, "then": false, "else": false})"}) {
    const auto schema = R"({"properties": {"n": )" + std::string(rule) + "}}";
    EXPECT_THAT(found(schema, "n: x***"), IsEmpty()) << rule;
    EXPECT_THAT(checked(schema, "n: 'x*** '"), Not(IsEmpty())) << rule;
  }
  EXPECT_THAT(found(R"({"properties": {"n": {"uniqueItems": true}}})", "n: ['***', '***']"),
              IsEmpty());
  EXPECT_THAT(found(R"({"properties": {"n": {"type": "integer"}}})", "n: '***'"),
              HasSubstr("must be a whole number"));
}

struct Case {
  std::string name;
  std::string schema;
  std::string fits;
  std::string breaks;
  std::string expected;  ///< In the message about `breaks`.
};

class SchemaTest : public testing::TestWithParam<Case> {};

TEST_P(SchemaTest, TakesWhatFitsAndNamesWhatDoesNot) {
  const auto& row = GetParam();
  EXPECT_THAT(checked(row.schema, row.fits), IsEmpty());
  EXPECT_THAT(checked(row.schema, row.breaks), HasSubstr(row.expected));
}

INSTANTIATE_TEST_SUITE_P(
    Keywords,
    SchemaTest,
    testing::Values(
        Case{"type",
             R"({"properties": {"n": {"type": "integer"}}})",
             "n: 3",
             "a: 1\nn: x",
             "values.yaml:2:4: error: n must be a whole number, but is a string"},
        Case{"whole_fraction",
             R"({"properties": {"n": {"type": "integer"}}})",
             "n: 3.0",
             "n: 3.5",
             "a whole number, but is a number"},
        Case{"number",
             R"({"properties": {"n": {"type": "number"}}})",
             "n: 3",
             "n: '3'",
             "must be a number"},
        Case{"quotes",
             R"({"properties": {"n": {"type": "string"}}})",
             "n: '1.0'",
             "n: 1.0",
             "put it in quotes"},
        Case{"types",
             R"({"properties": {"n": {"type": ["string", "null"]}}})",
             "n:",
             "n: []",
             "must be a string or null, but is a list"},
        Case{"boolean",
             R"({"properties": {"n": {"type": "boolean"}}})",
             "n: true",
             "n: yes",
             "must be true or false"},
        Case{"required",
             R"({"required": ["a"], "properties": {"a": {"description": "The name"}}})",
             "a: 1",
             "b: 1",
             "a is required: The name"},
        Case{"unknown_key",
             R"({"properties": {"image": {}}, "additionalProperties": false})",
             "image: x",
             "\nimgae: x",
             "values.yaml:2:1: error: unknown key imgae; did you mean image? (allowed: image)"},
        Case{
            "deep_key",
            R"({"properties": {"a": {"properties": {"b": {"items": {"properties": {"c": {"type": "string"}}}}}}}})",
            "a: {b: [{c: x}]}",
            "a:\n  b:\n    - c: x\n    - c: 1",
            "values.yaml:4:10: error: a.b[1].c must be a string"},
        Case{"schema_for_others",
             R"({"additionalProperties": {"type": "integer"}})",
             "a: 1",
             "a: x",
             "a must be a whole number"},
        Case{
            "pattern_properties",
            R"({"patternProperties": {"^x-": {"type": "integer"}}, "additionalProperties": false})",
            "x-a: 1",
            "x-a: b",
            "x-a must be a whole number"},
        Case{"property_names",
             R"({"propertyNames": {"pattern": "^[a-z]+$"}})",
             "abc: 1",
             "a1: 1",
             "must match ^[a-z]+$"},
        Case{"enum",
             R"({"properties": {"n": {"enum": ["start-first", "stop-first", 3]}}})",
             "n: 3.0",
             "n: startfirst",
             "n must be one of: start-first, stop-first, 3; did you mean start-first?"},
        Case{"const",
             R"({"properties": {"n": {"const": {"a": [1]}}}})",
             "n: {a: [1]}",
             "n: {a: [2]}",
             "must be a mapping"},
        Case{"pattern",
             R"({"properties": {"n": {"pattern": "^[0-9]+(s|m)$", "description": "a time"}}})",
             "n: 30s",
             "n: 30",
             ""},
        Case{"pattern_is_not_anchored",
             R"({"properties": {"n": {"pattern": "b"}}})",
             "n: abc",
             "n: ac",
             "must match b"},
        Case{"bounds",
             R"({"properties": {"n": {"minimum": 1, "maximum": 65535}}})",
             "n: 1",
             "n: 65536",
             "must be at most 65535"},
        Case{"exclusive",
             R"({"properties": {"n": {"exclusiveMinimum": 0, "exclusiveMaximum": 1}}})",
             "n: 0.5",
             "n: 0",
             "must be more than 0"},
        Case{"multiple",
             R"({"properties": {"n": {"multipleOf": 0.1}}})",
             "n: 0.3",
             "n: 0.35",
             "multiple of 0.1"},
        Case{"length",
             R"({"properties": {"n": {"minLength": 2, "maxLength": 3}}})",
             "n: äöü",
             "n: ä",
             "at least 2 characters"},
        Case{"items",
             R"({"properties": {"n": {"minItems": 1, "maxItems": 2, "uniqueItems": true}}})",
             "n: [1, 2]",
             "n: [1, 1.0]",
             "the same element twice"},
        Case{"tuple",
             R"({"properties": {"n": {"items": [{"type": "string"}], "additionalItems": false}}})",
             "n: [a]",
             "n: [a, b]",
             "n[1] is not allowed"},
        Case{"contains",
             R"({"properties": {"n": {"contains": {"const": 1}}}})",
             "n: [0, 1]",
             "n: [0]",
             "lacks an element"},
        Case{"key_count",
             R"({"minProperties": 1, "maxProperties": 1})",
             "a: 1",
             "{a: 1, b: 2}",
             "at most 1 keys"},
        Case{"dependencies",
             R"({"dependencies": {"a": ["b"]}})",
             "{a: 1, b: 2}",
             "a: 1",
             "needs b beside it"},
        Case{"all_of",
             R"({"allOf": [{"required": ["a"]}, {"required": ["b"]}]})",
             "{a: 1, b: 2}",
             "a: 1",
             "b is required"},
        Case{"any_of",
             R"({"properties": {"n": {"anyOf": [{"type": "string"}, {"type": "array"}]}}})",
             "n: x",
             "n: 1",
             "n must be a string, or must be a list"},
        Case{
            "any_of_says_the_deepest",
            R"({"properties": {"n": {"anyOf": [{"type": "string"}, {"items": {"type": "string"}}]}}})",
            "n: [x]",
            "n:\n  - 1",
            "n[0] must be a string"},
        Case{"one_of",
             R"({"properties": {"n": {"oneOf": [{"minimum": 1}, {"multipleOf": 2}]}}})",
             "n: 1",
             "n: 2",
             "fits 2 of the allowed forms"},
        Case{"not_",
             R"({"properties": {"n": {"not": {"const": "latest"}}}})",
             "n: v1",
             "n: latest",
             "not allowed"},
        Case{
            "if_then_else",
            R"({"if": {"properties": {"k": {"const": "a"}}}, "then": {"required": ["x"]}, "else": {"required": ["y"]}})",
            "{k: a, x: 1}",
            "{k: b, x: 1}",
            "y is required"},
        Case{
            "reference",
            R"({"properties": {"n": {"$ref": "#/definitions/port"}}, "definitions": {"port": {"type": "integer", "maximum": 9}}})",
            "n: 9",
            "n: 10",
            "at most 9"},
        Case{
            "escaped_reference",
            R"({"properties": {"n": {"$ref": "#/$defs/a~1b%25"}}, "$defs": {"a/b%": {"type": "integer"}}})",
            "n: 9",
            "n: x",
            "whole number"},
        Case{"recursive_reference",
             R"({"additionalProperties": {"$ref": "#"}, "type": ["object", "integer"]})",
             "a: {b: {c: 1}}",
             "a: {b: {c: x}}",
             "a.b.c must be a mapping or a whole number"},
        Case{"false_", R"({"properties": {"n": false}})", "m: 1", "n: 1", "n is not allowed"}),
    [](const auto& row) { return row.param.name; });

TEST(Schema, NoValueIsInAMessage) {
  const auto text = checked(
      R"({"properties": {"p": {"type": "integer"}, "q": {"enum": ["a"]}, "r": {"pattern": "^x"}, "s": {"maxLength": 2}}})",
      "p: hunter2\nq: hunter2\nr: hunter2\ns: hunter2\n");
  EXPECT_THAT(text, testing::Not(HasSubstr("hunter2")));
  EXPECT_THAT(text, HasSubstr("values.yaml:4:4"));
}

TEST(Schema, AMistakeOfItsOwnIsShownInTheSchema) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"type": "strng"})", "schema.json:1:10: error: schema: type must be"},
      {R"({"properties": {"a": {"minimum": "1"}}})", "minimum must be a number"},
      {R"({"properties": {"a": {"$ref": "http://example.com/x"}}})", "$ref must be"},
      {R"({"properties": {"a": {"$ref": "#/definitions/no"}}})", "$ref must be"},
      {R"({"properties": {"a": {"enum": 1}}})", "enum must be a list"},
      {R"({"properties": {"a": {"anyOf": []}}})", "anyOf must be a list"},
      {R"({"properties": {"a": 7}})", "must be a mapping, true or false"},
  };
  for (const auto& [schema, expected] : cases)
    EXPECT_THAT(checked(schema, "a: 5"), HasSubstr(expected)) << schema;
  const std::string look_ahead = "{properties: {a: {pattern: '(?=x)'}}}";
  EXPECT_THAT(checked(look_ahead, "a: x"), HasSubstr("RE2"));
}

TEST(Schema, UnknownKeywordsAreTold) {
  const auto schema = parse(
      R"({"properties": {"properties": {"minumum": 1}}, "$defs": {"a": {"items": {"typ": 1}}}, "enum": [{"x": 1}]})",
      "schema.json");
  const auto text = to_string(unknown_keywords(schema));
  EXPECT_THAT(text, HasSubstr("minumum"));
  EXPECT_THAT(text, HasSubstr("typ "));
  EXPECT_EQ(unknown_keywords(schema).size(), 2U);
}

/// Each must end at once, whatever it says.
TEST(Schema, HostileOnesEndAtALimit) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(checked(R"({"$ref": "#"})", "a: 1"), HasSubstr("does a $ref refer to itself"));
  EXPECT_THAT(checked(R"({"anyOf": [{"$ref": "#"}, {"$ref": "#"}]})", "a: 1"), HasSubstr("error"));
  EXPECT_THAT(
      checked(R"({"properties": {"a": {"pattern": "((((((a{1,50}){1,50}){1,50}){1,50})*)*)$"}}})",
              "a: aaaaaaaa"),
      HasSubstr("pattern is not understood"));
  EXPECT_THAT(
      checked(R"({"properties": {"a": {"pattern": ")" + std::string(5000, 'a') + R"("}}})", "a: b"),
      HasSubstr("longer than 1000"));
  // What takes a backtracking engine for ever, or its stack.
  EXPECT_THAT(checked(R"({"properties": {"a": {"pattern": "^(a+)+$"}}})",
                      "a: " + std::string(1'000'000, 'a') + "!"),
              HasSubstr("must match"));
  std::string list = "a: [";
  for (int i = 0; i < 5000; ++i) list += std::to_string(i) + ",";
  EXPECT_THAT(checked(R"({"properties": {"a": {"uniqueItems": true}}})", list + "x]"),
              HasSubstr("takes more than"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST(Schema, ManyMistakesAreShownTogetherButNotWithoutEnd) {
  std::string values;
  for (int i = 0; i < 500; ++i) values += "k" + std::to_string(i) + ": x\n";
  const auto schema = parse(R"({"additionalProperties": {"type": "integer"}})", "schema.json");
  EXPECT_EQ(check(schema, parse(values, "values.yaml")).size(), 50U);
}

}  // namespace
}  // namespace skep::package
