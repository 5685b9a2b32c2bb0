#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/result.hpp"

namespace skep::notify {

/// An SQLite file in which something waits to be sent. What is written is on the disk when a call
/// returns. Not for several threads.
class Database {
 public:
  using Parameter = std::variant<std::int64_t, std::string>;
  struct Row {
    std::vector<Parameter> columns;
    [[nodiscard]] std::string text(std::size_t at) const;     ///< "" where it is a number.
    [[nodiscard]] std::int64_t number(std::size_t at) const;  ///< 0 where it is a text.
  };

  /// Makes the file, readable by its owner only, and the `tables` where they are missing; a file
  /// that is damaged is set aside, with its log, as NAME.damaged, then NAME.damaged-2 …. One that
  /// cannot be opened for any other reason stays as it is. Errors: unavailable.
  static Result<Database> open(const std::filesystem::path& file, const char* tables);
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  /// Where the damaged file is that was found in this one's place; "" for none.
  [[nodiscard]] const std::string& set_aside() const { return set_aside_; }

  /// Errors: unavailable.
  Result<std::vector<Row>> run(const std::string& sql,
                               const std::vector<Parameter>& parameters = {}) const;
  [[nodiscard]] std::size_t changes() const;  ///< Rows that the last statement changed.

  /// Undone where nobody commits it. The database outlives it.
  class Transaction {
   public:
    explicit Transaction(const Database& database) : database_(database) {}
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    Result<void> begin();
    Result<void> commit();

   private:
    const Database& database_;
    bool open_ = false;
  };

 private:
  struct State;
  explicit Database(std::unique_ptr<State> state);
  static Result<Database> open_sound(const std::filesystem::path& file,
                                     const char* tables,
                                     bool& damaged);
  std::unique_ptr<State> state_;
  std::string set_aside_;
};

/// Of a statement that gives no rows.
[[nodiscard]] Result<void> only(Result<std::vector<Database::Row>> done);

}  // namespace skep::notify
