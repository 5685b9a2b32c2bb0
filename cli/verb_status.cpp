#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

#include "cli/agent_client.hpp"
#include "cli/agent_words.hpp"
#include "cli/live_screen.hpp"
#include "reconciler/agent/named_stack.hpp"
#include "server/status_json.hpp"

namespace skep::cli {
namespace {

struct StatusFlags {
  AgentFlags agent;
  std::string output = "text";
  std::string stack;
  bool watch = false;
};

constexpr auto kBetweenLooks = std::chrono::seconds(1);  ///< Between two looks of --watch.

void pad(std::string& line, std::size_t width) {
  if (line.size() < width) line.append(width - line.size(), ' ');
  line += "  ";
}

std::string tasks_of(const ports::StackStatus& stack) {
  std::uint64_t running = 0;
  std::uint64_t desired = 0;
  for (const auto& service : stack.services) {
    running += service.running;
    desired += service.desired;
  }
  return std::to_string(running) + "/" + std::to_string(desired);
}

std::string drift_of(const ports::StackStatus& stack) {
  if (!stack.drift_cause || !stack.plan) return "";
  std::string text = *stack.drift_cause == ports::DriftCause::live ? "edited by hand" : "git moved";
  if (stack.drift_since) text += " since " + to_rfc3339(*stack.drift_since);
  for (const auto& action : stack.plan->actions) {
    text += "; " + action.name;
    std::string fields;
    for (const auto& change : action.changes) {
      if (fields.find(change.path) == std::string::npos)
        fields += (fields.empty() ? ": " : ", ") + change.path;
    }
    text += fields;
  }
  return text;
}

/// How old the picture is, where it is not the present one; "" where it is.
std::string staleness_of(const ports::AgentStatus& status) {
  constexpr auto kPresent = std::chrono::seconds(20);  // The swarm is looked at every ten.
  const bool stale = !status.docker_up || (status.observed_age && *status.observed_age > kPresent);
  if (!stale) return "";
  if (!status.observed_at) return "never read yet";
  std::string text = "last read at " + to_rfc3339(*status.observed_at);
  if (status.observed_age) {
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(*status.observed_age);
    text += ", " + std::to_string(age.count()) + " s ago";
  }
  return text;
}

bool meant(const ports::StackStatus& stack, const std::string& only) {
  return only.empty() || reconciler::is_named(stack, only);
}

void print(std::ostream& out, const ports::AgentStatus& status, const std::string& only) {
  if (only.empty()) {
    out << "source    " << printable(status.source) << "\n";
    out << "revision  " << status.revision.substr(0, 12) << "  "
        << printable(status.revision_subject) << "\n";
    if (!status.fetch_error.empty()) {
      out << "git       cannot be read"
          << (status.last_fetch ? " since " + to_rfc3339(*status.last_fetch) : "") << ": "
          << printable(status.fetch_error) << "\n";
    }
    for (const auto& error : status.repository_errors)
      out << "error     " << printable(error) << "\n";
    for (const auto& note : status.notes) out << "note      " << printable(note) << "\n";
  }
  if (!status.standby_for.empty()) {
    out << "standby   this agent waits; active is " << printable(status.standby_for) << "\n";
    return;
  }
  if (const auto stale = staleness_of(status); !stale.empty()) {
    out << "swarm     " << stale
        << (status.docker_error.empty() ? "" : ": " + printable(status.docker_error)) << "\n";
  }
  if (only.empty()) out << "\n";
  std::size_t width = 5;
  for (const auto& stack : status.stacks)
    width = std::max(width, (stack.group + "/" + stack.name).size());
  std::string head = "STACK";
  pad(head, width);
  out << head << "SYNC         HEALTH       TASKS  MESSAGE\n";
  for (const auto& stack : status.stacks) {
    if (!meant(stack, only)) continue;
    std::string line = stack.group + "/" + stack.name;
    pad(line, width);
    std::string sync(to_string(stack.sync));
    pad(sync, 11);
    std::string health(to_string(stack.health));
    pad(health, 11);
    std::string tasks = tasks_of(stack);
    pad(tasks, 5);
    out << line << sync << health << tasks << printable(stack.message) << "\n";
    if (const auto drift = drift_of(stack); !drift.empty())
      out << std::string(width + 2, ' ') << printable(drift) << "\n";
    if (only.empty()) continue;
    for (const auto& service : stack.services) {
      out << "  " << service.name << "  " << service.running << "/" << service.desired << "  "
          << printable(service.image);
      if (!service.trouble.empty()) out << "  " << printable(service.trouble);
      out << "\n";
    }
  }
}

/// What does not come right by itself, or has failed at it so far. A deployment on its way is fine.
bool needs_a_person(const ports::StackStatus& stack) {
  return stack.sync == ports::SyncState::unknown || stack.health == ports::Health::degraded ||
         stack.held || stack.consecutive_failures > 0 || (stack.plan && stack.plan->blocked());
}

int show(const Session& session, const StatusFlags& flags) {
  const auto body = call_agent(session, flags.agent, "GET", "/api/v1/status");
  if (!body) return fail(body.error());
  if (flags.output == "json") {
    std::cout << *body << "\n";
  }
  const auto status = server::parse_status(*body);
  if (!status) return fail(status.error());
  if (!flags.stack.empty() && reconciler::find_stack(*status, flags.stack) == nullptr)
    return fail(reconciler::no_stack(*status, flags.stack));
  if (flags.output != "json") print(std::cout, *status, flags.stack);
  const bool good = std::none_of(
      status->stacks.begin(), status->stacks.end(), [&](const ports::StackStatus& stack) {
        return meant(stack, flags.stack) && needs_a_person(stack);
      });
  return good && status->docker_up && status->fetch_error.empty() &&
                 status->repository_errors.empty() && status->notes.empty()
             ? kSuccess
             : kFailure;
}

/// "synced, healthy, 2/2: waits for db"
std::string state_of(const ports::StackStatus& stack) {
  std::string text(to_string(stack.sync));
  text += ", " + std::string(to_string(stack.health)) + ", " + tasks_of(stack);
  if (!stack.message.empty()) text += ": " + printable(stack.message);
  return text;
}

/// Where nothing can be drawn again: one line for each change, beginning with how all stands.
class ChangePrinter {
 public:
  ChangePrinter(const Session& session, std::string only)
      : session_(session), only_(std::move(only)) {}
  void print(const Result<ports::AgentStatus>& status) {
    std::map<std::string, std::string> now;
    if (!status) {
      now["agent"] = to_string(status.error());
      for (const auto& [name, state] : before_) now.emplace(name, state);
    } else {
      now["agent"] = status->docker_up ? "revision " + short_commit(status->revision)
                                       : "swarm cannot be read: " + status->docker_error;
      for (const auto& stack : status->stacks) {
        if (meant(stack, only_)) now[stack.group + "/" + stack.name] = state_of(stack);
      }
    }
    for (const auto& [name, state] : now) {
      const auto known = before_.find(name);
      if (known == before_.end() || known->second != state) say(name, state);
    }
    for (const auto& [name, state] : before_) {
      if (!now.contains(name)) say(name, "gone");
    }
    before_ = std::move(now);
    std::cout.flush();
  }

 private:
  void say(const std::string& name, const std::string& state) const {
    std::cout << to_rfc3339(session_.clock.now()) << "  " << name << "  " << printable(state)
              << "\n";
  }
  const Session& session_;
  const std::string only_;
  std::map<std::string, std::string> before_;
};

Result<ports::AgentStatus> read_status(const Session& session, const StatusFlags& flags) {
  const auto body = call_agent(session, flags.agent, "GET", "/api/v1/status");
  if (!body) return body.error();
  return server::parse_status(*body);
}

int watch(const Session& session, const StatusFlags& flags) {
  if (flags.output != "text")
    return fail({ErrorKind::invalid_input,
                 "--watch prints text; `skep events -f -o json` is for "
                 "programs"});
  LiveScreen screen(std::cout);
  ChangePrinter changes(session, flags.stack);
  const bool draws = can_draw(session.variable("TERM"));
  std::optional<ports::AgentStatus> last;
  do {
    const auto status = read_status(session, flags);
    if (session.stop.stop_requested()) break;
    // An agent that is not there at all is a mistake; one that goes away may come back.
    if (!status && !last) return fail(status.error());
    if (status) last = *status;
    if (!draws) {
      changes.print(status);
      continue;
    }
    std::ostringstream text;
    text << "skep " << to_rfc3339(session.clock.now()) << "  (Ctrl-C ends)\n";
    if (!status)
      text << "the agent does not answer: " << printable(to_string(status.error())) << "\n";
    print(text, *last, flags.stack);
    screen.draw(text.str());
  } while (session.clock.sleep_for(kBetweenLooks, session.stop));
  return kSuccess;
}

}  // namespace

void add_status(Command& app, Session& session) {
  auto* verb = app.add_subcommand(
      "status", "Show what the running agent knows; exit 1 where something is wrong");
  auto flags = std::make_shared<StatusFlags>();
  verb->add_option("STACK", flags->stack, "Only this one, with its services");
  verb->add_option("-o,--output", flags->output, "text or json")
      ->one_of({"text", "json"})
      ->capture_default_str();
  add_agent_flags(*verb, flags->agent);
  verb->add_flag("-w,--watch",
                 flags->watch,
                 "Go on until Ctrl-C: drawn again on a terminal, a line for each change elsewhere");
  verb->footer("Examples:  skep status\n           skep status MY-APP --watch");
  verb->callback([&session, flags] {
    session.verb = [&session, flags] {
      return flags->watch ? watch(session, *flags) : show(session, *flags);
    };
  });
}

}  // namespace skep::cli
