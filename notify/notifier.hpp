#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <spdlog/logger.h>

#include "core/clock.hpp"
#include "notify/condition.hpp"
#include "notify/courier.hpp"
#include "notify/outbox.hpp"
#include "notify/target.hpp"
#include "reconciler/ports/observer.hpp"

namespace skep::notify {

struct NotifierOptions {
  std::filesystem::path file;  ///< The outbox.
  std::string instance;
  std::string commit_url;  ///< With {commit} in it; "" for no links.
  std::vector<Target> targets;
  OutboxLimits limits = {};
  /// So long a change must last before it is told, and what changes meanwhile goes with it.
  std::chrono::milliseconds settle{5'000};
  /// So long git or the swarm may be away before that is told.
  std::chrono::milliseconds patience{600'000};
  std::size_t one_by_one = 3;  ///< Stacks with the same reason that get messages of their own.
  /// So long a further trouble must last while more stacks than that were told of within the same
  /// time: an outage goes on, and what it reaches next is told together.
  std::chrono::milliseconds outage{60'000};
  Send send;  ///< Called from several threads, as the next one is.
  SendMail send_mail = {};
  /// Takes secrets out of a sentence.
  std::function<std::string(std::string_view)> mask = {};
  /// Told of each outcome: the target's type; sent, failed, deduplicated, dropped. With "any" for
  /// what concerns no target; `failed` is then the outbox, once until it works again.
  std::function<void(std::string_view, std::string_view)> counted = {};
};

/// Tells people when the state of a stack changes: once for each stack, reason and revision,
/// several stacks together where an outage hits many. What is told of the loop is only noted down;
/// a thread of its own writes messages into the outbox and has them delivered. What was told lies
/// in the outbox too, so that an agent that starts again says only what is new. A target that hangs
/// holds up its own messages only. While the outbox cannot be written new messages wait; what was
/// delivered is not sent again, unless the agent starts anew.
class Notifier final : public ports::Observer {
 public:
  /// `clock` and `log` outlive this.
  Notifier(NotifierOptions options, const Clock& clock, spdlog::logger& log);
  ~Notifier() override;
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  void start();  ///< The thread; it ends with this object.
  /// What the thread does once: look what is to be told, and deliver what is due.
  void turn();
  [[nodiscard]] std::size_t waiting() const;  ///< Deliveries in the outbox.

  void fetched(const ports::FetchReport& report) override;
  void observed(bool ok) override;
  /// The active agent tells; of this one only what lies in the outbox already still goes out.
  void standing_by(bool docker_up) override;
  void synced(const ports::SyncReport& report) override;
  void unreadable(const std::string& why) override;
  void status(const std::vector<ports::StackStatus>& stacks) override;

 private:
  static constexpr std::size_t kMostEvents = 1'000;  ///< That wait to be written.
  /// How everything stands by what was told of the loop.
  struct Picture {
    std::map<std::string, Condition> conditions;  ///< By stack; settled ones only.
    std::set<std::string> stacks;                 ///< All that there are.
    std::vector<Condition> events;                ///< Happened, and are over.
    bool complete = false;                        ///< A first status was seen.
  };
  struct Away {
    std::optional<WallTime> since;
    SteadyTime began{};  ///< The same, by a clock that nobody sets.
    std::string why;
  };
  struct Commit {
    std::string revision, author, subject;
  };
  /// What was done for a commit.
  struct Operation {
    Commit commit;
    std::vector<std::string> changes;
  };
  Picture picture();
  /// Once a stack goes back, its tasks tell of the revision that it goes back to: what was said of
  /// the one that failed is kept until then. The mutex is held.
  void keep_words(const ports::StackStatus& stack, std::optional<Condition>& condition);
  /// Of that stack and revision; null where none is known.
  [[nodiscard]] const Operation* operation_for(const Story& story) const;
  /// Who is behind its commit, and what that changed; the mutex is held.
  void add_commit(Condition& condition) const;
  void add_away(Picture& picture, const std::string& name, const Away& away) const;
  void add_git(Picture& picture) const;
  [[nodiscard]] Story finished(Story story) const;
  bool open();
  void tell(Picture picture);
  /// Stacks that something was told of, and that are no more.
  [[nodiscard]] std::vector<std::string> gone_from(const Picture& picture) const;
  [[nodiscard]] std::chrono::milliseconds settle_of(const Condition& condition) const;
  bool put(std::vector<Condition> changes);
  void deliver();
  /// Why a delivery failed, with what the server said of it.
  [[nodiscard]] std::string why(const Target& target, const Courier::Outcome& outcome) const;
  /// What a server said, as far as it may stand in the log.
  [[nodiscard]] std::string loggable(const Target& target, std::string said) const;
  /// Says, once each, which addresses of a mail that was taken were not.
  void say_refused(const Target& target, const Courier::Outcome& outcome);
  /// Says that it will never arrive.
  void say_dropped(const Target& target, const Courier::Outcome& outcome) const;
  /// Writes down what became of an attempt.
  void settle(const Courier::Outcome& outcome);
  [[nodiscard]] const Target* target_named(const std::string& name) const;
  /// Takes it out of the outbox, now or as soon as that can be done. Whether it is out.
  bool strike(const std::string& id);
  /// Says what is wrong with the outbox, once; false.
  bool trouble(const Error& error);
  void count(std::string_view type, std::string_view result) const;
  void say_once(const std::string& subject, const std::string& line);
  void say_once(const std::string& subject, const std::string& what, const std::string& line);
  void run(std::stop_token stop);

  const NotifierOptions options_;
  const Clock& clock_;
  spdlog::logger& log_;

  mutable std::mutex mutex_;  ///< Guards what follows.
  Picture picture_;
  struct Coming {
    SteadyTime due{};
    Condition condition;
  };
  std::map<std::string, Coming> coming_;  ///< By stack: told once it has lasted.
  Away git_, swarm_;
  Commit head_;             ///< What git has.
  std::string unreadable_;  ///< Why that cannot be read as a whole; "" where it can.
  bool git_known_ = false, swarm_known_ = false;
  /// By stack, the last one at the end: a commit's, and the way back from it.
  std::map<std::string, std::vector<Operation>> operations_;
  /// What the engine last said of a revision that does not come up.
  struct Words {
    std::string revision;
    std::vector<std::string> words;
  };
  std::map<std::string, Words> words_;  ///< By stack.
  bool standing_by_ = false;            ///< Since the last status that was of a real look.
  bool blind_ = false;                  ///< The next status is of no look.
  std::size_t waiting_ = 0;

  // Of the one thread that turns.
  std::optional<Outbox> outbox_;
  std::map<std::string, Told> told_;
  std::set<std::string> owed_;  ///< Stacks whose trouble was not told, for it was told lately.
  std::map<std::string, SteadyTime> changed_;  ///< Since when a stack differs from what was told.
  std::vector<SteadyTime> troubles_;           ///< When troubles were told lately, one each.
  std::vector<Condition> unsaid_;              ///< Events that could not be written yet.
  std::set<std::string> ended_;  ///< Deliveries that are over, and could not be struck yet.
  /// Targets whose back-off could not be written: so long they are left alone.
  std::map<std::string, SteadyTime> held_back_;
  std::map<std::string, std::string> said_in_log_;
  Courier courier_;

  std::condition_variable_any wake_;
  std::jthread thread_;  ///< Last, so that it ends first.
};

}  // namespace skep::notify
