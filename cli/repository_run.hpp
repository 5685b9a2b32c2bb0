#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "reconciler/reconciler.hpp"
#include "repository/desired_state.hpp"

namespace skep::cli {

/// A repository rendered by this process, for the verbs that take `--repo`.
struct Repository {
  std::unique_ptr<ports::Source> source;
  std::shared_ptr<const ports::Snapshot> snapshot;
  repository::LoadOptions load;  ///< With which `desired` was made.
  repository::DesiredState desired;
};

/// How the flags say that a repository is rendered. Errors: invalid_input.
Result<repository::LoadOptions> load_options(const Session& session, const RepositoryFlags& flags);
Result<Repository> load_repository(const Session& session,
                                   const RepositoryFlags& flags,
                                   spdlog::logger& log,
                                   bool repo_files_on_host = false);
Result<Repository> load_repository(const Session& session,
                                   const RepositoryFlags& flags,
                                   spdlog::logger& log,
                                   repository::LoadOptions options);

/// What plan and apply begin with: a repository, the swarm, and how the one becomes the other.
struct RepositoryRun {
  std::shared_ptr<spdlog::logger> log;
  Repository repository;
  std::set<std::string> only;        ///< Stacks that were named; empty for all.
  std::set<std::string> not_in_git;  ///< Those of them that the swarm may know, or nobody.
  Findings findings;                 ///< Of these stacks; already shown on standard error.
  std::unique_ptr<engine::SocketEngine> engine;
  std::unique_ptr<ports::Checkout> checkout;  ///< Null where there is none.
  /// Equal for both verbs: a saved plan is refused where they would decide differently. Refers to
  /// `repository.source` and to `checkout`.
  reconciler::ReconcilerOptions options;
};
Result<RepositoryRun> open_run(const Session& session,
                               const RepositoryFlags& flags,
                               const std::vector<std::string>& stacks,
                               const std::string& instance,
                               bool also_left_git = false);

/// "no stack X in the repository; did you mean Y?"
[[nodiscard]] Error no_such_stack(const repository::DesiredState& desired, const std::string& word);

/// Names or directories, as people type them → names of stacks. Errors: invalid_input for one that
/// is not there, unless such go into `others`.
Result<std::set<std::string>> chosen_stacks(const repository::DesiredState& desired,
                                            const std::vector<std::string>& words,
                                            std::set<std::string>* others = nullptr);

/// All findings of a repository, by position; those of one stack after the other, with its
/// directory where it is not the only one.
[[nodiscard]] Findings findings_of(const repository::DesiredState& desired,
                                   const std::set<std::string>& only);

/// Turns until nothing goes on by itself. `on_turn` sees each. Errors: as Reconciler::turn.
Result<reconciler::Turn> run_until_settled(
    reconciler::Reconciler& reconciler,
    const repository::DesiredState& desired,
    const Session& session,
    const std::function<void(const reconciler::Turn&)>& on_turn);

}  // namespace skep::cli
