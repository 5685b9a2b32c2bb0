#include "notify/notifier.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/logfmt.hpp"
#include "notify/commit_status.hpp"

namespace skep::notify {
namespace {

using namespace std::chrono_literals;

constexpr auto kPause = 500ms;        ///< Between two turns.
constexpr auto kPatience = 500ms;     ///< So long a turn waits for answers of targets.
constexpr int kMostRounds = 20;       ///< In one turn; each takes what is due to every target.
constexpr unsigned kLastAttempt = 4;  ///< For a message that the other side does not understand.
constexpr std::size_t kLongestSentence = 1'000;  ///< Characters of what others say.
constexpr std::chrono::seconds kHeldBack(60);    ///< Where the disk takes no back-off.
constexpr const char* kOutbox = "outbox";
constexpr const char* kOverflow = "overflow";
constexpr std::size_t kShownOfAnswer = 200;  ///< Characters.
constexpr std::size_t kShortestSecret = 4;   ///< What is shorter would hide half of the words.

Told mark_of(const Condition& condition) {
  return {condition.story.stack, condition.reason, condition.story.revision};
}

/// Whether the same trouble with another commit is another trouble.
bool is_of_revision(std::string_view reason) {
  return reason == "failed" || reason == "broken" || reason == "blocked" || reason == "rolled_back";
}

/// What is said of a change to `now` from what was told before: "" for nothing.
std::string reason_to_tell(const Condition& now, const Told* before) {
  const bool was_well = before == nullptr || before->reason.empty();
  if (!now.reason.empty()) return now.reason;
  return was_well ? std::string() : std::string("recovered");
}

/// Everything by which skep proves to a target who it is.
std::vector<std::string> secrets_of(const Target& target) {
  std::vector<std::string> secrets;
  for (const auto* one : {&target.url, &target.secret, &target.token, &target.mail.password})
    secrets.emplace_back(one->reveal());
  // Some chats' addresses end with what is the secret of it.
  const auto url = target.url.reveal();
  const auto host = url.find("://");
  const auto path = host == std::string_view::npos ? host : url.find('/', host + 3);
  if (path != std::string_view::npos) secrets.emplace_back(url.substr(path + 1));
  for (const auto& [name, value] : target.headers) secrets.push_back(value);
  std::erase_if(secrets, [](const auto& one) { return one.size() < kShortestSecret; });
  return secrets;
}

std::string title_in(const Delivery& delivery) {
  const auto message = nlohmann::json::parse(delivery.body, nullptr, false);
  return message.is_object() ? message.value("title", "") : std::string();
}

void replace(std::string& text, std::string_view what, std::string_view by) {
  if (const auto at = text.find(what); at != std::string::npos) text.replace(at, what.size(), by);
}

}  // namespace

Notifier::Notifier(NotifierOptions options, const Clock& clock, spdlog::logger& log)
    : options_(std::move(options)),
      clock_(clock),
      log_(log),
      courier_(options_.send, options_.send_mail) {}

Notifier::~Notifier() {
  thread_ = {};
  // What arrived just now is not to be sent again by the next agent.
  for (const auto& outcome : courier_.finish()) settle(outcome);
}

void Notifier::start() {
  thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
}

void Notifier::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    turn();
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kPause, [] { return false; });
  }
}

Story Notifier::finished(Story story) const {
  if (!options_.commit_url.empty() && !story.revision.empty()) {
    story.link = options_.commit_url;
    replace(story.link, "{commit}", story.revision);
  }
  if (options_.mask) {
    for (auto* text : {&story.what, &story.subject, &story.done, &story.author})
      *text = options_.mask(*text);
    for (auto* list : {&story.words, &story.changes}) {
      for (auto& text : *list) text = options_.mask(text);
    }
  }
  story.subject = one_line(story.subject);
  story.author = one_line(story.author);
  // Cut after masking: the beginning of a secret is one too.
  for (auto* text : {&story.what, &story.subject, &story.author})
    *text = at_most(*text, kLongestSentence);
  for (auto& words : story.words) words = at_most(words, kLongestSentence);
  return story;
}

void Notifier::turn() {
  if (!open()) return;
  tell(picture());
  deliver();
  const auto depth = outbox_->depth();  // Reads the disk: the loop must not wait for that.
  const std::lock_guard lock(mutex_);
  waiting_ = depth;
}

std::size_t Notifier::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

bool Notifier::open() {
  if (outbox_) return true;
  auto opened = Outbox::open(options_.file, options_.limits);
  if (!opened) return trouble(opened.error());
  if (const auto& aside = opened->set_aside(); !aside.empty()) {
    log_.warn(
        logfmt("the file of waiting notifications is damaged; it was set aside and a new one "
               "begun, and present troubles are told once more",
               {{"file", aside}}));
  }
  std::vector<std::string> names;
  for (const auto& target : options_.targets) names.push_back(target.name);
  const auto told = opened->told();
  if (!told) return trouble(told.error());
  if (const auto kept = opened->keep_targets(names); !kept) return trouble(kept.error());
  said_in_log_.erase(kOutbox);
  for (const auto& one : *told) told_[one.stack] = one;
  outbox_ = *std::move(opened);
  return true;
}

std::chrono::milliseconds Notifier::settle_of(const Condition& condition) const {
  const bool outage = !condition.reason.empty() && troubles_.size() > options_.one_by_one;
  return outage ? std::max(options_.outage, options_.settle) : options_.settle;
}

std::vector<std::string> Notifier::gone_from(const Picture& picture) const {
  std::vector<std::string> gone;
  if (!picture.complete) return gone;
  for (const auto& [name, told] : told_) {
    const bool stack = name != kGit && name != kSwarm;
    if (stack && !picture.stacks.contains(name)) gone.push_back(name);
  }
  return gone;
}

void Notifier::tell(Picture picture) {
  const auto now = clock_.steady();
  std::erase_if(troubles_, [&](SteadyTime at) { return now - at >= options_.outage; });
  std::vector<Condition> changes;
  bool due = false;
  auto gone = gone_from(picture);
  for (const auto& name : gone) {  // A trouble that was told has an end that is told.
    const auto& reason = told_.at(name).reason;
    if (reason.empty()) continue;
    auto& story = picture.conditions[name].story;
    story.stack = name;
    story.what = end_of(reason);
    story.gone = true;
  }
  std::erase_if(changed_,
                [&](const auto& entry) { return !picture.conditions.contains(entry.first); });
  for (auto& event : picture.events) unsaid_.push_back(std::move(event));
  for (const auto& [name, condition] : picture.conditions) {
    const auto told = told_.find(name);
    const auto* before = told == told_.end() ? nullptr : &told->second;
    const bool same =
        before != nullptr && before->reason == condition.reason &&
        (!is_of_revision(condition.reason) || before->revision == condition.story.revision);
    if (same) {
      changed_.erase(name);
      // Told so lately that it was not said again: what still stands after that is.
      if (owed_.count(name) == 0) continue;
      const auto lately = outbox_->said_lately(mark_of(condition), clock_.now());
      if (!lately || *lately) continue;
      owed_.erase(name);
      due = true;
      changes.push_back(condition);
      continue;
    }
    owed_.erase(name);
    const auto since = changed_.try_emplace(name, now).first->second;
    due = due || now - since >= settle_of(condition);
    changes.push_back(condition);
  }
  if (!due) changes.clear();
  if (!changes.empty() || !unsaid_.empty()) {
    for (const auto& event : unsaid_) changes.push_back(event);
    if (put(std::move(changes))) unsaid_.clear();
    if (unsaid_.size() > kMostEvents) unsaid_.clear();
  }
  std::erase_if(gone, [&](const auto& name) { return !told_.at(name).reason.empty(); });
  if (gone.empty() || !outbox_->forget(gone)) return;
  for (const auto& name : gone) {
    told_.erase(name);
    owed_.erase(name);
    changed_.erase(name);
  }
}

bool Notifier::put(std::vector<Condition> changes) {
  const auto now = clock_.now();
  std::map<std::string, std::vector<Story>> by_reason;
  std::map<std::string, std::vector<Told>> said;
  std::vector<Told> marks;
  std::size_t repeated = 0;
  std::set<std::array<std::string, 3>> in_this;
  for (auto& change : changes) {
    const bool event = change.reason == "drift_healed";
    const auto told = told_.find(change.story.stack);
    const auto reason = event
                            ? change.reason
                            : reason_to_tell(change, told == told_.end() ? nullptr : &told->second);
    if (!event) marks.push_back(mark_of(change));
    if (reason.empty()) continue;
    Told saying{change.story.stack, reason, change.story.revision};
    if (reason == "recovered") {
      // One recovery for each trouble that was told, whatever came between.
      saying.reason += " from " + told->second.reason;
      saying.revision = told->second.revision;
      if (change.story.what.empty())
        change.story.what = recovery_from(told->second.reason, change.story.stack);
    }
    const auto lately = outbox_->said_lately(saying, now);
    const bool first = in_this.insert({saying.stack, saying.reason, saying.revision}).second;
    if (!first || (lately && *lately)) {
      ++repeated;
      if (first && !event && reason != "recovered") owed_.insert(saying.stack);
      continue;
    }
    by_reason[reason].push_back(finished(std::move(change.story)));
    said[reason].push_back(saying);
    if (reason != "recovered" && !event) troubles_.push_back(clock_.steady());
  }
  std::vector<Outbox::Entry> entries;
  const auto add = [&](const std::string& reason, std::vector<Story> stories) {
    Outbox::Entry entry;
    entry.said = std::exchange(said[reason], {});
    entry.message = {reason, options_.instance, now, std::move(stories)};
    for (const auto& target : options_.targets) {
      if (target.only.empty() || target.only.contains(reason)) entry.targets.push_back(target.name);
    }
    entries.push_back(std::move(entry));
  };
  for (auto& [reason, stories] : by_reason) {
    if (stories.size() > options_.one_by_one) {
      add(reason, std::move(stories));
      continue;
    }
    for (auto& story : stories) add(reason, {std::move(story)});
  }
  const auto dropped = outbox_->put(entries, marks, now);
  if (!dropped) return trouble(dropped.error());
  said_in_log_.erase(kOutbox);
  for (auto& mark : marks) {
    changed_.erase(mark.stack);
    told_[mark.stack] = std::move(mark);
  }
  if (*dropped == 0) {
    said_in_log_.erase(kOverflow);
  } else {
    say_once(kOverflow,
             logfmt("the oldest notifications are given up, for too many wait for one target",
                    {{"most", options_.limits.per_target}}));
  }
  for (std::size_t i = 0; i < *dropped; ++i) count("any", "dropped");
  for (std::size_t i = 0; i < repeated; ++i) count("any", "deduplicated");
  return true;
}

const Target* Notifier::target_named(const std::string& name) const {
  const auto found = std::find_if(options_.targets.begin(),
                                  options_.targets.end(),
                                  [&](const Target& one) { return one.name == name; });
  return found == options_.targets.end() ? nullptr : &*found;
}

void Notifier::deliver() {
  // What waits behind a delivered one is due too; what failed is not due again in this turn.
  bool more = true;
  for (int round = 0; more && round < kMostRounds; ++round) {
    more = false;
    const auto due = outbox_->due(clock_.now());
    if (!due) {
      trouble(due.error());
      return;
    }
    for (const auto& delivery : *due) {
      if (ended_.contains(delivery.id)) {
        more = strike(delivery.id) || more;
        continue;
      }
      const auto* target = target_named(delivery.target);
      if (target == nullptr || courier_.is_busy_with(target->name) ||
          clock_.steady() < held_back_[target->name])
        continue;
      courier_.carry(*target, delivery, clock_.now());
    }
    const auto outcomes = courier_.ended(more ? 0ms : kPatience);
    for (const auto& outcome : outcomes) settle(outcome);
    more = more || !outcomes.empty();
  }
}

void Notifier::settle(const Courier::Outcome& outcome) {
  const auto& delivery = outcome.delivery;
  const auto& target = *target_named(delivery.target);
  if (outcome.delivered) {
    count(target.type, "sent");
    said_in_log_.erase(target.name);
    say_refused(target, outcome);
    strike(delivery.id);
    return;
  }
  say_once(
      target.name,
      outcome.trouble,  // Some servers give each of their answers a number.
      logfmt("a notification could not be delivered; it is tried again",
             {{"target", target.name}, {"type", target.type}, {"error", why(target, outcome)}}));
  count(target.type, "failed");
  if (outcome.final && delivery.attempts >= kLastAttempt) {  // Those behind it may fare better.
    count(target.type, "dropped");
    say_dropped(target, outcome);
    strike(delivery.id);
    return;
  }
  const auto at_least = std::min(outcome.at_least, options_.limits.longest_asked);
  const auto kept = outbox_->failed(delivery, at_least, clock_.now());
  if (!kept) {
    held_back_[target.name] = clock_.steady() + std::max(kHeldBack, at_least);
    trouble(kept.error());
    return;
  }
  said_in_log_.erase(kOutbox);
  if (*kept) return;
  count(target.type, "dropped");
  say_dropped(target, outcome);
}

void Notifier::say_refused(const Target& target, const Courier::Outcome& outcome) {
  const auto subject = [&](const std::string& address) { return target.name + " " + address; };
  for (const auto& address : target.mail.to) {
    const auto refused = std::find_if(outcome.refused.begin(),
                                      outcome.refused.end(),
                                      [&](const auto& one) { return one.address == address; });
    if (refused == outcome.refused.end()) {
      said_in_log_.erase(subject(address));
      continue;
    }
    say_once(subject(address),
             "refused",  // Some servers give each of their answers a number.
             logfmt("a mail server refuses one of the addresses; the others are told",
                    {{"target", target.name},
                     {"address", address},
                     {"error", loggable(target, refused->said)}}));
  }
}

std::string Notifier::why(const Target& target, const Courier::Outcome& outcome) const {
  const auto said = loggable(target, outcome.said);
  return outcome.trouble + (said.empty() ? "" : ": " + said);
}

std::string Notifier::loggable(const Target& target, std::string said) const {
  for (const auto& secret : secrets_of(target)) {
    for (auto at = said.find(secret); at != std::string::npos; at = said.find(secret, at))
      said.replace(at, secret.size(), "***");
  }
  if (options_.mask) said = options_.mask(said);
  // Cut last: the beginning of a secret is one too.
  return at_most(one_line(said), kShownOfAnswer);
}

void Notifier::say_dropped(const Target& target, const Courier::Outcome& outcome) const {
  log_.error(logfmt("a notification is given up; nobody is told of it there",
                    {{"target", target.name},
                     {"type", target.type},
                     {"notification", title_in(outcome.delivery)},
                     {"id", outcome.delivery.id},
                     {"attempts", outcome.delivery.attempts + 1},
                     {"error", why(target, outcome)}}));
}

bool Notifier::strike(const std::string& id) {
  if (const auto struck = outbox_->delivered(id); !struck) {
    ended_.insert(id);
    return trouble(struck.error());
  }
  ended_.erase(id);
  said_in_log_.erase(kOutbox);
  return true;
}

bool Notifier::trouble(const Error& error) {
  if (!said_in_log_.contains(kOutbox)) count("any", "failed");
  say_once(kOutbox, "notifications wait: " + error.message);
  return false;
}

void Notifier::count(std::string_view type, std::string_view result) const {
  if (options_.counted) options_.counted(type, result);
}

void Notifier::say_once(const std::string& subject, const std::string& line) {
  say_once(subject, line, line);
}

void Notifier::say_once(const std::string& subject,
                        const std::string& what,
                        const std::string& line) {
  auto& said = said_in_log_[subject];
  if (said == what) return;
  said = what;
  log_.warn(line);
}

}  // namespace skep::notify
