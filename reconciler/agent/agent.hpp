#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include <spdlog/logger.h>

#include "core/clock.hpp"
#include "reconciler/agent/lease.hpp"
#include "reconciler/observation/stream_proof.hpp"
#include "reconciler/ports/control.hpp"
#include "reconciler/ports/source.hpp"
#include "reconciler/reconciler.hpp"
#include "reconciler/redaction.hpp"
#include "repository/desired_state.hpp"

namespace skep::reconciler {

struct AgentOptions {
  std::string version;
  std::chrono::milliseconds interval{
      60'000};  ///< Between two looks at git, plus up to a tenth of it by chance.
  std::chrono::milliseconds resync{60'000};  ///< The longest time without a look at the swarm; its
                                             ///< events are the normal trigger.
  std::chrono::milliseconds probe{10'000};  ///< Between two proofs of the event stream, while idle.
  std::chrono::milliseconds grace{1'000};   ///< An event may be so much later than a listing.
  std::chrono::milliseconds pulse{5'000};   ///< Between two questions whether the engine answers.
  /// Several agents, one of which is active; the engine is to be a LeasedEngine then. Outlives the
  /// agent. nullptr: this one is alone.
  Lease* lease = nullptr;
  repository::LoadOptions load;
  ReconcilerOptions reconciler;
};

/// The daemon: one thread follows git, one follows the swarm's events, the caller's thread
/// reconciles. Each only says that there is something new; what it was does not matter, and equal
/// requests merge.
class Agent final : public ports::Control {
 public:
  /// Everything given outlives the agent.
  Agent(ports::Source& source,
        ports::Engine& engine,
        ports::Observer& observer,
        const Clock& clock,
        spdlog::logger& log,
        AgentOptions options);

  /// Returns after `stop` asked: what was being written is finished or abandoned within the
  /// engine's time-outs.
  void run(std::stop_token stop);

  [[nodiscard]] ports::AgentStatus status() const override;
  [[nodiscard]] bool ready() const override;
  [[nodiscard]] bool alive() const override;
  Result<void> approve(const std::string& stack, const std::string& actor) override;
  Result<void> accept_history(const std::string& actor) override;
  Result<void> sync(const std::string& stack, const std::string& actor) override;
  void hint() override;
  /// A person wants git looked at now; unlike sync() nothing is carried out that would not be
  /// anyway.
  void look_at_git();
  bool image_hint(std::string_view repository, std::string_view tag) override;
  Result<void> suspend(const std::string& stack,
                       const ports::SuspendRequest& request,
                       const std::string& actor) override;
  Result<void> resume(const std::string& stack, const std::string& actor) override;
  Result<void> rollback(const std::string& stack,
                        const std::string& revision,
                        const std::string& actor) override;
  [[nodiscard]] Result<ports::Explanation> explain(const std::string& stack) const override;
  [[nodiscard]] Result<std::vector<ports::TaskStatus>> tasks(
      const std::string& stack) const override;
  [[nodiscard]] Result<ports::Trace> trace(const std::string& service) const override;

 private:
  void follow_git(std::stop_token stop);
  void follow_events(std::stop_token stop);
  /// Asks the engine again and again whether it answers at all, for a list of one that hangs is
  /// waited for much longer.
  void feel_pulse(std::stop_token stop);
  void keep_lease(std::stop_token stop);
  [[nodiscard]] bool engine_answers() const;
  /// Whether another agent is active; then this one only says so.
  bool stands_by();
  /// Why it cannot be read as a whole; "" where it can.
  std::string look(const std::shared_ptr<const ports::Snapshot>& snapshot,
                   std::optional<ports::RevisionReport::Source> source);
  void note_readable();  ///< Git, again; the mutex is held.
  void wake();
  enum class Waited { news, nothing, stopped };
  Waited wait_for_news(SteadyTime deadline, std::stop_token stop);
  /// Waits until a turn is due, proving the event stream meanwhile. False when `stop` asked.
  bool wait_for_turn(SteadyTime deadline, std::stop_token stop);
  /// Whether the swarm changed and the stream said nothing of it (traps 27, 37).
  bool stream_is_silent(std::stop_token stop);
  void reconnect();
  /// The stack that a person called by name, directory or group/name. Errors: invalid_input.
  [[nodiscard]] Result<ports::StackStatus> known(const std::string& stack) const;
  /// The commit that a person means, or means by naming none.
  [[nodiscard]] Result<std::string> way_back(const ports::StackStatus& status,
                                             const repository::DesiredStack& stack,
                                             const std::string& revision) const;
  /// For the history: what a person asked for.
  void note_asked(const std::string& stack, const std::string& what, const std::string& actor);
  std::chrono::milliseconds until_next_turn(const Result<Turn>& turn) const;
  std::shared_ptr<const repository::DesiredState> desired() const;
  void publish(const Result<Turn>& turn);
  /// From now on nothing is known of the swarm. Under the lock.
  void lose_sight(const Error& error);

  ports::Source& source_;
  ports::Engine& engine_;
  ports::Observer& observer_;
  const Clock& clock_;
  spdlog::logger& log_;
  const std::shared_ptr<Redaction> redaction_;
  AgentOptions options_;

  mutable std::mutex mutex_;  ///< Guards what follows.
  std::condition_variable_any news_arrived_;
  bool news_ = true;
  bool fetch_now_ = true;
  bool pulse_now_ = false;
  /// Stack and actor: carried out once git was looked at.
  std::vector<std::pair<std::string, std::string>> asked_syncs_;
  bool hinted_ = false, asked_ = false;  ///< Why the next look at git is taken.
  bool silent_ = false;  ///< The last ping got no answer: what a turn says meanwhile is older.
  std::shared_ptr<const repository::DesiredState> desired_;
  ports::AgentStatus status_;
  std::vector<std::string> file_notes_;  ///< Of the desired state's secrets and configs.
  bool ready_ = false;
  SteadyTime last_turn_{};
  std::stop_source connection_;  ///< Ends the present event stream.

  StreamProof proof_;
  std::optional<std::uint64_t> running_;  ///< task_counts() of the last probe; of one thread.
  bool idle_ = false;  ///< After the last turn nothing goes on; of the reconciling thread.
  /// Last, so that it goes first: until then its threads may call wake().
  Reconciler reconciler_;
};

}  // namespace skep::reconciler
