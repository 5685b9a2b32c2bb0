#include "history/sqlite.hpp"

namespace skep::history {
namespace {

constexpr int kBusyMilliseconds = 2'000;

}  // namespace

Trouble trouble_of(int code) {
  switch (code & 0xFF) {  // The upper bits only tell more of the same.
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
      return Trouble::none;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:  // Statements are fixed: only tables that are not ours make them wrong.
    case SQLITE_SCHEMA:
    case SQLITE_MISMATCH:
    case SQLITE_CONSTRAINT:
      return Trouble::damaged;
    case SQLITE_FULL:
      return Trouble::full;
    default:
      return Trouble::other;
  }
}

Result<Database> Database::open(const std::filesystem::path& path, Mode mode) {
  sqlite3* raw = nullptr;
  const int flags =
      mode == Mode::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_FULLMUTEX, nullptr);
  Database database{DatabaseHandle(raw)};
  if (code != SQLITE_OK) return database.error("open " + path.string());
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, kBusyMilliseconds);
  return database;
}

Result<void> Database::run(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return error("history");
  return {};
}

Trouble Database::trouble() const { return trouble_of(sqlite3_extended_errcode(database_.get())); }

Error Database::error(std::string_view doing) const {
  // Out of memory there is not even a connection.
  const char* words =
      database_ == nullptr ? sqlite3_errstr(SQLITE_NOMEM) : sqlite3_errmsg(database_.get());
  return Error{ErrorKind::unavailable, words}.within(doing);
}

Result<Statement> Statement::prepare(Database& database, std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code =
      sqlite3_prepare_v2(database.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
  if (code != SQLITE_OK) return database.error("history");
  return Statement(database, StatementHandle(raw));
}

Statement& Statement::bind(std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), ++bound_, value);
  return *this;
}

Statement& Statement::bind(std::string_view value) {
  // A null pointer would be NULL, not the empty text.
  sqlite3_bind_text(statement_.get(),
                    ++bound_,
                    value.data() == nullptr ? "" : value.data(),
                    static_cast<int>(value.size()),
                    SQLITE_TRANSIENT);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return database_->error("history");
}

Result<void> Statement::run() {
  while (true) {
    const auto row = step();
    if (!row) return row.error();
    if (!*row) return {};
  }
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  bound_ = 0;
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string Statement::text(int column) const {
  const auto* bytes = sqlite3_column_blob(statement_.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), size);
}

}  // namespace skep::history
