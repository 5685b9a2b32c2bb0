#include "tests/lab/command.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace skep::lab {
namespace {

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) ends = {-1, -1};
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_end(std::size_t end) {
    if (ends.at(end) >= 0) ::close(ends.at(end));
    ends.at(end) = -1;
  }
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!added.contains(text.substr(0, text.find('=')))) result.push_back(text);
  }
  for (const auto& [name, value] : added) result.push_back(name + "=" + value);
  return result;
}

}  // namespace

CommandOutput run(const std::vector<std::string>& arguments,
                  const std::map<std::string, std::string>& environment,
                  const std::string& standard_input) {
  CommandOutput output;
  Pipe in, out, err;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.ends[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out.ends[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err.ends[1], 2);
  auto words = arguments;
  auto variables = merged_environment(environment);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child,
                                    words.front().c_str(),
                                    &actions,
                                    nullptr,
                                    pointers(words).data(),
                                    pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    output.exit_code = 127;
    output.err = words.front() + ": " + std::strerror(failed);
    return output;
  }
  in.close_end(0);
  out.close_end(1);
  err.close_end(1);
  // A child that does not read its input must not end the test.
  auto* const before = ::signal(SIGPIPE, SIG_IGN);
  std::size_t written = 0;
  if (standard_input.empty()) in.close_end(1);
  while (out.ends[0] >= 0 || err.ends[0] >= 0) {
    std::array<pollfd, 3> wait{pollfd{out.ends[0], POLLIN, 0},
                               pollfd{err.ends[0], POLLIN, 0},
                               pollfd{in.ends[1], POLLOUT, 0}};
    if (::poll(wait.data(), wait.size(), -1) < 0 && errno != EINTR) break;
    const auto take = [](Pipe& pipe, const pollfd& ready, std::string& into) {
      if (ready.revents == 0) return;
      std::array<char, 16384> buffer{};
      const auto count = ::read(pipe.ends[0], buffer.data(), buffer.size());
      if (count > 0)
        into.append(buffer.data(), static_cast<std::size_t>(count));
      else
        pipe.close_end(0);
    };
    take(out, wait[0], output.out);
    take(err, wait[1], output.err);
    if (wait[2].revents != 0) {
      const auto count =
          ::write(in.ends[1], standard_input.data() + written, standard_input.size() - written);
      if (count > 0) written += static_cast<std::size_t>(count);
      if (count <= 0 || written == standard_input.size()) in.close_end(1);
    }
  }
  ::signal(SIGPIPE, before);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  output.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return output;
}

}  // namespace skep::lab
