#include <algorithm>

#include "core/digest.hpp"
#include "core/logfmt.hpp"
#include "diff/render.hpp"
#include "reconciler/work.hpp"

// What observers are told of operations and of the reasons behind a status.
namespace skep::reconciler {
namespace {

constexpr std::size_t kMostObjects = 500;  ///< Of one report.
constexpr std::size_t kMostFields = 50;    ///< Of one object.
constexpr std::size_t kDigestDigits = 16;

/// "image", "environment LOG_LEVEL": which fields, never what is in them. The elements of other
/// lists are values themselves.
std::vector<std::string> field_names(const std::vector<diff::FieldChange>& changes) {
  std::vector<std::string> names;
  for (const auto& change : changes) {
    const bool keyed = change.path == "environment" || change.path.ends_with("labels");
    auto name = keyed && !change.item.empty() ? change.path + " " + change.item : change.path;
    const bool known = std::find(names.begin(), names.end(), name) != names.end();
    if (!known && names.size() < kMostFields) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

std::string full_name(const StackFacts& facts) {
  if (facts.desired != nullptr) return facts.desired->source.group + "/" + facts.name;
  if (facts.record == nullptr) return facts.name;
  const auto slash = facts.record->path.rfind('/');
  if (slash == std::string::npos) return facts.name;
  return facts.record->path.substr(0, slash) + "/" + facts.name;
}

std::string goal_of(const StackFacts& facts) {
  return facts.desired == nullptr ? std::string(kGone) : facts.target()->content;
}

std::string trigger_of(const StackFacts& facts, const StackMemory& memory) {
  if (facts.rollback) return "rollback";
  if (memory.approved || memory.requested) return "manual";
  // What never got healthy is tried again, not corrected: nobody edited it.
  const bool unfinished = memory.failures > 0 && facts.record != nullptr &&
                          facts.desired != nullptr &&
                          facts.record->healthy_content != facts.desired->content;
  if (!unfinished && memory.drift_cause == ports::DriftCause::live) return "drift";
  return memory.failures > 0 ? "retry" : "git";
}

void record_results(Operation& operation, const ApplyResult& result) {
  for (const auto& done : result.results) {
    ports::ObjectReport report;
    report.kind = done.action.kind;
    report.verb = done.action.verb;
    report.name = done.action.name;
    report.fields = field_names(done.action.changes);
    if (done.error) report.error = done.error->message;
    // Done again in a later turn of the same operation: its last word counts, and all its fields.
    const auto same = std::find_if(
        operation.objects.begin(), operation.objects.end(), [&](const ports::ObjectReport& other) {
          return other.kind == report.kind && other.verb == report.verb &&
                 other.name == report.name;
        });
    if (same != operation.objects.end()) {
      for (auto& field : same->fields) {
        const bool told =
            std::find(report.fields.begin(), report.fields.end(), field) != report.fields.end();
        if (!told && report.fields.size() < kMostFields) report.fields.push_back(std::move(field));
      }
      *same = std::move(report);
    } else if (operation.objects.size() < kMostObjects) {
      operation.objects.push_back(std::move(report));
    }
  }
}

void Reconciler::begin_operation(const StackFacts& facts, const std::string& trigger) {
  auto& memory = memory_[facts.name];
  auto& operation = memory.operation.emplace();
  operation.trigger = trigger;
  operation.started = operation.progressed = clock_.steady();
  operation.began = clock_.now();
  operation.content = goal_of(facts);
  operation.drift_since = memory.drift_since;
  for (const auto& action : facts.plan.actions) operation.kinds.push_back(action.kind);
  if (!facts.plan.empty()) {
    operation.plan_digest =
        sha256_hex(diff::to_json(facts.plan, facts.name)).substr(0, kDigestDigits);
  }
  const bool sent_back = facts.rollback && !facts.record->rollback_to.empty();
  if (memory.approved || memory.requested || sent_back) operation.actor = memory.actor;
  if (facts.record == nullptr) {
    operation.revision_to = revision_.commit;
    return;
  }
  const auto& record = *facts.record;
  operation.revision_from = operation.revision_to = record.applied;
  if (facts.desired == nullptr) {
    operation.revision_to = revision_.commit;
  } else if (facts.rollback) {
    operation.revision_to = facts.way_back();
  } else if (record.healthy_content != record.content) {  // Git moved.
    operation.revision_from =
        memory.replaced_revision.empty() ? record.healthy : memory.replaced_revision;
  }
}

void Reconciler::cancel_operation(const std::string& full_name,
                                  StackMemory& memory,
                                  const std::string& why) {
  if (!memory.operation) return;
  ports::SyncReport report;
  report.stack = full_name;
  report.trigger = memory.operation->trigger;
  report.result = "cancelled";
  report.kinds = memory.operation->kinds;
  report.duration = std::chrono::duration_cast<std::chrono::milliseconds>(
      clock_.steady() - memory.operation->started);
  describe_operation(memory, report);
  report.message = why;
  memory.operation.reset();
  observer_.synced(report);
}

void Reconciler::describe_operation(const StackMemory& memory, ports::SyncReport& report) const {
  if (!memory.operation) {
    report.started = clock_.now();
    return;
  }
  const auto& operation = *memory.operation;
  report.started = operation.began;
  report.actor = operation.actor;
  report.revision_from = operation.revision_from;
  report.revision_to = operation.revision_to;
  report.plan_digest = operation.plan_digest;
  report.last_write = operation.last_write;
  report.drift_since = operation.drift_since;
  report.removal = operation.content == kGone;
  report.objects = operation.objects;
  for (auto& object : report.objects) mask(object.error);
  std::optional<ports::Revision> revision;
  if (report.revision_to == revision_.commit) {
    revision = revision_;
  } else if (options_.describe && !report.revision_to.empty()) {
    revision = options_.describe(report.revision_to);
  }
  if (!revision) return;
  report.author = revision->author;
  report.subject = revision->subject;
  mask(report.subject);
}

void Reconciler::explain_status(const StackFacts& facts,
                                const Decision& decision,
                                ports::StackStatus& status) const {
  const auto now = clock_.now();
  const auto on_the_wall = [&](SteadyTime time) {
    return now + std::chrono::duration_cast<std::chrono::milliseconds>(time - clock_.steady());
  };
  mask(status.message);
  status.verdict = to_string(decision.verdict);
  status.waits_for = decision.waits_for;
  if (const auto* suspension = facts.suspension) {
    status.suspension = {
        suspension->reason, suspension->actor, suspension->since, suspension->until};
  }
  if (const auto* record = facts.record) {
    status.earlier_healthy_revision = record->earlier_healthy;
    if (facts.quarantined()) {
      status.quarantined_revision =
          record->content == record->quarantined ? record->applied : status.target_revision;
      status.quarantine_reason = record->quarantine_reason;
      if (facts.rollback) {
        status.rolled_back_to = facts.way_back();
        if (facts.plan.empty()) status.applied_revision = status.rolled_back_to;
      }
    }
  }
  const auto at = memory_.find(facts.name);
  if (at == memory_.end()) return;
  const auto& memory = at->second;
  if (memory.failures > 0 && decision.verdict == Verdict::wait && decision.waits_for.empty())
    status.next_retry = on_the_wall(memory.retry_at);
  if (!memory.operation) return;
  auto& operation = status.operation.emplace();
  operation.trigger = memory.operation->trigger;
  operation.actor = memory.operation->actor;
  operation.started = memory.operation->began;
  if (facts.desired != nullptr)
    operation.deadline = on_the_wall(memory.operation->progressed + facts.patience());
}

void Reconciler::forget_stack(const std::string& name,
                              const std::string& full_name,
                              const std::string& why) {
  if (why.empty()) {
    log_.info(logfmt("stack removed", {{"stack", name}}));
    observer_.noted({full_name, "removed", "left git and is gone; its volumes stay"});
    return;
  }
  log_.warn(logfmt("stack given up", {{"stack", name}, {"reason", why}}));
  observer_.noted({full_name, "removed", why + "; nothing of it was touched"});
}

}  // namespace skep::reconciler
