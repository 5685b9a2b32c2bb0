#include "tests/server/http_fixture.hpp"

#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace skep::server::testing {

FakeControl::FakeControl() {
  current.version = "0.1.0";
  current.source = "https://git.example.com/cluster.git main";
  ports::StackStatus web;
  web.group = "apps";
  web.name = "web";
  web.path = "apps/web";
  web.mode = "auto";
  web.sync = ports::SyncState::out_of_sync;
  web.health = ports::Health::healthy;
  web.held = true;
  ports::StackStatus proxy = web;
  proxy.group = "management";
  proxy.name = "proxy";
  proxy.held = false;
  current.stacks = {proxy, web};
}

ports::AgentStatus FakeControl::status() const { return current; }

Result<void> FakeControl::approve(const std::string& stack, const std::string& actor) {
  const std::lock_guard lock(mutex_);
  if (stack != "apps/web") {
    return Error{.kind = ErrorKind::invalid_input, .message = stack + " holds nothing back"};
  }
  calls_.push_back("approve " + stack + " by " + actor);
  return {};
}

Result<void> FakeControl::sync(const std::string& stack, const std::string& actor) {
  const std::lock_guard lock(mutex_);
  calls_.push_back("sync " + stack + " by " + actor);
  return {};
}

Result<void> FakeControl::suspend(const std::string& stack,
                                  const ports::SuspendRequest& request,
                                  const std::string& actor) {
  const std::lock_guard lock(mutex_);
  const auto milliseconds = request.duration ? std::to_string(request.duration->count()) : "ever";
  calls_.push_back("suspend " + stack + " for " + milliseconds + " (" + request.reason + ") by " +
                   actor);
  return {};
}

Result<void> FakeControl::resume(const std::string& stack, const std::string& actor) {
  const std::lock_guard lock(mutex_);
  calls_.push_back("resume " + stack + " by " + actor);
  return {};
}

Result<void> FakeControl::rollback(const std::string& stack,
                                   const std::string& revision,
                                   const std::string& actor) {
  const std::lock_guard lock(mutex_);
  if (revision == "unknown")
    return Error{.kind = ErrorKind::invalid_input, .message = "no commit \"unknown\""};
  calls_.push_back("rollback " + stack + " to " + revision + " by " + actor);
  return {};
}

Result<void> FakeControl::accept_history(const std::string& actor) {
  const std::lock_guard lock(mutex_);
  calls_.push_back("accept history by " + actor);
  return {};
}

Result<ports::Explanation> FakeControl::explain(const std::string& stack) const {
  ports::Explanation explanation;
  explanation.stack = stack;
  explanation.summary = "suspended by uid 0";
  ports::Condition condition;
  condition.name = "suspension";
  condition.state = ports::Condition::State::stopped;
  condition.text = "suspended by uid 0";
  condition.remedy = "`skep resume web` ends it";
  condition.until = WallTime(std::chrono::milliseconds(1'700'000'000'123));
  explanation.conditions.push_back(condition);
  explanation.services.push_back(
      {"web_app", "app:1", 0, 2, "updating", "non-zero exit (1)", {"bad \xff byte"}});
  return explanation;
}

Result<std::vector<ports::TaskStatus>> FakeControl::tasks(const std::string& /*stack*/) const {
  if (!engine_trouble.empty())
    return Error{.kind = ErrorKind::unavailable, .message = engine_trouble};
  ports::TaskStatus task;
  task.id = "t1";
  task.service = "web_app";
  task.node = "n1";
  task.slot = 2;
  task.state = "failed";
  task.error = "task: non-zero exit (1)";
  return std::vector{task};
}

Result<ports::Trace> FakeControl::trace(const std::string& service) const {
  if (service != "web_app") {
    return Error{.kind = ErrorKind::invalid_input,
                 .message = "no stack of the repository has a service " + service};
  }
  ports::Trace trace;
  trace.service = service;
  trace.stack = "apps/web";
  trace.at = SourcePosition{"apps/web/docker-compose.yml", 3, 5};
  trace.running.commit = std::string(40, 'a');
  return trace;
}

std::vector<std::string> FakeControl::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

namespace {

int connect_tcp(const std::string& host, const std::string& port) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  const auto number = htons(static_cast<std::uint16_t>(std::stoi(port)));
  v4.sin_family = AF_INET;
  v4.sin_port = number;
  v6.sin6_family = AF_INET6;
  v6.sin6_port = number;
  const bool is_v6 = ::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1;
  if (!is_v6 && ::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) != 1) return -1;
  const int fd = ::socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto* address =
      is_v6 ? reinterpret_cast<const sockaddr*>(&v6) : reinterpret_cast<const sockaddr*>(&v4);
  const auto length = static_cast<socklen_t>(is_v6 ? sizeof v6 : sizeof v4);
  if (::connect(fd, address, length) == 0) return fd;
  ::close(fd);
  return -1;
}

int connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

}  // namespace

RawClient::RawClient(const std::string& address) {
  if (address.starts_with("unix:")) {
    fd_ = connect_unix(address.substr(5));
  } else {
    const auto colon = address.rfind(':');
    auto host = address.substr(0, colon);
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    fd_ = connect_tcp(host, address.substr(colon + 1));
  }
  const timeval patience{.tv_sec = 10, .tv_usec = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

RawClient::~RawClient() {
  if (fd_ >= 0) ::close(fd_);
}

bool RawClient::send(std::string_view text) {
  while (!text.empty()) {
    const auto sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

Reply RawClient::receive(bool head_only) {
  std::string text;
  char buffer[16384];
  std::size_t head_end = std::string::npos, wanted = std::string::npos;
  while (wanted == std::string::npos || text.size() < wanted) {
    const auto count = ::recv(fd_, buffer, sizeof buffer, 0);
    if (count <= 0) break;
    text.append(buffer, static_cast<std::size_t>(count));
    if (head_end == std::string::npos) {
      head_end = text.find("\r\n\r\n");
      if (head_end == std::string::npos) continue;
      const auto length = text.find("Content-Length: ");
      const bool has_length = length < head_end && !head_only;
      wanted = head_end + 4 + (has_length ? std::stoul(text.substr(length + 16)) : 0);
    }
  }
  Reply reply;
  if (!text.starts_with("HTTP/1.1 ") || head_end == std::string::npos) return reply;
  reply.status = std::stoi(text.substr(9, 3));
  reply.head = text.substr(0, head_end + 2);
  reply.body = text.substr(head_end + 4);
  return reply;
}

std::string RawClient::receive_until(std::string_view marker) {
  std::string text;
  char buffer[16384];
  while (text.find(marker) == std::string::npos) {
    const auto count = ::recv(fd_, buffer, sizeof buffer, 0);
    if (count <= 0) break;
    text.append(buffer, static_cast<std::size_t>(count));
  }
  return text;
}

bool RawClient::readable(std::chrono::milliseconds time) const {
  pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, static_cast<int>(time.count())) > 0;
}

bool RawClient::closed_within(std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  char buffer[4096];
  while (std::chrono::steady_clock::now() < end) {
    pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, 20) <= 0) continue;
    if (::recv(fd_, buffer, sizeof buffer, 0) <= 0) return true;
  }
  return false;
}

Reply fetch(const std::string& address,
            const std::string& method,
            const std::string& target,
            const std::vector<std::string>& headers,
            const std::string& body) {
  RawClient client(address);
  auto text = method + " " + target + " HTTP/1.1\r\nHost: skep\r\n";
  for (const auto& header : headers) text += header + "\r\n";
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  client.send(text + "\r\n" + body);
  return client.receive(method == "HEAD");
}

std::size_t append_for_curl(char* data, std::size_t size, std::size_t count, void* text) {
  static_cast<std::string*>(text)->append(data, size * count);
  return size * count;
}

TemporaryDirectory::TemporaryDirectory() {
  auto name = (std::filesystem::temp_directory_path() / "skep-server-XXXXXX").string();
  path_ = ::mkdtemp(name.data());
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace skep::server::testing
