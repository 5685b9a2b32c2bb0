#include <algorithm>

#include "cli/agent_client.hpp"
#include "server/status_json.hpp"

namespace skep::cli {
namespace {

struct StatusFlags {
  AgentFlags agent;
  std::string output = "text";
  std::string stack;
};

/// What comes from git and from the engine may hold anything: no control character reaches the
/// terminal.
std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

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

void print(const ports::AgentStatus& status, const std::string& only) {
  if (only.empty()) {
    std::cout << "source    " << printable(status.source) << "\n";
    std::cout << "revision  " << status.revision.substr(0, 12) << "  "
              << printable(status.revision_subject) << "\n";
    if (!status.fetch_error.empty()) {
      std::cout << "git       cannot be read"
                << (status.last_fetch ? " since " + to_rfc3339(*status.last_fetch) : "") << ": "
                << printable(status.fetch_error) << "\n";
    }
    for (const auto& error : status.repository_errors)
      std::cout << "error     " << printable(error) << "\n";
  }
  if (!status.standby_for.empty()) {
    std::cout << "standby   this agent waits; active is " << printable(status.standby_for) << "\n";
    return;
  }
  if (const auto stale = staleness_of(status); !stale.empty()) {
    std::cout << "swarm     " << stale
              << (status.docker_error.empty() ? "" : ": " + printable(status.docker_error)) << "\n";
  }
  if (only.empty()) std::cout << "\n";
  std::size_t width = 5;
  for (const auto& stack : status.stacks)
    width = std::max(width, (stack.group + "/" + stack.name).size());
  std::string head = "STACK";
  pad(head, width);
  std::cout << head << "SYNC         HEALTH       TASKS  MESSAGE\n";
  for (const auto& stack : status.stacks) {
    if (!only.empty() && stack.name != only && stack.path != only) continue;
    std::string line = stack.group + "/" + stack.name;
    pad(line, width);
    std::string sync(to_string(stack.sync));
    pad(sync, 11);
    std::string health(to_string(stack.health));
    pad(health, 11);
    std::string tasks = tasks_of(stack);
    pad(tasks, 5);
    std::cout << line << sync << health << tasks << printable(stack.message) << "\n";
    if (const auto drift = drift_of(stack); !drift.empty())
      std::cout << std::string(width + 2, ' ') << printable(drift) << "\n";
    if (only.empty()) continue;
    for (const auto& service : stack.services) {
      std::cout << "  " << service.name << "  " << service.running << "/" << service.desired << "  "
                << printable(service.image);
      if (!service.trouble.empty()) std::cout << "  " << printable(service.trouble);
      std::cout << "\n";
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
  if (flags.output != "json") print(*status, flags.stack);
  const bool good = std::none_of(
      status->stacks.begin(), status->stacks.end(), [&](const ports::StackStatus& stack) {
        const bool meant =
            flags.stack.empty() || stack.name == flags.stack || stack.path == flags.stack;
        return meant && needs_a_person(stack);
      });
  return good && status->docker_up && status->fetch_error.empty() &&
                 status->repository_errors.empty()
             ? kSuccess
             : kFailure;
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
  verb->footer("Example:  skep status");
  verb->callback(
      [&session, flags] { session.verb = [&session, flags] { return show(session, *flags); }; });
}

}  // namespace skep::cli
