#include "tests/e2e/cut_proxy.hpp"

#include <array>
#include <cstring>
#include <string_view>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace skep::e2e {
namespace {

constexpr int kTick = 50;  ///< Milliseconds between two looks at whether to stop.

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  return address;
}

bool send_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const auto sent = ::send(fd, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

/// The first bytes of a request that changes the swarm. The agent sends one request after the other
/// on a connection, so each begins with what is read next.
bool is_write(std::string_view bytes) {
  if (!bytes.starts_with("POST /") && !bytes.starts_with("DELETE /")) return false;
  const auto line = bytes.substr(0, bytes.find('\r'));
  return line.find("version=0 ") == std::string_view::npos;  // That only compares a secret.
}

}  // namespace

CutProxy::CutProxy(std::string listen, std::string engine, std::size_t cut_at, Where where)
    : listen_(std::move(listen)), engine_(std::move(engine)), cut_at_(cut_at), where_(where) {
  ::unlink(listen_.c_str());
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = address_of(listen_);
  EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0)
      << listen_;
  EXPECT_EQ(::listen(listener_, 64), 0);
  acceptor_ = std::jthread([this](std::stop_token stop) { accept_all(std::move(stop)); });
}

CutProxy::~CutProxy() {
  acceptor_.request_stop();
  acceptor_.join();
  for (auto& connection : connections_) connection.request_stop();
  connections_.clear();
  ::close(listener_);
  ::unlink(listen_.c_str());
}

void CutProxy::accept_all(std::stop_token stop) {
  while (!stop.stop_requested()) {
    pollfd ready{listener_, POLLIN, 0};
    if (::poll(&ready, 1, kTick) <= 0) continue;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    connections_.emplace_back(
        [this, client](std::stop_token own) { serve(client, std::move(own)); });
  }
}

void CutProxy::serve(int client, std::stop_token stop) {
  const int upstream = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = address_of(engine_);
  bool open = ::connect(upstream, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  std::array<char, 65536> buffer{};
  bool last_one = false;  // Its answer is the one that is lost.
  while (open && !stop.stop_requested()) {
    std::array<pollfd, 2> ready{{{client, POLLIN, 0}, {upstream, POLLIN, 0}}};
    if (::poll(ready.data(), ready.size(), kTick) <= 0) continue;
    for (std::size_t side = 0; side < ready.size() && open; ++side) {
      if (ready[side].revents == 0) continue;
      const auto got = ::recv(ready[side].fd, buffer.data(), buffer.size(), 0);
      if (got <= 0) {
        open = false;
        break;
      }
      const auto size = static_cast<std::size_t>(got);
      if (side == 0 && is_write({buffer.data(), size}) && ++writes_ == cut_at_) {
        if (where_ == Where::before) cut_ = true;
        last_one = where_ == Where::after;
      }
      if (side == 1 && last_one) cut_ = true;
      if (cut_) {  // Nothing passes any more; the line stays open, as a dead machine's would.
        while (!stop.stop_requested()) ::usleep(kTick * 1000);
        open = false;
        break;
      }
      open = send_all(side == 0 ? upstream : client, buffer.data(), size);
    }
  }
  ::close(client);
  ::close(upstream);
}

}  // namespace skep::e2e
