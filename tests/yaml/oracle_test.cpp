#include <fstream>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/digest.hpp"
#include "tests/paths.hpp"
#include "yaml/parse.hpp"

// What the Docker CLI 28.2.2 (`docker stack config`) answered to each text of cli_answers.json:
// either the decoded top-level extension values, or its error.

namespace skep::yaml {
namespace {

using Json = nlohmann::json;

/// "2020-01-02 01:02:03.25 +0200 +0200" → "@2020-01-02T01:02:03.25+02:00", the CLI's own output.
std::string as_rfc3339(const Timestamp& time) {
  const auto blank = time.printed.find(' ', 11);
  const auto zone = time.printed.substr(blank + 1, 5);
  return "@" + time.printed.substr(0, 10) + "T" + time.printed.substr(11, blank - 11) +
         (zone == "+0000" ? "Z" : zone.substr(0, 3) + ":" + zone.substr(3));
}

Json as_json(const Node& node) {
  if (const auto* b = node.as<bool>()) return *b;
  if (const auto* i = node.as<std::int64_t>()) return *i;
  if (const auto* u = node.as<std::uint64_t>()) return *u;
  if (const auto* d = node.as<double>()) return *d;
  if (const auto* s = node.as<std::string>()) return *s;
  if (const auto* t = node.as<Timestamp>()) return as_rfc3339(*t);
  if (const auto* list = node.as<List>()) {
    Json out = Json::array();
    for (const auto& item : *list) out.push_back(as_json(item));
    return out;
  }
  if (const auto* map = node.as<Map>()) {
    Json out = Json::object();
    for (const auto& [key, at, value] : *map) out[key] = as_json(value);
    return out;
  }
  return nullptr;
}

Json recorded() {
  std::ifstream file(SKEP_SOURCE_DIR "/tests/testdata/yaml/cli_answers.json");
  return Json::parse(file);
}

std::string text_of(const Json& row) {
  if (row.contains("yaml")) return row["yaml"];
  return from_base64(row["base64"].get<std::string>()).value();
}

/// These come from stages after the YAML parser.
bool is_later_error(const std::string& error) {
  return error == "top-level object must be a mapping" ||
         error.find("json: unsupported value") != std::string::npos;
}

/// Where we differ from the CLI on purpose, and why.
const std::map<std::string, std::string>& stricter_than_the_cli() {
  static const std::map<std::string, std::string> rows = {
      {"d_indent1", "Go drops what stands left of the first key without a word; it is refused"},
      {"f_colonadj4", "{a:} is the key a: to Go and the key a to yaml-cpp"},
      {"f_colonend", "as f_colonadj4, in a list"},
      {"f_coloncomma", "as f_colonadj4, in a list"},
      {"f_valuecolon", "as f_colonadj4, in a value"},
      {"f_nullline", "yaml-cpp wants a comma after a key without a value at a line's end"},
      {"p_lslines", "U+2028 ends a line in YAML 1.1; an editor shows none, so it is refused"},
      {"f_q", "[?a] is a null entry to Go and a plain text to people; yaml-cpp refuses it"},
      {"i_anchcolon", "&a:b is the anchor a and the text :b to Go; yaml-cpp reads an anchor a:b"},
  };
  return rows;
}

/// Their values begin with an empty line, which the CLI's own output loses.
bool is_lost_in_output(const std::string& name) {
  return name == "b_lead" || name == "b_foldlead" || name == "b_emptykeep";
}

TEST(Oracle, EveryTextThatTheCliRefusesIsRefused_A2_4) {
  std::size_t rows = 0;
  for (const auto& row : recorded()) {
    if (!row.contains("error") || is_later_error(row["error"])) continue;
    ++rows;
    EXPECT_FALSE(parse(text_of(row), "a.yml").has_value())
        << row["name"] << " " << text_of(row).substr(0, 200) << "\nthe CLI: " << row["error"];
  }
  EXPECT_GT(rows, 100U);
}

TEST(Oracle, EveryTextThatTheCliTakesHasTheSameValue_A2_6) {
  std::size_t rows = 0;
  for (const auto& row : recorded()) {
    if (!row.contains("value") || stricter_than_the_cli().count(row["name"]) != 0) continue;
    ++rows;
    const auto root = parse(text_of(row), "a.yml");
    if (root && is_lost_in_output(row["name"])) continue;
    if (!root) {
      ADD_FAILURE() << row["name"] << " " << text_of(row).substr(0, 200) << "\n"
                    << to_string(root.error());
      continue;
    }
    EXPECT_EQ(as_json(*root), row["value"]) << row["name"] << " " << text_of(row).substr(0, 200);
  }
  EXPECT_GT(rows, 250U);
}

TEST(Oracle, WhatIsStricterThanTheCliIsRefusedWithAPosition) {
  for (const auto& row : recorded()) {
    if (stricter_than_the_cli().count(row["name"]) == 0) continue;
    const auto root = parse(text_of(row), "a.yml");
    ASSERT_FALSE(root.has_value()) << row["name"];
    EXPECT_GT(root.error().at.value().line, 0);
  }
}

}  // namespace
}  // namespace skep::yaml
