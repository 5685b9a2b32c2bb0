#include "tests/notify/raw_server.hpp"

#include <array>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace skep::notify::testing {

RawServer::RawServer(std::function<Reply(const std::string&)> reply) : reply_(std::move(reply)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    throw std::runtime_error("cannot listen on 127.0.0.1");
  port_ = ntohs(address.sin_port);
  thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
}

RawServer::~RawServer() {
  thread_.request_stop();
  thread_.join();
  ::close(listener_);
}

std::string RawServer::origin() const { return "http://127.0.0.1:" + std::to_string(port_); }

std::vector<std::string> RawServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void RawServer::serve(const std::stop_token& stop) {
  std::vector<std::jthread> talks;
  while (!stop.stop_requested()) {
    pollfd ready{listener_, POLLIN, 0};
    if (::poll(&ready, 1, 20) <= 0) continue;
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection >= 0) talks.emplace_back([this, connection, stop] { talk(connection, stop); });
  }
}

void RawServer::talk(int connection, const std::stop_token& stop) {
  std::string request;
  bool open = true;
  while (open && !stop.stop_requested()) {
    pollfd ready{connection, POLLIN, 0};
    if (::poll(&ready, 1, 20) <= 0) continue;
    std::array<char, 4096> buffer{};
    const auto count = ::read(connection, buffer.data(), buffer.size());
    if (count <= 0) break;
    request.append(buffer.data(), static_cast<std::size_t>(count));
    const auto end = request.find("\r\n\r\n");
    if (end == std::string::npos) continue;
    const auto length = header_of(request, "Content-Length");
    if (request.size() < end + 4 + (length.empty() ? 0 : std::stoul(length))) continue;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const auto answer = reply_(request);
    request.clear();
    const auto send = [&](const std::string& bytes) {
      return ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0;
    };
    open = send(answer.bytes);
    while (open && !answer.forever.empty() && !stop.stop_requested()) open = send(answer.forever);
  }
  ::close(connection);
}

RawServer::Reply reply(int status, const std::string& headers, const std::string& body) {
  return {"HTTP/1.1 " + std::to_string(status) + " X\r\n" + headers +
              "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
          {}};
}

std::string header_of(const std::string& request, const std::string& name) {
  const auto at = request.find("\r\n" + name + ": ");
  if (at == std::string::npos || at > request.find("\r\n\r\n")) return {};
  const auto begin = at + name.size() + 4;
  return request.substr(begin, request.find("\r\n", begin) - begin);
}

std::string first_line(const std::string& request) {
  return request.substr(0, request.find("\r\n"));
}

std::string body_of(const std::string& request) {
  return request.substr(request.find("\r\n\r\n") + 4);
}

}  // namespace skep::notify::testing
