#include <algorithm>
#include <set>

#include "core/logfmt.hpp"
#include "diff/normalise.hpp"
#include "diff/render.hpp"
#include "reconciler/apply.hpp"
#include "reconciler/observation/stream_proof.hpp"
#include "reconciler/work.hpp"
#include "swarm/image_ref.hpp"
#include "swarm/labels.hpp"

// Writing down what is decided, then carrying it out.
namespace skep::reconciler {
namespace {

constexpr std::size_t kLongestReason = 500;
constexpr auto kBetweenRivals = std::chrono::seconds(5);
constexpr auto kAfterAChange = std::chrono::seconds(1);

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

/// When those rollbacks began that swarm tells of, of any of its services.
std::set<std::string> rollbacks_of(const repository::DesiredStack& desired,
                                   const swarm::LiveState& live) {
  std::set<std::string> began;
  for (const auto& [key, service] : desired.spec.services) {
    const auto* found = live.find_service(service.spec.name);
    if (found != nullptr && found->update.state.starts_with("rollback_") &&
        !found->update.started_at.empty())
      began.insert(found->update.started_at);
  }
  return began;
}

/// Fields that somebody changed and the plan is about to change back, by service key.
std::map<std::string, std::vector<repository::ServicePointer>> corrections_of(
    const StackFacts& facts, const swarm::LiveState& live) {
  std::map<std::string, std::vector<repository::ServicePointer>> corrections;
  if (facts.desired == nullptr || cause_of(facts) != ports::DriftCause::live) return corrections;
  for (const auto& action : facts.plan.actions) {
    if (action.kind != diff::ObjectKind::service || action.verb != diff::Verb::update ||
        !action.gives_up.empty())
      continue;
    const auto* found = live.find_service(action.name);
    const auto wanted = facts.plan.desired.services.find(action.key);
    if (found == nullptr || wanted == facts.plan.desired.services.end()) continue;
    // In the form in which the plan compares them: what is only spelt differently, such as the id
    // of a predefined network, is no correction.
    const auto sides = diff::comparable(wanted->second.spec, *found, live, "");
    corrections[action.key] = differing_places(sides.desired, sides.live);
  }
  return corrections;
}

bool removes_something(const diff::Plan& plan) {
  return std::any_of(plan.actions.begin(), plan.actions.end(), [](const diff::Action& action) {
    return action.verb == diff::Verb::remove || action.verb == diff::Verb::replace;
  });
}

/// What a stack has, by id, and what its services are; not versions, which the engine moves by
/// itself.
std::map<swarm::ObjectId, swarm::ServiceSpec> objects_of(
    const std::map<std::string, swarm::LiveStack>& stacks, const std::string& name) {
  std::map<swarm::ObjectId, swarm::ServiceSpec> objects;
  const auto stack = stacks.find(name);
  if (stack == stacks.end()) return objects;
  for (const auto* service : stack->second.services) objects[service->id] = service->spec;
  for (const auto* network : stack->second.networks) objects[network->id] = {};
  for (const auto* config : stack->second.configs) objects[config->id] = {};
  for (const auto* secret : stack->second.secrets) objects[secret->id] = {};
  return objects;
}

/// Right after its services went, a network (or what was mounted) is still in use by tasks that
/// shut down (rule D7.5): not yet a failure.
bool still_in_use(const ActionResult& result) {
  if (result.error && result.action.kind == diff::ObjectKind::service &&
      result.action.verb != diff::Verb::remove)
    return waits_for_port(*result.error);
  const bool goes =  // A network is replaced by removing it first.
      result.action.verb == diff::Verb::remove || result.action.verb == diff::Verb::replace;
  return result.error && goes && result.action.kind != diff::ObjectKind::service &&
         (result.error->kind == ErrorKind::unavailable ||
          result.error->kind == ErrorKind::invalid_input);
}

}  // namespace

using ports::Health;

Result<std::set<std::string>> Reconciler::changed_meanwhile(const Work& work,
                                                            const swarm::LiveState& live,
                                                            std::stop_token stop) {
  std::set<std::string> removing;
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    const auto verdict = work.decisions[i].verdict;
    if (verdict == Verdict::forget ||
        (verdict == Verdict::apply && removes_something(work.facts[i].plan)))
      removing.insert(work.facts[i].name);
  }
  if (removing.empty()) return removing;
  const auto info = engine_.info(stop);
  if (!info) return Error(info.error()).within("probe before a removal");
  if (!info->swarm_active || !info->manager) {
    return Error{ErrorKind::unavailable,
                 "this engine is not (or no longer) a swarm manager; nothing is removed"};
  }
  auto again = engine_.observe(stop);
  if (!again) return Error(again.error()).within("second look before a removal");
  (void)split_hooks(*again);  // As those of `live` were.
  const auto before = swarm::stacks_of(live);
  const auto after = swarm::stacks_of(*again);
  std::erase_if(removing, [&](const std::string& name) {
    return objects_of(before, name) == objects_of(after, name);
  });
  return removing;
}

Result<void> Reconciler::carry_out(const repository::DesiredState& desired,
                                   const swarm::LiveState& live,
                                   State& state,
                                   Work& work,
                                   Turn& turn,
                                   std::stop_token stop) {
  const auto changed = changed_meanwhile(work, live, stop);
  if (!changed) return changed.error();
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    if (!changed->contains(work.facts[i].name)) continue;
    work.decisions[i] = {Verdict::wait,
                         "it changed while it was looked at, and something of it is to be removed: "
                         "looked at again"};
    turn.retry_by(clock_.steady() + kAfterAChange);
  }
  // What is ours is written down before the first write to it: killed in between, the next run
  // knows.
  auto next = state;
  std::map<std::string, std::string> forgotten;  // Name → full name, which the record tells.
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    const auto& facts = work.facts[i];
    const auto verdict = work.decisions[i].verdict;
    if (verdict == Verdict::forget) {
      if (memory_[facts.name].operation) finish_operation(facts, true, "", "");
      forgotten[facts.name] = full_name(facts);
      next.stacks.erase(facts.name);
      next.approvals.erase(facts.name);
      continue;
    }
    auto& memory = memory_[facts.name];
    if (const auto known = next.stacks.find(facts.name);
        known != next.stacks.end() && facts.desired != nullptr && !memory.failed_content.empty() &&
        memory.failed_content == facts.desired->content && !facts.rollback &&
        known->second.quarantined != memory.failed_content) {
      known->second.quarantined = memory.failed_content;
      known->second.quarantine_deadlines = facts.desired->deadlines;
      known->second.quarantine_reason = memory.failure.substr(0, kLongestReason);
      log_.warn(logfmt("rollout failed; it is not tried again by itself",
                       {{"stack", facts.name}, {"revision", known->second.applied}}));
      turn.wrote = true;
      work.decisions[i] = {Verdict::wait, "rollout failed: " + memory.failure};
      continue;
    }
    if (facts.rollback) {  // What git wants, and what came of it, stays written down.
      note_way_back(facts, next);
      continue;
    }
    if (facts.kept) continue;  // What was written down last is what it is healed to.
    if (const auto known = next.stacks.find(facts.name); known != next.stacks.end()) {
      if (facts.desired != nullptr) {
        known->second.leaving_since.reset();
      } else if (!known->second.leaving_since && options_.prune_grace.count() > 0) {
        known->second.leaving_since = clock_.now();
      }
      known->second.removal_held = work.removal_held.count(facts.name) != 0;
    }
    const bool ours =
        facts.record != nullptr || verdict == Verdict::adopt || verdict == Verdict::apply;
    const bool concerned =
        verdict == Verdict::adopt || verdict == Verdict::apply || verdict == Verdict::nothing;
    if (facts.desired == nullptr || !ours || !concerned) continue;
    next.damaged.erase(facts.name);
    auto& record = next.stacks[facts.name];
    record.path = facts.desired->source.directory.text();
    record.ejected = false;
    const auto way = older_revisions_.extract(facts.name);  // It ends here, whatever comes of this.
    const bool tried_before = !std::exchange(record.quarantined, "").empty();
    record.quarantine_deadlines.clear();
    record.quarantine_reason.clear();
    record.rollback_to.clear();
    if (verdict == Verdict::apply && (record.content != facts.desired->content || tried_before ||
                                      memory.requested || memory.approved)) {
      memory.begun = facts.desired->content;
      record.earlier_rollbacks = rollbacks_of(*facts.desired, live);
      memory.told_rollback.clear();
    }
    if (verdict == Verdict::apply) {  // An agent that takes over must not blame the content either.
      record.earlier_rollbacks.insert(memory.excused_updates.begin(), memory.excused_updates.end());
    }
    if (record.content != facts.desired->content) {
      memory.replaced_revision = way && way.mapped().stack ? way.mapped().commit : record.applied;
      record.content = facts.desired->content;
      record.applied = desired.revision.commit;
    }
    if (facts.hooks.pre_completed) record.pre_hooks = record.content;
    if (facts.hooks.post_completed) {
      record.post_hooks = record.content;
      record.hook_failure = facts.hooks.post_failure.substr(0, kLongestReason);
    }
    if (facts.record == nullptr) {  // Jobs that were here before are not run again.
      for (const auto& [key, hash] : facts.desired->jobs) {
        if (live.find_service(facts.desired->spec.services.at(key).spec.name) != nullptr)
          record.jobs[key] = hash;
      }
    }
    if (verdict == Verdict::apply) continue;
    record.jobs = facts.desired->jobs;
    next.approvals.erase(facts.name);
    auto digests = digests_of(facts.desired->spec, live);
    if (facts.health == Health::healthy) {
      record.digests = std::move(digests);
      if (record.healthy_content != record.content) record.earlier_healthy = record.healthy;
      record.healthy = record.applied;
      record.healthy_content = record.content;
    } else {  // Those of the last healthy revision may be needed yet.
      for (auto& [image, digest] : digests) record.digests[image] = std::move(digest);
    }
  }
  auto written = store_.write(next, live, stop);
  if (!written && written.error().kind == ErrorKind::conflict) {
    // Somebody else wrote it: look again, but do not race with one who does so all the time.
    if (contested_) {
      turn.retry_by(clock_.steady() + kBetweenRivals);
    }
    turn.wrote = !contested_;
    return {};
  }
  if (!written) {
    observer_.state_lost();
    return std::move(written).error();
  }
  state = std::move(next);
  last_state_ = state;
  for (std::size_t i = 0; i < work.facts.size(); ++i) {
    auto& facts = work.facts[i];
    facts.look_up(state);
    if (!facts.hooks.given_up.empty()) {
      if (facts.hooks.runs_again) {
        const auto* what = "swarm runs a hook again that had completed: its job is removed";
        log_.warn(logfmt(what, {{"stack", facts.name}}));
        observer_.noted({full_name(facts), "hook", what});
      }
      const auto removed = engine_.remove_service(facts.hooks.given_up, stop);
      observer_.wrote({diff::ObjectKind::service, diff::Verb::remove, removed.has_value()});
      turn.wrote = true;
    }
    if (facts.quarantined()) memory_[facts.name].failed_content.clear();  // Written down.
    if (work.decisions[i].verdict == Verdict::adopt) {
      log_.info(logfmt("stack adopted as it runs", {{"stack", facts.name}}));
      observer_.noted({full_name(facts), "adopted", "runs as git says; it is ours from now on"});
      memory_[facts.name].approved = false;
    }
    const auto verdict = work.decisions[i].verdict;
    if (verdict == Verdict::nothing || verdict == Verdict::adopt) check_out(facts, false);
    if (verdict == Verdict::nothing) memory_[facts.name].requested = false;
    if (work.decisions[i].verdict == Verdict::forget)
      forget_stack(facts.name, forgotten[facts.name], work.decisions[i].message);
    if (verdict != Verdict::apply || stop.stop_requested()) continue;
    overtake(facts);
    const auto& memory = memory_[facts.name];
    const auto failures = memory.failures;
    if (check_out(facts, true)) apply_stack(facts, live, turn, stop);
    // It failed, and waits for the next attempt.
    if (memory.failures > failures && !memory.operation)
      work.decisions[i] = {Verdict::wait, memory.error};
  }
  return {};
}

bool Reconciler::check_out(const StackFacts& facts, bool needed) {
  const auto* target = facts.desired == nullptr ? nullptr : facts.target();
  if (target == nullptr || target->checkout.empty()) return true;
  auto& memory = memory_[facts.name];
  if (memory.checked_out == target->content) return true;
  auto written = options_.checkout != nullptr
                     ? options_.checkout->write(facts.name, target->checkout)
                     : Error{ErrorKind::unavailable, "there is no checkout to write files to"};
  if (written) {
    memory.checked_out = target->content;
    memory.checkout_failure.clear();
    if (*written > 0) {
      log_.info(
          logfmt("files of the checkout written", {{"stack", facts.name}, {"files", *written}}));
    }
    return true;
  }
  const auto& error = written.error();
  if (memory.checkout_failure != error.message) {
    log_.error(
        logfmt("files cannot be checked out", {{"stack", facts.name}, {"error", error.message}}));
    memory.checkout_failure = error.message;
  }
  if (needed) {
    if (!memory.operation) begin_operation(facts, trigger_of(facts, memory));
    fail(memory, error);
    finish_operation(facts, false, "apply", error.message);
    memory.requested = false;
  }
  return false;
}

void Reconciler::apply_stack(StackFacts& facts,
                             const swarm::LiveState& live,
                             Turn& turn,
                             std::stop_token stop) {
  if (step_hooks(facts, live, turn, stop)) return;
  free_networks(facts, turn, stop);
  auto& memory = memory_[facts.name];
  const auto now = clock_.steady();
  const bool overdue =
      facts.desired != nullptr && memory.overdue_content == facts.target()->content;
  ApplyOptions options;
  std::set<std::string> completed;
  for (const auto& service : facts.services) {
    if (service.completed) completed.insert(service.name);
  }
  options.postponed = postponed_services(facts.plan, live, overdue, memory.awaited, completed);
  memory.waits.clear();
  if (!options.postponed.empty()) {
    const auto& [name, lacks] = *options.postponed.begin();
    memory.waits = name + " waits: " + lacks;
  }
  options.removals =
      facts.desired == nullptr || (facts.plan.only_removals() && facts.health == Health::healthy);
  const auto corrections = corrections_of(facts, live);
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
    if (!done.error) note_credentials(facts, done.action, stop);
    if (const auto at = corrections.find(done.action.key); !done.error && at != corrections.end()) {
      for (const auto& path : at->second) memory.contention.corrected(at->first, path, now);
    }
  }
  const bool wrote = result.writes() > 0;
  // Started again in the middle of a deployment, there may be nothing to write before what runs
  // already is healthy: that is followed all the same.
  const bool waits = !options.postponed.empty() && !overdue;
  const auto* failure = result.first_error();
  const bool failed = failure != nullptr && is_failure(memory, *failure);
  if (!memory.operation && (wrote || waits || failed))
    begin_operation(facts, trigger_of(facts, memory));
  if (memory.operation) record_results(*memory.operation, result);
  if (wrote) {
    turn.wrote = true;
    log_.info(logfmt(
        "stack changed",
        {{"stack", facts.name}, {"writes", result.writes()}, {"plan", diff::summary(facts.plan)}}));
    memory.operation->progressed = now;
    memory.operation->last_write = clock_.now();
  }
  const bool shutting_down =
      std::any_of(result.results.begin(), result.results.end(), still_in_use);
  // That ends by itself, but for a container that a person attached.
  const auto patience = facts.desired != nullptr ? facts.desired->source.settings.policy.timeout
                                                 : repository::StackPolicy{}.timeout;
  const bool patient =
      memory.failures == 0 && (!memory.operation || now - memory.operation->progressed <= patience);
  if (shutting_down && !overdue && patient) {
    if (!memory.operation) begin_operation(facts);
    return;
  }
  if (failure == nullptr) {
    memory.approved = false;
    memory.conflicts = 0;
  } else {
    fail(memory, *failure);
    if (failure->kind == ErrorKind::conflict && !failed) turn.wrote = true;
  }
  if (failed) {
    log_.error(
        logfmt("stack could not be changed", {{"stack", facts.name}, {"error", failure->message}}));
    finish_operation(facts, false, "apply", failure->message);
  }
  // What somebody else's write came before is looked at again at once, and still asked for.
  if (failure == nullptr || failed) memory.requested = false;
}

}  // namespace skep::reconciler
