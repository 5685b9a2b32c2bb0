#include <algorithm>
#include <random>
#include <utility>

#include "core/logfmt.hpp"
#include "reconciler/agent/agent.hpp"
#include "reconciler/agent/older_than_swarm.hpp"

// The agent's thread that follows git.
namespace skep::reconciler {
namespace {

/// What a revision changed about what can be carried out.
ports::RevisionReport difference_of(const repository::DesiredState& now,
                                    const repository::DesiredState* before) {
  ports::RevisionReport report;
  report.commit = now.revision.commit;
  report.committed_at = now.revision.committed_at;
  report.rendered = now.rendered;
  report.reused = now.stacks.size() - std::min(now.rendered, now.stacks.size());
  if (before == nullptr) return report;
  for (const auto& stack : now.stacks) {
    if (!stack->broken()) continue;
    const auto same =
        std::find_if(before->stacks.begin(), before->stacks.end(), [&](const auto& other) {
          return other->source.name == stack->source.name && other->findings == stack->findings &&
                 other->conflicts == stack->conflicts;
        });
    if (same != before->stacks.end()) continue;
    report.refused.push_back({stack->source.group + "/" + stack->source.name,
                              has_errors(stack->findings) ? "render" : "validate"});
  }
  return report;
}

/// Why nothing of a revision is carried out, with the places; "" where it can be.
std::string mistakes_of(const repository::DesiredState& state) {
  return state.broken() ? to_string(to_error(state.findings)) : std::string();
}

std::vector<std::string> lines_of(const Findings& findings) {
  std::vector<std::string> lines;
  for (const auto& finding : findings) lines.push_back(to_string(Findings{finding}));
  return lines;
}

}  // namespace

void Agent::follow_git(std::stop_token stop) {
  std::minstd_rand random(static_cast<std::uint32_t>(clock_.now().time_since_epoch().count()));
  while (!stop.stop_requested()) {
    auto why = ports::RevisionReport::Source::poll;
    std::vector<std::pair<std::string, std::string>> asked_syncs;
    {
      const std::lock_guard lock(mutex_);
      asked_syncs = std::exchange(asked_syncs_, {});
      fetch_now_ = false;
      if (asked_) why = ports::RevisionReport::Source::manual;
      if (hinted_) why = ports::RevisionReport::Source::webhook;
      hinted_ = asked_ = false;
    }
    const auto started = clock_.steady();
    auto snapshot = source_.fetch(stop);
    if (stop.stop_requested()) return;
    ports::FetchReport report;
    report.ok = snapshot.has_value();
    report.duration =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady() - started);
    if (snapshot) {
      report.revision = (*snapshot)->revision().commit;
      report.author = (*snapshot)->revision().author;
      report.subject = (*snapshot)->revision().subject;
      report.unreadable = look(*snapshot, why);
      redaction_->mask(report.subject);  // By what it brought, too.
    } else {
      report.error = snapshot.error().message;
      // After a restart while the remote is away, what was fetched last is worth more than nothing.
      // Never before git was asked: a state directory may be older than what runs.
      if (!desired()) {
        if (auto last = source_.last_good()) {
          const auto older = older_than_swarm(source_, engine_, options_.reconciler.instance, stop);
          if (older.empty()) {
            (void)look(last, std::nullopt);
          } else {
            report.error += "; " + older;
          }
        }
      }
      const std::lock_guard lock(mutex_);
      if (status_.fetch_error != report.error) {
        log_.warn(logfmt("git could not be read; the last good revision stays",
                         {{"error", report.error}}));
      }
      status_.fetch_error = report.error;
      report.refused = source_.refusal();
    }
    observer_.fetched(report);
    // Whoever pushed and then asks means what was pushed.
    for (const auto& [stack, actor] : asked_syncs) reconciler_.request(stack, actor);
    if (!asked_syncs.empty()) wake();
    std::uniform_int_distribution<std::int64_t> jitter(0, options_.interval.count() / 10);
    std::unique_lock lock(mutex_);
    news_arrived_.wait_for(
        lock, stop, options_.interval + std::chrono::milliseconds(jitter(random)), [this] {
          return fetch_now_;
        });
  }
}

void Agent::note_readable() {
  if (!status_.fetch_error.empty()) log_.info("git is readable");
  status_.fetch_error.clear();
}

std::string Agent::look(const std::shared_ptr<const ports::Snapshot>& snapshot,
                        std::optional<ports::RevisionReport::Source> source) {
  const auto seen_at = clock_.now();
  const auto previous = desired();
  const auto& revision = snapshot->revision();
  const auto nothing_new = [&] {
    const std::lock_guard lock(mutex_);
    note_readable();
    status_.last_fetch = clock_.now();
    return mistakes_of(*previous);
  };
  const bool known =
      previous && previous->revision.commit == revision.commit && !revision.commit.empty();
  if (known && !previous->troubled) return nothing_new();
  const auto started = clock_.steady();
  auto loaded = repository::load_desired_state(*snapshot, options_.load, previous.get());
  if (known && loaded && loaded->says_the_same(*previous)) return nothing_new();
  observer_.phase("render", clock_.steady() - started);
  if (!loaded) {
    const std::lock_guard lock(mutex_);
    if (status_.fetch_error != loaded.error().message) {
      log_.error(logfmt("the repository could not be read; the last good revision stays",
                        {{"revision", revision.commit}, {"error", loaded.error().message}}));
    }
    status_.fetch_error = loaded.error().message;
    return to_string(loaded.error());
  }
  log_.info(logfmt("revision loaded",
                   {{"revision", revision.abbreviated()},
                    {"stacks", loaded->stacks.size()},
                    {"rendered", loaded->rendered}}));
  for (const auto& secret : loaded->secrets) redaction_->add(secret.data);
  const auto mistakes = mistakes_of(*loaded);
  if (!mistakes.empty()) {
    log_.error(logfmt("the repository has mistakes; nothing is changed until they are mended",
                      {{"revision", revision.commit}, {"error", mistakes}}));
  }
  for (const auto& stack : loaded->stacks) {
    redaction_->add(stack->spec);
    if (stack->broken())
      log_.error(logfmt(
          "stack cannot be rendered",
          {{"stack", stack->source.name}, {"error", to_string(to_error(stack->all_findings()))}}));
  }
  auto subject = revision.subject;
  redaction_->mask(subject);
  observer_.noted(
      {"", "revision", revision.abbreviated() + " \"" + subject + "\" by " + revision.author});
  auto report = difference_of(*loaded, previous.get());
  report.seen_at = seen_at;
  if (previous) report.source = source;
  observer_.revised(report);
  {
    const std::lock_guard lock(mutex_);
    status_.revision = revision.commit;
    status_.revision_subject = std::move(subject);
    status_.revision_author = revision.author;
    status_.repository_errors = lines_of(loaded->findings);
    file_notes_ = lines_of(loaded->file_findings);
    status_.last_fetch = clock_.now();
    note_readable();
    desired_ = std::make_shared<const repository::DesiredState>(*std::move(loaded));
    news_ = true;
  }
  news_arrived_.notify_all();
  return mistakes;
}

}  // namespace skep::reconciler
