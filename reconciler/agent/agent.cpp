#include "reconciler/agent/agent.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <thread>
#include <utility>

#include "core/log_scope.hpp"
#include "core/logfmt.hpp"

namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;

constexpr auto kWhileMoving =
    500ms;  ///< Between two looks while a rollout goes on: its progress sends no events.
constexpr auto kAfterFailure = 2s;  ///< When the swarm could not be read.
constexpr auto kReconnect = 1s;     ///< Between two attempts at the event stream.
constexpr auto kLoopIsStuck = 5min;
constexpr auto kWhileStandingBy = 2s;
constexpr auto kToRelease = 3s;

AgentOptions with_revisions(AgentOptions options,
                            const ports::Source& source,
                            const std::shared_ptr<Redaction>& redaction) {
  options.reconciler.revision = [&source, load = options.load, redaction](
                                    const std::string& commit, const std::string& stack) {
    auto found = repository::stack_at(source, load, commit, stack);
    if (found) redaction->add((*found)->spec);
    return found;
  };
  options.reconciler.describe =
      [&source](const std::string& commit) -> std::optional<ports::Revision> {
    const auto snapshot = source.snapshot_at(commit);
    if (!snapshot) return std::nullopt;
    return (*snapshot)->revision();
  };
  options.reconciler.mask = [redaction](std::string& text) { redaction->mask(text); };
  return options;
}

/// The set that is masked everywhere, where the process has one.
std::shared_ptr<Redaction> redaction_of(const AgentOptions& options) {
  const auto& decryption = options.load.decryption;
  return decryption ? std::make_shared<Redaction>(decryption->redaction)
                    : std::make_shared<Redaction>();
}

/// Six hex digits that another run hardly has.
std::string run_id(WallTime now) {
  std::array<char, 8> text{};
  std::snprintf(text.data(),
                text.size(),
                "%06x",
                static_cast<unsigned>(now.time_since_epoch().count() & 0xffffff));
  return text.data();
}

}  // namespace

Agent::Agent(ports::Source& source,
             ports::Engine& engine,
             ports::Observer& observer,
             const Clock& clock,
             spdlog::logger& log,
             AgentOptions options)
    : source_(source),
      engine_(engine),
      observer_(observer),
      clock_(clock),
      log_(log),
      redaction_(redaction_of(options)),
      options_(with_revisions(std::move(options), source, redaction_)),
      reconciler_(engine, observer, clock, log, options_.reconciler, [this] { wake(); }) {
  status_.version = options_.version;
  status_.instance = options_.reconciler.instance;
  status_.source = source.describe();
  last_turn_ = clock.steady();
}

void Agent::run(std::stop_token stop) {
  log_.info(logfmt("agent started",
                   {{"version", options_.version},
                    {"source", source_.describe()},
                    {"instance", options_.reconciler.instance}}));
  std::jthread git([this](std::stop_token own) { follow_git(std::move(own)); });
  std::jthread events([this](std::stop_token own) { follow_events(std::move(own)); });
  std::jthread pulse([this](std::stop_token own) { feel_pulse(std::move(own)); });
  std::jthread lease;
  if (options_.lease != nullptr)
    lease = std::jthread([this](std::stop_token own) { keep_lease(std::move(own)); });
  const std::stop_callback forward(stop, [&] {
    git.request_stop();
    events.request_stop();
    pulse.request_stop();
    lease.request_stop();
  });
  // Of this run and no other, so that a pass is found in logs that outlive the agent.
  const auto run = run_id(clock_.now());
  std::uint64_t passes = 0;
  auto deadline = clock_.steady();
  bool stood_by = false;
  while (wait_for_turn(deadline, stop)) {
    const auto desired = this->desired();
    if (stands_by()) {  // Also one that has not read git yet: the active one tells of it.
      stood_by = true;
      deadline = clock_.steady() + kWhileStandingBy;
      continue;
    }
    if (!desired) {
      observer_.idle(engine_answers());
      deadline = clock_.steady() + options_.resync;
      continue;
    }
    if (std::exchange(stood_by, false)) reconciler_.begin_anew();
    const LogScope scope("pass", run + "-" + std::to_string(++passes));
    const auto announced = proof_.announcements();
    const auto turn = reconciler_.turn(*desired, stop);
    if (stop.stop_requested()) break;
    if (turn) proof_.listed(announced, turn->fingerprint);
    publish(turn);
    idle_ = turn && !turn->wrote && !turn->moving;
    deadline = clock_.steady() + until_next_turn(turn);
  }
  if (options_.lease != nullptr) {  // Another one need not wait until it runs out.
    lease.request_stop();
    if (lease.joinable()) lease.join();
    std::stop_source enough;
    std::jthread limit([&](std::stop_token own) {
      if (clock_.sleep_for(kToRelease, std::move(own))) enough.request_stop();
    });
    options_.lease->release(enough.get_token());
  }
  log_.info("agent stopped");
}

void Agent::keep_lease(std::stop_token stop) {
  bool held = false;
  while (!stop.stop_requested()) {
    const auto wait = options_.lease->tick(stop);
    if (options_.lease->held() != held) {
      held = !held;
      if (held) observer_.leading();
      wake();
    }
    clock_.sleep_for(wait, stop);
  }
}

bool Agent::engine_answers() const {
  const std::lock_guard lock(mutex_);
  return !silent_;
}

bool Agent::stands_by() {
  const std::lock_guard lock(mutex_);
  status_.standby_for.clear();
  if (options_.lease == nullptr || options_.lease->held()) return false;
  status_.standby_for = options_.lease->holder();
  if (status_.standby_for.empty()) status_.standby_for = "nobody yet";
  status_.stacks.clear();  // The active one knows of them.
  status_.docker_up = !silent_;
  if (!silent_) status_.docker_error.clear();
  last_turn_ = clock_.steady();
  ready_ = true;
  idle_ = false;
  observer_.standing_by(!silent_);
  return true;
}

std::chrono::milliseconds Agent::until_next_turn(const Result<Turn>& turn) const {
  if (!turn)
    return turn.error().kind == ErrorKind::conflict ? 0ms
                                                    : std::chrono::milliseconds(kAfterFailure);
  if (turn->wrote) return 0ms;
  if (turn->moving) return kWhileMoving;
  auto wait = options_.resync;
  if (turn->retry_at) {
    const auto retry =
        std::chrono::duration_cast<std::chrono::milliseconds>(*turn->retry_at - clock_.steady());
    wait = std::clamp(retry + 1ms, std::chrono::milliseconds(1), wait);
  }
  return wait;
}

Agent::Waited Agent::wait_for_news(SteadyTime deadline, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!news_ && clock_.steady() < deadline && !stop.stop_requested()) {
    news_arrived_.wait_for(lock, stop, deadline - clock_.steady(), [this] { return news_; });
  }
  const bool news = std::exchange(news_, false);
  if (stop.stop_requested()) return Waited::stopped;
  return news ? Waited::news : Waited::nothing;
}

bool Agent::wait_for_turn(SteadyTime deadline, std::stop_token stop) {
  while (true) {
    const auto probe = idle_ ? clock_.steady() + options_.probe : deadline;
    const auto waited = wait_for_news(std::min(probe, deadline), stop);
    if (waited == Waited::stopped) return false;
    if (waited == Waited::news || !idle_) return true;
    if (stream_is_silent(stop)) {
      publish(Error{ErrorKind::unavailable,
                    "the engine's event stream did not tell of a change; it is opened anew"});
      reconnect();
      idle_ = false;
      deadline = clock_.steady() + kAfterFailure;  // Opening it wakes this loop sooner.
    } else if (clock_.steady() >= deadline) {
      return true;
    }
  }
}

bool Agent::stream_is_silent(std::stop_token stop) {
  const auto live = engine_.observe(stop);
  observer_.observed(live.has_value());
  if (!live) {
    wake();  // A turn says what is wrong.
    return false;
  }
  {
    const std::lock_guard lock(mutex_);
    status_.observed_at = clock_.now();
  }
  // No event tells of a task that ended: a turn says what that means.
  const auto running = task_counts(*live);
  if (std::exchange(running_, running).value_or(running) != running) wake();
  const auto seen = fingerprint_of(*live);
  if (!proof_.contradicted_by(seen)) return false;
  const auto latest = clock_.steady() + options_.grace;
  {
    std::unique_lock lock(mutex_);
    news_arrived_.wait_for(lock, stop, latest - clock_.steady(), [this] { return news_; });
  }
  return !stop.stop_requested() && proof_.contradicted_by(seen);
}

void Agent::reconnect() {
  const std::lock_guard lock(mutex_);
  connection_.request_stop();
}

void Agent::wake() {
  {
    const std::lock_guard lock(mutex_);
    news_ = true;
  }
  news_arrived_.notify_all();
}

std::shared_ptr<const repository::DesiredState> Agent::desired() const {
  const std::lock_guard lock(mutex_);
  return desired_;
}

void Agent::follow_events(std::stop_token stop) {
  const auto heard = [this] {
    proof_.announced();
    wake();
  };
  const auto opened = [&] {
    observer_.events_opened();
    heard();
  };
  while (!stop.stop_requested()) {
    std::stop_source connection;
    {
      const std::lock_guard lock(mutex_);
      connection_ = connection;
    }
    const std::stop_callback forward(stop, [&connection] { connection.request_stop(); });
    // The swarm may have changed while nobody listened: look once the stream is open, for what
    // comes later is announced.
    const auto ended = engine_.follow_events(
        [&](const ports::EngineEvent& event) {
          observer_.heard(event.type);
          heard();
        },
        opened,
        connection.get_token());
    if (stop.stop_requested()) return;
    if (!ended && !connection.stop_requested())
      log_.debug(logfmt("event stream failed", {{"error", ended.error().message}}));
    if (!connection.stop_requested()) {  // An engine that goes away ends its streams first.
      {
        const std::lock_guard lock(mutex_);
        pulse_now_ = true;
      }
      news_arrived_.notify_all();
    }
    clock_.sleep_for(kReconnect, stop);
  }
}

void Agent::feel_pulse(std::stop_token stop) {
  bool known = false;  // What answers may be another engine, or another version of it.
  while (!stop.stop_requested()) {
    const auto answered = engine_.ping(stop);
    if (stop.stop_requested()) return;
    known = known && answered.has_value();
    if (answered && !known) {
      if (const auto engine = engine_.info(stop)) {
        observer_.connected(*engine);
        known = true;
      }
    }
    bool back = false;
    {
      const std::lock_guard lock(mutex_);
      back = answered && silent_;
      if (!answered && !silent_) {
        observer_.observed(false);
        if (ready_) lose_sight(answered.error());
      }
      silent_ = !answered;
    }
    if (back) wake();
    std::unique_lock lock(mutex_);
    const auto wait =
        answered ? options_.pulse : std::min<std::chrono::milliseconds>(options_.pulse, kReconnect);
    news_arrived_.wait_for(lock, stop, wait, [this] { return pulse_now_; });
    pulse_now_ = false;
  }
}

void Agent::publish(const Result<Turn>& turn) {
  const std::lock_guard lock(mutex_);
  last_turn_ = clock_.steady();
  ready_ = true;
  if (!turn) return lose_sight(turn.error());
  status_.observed_at = turn->observed_at;
  status_.stacks = turn->stacks;
  status_.notes = file_notes_;
  status_.notes.insert(status_.notes.end(), turn->notes.begin(), turn->notes.end());
  if (silent_) {  // It read the swarm, and then the engine fell silent.
    return lose_sight({ErrorKind::unavailable, "the engine does not answer"});
  }
  if (!status_.docker_up) log_.info("swarm is readable");
  status_.docker_up = true;
  status_.docker_error.clear();
}

void Agent::lose_sight(const Error& error) {
  if (status_.docker_error != error.message) {
    log_.error(logfmt("the swarm could not be read; nothing is known and nothing is changed",
                      {{"error", error.message}}));
  }
  status_.docker_up = false;
  status_.docker_error = error.message;
  for (auto& stack :
       status_.stacks) {  // Unknown is never empty, and never yesterday's answer either.
    stack.sync = ports::SyncState::unknown;
    stack.health = ports::Health::unknown;
    stack.message = "the swarm could not be read";  // Why is said once, for all.
    stack.plan.reset();
  }
  observer_.unreadable(error.message);
  observer_.status(status_.stacks);
}

ports::AgentStatus Agent::status() const {
  const std::lock_guard lock(mutex_);
  auto status = status_;
  if (status.observed_at) {
    status.observed_age =
        std::max(clock_.now() - *status.observed_at, std::chrono::milliseconds::zero());
  }
  return status;
}

bool Agent::ready() const {
  const std::lock_guard lock(mutex_);
  return ready_ && status_.docker_up;
}

bool Agent::alive() const {
  const std::lock_guard lock(mutex_);
  return !desired_ || clock_.steady() - last_turn_ < options_.resync + kLoopIsStuck;
}

}  // namespace skep::reconciler
