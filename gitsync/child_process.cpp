#include "gitsync/child_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gitsync/descriptor.hpp"

namespace skep::gitsync {
namespace {

using Deadline = std::chrono::steady_clock::time_point;

/// A started process that is killed and collected when this goes.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() {
    if (pid_ > 0) finish(Deadline{});
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Waits until `patience`, then kills. Returns the wait status.
  int finish(Deadline patience) {
    int status = 0;
    while (::waitpid(pid_, &status, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() >= patience) {
        ::kill(pid_, SIGKILL);
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        break;
      }
      ::usleep(2000);  // it has closed its output: it is about to end
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_;
};

Error system_error(std::string_view doing, int number) {
  return Error{ErrorKind::unavailable, std::generic_category().message(number)}.within(doing);
}

std::vector<std::string> kept_environment() {
  constexpr std::array kKept{"http_proxy",
                             "https_proxy",
                             "no_proxy",
                             "HTTP_PROXY",
                             "HTTPS_PROXY",
                             "NO_PROXY",
                             "SSL_CERT_FILE",
                             "SSL_CERT_DIR",
                             "LD_LIBRARY_PATH",
                             "ASAN_OPTIONS",
                             "LSAN_OPTIONS",
                             "TSAN_OPTIONS",
                             "UBSAN_OPTIONS"};
  std::vector<std::string> kept;
  for (const char* const name : kKept)
    if (const char* const value = std::getenv(name))  // NOLINT(concurrency-mt-unsafe): never set
      kept.push_back(std::string(name) + "=" + value);
  return kept;
}

Result<pid_t> spawn(const ChildCall& call, int input, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);  // a terminal's Ctrl-C is ours to act on
  ::posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::string program = call.executable.string();
  std::string argument = call.argument;
  auto environment = kept_environment();
  std::vector<char*> arguments{program.data(), argument.data(), nullptr};
  std::vector<char*> variables;
  for (auto& variable : environment) variables.push_back(variable.data());
  variables.push_back(nullptr);
  pid_t pid = -1;
  const int code = ::posix_spawn(
      &pid, program.c_str(), &actions, &attributes, arguments.data(), variables.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (code != 0) return system_error("start " + program, code);
  return pid;
}

std::string describe(int status) {
  if (WIFSIGNALED(status))
    return "the fetching process was killed by signal " + std::to_string(WTERMSIG(status)) +
           " before it answered (out of memory?)";
  return "the fetching process ended without an answer, exit code " +
         std::to_string(WEXITSTATUS(status));
}

/// Feeds the input and collects the output until the child closes it.
Result<std::string> talk(const ChildCall& call,
                         Descriptor input,
                         const Descriptor& output,
                         const Descriptor& wake,
                         Deadline deadline,
                         const std::stop_token& stop) {
  std::string answer;
  auto rest = call.input;
  for (;;) {
    if (stop.stop_requested()) return Error{ErrorKind::cancelled, "stopped"};
    if (rest.empty()) input.reset();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      return Error{
          ErrorKind::unavailable,
          "not done within the deadline of " +
              std::to_string(std::chrono::ceil<std::chrono::seconds>(call.deadline).count()) +
              " s: the remote does not answer, or the repository is too large for it"};
    std::array<pollfd, 3> polled{pollfd{output.get(), POLLIN, 0},
                                 pollfd{wake.get(), POLLIN, 0},
                                 pollfd{input.get(), POLLOUT, 0}};
    const auto patience = static_cast<int>(std::min<long long>(left.count() + 1, 60'000));
    if (::poll(polled.data(), polled.size(), patience) < 0) {
      if (errno == EINTR) continue;
      return system_error("wait for the fetching process", errno);
    }
    if (input.is_open() && polled[2].revents != 0) {
      const auto sent = ::send(input.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0)
        rest.remove_prefix(static_cast<std::size_t>(sent));
      else if (sent < 0 && errno != EAGAIN && errno != EINTR)
        rest = {};  // it went away; its end tells more than this error
    }
    if (polled[0].revents != 0) {
      std::array<char, 16384> chunk;
      const auto count = ::read(output.get(), chunk.data(), chunk.size());
      if (count == 0) return answer;
      if (count < 0) {
        if (errno == EINTR || errno == EAGAIN) continue;
        return system_error("read from the fetching process", errno);
      }
      answer.append(chunk.data(), static_cast<std::size_t>(count));
      if (answer.size() > call.largest_answer)
        return Error{ErrorKind::unavailable, "the fetching process answered too much"};
    }
  }
}

}  // namespace

Result<std::string> run_child(const ChildCall& call, std::stop_token stop) {
  if (stop.stop_requested()) return Error{ErrorKind::cancelled, "stopped"};
  const auto deadline = std::chrono::steady_clock::now() + call.deadline;
  // A socket for the way in, so that a child that is gone is an error code and not a SIGPIPE.
  std::array<int, 2> way_in{}, way_out{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, way_in.data()) != 0)
    return system_error("socketpair", errno);
  Descriptor our_in(way_in[0]), its_in(way_in[1]);
  if (::pipe2(way_out.data(), O_CLOEXEC) != 0) return system_error("pipe", errno);
  Descriptor our_out(way_out[0]), its_out(way_out[1]);
  const Descriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.is_open()) return system_error("eventfd", errno);
  auto pid = spawn(call, its_in.get(), its_out.get());
  if (!pid) return std::move(pid).error();
  its_in.reset();
  its_out.reset();
  Child child(*pid);
  const std::stop_callback on_stop(stop, [&wake] { ::eventfd_write(wake.get(), 1); });
  auto answer = talk(call, std::move(our_in), our_out, wake, deadline, stop);
  if (!answer) return answer;  // ~Child kills
  const int status = child.finish(std::chrono::steady_clock::now() + std::chrono::seconds(1));
  if (answer->empty()) return Error{ErrorKind::unavailable, describe(status)};
  return answer;
}

}  // namespace skep::gitsync
