#pragma once

#include "reconciler/ports/source.hpp"

namespace skep::repository {

/// A snapshot that notes whether something in it could not be read for a reason that may pass (a
/// disk, not a symlink): then the same commit is to be looked at again. `inner` outlives it. Not
/// for several threads.
class WatchedSnapshot final : public ports::Snapshot {
 public:
  explicit WatchedSnapshot(const ports::Snapshot& inner) : inner_(inner) {}
  [[nodiscard]] bool troubled() const noexcept { return troubled_; }

  [[nodiscard]] const ports::Revision& revision() const override { return inner_.revision(); }
  [[nodiscard]] Result<std::vector<ports::TreeEntry>> list(const RepoPath& path) const override {
    return noted(inner_.list(path));
  }
  [[nodiscard]] Result<std::optional<ports::TreeEntry>> find(const RepoPath& path) const override {
    return noted(inner_.find(path));
  }
  [[nodiscard]] Result<std::optional<ports::TreeFile>> read(const RepoPath& path) const override {
    return noted(inner_.read(path));
  }

 private:
  template <typename T>
  Result<T> noted(Result<T> result) const {
    if (!result && result.error().kind == ErrorKind::unavailable) troubled_ = true;
    return result;
  }
  const ports::Snapshot& inner_;
  mutable bool troubled_ = false;
};

}  // namespace skep::repository
