#include "notify/status_book.hpp"

#include <algorithm>

namespace skep::notify {
namespace {

using namespace std::chrono_literals;

constexpr auto kSettle = 2s;          ///< What is over sooner needs no "pending".
constexpr auto kBetweenEnds = 60s;    ///< Between two final states of one status.
constexpr auto kBetweenWords = 300s;  ///< Between two sentences of one final state.
constexpr auto kLongestPause = 1h;    ///< Longer than all of these, and than any back-off.
constexpr std::size_t kShownDigits = 12;

constexpr const char* kBookTables =
    "CREATE TABLE IF NOT EXISTS status (host TEXT NOT NULL, commit_id TEXT NOT NULL,"
    " context TEXT NOT NULL, stack TEXT NOT NULL, state INTEGER NOT NULL, words TEXT NOT NULL,"
    " sent INTEGER NOT NULL, sent_words TEXT NOT NULL, sent_at INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL, created INTEGER NOT NULL, due INTEGER NOT NULL,"
    " PRIMARY KEY (host, commit_id, context));";

constexpr std::int64_t kNever = -1;

std::int64_t since_epoch(WallTime time) { return time.time_since_epoch().count(); }
WallTime wall(std::int64_t value) { return WallTime(std::chrono::milliseconds(value)); }

std::int64_t number_of(CommitState state) { return static_cast<std::int64_t>(state); }

/// Of a file that somebody may have written to.
CommitState state_of(std::int64_t number) {
  for (const auto state : {CommitState::pending, CommitState::success, CommitState::failure}) {
    if (number_of(state) == number) return state;
  }
  return CommitState::left;
}

bool may_become(CommitState from, CommitState to) {
  if (from == CommitState::success) return to == CommitState::failure;
  return !(from == CommitState::failure && to == CommitState::pending);
}

void become(BookedStatus& row, CommitState state, const std::string& words, WallTime now) {
  row.status.state = state;
  row.status.words = words;
  row.attempts = 0;
  row.created = row.due = now;
  if (state == CommitState::pending) row.due = now + kSettle;
  if (row.sent && *row.sent != CommitState::pending)
    row.due = std::max<WallTime>(row.due, row.sent_at + kBetweenEnds);
}

}  // namespace

bool BookedStatus::delivered() const {
  return sent == status.state &&
         (status.state == CommitState::pending || sent_words == status.words);
}

StatusBook::StatusBook(Database database, Rows rows)
    : database_(std::move(database)), rows_(std::move(rows)) {}

Result<StatusBook> StatusBook::open(const std::filesystem::path& file) {
  auto database = Database::open(file, kBookTables);
  if (!database) return std::move(database).error();
  const auto read = database->run(
      "SELECT host, commit_id, context, stack, state, words, sent, sent_words, sent_at, attempts,"
      " created, due FROM status");
  if (!read) return read.error();
  Rows rows;
  for (const auto& columns : *read) {
    BookedStatus row;
    row.host = columns.text(0);
    row.commit = columns.text(1);
    row.status = {columns.text(2), state_of(columns.number(4)), columns.text(5), columns.text(3)};
    if (columns.number(6) != kNever) row.sent = state_of(columns.number(6));
    row.sent_words = columns.text(7);
    row.sent_at = wall(columns.number(8));
    row.attempts = static_cast<unsigned>(columns.number(9));
    row.created = wall(columns.number(10));
    row.due = wall(columns.number(11));
    rows.emplace(Key(row.host, row.commit, row.status.context), std::move(row));
  }
  return StatusBook(*std::move(database), std::move(rows));
}

Result<void> StatusBook::want(const std::string& host,
                              const std::string& commit,
                              const std::vector<CommitStatus>& statuses,
                              WallTime now,
                              bool afresh) {
  auto rows = rows_;
  std::map<std::string, const CommitStatus*> wanted;
  for (const auto& status : statuses) wanted.emplace(status.context, &status);
  for (auto at = rows.begin(); at != rows.end();) {
    auto& row = at->second;
    const bool ours = row.host == host;
    const bool older = ours && row.commit != commit;
    const bool left_git = ours && !older && !wanted.contains(row.status.context);
    const bool open = row.status.state == CommitState::pending;
    const bool unknown = open && !row.sent && !row.status.stack.empty();  // Nobody waits for it.
    if ((older && (unknown || (!open && row.delivered()))) || (left_git && unknown)) {
      at = rows.erase(at);
      continue;
    }
    if (open && older) {
      become(row,
             CommitState::left,
             "superseded by " + commit.substr(0, kShownDigits) + " before it was carried out",
             now);
    } else if (open && left_git) {
      become(
          row, CommitState::left, "is not in git any more, or this commit does not change it", now);
    }
    ++at;
  }
  for (const auto& [context, status] : wanted) {
    const auto [at, added] = rows.try_emplace(Key(host, commit, context));
    auto& row = at->second;
    if (added || afresh) {
      row = {};
      row.host = host;
      row.commit = commit;
      row.status = *status;
      become(row, status->state, status->words, now);
    } else if (row.status.state == status->state) {
      if (row.status.words == status->words) continue;
      row.status.words = status->words;
      if (row.sent == status->state) row.due = row.sent_at + kBetweenWords;
    } else if (may_become(row.status.state, status->state)) {
      become(row, status->state, status->words, now);
    }
  }
  return keep(std::move(rows));
}

Result<void> StatusBook::keep(Rows rows) {
  Database::Transaction transaction(database_);
  bool begun = false;
  const auto begin = [&]() -> Result<void> {
    if (begun) return {};
    begun = true;
    return transaction.begin();
  };
  for (const auto& [key, row] : rows_) {
    if (rows.contains(key)) continue;
    if (auto open = begin(); !open) return open;
    auto gone =
        only(database_.run("DELETE FROM status WHERE host = ? AND commit_id = ? AND context = ?",
                           {std::get<0>(key), std::get<1>(key), std::get<2>(key)}));
    if (!gone) return gone;
  }
  for (const auto& [key, row] : rows) {
    const auto before = rows_.find(key);
    const bool same =
        before != rows_.end() && !behind_.contains(key) && before->second.status == row.status &&
        before->second.due == row.due && before->second.sent == row.sent &&
        before->second.sent_words == row.sent_words && before->second.attempts == row.attempts;
    if (same) continue;
    if (auto open = begin(); !open) return open;
    if (auto written = write(row); !written) return written;
  }
  if (begun) {
    if (auto committed = transaction.commit(); !committed) return committed;
  }
  rows_ = std::move(rows);
  behind_.clear();
  return {};
}

Result<void> StatusBook::note(const Key& key, BookedStatus row) {
  auto written = write(row);
  if (written) {
    behind_.erase(key);
  } else {
    behind_.insert(key);
  }
  rows_[key] = std::move(row);
  return written;
}

Result<void> StatusBook::write(const BookedStatus& row) const {
  return only(database_.run("INSERT OR REPLACE INTO status VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                            {row.host,
                             row.commit,
                             row.status.context,
                             row.status.stack,
                             number_of(row.status.state),
                             row.status.words,
                             row.sent ? number_of(*row.sent) : kNever,
                             row.sent_words,
                             since_epoch(row.sent_at),
                             static_cast<std::int64_t>(row.attempts),
                             since_epoch(row.created),
                             since_epoch(row.due)}));
}

std::vector<BookedStatus> StatusBook::due(const std::string& host, WallTime now) const {
  std::vector<BookedStatus> found;
  for (const auto& [key, row] : rows_) {
    const bool due = row.due <= now || row.due > now + kLongestPause;
    if (row.host == host && !row.delivered() && due) found.push_back(row);
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& left, const auto& right) {
    const auto order = [](const BookedStatus& row) {
      return std::tuple(row.attempts, !row.status.stack.empty(), row.due);
    };
    return order(left) < order(right);
  });
  return found;
}

Result<void> StatusBook::told(const BookedStatus& status, WallTime now) {
  const Key key(status.host, status.commit, status.status.context);
  const auto at = rows_.find(key);
  if (at == rows_.end()) return {};
  auto row = at->second;
  row.sent = status.status.state;
  row.sent_words = status.status.words;
  row.sent_at = now;
  row.attempts = 0;
  return note(key, std::move(row));
}

Result<void> StatusBook::refused(const BookedStatus& status, WallTime due) {
  const Key key(status.host, status.commit, status.status.context);
  const auto at = rows_.find(key);
  if (at == rows_.end()) return {};
  auto row = at->second;
  ++row.attempts;
  row.due = due;
  return note(key, std::move(row));
}

Result<void> StatusBook::keep_hosts(const std::vector<std::string>& hosts) {
  auto rows = rows_;
  std::erase_if(rows, [&](const auto& entry) {
    return std::find(hosts.begin(), hosts.end(), entry.second.host) == hosts.end();
  });
  return keep(std::move(rows));
}

std::size_t StatusBook::depth() const {
  return static_cast<std::size_t>(std::count_if(
      rows_.begin(), rows_.end(), [](const auto& entry) { return !entry.second.delivered(); }));
}

}  // namespace skep::notify
