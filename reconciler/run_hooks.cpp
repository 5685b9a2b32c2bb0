#include <algorithm>

#include "core/logfmt.hpp"
#include "reconciler/apply.hpp"
#include "reconciler/observation/hook_runs.hpp"
#include "reconciler/patience.hpp"
#include "reconciler/work.hpp"
#include "swarm/labels.hpp"

// A turn's part in running a stack's hooks: one step at a time, for a turn waits for nothing.
namespace skep::reconciler {
namespace {

using Stage = HookRun::Stage;

using namespace std::chrono_literals;

constexpr std::size_t kHookLogLines = 10;
constexpr auto kHookLogPatience = 3s;  ///< The turn waits for it, and all other stacks with it.
constexpr std::size_t kLongestTrouble = 1500;

/// Whether the swarm holds a run that no hook of this content is about.
bool is_stale(const swarm::LiveService& service, const repository::DesiredStack* desired) {
  if (desired == nullptr) return true;
  const auto content = service.spec.labels.find(std::string(swarm::kHookContentLabel));
  if (content == service.spec.labels.end() || content->second != desired->content) return true;
  return std::none_of(
      desired->hooks.begin(), desired->hooks.end(), [&](const repository::Hook& hook) {
        return hook.service.spec.name == service.spec.name;
      });
}

}  // namespace

HookRun Reconciler::look_at_run(const StackFacts& facts,
                                const repository::Hook& hook,
                                const std::vector<swarm::Task>& tasks) {
  auto run = run_of(hook, facts.desired->content, facts.hooks.services, tasks, clock_.now());
  if (run.stage != Stage::running) return run;
  // The day's clock counts only what passed before this process: it may be set meanwhile.
  const auto ran = std::clamp<std::chrono::milliseconds>(
      clock_.now() - run.started, std::chrono::milliseconds::zero(), hook.deadline);
  const auto end = memory_[facts.name].hooks_end.try_emplace(run.service->id,
                                                             clock_.steady() + hook.deadline - ran);
  if (clock_.steady() <= end.first->second) return run;
  run.stage = Stage::overdue;
  const auto why = run.trouble;
  run.trouble = "it did not end within " + std::to_string(hook.deadline.count()) + " s";
  if (!why.empty()) run.trouble += " (" + why + ")";
  for (const auto& task : tasks) {
    const auto node = nodes_.find(task.node_id);
    if (task.service_id == run.service->id && node != nodes_.end() && node->second.state == "down")
      run.trouble += "; its node " + node->second.hostname + " is down";
  }
  return run;
}

void Reconciler::look_at_hooks(StackFacts& facts, const std::vector<swarm::Task>& tasks) {
  const auto* desired = facts.desired;
  if (desired == nullptr || desired->broken() || facts.rollback || facts.kept ||
      desired->hooks.empty())
    return;
  std::erase_if(memory_[facts.name].hooks_end, [&](const auto& entry) {
    const auto& jobs = facts.hooks.services;
    return std::none_of(
        jobs.begin(), jobs.end(), [&](const auto& job) { return job.id == entry.first; });
  });
  if (facts.quarantined() && !memory_[facts.name].requested) {
    // It is given up; its run goes even where whoever gave it up was killed before it did.
    for (const auto& hook : desired->hooks) {
      const auto run = look_at_run(facts, hook, tasks);
      if (run.stage == Stage::overdue) facts.hooks.given_up = run.service->id;
    }
    return;
  }
  const auto& content = desired->content;
  const bool adopted = facts.record == nullptr && facts.live_there && facts.plan.empty();
  const std::string pre_done = facts.record == nullptr ? "" : facts.record->pre_hooks;
  const std::string post_done = facts.record == nullptr ? "" : facts.record->post_hooks;
  if (adopted) {  // It runs already: nothing is deployed that hooks could be about.
    facts.hooks.pre_completed = facts.hooks.post_completed = true;
    return;
  }
  // An engine that was the leader before may start a completed job again, and for ever (seen).
  for (const auto& hook : desired->hooks) {
    const bool pre = hook.phase == repository::HookPhase::pre_deploy;
    if ((pre ? pre_done : post_done) != content) continue;
    const auto run = run_of(hook, content, facts.hooks.services, tasks, clock_.now());
    if (run.service == nullptr || run.service->running_tasks == 0) continue;
    facts.hooks.given_up = run.service->id;
    facts.hooks.runs_again = true;
  }
  const auto first_due = [&](repository::HookPhase phase) {
    for (const auto& hook : desired->hooks) {
      if (hook.phase != phase) continue;
      auto run = look_at_run(facts, hook, tasks);
      if (run.stage == Stage::completed) continue;
      facts.hooks.due = &hook;
      facts.hooks.run = std::move(run);
      return true;
    }
    return false;
  };
  if (pre_done != content) {
    if (first_due(repository::HookPhase::pre_deploy)) return;
    facts.hooks.pre_completed = true;
  }
  const bool arrived = facts.record != nullptr && facts.record->content == content &&
                       facts.plan.empty() && facts.health == ports::Health::healthy;
  if (!arrived || post_done == content) return;
  if (!first_due(repository::HookPhase::post_deploy)) facts.hooks.post_completed = true;
}

std::string Reconciler::trouble_of_hook(const StackFacts& facts, std::stop_token stop) {
  const auto& run = facts.hooks.run;
  auto trouble = std::string(to_string(facts.hooks.due->phase)) + " hook " + facts.hooks.due->key +
                 " failed: " + (run.trouble.empty() ? "its task failed" : run.trouble);
  const Patience patience(clock_, kHookLogPatience, std::move(stop));
  auto lines = engine_.log_tail(run.service->spec.name, kHookLogLines, patience.token());
  // The engine's words on a node that it cannot ask are not the hook's.
  if (lines) {
    std::erase_if(*lines,
                  [](const std::string& line) { return line.starts_with("Error grabbing logs:"); });
  }
  if (lines && !lines->empty()) {
    trouble += "; its log ends:";
    for (const auto& line : *lines) trouble += " | " + line;
  }
  mask(trouble);
  if (trouble.size() > kLongestTrouble) trouble.resize(kLongestTrouble);
  return trouble;
}

void Reconciler::follow_hook(StackFacts& facts, Decision& decision, std::stop_token stop) {
  auto& memory = memory_[facts.name];
  const auto* hook = facts.hooks.due;
  if (hook == nullptr || decision.verdict != Verdict::apply || options_.plan_only) return;
  if (memory.operation) memory.operation->progressed = clock_.steady();  // It has its own deadline.
  const bool failed =
      facts.hooks.run.stage == Stage::failed || facts.hooks.run.stage == Stage::overdue;
  if (!failed) return;
  const auto& id = facts.hooks.run.service->id;
  // Said before: it is run again, for a person or `keep` says so.
  if (memory.failed_hook == id || facts.quarantined()) return;
  memory.failed_hook = id;
  memory.requested = false;
  if (facts.hooks.run.stage == Stage::overdue) facts.hooks.given_up = id;
  const auto trouble = trouble_of_hook(facts, std::move(stop));
  finish_operation(facts, false, "hook", trouble);
  fail(memory, {ErrorKind::invalid_input, trouble});
  log_.error(logfmt("hook failed", {{"stack", facts.name}, {"trouble", trouble}}));
  if (hook->phase == repository::HookPhase::post_deploy) {
    // The stack itself is well; whatever the hook was for must be looked after by a person.
    facts.hooks.post_failure = trouble;
    facts.hooks.post_completed = true;
    memory.failures = 0;
    memory.error.clear();
    decision = {Verdict::nothing, trouble};
    return;
  }
  decision = {Verdict::wait, trouble};
  if (facts.desired->source.settings.policy.on_failure == repository::OnFailure::keep) return;
  memory.failed_content = facts.desired->content;
  memory.failure = trouble;
  memory.failures = 0;
}

void Reconciler::free_networks(const StackFacts& facts, Turn& turn, std::stop_token stop) {
  const auto is_replaced = [&](const swarm::NetworkAttachment& attachment) {
    return std::any_of(
        facts.plan.actions.begin(), facts.plan.actions.end(), [&](const diff::Action& action) {
          return action.kind == diff::ObjectKind::network && action.verb == diff::Verb::replace &&
                 action.name == attachment.target;  // Not an id in a reading of the swarm.
        });
  };
  for (const auto& job : facts.hooks.services) {
    const auto& networks = job.spec.task_template.networks;
    if (std::none_of(networks.begin(), networks.end(), is_replaced)) continue;
    const auto removed = engine_.remove_service(job.id, stop);
    observer_.wrote({diff::ObjectKind::service, diff::Verb::remove, removed.has_value()});
    turn.wrote = turn.wrote || removed.has_value();
  }
}

bool Reconciler::step_hooks(StackFacts& facts,
                            const swarm::LiveState& live,
                            Turn& turn,
                            std::stop_token stop) {
  auto& memory = memory_[facts.name];
  const auto* hook = facts.hooks.due;
  const auto stage = facts.hooks.run.stage;
  const auto remove = [&](const swarm::LiveService& service) {
    const auto removed = engine_.remove_service(service.id, stop);
    observer_.wrote({diff::ObjectKind::service, diff::Verb::remove, removed.has_value()});
    if (!removed) fail(memory, removed.error());
    turn.wrote = turn.wrote || removed.has_value();
  };
  // An older revision that it goes back to may have as a service what is a hook now.
  const auto holds_place = [&](const swarm::LiveService& job) {
    if (!facts.rollback) return false;
    const auto& services = facts.rollback->spec.services;
    return std::any_of(services.begin(), services.end(), [&](const auto& entry) {
      return entry.second.spec.name == job.spec.name;
    });
  };
  bool in_the_way = false;
  for (const auto& service : facts.hooks.services) {
    const bool own = hook != nullptr && facts.hooks.run.service != nullptr &&
                     facts.hooks.run.service->id == service.id;
    const bool again =
        own && (stage == Stage::other || stage == Stage::failed || stage == Stage::overdue);
    if (!again && !is_stale(service, facts.desired) && !holds_place(service)) continue;
    remove(service);
    in_the_way = true;
  }
  if (hook == nullptr) return in_the_way;
  if (!memory.operation) begin_operation(facts, trigger_of(facts, memory));
  memory.operation->progressed = clock_.steady();
  memory.approved = false;
  if (in_the_way || stage == Stage::running) return true;

  repository::DesiredStack only = *facts.desired;
  only.spec.services = {{hook->key, hook->service}};
  mark_hook(
      only.spec.services.at(hook->key).spec, hook->phase, facts.desired->content, clock_.now());
  only.source.settings.policy.prune = false;  // This plan is about one service only.
  // What ran as a service under that name is no service any more: it goes anyway, and now.
  only.source.settings.policy.allow_replace =
      only.source.settings.policy.allow_replace ||
      std::any_of(
          facts.plan.actions.begin(), facts.plan.actions.end(), [&](const diff::Action& action) {
            return action.kind == diff::ObjectKind::service && action.verb == diff::Verb::remove &&
                   action.name == hook->service.spec.name;
          });
  // A network that changes takes all services with it: that is for the deployment, after the hook.
  for (auto& [key, network] : only.spec.networks) {
    if (const auto* there = live.find_network(network.name)) network = there->spec;
  }
  const diff::LiveIndex index(live);
  const auto planned = planner_.plan(only, index, facts.record, stop);
  if (planned.waiting_for_registry) return true;
  const auto give_up = [&] {
    log_.error(logfmt("hook could not be started",
                      {{"stack", facts.name}, {"service", hook->key}, {"error", memory.error}}));
    finish_operation(facts, false, "hook", memory.error);
  };
  if (planned.plan.blocked()) {
    const auto& notes = planned.plan.notes;
    const auto why = std::find_if(notes.begin(), notes.end(), [](const diff::Note& note) {
      return note.severity == diff::Note::Severity::blocked;
    });
    fail(memory, {ErrorKind::invalid_input, why->text});
    give_up();
    return true;
  }
  const auto result = apply(
      planned.plan, live, {}, engine_, observer_, [](const diff::Action&) {}, stop);
  record_results(*memory.operation, result);
  if (result.writes() > 0) {
    turn.wrote = true;
    log_.info(logfmt("hook started",
                     {{"stack", facts.name},
                      {"phase", std::string(to_string(hook->phase))},
                      {"service", hook->key}}));
  }
  if (const auto* error = result.first_error()) {
    const bool failed = is_failure(memory, *error);
    fail(memory, *error);
    if (failed) give_up();
    if (error->kind == ErrorKind::conflict && !failed) turn.wrote = true;
  }
  return true;
}

}  // namespace skep::reconciler
