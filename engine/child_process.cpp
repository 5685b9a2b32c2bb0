#include "engine/child_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace skep::engine {
namespace {

constexpr std::size_t kOutputLimit = 64 << 10;
constexpr int kStopCheckMilliseconds = 100;

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const noexcept { return number_; }
  void reset(int number = -1) {
    if (number_ >= 0) ::close(number_);
    number_ = number;
  }

 private:
  int number_;
};

/// Ends the child and takes its exit status, whatever path leads out.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_;
};

Result<pid_t> spawn(const std::vector<std::string>& arguments, int in, int out) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  auto words = arguments;
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  pid_t pid = 0;
  const int failed =
      ::posix_spawnp(&pid, pointers.front(), &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0)
    return Error{ErrorKind::invalid_input,
                 "cannot run " + arguments.front() + ": " + std::strerror(failed),
                 {}};
  return pid;
}

}  // namespace

Result<ChildOutput> run_child(const std::vector<std::string>& arguments,
                              const std::string& input,
                              std::chrono::milliseconds deadline,
                              std::stop_token stop) {
  // A socket pair, not a pipe, for the input: writing to it can be told not to raise SIGPIPE.
  std::array<int, 2> in_ends{-1, -1}, out_ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in_ends.data()) != 0)
    return Error{ErrorKind::unavailable, "cannot make a socket pair", {}};
  Descriptor in_ours(in_ends[0]), in_theirs(in_ends[1]);
  if (::pipe2(out_ends.data(), O_CLOEXEC) != 0)
    return Error{ErrorKind::unavailable, "cannot make a pipe", {}};
  Descriptor out_ours(out_ends[0]), out_theirs(out_ends[1]);
  auto pid = spawn(arguments, in_theirs.get(), out_theirs.get());
  if (!pid) return std::move(pid).error();
  Child child(*pid);
  in_theirs.reset();
  out_theirs.reset();
  // The inputs here are host names: far below what the socket's buffer holds.
  if (::send(in_ours.get(), input.data(), input.size(), MSG_NOSIGNAL) < 0 && errno != EPIPE)
    return Error{ErrorKind::unavailable, "cannot write to " + arguments.front(), {}};
  ::shutdown(in_ours.get(), SHUT_WR);

  std::string out;
  const auto until = std::chrono::steady_clock::now() + deadline;
  for (;;) {
    if (stop.stop_requested()) return Error{ErrorKind::cancelled, "stopped", {}};
    if (std::chrono::steady_clock::now() >= until)
      return Error{ErrorKind::unavailable, arguments.front() + " did not finish in time", {}};
    pollfd ready{out_ours.get(), POLLIN, 0};
    if (::poll(&ready, 1, kStopCheckMilliseconds) <= 0) continue;
    std::array<char, 4096> buffer{};
    const auto count = ::read(out_ours.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    out.append(buffer.data(), static_cast<std::size_t>(count));
    ::explicit_bzero(buffer.data(), buffer.size());
    if (out.size() > kOutputLimit)
      return Error{ErrorKind::unavailable, arguments.front() + " says too much", {}};
  }
  return ChildOutput{.exit_code = child.wait(), .out = Secret(std::move(out))};
}

}  // namespace skep::engine
