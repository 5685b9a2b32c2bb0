#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/clock.hpp"
#include "gitsync/fetch_protocol.hpp"
#include "gitsync/library.hpp"
#include "gitsync/options.hpp"
#include "gitsync/snapshot.hpp"
#include "reconciler/ports/source.hpp"

namespace spdlog {
class logger;
}

namespace skep::gitsync {

/// A remote repository, followed at one ref. The network is touched by a child process only (a
/// deadline, a memory and a size limit; a crash there is an error here); what it fetched is read
/// here from a bare mirror in the state directory. fetch() calls wait for each other.
class Git2Source final : public ports::Source {
 public:
  /// Also opens the last good snapshot of an earlier run, where the state directory has one. Does
  /// not touch the network. Errors: invalid_input (ref, options), unavailable (state directory).
  /// `clock` and `log` outlive the source.
  static Result<std::unique_ptr<Git2Source>> open(GitOptions options,
                                                  const Clock& clock,
                                                  spdlog::logger& log);

  /// Errors also: unauthorized where the ref moved to a commit that does not descend from the last
  /// good one and GitOptions::allow_rewind is off, or where nobody of GitOptions::allowed_signers
  /// signed it; invalid_input for an empty repository.
  Result<std::shared_ptr<const ports::Snapshot>> fetch(std::stop_token stop) override;
  [[nodiscard]] std::shared_ptr<const ports::Snapshot> last_good() const override;
  [[nodiscard]] Result<std::shared_ptr<const ports::Snapshot>> snapshot_at(
      const std::string& commit) const override;
  [[nodiscard]] Result<std::string> find_commit(const std::string& beginning) const override;
  [[nodiscard]] Result<ports::Revision> last_change(const std::string& commit,
                                                    const RepoPath& path) const override;
  [[nodiscard]] std::string describe() const override;
  [[nodiscard]] std::string refused_rewind() const override;
  [[nodiscard]] std::string refusal() const override;
  void accept_rewind(const std::string& commit) override;

  /// Of the last fetch that was good, also of an earlier run; nothing where there never was one.
  [[nodiscard]] std::optional<WallTime> last_success() const;
  /// Since when every fetch fails; nothing while they are good. Cancelled ones do not count.
  [[nodiscard]] std::optional<WallTime> failing_since() const;
  /// What the last good fetch of this run was: downloaded or not, fast-forward or rewritten.
  [[nodiscard]] std::optional<FetchAnswer> last_answer() const;

 private:
  struct LastGood {
    std::string commit, remote_id;
    WallTime fetched_at{};
  };

  Git2Source(GitOptions options,
             std::filesystem::path directory,
             std::string slot,
             const Clock& clock,
             spdlog::logger& log);
  void load_last_good();
  /// The commit from the mirror, if it is signed as it must be; else `refusal` is as of
  /// signer_of().
  [[nodiscard]] Result<std::shared_ptr<const GitSnapshot>> open_trusted(
      const std::string& commit, std::string* refusal = nullptr) const;
  Result<FetchAnswer> run_fetch(std::stop_token stop);
  Result<FetchAnswer> ask_child(const FetchRequest& request, std::stop_token stop) const;
  void keep_house(std::stop_token stop);
  Result<std::shared_ptr<const GitSnapshot>> fetch_snapshot(std::stop_token stop);
  void store_last_good();

  const Library library_;
  const GitOptions options_;
  const std::filesystem::path directory_;  ///< Of this remote, below the state directory.
  const std::string slot_;                 ///< Of this ref, in that directory.
  const Clock& clock_;
  spdlog::logger& log_;

  std::mutex fetching_;         ///< One fetch at a time; taken before state_.
  std::size_t most_packs_ = 0;  ///< Before the mirror is compacted; guarded by fetching_.

  mutable std::mutex state_;  ///< Guards what follows.
  std::shared_ptr<const GitSnapshot> snapshot_;
  std::optional<LastGood> last_good_;
  std::optional<WallTime> failing_since_;
  std::optional<FetchAnswer> last_answer_;
  std::string refused_rewind_, accepted_rewind_;  ///< Commits; "" for none.
  std::string refusal_;                           ///< As refusal().
};

/// The Source for a remote. Errors: as Git2Source::open.
[[nodiscard]] Result<std::unique_ptr<ports::Source>> open_source(GitOptions options,
                                                                 const Clock& clock,
                                                                 spdlog::logger& log);

}  // namespace skep::gitsync
