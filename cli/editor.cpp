#include "cli/editor.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <sstream>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace skep::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookForExit = 30ms;
constexpr int kNotFound = 127;

/// "code --wait" is a program and an argument; quotes are not understood.
std::vector<std::string> editor_command(const Session& session) {
  std::string text;
  for (const auto* name : {"SOPS_EDITOR", "VISUAL", "EDITOR"}) {
    if (text.empty()) text = session.variable(name);
  }
  if (text.empty()) text = "vi";
  std::istringstream words(text);
  std::vector<std::string> command;
  for (std::string word; words >> word;) command.push_back(word);
  return command;
}

/// While an editor runs in the foreground, the keys that mean signals are its own, and a terminal
/// that goes away ends it first: then the file can still be removed.
class QuietTerminal {
 public:
  QuietTerminal() {
    for (const auto number : {SIGHUP, SIGQUIT, SIGTTOU}) {
      before_.emplace_back(number, std::signal(number, SIG_IGN));
    }
  }
  ~QuietTerminal() {
    for (const auto& [number, handler] : before_) std::signal(number, handler);
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;

 private:
  std::vector<std::pair<int, void (*)(int)>> before_;
};

[[noreturn]] void become(const std::vector<char*>& arguments, bool terminal) {
  // A group of its own: Ctrl-C in the editor is none of ours.
  if (terminal) {
    ::setpgid(0, 0);
    ::tcsetpgrp(STDIN_FILENO, ::getpid());
  }
  for (const auto number : {SIGHUP, SIGQUIT, SIGTTOU, SIGPIPE}) std::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execvp(arguments.front(), arguments.data());
  ::_exit(kNotFound);
}

}  // namespace

Result<void> run_editor(const Session& session, PrivateFile& file) {
  auto command = editor_command(session);
  if (command.empty()) return Error{ErrorKind::invalid_input, "EDITOR is blank: set it"};
  const auto name = command.front();
  command.push_back(file.path());
  std::vector<char*> arguments;
  for (auto& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const bool terminal = ::isatty(STDIN_FILENO) == 1;
  const QuietTerminal quiet;
  const auto child = ::fork();
  if (child < 0) return Error{ErrorKind::unavailable, "the editor could not be started"};
  if (child == 0) become(arguments, terminal);
  int status = 0;
  bool stopped = false;
  for (pid_t ended = 0; ended != child;) {
    ended = ::waitpid(child, &status, WNOHANG);
    if (ended < 0 && errno != EINTR) break;
    if (ended == child) break;
    if (session.stop.stop_requested() && !stopped) {
      stopped = true;
      file.remove();
      ::kill(child, SIGTERM);
      ::kill(child, SIGKILL);
    }
    session.clock.sleep_for(kLookForExit, {});
  }
  if (terminal) ::tcsetpgrp(STDIN_FILENO, ::getpgrp());
  if (stopped || session.stop.stop_requested()) {
    file.remove();
    return Error{ErrorKind::cancelled, "interrupted: nothing was changed"};
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return Error{ErrorKind::invalid_input,
               WIFEXITED(status) && WEXITSTATUS(status) == kNotFound
                   ? "there is no editor " + name + ": set EDITOR"
                   : "the editor " + name + " failed: nothing was changed"};
}

}  // namespace skep::cli
