#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace skep::engine {

/// A socket whose other end does what no healthy engine does: answers with given bytes, or accepts
/// and says nothing.
class StubServer {
 public:
  /// `answer` gives the bytes for a request (head and body); "" leaves the connection open and
  /// silent.
  explicit StubServer(std::function<std::string(const std::string& request)> answer);
  ~StubServer();
  StubServer(const StubServer&) = delete;
  StubServer& operator=(const StubServer&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// The requests so far, heads and bodies.
  [[nodiscard]] std::vector<std::string> requests() const;

 private:
  void serve(std::stop_token stop);
  void talk(int connection, std::stop_token stop);

  std::function<std::string(const std::string&)> answer_;
  std::string path_;
  int listener_ = -1;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::jthread thread_;
};

/// An HTTP answer with this status and body, and a ping's headers.
[[nodiscard]] std::string http_answer(int status, const std::string& body);

}  // namespace skep::engine
