// What the notifier is told of the loop, and the picture that it makes of that.
#include <utility>

#include "notify/notifier.hpp"

namespace skep::notify {
namespace {

constexpr std::size_t kMostOperations = 2;  ///< Of one stack.

/// Of a commit that was tried: what it changed tells where to look.
bool was_tried(std::string_view reason) { return reason == "failed" || reason == "rolled_back"; }

}  // namespace

void Notifier::fetched(const ports::FetchReport& report) {
  const std::lock_guard lock(mutex_);
  if (standing_by_) return;
  git_known_ = true;
  if (report.ok) {
    git_ = {};
    head_ = {report.revision, report.author, report.subject};
    unreadable_ = report.unreadable;
    return;
  }
  if (!git_.since) git_ = {clock_.now(), clock_.steady(), {}};
  git_.why = report.error;
}

void Notifier::observed(bool ok) {
  const std::lock_guard lock(mutex_);
  if (standing_by_) return;
  swarm_known_ = true;
  if (ok) {
    swarm_ = {};
  } else if (!swarm_.since) {
    swarm_.since = clock_.now();
    swarm_.began = clock_.steady();
  }
}

void Notifier::standing_by(bool /*docker_up*/) {
  const std::lock_guard lock(mutex_);
  standing_by_ = true;
  auto happened = std::move(picture_.events);
  picture_ = {};
  coming_.clear();
  picture_.events = std::move(happened);
  git_ = swarm_ = {};
  git_known_ = swarm_known_ = false;
  head_ = {};
  unreadable_.clear();
}

void Notifier::unreadable(const std::string& why) {
  const std::lock_guard lock(mutex_);
  blind_ = true;
  swarm_.why = why;
}

void Notifier::synced(const ports::SyncReport& report) {
  const std::lock_guard lock(mutex_);
  auto& operations = operations_[report.stack];
  Operation operation{{report.revision_to, report.author, report.subject}, changes_of(report)};
  std::erase_if(operations, [&](Operation& other) {
    if (other.commit.revision != report.revision_to) return false;
    // Tried again, with nothing left to do: what the commit changed stays what it changed.
    if (operation.changes.empty()) operation.changes = std::move(other.changes);
    return true;
  });
  if (operations.size() >= kMostOperations) operations.erase(operations.begin());
  operations.push_back(std::move(operation));
  if (report.trigger != "drift" || report.result != "success") return;
  if (picture_.events.size() >= kMostEvents) return;
  Condition healed;
  healed.reason = "drift_healed";
  healed.story.stack = report.stack;
  healed.story.revision = report.revision_to;
  healed.story.what = "somebody changed it in the swarm, not in git";
  healed.story.changes = changes_of(report);
  healed.story.done = "skep made it again as git says";
  picture_.events.push_back(std::move(healed));
}

void Notifier::status(const std::vector<ports::StackStatus>& stacks) {
  const auto now = clock_.now();
  const std::lock_guard lock(mutex_);
  // At its start, and while it stands by, who cannot see the swarm knows of no stacks: none is
  // gone.
  const bool blind = std::exchange(blind_, false);
  if (blind && (stacks.empty() || standing_by_)) return;
  standing_by_ = false;
  picture_.complete = true;
  picture_.stacks.clear();
  auto known = std::move(picture_.conditions);
  picture_.conditions.clear();
  coming_.clear();
  for (const auto& stack : stacks) {
    const auto name = stack.group + "/" + stack.name;
    picture_.stacks.insert(name);
    auto condition = condition_of(stack, now);
    keep_words(stack, condition);
    if (condition && condition->still.count() > 0) {
      coming_[name] = {clock_.steady() + condition->still, *std::move(condition)};
      condition.reset();
    }
    if (condition) {
      picture_.conditions[name] = *std::move(condition);
    } else if (auto before = known.extract(name)) {
      // Not settled: it stands as it stood.
      picture_.conditions.insert(std::move(before));
    }
  }
  const auto left = [this](const auto& entry) { return !picture_.stacks.contains(entry.first); };
  std::erase_if(operations_, left);
  std::erase_if(words_, left);
}

void Notifier::keep_words(const ports::StackStatus& stack, std::optional<Condition>& condition) {
  auto& kept = words_[stack.group + "/" + stack.name];
  if (stack.rolled_back_to.empty()) {
    if (auto words = words_of(stack); !words.empty())
      kept = {stack.applied_revision, std::move(words)};
  } else if (condition && condition->story.revision == kept.revision) {
    condition->story.words = kept.words;
  } else if (condition && condition->reason == "rolled_back") {
    condition->story.words.clear();
  }
}

void Notifier::add_away(Picture& picture, const std::string& name, const Away& away) const {
  Condition condition;
  condition.story.stack = name;
  if (away.since && clock_.steady() - away.began < options_.patience) return;
  picture.stacks.insert(name);
  if (away.since) {
    condition.reason = "unreachable";
    condition.story.what = "since " + to_rfc3339(*away.since) + ": " + away.why;
    condition.story.done = name == kGit
                               ? "the last good revision stays deployed, and edits are still undone"
                               : "nothing is known of it, and nothing is changed";
    condition.story.remedy =
        name == kGit ? "does the git host answer, and does it still take the agent's key?"
                     : "`docker node ls` on a manager: does the engine answer, is there a leader?";
  }
  picture.conditions[name] = std::move(condition);
}

void Notifier::add_git(Picture& picture) const {
  add_away(picture, kGit, git_);
  // A remote that does not answer mends nothing; that it is away for long is the greater trouble.
  const auto added = picture.conditions.find(kGit);
  const bool away = added != picture.conditions.end() && !added->second.reason.empty();
  if (unreadable_.empty() || away) return;
  picture.stacks.insert(kGit);
  auto& broken = picture.conditions[kGit];
  broken.reason = "broken";
  auto& story = broken.story;
  story.stack = kGit;
  story.revision = head_.revision;
  story.author = head_.author;
  story.subject = head_.subject;
  story.what = unreadable_;
  story.done = "skep changed nothing: the last good revision stays deployed";
  story.remedy = "mend it in git; `skep validate` checks before a push";
}

const Notifier::Operation* Notifier::operation_for(const Story& story) const {
  const auto known = operations_.find(story.stack);
  if (known == operations_.end() || story.revision.empty()) return nullptr;
  for (const auto& operation : known->second) {
    if (operation.commit.revision == story.revision) return &operation;
  }
  return nullptr;
}

void Notifier::add_commit(Condition& condition) const {
  auto& story = condition.story;
  // What left git has no commit that wants it: the one that git has took it away.
  if (condition.reason == "held" && story.revision.empty()) story.revision = head_.revision;
  const auto* operation = operation_for(story);
  if (operation != nullptr && was_tried(condition.reason)) story.changes = operation->changes;
  const auto* commit = operation != nullptr               ? &operation->commit
                       : story.revision == head_.revision ? &head_
                                                          : nullptr;
  if (commit == nullptr) return;
  story.author = commit->author;
  story.subject = commit->subject;
}

Notifier::Picture Notifier::picture() {
  const std::lock_guard lock(mutex_);
  // The loop says nothing more of what stands: that is what makes it news.
  std::erase_if(coming_, [&](auto& entry) {
    const bool due = entry.second.due <= clock_.steady();
    if (due) picture_.conditions[entry.first] = std::move(entry.second.condition);
    return due;
  });
  auto copy = picture_;
  picture_.events.clear();
  // Of a commit that cannot be read as a whole no stack is told by itself: each stands as it stood.
  if (!unreadable_.empty()) {
    std::erase_if(copy.conditions, [this](const auto& entry) {
      const auto& [name, condition] = entry;
      return condition.reason == "broken" &&
             (condition.story.revision.empty() || condition.story.revision == head_.revision);
    });
  }
  for (auto& [name, condition] : copy.conditions) add_commit(condition);
  for (auto& event : copy.events) {
    const auto* operation = operation_for(event.story);
    if (operation == nullptr) continue;
    event.story.author = operation->commit.author;
    event.story.subject = operation->commit.subject;
  }
  if (git_known_) add_git(copy);
  if (swarm_known_) add_away(copy, kSwarm, swarm_);
  return copy;
}

}  // namespace skep::notify
