#include "notify/commit_status.hpp"

#include <algorithm>
#include <cstdint>

#include "core/utf8.hpp"

namespace skep::notify {
namespace {

constexpr std::size_t kMostNames = 5;
constexpr const char* kRuns = "runs as this commit says";

bool as_git_says(const ports::StackStatus& stack) {
  return stack.sync == ports::SyncState::synced ||
         (stack.drift_cause == ports::DriftCause::live && stack.verdict != "blocked");
}

/// Of what git says and skep carried out: only its health is open.
void judge_health(const ports::StackStatus& stack, StackVerdict& verdict) {
  const bool was_healthy =
      !stack.applied_revision.empty() && stack.healthy_revision == stack.applied_revision;
  if (stack.health == ports::Health::healthy || (was_healthy && !stack.operation)) {
    // What falls ill later, or is edited by hand, is no fault of the commit.
    verdict.state = CommitState::success;
    verdict.words = kRuns;
    return;
  }
  verdict.state = CommitState::pending;
  verdict.otherwise = CommitState::failure;
  verdict.words = stack.message.empty() ? "is not healthy yet" : stack.message;
}

std::string list_of(const std::vector<const StackVerdict*>& stacks) {
  std::string names;
  for (std::size_t i = 0; i < stacks.size() && i < kMostNames; ++i)
    names += (i == 0 ? "" : ", ") + stacks[i]->stack;
  if (stacks.size() > kMostNames)
    names += " and " + std::to_string(stacks.size() - kMostNames) + " more";
  return names;
}

std::string stacks_of(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " stack" : " stacks");
}

/// The sentence of several, in which one speaks for itself.
std::string summary_of(const std::vector<const StackVerdict*>& stacks, std::string_view what) {
  if (stacks.size() == 1) return stacks.front()->stack + ": " + stacks.front()->words;
  return stacks_of(stacks.size()) + " " + std::string(what) + ": " + list_of(stacks);
}

CommitStatus overall(const std::vector<StackVerdict>& stacks, const std::string& context) {
  std::vector<const StackVerdict*> failed, pending, left;
  std::size_t changed = 0;
  for (const auto& stack : stacks) {
    if (stack.state == CommitState::failure) failed.push_back(&stack);
    if (stack.state == CommitState::pending) pending.push_back(&stack);
    if (stack.state == CommitState::left) left.push_back(&stack);
    if (stack.state == CommitState::success && stack.concerned) ++changed;
  }
  // A failure is told while others are still on their way: somebody may be waiting for it.
  if (!failed.empty()) return {context, CommitState::failure, summary_of(failed, "failed"), ""};
  if (!pending.empty())
    return {context, CommitState::pending, summary_of(pending, "are on their way"), ""};
  if (!left.empty()) return {context, CommitState::left, summary_of(left, "were left alone"), ""};
  const auto there = std::count_if(
      stacks.begin(), stacks.end(), [](const StackVerdict& stack) { return !stack.gone; });
  const auto all = stacks_of(static_cast<std::size_t>(there));
  return {context,
          CommitState::success,
          changed == 0 ? "nothing to change; " + all + " as git says"
                       : stacks_of(changed) + " changed, " + all + " as git says",
          ""};
}

/// Blank, or controls something, or turns the direction of what follows, so that it reads as
/// something else.
bool is_unseen(std::uint32_t point) {
  const auto is_from_to = [point](std::uint32_t from, std::uint32_t to) {
    return point >= from && point <= to;
  };
  return point <= 0x20 || is_from_to(0x7F, 0x9F) || point == 0x061C || point == 0x200B ||
         is_from_to(0x200E, 0x200F) || is_from_to(0x2028, 0x202E) || is_from_to(0x2066, 0x2069);
}

}  // namespace

std::string_view to_string(CommitState state) {
  switch (state) {
    case CommitState::pending:
      return "pending";
    case CommitState::success:
      return "success";
    case CommitState::failure:
      return "failure";
    case CommitState::left:
      break;
  }
  return "left";
}

StackVerdict verdict_of(const ports::StackStatus& stack) {
  StackVerdict verdict;
  verdict.stack = stack.group + "/" + stack.name;
  verdict.moving = stack.operation.has_value();
  const auto is = [&](CommitState state, std::string words) {
    verdict.state = state;
    verdict.words = std::move(words);
    return verdict;
  };
  if (stack.verdict == "broken") {
    verdict.concerned = true;
    return is(CommitState::failure, stack.message);
  }
  const bool unknown = stack.sync == ports::SyncState::unknown;
  // What cannot be seen is on its way still where a commit was being carried out.
  const bool differs =
      unknown ? stack.drift_cause == ports::DriftCause::pending : !as_git_says(stack);
  verdict.concerned = differs || (!stack.target_revision.empty() &&
                                  stack.applied_revision == stack.target_revision);
  if (unknown)
    return is(CommitState::pending,
              stack.message.empty() ? "the swarm could not be read" : stack.message);
  if (stack.held) {
    const bool failed = stack.quarantined || !stack.rolled_back_to.empty();
    return is(failed ? CommitState::failure : CommitState::left, stack.message);
  }
  if (stack.quarantined || stack.verdict == "blocked") {
    return is(CommitState::failure,
              stack.message.empty() && !stack.quarantine_reason.empty() ? stack.quarantine_reason
                                                                        : stack.message);
  }
  if (stack.suspended) {
    if (stack.verdict == "suspended" && stack.health == ports::Health::healthy)
      return is(CommitState::success, kRuns + (stack.message.empty() ? "" : "; " + stack.message));
    return is(CommitState::left, stack.message);
  }
  if (stack.consecutive_failures > 0) return is(CommitState::failure, stack.message);
  if (as_git_says(stack)) {
    judge_health(stack, verdict);
    return verdict;
  }
  if (stack.verdict == "reported") return is(CommitState::left, stack.message);
  return is(CommitState::pending, stack.message.empty() ? "is being deployed" : stack.message);
}

std::vector<CommitStatus> statuses_of(const std::vector<StackVerdict>& stacks,
                                      const std::string& context,
                                      std::size_t most,
                                      bool stuck) {
  auto judged = stacks;
  for (auto& stack : judged) {
    if (stuck && stack.state == CommitState::pending) stack.state = stack.otherwise;
  }
  std::vector<CommitStatus> statuses = {overall(judged, context)};
  const auto concerned = std::count_if(
      judged.begin(), judged.end(), [](const StackVerdict& stack) { return stack.concerned; });
  const bool many = static_cast<std::size_t>(concerned) > most;
  for (const auto& stack : judged) {
    if (!stack.concerned || (many && stack.state != CommitState::failure)) continue;
    statuses.push_back({context + "/" + stack.stack, stack.state, stack.words, stack.stack});
  }
  return statuses;
}

std::string one_line(std::string_view text) {
  std::string line;
  for (std::size_t at = 0; at < text.size();) {
    const auto character = first_character(text.substr(at));
    const auto length = character ? character->length : 1;
    if (!character || !is_unseen(character->point)) {
      line += text.substr(at, length);
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
    at += length;
  }
  if (line.ends_with(' ')) line.pop_back();
  return line;
}

std::string at_most(std::string_view text, std::size_t most) {
  std::string result;
  std::size_t count = 0, before_last = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (count == most) {
      result.resize(before_last);
      return result + "…";
    }
    before_last = result.size();
    const auto character = first_character(text.substr(at));
    const auto length = character ? character->length : 1;
    result += character ? text.substr(at, length) : "�";
    at += length;
    ++count;
  }
  return result;
}

}  // namespace skep::notify
