#include "tests/engine/stub_server.hpp"

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace skep::engine {

StubServer::StubServer(std::function<std::string(const std::string&)> answer)
    : answer_(std::move(answer)) {
  auto directory = (std::filesystem::temp_directory_path() / "skep-stub-XXXXXX").string();
  if (::mkdtemp(directory.data()) == nullptr) throw std::runtime_error("mkdtemp");
  path_ = directory + "/socket";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path_.c_str(), sizeof(address.sun_path) - 1);
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(listener_, 16) != 0)
    throw std::runtime_error("cannot listen on " + path_);
  thread_ = std::jthread([this](std::stop_token stop) { serve(std::move(stop)); });
}

StubServer::~StubServer() {
  thread_.request_stop();
  thread_.join();
  ::close(listener_);
  std::error_code ignored;
  std::filesystem::remove_all(std::filesystem::path(path_).parent_path(), ignored);
}

std::vector<std::string> StubServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void StubServer::serve(std::stop_token stop) {
  std::vector<std::jthread> talks;
  while (!stop.stop_requested()) {
    pollfd ready{listener_, POLLIN, 0};
    if (::poll(&ready, 1, 20) <= 0) continue;
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection >= 0) talks.emplace_back([this, connection, stop] { talk(connection, stop); });
  }
}

void StubServer::talk(int connection, std::stop_token stop) {
  std::string head;
  while (!stop.stop_requested()) {
    pollfd ready{connection, POLLIN, 0};
    if (::poll(&ready, 1, 20) <= 0) continue;
    std::array<char, 4096> buffer{};
    const auto count = ::read(connection, buffer.data(), buffer.size());
    if (count <= 0) break;
    head.append(buffer.data(), static_cast<std::size_t>(count));
    const auto end = head.find("\r\n\r\n");
    if (end == std::string::npos) continue;
    const auto length = head.find("Content-Length: ");
    const std::size_t body = length < end ? std::stoul(head.substr(length + 16)) : 0;
    if (head.size() < end + 4 + body) continue;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(head);
    }
    const auto answer = answer_(head);
    head.clear();
    if (answer.empty()) continue;
    static_cast<void>(::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL));
    if (answer.find("Connection: close") != std::string::npos) break;
  }
  ::close(connection);
}

std::string http_answer(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nApi-Version: 1.44\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

}  // namespace skep::engine
