#include <algorithm>

#include "core/logfmt.hpp"
#include "reconciler/agent/agent.hpp"
#include "reconciler/agent/explain.hpp"
#include "reconciler/agent/named_stack.hpp"
#include "reconciler/patience.hpp"

// What people ask the agent, beside what its loop does.
namespace skep::reconciler {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLogLines = 10;
constexpr std::size_t kLongestLine = 500;
constexpr std::size_t kMostLogs = 3;  ///< Services whose log is asked for.
constexpr auto kLogPatience = 3s;     ///< For all of them.
constexpr auto kTaskPatience = 5s;    ///< For the tasks of all services of a stack.

const repository::DesiredStack* find_desired(const repository::DesiredState* desired,
                                             const std::string& name) {
  if (desired == nullptr) return nullptr;
  for (const auto& stack : desired->stacks) {
    if (stack->source.name == name) return stack.get();
  }
  return nullptr;
}

/// Where a service stands in git, by any name that a person may call it.
struct Place {
  const repository::DesiredStack* stack = nullptr;
  const swarm::DesiredService* service = nullptr;
  std::string key;
};

std::vector<Place> find_places(const repository::DesiredState& desired, const std::string& word) {
  std::vector<Place> exact, by_key;
  for (const auto& stack : desired.stacks) {
    for (const auto& [key, service] : stack->spec.services) {
      const Place place{stack.get(), &service, key};
      if (service.spec.name == word || stack->source.name + "/" + key == word ||
          stack->source.group + "/" + stack->source.name + "/" + key == word)
        exact.push_back(place);
      if (key == word) by_key.push_back(place);
    }
  }
  return exact.empty() ? by_key : exact;
}

}  // namespace

void Agent::note_asked(const std::string& stack,
                       const std::string& what,
                       const std::string& actor) {
  auto full = stack;
  if (!stack.empty() && stack.find('/') == std::string::npos) {
    const std::lock_guard lock(mutex_);
    if (const auto* known = find_stack(status_, stack)) full = known->group + "/" + known->name;
  }
  auto text = what;
  redaction_->mask(text);
  observer_.noted({full, "asked", text, actor});
}

Result<std::string> Agent::way_back(const ports::StackStatus& status,
                                    const repository::DesiredStack& stack,
                                    const std::string& revision) const {
  if (!revision.empty()) return source_.find_commit(revision);
  for (const auto& commit : {status.healthy_revision, status.earlier_healthy_revision}) {
    if (commit.empty()) continue;
    const auto older = repository::stack_at(source_, options_.load, commit, status.name);
    if (older && (*older)->content != stack.content) return commit;
  }
  return Error{ErrorKind::invalid_input,
               "no healthy revision of " + status.name +
                   " is known that differs from what git has now; name one: `skep rollback " +
                   status.name + " REVISION`, `skep history " + status.name + "` lists them"};
}

Result<void> Agent::rollback(const std::string& stack,
                             const std::string& revision,
                             const std::string& actor) {
  const auto status = this->status();
  const auto* known = find_stack(status, stack);
  if (known == nullptr) return no_stack(status, stack);
  const auto refuse = [&](const std::string& why) {
    return Error{ErrorKind::invalid_input, known->name + " " + why};
  };
  const auto desired = this->desired();
  const auto* wanted = find_desired(desired.get(), known->name);
  if (wanted == nullptr) return refuse("is not in git any more; nothing is there to go back from");
  if (wanted->broken()) {
    return refuse(
        "has mistakes in git, so what git has now does not run; mend it (`skep validate`)");
  }
  if (known->suspension) return refuse("is suspended; `skep resume " + known->name + "` first");
  if (known->applied_revision.empty())
    return refuse("was never deployed by this agent; `skep explain " + known->name + "` says why");
  if (wanted->source.settings.policy.sync == repository::SyncMode::observe)
    return refuse("is only observed (sync: observe), so nothing of it is changed");
  const auto commit = way_back(*known, *wanted, revision);
  if (!commit) return commit.error();
  const auto target = repository::stack_at(source_, options_.load, *commit, known->name);
  if (!target) return Error(target.error()).within("revision " + commit->substr(0, 12));
  if ((*target)->content == wanted->content) {
    return refuse("is the same at " + commit->substr(0, 12) + " as in what git has now (" +
                  desired->revision.abbreviated() + "); name an older revision");
  }
  reconciler_.rollback(known->name, {*commit, (*target)->content, wanted->content, actor});
  note_asked(known->group + "/" + known->name, "rollback to " + commit->substr(0, 12), actor);
  log_.info(logfmt("rollback asked for",
                   {{"stack", known->name}, {"revision", *commit}, {"actor", actor}}));
  wake();
  return {};
}

Result<ports::Explanation> Agent::explain(const std::string& stack) const {
  const auto status = this->status();
  const auto* known = find_stack(status, stack);
  if (known == nullptr) return no_stack(status, stack);
  auto explanation = explain_stack(status, *known);
  if (!status.docker_up) return explanation;
  std::size_t asked = 0;
  const Patience patience(clock_, kLogPatience);
  for (auto& service : explanation.services) {
    const bool wrong = service.running < service.desired && !service.trouble.empty();
    if (!wrong || asked++ >= kMostLogs) continue;
    auto lines = engine_.log_tail(service.name, kLogLines, patience.token());
    if (!lines) continue;  // The engine's words on the task are there all the same.
    for (auto& line : *lines) {
      redaction_->mask(line);
      if (line.size() > kLongestLine) line.resize(kLongestLine);
      service.log.push_back(std::move(line));
    }
  }
  return explanation;
}

Result<std::vector<ports::TaskStatus>> Agent::tasks(const std::string& stack) const {
  const auto status = this->status();
  const auto* known = find_stack(status, stack);
  if (known == nullptr) return no_stack(status, stack);
  const Patience patience(clock_, kTaskPatience);
  std::vector<ports::TaskStatus> tasks;
  for (const auto& service : known->services) {
    // The engine takes a name for an id, and a task does not say its service's name.
    auto found = engine_.tasks({service.name}, patience.token());
    if (!found) return Error(found.error()).within("tasks of " + service.name);
    for (auto& task : *found) {
      redaction_->mask(task.message);
      redaction_->mask(task.error);
      tasks.push_back({.id = std::move(task.id),
                       .service = service.name,
                       .node = std::move(task.node_id),
                       .slot = task.slot,
                       .image = std::move(task.image),
                       .state = std::move(task.state),
                       .desired_state = std::move(task.desired_state),
                       .message = std::move(task.message),
                       .error = std::move(task.error),
                       .timestamp = std::move(task.timestamp)});
    }
  }
  return tasks;
}

Result<ports::Trace> Agent::trace(const std::string& service) const {
  const auto status = this->status();
  const auto desired = this->desired();
  if (!desired) {
    return Error{
        ErrorKind::unavailable,
        "git was not read yet" + (status.fetch_error.empty() ? "" : ": " + status.fetch_error)};
  }
  const auto places = find_places(*desired, service);
  if (places.size() > 1) {
    std::string names;
    for (const auto& place : places)
      names += (names.empty() ? "" : ", ") + place.service->spec.name;
    return Error{ErrorKind::invalid_input,
                 service + " is the name of several services: " + names + "; say which"};
  }
  ports::Trace trace;
  trace.service = service;
  if (places.empty()) {
    std::vector<std::string> names;
    for (const auto& stack : status.stacks) {
      for (const auto& one : stack.services) {
        names.push_back(one.name);
        if (one.name != service) continue;
        trace.stack = stack.group + "/" + stack.name;
        trace.image = one.image;
        trace.note =
            "runs in this stack, but git does not name it: made by hand, or removed from "
            "git and not pruned yet";
        return trace;
      }
    }
    for (const auto& stack : desired->stacks) {
      for (const auto& [key, one] : stack->spec.services) names.push_back(one.spec.name);
    }
    const auto near = nearest(service, names);
    return Error{ErrorKind::invalid_input,
                 "no stack of the repository has a service " + service +
                     (near.empty() ? "" : "; did you mean " + near + "?")};
  }
  const auto& place = places.front();
  trace.service = place.service->spec.name;
  trace.stack = place.stack->source.group + "/" + place.stack->source.name;
  trace.at = place.service->at;
  trace.running = desired->revision;
  const auto* known = find_stack(status, trace.stack);
  if (known == nullptr) {
    trace.note = "git has it, the swarm was not looked at yet";
  } else {
    for (const auto& one : known->services) {
      if (one.name == trace.service) trace.image = one.image;
    }
    // What runs may be of an older commit than what git has.
    const bool back = !known->rolled_back_to.empty();
    const bool pending =
        known->plan && !known->plan->empty() && known->drift_cause == ports::DriftCause::pending;
    const auto commit = back      ? known->rolled_back_to
                        : pending ? known->applied_revision
                                  : std::string();
    if (!commit.empty() && commit != desired->revision.commit) {
      const auto older = repository::stack_at(source_, options_.load, commit, known->name);
      const auto snapshot = source_.snapshot_at(commit);
      if (older && snapshot) {
        trace.running = (*snapshot)->revision();
        const auto then = (*older)->spec.services.find(place.key);
        trace.at.reset();
        if (then != (*older)->spec.services.end()) trace.at = then->second.at;
      }
      trace.note = back ? "rolled back: git has " + desired->revision.abbreviated()
                        : "git has moved on to " + desired->revision.abbreviated() +
                              ", which is not carried out yet";
    } else if (trace.image.empty()) {
      trace.note = "git has it, but it does not run; `skep explain " + known->name + "` says why";
    }
    if (!known->message.empty())
      trace.note +=
          (trace.note.empty() ? "" : " (") + known->message + (trace.note.empty() ? "" : ")");
  }
  if (!trace.at) return trace;
  const auto path = RepoPath::parse(trace.at->file);
  if (!path) return trace;
  auto change = source_.last_change(trace.running.commit, *path);
  if (change) trace.last_change = *std::move(change);
  return trace;
}

}  // namespace skep::reconciler
