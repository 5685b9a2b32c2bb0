#include "metrics/process_series.hpp"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

namespace skep::metrics {
namespace {

struct ProcessTimes {
  double cpu_seconds = 0;
  double start_seconds_after_boot = 0;
  double virtual_bytes = 0;
  double resident_bytes = 0;
};

// proc(5), /proc/pid/stat: the second field is the program's name in parentheses and may itself
// hold blanks and parentheses, so counting starts after the last ')'.
std::optional<ProcessTimes> read_stat() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  for (int field = 16; field < 22; ++field) fields >> skipped;
  double start = 0, virtual_bytes = 0, resident_pages = 0;
  fields >> start >> virtual_bytes >> resident_pages;
  if (!fields) return std::nullopt;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  return ProcessTimes{.cpu_seconds = (user + system) / ticks,
                      .start_seconds_after_boot = start / ticks,
                      .virtual_bytes = virtual_bytes,
                      .resident_bytes = resident_pages * page};
}

std::optional<double> boot_time() {
  std::ifstream file("/proc/stat");
  std::string word;
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    double seconds = 0;
    if (fields >> word >> seconds && word == "btime") return seconds;
  }
  return std::nullopt;
}

std::optional<double> open_descriptors() {
  std::error_code error;
  double count = 0;
  std::filesystem::directory_iterator entry("/proc/self/fd", error);
  while (!error && entry != std::filesystem::directory_iterator()) {
    ++count;
    entry.increment(error);
  }
  if (error) return std::nullopt;
  return count - 1;  // the iterator's own
}

}  // namespace

void write_process_series(Exposition& out) {
  if (const auto times = read_stat()) {
    out.counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.");
    out.value(times->cpu_seconds);
    out.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.");
    out.value(times->virtual_bytes);
    out.gauge("process_resident_memory_bytes", "Resident memory size in bytes.");
    out.value(times->resident_bytes);
    if (const auto boot = boot_time()) {
      out.gauge("process_start_time_seconds",
                "Start time of the process since unix epoch in seconds.");
      out.value(*boot + times->start_seconds_after_boot);
    }
  }
  if (const auto count = open_descriptors()) {
    out.gauge("process_open_fds", "Number of open file descriptors.");
    out.value(*count);
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    out.gauge("process_max_fds", "Maximum number of open file descriptors.");
    out.value(static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace skep::metrics
