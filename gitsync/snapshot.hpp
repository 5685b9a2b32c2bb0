#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "gitsync/options.hpp"
#include "reconciler/ports/source.hpp"

namespace skep::gitsync {

/// One commit of a repository on this machine, read from the object database: no checkout, no
/// filter, no attribute. Ids are git's. Safe from several threads.
class GitSnapshot final : public ports::Snapshot {
 public:
  /// `commit` is a full id. Errors: unavailable where the repository or the commit cannot be read.
  static Result<std::shared_ptr<const GitSnapshot>> open(const std::filesystem::path& repository,
                                                         const std::string& commit,
                                                         ReadLimits limits);
  ~GitSnapshot() override;

  [[nodiscard]] const ports::Revision& revision() const override;
  [[nodiscard]] Result<std::vector<ports::TreeEntry>> list(
      const RepoPath& directory) const override;
  [[nodiscard]] Result<std::optional<ports::TreeEntry>> find(const RepoPath& path) const override;
  [[nodiscard]] Result<std::optional<ports::TreeFile>> read(const RepoPath& path) const override;

 private:
  class Impl;
  explicit GitSnapshot(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace skep::gitsync
