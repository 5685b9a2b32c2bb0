// Compares the renderer with what Go's text/template and the Sprig functions made of the same
// templates (vectors/golden.json, written by ./regenerate).
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "helm-like-templates/renderer/render.hpp"
#include "tests/paths.hpp"
#include "yaml/parse.hpp"

namespace {

using nlohmann::json;
using skep::templates::Value;

const json& golden() {
  static const json all = [] {
    const auto* other = std::getenv("SKEP_TEMPLATE_VECTORS");  // For random ones; see ./fuzz.
    std::ifstream file(other != nullptr ? other
                                        : SKEP_SOURCE_DIR "/tests/templates/vectors/golden.json");
    return json::parse(file);
  }();
  return all;
}

const json& vectors() { return golden().at("rows"); }

class Golden : public testing::TestWithParam<std::string> {};

TEST(GoldenVectors, AreAtLeastSixHundred) { EXPECT_GE(vectors().size(), 600U); }

TEST_P(Golden, RendersAsGoDoes) {
  for (const auto& row : vectors()) {
    const auto name = row["name"].get<std::string>();
    if (name.substr(0, name.find('.')) != GetParam()) continue;
    const auto data = skep::yaml::parse(golden().at("data").dump(), "data");
    ASSERT_TRUE(data.has_value()) << name;
    std::vector<skep::templates::Source> sources;
    if (row.contains("helpers"))
      sources.push_back({"_helpers.tpl", row["helpers"].get<std::string>()});
    sources.push_back({"main", row["template"].get<std::string>()});
    const auto result = skep::templates::render(sources, "main", Value::from(*data));
    const auto& shown = sources.back().text;
    if (row.contains("output")) {
      if (!result) {
        ADD_FAILURE() << name << ": " << shown << "\n" << to_string(result.error());
        continue;
      }
      EXPECT_EQ(*result, row["output"].get<std::string>()) << name << ": " << shown;
    } else if (result) {
      ADD_FAILURE() << name << ": " << shown << "\nrendered to " << *result
                    << "\nbut Go says: " << row["error"];
    } else {
      ASSERT_TRUE(result.error().at.has_value()) << name << ": " << result.error().message;
      // Where something is not closed, Go names the last line, we the one where it was opened.
      const bool open_end = row["error"].get<std::string>().ends_with("unexpected EOF");
      if (!open_end && row.contains("line") && result.error().at->file == "main") {
        EXPECT_EQ(result.error().at->line, row["line"].get<int>())
            << name << ": " << shown << "\n"
            << to_string(result.error()) << "\n"
            << row["error"];
      }
    }
  }
}

std::set<std::string> groups() {
  std::set<std::string> names;
  for (const auto& row : vectors()) {
    const auto name = row["name"].get<std::string>();
    names.insert(name.substr(0, name.find('.')));
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(Groups, Golden, testing::ValuesIn(groups()), [](const auto& row) {
  return row.param;
});

}  // namespace
