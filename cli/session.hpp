#pragma once

#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <spdlog/logger.h>

#include "cli/command.hpp"
#include "core/clock.hpp"
#include "core/redaction.hpp"
#include "core/repo_path.hpp"
#include "core/result.hpp"
#include "engine/socket_engine.hpp"
#include "reconciler/ports/source.hpp"

namespace skep::cli {

/// Exit codes of every verb (design §4): 2 is "there are changes" of `plan` and `adopt` only.
inline constexpr int kSuccess = 0;
inline constexpr int kFailure = 1;
inline constexpr int kChanges = 2;

/// What SIGUSR1 or SIGUSR2 does.
class UserSignal {
 public:
  void set(std::function<void()> action) {
    const std::lock_guard lock(mutex_);
    action_ = std::move(action);
  }
  void raise() {
    const std::lock_guard lock(mutex_);
    if (action_) action_();
  }

 private:
  std::mutex mutex_;  ///< Guards what follows.
  std::function<void()> action_;
};

/// What all verbs share: the process's surroundings, read once, and the global flags.
struct Session {
  std::map<std::string, std::string> environment;
  std::vector<std::string> bad_environment;  ///< Entries without a name or a '='.
  std::stop_token stop;
  SystemClock clock;
  std::string host;       ///< -H, --host
  std::string context;    ///< -c, --context
  std::string log_level;  ///< "" is the verb's own default.
  std::string log_format = "auto";
  /// Called for SIGUSR1, from a thread of its own; set by the agent.
  std::shared_ptr<UserSignal> user_signal = std::make_shared<UserSignal>();
  std::shared_ptr<UserSignal> look_signal = std::make_shared<UserSignal>();  ///< SIGUSR2.
  std::string output = "text";
  bool color = false;         ///< Standard output is a terminal and nothing forbids it.
  std::function<int()> verb;  ///< What the command line asked for.
  /// What was decrypted; both output streams and the log mask it.
  std::shared_ptr<RedactionSet> redaction = std::make_shared<RedactionSet>();

  [[nodiscard]] std::string variable(const std::string& name) const;
};

/// What both output streams do to a text.
[[nodiscard]] std::function<std::string(std::string_view)> masking(const Session& session);

/// Writes "skep: …" to standard error, in full, and returns kFailure.
int fail(const Error& error);

using RequestObserver =
    std::function<void(std::string_view operation, int status, std::chrono::nanoseconds duration)>;
Result<std::unique_ptr<engine::SocketEngine>> open_engine(const Session& session,
                                                          bool registry_auth,
                                                          RequestObserver on_request = {});
/// The same, and proves that it answers and is a manager of a swarm.
Result<std::unique_ptr<engine::SocketEngine>> open_manager(const Session& session,
                                                           bool registry_auth);

/// Logs to standard error, masked: text for people where that is a terminal, a JSON object a line
/// elsewhere; --log-format chooses. A verb other than the daemon logs nothing unless --log-level
/// says so.
std::shared_ptr<spdlog::logger> make_logger(const Session& session, bool daemon);

/// Where the configuration comes from: the flags that plan, apply, render, validate and agent
/// share.
struct RepositoryFlags {
  std::string repo = ".";
  std::string ref;
  std::string path;
  std::string state_directory;
  std::string host_checkout;  ///< As typed.
  std::string digest_key_file;
  std::string age_key_file;
  std::string policy_file;
  /// Set by verbs that only look: what is encrypted may be shown as "***" where there is no key.
  bool placeholders = false;
  std::string git_user, git_password_file, ssh_key_file, known_hosts_file, ca_file;
  std::vector<std::string> host_keys;
  bool allow_rewind = false;
  std::string allowed_signers_file;
  std::string environment;
  std::vector<std::string> settings, text_settings;  ///< `--set`, `--set-string`.
  std::vector<std::string> file_settings;            ///< `--set-file`.
  std::vector<std::string> settings_for;             ///< Stacks that they are for; empty: all.
};
void add_repository_flags(Command& app, RepositoryFlags& flags);
/// `--set` and `--set-string`, for trying values of a template.
void add_setting_flags(Command& app, RepositoryFlags& flags);
/// Where mirrors are kept if no flag says so: below the user's cache directory.
[[nodiscard]] std::string default_state_directory(const Session& session);

/// That of the agent, where nothing is said: the place that services use, if this user may write
/// there; else the one of a laptop.
[[nodiscard]] std::string agent_state_directory(const Session& session,
                                                const RepositoryFlags& flags);
/// Each `--host-key` has the form of a fingerprint. Errors: invalid_input.
Result<void> check_host_keys(const RepositoryFlags& flags);
/// `session` and `log` outlive the source.
Result<std::unique_ptr<ports::Source>> open_source(const Session& session,
                                                   const RepositoryFlags& flags,
                                                   spdlog::logger& log);
Result<RepoPath> configuration_root(const RepositoryFlags& flags);
/// `--host-checkout`: absolute and lexically clean, without a slash at the end; "" for none.
Result<std::string> host_checkout_of(const RepositoryFlags& flags);

/// The whole of a file; "-" is standard input. Errors: invalid_input as the Docker CLI words them.
Result<std::string> read_file(const std::string& path);

// One function a verb, each in a file of its own.
void add_deploy(Command& app, Session& session);
void add_plan(Command& app, Session& session);
void add_eject(Command& app, Session& session);
void add_apply(Command& app, Session& session);
void add_render(Command& app, Session& session);
void add_template(Command& app, Session& session);
void add_validate(Command& app, Session& session);
void add_agent(Command& app, Session& session);
void add_secret(Command& app, Session& session);
void add_status(Command& app, Session& session);
void add_approve(Command& app, Session& session);
void add_sync(Command& app, Session& session);
void add_suspend(Command& app, Session& session);
void add_resume(Command& app, Session& session);
void add_rollback(Command& app, Session& session);
void add_history(Command& app, Session& session);
void add_events(Command& app, Session& session);
void add_explain(Command& app, Session& session);
void add_trace(Command& app, Session& session);
void add_logs(Command& app, Session& session);
void add_bootstrap(Command& app, Session& session);
void add_adopt(Command& app, Session& session);
void add_log_level(Command& app, Session& session);
void add_doctor(Command& app, Session& session);
void add_completion(Command& app, Session& session);
void add_health(Command& app, Session& session);
void add_version(Command& app, Session& session);

}  // namespace skep::cli
