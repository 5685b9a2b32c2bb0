#include "core/logfmt.hpp"
#include "reconciler/agent/agent.hpp"
#include "reconciler/agent/named_stack.hpp"

// What people, and what sends hints, want of the agent: written down here, done in a turn.
namespace skep::reconciler {

Result<void> Agent::approve(const std::string& stack, const std::string& actor) {
  {
    const std::lock_guard lock(mutex_);
    const auto* at = find_stack(status_, stack);
    if (at == nullptr) return no_stack(status_, stack);
    // What failed is not approved but tried again, which is another verb: its message says so.
    if (!at->held || at->quarantined) {
      return Error{ErrorKind::invalid_input,
                   "nothing of stack " + at->name + " waits for approval" +
                       (at->message.empty() ? "" : ": " + at->message)};
    }
    reconciler_.approve(at->name, true, actor);
    note_asked(at->group + "/" + at->name, "approve", actor);
    log_.info(logfmt("approved", {{"stack", at->name}, {"actor", actor}}));
  }
  wake();
  return {};
}

Result<void> Agent::accept_history(const std::string& actor) {
  if (const auto elsewhere = status().stands_by()) return *elsewhere;
  const auto commit = source_.refused_rewind();
  if (commit.empty())
    return Error{ErrorKind::invalid_input, "no rewritten history waits for approval"};
  source_.accept_rewind(commit);
  note_asked("", "accept the rewritten history that leads to " + commit.substr(0, 12), actor);
  log_.warn(logfmt("rewritten history approved", {{"revision", commit}, {"actor", actor}}));
  hint();
  return {};
}

Result<void> Agent::sync(const std::string& stack, const std::string& actor) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto elsewhere = status_.stands_by()) return *elsewhere;
    if (stack.empty()) {
      // To look at everything is not to push through what waits for a person or a window: only what
      // is tried again anyway is tried now.
      for (const auto& known : status_.stacks) {
        if (known.consecutive_failures > 0 && known.mode == "auto" && !known.quarantined &&
            !known.held)
          asked_syncs_.emplace_back(known.name, actor);
      }
    } else {
      const auto* known = find_stack(status_, stack);
      if (known == nullptr) return no_stack(status_, stack);
      if (known->suspension) {
        return Error{
            ErrorKind::invalid_input,
            "stack " + known->name + " is suspended; `skep resume " + known->name + "` first"};
      }
      asked_syncs_.emplace_back(known->name, actor);
      note_asked(known->group + "/" + known->name, "sync", actor);
    }
    log_.info(
        logfmt("sync asked for", {{"stack", stack.empty() ? "all" : stack}, {"actor", actor}}));
    if (stack.empty()) note_asked("", "sync of everything", actor);
    fetch_now_ = asked_ = true;
    news_ = true;
  }
  news_arrived_.notify_all();
  return {};
}

void Agent::look_at_git() {
  {
    const std::lock_guard lock(mutex_);
    fetch_now_ = asked_ = true;
  }
  news_arrived_.notify_all();
}

void Agent::hint() {
  {
    const std::lock_guard lock(mutex_);
    fetch_now_ = hinted_ = true;
  }
  news_arrived_.notify_all();
}

bool Agent::image_hint(std::string_view repository, std::string_view tag) {
  if (!reconciler_.look_again(repository, tag)) return false;
  wake();
  return true;
}

Result<ports::StackStatus> Agent::known(const std::string& stack) const {
  const std::lock_guard lock(mutex_);
  const auto* at = find_stack(status_, stack);
  if (at == nullptr) return no_stack(status_, stack);
  return *at;
}

Result<void> Agent::suspend(const std::string& stack,
                            const ports::SuspendRequest& request,
                            const std::string& actor) {
  const auto at = known(stack);
  if (!at) return at.error();
  Suspension suspension{request.reason, actor, clock_.now(), std::nullopt};
  if (request.duration) suspension.until = suspension.since + *request.duration;
  reconciler_.suspend(at->name, std::move(suspension));
  note_asked(at->name, "suspend" + (request.reason.empty() ? "" : ": " + request.reason), actor);
  log_.info(
      logfmt("suspended", {{"stack", at->name}, {"actor", actor}, {"reason", request.reason}}));
  wake();
  return {};
}

Result<void> Agent::resume(const std::string& stack, const std::string& actor) {
  const auto at = known(stack);
  if (!at) return at.error();
  if (!at->suspension && !reconciler_.asked_to_suspend(at->name))
    return Error{ErrorKind::invalid_input, "stack " + at->name + " is not suspended"};
  reconciler_.resume(at->name);
  note_asked(at->name, "resume", actor);
  log_.info(logfmt("resumed", {{"stack", at->name}, {"actor", actor}}));
  wake();
  return {};
}

}  // namespace skep::reconciler
