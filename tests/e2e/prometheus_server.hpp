#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>
#include <sys/types.h>

namespace skep::e2e {

/// A real Prometheus of the test's own, on loopback, that scrapes one target each second as the job
/// "skep". Ends with the object.
class PrometheusServer {
 public:
  /// Whether Debian's package is installed.
  [[nodiscard]] static bool available();
  /// `target`: "127.0.0.1:9920". Rules of deploy/prometheus are loaded and evaluated each second.
  PrometheusServer(std::filesystem::path directory, const std::string& target);
  ~PrometheusServer();
  PrometheusServer(const PrometheusServer&) = delete;
  PrometheusServer& operator=(const PrometheusServer&) = delete;

  [[nodiscard]] bool ready() const;
  /// The `data` of the answer; a test failure, and null, where the query is refused.
  [[nodiscard]] nlohmann::json query(const std::string& expression) const;
  /// In steps of one second.
  [[nodiscard]] nlohmann::json query_range(const std::string& expression,
                                           double from,
                                           double to) const;
  [[nodiscard]] std::string log() const;

 private:
  [[nodiscard]] nlohmann::json get(const std::string& path,
                                   const std::vector<std::string>& fields) const;

  std::filesystem::path directory_;
  std::string address_;
  pid_t pid_ = -1;
};

}  // namespace skep::e2e
