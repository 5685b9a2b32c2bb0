#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <spdlog/logger.h>

#include "core/clock.hpp"
#include "notify/git_host.hpp"
#include "notify/status_book.hpp"
#include "reconciler/ports/observer.hpp"

namespace skep::notify {

struct StatusReporterOptions {
  std::filesystem::path file;  ///< The book.
  std::vector<GitHost> hosts;
  Send send;  ///< Called from several threads at once, as `counted` is.
  /// Takes secrets out of a sentence.
  std::function<std::string(std::string_view)> mask = {};
  /// Told of each outcome: the host's type; sent, failed, dropped. With "any" and `failed` when the
  /// book cannot be read or written, once until it can.
  std::function<void(std::string_view, std::string_view)> counted = {};
  /// So long nothing may move before what is pending gets an end.
  std::chrono::milliseconds patience{120'000};
  std::chrono::seconds age{86'400};   ///< What could not be told for so long is given up.
  double burst = 20, per_second = 1;  ///< Calls to one host; GitHub wants less than 80 a minute.
};

/// Puts statuses beside the commit that git has, and sees to it that each reaches an end. What is
/// told of the loop is only noted down; a thread of its own writes the book and calls the hosts.
/// Only who really looked at the swarm says anything: while another agent is active nothing is
/// told, and what an earlier life left in the book waits for this one's first look.
class StatusReporter final : public ports::Observer {
 public:
  /// `clock` and `log` outlive this.
  StatusReporter(StatusReporterOptions options, const Clock& clock, spdlog::logger& log);
  ~StatusReporter() override;
  StatusReporter(const StatusReporter&) = delete;
  StatusReporter& operator=(const StatusReporter&) = delete;

  void start();  ///< The thread; it ends with this object.
  /// What the thread does once: look what is to be told, and tell what is due.
  void turn();
  [[nodiscard]] std::size_t waiting() const;  ///< 0 while it stands by: that is not its to say.

  void fetched(const ports::FetchReport& report) override;
  void standing_by(bool docker_up) override;
  void synced(const ports::SyncReport& report) override;
  void unreadable(const std::string& why) override;
  void status(const std::vector<ports::StackStatus>& stacks) override;

 private:
  struct Picture {
    std::string commit;  ///< "" while none is known.
    std::vector<StackVerdict> stacks;
    std::string unreadable;  ///< Why `commit` cannot be read as a whole; "" where it can.
    bool operator==(const Picture&) const = default;
  };
  struct Line {  ///< To one host.
    SteadyTime closed_until{};
    unsigned failures = 0;  ///< In a row.
    double budget = 0;
    SteadyTime filled{};
    std::string said;  ///< Of its last trouble, in the log.
  };
  void show(Picture picture);  ///< The mutex is held.
  /// The stacks that this commit took away; the mutex is held.
  void add_removed(Picture& picture);
  [[nodiscard]] bool stands_by() const;
  [[nodiscard]] bool open();
  [[nodiscard]] bool is_stuck(const Picture& picture);
  void book(const Picture& picture);
  /// Tells every host what is due, each in a thread of its own: one that hangs holds up no other.
  /// Only what stands beside `commit`, where there is one. Waits a moment for them.
  void tell_all(const std::optional<std::string>& commit);
  void tell(const GitHost& host, Line& line, const std::optional<std::string>& commit);
  [[nodiscard]] std::optional<BookedStatus> next_for(const GitHost& host,
                                                     const std::optional<std::string>& commit);
  /// Whether the next one may be tried.
  bool tell(const GitHost& host, Line& line, const BookedStatus& status);
  /// Says what is wrong with the book, once. The book's mutex is held.
  void note(const Result<void>& kept);
  void say_once(std::string& said, const std::string& line);
  void count(const GitHost& host, std::string_view result) const;
  void run(std::stop_token stop);

  const StatusReporterOptions options_;
  const Clock& clock_;
  spdlog::logger& log_;

  mutable std::mutex mutex_;  ///< Guards what follows.
  Picture picture_;
  std::vector<Picture> earlier_;  ///< The last of commits before, which the thread has not seen.
  std::string fetched_;           ///< "" where it cannot be read as a whole.
  std::string nameless_;          ///< `fetched_` at the last status, where that named no commit.
  std::string last_good_;         ///< What the stacks go on by while git has what cannot be read.
  std::string unreadable_;        ///< The commit that cannot be read as a whole; "" for none.
  /// Stacks whose removal was carried out, and the commit that it was: "" until the next status.
  std::map<std::string, std::string> removed_;
  bool looked_ = false;       ///< A status was of a real look.
  bool standing_by_ = false;  ///< Since the last of those.
  bool blind_ = false;        ///< The next status is of no look.
  std::size_t waiting_ = 0;

  std::mutex book_mutex_;  ///< Guards what follows; never held while a host is called.
  std::optional<StatusBook> book_;
  std::string said_of_book_;
  std::set<std::string> busy_;  ///< Hosts that are being told.
  std::uint64_t answers_ = 0;
  std::condition_variable told_;

  // Of the one thread that turns.
  std::map<std::string, Line> lines_;  ///< Each of who tells its host.
  std::vector<CommitState> still_;     ///< How the stacks stood when last something moved.
  std::string still_commit_;
  std::optional<SteadyTime> still_since_;
  std::optional<Picture> booked_;
  bool booked_stuck_ = false;
  bool others_spoke_ = false;  ///< Another agent was active since something was booked.

  std::map<std::string, std::jthread> tellers_;  ///< By host.
  std::condition_variable_any wake_;
  std::jthread thread_;  ///< Last, so that it ends first.
};

}  // namespace skep::notify
