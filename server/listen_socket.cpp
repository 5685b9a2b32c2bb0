#include "server/listen_socket.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/handle.hpp"

namespace skep::server {
namespace {

constexpr int kBacklog = 512;

Error system_error(ErrorKind kind, const std::string& doing, int code) {
  return Error{.kind = kind, .message = doing + ": " + std::generic_category().message(code)};
}

Error not_an_address(const std::string& address) {
  return Error{.kind = ErrorKind::invalid_input,
               .message = "\"" + address +
                          "\" is no address to listen on; write HOST:PORT, [IPV6]:PORT, :PORT or "
                          "unix:/PATH"};
}

std::uint16_t port_of(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return 0;
  if (storage.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

// 0 where it listens, else the errno.
int listen_on(int fd, const addrinfo& address, bool both_families) {
  const int on = 1;
  const int only_v6 = both_families ? 0 : 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.ai_family == AF_INET6) {
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6);
  }
  if (::bind(fd, address.ai_addr, address.ai_addrlen) != 0) return errno;
  return ::listen(fd, kBacklog) == 0 ? 0 : errno;
}

bool somebody_listens(const sockaddr_un& address) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return true;
  const int result = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int code = errno;
  ::close(fd);
  // A full backlog (EAGAIN) or a missing right is somebody too.
  return result == 0 || (code != ECONNREFUSED && code != ENOENT);
}

}  // namespace

ListenSocket::ListenSocket(ListenSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      host_(std::move(other.host_)),
      port_(other.port_),
      path_(std::exchange(other.path_, {})),
      inode_(other.inode_) {}

ListenSocket::~ListenSocket() {
  if (fd_ >= 0) ::close(fd_);
  struct stat file {};
  if (!path_.empty() && ::lstat(path_.c_str(), &file) == 0 && file.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
}

int ListenSocket::release() noexcept { return std::exchange(fd_, -1); }

std::string ListenSocket::address() const {
  if (is_unix()) return "unix:" + path_;
  const bool v6 = host_.find(':') != std::string::npos;
  return (v6 ? "[" + host_ + "]" : host_) + ":" + std::to_string(port_);
}

Result<ListenSocket> ListenSocket::open(const std::string& address) {
  if (address.starts_with("unix:")) return open_unix(address.substr(5));
  if (address.starts_with('/')) return open_unix(address);
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) return not_an_address(address);
  auto host = address.substr(0, colon);
  const auto port = address.substr(colon + 1);
  if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != port.npos ||
      std::stoi(port) > 65535) {
    return not_an_address(address);
  }
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return not_an_address(address);
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return not_an_address(address);
  }
  return open_tcp(host, port);
}

Result<ListenSocket> ListenSocket::open_tcp(const std::string& host, const std::string& port) {
  const auto doing = "listen on " + host + ":" + port;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* raw = nullptr;
  // "" is every address: one IPv6 socket that takes IPv4 too, or IPv4 where a host has no IPv6.
  const bool every = host.empty();
  const char* name = every ? "::" : host.c_str();
  int code = ::getaddrinfo(name, port.c_str(), &hints, &raw);
  if (code != 0) {
    return Error{.kind = ErrorKind::unavailable, .message = doing + ": " + ::gai_strerror(code)};
  }
  Handle<addrinfo, ::freeaddrinfo> addresses(raw);
  int last = EADDRNOTAVAIL;
  const auto attempt = [&](const addrinfo& address) -> std::unique_ptr<ListenSocket> {
    std::unique_ptr<ListenSocket> opened(new ListenSocket);
    opened->fd_ = ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    last = opened->fd_ < 0 ? errno : listen_on(opened->fd_, address, every);
    if (last != 0) return nullptr;
    opened->host_ = every ? (address.ai_family == AF_INET6 ? "::" : "0.0.0.0") : host;
    opened->port_ = port_of(opened->fd_);
    return opened;
  };
  for (const auto* address = addresses.get(); address != nullptr; address = address->ai_next) {
    if (auto opened = attempt(*address)) return std::move(*opened);
  }
  if (every && last != EADDRINUSE) {
    if (::getaddrinfo("0.0.0.0", port.c_str(), &hints, &raw) == 0) {
      addresses.reset(raw);
      if (auto opened = attempt(*addresses)) return std::move(*opened);
    }
  }
  return system_error(ErrorKind::unavailable, doing, last);
}

Result<ListenSocket> ListenSocket::open_unix(const std::string& path) {
  const auto doing = "listen on " + path;
  sockaddr_un address{};
  if (path.size() < 2 || !path.starts_with('/') || path.size() >= sizeof address.sun_path) {
    return Error{.kind = ErrorKind::invalid_input,
                 .message = doing + ": a socket's path is absolute and at most " +
                            std::to_string(sizeof address.sun_path - 1) + " bytes long"};
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());

  struct stat file {};
  if (::lstat(path.c_str(), &file) == 0) {
    if (!S_ISSOCK(file.st_mode)) {
      return Error{.kind = ErrorKind::invalid_input,
                   .message = doing + ": there is something else that is no socket"};
    }
    if (somebody_listens(address)) {
      return Error{.kind = ErrorKind::unavailable,
                   .message = doing + ": another process listens there"};
    }
    ::unlink(path.c_str());
  }
  ListenSocket opened;
  opened.fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (opened.fd_ < 0) return system_error(ErrorKind::unavailable, doing, errno);
  // On Linux the file takes its mode from the unbound socket, so there is no moment at which others
  // can connect.
  ::fchmod(opened.fd_, S_IRUSR | S_IWUSR);
  if (::bind(opened.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return system_error(ErrorKind::unavailable, doing, errno);
  }
  opened.path_ = path;
  if (::lstat(path.c_str(), &file) == 0) opened.inode_ = file.st_ino;
  if ((file.st_mode & 0777) != 0600 && ::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0) {
    return system_error(ErrorKind::unavailable, doing, errno);
  }
  if (::listen(opened.fd_, kBacklog) != 0) {
    return system_error(ErrorKind::unavailable, doing, errno);
  }
  return opened;
}

}  // namespace skep::server
