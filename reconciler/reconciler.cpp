#include "reconciler/reconciler.hpp"

#include <algorithm>
#include <cstring>

#include "core/digest.hpp"
#include "core/logfmt.hpp"
#include "diff/render.hpp"
#include "reconciler/apply.hpp"
#include "reconciler/health.hpp"
#include "reconciler/stack_status.hpp"
#include "swarm/image_ref.hpp"
#include "swarm/labels.hpp"

namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;
using ports::Health;

constexpr auto kRolloutShows =
    3s;  ///< How long the engine may take to say that an accepted update has begun.
constexpr auto kFirstRetry = 2s;
constexpr auto kLongestRetry = 300s;

std::uint32_t seed_from_system() {
  std::uint32_t seed = 0;
  const auto bytes = random_bytes(sizeof seed);
  std::memcpy(&seed, bytes.data(), sizeof seed);
  return seed;
}

std::string label_of(const swarm::StringMap& labels, std::string_view name) {
  const auto at = labels.find(std::string(name));
  return at == labels.end() ? std::string() : at->second;
}

std::string foreign_instance(const swarm::LiveStack& live, const std::string& own) {
  for (const auto* service : live.services) {
    const auto instance = label_of(service->spec.labels, swarm::kInstanceLabel);
    if (!instance.empty() && instance != own) return instance;
  }
  return "";
}

/// The images that run, as the durable record keeps them: text in the file → digest.
std::map<std::string, std::string> digests_of(const swarm::StackSpec& desired,
                                              const swarm::LiveState& live) {
  std::map<std::string, std::string> digests;
  for (const auto& [key, service] : desired.services) {
    const auto* found = live.find_service(service.spec.name);
    if (found == nullptr) continue;
    auto digest = swarm::split_digest(found->spec.task_template.container.image).second;
    if (!digest.empty())
      digests[label_of(service.spec.labels, swarm::kImageLabel)] = std::move(digest);
  }
  return digests;
}

bool was_rolled_back(const swarm::LiveService& service) {
  return service.update.state.starts_with("rollback_");
}

std::uint64_t running_tasks(const std::vector<ports::ServiceStatus>& services) {
  std::uint64_t running = 0;
  for (const auto& service : services) running += service.running;
  return running;
}

/// Right after its services went, a network (or what was mounted) is still in use by tasks that
/// shut down (rule D7.5): not yet a failure.
bool still_in_use(const ActionResult& result) {
  return result.error && result.action.verb == diff::Verb::remove &&
         result.action.kind != diff::ObjectKind::service &&
         (result.error->kind == ErrorKind::unavailable ||
          result.error->kind == ErrorKind::invalid_input);
}

}  // namespace

struct Reconciler::Work {
  std::vector<StackFacts> facts;
  std::vector<Decision> decisions;  ///< One for each of `facts`.
};

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
      planner_(engine, clock, log, options_.instance, std::move(wake)),
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
    const auto& memory = memory_[work.facts[i].name];
    turn.stacks.push_back(describe_stack(
        work.facts[i], work.decisions[i], memory, desired.revision.commit, options_.plan_only));
    turn.moving = turn.moving || memory.operation || work.facts[i].waiting_for_registry;
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

void Reconciler::hold_mass_removal(Work& work, const State& state) {
  std::size_t leaving = 0;
  for (const auto& facts : work.facts) leaving += facts.desired == nullptr ? 1 : 0;
  if (leaving == 0 || (leaving * 2 <= state.stacks.size() && leaving < state.stacks.size())) return;
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    if (work.facts[i].desired != nullptr || work.decisions[i].verdict != Verdict::apply) continue;
    if (memory_[work.facts[i].name].approved) continue;
    work.decisions[i] = {Verdict::held,
                         "left git together with " + std::to_string(leaving - 1) +
                             " other stacks of " + std::to_string(state.stacks.size()) +
                             ": so many are removed only after `skep approve " +
                             work.facts[i].name + "`"};
  }
}

void Reconciler::order(const DesiredState& desired, Work& work) {
  std::map<std::string, const GroupSettings*> groups;
  for (const auto& group : desired.cluster.groups) groups[group.name] = &group;
  std::map<std::string, std::string> busy;  // Group → a stack of it that is being changed.
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    const auto& facts = work.facts[i];
    index[facts.name] = i;
    if (facts.desired == nullptr) continue;
    const bool changes = memory_[facts.name].operation ||
                         work.decisions[i].verdict == Verdict::apply || facts.waiting_for_registry;
    if (changes) busy.emplace(facts.desired->source.group, facts.name);
  }
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    const auto& facts = work.facts[i];
    auto& decision = work.decisions[i];
    if (facts.desired == nullptr || decision.verdict != Verdict::apply) continue;
    for (const auto& need : facts.desired->source.settings.depends_on) {
      const auto at = index.find(need);
      if (at == index.end()) continue;
      const auto& other = work.facts[at->second];
      const bool ready =
          other.health == Health::healthy && work.decisions[at->second].verdict == Verdict::nothing;
      if (!ready)
        decision = {
            Verdict::wait,
            "waits for the stack " + need + " (" + std::string(to_string(other.health)) + ")"};
    }
    if (memory_[facts.name].operation)
      continue;  // What has begun is not stopped by somebody else's beginning.
    for (auto at = groups.find(facts.desired->source.group);
         at != groups.end() && !at->second->after.empty();) {
      const auto& earlier = at->second->after;
      if (const auto stack = busy.find(earlier); stack != busy.end()) {
        decision = {Verdict::wait,
                    "waits for " + earlier + "/" + stack->second + ", which is being changed"};
      }
      at = groups.find(earlier);
    }
  }
}

void Reconciler::fail(StackMemory& memory, const Error& error) {
  if (error.kind == ErrorKind::conflict || error.kind == ErrorKind::cancelled)
    return;  // Looked at again at once.
  ++memory.failures;
  memory.error = error.message;
  memory.last_failure = clock_.now();
  const auto doublings = std::min<std::uint64_t>(memory.failures - 1, 10);
  const auto longest =
      std::min<std::chrono::milliseconds>(kFirstRetry * (1U << doublings), kLongestRetry);
  std::uniform_int_distribution<std::int64_t> jitter(longest.count() / 2, longest.count());
  memory.retry_at = clock_.steady() + std::chrono::milliseconds(jitter(random_));
}

Result<void> Reconciler::carry_out(const DesiredState& desired,
                                   const swarm::LiveState& live,
                                   State& state,
                                   Work& work,
                                   Turn& turn,
                                   std::stop_token stop) {
  // What is ours is written down before the first write to it: killed in between, the next run
  // knows.
  auto next = state;
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    const auto& facts = work.facts[i];
    const auto verdict = work.decisions[i].verdict;
    if (verdict == Verdict::forget) {
      next.stacks.erase(facts.name);
      continue;
    }
    const bool ours =
        facts.record != nullptr || verdict == Verdict::adopt || verdict == Verdict::apply;
    const bool concerned =
        verdict == Verdict::adopt || verdict == Verdict::apply || verdict == Verdict::nothing;
    if (facts.desired == nullptr || !ours || !concerned) continue;
    auto& record = next.stacks[facts.name];
    record.path = facts.desired->source.directory.text();
    if (record.content != facts.desired->content) {
      record.content = facts.desired->content;
      record.applied = desired.revision.commit;
    }
    if (verdict == Verdict::apply) continue;
    record.digests = digests_of(facts.desired->spec, live);
    if (facts.health == Health::healthy) record.healthy = record.applied;
  }
  auto written = store_.write(next, live, stop);
  if (!written && written.error().kind == ErrorKind::conflict) {
    turn.wrote = true;  // Somebody else wrote it: look again.
    return {};
  }
  if (!written) return std::move(written).error();
  state = std::move(next);
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    auto& facts = work.facts[i];
    const auto record = state.stacks.find(facts.name);
    facts.record = record == state.stacks.end() ? nullptr : &record->second;
    if (work.decisions[i].verdict == Verdict::adopt) {
      log_.info(logfmt("stack adopted as it runs", {{"stack", facts.name}}));
      memory_[facts.name].approved = false;
    }
    if (work.decisions[i].verdict == Verdict::forget)
      log_.info(logfmt("stack removed", {{"stack", facts.name}}));
    if (work.decisions[i].verdict == Verdict::apply && !stop.stop_requested())
      apply_stack(facts, live, turn, stop);
  }
  return {};
}

void Reconciler::apply_stack(StackFacts& facts,
                             const swarm::LiveState& live,
                             Turn& turn,
                             std::stop_token stop) {
  auto& memory = memory_[facts.name];
  const auto now = clock_.steady();
  const bool overdue = facts.desired != nullptr && memory.overdue_content == facts.desired->content;
  ApplyOptions options;
  options.postponed = postponed_services(facts.plan, live, overdue);
  options.removals =
      facts.desired == nullptr || (facts.plan.only_removals() && facts.health == Health::healthy);
  const auto result = apply(
      facts.plan,
      live,
      options,
      engine_,
      observer_,
      [&](const diff::Action& action) {
        log_.debug(logfmt("write", {{"stack", facts.name}, {"object", action.name}}));
      },
      stop);
  for (const auto& done : result.results) {
    for (const auto& warning : done.warnings)
      log_.warn(logfmt("the engine warns", {{"object", done.action.name}, {"warning", warning}}));
    const bool rolls = done.action.kind == diff::ObjectKind::service &&
                       done.action.verb == diff::Verb::update &&
                       done.action.impact == diff::Impact::restart;
    if (!done.error && rolls) memory.awaited[done.action.name] = now;
  }
  if (result.writes() > 0) {
    turn.wrote = true;
    log_.info(logfmt(
        "stack changed",
        {{"stack", facts.name}, {"writes", result.writes()}, {"plan", diff::summary(facts.plan)}}));
    if (!memory.operation) {
      memory.operation.emplace();
      memory.operation->started = now;
      const bool edited = memory.drift_cause == ports::DriftCause::live;
      memory.operation->trigger = memory.approved || memory.requested ? "manual"
                                  : edited                            ? "drift"
                                  : memory.failures > 0               ? "retry"
                                                                      : "git";
      for (const auto& action : facts.plan.actions) memory.operation->kinds.push_back(action.kind);
    }
    memory.operation->progressed = now;
  }
  const bool shutting_down =
      std::any_of(result.results.begin(), result.results.end(), still_in_use);
  if (shutting_down && !overdue) {
    if (!memory.operation) memory.operation = Operation{"git", now, now, 0};
    return;
  }
  if (const auto* error = result.first_error()) {
    if (error->kind == ErrorKind::conflict) turn.wrote = true;
    fail(memory, *error);
    if (error->kind != ErrorKind::conflict && error->kind != ErrorKind::cancelled) {
      log_.error(
          logfmt("stack could not be changed", {{"stack", facts.name}, {"error", error->message}}));
      finish_operation(facts, false, "apply", error->message);
    }
  } else {
    memory.approved = false;
    memory.requested = false;
  }
}

void Reconciler::follow_operation(const StackFacts& facts, const Decision& decision) {
  auto& memory = memory_[facts.name];
  const auto now = clock_.steady();
  if (facts.plan.empty() && decision.verdict != Verdict::broken) {
    memory.drift_cause.reset();
    memory.drift_since.reset();
  } else if (!facts.plan.empty()) {
    const auto cause = cause_of(facts);
    // While a change of git is being carried out the rest of its plan is still git's, not
    // somebody's edit.
    if (!memory.drift_since || (memory.drift_cause != cause && !memory.operation)) {
      memory.drift_cause = cause;
      memory.drift_since = clock_.now();
    }
  }
  const bool arrived =
      facts.plan.empty() && facts.health == Health::healthy && decision.verdict != Verdict::broken;
  if (!memory.operation) {
    if (arrived && memory.failures > 0) {  // It came up after all.
      memory.failures = 0;
      memory.error.clear();
      memory.overdue_content.clear();
    }
    return;
  }
  const auto running = running_tasks(facts.services);
  if (running > memory.operation->running_then) memory.operation->progressed = now;
  memory.operation->running_then = running;
  if (arrived) {
    finish_operation(facts, true, "", "");
  } else if (facts.health == Health::degraded && facts.plan.only_removals()) {
    finish_operation(facts, false, "health", "");
  } else if (facts.desired != nullptr &&
             now - memory.operation->progressed > facts.desired->source.settings.policy.timeout) {
    memory.overdue_content = facts.desired->content;
    finish_operation(facts, false, "health", "no progress before the deadline");
  }
}

void Reconciler::finish_operation(const StackFacts& facts,
                                  bool success,
                                  const std::string& phase,
                                  const std::string& message) {
  auto& memory = memory_[facts.name];
  ports::SyncReport report;
  report.stack =
      facts.desired != nullptr ? facts.desired->source.group + "/" + facts.name : facts.name;
  report.trigger = memory.operation ? memory.operation->trigger : "git";
  report.result = success ? "success" : "failure";
  report.failed_phase = phase;
  if (memory.operation) report.kinds = memory.operation->kinds;
  if (memory.operation) {
    report.duration = std::chrono::duration_cast<std::chrono::milliseconds>(
        clock_.steady() - memory.operation->started);
  }
  memory.last_duration = report.duration;
  memory.operation.reset();
  if (success) {
    memory.failures = 0;
    memory.error.clear();
    memory.overdue_content.clear();
    memory.last_success = clock_.now();
    log_.info(logfmt("stack is healthy",
                     {{"stack", facts.name}, {"milliseconds", report.duration.count()}}));
  } else {
    memory.last_failure = clock_.now();
    std::string trouble = message;
    for (const auto& service : facts.services) {
      if (trouble.empty() && !service.trouble.empty())
        trouble = service.name + ": " + service.trouble;
    }
    if (phase == "health") {
      ++memory.failures;
      memory.error = trouble;
      log_.error(
          logfmt("stack did not become healthy", {{"stack", facts.name}, {"trouble", trouble}}));
    }
  }
  observer_.synced(report);
}

}  // namespace skep::reconciler
