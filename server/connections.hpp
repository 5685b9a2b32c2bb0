#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>

namespace skep::server {

/// Ends connections whose request takes too long. The HTTP library only knows a time without any
/// byte, which a client beats by sending one now and then.
class Connections {
 public:
  explicit Connections(std::chrono::milliseconds deadline);
  ~Connections() = default;

  void opened(const void* connection, int descriptor);
  /// An answer has been sent: the time of the next request begins.
  void answered(const void* connection);
  /// The answer has no end: until it has been sent there is no deadline.
  void endless(const void* connection);
  /// Must be called before the descriptor is closed.
  void closed(const void* connection);

 private:
  using Steady = std::chrono::steady_clock;
  struct Entry {
    int descriptor = -1;
    Steady::time_point since;
    bool endless = false;
  };
  void watch(std::stop_token stop);

  const std::chrono::milliseconds deadline_;
  std::mutex mutex_;  ///< Guards the entries; a descriptor in there is open while it is held.
  std::condition_variable_any wake_;
  std::map<const void*, Entry> entries_;
  std::jthread watcher_;  ///< Last, so that it ends first.
};

}  // namespace skep::server
