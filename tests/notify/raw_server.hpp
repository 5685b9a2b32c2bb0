#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace skep::notify::testing {

/// A host on a loopback port, byte by byte: it shows requests as they came, and answers what no
/// healthy server does.
class RawServer {
 public:
  struct Reply {
    std::string bytes;
    std::string forever = {};  ///< Sent again and again after them, until the caller leaves.
  };
  explicit RawServer(std::function<Reply(const std::string& request)> reply);
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  [[nodiscard]] std::string origin() const;  ///< "http://127.0.0.1:PORT"
  /// The requests so far, heads and bodies.
  [[nodiscard]] std::vector<std::string> requests() const;

 private:
  void serve(const std::stop_token& stop);
  void talk(int connection, const std::stop_token& stop);

  std::function<Reply(const std::string&)> reply_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::jthread thread_;
};

/// An answer with this status, further header lines (each with its CRLF) and body.
[[nodiscard]] RawServer::Reply reply(int status,
                                     const std::string& headers = {},
                                     const std::string& body = {});
/// A header of a request as it was sent; "" where it was not. `name` as sent.
[[nodiscard]] std::string header_of(const std::string& request, const std::string& name);
[[nodiscard]] std::string first_line(const std::string& request);
[[nodiscard]] std::string body_of(const std::string& request);

}  // namespace skep::notify::testing
