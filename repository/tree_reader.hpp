#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/file_reader.hpp"
#include "core/finding.hpp"
#include "core/repo_path.hpp"
#include "core/result.hpp"
#include "reconciler/ports/source.hpp"
#include "repository/decryption.hpp"

namespace skep::repository {

/// `$PWD` of a stack in the repository expands to this: a path below it is looked for in the
/// stack's directory first, then in the repository's root (design §3), for the first users write
/// `$PWD/management/traefik/traefik.toml` and deploy from the root.
inline constexpr std::string_view kWorkingDirectoryMarker = "/.skep-repository/.pwd";

/// Every path that a stack's render asked for, with the content id it got, or nothing where there
/// was no such file, or kUnread. Together with the settings they are the cache key of the render
/// (design §2).
using Reads = std::map<std::string, std::optional<std::string>>;

/// In place of the id of what could not be read (a symlink, a directory, too large, disk trouble):
/// what stands there at another commit is to be looked at, whatever it is.
inline constexpr std::string_view kUnread = "unread";

/// Reads a snapshot's files for one stack, and writes down what was asked. Paths are
/// repository-relative, or absolute below compose::kRepositoryRoot. What is encrypted is decrypted
/// on the way; what only stands for a file (a Git LFS pointer) is an error. Not for several
/// threads.
class TreeReader final : public FileReader {
 public:
  /// `snapshot` and `decryption` outlive the reader. Without the latter an encrypted file is an
  /// error.
  TreeReader(const ports::Snapshot& snapshot,
             RepoPath root,
             RepoPath stack_directory,
             const Decryption* decryption = nullptr)
      : snapshot_(snapshot),
        root_(std::move(root)),
        stack_directory_(std::move(stack_directory)),
        decryption_(decryption) {}

  [[nodiscard]] Result<std::optional<std::string>> read(const std::string& path) const override;
  /// As read(), with content id and mode. The id is that of the file as it is in git. An error of
  /// an encrypted file has a position.
  [[nodiscard]] Result<std::optional<ports::TreeFile>> file(const RepoPath& path) const;
  /// The kind and id of what stands there; also a dependency.
  [[nodiscard]] Result<std::optional<ports::TreeEntry>> find(const RepoPath& path) const;
  /// The entries of a directory, which was asked for with find() before: its id is the dependency.
  [[nodiscard]] Result<std::vector<ports::TreeEntry>> list(const RepoPath& directory) const;
  [[nodiscard]] const RepoPath& root() const noexcept { return root_; }
  [[nodiscard]] const RepoPath& stack_directory() const noexcept { return stack_directory_; }
  /// Where an absolute path below compose::kRepositoryRoot stands in the repository. Errors:
  /// invalid_input (outside of it).
  [[nodiscard]] Result<RepoPath> locate(const std::string& path) const;
  [[nodiscard]] const Reads& reads() const noexcept { return reads_; }
  /// What was decrypted so far, and what is to be said about it.
  [[nodiscard]] const std::vector<std::string>& secrets() const noexcept { return secrets_; }
  [[nodiscard]] const Findings& findings() const noexcept { return findings_; }
  /// The files that were read, by their path, decrypted.
  [[nodiscard]] const std::map<std::string, std::string>& texts() const noexcept { return texts_; }
  /// Whether something encrypted was read without a key.
  [[nodiscard]] bool masked() const noexcept { return masked_; }
  /// Whether the text shows something that is decrypted.
  [[nodiscard]] bool reveals(const std::string& text) const;
  /// This was made out of what was decrypted, and is to be kept as secret.
  void keep_secret(const std::string& text) const;
  /// What another reader of the same snapshot was asked, on which this stack depends too.
  void note(const Reads& reads) const { reads_.insert(reads.begin(), reads.end()); }

 private:
  const ports::Snapshot& snapshot_;
  RepoPath root_;  ///< The root of the configuration inside the repository (`--path`).
  RepoPath stack_directory_;
  const Decryption* decryption_;
  mutable Reads reads_;
  mutable std::map<std::string, std::string> texts_;
  mutable std::vector<std::string> secrets_;
  mutable bool masked_ = false;
  mutable Findings findings_;
};

/// Whether a new snapshot would answer every recorded question as before.
[[nodiscard]] bool still_true(const Reads& reads, const ports::Snapshot& snapshot);

}  // namespace skep::repository
