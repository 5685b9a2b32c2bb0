#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "gitsync/options.hpp"
#include "reconciler/ports/source.hpp"

namespace skep::gitsync {

/// A plain directory, git or not, as it is now. Symbolic links are never followed, not even inside;
/// a directory below the root with a .git of its own counts as a submodule; .git is not shown.
/// Ids: a file's is git's blob id of its content; of a file that is too large or may not be read
/// one that changes with its inode, size and times; a directory's, which find() only tells, changes
/// with the names and kinds of all that is below it. What was read once stays as it was read, for
/// as long as the snapshot lives. Safe from several threads.
class WorkTreeSnapshot final : public ports::Snapshot {
 public:
  /// What find() and read() said stands at a path: its id, with "+x" where it is executable, or
  /// nothing.
  using Answers = std::map<RepoPath, std::optional<std::string>>;

  /// `named`: whether revision() may name a commit. Errors: invalid_input where `directory` is
  /// none, unavailable.
  static Result<std::shared_ptr<const WorkTreeSnapshot>> open(
      const std::filesystem::path& directory, ReadLimits limits, bool named = true);
  ~WorkTreeSnapshot() override;

  /// The commit at HEAD where the directory is in a git work tree and nothing in it is changed or
  /// untracked; else with an empty commit.
  [[nodiscard]] const ports::Revision& revision() const override;
  [[nodiscard]] Result<std::vector<ports::TreeEntry>> list(
      const RepoPath& directory) const override;
  [[nodiscard]] Result<std::optional<ports::TreeEntry>> find(const RepoPath& path) const override;
  [[nodiscard]] Result<std::optional<ports::TreeFile>> read(const RepoPath& path) const override;
  /// All so far.
  [[nodiscard]] Answers answers() const;
  /// Whether it gives these, too.
  [[nodiscard]] bool agrees_with(const Answers& answers) const;

 private:
  class Impl;
  explicit WorkTreeSnapshot(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The Source of a directory: each fetch() is a new look at it. HEAD says nothing of files that git
/// ignores (a `.env`): where one that was read is another one now, the next snapshot names no
/// commit, once.
[[nodiscard]] Result<std::unique_ptr<ports::Source>> open_work_tree(
    const std::filesystem::path& directory, ReadLimits limits = {});

}  // namespace skep::gitsync
