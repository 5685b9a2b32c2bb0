#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include "core/handle.hpp"
#include "core/result.hpp"

/// SQLite behind a few calls; only this folder's sources include it.
namespace skep::history {

/// What went wrong, as far as somebody does something about it.
enum class Trouble {
  none,
  damaged,  ///< The file is no database of ours any more.
  full,     ///< No space left, on the disk or below our own limit.
  other,    ///< Read-only, no directory, locked …: may pass by itself.
};

using DatabaseHandle = Handle<sqlite3, sqlite3_close_v2>;
using StatementHandle = Handle<sqlite3_stmt, sqlite3_finalize>;

/// A connection. Not for several threads at once.
class Database {
 public:
  enum class Mode { write, read };
  /// `write` makes the file where there is none.
  static Result<Database> open(const std::filesystem::path& path, Mode mode);

  /// Statements without parameters or results.
  Result<void> run(const char* sql);
  [[nodiscard]] sqlite3* get() const { return database_.get(); }
  /// Of the last call that failed.
  [[nodiscard]] Trouble trouble() const;
  [[nodiscard]] Error error(std::string_view doing) const;
  [[nodiscard]] std::int64_t changes() const { return sqlite3_changes64(database_.get()); }

 private:
  explicit Database(DatabaseHandle database) : database_(std::move(database)) {}
  DatabaseHandle database_;
};

[[nodiscard]] Trouble trouble_of(int code);

/// One statement: bind in order, then step().
class Statement {
 public:
  static Result<Statement> prepare(Database& database, std::string_view sql);

  Statement& bind(std::int64_t value);
  Statement& bind(std::string_view value);
  /// True where a row is there. Errors: unavailable.
  Result<bool> step();
  /// To its end, without looking at rows.
  Result<void> run();
  /// For another go with other values.
  void reset();

  [[nodiscard]] std::int64_t number(int column) const;
  [[nodiscard]] std::string text(int column) const;

 private:
  Statement(Database& database, StatementHandle statement)
      : database_(&database), statement_(std::move(statement)) {}
  Database* database_;
  StatementHandle statement_;
  int bound_ = 0;
};

}  // namespace skep::history
