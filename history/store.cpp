#include "history/store.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <sys/stat.h>

#include "history/sqlite.hpp"
#include "history/words.hpp"

namespace skep::history {
namespace {

constexpr std::size_t kMostRows = 1'000;  ///< Of one answer.
constexpr std::size_t kPageBytes = 4'096;
constexpr char kFieldSeparator = '\n';

/// What brings tables of version N to version N + 1; never changed once released.
constexpr std::array<const char*, Store::kVersion> kSteps = {R"(
CREATE TABLE operations (
  id INTEGER PRIMARY KEY,
  stack TEXT NOT NULL,          -- group/name
  name TEXT NOT NULL,
  cause TEXT NOT NULL,          -- git, drift, manual, rollback, retry
  result TEXT NOT NULL,
  failed_phase TEXT NOT NULL,
  started_ms INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL,    -- of the last attempt
  attempts INTEGER NOT NULL,
  revision_from TEXT NOT NULL,
  revision_to TEXT NOT NULL,
  author TEXT NOT NULL,
  subject TEXT NOT NULL,
  plan_digest TEXT NOT NULL,
  actor TEXT NOT NULL,
  message TEXT NOT NULL);
CREATE INDEX operations_of_stack ON operations (name, id);
CREATE TABLE objects (
  operation INTEGER NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  kind TEXT NOT NULL,
  verb TEXT NOT NULL,
  name TEXT NOT NULL,
  fields TEXT NOT NULL,         -- names, one a line
  error TEXT NOT NULL,
  PRIMARY KEY (operation, position)) WITHOUT ROWID;
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  stack TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  before TEXT NOT NULL,
  value TEXT NOT NULL,
  message TEXT NOT NULL,
  actor TEXT NOT NULL);
CREATE INDEX events_of_stack ON events (name, id);
CREATE TABLE states (           -- the last value of each kind of event that is a state
  stack TEXT NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (stack, kind)) WITHOUT ROWID;
)"};

std::string name_of(const std::string& stack) { return stack.substr(stack.rfind('/') + 1); }

std::int64_t milliseconds_of(WallTime time) { return time.time_since_epoch().count(); }
WallTime time_of(std::int64_t milliseconds) {
  return WallTime(std::chrono::milliseconds(milliseconds));
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) {
    if (!text.empty()) text += kFieldSeparator;
    text += word;
  }
  return text;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> words;
  std::size_t start = 0;
  while (start < text.size()) {
    const auto end = std::min(text.find(kFieldSeparator, start), text.size());
    words.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return words;
}

struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileId&) const = default;
};

std::optional<FileId> id_of(const std::filesystem::path& path) {
  struct stat info = {};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return FileId{info.st_dev, info.st_ino};
}

Result<std::int64_t> one_number(Database& database, std::string_view sql) {
  auto statement = Statement::prepare(database, sql);
  if (!statement) return std::move(statement).error();
  const auto row = statement->step();
  if (!row) return row.error();
  return *row ? statement->number(0) : 0;
}

}  // namespace

struct Store::State {
  std::filesystem::path path;
  Limits limits;
  Database database;
  std::optional<FileId> file;
  std::int64_t last_id = 0;
  Trouble trouble = Trouble::none;

  /// Ids tell the time, so that they go on growing where the file was lost.
  std::int64_t next_id(WallTime at) {
    constexpr std::int64_t kPerMillisecond = 1'000;
    last_id = std::max(last_id + 1, milliseconds_of(at) * kPerMillisecond);
    return last_id;
  }
  Error failed(const Error& error) {
    trouble = database.trouble();
    return error;
  }
  template <typename Bind>
  Result<void> write(std::string_view sql, Bind&& bind) {
    auto statement = Statement::prepare(database, sql);
    if (!statement) return failed(statement.error());
    bind(*statement);
    if (auto done = statement->run(); !done) return failed(done.error());
    return {};
  }
};

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(const std::filesystem::path& path,
                                           const Limits& limits,
                                           Trouble& trouble) {
  trouble = Trouble::other;
  std::error_code code;
  std::filesystem::create_directories(path.parent_path(), code);  // Opening tells what is wrong.
  if (std::filesystem::is_directory(path, code)) {
    trouble = Trouble::damaged;
    return Error{ErrorKind::unavailable, "a directory stands in its place"};
  }
  auto database = Database::open(path, Database::Mode::write);
  if (!database) return std::move(database).error();
  std::unique_ptr<Store> store(new Store(std::make_unique<State>(
      State{path, limits, *std::move(database), std::nullopt, 0, Trouble::none})));
  ::chmod(path.c_str(), 0600);  // Commit messages of a private repository are nobody else's.
  if (auto ready = store->prepare_tables(); !ready) {
    trouble = store->state_->trouble;
    return std::move(ready).error();
  }
  store->state_->file = id_of(path);
  trouble = Trouble::none;
  return store;
}

Result<void> Store::prepare_tables() {
  auto& state = *state_;
  auto& database = state.database;
  const auto run = [&](const std::string& sql) -> Result<void> {
    if (auto done = database.run(sql.c_str()); !done) return state.failed(done.error());
    return {};
  };
  // Where the file system cannot do WAL, SQLite stays with its journal, which is right as well.
  for (const auto* pragma : {"PRAGMA journal_mode = WAL",
                             "PRAGMA synchronous = NORMAL",
                             "PRAGMA foreign_keys = ON",
                             "PRAGMA journal_size_limit = 1048576"}) {
    if (auto done = run(pragma); !done) return done;
  }
  const auto pages = std::max<std::size_t>(state.limits.bytes / kPageBytes, 32);
  if (auto done = run("PRAGMA max_page_count = " + std::to_string(pages)); !done) return done;
  {
    auto check = Statement::prepare(database, "PRAGMA quick_check(1)");
    if (!check) return state.failed(check.error());
    const auto row = check->step();
    if (!row) return state.failed(row.error());
    if (*row && check->text(0) != "ok") {
      state.trouble = Trouble::damaged;
      return Error{ErrorKind::unavailable, "the file is damaged: " + check->text(0)};
    }
  }
  const auto version = one_number(database, "PRAGMA user_version");
  if (!version) return state.failed(version.error());
  if (*version > kVersion) {
    state.trouble = Trouble::damaged;
    return Error{ErrorKind::unavailable,
                 "the file is of a newer skep (version " + std::to_string(*version) + ")"};
  }
  for (auto step = *version; step < kVersion; ++step) {
    const auto sql = "BEGIN IMMEDIATE;" + std::string(kSteps.at(static_cast<std::size_t>(step))) +
                     "PRAGMA user_version = " + std::to_string(step + 1) + ";COMMIT";
    if (auto done = run(sql); !done) {
      roll_back();
      return done;
    }
  }
  const auto last = one_number(database,
                               "SELECT max(coalesce((SELECT max(id) FROM operations), 0), "
                               "coalesce((SELECT max(id) FROM events), 0))");
  if (!last) return state.failed(last.error());
  state.last_id = *last;
  return {};
}

Result<void> Store::begin() {
  if (auto done = state_->database.run("BEGIN IMMEDIATE"); !done)
    return state_->failed(done.error());
  return {};
}

Result<void> Store::commit() {
  if (auto done = state_->database.run("COMMIT"); !done) return state_->failed(done.error());
  return {};
}

void Store::roll_back() {
  const auto trouble = state_->trouble;
  (void)state_->database.run("ROLLBACK");  // Fails where SQLite has done so itself.
  state_->trouble = trouble;
}

Result<bool> Store::add(const ports::SyncReport& report, WallTime ended) {
  auto& state = *state_;
  // One that carried out another plan is told by itself: it says what was changed.
  if (report.trigger == "retry" && report.result == "failure") {
    auto counted = state.write(
        "UPDATE operations SET attempts = attempts + 1, ended_ms = ?1 WHERE id = (SELECT max(id) "
        "FROM operations WHERE stack = ?2) AND result = 'failure' AND failed_phase = ?3 AND "
        "revision_to = ?4 AND message = ?5 AND (?6 = '' OR plan_digest = ?6)",
        [&](Statement& update) {
          update.bind(milliseconds_of(ended))
              .bind(report.stack)
              .bind(report.failed_phase)
              .bind(report.revision_to)
              .bind(report.message)
              .bind(report.plan_digest);
        });
    if (!counted) return std::move(counted).error();
    if (state.database.changes() > 0) return false;
  }
  const auto id = state.next_id(ended);
  auto added = state.write(
      "INSERT INTO operations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)",
      [&](Statement& insert) {
        insert.bind(id)
            .bind(report.stack)
            .bind(name_of(report.stack))
            .bind(report.trigger)
            .bind(report.result)
            .bind(report.failed_phase)
            .bind(milliseconds_of(report.started))
            .bind(report.duration.count())
            .bind(milliseconds_of(ended))
            .bind(report.revision_from)
            .bind(report.revision_to)
            .bind(report.author)
            .bind(report.subject)
            .bind(report.plan_digest)
            .bind(report.actor)
            .bind(report.message);
      });
  if (!added) return std::move(added).error();
  std::int64_t position = 0;
  for (const auto& object : report.objects) {
    auto put =
        state.write("INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?)", [&](Statement& insert) {
          insert.bind(id)
              .bind(position++)
              .bind(word_of(object.kind))
              .bind(word_of(object.verb))
              .bind(object.name)
              .bind(joined(object.fields))
              .bind(object.error);
        });
    if (!put) return std::move(put).error();
  }
  return true;
}

Result<void> Store::add(const ports::EventRecord& event, bool unless_known) {
  auto& state = *state_;
  auto before = event.before;
  const auto keep_state = [&] {
    return state.write("INSERT OR REPLACE INTO states VALUES (?, ?, ?)", [&](Statement& insert) {
      insert.bind(event.stack).bind(event.kind).bind(event.value);
    });
  };
  if (unless_known) {
    auto known =
        Statement::prepare(state.database, "SELECT value FROM states WHERE stack = ? AND kind = ?");
    if (!known) return state.failed(known.error());
    known->bind(event.stack).bind(event.kind);
    const auto row = known->step();
    if (!row) return state.failed(row.error());
    if (*row && known->text(0) == event.value) return {};
    if (*row) {
      before = known->text(0);
    } else if (before == event.value) {
      return keep_state();
    }
  }
  auto added =
      state.write("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [&](Statement& insert) {
        insert.bind(state.next_id(event.at))
            .bind(milliseconds_of(event.at))
            .bind(event.stack)
            .bind(name_of(event.stack))
            .bind(event.kind)
            .bind(before)
            .bind(event.value)
            .bind(event.message)
            .bind(event.actor);
      });
  if (!added) return added;
  const bool is_state = unless_known || !event.before.empty();
  if (!is_state) return {};
  return keep_state();
}

Result<void> Store::forget(const std::string& stack) {
  return state_->write("DELETE FROM states WHERE stack = ?",
                       [&](Statement& remove) { remove.bind(stack); });
}

Result<void> Store::prune(WallTime now, bool hard) {
  auto& state = *state_;
  const auto oldest = milliseconds_of(now - state.limits.age);
  const std::array<std::array<const char*, 4>, 2> tables = {
      {{"SELECT count(*) FROM operations",
        "DELETE FROM operations WHERE id <= (SELECT id FROM operations ORDER BY id DESC LIMIT 1 "
        "OFFSET ?)",
        "DELETE FROM operations WHERE ended_ms < ?",
        "operations"},
       {"SELECT count(*) FROM events",
        "DELETE FROM events WHERE id <= (SELECT id FROM events ORDER BY id DESC LIMIT 1 OFFSET ?)",
        "DELETE FROM events WHERE at_ms < ?",
        "events"}}};
  for (const auto& [count_sql, by_count, by_age, table] : tables) {
    auto most =
        std::string_view(table) == "operations" ? state.limits.operations : state.limits.events;
    if (hard) {
      const auto count = one_number(state.database, count_sql);
      if (!count) return state.failed(count.error());
      most = std::min(most, static_cast<std::size_t>(*count) * 9 / 10);
    }
    auto done = state.write(
        by_count, [&](Statement& remove) { remove.bind(static_cast<std::int64_t>(most)); });
    if (!done) return done;
    done = state.write(by_age, [&](Statement& remove) { remove.bind(oldest); });
    if (!done) return done;
  }
  return {};
}

bool Store::at_own_limit() const {
  const auto used = one_number(state_->database, "PRAGMA page_count");
  const auto most = one_number(state_->database, "PRAGMA max_page_count");
  constexpr std::uintmax_t kRoom = 1U << 20U;
  std::error_code code;
  const auto disk = std::filesystem::space(state_->path.parent_path(), code);
  return used && most && *used * 2 > *most && !code && disk.available > kRoom;
}

Trouble Store::trouble() const { return state_->trouble; }

bool Store::in_place() const { return state_->file && id_of(state_->path) == state_->file; }

namespace {

/// WHERE of both tables; parameters in this order.
constexpr std::string_view kWhere = " WHERE (?1 = '' OR stack = ?1 OR name = ?1) AND id > ?2 AND ";

Result<std::optional<Database>> open_to_read(const std::filesystem::path& path) {
  if (!id_of(path)) return std::optional<Database>();
  auto database = Database::open(path, Database::Mode::read);
  if (!database) return std::move(database).error();
  return std::optional<Database>(*std::move(database));
}

Result<Statement> select(Database& database,
                         const std::string& sql,
                         const ports::HistoryQuery& query) {
  auto statement = Statement::prepare(database, sql);
  if (!statement) return statement;
  statement->bind(query.stack)
      .bind(query.after)
      .bind(query.since ? milliseconds_of(*query.since) : std::int64_t{0})
      .bind(static_cast<std::int64_t>(std::min(query.limit, kMostRows)));
  return statement;
}

Result<std::vector<ports::ObjectReport>> objects_of(Statement& objects, std::int64_t operation) {
  std::vector<ports::ObjectReport> found;
  objects.reset();
  objects.bind(operation);
  while (true) {
    const auto row = objects.step();
    if (!row) return row.error();
    if (!*row) return found;
    found.push_back({kind_of(objects.text(0)),
                     verb_of(objects.text(1)),
                     objects.text(2),
                     split(objects.text(3)),
                     objects.text(4)});
  }
}

}  // namespace

Result<std::vector<ports::OperationRecord>> read_operations(const std::filesystem::path& path,
                                                            const ports::HistoryQuery& query) {
  std::vector<ports::OperationRecord> found;
  auto database = open_to_read(path);
  if (!database) return std::move(database).error();
  if (!*database) return found;
  auto rows = select(**database,
                     "SELECT id, stack, cause, result, failed_phase, started_ms, duration_ms, "
                     "ended_ms, attempts, revision_from, revision_to, author, subject, "
                     "plan_digest, actor, message FROM operations" +
                         std::string(kWhere) + "ended_ms >= ?3 ORDER BY id DESC LIMIT ?4",
                     query);
  if (!rows) return std::move(rows).error();
  auto objects = Statement::prepare(
      **database,
      "SELECT kind, verb, name, fields, error FROM objects WHERE operation = ? ORDER BY position");
  if (!objects) return std::move(objects).error();
  while (true) {
    const auto row = rows->step();
    if (!row) return row.error();
    if (!*row) return found;
    ports::OperationRecord record;
    record.id = rows->number(0);
    auto& report = record.report;
    report.stack = rows->text(1);
    report.trigger = rows->text(2);
    report.result = rows->text(3);
    report.failed_phase = rows->text(4);
    report.started = time_of(rows->number(5));
    report.duration = std::chrono::milliseconds(rows->number(6));
    record.last_ended = time_of(rows->number(7));
    record.attempts = static_cast<std::uint64_t>(rows->number(8));
    report.revision_from = rows->text(9);
    report.revision_to = rows->text(10);
    report.author = rows->text(11);
    report.subject = rows->text(12);
    report.plan_digest = rows->text(13);
    report.actor = rows->text(14);
    report.message = rows->text(15);
    auto of_it = objects_of(*objects, record.id);
    if (!of_it) return std::move(of_it).error();
    report.objects = *std::move(of_it);
    found.push_back(std::move(record));
  }
}

Result<std::vector<ports::EventRecord>> read_events(const std::filesystem::path& path,
                                                    const ports::HistoryQuery& query) {
  std::vector<ports::EventRecord> found;
  auto database = open_to_read(path);
  if (!database) return std::move(database).error();
  if (!*database) return found;
  const bool forward = query.after > 0;
  auto rows = select(**database,
                     "SELECT id, at_ms, stack, kind, before, value, message, actor FROM events" +
                         std::string(kWhere) + "at_ms >= ?3 ORDER BY id " +
                         (forward ? "ASC" : "DESC") + " LIMIT ?4",
                     query);
  if (!rows) return std::move(rows).error();
  while (true) {
    const auto row = rows->step();
    if (!row) return row.error();
    if (!*row) break;
    found.push_back({rows->number(0),
                     time_of(rows->number(1)),
                     rows->text(2),
                     rows->text(3),
                     rows->text(4),
                     rows->text(5),
                     rows->text(6),
                     rows->text(7)});
  }
  if (!forward) std::reverse(found.begin(), found.end());
  return found;
}

}  // namespace skep::history
