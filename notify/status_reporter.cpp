#include "notify/status_reporter.hpp"

#include <algorithm>
#include <utility>

#include "core/logfmt.hpp"

namespace skep::notify {
namespace {

using namespace std::chrono_literals;
using What = HostVerdict::What;

constexpr auto kTurnPause = 500ms;     ///< Between two turns.
constexpr auto kHostPatience = 500ms;  ///< So long a turn waits for the next answer of any host.
constexpr auto kFirstWait = 5s;
constexpr auto kLongestBackOff = 600s;
constexpr unsigned kLastRefusal = 4;
constexpr std::size_t kMostEarlier = 16;

/// Work trees and tests have other words for a revision; no host knows those.
bool is_commit(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::chrono::seconds wait_after(unsigned failures) {
  return std::min<std::chrono::seconds>(kFirstWait * (1U << std::min(failures, 10U)),
                                        kLongestBackOff);
}

}  // namespace

StatusReporter::StatusReporter(StatusReporterOptions options,
                               const Clock& clock,
                               spdlog::logger& log)
    : options_(std::move(options)), clock_(clock), log_(log) {}

StatusReporter::~StatusReporter() = default;

void StatusReporter::start() {
  thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
}

void StatusReporter::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    turn();
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kTurnPause, [] { return false; });
  }
}

void StatusReporter::fetched(const ports::FetchReport& report) {
  if (!report.ok) return;
  const std::lock_guard lock(mutex_);
  if (standing_by_) return;
  fetched_ = report.unreadable.empty() ? report.revision : "";
  if (!report.unreadable.empty() && is_commit(report.revision)) {
    if (picture_.unreadable.empty()) last_good_ = picture_.commit;
    unreadable_ = report.revision;
    show({report.revision, {}, report.unreadable});
    return;
  }
  last_good_.clear();
  unreadable_.clear();
}

void StatusReporter::synced(const ports::SyncReport& report) {
  const std::lock_guard lock(mutex_);
  if (standing_by_ || !report.removal || report.result != "success") return;
  removed_[report.stack].clear();
}

void StatusReporter::standing_by(bool /*docker_up*/) {
  const std::lock_guard lock(mutex_);
  standing_by_ = true;
  picture_ = {};
  earlier_.clear();
  removed_.clear();
  for (auto* of_git : {&fetched_, &nameless_, &last_good_, &unreadable_}) of_git->clear();
}

void StatusReporter::unreadable(const std::string& /*why*/) {
  const std::lock_guard lock(mutex_);
  blind_ = true;
}

void StatusReporter::status(const std::vector<ports::StackStatus>& stacks) {
  Picture picture;
  for (const auto& stack : stacks) {
    if (picture.commit.empty()) picture.commit = stack.target_revision;
    picture.stacks.push_back(verdict_of(stack));
  }
  const std::lock_guard lock(mutex_);
  const bool blind = std::exchange(blind_, false);
  if (blind && (stacks.empty() || standing_by_)) return;
  if (!blind) {
    looked_ = true;
    standing_by_ = false;
  }
  // A repository without stacks: what is fetched by now may be newer than what the turn was for,
  // unless it was the same at the last one.
  const auto before = std::exchange(nameless_, picture.commit.empty() ? fetched_ : "");
  if (picture.commit.empty() && before == fetched_) picture.commit = fetched_;
  // Of a commit that cannot be read as a whole its stacks say nothing that it does not say itself.
  const bool outdated = !last_good_.empty() && picture.commit == last_good_;
  if (!unreadable_.empty() && picture.commit == unreadable_) return;
  if (outdated || !is_commit(picture.commit)) return;
  add_removed(picture);
  show(std::move(picture));
}

void StatusReporter::add_removed(Picture& picture) {
  // By the commit that the turn was for, which may have come while the removal went on.
  for (auto& [stack, commit] : removed_) {
    if (commit.empty()) commit = picture.commit;
  }
  std::erase_if(removed_, [&](const auto& entry) { return entry.second != picture.commit; });
  const auto present = picture.stacks;
  for (const auto& [stack, commit] : removed_) {
    const bool there = std::any_of(present.begin(),
                                   present.end(),
                                   [name = &stack](const auto& one) { return one.stack == *name; });
    if (there) continue;
    StackVerdict verdict;
    verdict.stack = stack;
    verdict.state = CommitState::success;
    verdict.words = "removed";
    verdict.concerned = verdict.gone = true;
    picture.stacks.push_back(std::move(verdict));
  }
}

void StatusReporter::show(Picture picture) {
  // What became of a commit counts, also if the next one came in the same moment.
  if (!picture_.commit.empty() && picture_.commit != picture.commit &&
      earlier_.size() < kMostEarlier)
    earlier_.push_back(std::move(picture_));
  picture_ = std::move(picture);
}

bool StatusReporter::stands_by() const {
  const std::lock_guard lock(mutex_);
  return standing_by_;
}

void StatusReporter::turn() {
  {
    const std::lock_guard lock(book_mutex_);
    if (!open()) return;
  }
  Picture picture;
  std::vector<Picture> earlier;
  bool looked = false;
  {
    const std::lock_guard lock(mutex_);
    if (standing_by_) {  // What moved, and what is booked, is for the next time to find out.
      still_since_.reset();
      booked_.reset();
      others_spoke_ = true;
      waiting_ = 0;
      return;
    }
    picture = picture_;
    looked = looked_;
    earlier.swap(earlier_);
  }
  {
    const std::lock_guard lock(book_mutex_);
    for (const auto& one : earlier) book(one);
    if (!picture.commit.empty()) book(picture);
  }
  tell_all(looked ? std::nullopt : std::optional(picture.commit));
  std::size_t depth = 0;
  {
    const std::lock_guard lock(book_mutex_);
    depth = book_->depth();
  }
  const std::lock_guard lock(mutex_);
  waiting_ = depth;
}

std::size_t StatusReporter::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

bool StatusReporter::open() {
  if (book_) return true;
  auto opened = StatusBook::open(options_.file);
  if (opened && !opened->set_aside().empty()) {
    log_.warn(logfmt(
        "the file of commit statuses is damaged; it was set aside and a new one begun, and what "
        "stands at older commits stays there",
        {{"file", opened->set_aside()}}));
  }
  std::vector<std::string> names;
  for (const auto& host : options_.hosts) names.push_back(host.name);
  if (opened) {
    if (auto kept = opened->keep_hosts(names); !kept) opened = std::move(kept).error();
  }
  if (!opened) {
    note(opened.error());
    return false;
  }
  book_ = *std::move(opened);
  return true;
}

bool StatusReporter::is_stuck(const Picture& picture) {
  std::vector<CommitState> states;
  bool moving = false, pending = false;
  for (const auto& stack : picture.stacks) {
    states.push_back(stack.state);
    moving = moving || stack.moving;
    pending = pending || stack.state == CommitState::pending;
  }
  const auto now = clock_.steady();
  if (moving || !pending || states != still_ || picture.commit != still_commit_ || !still_since_) {
    still_ = std::move(states);
    still_commit_ = picture.commit;
    still_since_ = now;
  }
  return now - *still_since_ >= options_.patience;
}

void StatusReporter::book(const Picture& picture) {
  const bool stuck = is_stuck(picture);
  if (booked_ == picture && booked_stuck_ == stuck) return;
  for (const auto& host : options_.hosts) {
    auto statuses =
        picture.unreadable.empty()
            ? statuses_of(
                  picture.stacks, host.context, host.each_stack ? host.most_stacks : 0, stuck)
            : std::vector<CommitStatus>{
                  {host.context, CommitState::failure, picture.unreadable, ""}};
    if (!host.each_stack) statuses.resize(1);
    for (auto& status : statuses) {
      if (options_.mask) status.words = options_.mask(status.words);
      status.words = one_line(status.words);
    }
    const auto booked =
        book_->want(host.name, picture.commit, statuses, clock_.now(), others_spoke_);
    note(booked);
    if (!booked) return;
  }
  booked_ = picture;
  booked_stuck_ = stuck;
  others_spoke_ = false;
}

void StatusReporter::tell_all(const std::optional<std::string>& commit) {
  std::unique_lock lock(book_mutex_);
  for (const auto& host : options_.hosts) {
    if (!busy_.insert(host.name).second) continue;
    auto& line = lines_[host.name];
    // The thread before it has ended, or is about to.
    tellers_[host.name] = std::jthread([this, &host, &line, commit] {
      tell(host, line, commit);
      const std::lock_guard ended(book_mutex_);
      busy_.erase(host.name);
      told_.notify_all();
    });
  }
  std::optional<std::uint64_t> before;
  while (before != answers_) {
    before = answers_;
    if (told_.wait_for(lock, kHostPatience, [this] { return busy_.empty(); })) return;
  }
}

void StatusReporter::tell(const GitHost& host,
                          Line& line,
                          const std::optional<std::string>& commit) {
  const auto steady = clock_.steady();
  if (line.filled == SteadyTime{}) {
    line.budget = options_.burst;
  } else {
    const std::chrono::duration<double> passed = steady - line.filled;
    line.budget = std::min(options_.burst, line.budget + passed.count() * options_.per_second);
  }
  line.filled = steady;
  if (steady < line.closed_until) return;
  while (const auto status = next_for(host, commit)) {
    if (line.budget < 1 || stands_by()) return;
    line.budget -= 1;
    if (!tell(host, line, *status)) return;
  }
}

std::optional<BookedStatus> StatusReporter::next_for(const GitHost& host,
                                                     const std::optional<std::string>& commit) {
  const std::lock_guard lock(book_mutex_);
  for (auto& status : book_->due(host.name, clock_.now())) {
    if (!commit || status.commit == *commit) return std::move(status);
  }
  return std::nullopt;
}

bool StatusReporter::tell(const GitHost& host, Line& line, const BookedStatus& status) {
  const auto answer = options_.send(status_call(host, status.commit, status.status));
  const auto now = clock_.now();
  const auto verdict =
      answer ? judge(host, *answer, now) : HostVerdict{What::later, {}, answer.error().message};
  const std::lock_guard lock(book_mutex_);
  ++answers_;
  if (verdict.what == What::accepted) {
    count(host, "sent");
    line.failures = 0;
    line.said.clear();
    note(book_->told(status, now));
    return true;
  }
  count(host, "failed");
  say_once(line.said,
           logfmt("a commit status could not be set; it is tried again",
                  {{"host", host.name}, {"type", to_string(host.type)}, {"error", verdict.why}}));
  const bool last = verdict.what == What::refused && status.attempts >= kLastRefusal;
  if (last || now - status.created >= options_.age) {
    count(host, "dropped");
    log_.warn(logfmt("a commit status is given up",
                     {{"host", host.name},
                      {"commit", status.commit.substr(0, 12)},
                      {"context", status.status.context},
                      {"error", verdict.why}}));
    note(book_->told(status, now));
    return true;
  }
  if (verdict.what == What::refused) {
    note(book_->refused(status, now + wait_after(status.attempts + 1)));
    return true;  // Others may fare better.
  }
  const auto wait = verdict.what == What::limited ? 0s : wait_after(line.failures);
  line.closed_until =
      clock_.steady() + std::max<std::chrono::milliseconds>(verdict.not_before - now, wait);
  ++line.failures;
  return false;
}

void StatusReporter::count(const GitHost& host, std::string_view result) const {
  if (options_.counted) options_.counted(to_string(host.type), result);
}

void StatusReporter::note(const Result<void>& kept) {
  if (kept) return said_of_book_.clear();
  if (said_of_book_.empty() && options_.counted) options_.counted("any", "failed");
  say_once(said_of_book_, "commit statuses wait: " + kept.error().message);
}

void StatusReporter::say_once(std::string& said, const std::string& line) {
  if (said == line) return;
  said = line;
  log_.warn(line);
}

}  // namespace skep::notify
