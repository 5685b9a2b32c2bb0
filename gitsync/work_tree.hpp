#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "gitsync/options.hpp"
#include "reconciler/ports/source.hpp"

namespace skep::gitsync {

/// A plain directory, git or not, as it is now. Symbolic links are never followed, not even inside;
/// a directory below the root with a .git of its own counts as a submodule; .git is not shown.
/// Ids: a file's is git's blob id of its content; of a file that is too large or may not be read
/// one that changes with its inode, size and times; a directory has none (""). What was read once
/// stays as it was read, for as long as the snapshot lives. Safe from several threads.
class WorkTreeSnapshot final : public ports::Snapshot {
 public:
  /// Errors: invalid_input where `directory` is none, unavailable.
  static Result<std::shared_ptr<const WorkTreeSnapshot>> open(
      const std::filesystem::path& directory, ReadLimits limits);
  ~WorkTreeSnapshot() override;

  /// The commit at HEAD where the directory is in a git work tree and nothing in it is changed or
  /// untracked; else with an empty commit.
  [[nodiscard]] const ports::Revision& revision() const override;
  [[nodiscard]] Result<std::vector<ports::TreeEntry>> list(
      const RepoPath& directory) const override;
  [[nodiscard]] Result<std::optional<ports::TreeEntry>> find(const RepoPath& path) const override;
  [[nodiscard]] Result<std::optional<ports::TreeFile>> read(const RepoPath& path) const override;

 private:
  class Impl;
  explicit WorkTreeSnapshot(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The Source of a directory: each fetch() is a new look at it.
[[nodiscard]] Result<std::unique_ptr<ports::Source>> open_work_tree(
    const std::filesystem::path& directory, ReadLimits limits = {});

}  // namespace skep::gitsync
