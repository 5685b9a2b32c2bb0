#include <mutex>
#include <system_error>
#include <utility>

#include "gitsync/work_tree.hpp"

namespace skep::gitsync {

namespace fs = std::filesystem;

namespace {

class WorkTreeSource final : public ports::Source {
 public:
  WorkTreeSource(fs::path directory, ReadLimits limits)
      : directory_(std::move(directory)), limits_(limits) {}

  Result<std::shared_ptr<const ports::Snapshot>> fetch(std::stop_token stop) override {
    if (stop.stop_requested()) return Error{ErrorKind::cancelled, "stopped"};
    const std::lock_guard one_at_a_time(fetching_);
    auto snapshot = WorkTreeSnapshot::open(directory_, limits_);
    if (snapshot && !is_as_told(**snapshot))
      snapshot = WorkTreeSnapshot::open(directory_, limits_, false);
    if (!snapshot) return std::move(snapshot).error().within(describe());
    const std::lock_guard lock(mutex_);
    last_good_ = *std::move(snapshot);
    return std::shared_ptr<const ports::Snapshot>(last_good_);
  }

  std::shared_ptr<const ports::Snapshot> last_good() const override {
    const std::lock_guard lock(mutex_);
    return last_good_;
  }

  std::string describe() const override { return directory_.string() + " (work tree)"; }

 private:
  /// Whether whoever knows the commit knows the files: none that was asked for is another one now.
  bool is_as_told(const WorkTreeSnapshot& snapshot) {
    if (last_good_) {
      for (auto& [path, answer] : last_good_->answers()) told_[path] = answer;
    }
    const auto& commit = snapshot.revision().commit;
    if (!commit.empty() && commit == commit_ && !snapshot.agrees_with(told_)) {
      told_.clear();
      return false;
    }
    if (commit.empty() || commit != commit_) told_.clear();
    commit_ = commit;
    return true;
  }

  const fs::path directory_;
  const ReadLimits limits_;
  std::mutex fetching_;             ///< Taken before mutex_.
  std::string commit_;              ///< That the last snapshot had; "" for none.
  WorkTreeSnapshot::Answers told_;  ///< By the snapshots of that commit.
  mutable std::mutex mutex_;
  std::shared_ptr<const WorkTreeSnapshot> last_good_;  ///< Written under both.
};

}  // namespace

Result<std::unique_ptr<ports::Source>> open_work_tree(const fs::path& directory,
                                                      ReadLimits limits) {
  std::error_code error;
  if (!fs::is_directory(directory, error))
    return Error{ErrorKind::invalid_input, directory.string() + " is not a directory"};
  return std::unique_ptr<ports::Source>(
      std::make_unique<WorkTreeSource>(fs::absolute(directory), limits));
}

}  // namespace skep::gitsync
