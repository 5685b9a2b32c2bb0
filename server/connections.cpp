#include "server/connections.hpp"

#include <algorithm>

#include <sys/socket.h>

namespace skep::server {

using namespace std::chrono_literals;

Connections::Connections(std::chrono::milliseconds deadline)
    : deadline_(deadline), watcher_([this](std::stop_token stop) { watch(stop); }) {}

void Connections::opened(const void* connection, int descriptor) {
  const std::lock_guard lock(mutex_);
  entries_[connection] = {.descriptor = descriptor, .since = Steady::now()};
}

void Connections::answered(const void* connection) {
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(connection); found != entries_.end()) {
    found->second.since = Steady::now();
    found->second.endless = false;
  }
}

void Connections::endless(const void* connection) {
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(connection); found != entries_.end()) {
    found->second.endless = true;
  }
}

void Connections::closed(const void* connection) {
  const std::lock_guard lock(mutex_);
  entries_.erase(connection);
}

void Connections::watch(std::stop_token stop) {
  const auto pause = std::clamp<std::chrono::milliseconds>(deadline_ / 8, 10ms, 1000ms);
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    wake_.wait_for(lock, stop, pause, [] { return false; });
    const auto oldest = Steady::now() - deadline_;
    for (const auto& [connection, entry] : entries_) {
      // The library sees the end of the stream and closes; it alone may do that.
      if (!entry.endless && entry.since < oldest) ::shutdown(entry.descriptor, SHUT_RDWR);
    }
  }
}

}  // namespace skep::server
