#include "server/streams.hpp"

#include <algorithm>
#include <cstring>
#include <exception>

#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace skep::server {
namespace {

// The library asks for this much at a time.
constexpr std::size_t kBlock = 16 * 1024;
// A client that vanished without a word is noticed when the kernel has sent in vain for so long.
constexpr unsigned kSentInVain = 60'000;

/// Whether the client has closed its side: the library does not look while a connection is set
/// aside.
bool is_gone(int descriptor) {
  pollfd one{.fd = descriptor, .events = POLLRDHUP, .revents = 0};
  return descriptor >= 0 && ::poll(&one, 1, 0) == 1;
}

}  // namespace

struct Streams::Stream {
  Streams* owner = nullptr;
  MHD_Connection* connection = nullptr;
  int descriptor = -1;
  std::shared_ptr<PieceSource> pieces;
  std::string piece;      ///< What the client gets now.
  std::size_t taken = 0;  ///< Of it.
  bool aside = false;     ///< The connection is suspended.
  bool over = false;
  Steady::time_point spoke = Steady::now();
};

Streams::Streams(StreamLimits limits,
                 std::function<void(std::string&)> mask,
                 std::function<void(std::string_view)> failed)
    : limits_(limits),
      mask_(std::move(mask)),
      failed_(std::move(failed)),
      feeder_([this](std::stop_token stop) { feed(stop); }) {}

Streams::~Streams() { close(); }

MHD_Response* Streams::open(std::shared_ptr<PieceSource> pieces, MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  if (info != nullptr) {
    // Both only make it cheaper; a unix socket does not know the second one.
    (void)::setsockopt(info->connect_fd,
                       SOL_SOCKET,
                       SO_SNDBUF,
                       &limits_.buffer_bytes,
                       sizeof limits_.buffer_bytes);
    (void)::setsockopt(
        info->connect_fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &kSentInVain, sizeof kSentInVain);
  }
  Stream* stream = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || streams_.size() >= limits_.streams) return nullptr;
    stream = streams_.emplace_back(std::make_unique<Stream>()).get();
    stream->owner = this;
    stream->connection = connection;
    if (info != nullptr) stream->descriptor = info->connect_fd;
    stream->pieces = std::move(pieces);
  }
  auto* response =
      MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, kBlock, &on_read, stream, &on_done);
  if (response == nullptr) on_done(stream);
  return response;
}

void Streams::close() {
  feeder_.request_stop();
  wake_.notify_all();
  if (feeder_.joinable()) feeder_.join();
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (const auto& stream : streams_) {
    if (!std::exchange(stream->aside, false)) continue;
    MHD_resume_connection(stream->connection);
  }
}

std::ptrdiff_t Streams::on_read(void* cls,
                                std::uint64_t /*at*/,
                                char* buffer,
                                std::size_t size) noexcept {
  auto& stream = *static_cast<Stream*>(cls);
  auto& owner = *stream.owner;
  const std::lock_guard lock(owner.mutex_);
  const auto left = stream.piece.size() - stream.taken;
  if (left > 0) {
    const auto count = std::min(left, size);
    std::memcpy(buffer, stream.piece.data() + stream.taken, count);
    stream.taken += count;
    return static_cast<std::ptrdiff_t>(count);
  }
  if (stream.over || owner.closed_) return MHD_CONTENT_READER_END_OF_STREAM;
  stream.piece = {};
  stream.taken = 0;
  stream.aside = true;
  MHD_suspend_connection(stream.connection);
  return 0;
}

void Streams::on_done(void* cls) noexcept {
  auto* const stream = static_cast<Stream*>(cls);
  auto& owner = *stream->owner;
  const std::lock_guard lock(owner.mutex_);
  owner.streams_.remove_if([&](const auto& one) { return one.get() == stream; });
}

void Streams::feed(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    wake_.wait_for(lock, stop, limits_.look, [] { return false; });
    if (stop.stop_requested()) return;
    // A stream that is set aside cannot go meanwhile: only the library ends it, after it was
    // resumed.
    for (const auto& stream : streams_) {
      if (stream->aside) feed(*stream, lock);
    }
  }
}

void Streams::feed(Stream& stream, std::unique_lock<std::mutex>& lock) {
  std::string piece;
  bool over = is_gone(stream.descriptor);
  const bool silent = Steady::now() - stream.spoke >= limits_.beat;
  lock.unlock();  // A source may read a file; the sockets' threads do not wait for that.
  try {
    if (!over) piece = stream.pieces->next();
    if (piece.empty() && silent && !over) piece = stream.pieces->heartbeat();
    if (mask_ && !piece.empty()) mask_(piece);
  } catch (const std::exception& error) {
    if (failed_) failed_(error.what());
    piece = {};
    over = true;
  }
  lock.lock();
  if (piece.empty() && !over) return;
  stream.piece = std::move(piece);
  stream.over = over;
  stream.spoke = Steady::now();
  stream.aside = false;
  MHD_resume_connection(stream.connection);
}

}  // namespace skep::server
