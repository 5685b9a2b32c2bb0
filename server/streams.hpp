#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "server/message.hpp"

struct MHD_Connection;
struct MHD_Response;

namespace skep::server {

struct StreamLimits {
  std::size_t streams = 32;                ///< At a time, of all listeners together.
  std::chrono::milliseconds look{250};     ///< Between two questions for more.
  std::chrono::milliseconds beat{15'000};  ///< Silence after which a heartbeat goes out.
  int buffer_bytes = 64 * 1024;            ///< What the kernel may hold for one client.
};

/// Answers without an end. A stream costs no thread: between two pieces its connection is set
/// aside, and one thread asks all sources for more. A client holds one piece at most: the next one
/// is asked for when it has taken that, and the HTTP library closes one that takes nothing.
class Streams {
 public:
  /// `mask` has the last word on what is sent; `failed` is told of a source's exception, which ends
  /// its stream.
  Streams(StreamLimits limits,
          std::function<void(std::string&)> mask,
          std::function<void(std::string_view)> failed);
  ~Streams();
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  /// Takes a place for a stream to `connection`; nullptr where there are too many. The response
  /// gives the place back when the library has done with it.
  MHD_Response* open(std::shared_ptr<PieceSource> pieces, MHD_Connection* connection);
  /// Ends all of them; no connection is set aside any more when it returns.
  void close();

 private:
  using Steady = std::chrono::steady_clock;
  struct Stream;
  static std::ptrdiff_t on_read(void* cls,
                                std::uint64_t at,
                                char* buffer,
                                std::size_t size) noexcept;
  static void on_done(void* cls) noexcept;
  void feed(std::stop_token stop);
  void feed(Stream& stream, std::unique_lock<std::mutex>& lock);

  const StreamLimits limits_;
  const std::function<void(std::string&)> mask_;
  const std::function<void(std::string_view)> failed_;
  std::mutex mutex_;  ///< Guards what follows, and all streams.
  std::condition_variable_any wake_;
  std::list<std::unique_ptr<Stream>> streams_;
  bool closed_ = false;
  std::jthread feeder_;  ///< Last, so that it ends first.
};

}  // namespace skep::server
