#include "compose/schema.hpp"

#include <algorithm>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/paths.hpp"
#include "yaml/parse.hpp"

// cli_answers.json holds what the Docker CLI 28.2.2 (`docker stack config`) answered to each file:
// its error, or nothing where it took the file.

namespace skep::compose {
namespace {

using Json = nlohmann::json;

Json cli_answers() {
  std::ifstream file(SKEP_SOURCE_DIR "/tests/testdata/compose/schema/cli_answers.json");
  return Json::parse(file);
}

Findings check(const std::string& text, bool strict = true) {
  const auto root = yaml::parse(text, "a.yml");
  if (!root) return {{Finding::Severity::error, root.error().message, *root.error().at}};
  Findings findings;
  const auto version = effective_version(*root, findings);
  if (version) validate(*root, *version, strict, findings);
  return findings;
}

/// These come from later stages, or are a use of YAML that the CLI only trips over there.
bool is_later_error(const std::string& error) { return error.starts_with("decoding failed"); }

TEST(Schema, TakesEveryFileThatTheCliTakes_A8_3) {
  std::size_t rows = 0;
  for (const auto& row : cli_answers()) {
    const std::string text = row["yaml"];
    if (row.contains("error") && !is_later_error(row["error"])) continue;
    ++rows;
    EXPECT_EQ(to_string(check(text)), "") << row["name"] << "\n" << text;
  }
  EXPECT_GT(rows, 130U);
}

TEST(Schema, RefusesEveryFileThatTheCliRefusesInItsWords_A8_7) {
  std::size_t rows = 0;
  for (const auto& row : cli_answers()) {
    const std::string text = row["yaml"];
    if (!row.contains("error") || is_later_error(row["error"])) continue;
    ++rows;
    const std::string expected = row["error"];
    const auto findings = check(text);
    EXPECT_TRUE(std::any_of(findings.begin(),
                            findings.end(),
                            [&](const Finding& finding) {
                              return finding.message.starts_with(expected) && finding.at.line > 0;
                            }))
        << row["name"] << "\n"
        << text << "the CLI: " << expected << "\nours:\n"
        << to_string(findings);
  }
  EXPECT_GT(rows, 250U);
}

TEST(Schema, ReportsAllViolationsEachWhereItStands_A8_6) {
  const auto findings = check(
      "version: '3.8'\n"
      "services:\n"
      "  web:\n"
      "    enviroment: {A: b}\n"
      "    deploy:\n"
      "      replicas: '3'\n"
      "    ports: [foo, '80:80', '80:80']\n"
      "  db:\n"
      "    tty: yes\n");
  ASSERT_EQ(findings.size(), 5U) << to_string(findings);
  EXPECT_EQ(to_string(findings[0].at), "a.yml:4:5");
  EXPECT_EQ(
      findings[0].message,
      "services.web Additional property enviroment is not allowed; did you mean environment?");
  EXPECT_EQ(to_string(findings[1].at), "a.yml:6:17");
  EXPECT_EQ(to_string(findings[2].at), "a.yml:7:13");
  EXPECT_EQ(findings[3].message, "services.web.ports array items[1,2] must be unique");
  EXPECT_EQ(to_string(findings[4].at), "a.yml:9:10");
}

TEST(Schema, SaysWhichVersionAKeyNeeds) {
  const auto findings = check("version: '3.6'\nservices: {web: {init: true}}\n");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].message,
            "services.web Additional property init is not allowed; it needs version 3.7 or no "
            "version at all");
}

TEST(Schema, OffStrictModeExtensionKeysStandEverywhere) {
  const std::string text = "version: '3.0'\nx-a: 1\nservices: {web: {x-b: 1, deploy: {x-c: 1}}}\n";
  EXPECT_EQ(check(text, true).size(), 3U);
  EXPECT_EQ(to_string(check(text, false)), "");
}

TEST(Schema, WhatIsEqualAsJsonIsNotUnique_A8_1) {
  EXPECT_EQ(check("services: {web: {expose: [80, 80.0]}}\n").size(), 1U);
  EXPECT_EQ(check("services: {web: {expose: [80, '80']}}\n").size(), 0U);
  EXPECT_EQ(check("services: {web: {ports: [{target: 1, mode: host}, {mode: host, target: 1}]}}\n")
                .size(),
            1U);
}

TEST(Version, AbsentEmptyAndThreeAreTheNewest_A3_1) {
  for (const auto* text : {"x-a: 1\n", "version: ''\n", "version: '3'\n", "version: '3.13'\n"}) {
    Findings findings;
    EXPECT_EQ(effective_version(*yaml::parse(text, "a.yml"), findings), FileVersion{}) << text;
  }
  Findings findings;
  EXPECT_EQ(effective_version(*yaml::parse("version: '3.8'\n", "a.yml"), findings),
            (FileVersion{8, "3.8"}));
}

TEST(Version, UnquotedNumberIsRefusedThoughItSelectsASchema_A3_3) {
  const auto findings = check("version: 3.10\nservices: {web: {init: true}}\n");
  ASSERT_EQ(findings.size(), 2U) << "3.10 is the number 3.1, which knows no init";
  EXPECT_EQ(findings[0].message, "version must be a string");
}

}  // namespace
}  // namespace skep::compose
