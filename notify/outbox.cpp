#include "notify/outbox.hpp"

#include <algorithm>
#include <variant>

#include <sqlite3.h>

#include "core/digest.hpp"
#include "core/handle.hpp"

namespace skep::notify {
namespace {

using DatabaseHandle = Handle<sqlite3, sqlite3_close_v2>;
using StatementHandle = Handle<sqlite3_stmt, sqlite3_finalize>;
using Parameter = std::variant<std::int64_t, std::string>;

constexpr int kBusyMilliseconds = 2'000;
constexpr std::int64_t kSaidLately = 3'600'000;  ///< Milliseconds.

constexpr const char* kTables =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    "CREATE TABLE IF NOT EXISTS delivery (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " id TEXT NOT NULL UNIQUE, target TEXT NOT NULL, body TEXT NOT NULL,"
    " attempts INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL, due INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS told (stack TEXT PRIMARY KEY, reason TEXT NOT NULL,"
    " revision TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS said (stack TEXT NOT NULL, reason TEXT NOT NULL,"
    " revision TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (stack, reason, revision));";

std::int64_t milliseconds(WallTime time) { return time.time_since_epoch().count(); }

Error error_of(sqlite3* database) {
  const char* words = database == nullptr ? "out of memory" : sqlite3_errmsg(database);
  return Error{ErrorKind::unavailable, words, std::nullopt}.within("outbox of notifications");
}

struct Row {
  std::vector<Parameter> columns;
  [[nodiscard]] std::string text(std::size_t at) const {
    const auto* found = std::get_if<std::string>(&columns.at(at));
    return found == nullptr ? std::string() : *found;
  }
  [[nodiscard]] std::int64_t number(std::size_t at) const {
    const auto* found = std::get_if<std::int64_t>(&columns.at(at));
    return found == nullptr ? 0 : *found;
  }
};

Result<std::vector<Row>> run(sqlite3* database,
                             const std::string& sql,
                             const std::vector<Parameter>& parameters = {}) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(database, sql.c_str(), -1, &raw, nullptr) != SQLITE_OK)
    return error_of(database);
  const StatementHandle statement(raw);
  int place = 0;
  for (const auto& parameter : parameters) {
    ++place;
    if (const auto* number = std::get_if<std::int64_t>(&parameter)) {
      sqlite3_bind_int64(raw, place, *number);
    } else {
      const auto& text = std::get<std::string>(parameter);
      sqlite3_bind_text(raw, place, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
    }
  }
  std::vector<Row> rows;
  while (true) {
    const int code = sqlite3_step(raw);
    if (code == SQLITE_DONE) return rows;
    if (code != SQLITE_ROW) return error_of(database);
    Row row;
    for (int column = 0; column < sqlite3_column_count(raw); ++column) {
      if (sqlite3_column_type(raw, column) == SQLITE_INTEGER) {
        row.columns.emplace_back(static_cast<std::int64_t>(sqlite3_column_int64(raw, column)));
        continue;
      }
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(raw, column));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(raw, column));
      row.columns.emplace_back(bytes == nullptr ? std::string() : std::string(bytes, size));
    }
    rows.push_back(std::move(row));
  }
}

Result<void> only(Result<std::vector<Row>> done) {
  if (!done) return std::move(done).error();
  return {};
}

/// Begun by its maker; undone where nobody commits it.
class Transaction {
 public:
  explicit Transaction(sqlite3* database) : database_(database) {}
  ~Transaction() {
    if (open_) (void)run(database_, "ROLLBACK");
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Result<void> begin() {
    auto begun = only(run(database_, "BEGIN IMMEDIATE"));
    open_ = begun.has_value();
    return begun;
  }
  Result<void> commit() {
    auto done = only(run(database_, "COMMIT"));
    if (done) open_ = false;
    return done;
  }

 private:
  sqlite3* database_;
  bool open_ = false;
};

Result<DatabaseHandle> open_database(const std::filesystem::path& file) {
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(file.c_str(),
                      &raw,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX,
                      nullptr);
  DatabaseHandle database(raw);
  if (code != SQLITE_OK) return error_of(raw);
  std::error_code ignored;  // On a disk without modes everybody may read it anyway.
  std::filesystem::permissions(
      file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, ignored);
  sqlite3_busy_timeout(raw, kBusyMilliseconds);
  if (sqlite3_exec(raw, kTables, nullptr, nullptr, nullptr) != SQLITE_OK) return error_of(raw);
  const auto sound = run(raw, "PRAGMA quick_check(1)");
  if (!sound) return sound.error();
  if (sound->empty() || sound->front().text(0) != "ok")
    return Error{ErrorKind::unavailable, "the outbox of notifications is damaged", std::nullopt};
  return database;
}

Delivery delivery_of(const Row& row) {
  return {row.text(0),
          row.text(1),
          row.text(2),
          static_cast<unsigned>(row.number(3)),
          WallTime(std::chrono::milliseconds(row.number(4)))};
}

}  // namespace

struct Outbox::State {
  DatabaseHandle database;
  OutboxLimits limits;
};

Outbox::Outbox(std::unique_ptr<State> state) : state_(std::move(state)) {}
Outbox::Outbox(Outbox&&) noexcept = default;
Outbox& Outbox::operator=(Outbox&&) noexcept = default;
Outbox::~Outbox() = default;

Result<Outbox> Outbox::open(const std::filesystem::path& file, OutboxLimits limits) {
  auto database = open_database(file);
  if (!database) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(file, ignored)) return std::move(database).error();
    std::filesystem::rename(file, file.string() + ".damaged", ignored);
    for (const auto* rest : {"-wal", "-shm"})
      std::filesystem::remove(file.string() + rest, ignored);
    database = open_database(file);
  }
  if (!database) return std::move(database).error();
  auto state = std::make_unique<State>();
  state->database = *std::move(database);
  state->limits = limits;
  return Outbox(std::move(state));
}

Result<std::size_t> Outbox::put(const std::vector<Entry>& entries,
                                const std::vector<Told>& told,
                                WallTime now) {
  auto* database = state_->database.get();
  Transaction transaction(database);
  if (auto begun = transaction.begin(); !begun) return std::move(begun).error();
  std::size_t dropped = 0;
  for (const auto& entry : entries) {
    for (const auto& target : entry.targets) {
      const auto id = to_hex(random_bytes(16));
      auto done =
          run(database,
              "INSERT INTO delivery (id, target, body, created, due) VALUES (?,?,?,?,?)",
              {id, target, to_json(entry.message, id), milliseconds(now), milliseconds(now)});
      if (!done) return std::move(done).error();
      done =
          run(database,
              "DELETE FROM delivery WHERE target = ?1 AND number <= (SELECT number FROM delivery "
              "WHERE target = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)",
              {target, static_cast<std::int64_t>(state_->limits.per_target)});
      if (!done) return std::move(done).error();
      dropped += static_cast<std::size_t>(sqlite3_changes(database));
    }
    for (const auto& story : entry.message.stories) {
      auto done = run(database,
                      "INSERT OR REPLACE INTO said VALUES (?,?,?,?)",
                      {story.stack, entry.message.reason, story.revision, milliseconds(now)});
      if (!done) return std::move(done).error();
    }
  }
  for (const auto& one : told) {
    auto done = run(database,
                    "INSERT OR REPLACE INTO told VALUES (?,?,?)",
                    {one.stack, one.reason, one.revision});
    if (!done) return std::move(done).error();
  }
  auto done = run(database, "DELETE FROM said WHERE at < ?", {milliseconds(now) - kSaidLately});
  if (!done) return std::move(done).error();
  if (auto committed = transaction.commit(); !committed) return std::move(committed).error();
  return dropped;
}

Result<std::vector<Told>> Outbox::told() const {
  const auto rows = run(state_->database.get(), "SELECT stack, reason, revision FROM told");
  if (!rows) return rows.error();
  std::vector<Told> told;
  for (const auto& row : *rows) told.push_back({row.text(0), row.text(1), row.text(2)});
  return told;
}

Result<void> Outbox::forget(const std::vector<std::string>& stacks) {
  for (const auto& stack : stacks) {
    auto done = run(state_->database.get(), "DELETE FROM told WHERE stack = ?", {stack});
    if (!done) return std::move(done).error();
  }
  return {};
}

Result<bool> Outbox::said_lately(const Told& what, WallTime now) const {
  const auto rows =
      run(state_->database.get(),
          "SELECT 1 FROM said WHERE stack = ? AND reason = ? AND revision = ? AND at > ?",
          {what.stack, what.reason, what.revision, milliseconds(now) - kSaidLately});
  if (!rows) return rows.error();
  return !rows->empty();
}

Result<std::vector<Delivery>> Outbox::due(WallTime now) const {
  // In their order: what waits for its next attempt holds up what is behind it, so that nobody
  // reads "is well again" before "failed".
  const auto rows = run(state_->database.get(),
                        "SELECT id, target, body, attempts, created FROM delivery WHERE number IN "
                        "(SELECT MIN(number) FROM delivery GROUP BY target) AND due <= ? "
                        "ORDER BY number",
                        {milliseconds(now)});
  if (!rows) return rows.error();
  std::vector<Delivery> deliveries;
  for (const auto& row : *rows) deliveries.push_back(delivery_of(row));
  return deliveries;
}

Result<void> Outbox::delivered(const std::string& id) {
  return only(run(state_->database.get(), "DELETE FROM delivery WHERE id = ?", {id}));
}

Result<bool> Outbox::failed(const Delivery& delivery, std::chrono::seconds at_least, WallTime now) {
  const auto& limits = state_->limits;
  if (now - delivery.created >= limits.age) {
    auto done = delivered(delivery.id);
    if (!done) return std::move(done).error();
    return false;
  }
  auto wait = limits.first_wait;
  for (unsigned i = 0; i < delivery.attempts && wait < limits.longest_wait; ++i) wait *= 2;
  wait = std::max(std::min(wait, limits.longest_wait), at_least);
  auto done = run(state_->database.get(),
                  "UPDATE delivery SET attempts = attempts + 1, due = ? WHERE id = ?",
                  {milliseconds(now + wait), delivery.id});
  if (!done) return std::move(done).error();
  return true;
}

Result<void> Outbox::keep_targets(const std::vector<std::string>& targets) {
  std::string places;
  std::vector<Parameter> parameters;
  for (const auto& target : targets) {
    places += places.empty() ? "?" : ",?";
    parameters.emplace_back(target);
  }
  return only(run(state_->database.get(),
                  "DELETE FROM delivery WHERE target NOT IN (" + places + ")",
                  parameters));
}

std::size_t Outbox::depth() const {
  const auto rows = run(state_->database.get(), "SELECT COUNT(*) FROM delivery");
  return rows && !rows->empty() ? static_cast<std::size_t>(rows->front().number(0)) : 0;
}

}  // namespace skep::notify
