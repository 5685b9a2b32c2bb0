#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/wait.h>

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

}  // namespace
}  // namespace skep::metrics::testing
