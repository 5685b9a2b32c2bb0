#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/metrics/metrics_fixture.hpp"
#include "tests/paths.hpp"

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

TEST(Shipped, ThePageListsExactlyWhatIsExported) {
  const auto metrics = exported();
  const auto page = text_of(std::filesystem::path(SKEP_SOURCE_DIR) / "docs" / "metrics.md");
  auto listed = names_in(page, metrics.histograms);
  listed.erase("skep_metrics_bench");
  for (const auto& name : metrics.all) {
    if (name.starts_with("process_")) continue;
    EXPECT_TRUE(listed.contains(name)) << name << " is missing in the page";
  }
  for (const auto& name : listed) EXPECT_TRUE(metrics.all.contains(name)) << name;
}

TEST(Promtool, FindsThatAWeekOfEventsFiresExactlyTheExpectedAlerts) {
  if (!have_promtool()) GTEST_SKIP() << "promtool is not installed (Debian: package prometheus)";
  const auto file =
      std::filesystem::temp_directory_path() / ("skep-week-" + std::to_string(::getpid()) + ".yml");
  const auto script = std::filesystem::path(SKEP_SOURCE_DIR) / "tests" / "metrics" / "week";
  const auto made =
      run("'" + script.string() + "' '" + (deployed("prometheus") / "alerts.yml").string() +
          "' > '" + file.string() + "'");
  ASSERT_EQ(made.code, 0) << made.output << text_of(file);
  const auto result = run("promtool test rules '" + file.string() + "'");
  std::filesystem::remove(file);
  EXPECT_EQ(result.code, 0) << result.output;
}

TEST(Shipped, TheExampleHasTheSameRulesAndDashboards) {
  const auto example = std::filesystem::path(SKEP_SOURCE_DIR) / "examples" / "cluster-repo" /
                       "management" / "monitoring";
  for (const auto* name : {"alerts.yml", "recording.yml"})
    EXPECT_EQ(text_of(example / "rules" / name), text_of(deployed("prometheus") / name)) << name;
  for (const auto* name : {"fleet.json", "stack.json", "agent.json"})
    EXPECT_EQ(text_of(example / "dashboards" / name), text_of(deployed("grafana") / name)) << name;
}

std::set<std::string> all_matches(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern);
  std::set<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), expression), end; match != end; ++match)
    found.insert((*match)[1]);
  return found;
}

std::filesystem::path runbooks() {
  return std::filesystem::path(SKEP_SOURCE_DIR) / "docs" / "runbooks";
}

TEST(Runbooks, EachAlertHasOneAndNamesItAndEachIsOfAnAlert) {
  const auto rules = text_of(deployed("prometheus") / "alerts.yml");
  const auto alerts = all_matches(rules, "alert: (\\w+)");
  EXPECT_EQ(alerts, all_matches(rules, "runbook: docs/runbooks/(\\w+)\\.md"));
  std::set<std::string> pages;
  for (const auto& entry : std::filesystem::directory_iterator(runbooks())) {
    pages.insert(entry.path().stem());
    const auto page = text_of(entry.path());
    for (const auto* part : {"What it means.", "What to look at", "What to do"})
      EXPECT_NE(page.find(part), std::string::npos) << entry.path() << ": " << part;
    for (const auto& other : all_matches(page, "\\]\\((\\w+)\\.md\\)"))
      EXPECT_TRUE(alerts.contains(other)) << entry.path() << " links to " << other;
  }
  EXPECT_EQ(alerts, pages);
  EXPECT_GT(alerts.size(), 20U);
}

TEST(Runbooks, EachAlertIsTestedForFiringAndForStayingSilent) {
  const auto alerts = all_matches(text_of(deployed("prometheus") / "alerts.yml"), "alert: (\\w+)");
  const auto tests = text_of(deployed("prometheus") / "rules_test.yml");
  EXPECT_EQ(alerts,
            all_matches(tests,
                        "alertname=\"(\\w+)\",alertstate=\"firing\"\\}', eval_time: "
                        "\\w+, exp_samples: \\[\\] "));
  EXPECT_EQ(alerts,
            all_matches(tests,
                        "alertname=\"(\\w+)\",alertstate=\"firing\"\\}', eval_time: "
                        "\\w+, exp_samples: \\[\\{ labels: 'ALERTS"));
}

// What stands in a page as code and begins with one of our two programs.
std::set<std::string> commands_of(const std::string& page, const std::string& program) {
  auto commands = all_matches(page, "`(" + program + " [^`]*)`");
  commands.merge(all_matches(page, "\n    (" + program + " [^\n]*)"));
  return commands;
}

/// The words before the first placeholder, flag or argument: what can be asked for its help.
std::string verb_of(const std::string& command, std::size_t words) {
  std::istringstream stream(command);
  std::string verb, word;
  for (std::size_t i = 0; i < words && stream >> word; ++i) {
    if (word.find_first_not_of("abcdefghijklmnopqrstuvwxyz") != std::string::npos) break;
    verb += (verb.empty() ? "" : " ") + word;
  }
  return verb;
}

void every_command_exists(const std::string& program, const std::string& path, std::size_t words) {
  std::map<std::string, Run> helps;
  std::size_t commands = 0;
  for (const auto& entry : std::filesystem::directory_iterator(runbooks())) {
    for (const auto& command : commands_of(text_of(entry.path()), program)) {
      const auto verb = verb_of(command.substr(program.size()), words);
      ASSERT_FALSE(verb.empty()) << command;
      if (!helps.contains(verb)) helps[verb] = run("'" + path + "' " + verb + " --help");
      const auto& help = helps.at(verb);
      EXPECT_EQ(help.code, 0) << entry.path() << ": " << command << "\n" << help.output;
      // Docker prints the help of the parent where there is no such command.
      EXPECT_NE(help.output.find(program + " " + verb), std::string::npos)
          << command << help.output;
      for (const auto& flag : all_matches(command, " (--?[a-z-]+)"))
        EXPECT_NE(help.output.find(flag), std::string::npos) << entry.path() << ": " << command;
      ++commands;
    }
  }
  EXPECT_GT(commands, 20U);
}

TEST(Runbooks, EveryCommandOfOursExistsWithItsFlags) {
  every_command_exists("skep", SKEP_BINARY, 1);
}

TEST(Runbooks, EveryDockerCommandExistsWithItsFlags) {
  if (run("docker --version").code != 0) GTEST_SKIP() << "there is no docker command";
  every_command_exists("docker", "docker", 2);
}

}  // namespace
}  // namespace skep::metrics::testing
