#pragma once

#include <cstdint>
#include <string>

#include "core/result.hpp"

namespace skep::server {

/// A socket that is bound and listens. Closes it, and removes its file, when it goes.
class ListenSocket {
 public:
  /// "HOST:PORT", "[IPV6]:PORT", ":PORT" (every address of both families), "unix:/PATH" or "/PATH".
  /// Port 0 takes a free one. A unix socket has mode 0600 from its first moment; a file that a dead
  /// server left there is replaced, one that somebody listens on or that is no socket is not.
  /// Errors: invalid_input (not an address), unavailable (in use, not permitted).
  static Result<ListenSocket> open(const std::string& address);

  ListenSocket(ListenSocket&& other) noexcept;
  ListenSocket& operator=(ListenSocket&&) = delete;
  ListenSocket(const ListenSocket&) = delete;
  ListenSocket& operator=(const ListenSocket&) = delete;
  ~ListenSocket();

  [[nodiscard]] bool is_unix() const noexcept { return !path_.empty(); }
  /// Where it really listens: the port is the one that was taken.
  [[nodiscard]] std::string address() const;
  [[nodiscard]] int descriptor() const noexcept { return fd_; }
  /// Somebody else closes the descriptor from now on; the file stays ours.
  int release() noexcept;

 private:
  ListenSocket() = default;
  static Result<ListenSocket> open_tcp(const std::string& host, const std::string& port);
  static Result<ListenSocket> open_unix(const std::string& path);

  int fd_ = -1;
  std::string host_;
  std::uint16_t port_ = 0;
  std::string path_;
  std::uint64_t inode_ = 0;  ///< Of the file, so that a successor's is not removed.
};

}  // namespace skep::server
