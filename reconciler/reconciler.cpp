#include "reconciler/reconciler.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/digest.hpp"
#include "core/logfmt.hpp"
#include "reconciler/observation/hook_runs.hpp"
#include "reconciler/observation/node_loss.hpp"
#include "reconciler/observation/stream_proof.hpp"
#include "reconciler/stack_status.hpp"
#include "reconciler/work.hpp"

namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;
using ports::Health;

std::uint32_t seed_from_system() {
  std::uint32_t seed = 0;
  const auto bytes = random_bytes(sizeof seed);
  std::memcpy(&seed, bytes.data(), sizeof seed);
  return seed;
}

/// Tasks that start send no events: whoever wants to know has to look again, but not for ever.
bool comes_up_by_itself(const StackFacts& facts, StackMemory& memory, SteadyTime now) {
  if (facts.health != Health::progressing) {
    memory.progressing_since.reset();
    return false;
  }
  if (!memory.progressing_since) memory.progressing_since = now;
  if (memory.up_since) return true;   // All is up, also after the deadline, and has to last.
  if (memory.operation) return true;  // Which has a deadline of its own.
  return facts.desired != nullptr && now - *memory.progressing_since <= facts.patience();
}

/// Tasks that went away by themselves do not come back in time, and no rollout is to blame.
bool is_overdue(const StackFacts& facts, const StackMemory& memory, SteadyTime now) {
  if (memory.operation || !memory.progressing_since || facts.desired == nullptr) return false;
  const bool troubled = std::any_of(
      facts.services.begin(), facts.services.end(), [](const ports::ServiceStatus& service) {
        return !service.trouble.empty();
      });
  return troubled &&
         now - *memory.progressing_since > facts.desired->source.settings.policy.timeout;
}

/// Whether more happened to `before` than `skep eject`, which a person may well run for many
/// stacks.
bool written_by_another_agent(State before, const State& read) {
  for (const auto& [name, record] : read.stacks)
    if (record.ejected) before.stacks[name] = record;
  return before != read;
}

}  // namespace

bool Turn::all_good() const {
  return std::all_of(stacks.begin(), stacks.end(), [](const ports::StackStatus& stack) {
    return stack.sync == ports::SyncState::synced && stack.health == Health::healthy;
  });
}

Reconciler::Reconciler(ports::Engine& engine,
                       ports::Observer& observer,
                       const Clock& clock,
                       spdlog::logger& log,
                       ReconcilerOptions options,
                       std::function<void()> wake)
    : options_(std::move(options)),
      policed_(engine),
      engine_(options_.access ? policed_ : engine),
      observer_(observer),
      clock_(clock),
      log_(log),
      store_(engine, options_.instance),
      planner_(engine, clock, log, options_.instance, options_.digest, std::move(wake)),
      random_(options_.seed != 0 ? options_.seed : seed_from_system()),
      began_(to_rfc3339(clock.now())) {}

Result<Turn> Reconciler::turn(const repository::DesiredState& desired, std::stop_token stop) {
  const auto started = clock_.steady();
  revision_ = desired.revision;
  auto live = engine_.observe(stop);
  observer_.observed(live.has_value());
  if (!live) {
    blind_ = true;
    return std::move(live).error().within("observe");
  }
  const auto observed = clock_.steady();
  watch_nodes(*live);
  excuse_blindness(observed);
  const auto observed_at = clock_.now();
  observer_.phase("observe", observed - started);
  auto state = store_.read(*live);
  if (!state) {
    observer_.state_lost();
    return std::move(state).error();
  }
  watch_for_another_writer(*state);
  auto taken = take_requests(desired, *live, *state, stop);
  if (!taken) return std::move(taken).error();
  if (*taken) {
    live = engine_.observe(stop);
    if (!live) return std::move(live).error().within("observe");
  }

  Turn turn;
  turn.fingerprint = fingerprint_of(*live);
  if (auto counted = discount_lost_tasks(*live, engine_, stop); !counted)
    return std::move(counted).error();
  stuck_networks_.mark(*live, clock_.steady());
  turn.observed_at = observed_at;
  if (contested_) {
    turn.notes.push_back("another agent writes the decisions of the instance \"" +
                         options_.instance +
                         "\", too: give one of them a name of its own with --instance (or both "
                         "--standby), then restart this one");
  }
  Work work;
  work.hooks = split_hooks(*live);
  if (!desired.broken()) {
    auto ensured = ensure_networks(desired, *live, turn, stop);
    if (ensured) ensured = ensure_files(desired, *live, turn, stop);
    if (!ensured) return std::move(ensured).error();
    ensure_node_labels(desired, *live, turn, stop);
  }
  const diff::LiveIndex index(*live);
  gather(desired, index, *state, work, stop);
  note_lost_records(desired, *state, turn);
  // What ended makes room for what waited, so it is noticed before the order is made.
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    const auto& facts = work.facts[i];
    const bool healed = memory_[facts.name].operation && facts.kept;
    follow_operation(facts, work.decisions[i]);
    // What the window holds is what differs again.
    if (healed && !memory_[facts.name].operation) turn.wrote = true;
  }
  for (std::size_t i = 0; i < work.facts.size(); ++i)
    follow_hook(work.facts[i], work.decisions[i], stop);
  give_grace(work, turn);
  pair_renames(desired, index, work);
  hold_mass_removal(work, *state);
  exchange_ports(index, work);
  order(desired, work);
  const auto planned = clock_.steady();
  observer_.phase("plan", planned - observed);
  if (!options_.plan_only && !desired.broken()) {
    auto carried = carry_out(desired, *live, *state, work, turn, stop);
    if (!carried) return std::move(carried).error();
    observer_.phase("apply", clock_.steady() - planned);
  }
  std::map<std::string, std::string> shown;
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    // Struck from the records: it is not ours any more, and nobody knows where it was.
    if (work.decisions[i].verdict == Verdict::forget && work.facts[i].record == nullptr) continue;
    auto& memory = memory_[work.facts[i].name];
    turn.stacks.push_back(describe_stack(
        work.facts[i], work.decisions[i], memory, desired.revision.commit, options_.plan_only));
    auto& status = turn.stacks.back();
    if (status.health == Health::progressing && is_overdue(work.facts[i], memory, clock_.steady()))
      status.health = Health::degraded;
    explain_status(work.facts[i], work.decisions[i], status);
    turn.moving = turn.moving || memory.operation || work.facts[i].waiting_for_registry;
    if (comes_up_by_itself(work.facts[i], memory, clock_.steady()) && !options_.plan_only)
      turn.moving = true;
    memory.seen = true;
    shown[work.facts[i].name] = memory.content;
    const auto verdict = work.decisions[i].verdict;
    // What was asked for is done; left standing, it would let the next edit by hand through.
    if (verdict == Verdict::nothing)
      memory.approved = memory.requested = memory.secrets_moved = false;
    const bool tries = verdict == Verdict::wait || verdict == Verdict::apply;
    if (memory.failures > 0 && tries && memory.retry_at > clock_.steady()) {
      turn.retry_by(memory.retry_at);
    }
    if (const auto* suspension = work.facts[i].suspension;
        suspension != nullptr && suspension->until) {
      turn.retry_by(clock_.steady() + (*suspension->until - clock_.now()));
    }
    if (const auto& until = work.facts[i].contended_until) {
      turn.retry_by(clock_.steady() + (*until - clock_.now()));
    }
    if (const auto& closed = work.facts[i].closed; closed && closed->until) {
      turn.retry_by(clock_.steady() + (*closed->until - clock_.now()));
    }
  }
  {
    const std::lock_guard lock(requests_mutex_);
    shown_ = std::move(shown);
  }
  report_inventory(desired, *live, *state, work, turn);
  observer_.status(turn.stacks);
  observer_.phase("total", clock_.steady() - started);
  return turn;
}

void Reconciler::begin_anew() {
  memory_.clear();
  older_revisions_.clear();
  cluster_troubles_.clear();
  last_observed_ = {};
  blind_ = false;
  last_state_.reset();
}

void Reconciler::watch_for_another_writer(const State& read) {
  constexpr std::size_t kTooOften = 3;  // A person who restores something does it once.
  constexpr auto kWithin = std::chrono::minutes(1);
  const auto now = clock_.steady();
  if (last_state_ && written_by_another_agent(*last_state_, read)) foreign_writes_.push_back(now);
  last_state_ = read;
  while (!foreign_writes_.empty() && now - foreign_writes_.front() > kWithin)
    foreign_writes_.pop_front();
  if (contested_ || foreign_writes_.size() < kTooOften) return;
  contested_ = true;
  log_.error(
      logfmt("another agent writes the decisions of this instance, too; nothing that left "
             "git is removed any more by itself",
             {{"instance", options_.instance}}));
}

void Reconciler::excuse_blindness(SteadyTime now) {
  const auto gap = now - std::exchange(last_observed_, now);
  if (!std::exchange(blind_, false)) return;
  for (auto& [name, memory] : memory_) {
    if (memory.operation)
      memory.operation->progressed = std::min(now, memory.operation->progressed + gap);
    if (memory.progressing_since)
      memory.progressing_since = std::min(now, *memory.progressing_since + gap);
  }
}

void Reconciler::note_lost_records(const repository::DesiredState& desired,
                                   const State& state,
                                   Turn& turn) const {
  for (const auto& [name, raw] : state.damaged) {
    const bool in_git =
        std::any_of(desired.stacks.begin(), desired.stacks.end(), [&, own = &name](const auto& s) {
          return s->source.name == *own;
        });
    if (in_git) continue;
    turn.notes.push_back("the record of the stack " + name + " in the config " +
                         store_.config_name() +
                         " is damaged, and the stack is not in git: it is left as it is; remove "
                         "what is left of it with `docker stack rm " +
                         name + "`");
  }
}

}  // namespace skep::reconciler
