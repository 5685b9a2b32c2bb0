#include "reconciler/reconciler.hpp"

#include <algorithm>
#include <cstring>

#include "core/digest.hpp"
#include "core/logfmt.hpp"
#include "reconciler/health.hpp"
#include "reconciler/jobs.hpp"
#include "reconciler/stack_status.hpp"
#include "reconciler/stream_proof.hpp"
#include "reconciler/work.hpp"
#include "swarm/labels.hpp"

namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;
using ports::Health;

constexpr auto kRolloutShows =
    3s;  ///< How long the engine may take to say that an accepted update has begun.

std::uint32_t seed_from_system() {
  std::uint32_t seed = 0;
  const auto bytes = random_bytes(sizeof seed);
  std::memcpy(&seed, bytes.data(), sizeof seed);
  return seed;
}

std::string foreign_instance(const swarm::LiveStack& live, const std::string& own) {
  for (const auto* service : live.services) {
    const auto instance = label_of(service->spec.labels, swarm::kInstanceLabel);
    if (!instance.empty() && instance != own) return instance;
  }
  return "";
}

bool was_rolled_back(const swarm::LiveService& service) {
  return service.update.state.starts_with("rollback_");
}

/// Tasks that start send no events: whoever wants to know has to look again, but not for ever.
bool comes_up_by_itself(const StackFacts& facts, StackMemory& memory, SteadyTime now) {
  if (facts.health != Health::progressing) {
    memory.progressing_since.reset();
    return false;
  }
  if (!memory.progressing_since) memory.progressing_since = now;
  return facts.desired != nullptr &&
         now - *memory.progressing_since <= facts.desired->source.settings.policy.timeout;
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
    : engine_(engine),
      observer_(observer),
      clock_(clock),
      log_(log),
      options_(std::move(options)),
      store_(engine, options_.instance),
      planner_(engine, clock, log, options_.instance, options_.digest, std::move(wake)),
      random_(options_.seed != 0 ? options_.seed : seed_from_system()) {}

void Reconciler::approve(const std::string& stack) {
  const std::lock_guard lock(requests_mutex_);
  approvals_.insert(stack);
}

void Reconciler::request(const std::string& stack) {
  const std::lock_guard lock(requests_mutex_);
  requests_.insert(stack);
}

void Reconciler::take_requests() {
  const std::lock_guard lock(requests_mutex_);
  for (const auto& stack : approvals_) memory_[stack].approved = true;
  for (const auto& stack : requests_) memory_[stack].requested = true;
  approvals_.clear();
  requests_.clear();
}

Result<Turn> Reconciler::turn(const DesiredState& desired, std::stop_token stop) {
  const auto started = clock_.steady();
  take_requests();
  auto live = engine_.observe(stop);
  observer_.observed(live.has_value());
  if (!live) return std::move(live).error().within("observe");
  const auto observed = clock_.steady();
  observer_.phase("observe", observed - started);
  auto state = store_.read(*live);
  if (!state) return std::move(state).error();

  Turn turn;
  turn.fingerprint = fingerprint_of(*live);
  Work work;
  if (!desired.broken()) {
    auto ensured = ensure_networks(desired, *live, turn, stop);
    if (!ensured) return std::move(ensured).error();
  }
  gather(desired, *live, *state, work, stop);
  // What ended makes room for what waited, so it is noticed before the order is made.
  for (std::size_t i = 0; i < work.facts.size(); ++i)
    follow_operation(work.facts[i], work.decisions[i]);
  hold_mass_removal(work, *state);
  order(desired, work);
  const auto planned = clock_.steady();
  observer_.phase("plan", planned - observed);
  if (!options_.plan_only && !desired.broken()) {
    auto carried = carry_out(desired, *live, *state, work, turn, stop);
    if (!carried) return std::move(carried).error();
    observer_.phase("apply", clock_.steady() - planned);
  }
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    auto& memory = memory_[work.facts[i].name];
    turn.stacks.push_back(describe_stack(
        work.facts[i], work.decisions[i], memory, desired.revision.commit, options_.plan_only));
    turn.moving = turn.moving || memory.operation || work.facts[i].waiting_for_registry;
    if (comes_up_by_itself(work.facts[i], memory, clock_.steady()) && !options_.plan_only)
      turn.moving = true;
    memory.seen = true;
    // What was asked for is done; left standing, it would let the next edit by hand through.
    if (work.decisions[i].verdict == Verdict::nothing) memory.approved = memory.requested = false;
    if (memory.failures > 0 && work.decisions[i].verdict == Verdict::wait) {
      turn.retry_at = std::min(turn.retry_at.value_or(memory.retry_at), memory.retry_at);
    }
  }
  observer_.status(turn.stacks);
  observer_.phase("total", clock_.steady() - started);
  return turn;
}

Result<void> Reconciler::ensure_networks(const DesiredState& desired,
                                         swarm::LiveState& live,
                                         Turn& turn,
                                         std::stop_token stop) {
  bool added = false;
  for (const auto& [name, wanted] : desired.cluster.networks) {
    const auto* found = live.find_network(name);
    if (found != nullptr) {
      const bool same = found->scope == "swarm" && found->spec.driver == wanted.driver &&
                        found->spec.attachable == wanted.attachable &&
                        found->spec.internal == wanted.internal;
      if (!same) {
        turn.notes.push_back("the shared network " + name +
                             " differs from skep.yaml; it is never replaced: change skep.yaml, or "
                             "remove the network by hand when nothing uses it");
      }
      continue;
    }
    swarm::LiveNetwork created;
    created.scope = "swarm";
    created.spec = wanted;
    created.spec.labels[std::string(swarm::kInstanceLabel)] = options_.instance;
    if (options_.plan_only) {
      turn.notes.push_back("the shared network " + name + " will be created");
    } else {
      auto written = engine_.create_network(created.spec, stop);
      observer_.wrote({diff::ObjectKind::network, diff::Verb::create, written.has_value()});
      if (!written) return std::move(written).error().within("shared network " + name);
      log_.info(logfmt("shared network created", {{"network", name}}));
      created.id = written->id;
      turn.wrote = true;
    }
    live.networks.push_back(std::move(created));
    added = true;
  }
  if (added) live.normalise();
  return {};
}

void Reconciler::assess(StackFacts& facts,
                        const swarm::LiveStack& live,
                        const std::vector<swarm::Task>& tasks) {
  auto& memory = memory_[facts.name];
  facts.health = Health::healthy;
  std::set<std::string> present;
  for (const auto* service : live.services) {
    std::vector<swarm::Task> own;
    std::copy_if(tasks.begin(), tasks.end(), std::back_inserter(own), [&](const swarm::Task& task) {
      return task.service_id == service->id;
    });
    auto health = health_of(*service, own);
    const auto awaited = memory.awaited.find(service->spec.name);
    if (awaited != memory.awaited.end()) {
      if (!service->update.state.empty() || clock_.steady() - awaited->second > kRolloutShows) {
        memory.awaited.erase(awaited);
      } else if (health == Health::healthy) {
        health = Health::progressing;
      }
    }
    present.insert(service->spec.name);
    facts.rolled_back = facts.rolled_back || was_rolled_back(*service);
    facts.health = worst(facts.health, health);
    facts.services.push_back(describe_service(*service, own));
  }

  if (facts.desired == nullptr || facts.desired->broken()) return;
  for (const auto& [key, service] : facts.desired->spec.services) {
    if (present.count(service.spec.name) == 0) facts.health = worst(facts.health, Health::missing);
  }
}

void Reconciler::gather(const DesiredState& desired,
                        const swarm::LiveState& live,
                        const State& state,
                        Work& work,
                        std::stop_token stop) {
  const diff::LiveIndex index(live);
  std::set<std::string> in_git;
  std::set<std::string> broken_directories;
  const auto wanted = [this](const std::string& name) {
    return options_.only.empty() || options_.only.count(name) != 0;
  };
  for (const auto& stack : desired.stacks) {
    in_git.insert(stack->source.name);
    if (stack->broken()) broken_directories.insert(stack->source.directory.text());
    if (!wanted(stack->source.name)) continue;
    StackFacts facts;
    facts.name = stack->source.name;
    facts.desired = stack.get();
    work.facts.push_back(std::move(facts));
  }
  // A directory whose settings cannot be read may have had another name: what came from it is not
  // "gone" (promise 4).
  for (const auto& [name, record] : state.stacks) {
    if (desired.broken() || in_git.count(name) != 0 || broken_directories.count(record.path) != 0 ||
        !wanted(name))
      continue;
    StackFacts facts;
    facts.name = name;
    work.facts.push_back(std::move(facts));
  }

  std::vector<swarm::ObjectId> unsettled;
  for (auto& facts : work.facts) {
    const auto record = state.stacks.find(facts.name);
    facts.record = record == state.stacks.end() ? nullptr : &record->second;
    const auto& stack = index.stack(facts.name);
    facts.live_there = !stack.empty();
    facts.foreign_instance = foreign_instance(stack, options_.instance);
    for (const auto* service : stack.services) {
      if (needs_tasks(*service)) unsettled.push_back(service->id);
    }
    if (facts.desired == nullptr) {
      facts.plan = planner_.plan_removal(facts.name, index);
    } else if (!facts.desired->broken()) {
      auto planned = planner_.plan(*facts.desired, index, facts.record, stop);
      facts.plan = std::move(planned.plan);
      leave_jobs_alone(facts.plan, facts.desired->jobs, facts.record);
      facts.waiting_for_registry = planned.waiting_for_registry;
    }
  }
  std::vector<swarm::Task> tasks;
  if (!unsettled.empty()) {
    auto read = engine_.tasks(unsettled, stop);
    if (read) {
      tasks = *std::move(read);
    } else {
      log_.debug(logfmt("tasks could not be read", {{"error", read.error().message}}));
    }
  }
  const auto now = clock_.steady();
  for (auto& facts : work.facts) {
    assess(facts, index.stack(facts.name), tasks);
    auto decision = decide(facts, memory_[facts.name], now);
    if (desired.broken())
      decision = {
          Verdict::broken,
          "skep.yaml of the repository has mistakes; nothing is changed until they are mended"};
    work.decisions.push_back(std::move(decision));
  }
}

}  // namespace skep::reconciler
