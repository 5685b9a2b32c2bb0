#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace skep::server {

/// A few threads for handlers that may wait, so that no socket waits behind them.
class Workers {
 public:
  /// `most` jobs wait at a time.
  Workers(std::size_t threads, std::size_t most);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// False where too many wait already, or after close().
  [[nodiscard]] bool post(std::function<void()> job);
  /// Does what waits, takes nothing more, and returns when all is done.
  void close();

 private:
  void work();

  const std::size_t most_;
  std::mutex mutex_;  ///< Guards what follows.
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool closed_ = false;
  std::vector<std::jthread> threads_;  ///< Last, so that they end first.
};

}  // namespace skep::server
