#include "reconciler/agent/explain.hpp"

#include <algorithm>

#include "diff/render.hpp"

namespace skep::reconciler {
namespace {

using ports::Condition;
using ports::Health;
using ConditionState = ports::Condition::State;

std::string shortened(const std::string& commit) {
  return commit.empty() ? "the work tree" : commit.substr(0, 12);
}

/// "`skep WHAT NAME`"
std::string verb(const std::string& what, const ports::StackStatus& stack) {
  return "`skep " + what + " " + stack.name + "`";
}

bool needs_attention(const ports::ServiceStatus& service) {
  return service.running < service.desired || !service.trouble.empty() ||
         service.update_state == "updating" || service.update_state == "paused" ||
         service.update_state.starts_with("rollback_");
}

class Chain {
 public:
  Chain(const ports::AgentStatus& agent, const ports::StackStatus& stack)
      : agent_(agent), stack_(stack) {}

  std::vector<Condition> links() && {
    git();
    files();
    swarm();
    approval();
    suspension();
    quarantine();
    policy();
    order();
    obstacles();
    difference();
    rollout();
    hook();
    retry();
    return std::move(links_);
  }

 private:
  Condition& add(std::string name,
                 ConditionState state,
                 std::string text,
                 std::string remedy = {}) {
    links_.push_back({std::move(name), state, std::move(text), std::move(remedy), {}, {}});
    return links_.back();
  }

  void git() {
    if (!agent_.fetch_error.empty()) {
      add("git",
          ConditionState::failed,
          "git cannot be read: " + agent_.fetch_error + "; revision " + shortened(agent_.revision) +
              " stays what is wanted",
          "mend what is said there; it is tried again at each interval")
          .since = agent_.last_fetch;
    } else if (agent_.revision.empty() && !agent_.last_fetch) {
      add("git", ConditionState::waiting, "no revision has been read yet");
    } else {
      add("git",
          ConditionState::good,
          "revision " + shortened(agent_.revision) +
              (agent_.revision_subject.empty() ? "" : " \"" + agent_.revision_subject + "\"") +
              (agent_.revision_author.empty() ? "" : " by " + agent_.revision_author))
          .since = agent_.last_fetch;
    }
  }

  void files() {
    if (!agent_.repository_errors.empty()) {
      add("files",
          ConditionState::failed,
          "mistakes that concern the whole repository freeze everything: " +
              agent_.repository_errors.front(),
          "mend them and push; `skep validate` shows them all");
    } else if (stack_.verdict == "broken") {
      add("files",
          ConditionState::failed,
          stack_.message,
          "mend it and push; `skep validate` shows every mistake with file and line");
    } else if (stack_.target_revision.empty() && stack_.declared.empty()) {
      add("files", ConditionState::waiting, "its directory is not in git any more");
    } else {
      add("files", ConditionState::good, stack_.path + " can be read and rendered");
    }
  }

  void swarm() {
    if (agent_.docker_up) {
      add("swarm", ConditionState::good, "the engine answers");
      return;
    }
    add("swarm",
        ConditionState::failed,
        "the swarm cannot be read" +
            (agent_.docker_error.empty() ? "" : ": " + agent_.docker_error) +
            "; nothing is known and nothing is changed",
        "check that the engine runs and is a manager with a quorum: `docker node ls`");
  }

  void approval() {
    const bool held = stack_.held && !stack_.quarantined;
    if (held) {
      add("approval",
          ConditionState::stopped,
          stack_.message,
          verb("plan", stack_) + " shows what waits");
    } else if (!stack_.applied_revision.empty()) {
      const bool arrived = stack_.applied_revision == stack_.healthy_revision;
      add("approval",
          ConditionState::good,
          stack_.rolled_back_to.empty()
              ? "it is ours; " + shortened(stack_.applied_revision) +
                    (arrived ? " was carried out last" : " was begun last")
              : "it is ours; it went back to " + shortened(stack_.rolled_back_to));
    }
  }

  void suspension() {
    if (!stack_.suspension) return;
    const auto& suspension = *stack_.suspension;
    auto& link = add("suspension",
                     ConditionState::stopped,
                     "suspended by " + suspension.actor +
                         (suspension.reason.empty() ? "" : ": " + suspension.reason),
                     verb("resume", stack_) + " ends it");
    link.since = suspension.since;
    link.until = suspension.until;
  }

  void quarantine() {
    if (!stack_.quarantined) return;
    std::string text = "revision " + shortened(stack_.quarantined_revision) + " is quarantined";
    if (!stack_.quarantine_reason.empty()) text += " (" + stack_.quarantine_reason + ")";
    text += stack_.rolled_back_to.empty()
                ? "; the stack is left as it stands"
                : "; the stack is at " + shortened(stack_.rolled_back_to) + " instead";
    add("quarantine",
        ConditionState::stopped,
        text,
        "push a commit that changes the stack, or try this one again with " + verb("sync", stack_));
  }

  void policy() {
    if (stack_.verdict != "reported" || stack_.suspension) return;
    const auto remedy = stack_.mode == "observe" ? "set sync: auto in its skep.yaml to change that"
                                                 : verb("sync", stack_) + " carries it out once";
    add("policy", ConditionState::stopped, stack_.message, remedy);
  }

  void order() {
    if (stack_.waits_for.empty()) return;
    const auto other = std::find_if(agent_.stacks.begin(),
                                    agent_.stacks.end(),
                                    [&](const auto& one) { return one.name == stack_.waits_for; });
    auto text = stack_.message;
    if (other != agent_.stacks.end()) {
      text += "; " + other->group + "/" + other->name + " is " +
              std::string(to_string(other->health)) +
              (other->message.empty() ? "" : ": " + other->message);
    }
    add("order",
        ConditionState::waiting,
        text,
        "`skep explain " + stack_.waits_for + "` says why that waits");
  }

  void obstacles() {
    if (stack_.verdict == "blocked") {
      add("obstacle",
          ConditionState::failed,
          goes_back() ? all_obstacles() : stack_.message,
          goes_back()
              ? "mend it in the swarm, or have what is in git now with " + verb("sync", stack_)
              : "mend it in git or in the swarm; " + verb("plan", stack_) + " shows all of it");
    } else if (stack_.verdict == "wait" && stack_.waits_for.empty() && !stack_.next_retry) {
      add("waiting", ConditionState::waiting, stack_.message);
    }
  }

  void difference() {
    if (!stack_.plan) return;
    const auto& plan = *stack_.plan;
    if (plan.empty()) {
      const auto left = std::find_if(plan.notes.begin(), plan.notes.end(), [](const auto& note) {
        return note.severity == diff::Note::Severity::warning;
      });
      if (left == plan.notes.end()) {
        add("difference", ConditionState::good, "what runs is what is wanted");
      } else {  // What the engine cannot change, and nobody may replace.
        add("difference", ConditionState::stopped, left->text);
      }
      return;
    }
    const bool live = stack_.drift_cause == ports::DriftCause::live;
    std::string text = std::to_string(plan.actions.size()) +
                       (plan.actions.size() == 1 ? " object differs" : " objects differ") +
                       (live          ? ", for somebody changed the swarm"
                        : goes_back() ? ", for it goes back to " + shortened(stack_.rolled_back_to)
                                      : ", for git moved") +
                       ": ";
    std::string names;
    for (const auto& action : plan.actions) {
      if (names.size() > 200) {
        names += ", …";
        break;
      }
      names += (names.empty() ? "" : ", ") + action.name;
    }
    const bool on_its_way = stack_.verdict == "apply" || stack_.verdict == "wait";
    add("difference",
        on_its_way ? ConditionState::waiting : ConditionState::stopped,
        text + names,
        goes_back() ? verb("status", stack_) + " names the fields"
                    : verb("plan", stack_) + " shows the fields")
        .since = stack_.drift_since;
  }

  void rollout() {
    std::string troubles;
    for (const auto& service : stack_.services) {
      if (!needs_attention(service)) continue;
      troubles += (troubles.empty() ? "" : "; ") + service.name + " " +
                  std::to_string(service.running) + "/" + std::to_string(service.desired);
      if (!service.trouble.empty()) troubles += " (" + service.trouble + ")";
    }
    const auto health = std::string(to_string(stack_.health));
    // Where nothing of the services is wrong, the stack's own sentence says what it waits for.
    const bool waits = troubles.empty() && stack_.operation && stack_.consecutive_failures == 0;
    if (waits) troubles = stack_.message;
    const auto text = health + (troubles.empty() ? "" : ": " + troubles);
    if (stack_.health == Health::healthy && !stack_.operation) {
      add("rollout", ConditionState::good, "every service runs as many tasks as it should");
      return;
    }
    // What nobody has made yet is missing, and nothing failed.
    const bool to_come = stack_.operation || stack_.verdict == "wait" || stack_.verdict == "apply";
    const bool wrong =
        stack_.health == Health::degraded || (stack_.health == Health::missing && !to_come);
    auto& link = add("rollout", wrong ? ConditionState::failed : ConditionState::waiting, text);
    if (stack_.operation) {
      const auto& operation = *stack_.operation;
      link.text += "; a deployment (" + operation.trigger +
                   (operation.actor.empty() ? "" : ", asked for by " + operation.actor) +
                   ") is going on";
      link.since = operation.started;
      link.until = operation.deadline;
    }
    if (stack_.health == Health::degraded) {
      const bool back =
          !stack_.healthy_revision.empty() && stack_.healthy_revision != stack_.applied_revision;
      link.remedy = "mend what the engine says and push" +
                    (back ? ", or go back with " + verb("rollback", stack_) : std::string()) +
                    (has_logs() ? "; " + verb("logs", stack_) + " has more" : std::string());
    } else if (stack_.health == Health::missing && !stack_.operation && !stack_.plan) {
      link.remedy = verb("sync", stack_) + " looks again";
    }
  }

  /// Of a stack that is as it should be there is nothing else to say.
  void hook() {
    if (stack_.verdict != "nothing" || stack_.health != Health::healthy || stack_.operation ||
        stack_.message.empty() || stack_.consecutive_failures > 0)
      return;
    add("hook",
        ConditionState::failed,
        stack_.message,
        "see to what the hook was for; it runs again with the next change of the stack");
  }

  void retry() {
    if (stack_.consecutive_failures == 0) return;
    const auto count = stack_.consecutive_failures;
    auto& link =
        add("retry",
            stack_.next_retry ? ConditionState::waiting : ConditionState::failed,
            "failed " + std::to_string(count) + (count == 1 ? " time" : " times in a row") +
                // While it is suspended its sentence is about that, and not about the failure.
                (stack_.message.empty() || stack_.suspension ? "" : ": " + stack_.message),
            stack_.next_retry ? verb("sync", stack_) + " tries at once, a new commit too"
                              : std::string());
    link.since = stack_.last_failure;
    link.until = stack_.next_retry;
  }

  /// What is planned is an older revision, of which `skep plan` in a clone knows nothing.
  [[nodiscard]] bool goes_back() const { return !stack_.rolled_back_to.empty(); }

  [[nodiscard]] std::string all_obstacles() const {
    std::string text;
    for (const auto& note : stack_.plan ? stack_.plan->notes : std::vector<diff::Note>()) {
      if (note.severity == diff::Note::Severity::blocked)
        text += (text.empty() ? "" : "; ") + note.text;
    }
    return text.empty() ? stack_.message : text;
  }

  /// A task that no node takes, or that waits to be placed, never wrote a line.
  [[nodiscard]] bool has_logs() const {
    return std::any_of(stack_.services.begin(), stack_.services.end(), [](const auto& service) {
      const auto& trouble = service.trouble;
      return !trouble.empty() && trouble.find("no suitable node") == std::string::npos &&
             trouble.find("invalid mount config") == std::string::npos &&
             !trouble.starts_with("new: ") && !trouble.starts_with("pending: ");
    });
  }

  const ports::AgentStatus& agent_;
  const ports::StackStatus& stack_;
  std::vector<Condition> links_;
};

}  // namespace

ports::Explanation explain_stack(const ports::AgentStatus& agent, const ports::StackStatus& stack) {
  ports::Explanation explanation;
  explanation.stack = stack.group + "/" + stack.name;
  explanation.conditions = Chain(agent, stack).links();
  // What a person decided, and what is broken, explains more than what merely waits for it.
  const auto first = [&](auto&& is) {
    return std::find_if(explanation.conditions.begin(),
                        explanation.conditions.end(),
                        [&](const Condition& link) { return is(link.state); });
  };
  auto at = first([](ConditionState state) {
    return state == ConditionState::failed || state == ConditionState::stopped;
  });
  if (at == explanation.conditions.end())
    at = first([](ConditionState state) { return state == ConditionState::waiting; });
  explanation.summary =
      at == explanation.conditions.end() ? "it runs as git says, and is healthy" : at->text;
  for (const auto& service : stack.services) {
    explanation.services.push_back({service.name,
                                    service.image,
                                    service.running,
                                    service.desired,
                                    service.update_state,
                                    service.trouble,
                                    {}});
  }
  return explanation;
}

}  // namespace skep::reconciler
