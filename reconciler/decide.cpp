#include "reconciler/decide.hpp"

#include <algorithm>
#include <utility>

#include "diff/render.hpp"

namespace skep::reconciler {
namespace {

std::string first_error(const repository::DesiredStack& stack) {
  std::string message;
  std::size_t errors = 0;
  for (const auto& finding : stack.all_findings()) {
    if (finding.severity != Finding::Severity::error) continue;
    if (errors++ == 0) message = to_string(finding.at) + ": " + finding.message;
  }
  if (errors > 1) message += " (and " + std::to_string(errors - 1) + " more; see skep validate)";
  return message;
}

std::string blocked_by(const diff::Plan& plan) {
  for (const auto& note : plan.notes) {
    if (note.severity == diff::Note::Severity::blocked) return note.text;
  }
  return "";
}

Decision decide_leaving(const StackFacts& facts, const StackMemory& memory, SteadyTime now) {
  if (facts.plan.empty() && facts.hooks.services.empty()) return {Verdict::forget, ""};
  if (facts.closed && !memory.approved && !memory.requested) {
    return {Verdict::wait,
            "left git; its removal is " + facts.closed->reason + "; `skep sync " + facts.name +
                "` does it now"};
  }
  if (memory.failures > 0 && now < memory.retry_at) return {Verdict::wait, memory.error};
  return {Verdict::apply, "left git: is being removed, its volumes stay"};
}

/// A person sent it back: that holds whatever the settings say of failures.
bool sent_back(const StackFacts& facts) {
  return facts.quarantined() && !facts.record->rollback_to.empty();
}

/// Commits that leave the stack as it is change nothing.
std::string resumed_by(const StackFacts& facts) {
  return "; the next commit that changes it or `skep sync " + facts.name + "` resumes";
}

std::string by_person(const StackFacts& facts) {
  return "was rolled back by hand" + resumed_by(facts);
}

std::string suspended(const StackFacts& facts) {
  const auto& suspension = *facts.suspension;
  auto message = "suspended by " + suspension.actor;
  if (suspension.until) message += " until " + to_rfc3339(*suspension.until);
  if (!suspension.reason.empty()) message += ": " + suspension.reason;
  return message;
}

std::string held_by_window(const StackFacts& facts) {
  return "differs from git; " + facts.closed->reason + "; `skep sync " + facts.name +
         "` does it now";
}

/// A rollout of just this content failed: only the way back is gone by itself (trap 23).
Decision decide_quarantined(const StackFacts& facts, const StackMemory& memory, SteadyTime now) {
  const auto& record = *facts.record;
  const auto resume = resumed_by(facts);
  const auto failed =
      sent_back(facts)
          ? record.quarantine_reason
          : record.applied.substr(0, 12) + " failed" +
                (record.quarantine_reason.empty() ? "" : " (" + record.quarantine_reason + ")");
  if (facts.rolling_back) return {Verdict::wait, failed + "; swarm is rolling it back"};
  if (!facts.rollback) {
    return {Verdict::held,
            failed + "; it is left as it stands" +
                (facts.no_rollback.empty() ? "" : ", for " + facts.no_rollback) + resume};
  }
  const auto back = facts.way_back().substr(0, 12);
  if (facts.plan.empty() && !facts.waiting_for_registry)
    return {Verdict::held, "rolled back to " + back + ", for " + failed + resume};
  if (facts.plan.blocked()) return {Verdict::blocked, blocked_by(facts.plan)};
  if (facts.waiting_for_registry)
    return {Verdict::wait, "asking the registry for the image's digest"};
  if (memory.failures > 0 && now < memory.retry_at) return {Verdict::wait, memory.error};
  return {Verdict::apply, "is being rolled back to " + back + ", for " + failed};
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::nothing:
      return "nothing";
    case Verdict::apply:
      return "apply";
    case Verdict::adopt:
      return "adopt";
    case Verdict::forget:
      return "forget";
    case Verdict::wait:
      return "wait";
    case Verdict::held:
      return "held";
    case Verdict::reported:
      return "reported";
    case Verdict::suspended:
      return "suspended";
    case Verdict::broken:
      return "broken";
    case Verdict::blocked:
      break;
  }
  return "blocked";
}

void StackFacts::look_up(const State& state) {
  const auto own_record = state.stacks.find(name);
  record = own_record == state.stacks.end() ? nullptr : &own_record->second;
  const auto own_suspension = state.suspensions.find(name);
  suspension = own_suspension == state.suspensions.end() ? nullptr : &own_suspension->second;
  damaged = state.damaged.count(name) != 0;
}

ports::DriftCause cause_of(const StackFacts& facts) {
  if (facts.record != nullptr && !facts.record->quarantined.empty())
    return ports::DriftCause::pending;
  if (facts.secrets_moved || facts.begun || facts.plan.only_collects_generations())
    return ports::DriftCause::pending;
  // A tag that is followed moved: that is a deployment, not somebody's edit. Where swarm went back
  // from it, it is not pushed again by itself.
  const bool went_back = facts.rolled_back || facts.rolled_back_by_person || facts.rolling_back;
  if (facts.tag_moved && !went_back) return ports::DriftCause::pending;
  if (facts.kept) return ports::DriftCause::live;
  const bool carried_out = facts.record != nullptr && facts.desired != nullptr &&
                           facts.record->content == facts.desired->content;
  return carried_out ? ports::DriftCause::live : ports::DriftCause::pending;
}

Decision decide(const StackFacts& facts, const StackMemory& memory, SteadyTime now) {
  const bool ejected = facts.record != nullptr && facts.record->ejected;
  if (ejected && facts.desired == nullptr) return {Verdict::forget, ""};
  if (facts.desired == nullptr && facts.suspension != nullptr)
    return {Verdict::reported, suspended(facts)};
  if (facts.desired == nullptr && !facts.foreign_instance.empty())
    return {Verdict::forget,
            "left git, and belongs to the skep instance \"" + facts.foreign_instance + "\" now"};
  if (facts.desired == nullptr) return decide_leaving(facts, memory, now);
  const auto& policy = facts.desired->source.settings.policy;
  if (facts.desired->broken()) return {Verdict::broken, first_error(*facts.desired)};
  if (!facts.foreign_instance.empty()) {  // No approval of ours can take it from that one.
    return {Verdict::blocked,
            "belongs to the skep instance \"" + facts.foreign_instance +
                "\" and stays as it is: run this agent with --instance " + facts.foreign_instance +
                ", or hand the stack over with `skep eject " + facts.name + "` there"};
  }
  if (facts.damaged && !memory.approved) {
    return {Verdict::held,
            "what was decided about it is lost, for its record in the state object is damaged; "
            "read `skep plan " +
                facts.name + "`, then `skep approve " + facts.name + "` adopts it anew"};
  }
  if (ejected && !memory.approved) {
    return {
        Verdict::held,
        "was ejected: the Docker CLI deploys it; `skep approve " + facts.name + "` takes it back"};
  }
  if (facts.suspension != nullptr) {
    // The plan of one that went back is about what it went back to, and says nothing of git.
    const bool as_git_says = !facts.differs() && !facts.rollback;
    return {as_git_says ? Verdict::suspended : Verdict::reported, suspended(facts)};
  }
  const bool asked = memory.approved || memory.requested;
  if (sent_back(facts) && !memory.requested) return decide_quarantined(facts, memory, now);
  if (facts.quarantined() && facts.rolled_back_by_person && !asked)
    return {Verdict::held, by_person(facts)};
  if (facts.quarantined() && !memory.requested && policy.sync != repository::SyncMode::observe &&
      policy.on_failure != repository::OnFailure::keep)
    return decide_quarantined(facts, memory, now);
  const auto* hook = policy.sync == repository::SyncMode::observe ? nullptr : facts.hooks.due;
  const bool in_sync = facts.plan.empty() && !facts.waiting_for_registry && hook == nullptr;
  if (in_sync && facts.plan.blocked()) return {Verdict::blocked, blocked_by(facts.plan)};
  if (in_sync && !facts.contended.empty()) {
    std::string fields;
    for (const auto& field : facts.contended) fields += (fields.empty() ? "" : ", ") + field;
    return {Verdict::reported,
            "contended: somebody else keeps changing " + fields + "; it is not corrected" +
                (facts.contended_until ? " before " + to_rfc3339(*facts.contended_until)
                                       : std::string(" for a while")) +
                ": is another agent or a `skep apply` at work? Else see ignore: in skep.yaml"};
  }
  if (in_sync && facts.kept) return {Verdict::wait, held_by_window(facts)};
  if (in_sync) {
    if ((facts.record == nullptr || ejected) && policy.sync != repository::SyncMode::observe)
      return {Verdict::adopt, ""};
    const bool hook_failed =
        facts.record != nullptr && facts.record->post_hooks == facts.desired->content;
    return {Verdict::nothing, hook_failed ? facts.record->hook_failure : ""};
  }
  const bool failed_before = memory.failures > 0 && now < memory.retry_at && !memory.requested;
  const auto hook_text =
      hook == nullptr ? std::string()
                      : "runs its " + std::string(to_string(hook->phase)) + " hook " + hook->key;
  // What is left of a deployment that was decided before.
  if (hook != nullptr && facts.plan.empty() && facts.record != nullptr &&
      facts.record->content == facts.desired->content) {
    if (failed_before) return {Verdict::wait, memory.error};
    return {Verdict::apply, hook_text};
  }
  if (facts.plan.blocked()) return {Verdict::blocked, blocked_by(facts.plan)};
  if (policy.sync == repository::SyncMode::observe)
    return {Verdict::reported, "differs from git; sync: observe leaves it as it is"};
  if (facts.record == nullptr && facts.live_there && !policy.adopt_automatically &&
      !memory.approved) {
    return {Verdict::held,
            "runs already and differs from git; read `skep plan " + facts.name +
                "`, then `skep approve " + facts.name + "`"};
  }
  if (policy.sync == repository::SyncMode::manual && !asked && !facts.begun) {
    return {Verdict::reported,
            "differs from git; sync: manual waits for `skep sync " + facts.name + "`"};
  }
  const bool live_edit = cause_of(facts) == ports::DriftCause::live;
  const bool was_pushed = live_edit || facts.begun;
  if (was_pushed && facts.rolled_back_by_person && !asked) return {Verdict::held, by_person(facts)};
  if (was_pushed && facts.rolling_back) return {Verdict::wait, "swarm is rolling back"};
  if (was_pushed && facts.rolled_back && !asked) {
    return {Verdict::held,
            "swarm rolled it back (" + facts.rollback_message + ")" + resumed_by(facts)};
  }
  if (live_edit && policy.self_heal != repository::SelfHeal::on && !asked && !memory.operation) {
    return {Verdict::reported, "was edited by hand; self_heal is off, so it is left as it is"};
  }
  // What was edited by hand is healed at any time, and what began before the window goes on.
  if (facts.closed && !live_edit && !asked && !facts.begun) {
    return {Verdict::wait, held_by_window(facts)};
  }
  if (facts.waiting_for_registry)
    return {Verdict::wait, "asking the registry for the image's digest"};
  if (failed_before) return {Verdict::wait, memory.error};
  return {Verdict::apply, hook_text};
}

std::map<std::string, std::string> postponed_services(
    const diff::Plan& plan,
    const swarm::LiveState& live,
    bool overdue,
    const std::map<std::string, SteadyTime>& awaited,
    const std::set<std::string>& completed) {
  using Condition = swarm::ServiceDependency::Condition;
  std::set<std::string> restarting;  // Names that this plan itself is about to start or restart.
  for (const auto& action : plan.actions) {
    if (action.kind != diff::ObjectKind::service || action.verb == diff::Verb::remove) continue;
    if (action.impact != diff::Impact::none) restarting.insert(action.name);
  }
  std::map<std::string, std::string> postponed;
  const auto fulfilled = [&](const swarm::ServiceDependency& dependency) {
    const auto at = plan.desired.services.find(dependency.service);
    if (at == plan.desired.services.end()) return true;
    const auto& name = at->second.spec.name;
    const auto& replicated = at->second.spec.mode.replicated;
    if (replicated && replicated->replicas == 0) return true;  // Switched off: nothing to wait for.
    const auto* service = live.find_service(name);
    // It is made before this one, unless it has to wait itself.
    if (dependency.condition == Condition::started)
      return service != nullptr || postponed.count(name) == 0;
    if (restarting.count(name) != 0) return false;
    if (service == nullptr) return false;
    // Its old tasks run on, or are still there, while it is being updated; a job has no rollout.
    const auto& update = service->update.state;
    const bool rolls =
        !service->spec.mode.is_job() &&
        (update == "updating" || update == "rollback_started" || awaited.count(name) != 0);
    if (rolls) return false;
    if (dependency.condition == Condition::completed) return completed.contains(name);
    return service->running_tasks >= service->desired_tasks;
  };
  const auto lack_of = [&](const diff::Action& action,
                           const swarm::DesiredService& service) -> std::string {
    for (const auto& attachment : service.spec.task_template.networks) {
      if (live.leaving_networks.contains(attachment.target))
        return "the network " + attachment.target + " is going: tasks that used it are ending";
    }
    if (overdue && action.verb == diff::Verb::create) return "";
    const auto& needs = service.depends_on;
    const auto unmet = std::find_if_not(needs.begin(), needs.end(), fulfilled);
    if (unmet == needs.end()) return "";
    return plan.desired.services.at(unmet->service).spec.name + " is not " +
           (unmet->condition == Condition::completed ? "completed"
            : unmet->condition == Condition::healthy ? "healthy"
                                                     : "there") +
           " yet";
  };
  bool more = true;
  while (std::exchange(more, false)) {  // What waits for one that waits is found in the next round.
    for (const auto& action : plan.actions) {
      if (action.kind != diff::ObjectKind::service || action.verb == diff::Verb::remove) continue;
      const auto at = plan.desired.services.find(action.key);
      if (at == plan.desired.services.end()) continue;
      const auto lacks = lack_of(action, at->second);
      if (!lacks.empty()) more = postponed.emplace(action.name, lacks).second || more;
    }
  }
  return postponed;
}

}  // namespace skep::reconciler
