#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace skep::e2e {

/// Stands between the agent and its engine, and cuts the line at a chosen write: from then on
/// nothing passes in either direction, as for an agent that is killed at that very moment.
class CutProxy {
 public:
  enum class Where {
    before,  ///< The engine never hears of the write.
    after,   ///< It carries the write out, and its answer is lost.
  };
  /// `cut_at` 1 is the first write; 0 cuts nothing.
  CutProxy(std::string listen, std::string engine, std::size_t cut_at, Where where);
  ~CutProxy();
  CutProxy(const CutProxy&) = delete;
  CutProxy& operator=(const CutProxy&) = delete;

  [[nodiscard]] std::string docker_host() const { return "unix://" + listen_; }
  [[nodiscard]] bool cut() const noexcept { return cut_; }
  [[nodiscard]] std::size_t writes() const noexcept { return writes_; }

 private:
  void accept_all(std::stop_token stop);
  void serve(int client, std::stop_token stop);

  std::string listen_, engine_;
  std::size_t cut_at_;
  Where where_;
  int listener_ = -1;
  std::atomic<bool> cut_{false};
  std::atomic<std::size_t> writes_{0};
  std::vector<std::jthread> connections_;  ///< Of the accepting thread.
  std::jthread acceptor_;
};

}  // namespace skep::e2e
