#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "compose/compose.hpp"
#include "diff/plan.hpp"
#include "repository/secret_digest.hpp"
#include "swarm/live_state.hpp"

namespace skep::cli {

/// The flags of `docker stack deploy`, and a few more.
struct DeployFlags {
  std::vector<std::string> files;
  std::string stack;
  bool prune = false;
  std::string resolve_image = "always";
  bool registry_auth = false;
  bool detach = false;
  bool quiet = false;
  bool strict = false;
  std::vector<std::string> environment_files;
  std::string timeout = "5m";
  std::string digest_key_file;
  std::string orchestrator;  ///< Ignored, for scripts that still say it.
};

/// `-c`, `--env-file`, `--strict`: which files are meant, and how they are read.
void add_compose_file_flags(Command& app, DeployFlags& flags);
/// Those, and how the stack would be deployed.
void add_compose_flags(Command& app, DeployFlags& flags);

/// Compose files on this machine, as the Docker CLI reads them: variables from the process only.
/// The findings are sorted; `keep_file` as Input's. Errors: invalid_input where a file cannot be
/// read.
Result<compose::Output> read_compose(const Session& session,
                                     const DeployFlags& flags,
                                     bool keep_file);

/// The same where there are no mistakes. Prints the warnings. Errors: invalid_input, with all
/// mistakes.
Result<swarm::StackSpec> load_compose(const Session& session, const DeployFlags& flags);

/// One stack deployed from this machine, without an agent and without a label of ours.
class Deployment {
 public:
  Deployment(const Session& session,
             const DeployFlags& flags,
             engine::SocketEngine& engine,
             swarm::StackSpec desired,
             repository::SecretDigest digest);

  /// What the flags ask for; may be changed before plan().
  [[nodiscard]] diff::Policy& policy() noexcept { return policy_; }
  /// What the last plan() saw.
  [[nodiscard]] const swarm::LiveState& live() const noexcept { return live_; }

  /// What would be done, by a fresh look at the swarm. Asks registries as --resolve-image says.
  Result<diff::Plan> plan();
  /// Carries out the last plan; on a conflict looks again and goes on. Prints what it does.
  Result<void> apply(diff::Plan plan);
  /// Until every service of the stack runs as it should. Prints each change of state. Errors: with
  /// the engine's own words where a service will not come up.
  Result<void> wait();

 private:
  /// The engine took an update of it and may not show the rollout yet.
  [[nodiscard]] bool rolls_unseen(const swarm::LiveService& service) const;
  /// How long nothing may move (--timeout). Errors: invalid_input.
  [[nodiscard]] Result<std::chrono::milliseconds> patience() const;
  /// Services whose `depends_on` is not fulfilled by what was seen last.
  [[nodiscard]] std::map<std::string, std::string> postponed(const diff::Plan& plan);
  Result<void> resolve_images(const std::vector<std::string>& images);
  /// Says of which images the registry told nothing, and what becomes of them in this plan.
  void tell_of_unresolved(const diff::Plan& plan);
  /// Whether the engine refused a port that another service gives up by what this deployment does.
  [[nodiscard]] bool waits_for_holder(const Error& error, const diff::Plan& plan) const;
  /// The error, with the place of what it is about where it has none.
  [[nodiscard]] Error placed(Error error, const diff::Action& action) const;

  const Session& session_;
  const DeployFlags& flags_;
  engine::SocketEngine& engine_;
  swarm::StackSpec desired_;
  repository::SecretDigest digest_;
  swarm::LiveState live_;
  diff::Policy policy_;
  std::map<std::string, SteadyTime>
      updated_;  ///< Services whose rollout the engine may not show yet.
  struct Failed {
    std::string service, error;
  };
  std::optional<Failed> never_completes_;  ///< Others wait until it has completed.
  bool changed_ = false;                   ///< A service was created or updated.
  /// Images that no registry answered for; asked for, and told, once.
  std::map<std::string, ErrorKind> unresolved_;
  std::set<std::string> told_unresolved_;
};

}  // namespace skep::cli
