#include "notify/condition.hpp"

#include <algorithm>

namespace skep::notify {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kDriftLasts = 30s;  ///< Sooner put right is drift_healed.
constexpr std::size_t kMostWords = 5, kMostChanges = 10;

enum class Returned { not_at_all, by_skep, by_person, by_swarm };

/// Who took a deployment back. What swarm took back by itself (`failure_action: rollback`) skep
/// finds as it wants it, and does nothing.
Returned returned(const ports::StackStatus& stack) {
  if (!stack.quarantined && stack.rolled_back_to.empty()) return Returned::not_at_all;
  bool by_swarm = false;
  for (const auto& service : stack.services) {
    if (service.sent_back_by_person) return Returned::by_person;
    by_swarm = by_swarm || service.update_state.starts_with("rollback_");
  }
  if (by_swarm) return Returned::by_swarm;
  return stack.rolled_back_to.empty() ? Returned::not_at_all : Returned::by_skep;
}

/// Swarm's words for a task that comes up, which is no trouble.
bool comes_up(std::string_view trouble) {
  for (const std::string_view state : {"assigned", "accepted", "preparing", "ready", "starting"}) {
    if (trouble.starts_with(state) &&
        (trouble.size() == state.size() || trouble[state.size()] == ':'))
      return true;
  }
  return false;
}

std::string reason_of(const ports::StackStatus& stack) {
  const bool quiet = !stack.operation;  // Within an operation things are missing for a while.
  const auto by = returned(stack);
  // What swarm alone took back is a deployment that failed.
  if (by == Returned::by_skep || by == Returned::by_person) return "rolled_back";
  if (stack.quarantined) return "failed";  // As on_failure: pause wants it.
  if (stack.verdict == "broken") return "broken";
  if (stack.verdict == "blocked") return "blocked";
  if (stack.consecutive_failures > 0) return "failed";
  if (quiet &&
      (stack.health == ports::Health::degraded || stack.health == ports::Health::missing) &&
      stack.verdict != "apply" && stack.verdict != "wait" && !stack.held)
    return "degraded";
  if (stack.held) return "held";
  if (stack.message.starts_with("contended")) return "contended";
  const bool live = stack.drift_cause == ports::DriftCause::live && stack.drift_since;
  if (live && !stack.suspended) return "drift";
  return {};
}

std::string remedy_of(const std::string& reason, const ports::StackStatus& stack) {
  if (reason == "held")
    return "look at `skep plan " + stack.name + "`, then `skep approve " + stack.name + "`";
  if (reason == "drift")
    return "`skep plan " + stack.name + "` shows it; take it into git, or `skep sync " +
           stack.name + "`";
  if (reason == "contended")
    return "find who changes it, or name the field under ignore: in skep.yaml";
  if (reason == "rolled_back" || stack.quarantined)
    return "push a commit that mends it, or `skep sync " + stack.name + "` to try it again";
  if (reason == "broken") return "mend it in git; `skep validate` checks before a push";
  if (reason == "blocked")
    return "mend what is named above, in the swarm or in git; `skep explain " + stack.name +
           "` tells more";
  return "`skep explain " + stack.name + "` and `skep logs " + stack.name + "` tell more";
}

/// What skep did, or does next, about it.
std::string done_about(const std::string& reason, const ports::StackStatus& stack) {
  const auto& back = stack.rolled_back_to;
  const auto to = back.empty() ? std::string() : " to " + back.substr(0, 12);
  const auto by = returned(stack);
  if (by == Returned::by_skep) return "skep went back" + to;
  if (by == Returned::by_swarm)
    return "swarm went back" + to + " by itself; skep does not try it again";
  if (by == Returned::by_person && !to.empty()) return "a person went back" + to;
  if (reason == "rolled_back" || stack.quarantined)
    return "skep leaves it as it stands, and does not try it again";
  if (reason == "failed" && stack.next_retry)
    return "skep tries it again by itself at " + to_rfc3339(*stack.next_retry);
  if (reason == "broken") return "skep changed nothing: what ran before runs on";
  if (reason == "blocked") return "skep changed nothing, and looks again by itself";
  if (reason == "held") return "skep changed nothing";
  if (reason == "degraded") return "nothing was deployed: git did not change it";
  return {};
}

/// The commit that the trouble is about: the one that changed the stack, not whatever came after
/// it.
std::string revision_of(const std::string& reason, const ports::StackStatus& stack) {
  const bool tried = reason == "rolled_back" || reason == "failed";
  if (tried && !stack.quarantined_revision.empty()) return stack.quarantined_revision;
  if (reason == "failed" && !stack.applied_revision.empty()) return stack.applied_revision;
  return stack.target_revision;
}

}  // namespace

std::optional<Condition> condition_of(const ports::StackStatus& stack, WallTime now) {
  if (stack.sync == ports::SyncState::unknown && stack.health == ports::Health::unknown &&
      stack.verdict != "broken")
    return std::nullopt;
  Condition condition;
  condition.reason = reason_of(stack);
  // What is suspended is neither well nor ill: it stands as it stood.
  const bool well = !stack.suspended && stack.sync == ports::SyncState::synced &&
                    stack.health == ports::Health::healthy;
  if (condition.reason.empty() && !well) return std::nullopt;
  auto& story = condition.story;
  story.stack = stack.group + "/" + stack.name;
  story.revision = revision_of(condition.reason, stack);
  if (condition.reason.empty()) return condition;
  if (condition.reason == "drift")
    condition.still = std::clamp<std::chrono::milliseconds>(
        kDriftLasts - (now - *stack.drift_since), 0ms, kDriftLasts);
  story.what = stack.quarantined && !stack.quarantine_reason.empty() ? stack.quarantine_reason
                                                                     : stack.message;
  story.words = words_of(stack);
  story.done = done_about(condition.reason, stack);
  story.remedy = remedy_of(condition.reason, stack);
  return condition;
}

std::vector<std::string> words_of(const ports::StackStatus& stack) {
  std::vector<std::string> words;
  for (const auto& service : stack.services) {
    const auto& trouble = service.trouble;
    if (!trouble.empty() && !comes_up(trouble) && words.size() < kMostWords)
      words.push_back(service.name + ": " + trouble);
  }
  return words;
}

std::vector<std::string> changes_of(const ports::SyncReport& report) {
  std::vector<std::string> changes;
  for (const auto& object : report.objects) {
    if (changes.size() == kMostChanges) {
      changes.push_back("and " + std::to_string(report.objects.size() - kMostChanges) + " more");
      break;
    }
    auto line = std::string(word_of(object.verb)) + " " + object.name;
    std::string fields;
    for (const auto& field : object.fields) fields += (fields.empty() ? "" : ", ") + field;
    if (!fields.empty()) line += " (" + fields + ")";
    if (!object.error.empty()) line += ": " + object.error;
    changes.push_back(std::move(line));
  }
  return changes;
}

}  // namespace skep::notify
