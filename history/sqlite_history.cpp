#include "history/sqlite_history.hpp"

#include <algorithm>
#include <utility>

#include "core/logfmt.hpp"
#include "history/sqlite.hpp"

namespace skep::history {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBatch = 100;          ///< Records of one transaction.
constexpr int kAttempts = 10;                ///< Of one transaction, with something mended between.
constexpr std::size_t kPruneEvery = 200;     ///< Records between two looks at the limits.
constexpr std::size_t kKeepAside = 2;        ///< Damaged files; older ones are removed.
constexpr std::size_t kLongestText = 2'000;  ///< Bytes of a sentence.

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

std::string shortened(std::string text) {
  if (text.size() > kLongestText) {
    text.resize(kLongestText);
    text += "…";
  }
  return text;
}

std::string short_commit(const std::string& commit) {
  return commit.empty() ? "nothing" : commit.substr(0, 12);
}

/// The event that says in one line what an operation came to.
ports::EventRecord event_of(const ports::SyncReport& report, WallTime ended) {
  ports::EventRecord event;
  event.at = ended;
  event.stack = report.stack;
  event.kind = "operation";
  event.value = report.result;
  event.actor = report.actor;
  event.message = report.trigger;
  if (report.revision_from != report.revision_to) {
    event.message +=
        ": " + short_commit(report.revision_from) + " -> " + short_commit(report.revision_to);
  } else if (!report.revision_to.empty()) {
    event.message += ": at " + short_commit(report.revision_to);
  }
  if (!report.subject.empty() && report.revision_from != report.revision_to)
    event.message += " \"" + report.subject + "\"";
  if (!report.failed_phase.empty()) event.message += "; failed in " + report.failed_phase;
  if (!report.message.empty()) event.message += ": " + report.message;
  return event;
}

/// "2026-11-21T091742Z": fit for a file's name.
std::string stamp(WallTime time) {
  auto text = to_rfc3339(time);
  std::erase(text, ':');
  return text;
}

void remove_companions(const fs::path& file) {
  std::error_code code;
  for (const auto* end : {"-wal", "-shm", "-journal"}) fs::remove(file.string() + end, code);
}

/// Only the newest few damaged files are kept: they must not fill the disk.
void remove_old_ones(const fs::path& file) {
  const auto prefix = file.filename().string() + ".damaged-";
  std::vector<fs::path> aside;
  std::error_code code;
  for (fs::directory_iterator at(file.parent_path(), code), end; !code && at != end;
       at.increment(code)) {
    if (at->path().filename().string().starts_with(prefix)) aside.push_back(at->path());
  }
  std::sort(aside.begin(), aside.end());
  for (std::size_t i = 0; i + kKeepAside < aside.size(); ++i) fs::remove_all(aside[i], code);
}

}  // namespace

SqliteHistory::SqliteHistory(HistoryOptions options, const Clock& clock, spdlog::logger& log)
    : options_(std::move(options)),
      clock_(clock),
      log_(log),
      writer_([this](std::stop_token stop) { write_until(std::move(stop)); }) {}

SqliteHistory::~SqliteHistory() {
  writer_.request_stop();
  changed_.notify_all();
}

void SqliteHistory::put(Item item) {
  if (queue_.size() >= options_.queue) {
    queue_.pop_front();
    ++lost_;
  }
  queue_.push_back(std::move(item));
  changed_.notify_all();
}

void SqliteHistory::put_state(const std::string& kind,
                              std::string& known,
                              const std::string& value,
                              const std::string& message) {
  if (known == value) return;
  StatusChanges::Change change;
  change.first = known.empty();
  change.event.at = clock_.now();
  change.event.kind = kind;
  // What is well from the beginning is no news.
  change.event.before = known.empty() ? "readable" : known;
  change.event.value = value;
  change.event.message = shortened(message);
  known = value;
  put(std::move(change));
}

void SqliteHistory::fetched(const ports::FetchReport& report) {
  const std::lock_guard lock(mutex_);
  // A commit that cannot be read as a whole is carried out as little as one that did not come.
  const auto& why = report.ok ? report.unreadable : report.error;
  put_state("git", git_state_, report.usable() ? "readable" : "unreadable", why);
}

void SqliteHistory::observed(bool ok) {
  const std::lock_guard lock(mutex_);
  if (!ok) return;  // unreadable() tells why.
  swarm_unreadable_ = false;
  put_state("swarm", swarm_state_, "readable", "");
}

void SqliteHistory::unreadable(const std::string& why) {
  const std::lock_guard lock(mutex_);
  swarm_unreadable_ = true;
  put_state("swarm", swarm_state_, "unreadable", why);
}

void SqliteHistory::synced(const ports::SyncReport& report) {
  if (report.result == "noop") return;
  const std::lock_guard lock(mutex_);
  Operation operation{report, clock_.now()};
  operation.report.message = shortened(std::move(operation.report.message));
  for (auto& object : operation.report.objects) object.error = shortened(std::move(object.error));
  put(std::move(operation));
}

void SqliteHistory::noted(const ports::Note& note) {
  const std::lock_guard lock(mutex_);
  StatusChanges::Change change;
  change.event.at = clock_.now();
  change.event.stack = note.stack;
  change.event.kind = note.kind;
  change.event.message = shortened(note.message);
  change.event.actor = note.actor;
  put(std::move(change));
}

void SqliteHistory::status(const std::vector<ports::StackStatus>& stacks) {
  const std::lock_guard lock(mutex_);
  if (swarm_unreadable_) return;  // All unknown: one record says so for all of them.
  auto changes = changes_.next(stacks, clock_.now());
  for (auto& change : changes.changed) {
    change.event.message = shortened(std::move(change.event.message));
    put(std::move(change));
  }
  for (auto& stack : changes.gone) put(Gone{std::move(stack)});
}

void SqliteHistory::write_until(std::stop_token stop) {
  auto next_attempt = clock_.steady();
  while (true) {
    std::vector<Item> batch;
    bool check = false;
    {
      std::unique_lock lock(mutex_);
      const auto due = [&] {
        return (!queue_.empty() || suspect_) && clock_.steady() >= next_attempt;
      };
      while (!due() && !stop.stop_requested()) {
        const bool waits_for_time = !queue_.empty() || suspect_;
        if (waits_for_time) {
          changed_.wait_for(lock, stop, next_attempt - clock_.steady(), due);
        } else {
          changed_.wait(lock, stop, [&] { return !queue_.empty() || suspect_; });
        }
      }
      if (queue_.empty() && stop.stop_requested()) return;
      check = std::exchange(suspect_, false);
      const auto count = std::min(queue_.size(), kBatch);
      for (std::size_t i = 0; i < count; ++i) {
        batch.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
      if (lost_ > 0) {
        StatusChanges::Change change;
        change.event.at = clock_.now();
        change.event.kind = "history";
        change.event.message = std::to_string(lost_) +
                               " older records were lost while nothing "
                               "could be written";
        batch.insert(batch.begin(), std::move(change));
      }
      writing_ = true;
    }
    if (check) store_.reset();  // Opening it anew looks at all of it.
    const auto written = write(batch);
    {
      const std::lock_guard lock(mutex_);
      writing_ = false;
      if (written) {
        lost_ = 0;
      } else {  // They wait where they were; new ones came behind them.
        if (lost_ > 0) batch.erase(batch.begin());
        for (auto at = batch.rbegin(); at != batch.rend(); ++at) queue_.push_front(std::move(*at));
        while (queue_.size() > options_.queue) {
          queue_.pop_front();
          ++lost_;
        }
        next_attempt = clock_.steady() + options_.retry;
      }
    }
    report(written);
    changed_.notify_all();
    if (!written && stop.stop_requested()) return;
  }
}

Result<void> SqliteHistory::open_store() {
  Trouble trouble = Trouble::none;
  auto store = Store::open(options_.file, options_.limits, trouble);
  if (!store && trouble == Trouble::damaged) {
    if (auto done = set_aside(store.error()); !done) return done;
    store = Store::open(options_.file, options_.limits, trouble);
  }
  if (!store) return std::move(store).error();
  store_ = *std::move(store);
  return {};
}

Result<void> SqliteHistory::set_aside(const Error& why) {
  store_.reset();
  const fs::path aside = options_.file.string() + ".damaged-" + stamp(clock_.now());
  std::error_code code;
  fs::remove_all(aside, code);
  fs::rename(options_.file, aside, code);
  if (code && code != std::errc::no_such_file_or_directory) {
    return Error{
        ErrorKind::unavailable,
        "the damaged file " + options_.file.string() + " cannot be renamed: " + code.message()};
  }
  remove_companions(options_.file);
  remove_old_ones(options_.file);
  log_.warn(logfmt("the history's file is damaged; it was set aside and a new one begun",
                   {{"file", aside.string()}, {"error", why.message}}));
  return {};
}

Result<void> SqliteHistory::write(const std::vector<Item>& items) {
  Error last;
  // What an attempt finds wrong with the file may be mended at once: it is set aside, or some of
  // what is oldest makes room.
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (store_ && !store_->in_place()) store_.reset();
    if (!store_) {
      if (auto opened = open_store(); !opened) return opened;
      if (auto pruned = store_->prune(clock_.now(), false); !pruned) last = pruned.error();
    }
    auto written = write_transaction(items);
    if (written) return written;
    last = written.error();
    const auto trouble = store_->trouble();
    store_->roll_back();
    if (trouble == Trouble::damaged && attempt == 0) {
      if (auto done = set_aside(last); !done) return done;
    } else if (trouble == Trouble::full && store_->at_own_limit()) {
      if (auto pruned = store_->prune(clock_.now(), true); !pruned) break;
    } else {
      break;
    }
  }
  store_.reset();  // Opened anew next time, wherever the trouble was.
  return last;
}

Result<void> SqliteHistory::write_transaction(const std::vector<Item>& items) {
  if (auto begun = store_->begin(); !begun) return begun;
  for (const auto& item : items) {
    auto written = std::visit(
        Overloaded{[&](const Operation& operation) -> Result<void> {
                     const auto added = store_->add(operation.report, operation.ended);
                     if (!added) return added.error();
                     if (!*added) return {};  // Counted with the one before.
                     return store_->add(event_of(operation.report, operation.ended), false);
                   },
                   [&](const StatusChanges::Change& change) -> Result<void> {
                     return store_->add(change.event, change.first);
                   },
                   [&](const Gone& gone) -> Result<void> { return store_->forget(gone.stack); }},
        item);
    if (!written) return written;
  }
  written_since_pruning_ += items.size();
  if (written_since_pruning_ >= kPruneEvery) {
    if (auto pruned = store_->prune(clock_.now(), false); !pruned) return pruned;
    written_since_pruning_ = 0;
  }
  return store_->commit();
}

void SqliteHistory::report(const Result<void>& written) {
  const std::lock_guard lock(mutex_);
  if (!written) ++write_errors_;
  const auto trouble = written ? std::string() : written.error().message;
  if (trouble == trouble_) return;
  if (trouble.empty()) {
    log_.info(logfmt("history is kept again", {{"file", options_.file.string()}}));
  } else if (trouble_.empty()) {
    log_.warn(logfmt("history is not kept; everything else goes on",
                     {{"file", options_.file.string()}, {"error", trouble}}));
  }
  trouble_ = trouble;
}

Result<std::vector<ports::OperationRecord>> SqliteHistory::operations(
    const ports::HistoryQuery& query) const {
  auto found = read_operations(options_.file, query);
  if (!found) {
    const std::lock_guard lock(mutex_);
    suspect_ = true;
    changed_.notify_all();
  }
  return found;
}

Result<std::vector<ports::EventRecord>> SqliteHistory::events(
    const ports::HistoryQuery& query) const {
  auto found = read_events(options_.file, query);
  if (!found) {
    const std::lock_guard lock(mutex_);
    suspect_ = true;
    changed_.notify_all();
  }
  return found;
}

std::string SqliteHistory::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

bool SqliteHistory::flush(std::chrono::milliseconds patience) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [this] {
    return (queue_.empty() && !writing_ && !suspect_) || !trouble_.empty();
  });
}

}  // namespace skep::history
