#include "cli/editor.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <iostream>
#include <optional>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compose/shell_words.hpp"

namespace skep::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookForExit = 30ms;
constexpr auto kLookForStop = 100ms;
constexpr auto kTimeToLeave = 2s;
constexpr int kNotFound = 127;

/// "code --wait" is a program and an argument. Cut into words as a shell does, without one: the
/// image has none.
Result<std::vector<std::string>> editor_command(const Session& session) {
  for (const auto* name : {"SOPS_EDITOR", "VISUAL", "EDITOR"}) {
    const auto text = session.variable(name);
    if (text.empty()) continue;
    auto words = compose::shell_words(text);
    if (!words) return std::move(words).error().within(name);
    if (words->empty())
      return Error{ErrorKind::invalid_input, std::string(name) + " is blank: set it"};
    return words;
  }
  return std::vector<std::string>{"vi"};
}

void stop_of_hangup(int) { ::kill(::getpid(), SIGTERM); }

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

TerminalSignals::TerminalSignals() {
  for (const auto number : {SIGHUP, SIGQUIT, SIGTTOU}) {
    const auto before = std::signal(number, SIG_IGN);
    before_.emplace_back(number, before);
    if (number == SIGHUP && before != SIG_IGN) std::signal(number, stop_of_hangup);
  }
}

TerminalSignals::~TerminalSignals() {
  for (const auto& [number, handler] : before_) std::signal(number, handler);
}

bool wants_to_go_on(const Session& session) {
  std::cerr << "Press Enter to go on editing, Ctrl-D to give up. " << std::flush;
  while (!session.stop.stop_requested()) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const int ready = ::poll(&input, 1, static_cast<int>(kLookForStop.count()));
    if (ready < 0 && errno != EINTR) return false;
    std::string line;
    if (ready > 0) return static_cast<bool>(std::getline(std::cin, line));
  }
  std::cerr << "\n";
  return false;
}

Result<void> run_editor(const Session& session, const PrivateFile& file) {
  auto command = editor_command(session);
  if (!command) return std::move(command).error();
  const auto name = command->front();
  command->push_back(file.path());
  std::vector<char*> arguments;
  for (auto& word : *command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const bool terminal = ::isatty(STDIN_FILENO) == 1;
  const auto child = ::fork();
  if (child < 0) return Error{ErrorKind::unavailable, "the editor could not be started"};
  if (child == 0) become(arguments, terminal);
  int status = 0;
  std::optional<SteadyTime> asked;  // The editor, to end.
  for (pid_t ended = 0; ended != child;) {
    ended = ::waitpid(child, &status, WNOHANG);
    if (ended < 0 && errno != EINTR) break;
    if (ended == child) break;
    if (session.stop.stop_requested()) {
      // Time for it to remove the copies that it keeps elsewhere.
      if (!asked) ::kill(child, SIGTERM);
      if (!asked) asked = session.clock.steady();
      if (session.clock.steady() - *asked > kTimeToLeave) ::kill(child, SIGKILL);
    }
    session.clock.sleep_for(kLookForExit, {});
  }
  if (terminal) ::tcsetpgrp(STDIN_FILENO, ::getpgrp());
  if (session.stop.stop_requested())
    return Error{ErrorKind::cancelled, "interrupted: nothing was changed"};
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return Error{ErrorKind::invalid_input,
               WIFEXITED(status) && WEXITSTATUS(status) == kNotFound
                   ? "there is no editor " + name + ": set EDITOR"
                   : "the editor " + name + " failed: nothing was changed"};
}

}  // namespace skep::cli
