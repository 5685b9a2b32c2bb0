#include "notify/outbox.hpp"

#include <algorithm>

#include "core/digest.hpp"
#include "notify/database.hpp"

namespace skep::notify {
namespace {

constexpr std::int64_t kSaidLately = 3'600'000;  ///< Milliseconds.

constexpr const char* kTables =
    "CREATE TABLE IF NOT EXISTS delivery (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " id TEXT NOT NULL UNIQUE, target TEXT NOT NULL, body TEXT NOT NULL,"
    " attempts INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL, due INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS told (stack TEXT PRIMARY KEY, reason TEXT NOT NULL,"
    " revision TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS said (stack TEXT NOT NULL, reason TEXT NOT NULL,"
    " revision TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (stack, reason, revision));";

std::int64_t milliseconds(WallTime time) { return time.time_since_epoch().count(); }

Delivery delivery_of(const Database::Row& row) {
  return {row.text(0),
          row.text(1),
          row.text(2),
          static_cast<unsigned>(row.number(3)),
          WallTime(std::chrono::milliseconds(row.number(4)))};
}

}  // namespace

struct Outbox::State {
  Database database;
  OutboxLimits limits;
};

Outbox::Outbox(std::unique_ptr<State> state) : state_(std::move(state)) {}
Outbox::Outbox(Outbox&&) noexcept = default;
Outbox& Outbox::operator=(Outbox&&) noexcept = default;
Outbox::~Outbox() = default;

Result<Outbox> Outbox::open(const std::filesystem::path& file, OutboxLimits limits) {
  auto database = Database::open(file, kTables);
  if (!database) return std::move(database).error();
  return Outbox(std::make_unique<State>(State{*std::move(database), limits}));
}

Result<std::size_t> Outbox::put(const std::vector<Entry>& entries,
                                const std::vector<Told>& told,
                                WallTime now) {
  auto& database = state_->database;
  Database::Transaction transaction(database);
  if (auto begun = transaction.begin(); !begun) return std::move(begun).error();
  std::size_t dropped = 0;
  for (const auto& entry : entries) {
    for (const auto& target : entry.targets) {
      const auto id = to_hex(random_bytes(16));
      auto done = database.run(
          "INSERT INTO delivery (id, target, body, created, due) VALUES (?,?,?,?,?)",
          {id, target, to_json(entry.message, id), milliseconds(now), milliseconds(now)});
      if (!done) return std::move(done).error();
      done = database.run(
          "DELETE FROM delivery WHERE target = ?1 AND number <= (SELECT number FROM delivery "
          "WHERE target = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)",
          {target, static_cast<std::int64_t>(state_->limits.per_target)});
      if (!done) return std::move(done).error();
      dropped += static_cast<std::size_t>(database.changes());
    }
    for (const auto& one : entry.said) {
      auto done = database.run("INSERT OR REPLACE INTO said VALUES (?,?,?,?)",
                               {one.stack, one.reason, one.revision, milliseconds(now)});
      if (!done) return std::move(done).error();
    }
  }
  for (const auto& one : told) {
    auto done = database.run("INSERT OR REPLACE INTO told VALUES (?,?,?)",
                             {one.stack, one.reason, one.revision});
    if (!done) return std::move(done).error();
  }
  auto done = database.run("DELETE FROM said WHERE at < ?", {milliseconds(now) - kSaidLately});
  if (!done) return std::move(done).error();
  if (auto committed = transaction.commit(); !committed) return std::move(committed).error();
  return dropped;
}

Result<std::vector<Told>> Outbox::told() const {
  const auto rows = state_->database.run("SELECT stack, reason, revision FROM told");
  if (!rows) return rows.error();
  std::vector<Told> told;
  for (const auto& row : *rows) told.push_back({row.text(0), row.text(1), row.text(2)});
  return told;
}

Result<void> Outbox::forget(const std::vector<std::string>& stacks) {
  for (const auto& stack : stacks) {
    auto done = state_->database.run("DELETE FROM told WHERE stack = ?", {stack});
    if (!done) return std::move(done).error();
  }
  return {};
}

Result<bool> Outbox::said_lately(const Told& what, WallTime now) const {
  const auto rows = state_->database.run(
      "SELECT 1 FROM said WHERE stack = ? AND reason = ? AND revision = ? AND at > ? AND at <= ?",
      {what.stack,
       what.reason,
       what.revision,
       milliseconds(now) - kSaidLately,
       milliseconds(now) + kSaidLately});
  if (!rows) return rows.error();
  return !rows->empty();
}

Result<std::vector<Delivery>> Outbox::due(WallTime now) const {
  // In their order: what waits for its next attempt holds up what is behind it, so that nobody
  // reads "is well again" before "failed".
  const auto longest = std::max(state_->limits.longest_wait, state_->limits.longest_asked);
  const auto rows = state_->database.run(
      "SELECT id, target, body, attempts, created FROM delivery WHERE number IN "
      "(SELECT MIN(number) FROM delivery GROUP BY target) AND (due <= ? OR due > ?) "
      "ORDER BY number",
      {milliseconds(now), milliseconds(now + longest)});
  if (!rows) return rows.error();
  std::vector<Delivery> deliveries;
  for (const auto& row : *rows) deliveries.push_back(delivery_of(row));
  return deliveries;
}

Result<void> Outbox::delivered(const std::string& id) {
  return only(state_->database.run("DELETE FROM delivery WHERE id = ?", {id}));
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
  auto done =
      state_->database.run("UPDATE delivery SET attempts = attempts + 1, due = ? WHERE id = ?",
                           {milliseconds(now + wait), delivery.id});
  if (!done) return std::move(done).error();
  return true;
}

Result<void> Outbox::keep_targets(const std::vector<std::string>& targets) {
  std::string places;
  std::vector<Database::Parameter> parameters;
  for (const auto& target : targets) {
    places += places.empty() ? "?" : ",?";
    parameters.emplace_back(target);
  }
  return only(state_->database.run("DELETE FROM delivery WHERE target NOT IN (" + places + ")",
                                   parameters));
}

const std::string& Outbox::set_aside() const { return state_->database.set_aside(); }

std::size_t Outbox::depth() const {
  const auto rows = state_->database.run("SELECT COUNT(*) FROM delivery");
  return rows && !rows->empty() ? static_cast<std::size_t>(rows->front().number(0)) : 0;
}

}  // namespace skep::notify
