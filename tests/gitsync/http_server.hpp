#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/gitsync/tls_certificate.hpp"

struct MHD_Daemon;

namespace skep::gitsync::test {

/// Serves the repositories of a directory on a loopback port through `git http-backend`, as a real
/// git host does.
class HttpServer {
 public:
  struct Options {
    std::filesystem::path root = {};
    std::optional<TlsCertificate> tls = {};  ///< https where given.
    std::string host = "localhost";          ///< As url() names it.
    std::string user = {}, password = {};    ///< Basic authentication where a user is given.
    std::string redirect_to = {};  ///< Answers every request with 301 to here, where given.
    int status = 0;                ///< Answers every request with it, where given.
  };
  explicit HttpServer(Options options);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// "https://HOST:PORT/REPOSITORY".
  [[nodiscard]] std::string url(const std::string& repository) const;
  /// Requests that asked for a pack.
  [[nodiscard]] int downloads() const { return downloads_; }
  [[nodiscard]] int requests() const { return requests_; }
  /// From now on a pack's answer stops in the middle and says no more.
  void stall_downloads(bool on) { stall_ = on; }

  class Handler;  ///< What the library calls.

 private:
  const Options options_;
  std::uint16_t port_ = 0;
  std::atomic<int> downloads_ = 0, requests_ = 0;
  std::atomic<bool> stall_ = false, closing_ = false;
  MHD_Daemon* daemon_ = nullptr;
};

}  // namespace skep::gitsync::test
