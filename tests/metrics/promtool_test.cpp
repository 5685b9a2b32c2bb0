#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/metrics/metrics_fixture.hpp"

namespace skep::metrics::testing {
namespace {

struct Run {
  int code = -1;
  std::string output;
};

Run run(const std::string& command) {
  Run result;
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return result;
  char buffer[4096];
  while (const auto count = std::fread(buffer, 1, sizeof buffer, pipe)) {
    result.output.append(buffer, count);
  }
  const int status = ::pclose(pipe);
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

bool have_promtool() { return run("promtool --version").code == 0; }

TEST(Promtool, HasNothingToSayAboutTheExposition) {
  if (!have_promtool()) GTEST_SKIP() << "promtool is not installed (Debian: package prometheus)";
  const StoppedClock clock;
  PrometheusMetrics metrics({.version = "0.1.0", .commit = "abc"}, clock);
  report_everything(metrics);
  auto odd = healthy_stack("apps", "quote\"back\\slash");
  metrics.status({healthy_stack("apps", "web"), odd});
  const auto file = std::filesystem::temp_directory_path() /
                    ("skep-exposition-" + std::to_string(::getpid()) + ".txt");
  std::ofstream(file) << metrics.render();
  const auto result = run("promtool check metrics < '" + file.string() + "'");
  std::filesystem::remove(file);
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.output, "");
}

std::filesystem::path deployed(std::string_view folder) {
  return std::filesystem::path(SKEP_SOURCE_DIR) / "deploy" / folder;
}

TEST(Promtool, AcceptsTheRulesThatShip) {
  if (!have_promtool()) GTEST_SKIP() << "promtool is not installed (Debian: package prometheus)";
  const auto folder = deployed("prometheus").string();
  const auto result =
      run("promtool check rules '" + folder + "/alerts.yml' '" + folder + "/recording.yml'");
  EXPECT_EQ(result.code, 0) << result.output;
}

TEST(Promtool, FindsThatTheAlertsFireWhenTheyShould) {
  if (!have_promtool()) GTEST_SKIP() << "promtool is not installed (Debian: package prometheus)";
  const auto result =
      run("promtool test rules '" + (deployed("prometheus") / "rules_test.yml").string() + "'");
  EXPECT_EQ(result.code, 0) << result.output;
}

// Every metric that a text names, as a series: without the endings of a histogram's series.
std::set<std::string> names_in(const std::string& text, const std::set<std::string>& histograms) {
  static const std::regex pattern("\\b(skep|process)_[a-z_]*[a-z]\\b");
  std::set<std::string> names;
  for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end; ++match) {
    auto name = match->str();
    for (const std::string_view ending : {"_bucket", "_sum", "_count"}) {
      if (!name.ends_with(ending)) continue;
      const auto base = name.substr(0, name.size() - ending.size());
      if (histograms.contains(base)) name = base;
    }
    names.insert(name);
  }
  return names;
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Exported {
  std::set<std::string> all, histograms;
};

Exported exported() {
  const StoppedClock clock;
  PrometheusMetrics metrics({.version = "0.1.0", .commit = "abc"}, clock);
  report_everything(metrics);
  Exported names;
  std::istringstream lines(metrics.render());
  for (std::string hash, word, name, type; std::getline(lines, hash);) {
    std::istringstream fields(hash);
    if (!(fields >> word >> word >> name >> type) || !hash.starts_with("# TYPE ")) continue;
    names.all.insert(name);
    if (type == "histogram") names.histograms.insert(name);
  }
  return names;
}

TEST(Shipped, RulesAndDashboardsNameOnlyMetricsThatAreExported) {
  const auto metrics = exported();
  std::size_t files = 0;
  for (const auto* folder : {"prometheus", "grafana"}) {
    for (const auto& entry : std::filesystem::directory_iterator(deployed(folder))) {
      const auto names = names_in(text_of(entry.path()), metrics.histograms);
      EXPECT_FALSE(names.empty()) << entry.path();
      for (const auto& name : names) {
        // The service of the agent in an alert's advice.
        if (name == "skep_agent") continue;
        EXPECT_TRUE(metrics.all.contains(name)) << name << " in " << entry.path();
      }
      ++files;
    }
  }
  EXPECT_EQ(files, 6U);
}

TEST(Shipped, TheReadmeListsExactlyWhatIsExported) {
  const auto metrics = exported();
  const auto readme = text_of(std::filesystem::path(SKEP_SOURCE_DIR) / "metrics" / "README.md");
  auto listed = names_in(readme, metrics.histograms);
  listed.erase("skep_metrics_bench");
  for (const auto& name : metrics.all) {
    if (name.starts_with("process_")) continue;
    EXPECT_TRUE(listed.contains(name)) << name << " is missing in the README";
  }
  for (const auto& name : listed) EXPECT_TRUE(metrics.all.contains(name)) << name;
}

}  // namespace
}  // namespace skep::metrics::testing
