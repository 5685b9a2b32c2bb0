#include <algorithm>
#include <utility>

#include "core/logfmt.hpp"
#include "diff/normalise.hpp"
#include "reconciler/access/access_breaches.hpp"
#include "reconciler/jobs.hpp"
#include "reconciler/observation/health.hpp"
#include "reconciler/redaction.hpp"
#include "reconciler/stuck_rollout.hpp"
#include "reconciler/work.hpp"
#include "repository/ignore.hpp"
#include "swarm/labels.hpp"

// What is known of each stack in a turn: what differs, how it stands, and what was decided before.
namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;
using ports::Health;

constexpr auto kRolloutShows =
    3s;  ///< How long the engine may take to say that an accepted update has begun.

std::string foreign_instance(const swarm::LiveStack& live, const std::string& own) {
  for (const auto* service : live.services) {
    const auto instance = label_of(service->spec.labels, swarm::kInstanceLabel);
    if (!instance.empty() && instance != own) return instance;
  }
  return "";
}

/// Whether the engine goes back by itself from what git wants.
bool may_roll_back(const StackFacts& facts, const std::string& service) {
  if (facts.desired == nullptr || facts.desired->broken()) return true;
  for (const auto& [key, wanted] : facts.desired->spec.services) {
    if (wanted.spec.name != service) continue;
    const auto& update = wanted.spec.update_config;
    return update && update->failure_action == "rollback";
  }
  return true;
}

/// The data of a secret has no place in the content of a stack: nobody can tell who changed it.
bool makes_secrets(const diff::Plan& plan) {
  return std::any_of(plan.actions.begin(), plan.actions.end(), [](const diff::Action& action) {
    return action.kind == diff::ObjectKind::secret && action.verb != diff::Verb::remove;
  });
}

/// Whether its tasks are worth a look: it is not as it should be, or was not a while ago.
bool is_restless(const swarm::LiveService& service, StackMemory& memory, SteadyTime now) {
  constexpr auto kCalm = std::chrono::minutes(3);
  const auto& name = service.spec.name;
  if (needs_tasks(service)) memory.restless[name] = now;
  const auto last = memory.restless.find(name);
  if (last == memory.restless.end()) return false;
  if (now - last->second <= kCalm) return true;
  memory.restless.erase(last);
  return false;
}

}  // namespace

void Reconciler::gather(const repository::DesiredState& desired,
                        const diff::LiveIndex& index,
                        const State& state,
                        Work& work,
                        std::stop_token stop) {
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
    if (in_git.count(name) != 0 || broken_directories.count(record.path) != 0 || !wanted(name))
      continue;
    StackFacts facts;
    facts.name = name;
    work.facts.push_back(std::move(facts));
  }

  ++turns_;
  std::vector<swarm::ObjectId> unsettled;
  for (auto& facts : work.facts) {
    auto& memory = memory_[facts.name];
    const bool has = facts.desired != nullptr;
    if (memory.in_git != has) memory.moved_at = turns_;
    memory.in_git = has;
    facts.look_up(state);
    if (options_.respect_windows) {
      const auto& policy = facts.desired != nullptr ? facts.desired->source.settings.policy
                                                    : desired.cluster.defaults;
      facts.closed = repository::closed_at(policy.windows, clock_.now());
    }
    const auto& stack = index.stack(facts.name);
    // A network or config that an earlier life left behind runs nothing that could be hurt.
    facts.live_there = !stack.services.empty();
    facts.foreign_instance = foreign_instance(stack, options_.instance);
    // `docker stack deploy` takes our marks off; whose the stack is, the records still say.
    const bool marked = std::any_of(
        stack.services.begin(), stack.services.end(), [](const swarm::LiveService* service) {
          return service->spec.labels.contains(std::string(swarm::kInstanceLabel));
        });
    if (!marked && facts.record == nullptr)
      facts.foreign_instance = store_.other_owner(index.state(), facts.name);
    for (const auto* service : stack.services) {
      if (is_restless(*service, memory, clock_.steady())) unsettled.push_back(service->id);
    }
    for (const auto& service : work.hooks) {
      if (label_of(service.spec.labels, swarm::kStackLabel) != facts.name) continue;
      unsettled.push_back(service.id);
      facts.hooks.services.push_back(service);
    }
    const auto approval = state.approvals.find(facts.name);
    const auto content = facts.desired == nullptr ? std::string(kGone) : facts.desired->content;
    // What a person let through or asked for was the content that stood there then.
    if (memory.approved_for != content) memory.approved = false;
    if (memory.requested_for != content) memory.requested = false;
    if (approval != state.approvals.end() && approval->second == content) {
      memory.approved = true;
      memory.approved_for = content;
    }
    if (facts.desired != nullptr) memory.leaves_at.reset();
    // Of a stack that cannot be rendered nobody knows its secrets.
    const bool rendered = facts.desired != nullptr && !facts.desired->broken();
    const bool new_secrets =
        rendered && !memory.secrets.empty() && memory.secrets != facts.desired->secrets;
    if (rendered) memory.secrets = facts.desired->secrets;
    memory.secrets_moved = memory.secrets_moved || new_secrets;
    facts.secrets_moved = memory.secrets_moved;
    const bool new_deadlines = rendered && memory.deadlines != facts.desired->deadlines;
    if (rendered) memory.deadlines = facts.desired->deadlines;
    if (memory.content != content || new_secrets || new_deadlines) {  // A commit starts afresh.
      if (!memory.content.empty()) {
        memory.failures = memory.conflicts = 0;
        memory.error.clear();
        planner_.ask_registries_again();  // What was not there may have been pushed.
        if (memory.operation) memory.operation->progressed = clock_.steady();
      }
      memory.contention.reset();
      memory.excused_updates.clear();
      memory.told_rollback.clear();
      memory.failed_content.clear();
      memory.content = content;
    }
    // Which directories hold stacks is not known either, where skep.yaml cannot be read: what is
    // ours is shown as unknown, and no removal of it is even planned.
    if (facts.desired != nullptr || !desired.broken()) plan_stack(facts, index, stop);
    spare_what_is_ours(desired, facts.plan);
    if (!rendered) continue;
    // A deployment that never got healthy, seen for the first time: whoever began it was killed.
    if (!memory.seen && facts.record != nullptr && facts.record->content == content &&
        facts.record->healthy_content != content)
      memory.begun = content;
    // Nor does it know which secrets its predecessor last saw in git.
    if (!memory.seen && facts.record != nullptr && facts.record->content == content &&
        !facts.quarantined() && !facts.desired->secrets.empty() && makes_secrets(facts.plan))
      memory.secrets_moved = facts.secrets_moved = true;
    if (facts.plan.empty() && !facts.waiting_for_registry) memory.begun.clear();
    facts.begun = memory.begun == content;
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
    report_failures(facts, index.stack(facts.name), tasks);
    look_at_hooks(facts, tasks);
    auto decision = decide(facts, memory_[facts.name], now);
    if (decision.verdict == Verdict::apply && !facts.begun && !facts.old_answers.empty()) {
      planner_.ask_anew(facts.old_answers);
      facts.waiting_for_registry = true;
      decision = {Verdict::wait, "asking the registry for the image's digest"};
    }
    if (const auto what = facts.desired == nullptr && facts.record != nullptr
                              ? desired.obstructed.find(facts.record->path)
                              : desired.obstructed.end();
        what != desired.obstructed.end()) {
      decision = {Verdict::broken,
                  what->first + " is " + what->second +
                      " now and no directory; the stack is left as it is. Make it a directory "
                      "again, or remove it to remove the stack"};
    }
    if (desired.broken())
      decision = {Verdict::broken,
                  "the repository has mistakes; nothing is changed until they are mended: " +
                      to_string(to_error(desired.findings))};
    work.decisions.push_back(std::move(decision));
  }
}

const Reconciler::OlderRevision& Reconciler::older_revision(const std::string& stack,
                                                            const std::string& commit) {
  auto& older = older_revisions_[stack];
  if (older.commit == commit) return older;
  older = {commit, nullptr, ""};
  auto found = options_.revision(commit, stack);
  if (found) {
    older.stack = *std::move(found);
  } else {
    older.error = found.error().message;
    log_.error(logfmt("an older revision is not to be had",
                      {{"stack", stack}, {"revision", commit}, {"error", older.error}}));
  }
  return older;
}

void Reconciler::find_way_back(StackFacts& facts) {
  const auto& commit = facts.way_back();
  if (commit.empty()) {
    facts.no_rollback = "it was never healthy before";
    return;
  }
  if (!options_.revision) {
    facts.no_rollback = "no older revision can be read here";
    return;
  }
  const auto& way = older_revision(facts.name, commit);
  if (!way.stack) {
    facts.no_rollback = "the revision " + commit.substr(0, 12) + " is not to be had: " + way.error;
    return;
  }
  auto target = std::make_shared<repository::DesiredStack>(*way.stack);
  target->source = facts.desired->source;  // What it runs is old; how it is looked after is not.
  facts.rollback = std::move(target);
}

std::shared_ptr<const repository::DesiredStack> Reconciler::kept_by_window(
    const StackFacts& facts) {
  const auto* record = facts.record;
  const auto& memory = memory_[facts.name];
  const auto& policy = facts.desired->source.settings.policy;
  const bool waits = facts.closed && record != nullptr && !record->ejected &&
                     record->quarantined.empty() && record->content != facts.desired->content &&
                     policy.sync == repository::SyncMode::automatic && !memory.approved &&
                     !memory.requested && memory.begun != facts.desired->content;
  if (!waits || !options_.revision) return nullptr;
  const auto& older = older_revision(facts.name, record->applied);
  if (!older.stack || older.stack->content != record->content) return nullptr;
  auto kept = std::make_shared<repository::DesiredStack>(*older.stack);
  kept->source = facts.desired->source;
  return kept;
}

Planner::Planned Reconciler::plan_towards(const repository::DesiredStack& target,
                                          StackFacts& facts,
                                          const diff::LiveIndex& index,
                                          std::stop_token stop) {
  std::shared_ptr<repository::DesiredStack> adjusted;
  // Returns whether it made a difference.
  const auto carry = [&](const std::string& key, const repository::ServicePointer& path) {
    const auto service = target.spec.services.find(key);
    if (service == target.spec.services.end()) return false;
    const auto* live = index.state().find_service(service->second.spec.name);
    if (live == nullptr) return false;
    if (!adjusted) adjusted = std::make_shared<repository::DesiredStack>(target);
    auto& spec = adjusted->spec.services.at(key).spec;
    const auto before = diff::canonical(spec);
    repository::carry_live(spec, live->spec, path);
    return diff::canonical(spec) != before;
  };
  facts.contended.clear();
  facts.contended_until.reset();
  facts.left_alone.clear();
  for (const auto& rule : target.source.settings.ignore) carry(rule.service, rule.path);
  const auto now = clock_.steady();
  const auto fields = memory_[facts.name].contention.contended(now);
  if (fields.empty())
    return planner_.plan(adjusted ? *adjusted : target, index, facts.record, std::move(stop));
  const auto wanted = adjusted ? *adjusted : target;
  std::set<std::string> services;
  for (const auto& [key, path, until] : fields) {
    if (!carry(key, path)) continue;
    facts.contended.push_back(key + ": " + to_text(path));
    services.insert(key);
    const auto then =
        clock_.now() + std::chrono::duration_cast<std::chrono::milliseconds>(until - now);
    facts.contended_until = std::min(facts.contended_until.value_or(then), then);
  }
  if (!services.empty()) {
    auto whole = planner_.plan(wanted, index, facts.record, stop).plan;
    hide_secrets(whole, options_.mask);
    for (auto& action : whole.actions) {
      if (action.kind == diff::ObjectKind::service && services.contains(action.key))
        facts.left_alone.push_back(std::move(action));
    }
  }
  return planner_.plan(adjusted ? *adjusted : target, index, facts.record, std::move(stop));
}

void Reconciler::plan_stack(StackFacts& facts, const diff::LiveIndex& index, std::stop_token stop) {
  if (facts.desired == nullptr) {
    facts.plan = planner_.plan_removal(facts.name, index);
    return;
  }
  if (facts.desired->broken()) return;
  auto& memory = memory_[facts.name];
  const auto& settings = facts.desired->source.settings;
  if (facts.quarantined() && !memory.requested &&
      (!facts.record->rollback_to.empty() ||
       (settings.policy.on_failure == repository::OnFailure::rollback &&
        settings.policy.sync == repository::SyncMode::automatic)))
    find_way_back(facts);
  Planner::Planned planned;
  if (auto kept = kept_by_window(facts)) {
    planned = plan_towards(*kept, facts, index, stop);
    const bool edited = !planned.plan.empty() && !planned.plan.blocked() &&
                        !planned.plan.only_collects_generations() && !planned.tag_moved;
    const bool heals = memory.operation && memory.operation->content == kept->content;
    if (edited || heals) facts.kept = std::move(kept);
  }
  if (!facts.kept) planned = plan_towards(*facts.target(), facts, index, stop);
  facts.plan = std::move(planned.plan);
  if (const auto& other = facts.target()->with_other_stand_ins)
    hide_unknown(facts.plan, planner_.plan(*other, index, facts.record, stop).plan);
  hide_secrets(facts.plan, options_.mask);
  send_stuck_again(facts, index, stop);
  police(facts);
  // A job of an older revision is not run once more.
  leave_jobs_alone(facts.plan, facts.target()->jobs, facts.rollback ? nullptr : facts.record);
  facts.waiting_for_registry = planned.waiting_for_registry;
  facts.tag_moved = planned.tag_moved;
  facts.old_answers = std::move(planned.old_answers);
}

void Reconciler::police(StackFacts& facts) {
  if (!options_.access || (facts.plan.empty() && facts.desired->hooks.empty())) return;
  // Not its directory: a repository may be one of several below `--path`, and rules do not change
  // with that.
  const auto& source = facts.desired->source;
  const auto profile =
      options_.access->profile(source.group + "/" + std::string(source.directory.name()));
  std::set<std::string> own_networks;
  for (const auto& [key, network] : facts.target()->spec.networks)
    own_networks.insert(network.name);
  policed_.admit(facts.name, profile, own_networks);
  if (facts.plan.empty()) return;  // What runs already is not judged.
  auto& judged = memory_[facts.name].judged;
  const bool news = judged != facts.desired->content;
  judged = facts.desired->content;
  const auto judge = [&](const std::string& key, const swarm::DesiredService& service) {
    for (const auto& breach : breaches(service.spec, profile, own_networks)) {
      if (news) observer_.forbidden(full_name(facts), breach.rule);
      facts.plan.notes.push_back({diff::Note::Severity::blocked,
                                  "service " + key + " of " + source.directory.text() +
                                      " may not " + breach.message + "; " + breach.rule +
                                      " in the agent's policy file can allow it",
                                  service.at});
    }
  };
  for (const auto& [key, service] : facts.plan.desired.services) judge(key, service);
  for (const auto& hook : facts.desired->hooks) judge(hook.key, hook.service);
}

void Reconciler::watch_job(const StackFacts& facts, const swarm::LiveService& job, bool completed) {
  auto& done = memory_[facts.name].jobs_done;
  const auto before = done.find(job.spec.name);
  if (completed) {
    done.insert_or_assign(job.spec.name, job.spec);
  } else if (before != done.end()) {
    const bool by_its_change = before->second != job.spec;
    done.erase(before);
    if (by_its_change) return;
    const auto what = "job " + job.spec.name +
                      " had completed and runs again: swarm began it anew, or somebody sent it "
                      "once more as it was";
    log_.warn(logfmt(what, {{"stack", facts.name}}));
    observer_.noted({full_name(facts), "job", what});
  }
}

void Reconciler::assess(StackFacts& facts,
                        const swarm::LiveStack& live,
                        const std::vector<swarm::Task>& tasks) {
  auto& memory = memory_[facts.name];
  if (!memory.operation) memory.nodes_moved = nodes_moved_;
  facts.health = Health::healthy;
  std::set<std::string> present;
  memory.unpullable.clear();
  for (const auto* service : live.services) {
    std::vector<swarm::Task> own;
    std::copy_if(tasks.begin(), tasks.end(), std::back_inserter(own), [&](const swarm::Task& task) {
      return task.service_id == service->id;
    });
    // Where a rollback has arrived at what is wanted now, or was of an earlier content, or was no
    // fault of its content, it is over, though the engine goes on telling of it: only its tasks
    // count.
    const bool as_wanted = !facts.plan.touches_service(service->spec.name);
    const auto& update = service->update;
    const bool going_back = update.state.starts_with("rollback_");
    const bool of_earlier = going_back && facts.record != nullptr &&
                            facts.record->earlier_rollbacks.contains(update.started_at);
    const bool excused = going_back && !of_earlier && is_excused_rollback(facts, update);
    const bool over = of_earlier || (excused && update.state != "rollback_started") ||
                      (update.state == "rollback_completed" && as_wanted);
    if (!going_back) memory.sent_back.erase(service->spec.name);
    if (going_back && !over && by_a_person(update)) memory.sent_back.insert(service->spec.name);
    // Some engines forget in the end who wanted it.
    const bool wanted_so =
        update.state == "rollback_completed" && (memory.sent_back.contains(service->spec.name) ||
                                                 !may_roll_back(facts, service->spec.name));
    auto judged = *service;
    if (over || wanted_so) judged.update = {};
    auto health = health_of(judged, own, clock_.now());
    const auto awaited = memory.awaited.find(service->spec.name);
    if (awaited != memory.awaited.end()) {
      if (!service->update.state.empty() || clock_.steady() - awaited->second > kRolloutShows) {
        memory.awaited.erase(awaited);
      } else if (health == Health::healthy) {
        health = Health::progressing;
      }
    }
    present.insert(service->spec.name);
    if (going_back && !over) {
      const bool person = memory.sent_back.contains(service->spec.name) ||
                          !may_roll_back(facts, service->spec.name);
      if (!excused) (person ? facts.rolled_back_by_person : facts.rolled_back) = true;
      facts.rolling_back = facts.rolling_back || update.state == "rollback_started";
      facts.rollback_message = service->spec.name + ": " + update.message;
    }
    if (as_wanted && (update.state == "paused" || !failure_for_good(*service, own).empty()))
      facts.failed_for_good = true;
    if (is_unpullable(*service, own)) memory.unpullable.insert(service->spec.name);
    if (service->spec.mode.is_job()) watch_job(facts, *service, is_completed(*service, own));
    facts.health = worst(facts.health, health);
    facts.pause = std::max(facts.pause, pause_between_tasks(*service));
    facts.services.push_back(describe_service(judged, own, clock_.now()));
    auto& described = facts.services.back();
    described.update_state = update.state;
    described.sent_back_by_person = going_back && by_a_person(update);
    mask(described.trouble);
  }

  // New content has to last, whoever began it: this process, or one that was killed meanwhile.
  const bool unproven = !options_.plan_only && facts.record != nullptr &&
                        facts.desired != nullptr && !facts.rollback &&
                        facts.record->content == facts.desired->content &&
                        facts.record->healthy_content != facts.desired->content;
  if (facts.health != Health::healthy) {
    memory.up_since.reset();
  } else if (memory.operation || memory.failures > 0 || unproven) {  // It may fall over at once.
    if (!memory.up_since) memory.up_since = clock_.steady();
    if (clock_.steady() - *memory.up_since < options_.settle) facts.health = Health::progressing;
  } else {
    memory.up_since.reset();
  }

  if (facts.desired == nullptr) return;
  if (facts.desired->broken()) {  // What it should run is not known: nothing there is no health.
    if (live.services.empty()) facts.health = Health::unknown;
    return;
  }
  for (const auto& [key, service] : facts.target()->spec.services) {
    if (present.count(service.spec.name) == 0) facts.health = worst(facts.health, Health::missing);
  }
}

}  // namespace skep::reconciler
