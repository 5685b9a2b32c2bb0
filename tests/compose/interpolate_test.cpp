#include "compose/interpolate.hpp"

#include <algorithm>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "compose/schema.hpp"
#include "tests/paths.hpp"
#include "yaml/parse.hpp"

// cli_answers.json holds what the Docker CLI 28.2.2 (`docker stack config`) made of each file with
// the process environment that it names: an error, or the top-level extension values.

namespace skep::compose {
namespace {

using Json = nlohmann::json;
using Variables = std::map<std::string, std::string>;

struct Interpolated {
  yaml::Node root;
  Findings findings;
};

Interpolated interpolated(const std::string& text,
                          const Variables& environment,
                          const InterpolationOptions& options = {}) {
  Interpolated result;
  auto root = yaml::parse(text, "a.yml");
  if (!root) {
    ADD_FAILURE() << to_string(root.error());
    return result;
  }
  result.root = *std::move(root);
  interpolate(result.root, environment, options, result.findings);
  return result;
}

std::string text_at(const Interpolated& result, const char* key) {
  const auto* node = result.root.find(key);
  const auto* text = node == nullptr ? nullptr : node->as<std::string>();
  return text == nullptr ? "no text" : *text;
}

Json as_json(const yaml::Node& node) {
  if (const auto* text = node.as<std::string>()) return *text;
  if (const auto* list = node.as<yaml::List>()) {
    Json out = Json::array();
    for (const auto& item : *list) out.push_back(as_json(item));
    return out;
  }
  Json out = Json::object();
  if (const auto* map = node.as<yaml::Map>()) {
    for (const auto& entry : *map) out[entry.key] = as_json(entry.value);
  }
  return out;
}

/// Each of these took the square of its length.
TEST(Interpolate, ManyMistakesInOneLongTextTakeLittleTime) {
  for (const std::string piece : {"${A", "${A:-", "${A+", "$A-", "$ ", "${A:?"}) {
    std::string text;
    while (text.size() < (4U << 20U)) text += piece;
    for (const bool strict : {true, false}) {
      yaml::Node root(yaml::Map{}, {"a.yml", 1, 1});
      root.as<yaml::Map>()->push_back({"x", {"a.yml", 1, 1}, yaml::Node(text, {"a.yml", 1, 1})});
      Findings findings;
      const auto began = std::chrono::steady_clock::now();
      interpolate(root, {}, {.strict = strict}, findings);
      EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20)) << piece;
    }
  }
}

TEST(Interpolation, DoesWhatTheCliDoes_A5_2) {
  std::ifstream file(SKEP_SOURCE_DIR "/tests/testdata/compose/interpolate/cli_answers.json");
  const auto recorded = Json::parse(file);
  const auto environment = recorded["environment"].get<Variables>();
  std::size_t values = 0;
  std::size_t errors = 0;
  for (const auto& row : recorded["rows"]) {
    auto [root, findings] = interpolated(row["yaml"], environment);
    if (row.contains("value")) {
      ++values;
      EXPECT_FALSE(has_errors(findings)) << row["yaml"] << to_string(findings);
      EXPECT_EQ(as_json(root), row["value"]) << row["yaml"];
      continue;
    }
    validate(root, FileVersion{}, true, findings);
    if (!row.contains("error")) {
      EXPECT_FALSE(has_errors(findings)) << row["yaml"] << to_string(findings);
      continue;
    }
    const std::string expected = row["error"];
    // Of the typed load, which comes later.
    if (expected.starts_with("decoding failed") ||
        expected.find("undefined") != std::string::npos) {
      continue;
    }
    ++errors;
    EXPECT_TRUE(
        std::any_of(findings.begin(),
                    findings.end(),
                    [&](const Finding& finding) { return finding.message.starts_with(expected); }))
        << row["yaml"] << "the CLI: " << expected << "\nours:\n"
        << to_string(findings);
  }
  EXPECT_GT(values, 50U);
  EXPECT_GT(errors, 100U);
}

TEST(Interpolation, KeysAndWhatAValueBringsInAreLeftAlone_A5_1_A5_6) {
  const auto result = interpolated("$FOO: $FOO\n", {{"FOO", "$BAR: {x: y}"}, {"BAR", "no"}});
  EXPECT_EQ(text_at(result, "$FOO"), "$BAR: {x: y}");
}

TEST(Interpolation, MistakesStandAtTheValueAndNameItsPath_A5_11) {
  const auto result = interpolated("services:\n  web:\n    command: [a, '$1']\n", {});
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(to_string(result.findings[0].at), "a.yml:3:18");
  EXPECT_EQ(result.findings[0].message,
            "invalid interpolation format for services.web.command.[]: \"$1\"; you may need to "
            "escape any $ with another $");
}

TEST(Interpolation, ClearedErrorIsAWarning_A5_10) {
  const auto result = interpolated("x-v: '${UNSET:?e} $FOO'\n", {{"FOO", "foo"}});
  EXPECT_EQ(text_at(result, "x-v"), " foo");
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings[0].severity, Finding::Severity::warning);
}

TEST(Interpolation, UnsetVariableIsAnErrorWhereAskedFor) {
  const InterpolationOptions agent{.unset_variable_is_error = true};
  const auto result = interpolated("a: 'x${B}$A'\nb: '${A:-x}${A-y}'\nc: $E\n", {{"E", ""}}, agent);
  ASSERT_EQ(result.findings.size(), 2U) << to_string(result.findings);
  EXPECT_EQ(to_string(result.findings[0].at), "a.yml:1:4");
  EXPECT_EQ(result.findings[0].message,
            "a: variable A is not set; set it in .env or cluster variables, or give a default: "
            "${A:-…}");
  EXPECT_FALSE(has_errors(interpolated("a: $A\n", {}).findings));
}

TEST(Interpolation, LoneDollarIsKeptOffStrictMode) {
  const std::string text = "labels: {rule: 'a$', cost: '5$ or $A'}\ncommand: '5$'\n";
  const auto result = interpolated(text, {{"A", "6"}}, {.strict = false});
  EXPECT_EQ(*result.root.find("labels")->find("rule")->as<std::string>(), "a$");
  EXPECT_EQ(*result.root.find("labels")->find("cost")->as<std::string>(), "5 or 6")
      << "the CLI takes this one (A5.10), so its result counts";
  ASSERT_EQ(result.findings.size(), 3U) << to_string(result.findings);
  EXPECT_EQ(result.findings[0].severity, Finding::Severity::warning);
  EXPECT_NE(result.findings[0].message.find("$$"), std::string::npos);
  EXPECT_EQ(result.findings[2].severity, Finding::Severity::warning);
  EXPECT_EQ(*result.root.find("command")->as<std::string>(), "5$");
  const auto braces = interpolated("labels: {a: '${A'}\ncommand: '${A'\n", {}, {.strict = false});
  ASSERT_EQ(braces.findings.size(), 2U) << to_string(braces.findings);
  EXPECT_EQ(braces.findings[1].severity, Finding::Severity::error)
      << "a brace that is never closed is excused in labels only";
  const auto strict = interpolated(text, {{"A", "6"}});
  EXPECT_EQ(strict.findings[0].severity, Finding::Severity::error);
}

TEST(Interpolation, PasswordHashInALabelSurvivesWhereUnsetVariablesAreErrors) {
  const std::string text = "labels: {users: 'admin:$apr1$x$y'}\n";
  const InterpolationOptions agent{.unset_variable_is_error = true, .strict = false};
  const auto kept = interpolated(text, {}, agent);
  EXPECT_EQ(*kept.root.find("labels")->find("users")->as<std::string>(), "admin:$apr1$x$y");
  EXPECT_FALSE(has_errors(kept.findings));
  const auto bcrypt = interpolated("labels: ['users=admin:$2y$05$abc']\n", {}, agent);
  EXPECT_EQ(*bcrypt.root.find("labels")->as<yaml::List>()->front().as<std::string>(),
            "users=admin:$2y$05$abc");
  const auto cli = interpolated(text, {});
  EXPECT_EQ(*cli.root.find("labels")->find("users")->as<std::string>(), "admin:");
}

TEST(Interpolation, APasswordHashThatIsTakenForVariablesIsNamed) {
  const auto said = [](const std::string& text, bool strict = false) {
    return interpolated("labels: [\"" + text + "\"]\n", {{"U", "admin"}}, {.strict = strict});
  };
  const auto value = [](const Interpolated& result) {
    return *result.root.find("labels")->as<yaml::List>()->front().as<std::string>();
  };
  for (const auto& [text, cli] :
       {std::pair("a.users=admin:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/", "a.users=admin:/"),
        std::pair("b.users=admin:$2y$05$abcdefg", "b.users=admin:2y05")}) {
    const auto result = said(text);
    EXPECT_EQ(value(result), cli);
    ASSERT_EQ(result.findings.size(), 1U) << to_string(result.findings);
    EXPECT_EQ(result.findings[0].severity, Finding::Severity::warning);
    EXPECT_NE(result.findings[0].message.find("it looks like a password hash"), std::string::npos);
    EXPECT_EQ(to_string(said(text, true).findings).find("password hash"), std::string::npos);
  }
  const auto escaped = said("a.users=admin:$$apr1$$H6uskkkW$$Ig");
  EXPECT_EQ(value(escaped), "a.users=admin:$apr1$H6uskkkW$Ig");
  EXPECT_TRUE(escaped.findings.empty());
}

TEST(Interpolation, BracedVariablesBesideAPasswordHashArePutIn) {
  const InterpolationOptions agent{.unset_variable_is_error = true, .strict = false};
  for (const auto& options : {InterpolationOptions{.strict = false}, agent}) {
    const auto result =
        interpolated("labels: ['c.users=${U}:$2y$05$.bc']\n", {{"U", "admin"}}, options);
    EXPECT_EQ(*result.root.find("labels")->as<yaml::List>()->front().as<std::string>(),
              "c.users=admin:$2y$05$.bc");
    EXPECT_FALSE(has_errors(result.findings));
  }
  EXPECT_NE(to_string(interpolated("labels: ['${U}:$2y$05$.bc']\n", {}, agent).findings)
                .find("variable U is not set"),
            std::string::npos);
}

TEST(Interpolation, WhatALaterVariableHidesIsSaid) {
  const auto said = [](const std::string& text) {
    const auto result = interpolated("x: '" + text + "'\n", {{"A", "a"}}, {.strict = false});
    return text_at(result, "x") + ": " + to_string(result.findings);
  };
  EXPECT_NE(said("5$ $A").find("a $ that begins no variable is left out"), std::string::npos);
  EXPECT_EQ(said("5$ $A").find(":+text}"), std::string::npos);
  EXPECT_NE(said("${A:+x}$A").find("{A:+x}a: "), std::string::npos);
  EXPECT_NE(said("${A:+x}$A").find("${VAR:+text} works only where"), std::string::npos);
  EXPECT_NE(said("${B:?must} $A").find("a required variable has no value"), std::string::npos);
}

TEST(Interpolation, ADashThatHidesAVariableIsSaid_A5_3_A5_5) {
  const auto said = [](const std::string& text, bool strict = false) {
    const auto result =
        interpolated("x: '" + text + "'\n", {{"TAG", "1"}, {"PW", "s3"}}, {.strict = strict});
    return text_at(result, "x") + ": " + to_string(result.findings);
  };
  EXPECT_NE(said("app:$TAG-alpine")
                .find("app:1: a.yml:1:4: warning: x: what follows $TAG- is no "
                      "text but the variable's default"),
            std::string::npos)
      << said("app:$TAG-alpine");
  EXPECT_NE(said("$TAG-alpine").find("write ${TAG}-… for"), std::string::npos);
  EXPECT_NE(said("${PW:?must be non-empty}").find("empty: a.yml:1:4: warning: x: a dash in the"),
            std::string::npos)
      << said("${PW:?must be non-empty}");
  EXPECT_NE(said("${PW:?must be non-empty}").find("write the message without -"),
            std::string::npos);
  EXPECT_NE(said("${PW-a:-b}").find("write the default without :-"), std::string::npos);
  for (const auto* fine :
       {"${TAG}-alpine", "${PW:?must be set}", "${PW:-a-b}", "${PW-a-b}", "$TAG"})
    EXPECT_EQ(said(fine).find("warning"), std::string::npos) << said(fine);
  EXPECT_EQ(said("app:$TAG-alpine", true), "app:1: ");
}

TEST(Interpolation, ARequiredVariableIsRequiredWhereUnsetOnesAreErrorsWhateverItsMessage) {
  for (const bool strict : {true, false}) {
    const InterpolationOptions agent{.unset_variable_is_error = true, .strict = strict};
    for (const auto* text : {"${PW:?must be non-empty}", "${PW?a-b}", "${PW:?must} $A"}) {
      const auto result = interpolated("x: '" + std::string(text) + "'\n", {{"A", "a"}}, agent);
      EXPECT_TRUE(has_errors(result.findings)) << text;
      EXPECT_NE(to_string(result.findings).find("required variable PW is missing a value"),
                std::string::npos)
          << text << to_string(result.findings);
    }
    const auto set = interpolated("x: '${PW:?must be non-empty}'\n", {{"PW", "s3"}}, agent);
    EXPECT_FALSE(has_errors(set.findings));
    EXPECT_EQ(text_at(set, "x"), "empty") << "as with the CLI";
  }
}

TEST(Interpolation, AnEmptyVariableInANumbersPlaceIsNamed) {
  const auto said = [](const std::string& text, bool strict = false) {
    return to_string(
        interpolated("services: {a: " + text + "}\n", {{"E", ""}}, {.strict = strict}).findings);
  };
  EXPECT_NE(said("{deploy: {replicas: '$E'}}")
                .find("services.a.deploy.replicas: the variable E is empty (or not set), and "
                      "replicas needs a number; give a default: ${E:-…}"),
            std::string::npos);
  EXPECT_NE(said("{tty: '$R'}").find("tty needs true or false"), std::string::npos);
  EXPECT_NE(said("{deploy: {resources: {limits: {memory: '$E'}}}}").find("memory needs an amount"),
            std::string::npos);
  EXPECT_NE(said("{deploy: {replicas: '$E'}}", true).find("strconv.Atoi"), std::string::npos);
}

TEST(Interpolation, AModeMayBeOctalInADefault) {
  const auto mode = [](bool strict) {
    return interpolated(
        "services: {a: {secrets: [{source: s, mode: '${M:-0o440}'}]}}\n", {}, {.strict = strict});
  };
  const auto result = mode(false);
  EXPECT_FALSE(has_errors(result.findings)) << to_string(result.findings);
  const auto& item =
      result.root.find("services")->find("a")->find("secrets")->as<yaml::List>()->front();
  EXPECT_EQ(*item.find("mode")->as<std::int64_t>(), 0440);
  EXPECT_TRUE(has_errors(mode(true).findings));
}

}  // namespace
}  // namespace skep::compose
