#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/repo_path.hpp"
#include "core/result.hpp"

namespace skep::ports {

struct Revision {
  std::string commit;  ///< Full hex id; "" for a work tree that is not committed.
  std::string author;  ///< "Name <mail>", control characters stripped.
  std::string subject;
  WallTime committed_at{};
  [[nodiscard]] std::string abbreviated() const {
    return commit.empty() ? "work tree" : commit.substr(0, 12);
  }
};

struct TreeEntry {
  enum class Kind { file, directory, symlink, submodule };
  std::string name;
  Kind kind = Kind::file;
  std::string id;           ///< Content id: changes when, and only when, the content does.
  bool executable = false;  ///< Files only.
};

struct TreeFile {
  std::string id;
  std::string text;
  bool executable = false;
  bool ignored = false;  ///< Of a work tree only: git ignores it, so that no commit has it.
};

/// The configuration repository at one commit. Immutable; safe from several threads; keeps what it
/// needs alive.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  [[nodiscard]] virtual const Revision& revision() const = 0;
  /// Sorted by name; empty where there is no such directory. Errors: invalid_input (not a
  /// directory), unavailable.
  [[nodiscard]] virtual Result<std::vector<TreeEntry>> list(const RepoPath& directory) const = 0;
  /// What stands at a path, without its content; nothing where there is none. Errors: invalid_input
  /// where a symlink or submodule is on the way, with its path named.
  [[nodiscard]] virtual Result<std::optional<TreeEntry>> find(const RepoPath& path) const = 0;
  /// Nothing where there is no such file. Errors: invalid_input for a directory, a symlink or
  /// submodule (also on the way), a file over the size limit; the path is named, the content never.
  [[nodiscard]] virtual Result<std::optional<TreeFile>> read(const RepoPath& path) const = 0;
};

/// Where the configuration comes from: a git remote, or a work tree.
class Source {
 public:
  virtual ~Source() = default;
  /// The newest snapshot. Errors: unavailable (remote, disk), unauthorized (credential, host key),
  /// invalid_input (no such ref), cancelled; they begin with describe(). The last good one stays
  /// available from last_good().
  virtual Result<std::shared_ptr<const Snapshot>> fetch(std::stop_token stop) = 0;
  /// Of the last successful fetch, also across restarts where there is a state directory; nullptr
  /// where there never was one.
  [[nodiscard]] virtual std::shared_ptr<const Snapshot> last_good() const = 0;
  /// The commit that the last fetch refused because it does not descend from the last good one
  /// (attack 24); "" where it refused none.
  [[nodiscard]] virtual std::string refused_rewind() const { return {}; }
  /// Why the last fetch did not believe the commit: rewound, unsigned, unknown_key, bad_signature,
  /// expired; "" where that was not its failure.
  [[nodiscard]] virtual std::string refusal() const { return {}; }
  /// A person says that this one is meant: the next fetch takes it, and no other.
  virtual void accept_rewind(const std::string& /*commit*/) {}
  /// An older commit, where it is still at hand; asks no remote. Errors: unavailable.
  [[nodiscard]] virtual Result<std::shared_ptr<const Snapshot>> snapshot_at(
      const std::string& commit) const {
    return Error{ErrorKind::unavailable,
                 "this source keeps no older revisions (asked for " + commit.substr(0, 12) + ")"};
  }
  /// The full id of a commit that is at hand, by the beginning of its id (4 hex digits or more).
  /// Errors: invalid_input (no such commit, several, no hex), unavailable.
  [[nodiscard]] virtual Result<std::string> find_commit(const std::string& beginning) const {
    return Error{ErrorKind::unavailable,
                 "this source keeps no older revisions (asked for " + beginning.substr(0, 12) +
                     "); an agent that follows a git remote does"};
  }
  /// The newest commit, from `commit` backwards, that changed the file. Errors: unavailable (not to
  /// be had, or too far back), invalid_input (no such file).
  [[nodiscard]] virtual Result<Revision> last_change(const std::string& commit,
                                                     const RepoPath& path) const {
    return Error{ErrorKind::unavailable,
                 "this source does not know what changed " + path.text() + " before " +
                     commit.substr(0, 12)};
  }
  /// For people: URL without credentials, and ref.
  [[nodiscard]] virtual std::string describe() const = 0;
};

}  // namespace skep::ports
