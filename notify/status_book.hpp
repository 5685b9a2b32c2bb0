#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "notify/commit_status.hpp"
#include "notify/database.hpp"

namespace skep::notify {

/// One status at one host: what it should be, and what the host was told.
struct BookedStatus {
  std::string host;  ///< GitHost::name
  std::string commit;
  CommitStatus status;
  std::optional<CommitState> sent;  ///< Nothing: the host knows of none.
  std::string sent_words;
  WallTime sent_at{};
  unsigned attempts = 0;  ///< That were refused.
  WallTime created{};     ///< When it came to this state.
  WallTime due{};
  [[nodiscard]] bool delivered() const;
};

/// What stands beside which commit, in a file of its own, so that a status that was begun gets an
/// end whoever was killed meanwhile. Commits that git has no more are ended, then forgotten. Not
/// for several threads. Errors are unavailable: the file could not be read or written.
class StatusBook {
 public:
  static Result<StatusBook> open(const std::filesystem::path& file);

  /// How it should be at `host`, which has `commit` now. A success is only taken back by a failure,
  /// and a failure is not pending again; with `afresh` what was told of `commit` before counts for
  /// nothing, for another agent may have spoken since. What began for an older commit is
  /// superseded. After an error nothing has changed.
  Result<void> want(const std::string& host,
                    const std::string& commit,
                    const std::vector<CommitStatus>& statuses,
                    WallTime now,
                    bool afresh = false);
  /// What is to be told to `host` by now: the earliest first, the one of all before its stacks.
  /// What lies further ahead than any pause lasts is due too, for then the clock was set back.
  [[nodiscard]] std::vector<BookedStatus> due(const std::string& host, WallTime now) const;
  /// The host took it, or it is given up. Counts also after an error, for as long as this object
  /// lives, and is written with the next change; another one that opens the file may tell it again.
  Result<void> told(const BookedStatus& status, WallTime now);
  /// The host refused it; it comes again at `due`. Counts also after an error, as told() does.
  Result<void> refused(const BookedStatus& status, WallTime due);
  /// Of hosts that are configured no more nothing is kept.
  Result<void> keep_hosts(const std::vector<std::string>& hosts);
  /// As of Database.
  [[nodiscard]] const std::string& set_aside() const { return database_.set_aside(); }
  [[nodiscard]] std::size_t depth() const;  ///< What is not delivered yet.

 private:
  using Key = std::tuple<std::string, std::string, std::string>;  ///< host, commit, context
  using Rows = std::map<Key, BookedStatus>;
  StatusBook(Database database, Rows rows);
  [[nodiscard]] Result<void> keep(Rows rows);
  /// Whatever becomes of the file.
  [[nodiscard]] Result<void> note(const Key& key, BookedStatus row);
  [[nodiscard]] Result<void> write(const BookedStatus& row) const;

  Database database_;
  Rows rows_;
  std::set<Key> behind_;  ///< Rows that the file has otherwise.
};

}  // namespace skep::notify
