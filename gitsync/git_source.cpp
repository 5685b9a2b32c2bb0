#include "gitsync/git_source.hpp"

#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <spdlog/logger.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.hpp"
#include "core/logfmt.hpp"
#include "gitsync/child_process.hpp"
#include "gitsync/commit_search.hpp"
#include "gitsync/commit_signature.hpp"
#include "gitsync/fetch_child.hpp"
#include "gitsync/mirror.hpp"
#include "gitsync/remote_refs.hpp"

namespace skep::gitsync {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Commits that are looked at for the last change of a file: about a second's work.
constexpr std::size_t kFurthestChange = 10'000;

/// Before a mirror is compacted; and, where that failed, as many more before it is tried again.
constexpr std::size_t kMostPacks = 40;

/// Short, safe as a file name, and tells nothing.
std::string short_id(const std::string& text) { return sha256_hex(text).substr(0, 16); }

Result<void> make_directory(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory.parent_path(), error);
  // The mirror may hold a private repository.
  if (!error && ::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    error = std::error_code(errno, std::generic_category());
  if (!error && !fs::is_directory(directory, error) && !error)
    error = std::make_error_code(std::errc::not_a_directory);
  if (error)
    return Error{
        ErrorKind::unavailable,
        "the state directory " + directory.string() + " cannot be made: " + error.message()};
  return {};
}

/// Old or new, never half: also when the machine stops in between.
std::error_code replace_file(const fs::path& file, const std::string& text) {
  const auto last_error = [] { return std::error_code(errno, std::generic_category()); };
  const fs::path fresh = file.string() + ".new." + std::to_string(::getpid());
  const int number = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (number < 0) return last_error();
  const bool written =
      ::write(number, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(number) == 0;
  std::error_code error = written ? std::error_code() : last_error();
  ::close(number);
  if (!error && ::rename(fresh.c_str(), file.c_str()) != 0) error = last_error();
  std::error_code ignored;
  if (error) fs::remove(fresh, ignored);
  return error;
}

}  // namespace

Result<std::unique_ptr<Git2Source>> Git2Source::open(GitOptions options,
                                                     const Clock& clock,
                                                     spdlog::logger& log) {
  if (auto checked = check_ref(options.ref); !checked) return std::move(checked).error();
  if (options.state_directory.empty())
    return Error{ErrorKind::invalid_input, "a git remote needs a state directory"};
  if (options.deadline.count() <= 0)
    return Error{ErrorKind::invalid_input, "the deadline of a fetch must be above 0"};
  options.state_directory = fs::absolute(options.state_directory);
  auto directory = options.state_directory / ("git-" + short_id(options.url.text()));
  if (auto made = make_directory(directory); !made) return std::move(made).error();
  auto slot = short_id(options.ref);
  auto source = std::unique_ptr<Git2Source>(
      new Git2Source(std::move(options), std::move(directory), std::move(slot), clock, log));
  source->load_last_good();
  return source;
}

Git2Source::Git2Source(GitOptions options,
                       fs::path directory,
                       std::string slot,
                       const Clock& clock,
                       spdlog::logger& log)
    : options_(std::move(options)),
      directory_(std::move(directory)),
      slot_(std::move(slot)),
      clock_(clock),
      log_(log),
      most_packs_(kMostPacks) {}

void Git2Source::load_last_good() {
  std::ifstream in(directory_ / (slot_ + ".json"), std::ios::binary);
  if (!in) return;
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  LastGood last;
  try {
    const auto value = json::parse(text);
    last.commit = value.at("commit");
    last.remote_id = value.at("remote_id");
    last.fetched_at = WallTime(std::chrono::milliseconds(value.at("fetched_at_ms")));
  } catch (const json::exception&) {
    // Without the record a rewritten history would go unnoticed once; a person should know.
    log_.warn(
        logfmt("record of the last good commit is damaged, starting without it",
               {{"source", describe()}, {"file", (directory_ / (slot_ + ".json")).string()}}));
    return;
  }
  auto snapshot = open_trusted(last.commit);
  if (snapshot)
    snapshot_ = *std::move(snapshot);
  else
    log_.warn(logfmt("last good commit cannot be used, it will be fetched again",
                     {{"source", describe()}, {"error", snapshot.error().message}}));
  last_good_ = std::move(last);  // still what a new commit must descend from
}

Result<std::shared_ptr<const GitSnapshot>> Git2Source::open_trusted(const std::string& commit,
                                                                    std::string* refusal) const {
  if (options_.allowed_signers) {
    const auto signer =
        signer_of(mirror_path(directory_), commit, *options_.allowed_signers, refusal);
    if (!signer) return signer.error();
  }
  return GitSnapshot::open(mirror_path(directory_), commit, options_.read_limits);
}

std::string Git2Source::describe() const {
  return options_.url.text() + " (" +
         (options_.ref.empty() || options_.ref == "HEAD" ? "default branch" : options_.ref) + ")";
}

std::shared_ptr<const ports::Snapshot> Git2Source::last_good() const {
  const std::lock_guard lock(state_);
  return snapshot_;
}

Result<std::shared_ptr<const ports::Snapshot>> Git2Source::snapshot_at(
    const std::string& commit) const {
  auto snapshot = open_trusted(commit);
  if (!snapshot) return std::move(snapshot).error();
  return std::shared_ptr<const ports::Snapshot>(*std::move(snapshot));
}

Result<std::string> Git2Source::find_commit(const std::string& beginning) const {
  return gitsync::find_commit(mirror_path(directory_), beginning);
}

Result<ports::Revision> Git2Source::last_change(const std::string& commit,
                                                const RepoPath& path) const {
  const auto changed = find_last_change(mirror_path(directory_), commit, path, kFurthestChange);
  if (!changed) return changed.error();
  const auto snapshot = snapshot_at(*changed);
  if (!snapshot) return snapshot.error();
  return (*snapshot)->revision();
}

std::optional<WallTime> Git2Source::last_success() const {
  const std::lock_guard lock(state_);
  return last_good_ ? std::optional(last_good_->fetched_at) : std::nullopt;
}

std::optional<WallTime> Git2Source::failing_since() const {
  const std::lock_guard lock(state_);
  return failing_since_;
}

std::optional<FetchAnswer> Git2Source::last_answer() const {
  const std::lock_guard lock(state_);
  return last_answer_;
}

std::string Git2Source::refused_rewind() const {
  const std::lock_guard lock(state_);
  return refused_rewind_;
}

std::string Git2Source::refusal() const {
  const std::lock_guard lock(state_);
  return refusal_;
}

void Git2Source::accept_rewind(const std::string& commit) {
  const std::lock_guard lock(state_);
  accepted_rewind_ = commit;
}

Result<FetchAnswer> Git2Source::run_fetch(std::stop_token stop) {
  FetchRequest request{.url = options_.url,
                       .ref = options_.ref,
                       .directory = directory_,
                       .slot = slot_,
                       .credentials = options_.credentials,
                       .limits = options_.fetch_limits,
                       .previous_commit = {},
                       .previous_id = {},
                       .allow_rewind = options_.allow_rewind};
  {
    const std::lock_guard lock(state_);
    request.allowed_commit = accepted_rewind_;
    if (last_good_) {
      request.previous_commit = last_good_->commit;
      request.previous_id = last_good_->remote_id;
    }
  }
  // The directory may have been cleaned away since open().
  if (auto made = make_directory(directory_); !made) return std::move(made).error();
  return ask_child(request, std::move(stop));
}

Result<FetchAnswer> Git2Source::ask_child(const FetchRequest& request, std::stop_token stop) const {
  const auto input = to_json(request);
  auto answer = run_child({.executable = options_.executable,
                           .argument = kFetchArgument,
                           .input = input,
                           .deadline = options_.deadline},
                          std::move(stop));
  if (!answer) return std::move(answer).error();
  return parse_answer(*answer);
}

/// A large history may need more time, memory or disk than there is, now or ever. So this is never
/// part of a fetch, and what comes of it decides about no commit.
void Git2Source::keep_house(std::stop_token stop) {
  const auto packs = count_packs(mirror_path(directory_));
  if (packs <= most_packs_) return;
  const FetchRequest request{.url = options_.url,
                             .ref = options_.ref,
                             .directory = directory_,
                             .slot = slot_,
                             .credentials = {},
                             .limits = options_.fetch_limits,
                             .previous_commit = {},
                             .previous_id = {},
                             .compact = true};
  const auto done = ask_child(request, std::move(stop));
  most_packs_ = done ? kMostPacks : packs + kMostPacks;
  if (!done && done.error().kind != ErrorKind::cancelled)
    log_.warn(logfmt("mirror cannot be compacted, reading it becomes slow",
                     {{"source", describe()}, {"packs", packs}, {"error", done.error().message}}));
}

Result<std::shared_ptr<const GitSnapshot>> Git2Source::fetch_snapshot(std::stop_token stop) {
  auto answer = run_fetch(std::move(stop));
  {
    const std::lock_guard lock(state_);
    refusal_.clear();
  }
  if (!answer) return std::move(answer).error();
  std::shared_ptr<const GitSnapshot> snapshot;
  {
    const std::lock_guard lock(state_);
    if (!answer->refusal.empty()) refusal_ = "rewound";
    refused_rewind_ = answer->refusal.empty() ? std::string() : answer->commit;
    if (!answer->refusal.empty()) return Error{ErrorKind::unauthorized, answer->refusal};
    if (!answer->downloaded && snapshot_ && snapshot_->revision().commit == answer->commit)
      snapshot = snapshot_;
  }
  if (!snapshot) {
    std::string refusal;
    auto opened = open_trusted(answer->commit, &refusal);
    if (!opened) {
      const std::lock_guard lock(state_);
      refusal_ = std::move(refusal);
      return std::move(opened).error();
    }
    snapshot = *std::move(opened);
  }
  const std::lock_guard lock(state_);
  if (!answer->fast_forward)
    log_.warn(logfmt("rewritten history accepted",
                     {{"source", describe()},
                      {"before", last_good_ ? last_good_->commit : std::string()},
                      {"revision", answer->commit}}));
  last_good_ = LastGood{
      .commit = answer->commit, .remote_id = answer->remote_id, .fetched_at = clock_.now()};
  snapshot_ = snapshot;
  failing_since_.reset();
  accepted_rewind_.clear();
  last_answer_ = *std::move(answer);
  store_last_good();
  return snapshot;
}

void Git2Source::store_last_good() {
  const json value{{"commit", last_good_->commit},
                   {"remote_id", last_good_->remote_id},
                   {"fetched_at_ms", last_good_->fetched_at.time_since_epoch().count()}};
  // The snapshot is good even if it cannot be remembered.
  if (const auto error = replace_file(directory_ / (slot_ + ".json"), value.dump()))
    log_.warn(logfmt("last good commit cannot be remembered",
                     {{"source", describe()}, {"error", error.message()}}));
}

Result<std::shared_ptr<const ports::Snapshot>> Git2Source::fetch(std::stop_token stop) {
  const std::lock_guard one_at_a_time(fetching_);
  const auto started = clock_.now();
  auto snapshot = fetch_snapshot(stop);
  if (snapshot) {
    // Whoever waits for a new commit waits for nothing else.
    if (!last_answer()->downloaded) keep_house(std::move(stop));
    return std::shared_ptr<const ports::Snapshot>(*std::move(snapshot));
  }
  if (snapshot.error().kind != ErrorKind::cancelled) {
    const std::lock_guard lock(state_);
    if (!failing_since_) failing_since_ = started;
  }
  return std::move(snapshot).error().within(describe());
}

Result<std::unique_ptr<ports::Source>> open_source(GitOptions options,
                                                   const Clock& clock,
                                                   spdlog::logger& log) {
  auto source = Git2Source::open(std::move(options), clock, log);
  if (!source) return std::move(source).error();
  return std::unique_ptr<ports::Source>(*std::move(source));
}

}  // namespace skep::gitsync
