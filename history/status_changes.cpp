#include "history/status_changes.hpp"

#include <algorithm>

namespace skep::history {
namespace {

constexpr std::size_t kMostObjects = 10;  ///< Named in one sentence.

std::string yes_or_no(bool value) { return value ? "true" : "false"; }

/// "web_app (image, environment LOG_LEVEL)": which fields, never what is in them.
std::string objects_of(const diff::Plan& plan) {
  std::string text;
  std::size_t count = 0;
  for (const auto& action : plan.actions) {
    if (++count > kMostObjects) {
      text += " and " + std::to_string(plan.actions.size() - kMostObjects) + " more";
      break;
    }
    text += (text.empty() ? "" : ", ") + action.name;
    std::vector<std::string> fields;
    for (const auto& change : action.changes) {
      const bool named = std::find(fields.begin(), fields.end(), change.path) != fields.end();
      if (!named) fields.push_back(change.path);
    }
    std::string list;
    for (const auto& field : fields) list += (list.empty() ? "" : ", ") + field;
    if (!list.empty()) text += " (" + list + ")";
  }
  return text;
}

std::string trouble_of(const ports::StackStatus& stack) {
  if (!stack.message.empty()) return stack.message;
  for (const auto& service : stack.services) {
    if (!service.trouble.empty()) return service.name + ": " + service.trouble;
  }
  return "";
}

/// Kind, value and what a person needs to know of it.
struct Reading {
  const char* kind;
  std::string value, message, actor;
};

std::vector<Reading> readings_of(const ports::StackStatus& stack) {
  const bool synced = stack.sync == ports::SyncState::synced;
  const bool healthy = stack.health == ports::Health::healthy;
  std::string drift = "none", drifted;
  if (stack.drift_cause && stack.plan && !stack.plan->empty()) {
    drift = *stack.drift_cause == ports::DriftCause::live ? "live" : "pending";
    drifted = objects_of(*stack.plan);
  }
  std::string reason, actor;
  if (stack.suspension) {
    reason = stack.suspension->reason;
    actor = stack.suspension->actor;
    if (stack.suspension->until)
      reason += (reason.empty() ? "" : "; ") + ("until " + to_rfc3339(*stack.suspension->until));
  }
  return {{"sync", std::string(to_string(stack.sync)), synced ? "" : stack.message, ""},
          {"health", std::string(to_string(stack.health)), healthy ? "" : trouble_of(stack), ""},
          {"drift", drift, drifted, ""},
          {"held", yes_or_no(stack.held), stack.held ? stack.message : "", ""},
          {"suspended", yes_or_no(stack.suspended), reason, actor},
          {"quarantined",
           yes_or_no(stack.quarantined),
           stack.quarantined ? stack.quarantine_reason : "",
           ""}};
}

/// What a stack is until it is said otherwise: worth no record when it is so from the beginning.
bool is_usual(const std::string& kind, const std::string& value) {
  return kind == "drift" ? value == "none" : kind != "sync" && kind != "health" && value == "false";
}

}  // namespace

StatusChanges::Changes StatusChanges::next(const std::vector<ports::StackStatus>& stacks,
                                           WallTime now) {
  Changes changes;
  std::map<std::string, States> seen;
  for (const auto& stack : stacks) {
    const auto name = stack.group + "/" + stack.name;
    const auto known = known_.find(name);
    auto& states = seen[name];
    for (auto& reading : readings_of(stack)) {
      states[reading.kind] = reading.value;
      const bool first = known == known_.end();
      const auto before = first ? std::string() : known->second[reading.kind];
      if (before == reading.value) continue;
      Change change;
      change.first = first;
      change.event.at = now;
      change.event.stack = name;
      change.event.kind = reading.kind;
      change.event.before = before;
      if (first && is_usual(reading.kind, reading.value)) change.event.before = reading.value;
      change.event.value = reading.value;
      change.event.message = std::move(reading.message);
      change.event.actor = std::move(reading.actor);
      changes.changed.push_back(std::move(change));
    }
  }
  for (const auto& [name, states] : known_) {
    if (seen.count(name) == 0) changes.gone.push_back(name);
  }
  known_ = std::move(seen);
  return changes;
}

}  // namespace skep::history
