#include "notify/database.hpp"

#include <sqlite3.h>

#include "core/handle.hpp"

namespace skep::notify {
namespace {

using DatabaseHandle = Handle<sqlite3, sqlite3_close_v2>;
using StatementHandle = Handle<sqlite3_stmt, sqlite3_finalize>;

constexpr int kBusyMilliseconds = 2'000;
constexpr const char* kDurable = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;";

Error error_of(sqlite3* database) {
  const char* words = database == nullptr ? "out of memory" : sqlite3_errmsg(database);
  return Error{ErrorKind::unavailable, words, std::nullopt}.within("outbox of notifications");
}

/// Whether the last call found that the file is no sound database. A full disk, a lock or a missing
/// right say nothing against the file, and pass.
bool found_damage(sqlite3* database) {
  const int code = sqlite3_errcode(database) & 0xFF;  // The upper bits only tell more of the same.
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

/// A name beside `file` that nothing has, neither as a file nor with a log.
std::filesystem::path name_aside(const std::filesystem::path& file) {
  std::error_code ignored;
  for (int number = 1;; ++number) {
    const auto name =
        file.string() + ".damaged" + (number == 1 ? "" : "-" + std::to_string(number));
    if (!std::filesystem::exists(name, ignored) && !std::filesystem::exists(name + "-wal", ignored))
      return name;
  }
}

/// The log first: beside a new file it would be taken for that one's.
std::error_code move_aside(const std::filesystem::path& file, const std::filesystem::path& aside) {
  std::error_code code, ignored;
  std::filesystem::rename(file.string() + "-wal", aside.string() + "-wal", code);
  if (code && code != std::errc::no_such_file_or_directory) return code;
  std::filesystem::remove(file.string() + "-shm", ignored);
  std::filesystem::rename(file, aside, code);
  return code;
}

}  // namespace

struct Database::State {
  DatabaseHandle handle;
};

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

std::string Database::Row::text(std::size_t at) const {
  const auto* found = std::get_if<std::string>(&columns.at(at));
  return found == nullptr ? std::string() : *found;
}

std::int64_t Database::Row::number(std::size_t at) const {
  const auto* found = std::get_if<std::int64_t>(&columns.at(at));
  return found == nullptr ? 0 : *found;
}

Result<std::vector<Database::Row>> Database::run(const std::string& sql,
                                                 const std::vector<Parameter>& parameters) const {
  auto* database = state_->handle.get();
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

std::size_t Database::changes() const {
  return static_cast<std::size_t>(sqlite3_changes(state_->handle.get()));
}

Result<void> only(Result<std::vector<Database::Row>> done) {
  if (!done) return std::move(done).error();
  return {};
}

Database::Transaction::~Transaction() {
  if (open_) (void)database_.run("ROLLBACK");
}

Result<void> Database::Transaction::begin() {
  auto begun = only(database_.run("BEGIN IMMEDIATE"));
  open_ = begun.has_value();
  return begun;
}

Result<void> Database::Transaction::commit() {
  auto done = only(database_.run("COMMIT"));
  if (done) open_ = false;
  return done;
}

Result<Database> Database::open_sound(const std::filesystem::path& file,
                                      const char* tables,
                                      bool& damaged) {
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(file.c_str(),
                      &raw,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX,
                      nullptr);
  auto state = std::make_unique<State>();
  state->handle.reset(raw);
  if (code != SQLITE_OK) return error_of(raw);
  std::error_code ignored;  // On a disk without modes everybody may read it anyway.
  std::filesystem::permissions(
      file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, ignored);
  sqlite3_busy_timeout(raw, kBusyMilliseconds);
  const auto failed = [&](Error error) {
    damaged = found_damage(raw);
    return error;
  };
  for (const auto* sql : {kDurable, tables}) {
    if (sqlite3_exec(raw, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
      return failed(error_of(raw));
  }
  Database database(std::move(state));
  const auto sound = database.run("PRAGMA quick_check(1)");
  if (!sound) return failed(sound.error());
  damaged = sound->empty() || sound->front().text(0) != "ok";
  if (damaged)
    return Error{ErrorKind::unavailable, "the outbox of notifications is damaged", std::nullopt};
  return database;
}

Result<Database> Database::open(const std::filesystem::path& file, const char* tables) {
  bool damaged = false;
  auto database = open_sound(file, tables, damaged);
  if (database || !damaged) return database;
  const auto aside = name_aside(file);
  if (const auto code = move_aside(file, aside)) {
    return Error{ErrorKind::unavailable,
                 "the damaged file " + file.string() + " cannot be renamed: " + code.message(),
                 std::nullopt};
  }
  database = open_sound(file, tables, damaged);
  if (database) database->set_aside_ = aside.string();
  return database;
}

}  // namespace skep::notify
