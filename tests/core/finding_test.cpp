#include "core/finding.hpp"

#include <gtest/gtest.h>

namespace skep {
namespace {

Finding finding(std::string file, int line, int column, std::string message) {
  return {Finding::Severity::error, std::move(message), {std::move(file), line, column}};
}

TEST(Findings, AreSortedByPlaceAndEqualOnesShownOnce) {
  Findings findings{finding("b", 1, 1, "x"),
                    finding("a", 10, 1, "x"),
                    finding("a", 2, 7, "x"),
                    finding("a", 2, 7, "x"),
                    finding("a", 2, 3, "x")};
  sort_and_unique(findings);
  ASSERT_EQ(findings.size(), 4U);
  EXPECT_EQ(findings[0].at.column, 3);
  EXPECT_EQ(findings[1].at.column, 7);
  EXPECT_EQ(findings[2].at.line, 10);
  EXPECT_EQ(findings[3].at.file, "b");
}

TEST(Findings, PrintAsFileLineColumnSeverityMessage) {
  Findings findings{finding("a.yml", 3, 5, "no such key"),
                    {Finding::Severity::warning, "odd", {"a.yml", 0, 4}}};
  EXPECT_EQ(to_string(findings), "a.yml:3:5: error: no such key\na.yml: warning: odd");
  EXPECT_TRUE(has_errors(findings));
  findings.erase(findings.begin());
  EXPECT_FALSE(has_errors(findings));
}

TEST(Findings, NameTheStackWhereThePlaceDoesNot) {
  Findings findings{finding("web-app/templates/app.yml", 3, 5, "no host"),
                    finding("apps/one/values.yaml", 1, 1, "no image"),
                    finding("apps/one", 0, 0, "no file"),
                    finding("apps/one-more/a.yml", 0, 0, "odd")};
  for (auto& each : findings) each.stack = "apps/one";
  EXPECT_EQ(to_string(findings),
            "web-app/templates/app.yml:3:5: error: stack apps/one: no host\n"
            "apps/one/values.yaml:1:1: error: no image\n"
            "apps/one: error: no file\n"
            "apps/one-more/a.yml: error: stack apps/one: odd");
}

TEST(Findings, BecomeOneErrorAtTheFirst) {
  const auto error = to_error({{Finding::Severity::warning, "odd", {"a", 1, 1}},
                               finding("a", 2, 1, "first"),
                               finding("b", 3, 1, "second")});
  EXPECT_EQ(error.kind, ErrorKind::invalid_input);
  EXPECT_EQ(to_string(error), "a:2:1: first\nb:3:1: second");
}

TEST(Nearest, KnowsTyposAndOtherSpellings) {
  const std::vector<std::string> words{"self_heal", "sync", "depends_on", "on_failure"};
  EXPECT_EQ(nearest("selfHeal", words), "self_heal");
  EXPECT_EQ(nearest("dependson", words), "depends_on");
  EXPECT_EQ(nearest("snyc", words), "sync") << "two letters swapped are one slip";
  EXPECT_EQ(nearest("sinc", words), "sync");
  EXPECT_EQ(nearest("zzz", words), "");
  EXPECT_EQ(nearest("", words), "");
}

}  // namespace
}  // namespace skep
