#include <atomic>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stop_token>
#include <string_view>
#include <thread>
#include <vector>

#include <unistd.h>

#include "cli/completion.hpp"
#include "cli/docker_plugin.hpp"
#include "cli/masked_output.hpp"
#include "cli/session.hpp"
#include "gitsync/fetch_child.hpp"

extern char** environ;

namespace skep::cli {
namespace {

/// SIGINT and SIGTERM ask everything to stop; the second one ends the process at once. SIGUSR1 and
/// SIGUSR2 do what the verb has said, if anything.
class Signals {
 public:
  Signals(std::shared_ptr<UserSignal> user1, std::shared_ptr<UserSignal> user2)
      : user1_(std::move(user1)), user2_(std::move(user2)) {
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGUSR1);
    sigaddset(&set_, SIGUSR2);
    sigaddset(&set_, kDone);
    pthread_sigmask(
        SIG_BLOCK, &set_, nullptr);  // Before any other thread exists, so that all inherit it.
    std::signal(SIGPIPE, SIG_IGN);
    waiter_ = std::thread([this] {
      int signal = 0;
      while (sigwait(&set_, &signal) == 0 && !done_) {
        if (signal == SIGUSR1) user1_->raise();
        if (signal == SIGUSR2) user2_->raise();
        if (signal != SIGINT && signal != SIGTERM) continue;
        if (source_.stop_requested()) _exit(130);
        source_.request_stop();
      }
    });
  }
  ~Signals() {
    done_ = true;
    pthread_kill(waiter_.native_handle(), kDone);
    waiter_.join();
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  const int kDone = SIGRTMIN;  ///< Ends the waiting thread.

  const std::shared_ptr<UserSignal> user1_, user2_;
  std::atomic<bool> done_ = false;
  sigset_t set_{};
  std::stop_source source_;
  std::thread waiter_;
};

void read_environment(Session& session) {
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      session.bad_environment.emplace_back(text);
    } else {
      session.environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
}

bool color_wanted(const Session& session) {
  return isatty(STDOUT_FILENO) == 1 && session.variable("NO_COLOR").empty() &&
         session.variable("TERM") != "dumb";
}

/// What the command line asks for is done; the exit code.
int run_words(Session& session, const Signals& signals, std::vector<std::string> words) {
  if (words.size() == 2 && words[1] == "docker-cli-plugin-metadata") {
    std::cout << plugin_metadata() << "\n";
    return kSuccess;
  }
  auto plugin = plugin_call(words);
  if (!plugin) return fail(plugin.error());
  if (*plugin) words = (*plugin)->arguments;
  // Rule A1.2: an empty value contributes no file; the parser would take the next argument for it.
  std::erase_if(words,
                [](const std::string& word) { return word == "--compose-file=" || word == "-c="; });
  read_environment(session);
  if (*plugin) {
    for (const auto& [name, value] : (*plugin)->environment)
      session.environment.insert_or_assign(name, value);
  }
  session.stop = signals.token();
  session.color = color_wanted(session);

  Command app("GitOps for Docker Swarm: keeps a swarm exactly as a Git repository says.",
              *plugin ? "docker skep" : "skep");
  app.add_option("-H,--host",
                 session.host,
                 "Engine to talk to (default: DOCKER_HOST, the current context, the local socket)");
  app.add_option("-c,--context", session.context, "Docker context to use, as `docker context ls`");
  app.add_option("--log-format",
                 session.log_format,
                 "text, json or auto: text on a terminal, JSON elsewhere")
      ->envname("SKEP_LOG_FORMAT")
      ->one_of({"auto", "text", "json"})
      ->capture_default_str();
  app.add_option("--log-level", session.log_level, "error, warning, info, debug or trace")
      ->envname("SKEP_LOG_LEVEL")
      ->one_of({"error", "warning", "info", "debug", "trace"});
  add_deploy(app, session);
  add_plan(app, session);
  add_apply(app, session);
  add_render(app, session);
  add_validate(app, session);
  add_template(app, session);
  add_agent(app, session);
  add_secret(app, session);
  add_status(app, session);
  add_explain(app, session);
  add_history(app, session);
  add_events(app, session);
  add_trace(app, session);
  add_logs(app, session);
  add_approve(app, session);
  add_eject(app, session);
  add_sync(app, session);
  add_suspend(app, session);
  add_resume(app, session);
  add_rollback(app, session);
  add_bootstrap(app, session);
  add_adopt(app, session);
  add_log_level(app, session);
  add_doctor(app, session);
  add_completion(app, session);
  add_health(app, session);
  add_version(app, session);
  app.footer(
      "Start with:  skep plan --repo DIRECTORY   ·   skep COMMAND --help shows an example of each");
  if (words.size() >= 2 && words[1] == "__complete")
    return complete(session, app, {words.begin() + 2, words.end()});
  std::vector<const char*> arguments;
  for (const auto& word : words) arguments.push_back(word.c_str());
  if (const auto exit = app.parse(static_cast<int>(arguments.size()), arguments.data()))
    return *exit;
  return session.verb();
}

int run(std::vector<std::string> words) {
  Session session;
  const Signals signals(session.user_signal, session.look_signal);
  MaskedOutput out(std::cout, session.redaction);
  const MaskedOutput err(std::cerr, session.redaction);
  const int code = run_words(session, signals, std::move(words));
  if (const auto finished = out.finish(); !finished) return fail(finished.error());
  return code;
}

}  // namespace
}  // namespace skep::cli

int main(int argc, char** argv) {
  try {
    if (argc >= 2 && std::string_view(argv[1]) == "__fetch")
      return skep::gitsync::fetch_child_main();
    return skep::cli::run({argv, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "skep: internal error: " << error.what() << "\n";
    return skep::cli::kFailure;
  }
}
