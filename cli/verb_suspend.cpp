#include "cli/agent_client.hpp"
#include "core/ascii.hpp"
#include "repository/settings.hpp"
#include "server/status_json.hpp"

namespace skep::cli {
namespace {

struct SuspendFlags {
  AgentFlags agent;
  std::string stack, reason, duration;
};

int suspend(const Session& session, const SuspendFlags& flags) {
  std::string query;
  if (!flags.duration.empty()) {
    const auto duration = repository::parse_duration(flags.duration);
    if (!duration || *duration < std::chrono::seconds(1))
      return fail({ErrorKind::invalid_input, "--for must be a duration such as 2h or 30m"});
    query = "for=" +
            std::to_string(std::chrono::duration_cast<std::chrono::seconds>(*duration).count());
  }
  if (!flags.reason.empty())
    query += (query.empty() ? "" : "&") + ("reason=" + percent_encoded(flags.reason));
  const auto path = stack_path(session, flags.agent, flags.stack);
  if (!path) return fail(path.error());
  const auto answer =
      call_agent(session,
                 flags.agent,
                 "POST",
                 "/api/v1/stacks/" + *path + "/suspend" + (query.empty() ? "" : "?" + query));
  if (!answer) return fail(answer.error());
  std::cout << "suspended" << (flags.duration.empty() ? "" : " for " + flags.duration)
            << "; `skep resume " << flags.stack << "` ends it\n";
  return kSuccess;
}

int resume(const Session& session, const SuspendFlags& flags) {
  const auto path = stack_path(session, flags.agent, flags.stack);
  if (!path) return fail(path.error());
  const auto answer =
      call_agent(session, flags.agent, "POST", "/api/v1/stacks/" + *path + "/resume");
  if (!answer) return fail(answer.error());
  std::cout << "resumed; `skep status " << flags.stack << "` shows how it goes\n";
  return kSuccess;
}

}  // namespace

void add_suspend(Command& app, Session& session) {
  auto* verb = app.add_subcommand(
      "suspend", "Make the agent leave a stack alone; it is still observed and reported");
  auto flags = std::make_shared<SuspendFlags>();
  verb->add_option("STACK", flags->stack, "Stack, by name or directory")->required();
  verb->add_option("--reason", flags->reason, "Why, for the others");
  verb->add_option("--for", flags->duration, "How long, such as 2h (default: until resumed)");
  add_agent_flags(*verb, flags->agent);
  verb->footer("Example:  skep suspend MY-APP --for 2h --reason \"database migration\"");
  verb->callback(
      [&session, flags] { session.verb = [&session, flags] { return suspend(session, *flags); }; });
}

void add_resume(Command& app, Session& session) {
  auto* verb = app.add_subcommand("resume", "End a suspension");
  auto flags = std::make_shared<SuspendFlags>();
  verb->add_option("STACK", flags->stack, "Stack, by name or directory")->required();
  add_agent_flags(*verb, flags->agent);
  verb->footer("Example:  skep resume MY-APP");
  verb->callback(
      [&session, flags] { session.verb = [&session, flags] { return resume(session, *flags); }; });
}

}  // namespace skep::cli
