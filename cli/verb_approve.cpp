#include "cli/agent_client.hpp"

namespace skep::cli {
namespace {

struct AskFlags {
  AgentFlags agent;
  std::string stack;
  bool history = false;
};

int approve(const Session& session, const AskFlags& flags) {
  if (flags.history == !flags.stack.empty())
    return fail({ErrorKind::invalid_input, "say either STACK or --history"});
  if (flags.history) {
    const auto answer = call_agent(session, flags.agent, "POST", "/api/v1/approve-history");
    if (!answer) return fail(answer.error());
    std::cout << "approved; `skep status` shows the revision when it is fetched\n";
    return kSuccess;
  }
  const auto path = stack_path(session, flags.agent, flags.stack);
  if (!path) return fail(path.error());
  const auto answer =
      call_agent(session, flags.agent, "POST", "/api/v1/stacks/" + *path + "/approve");
  if (!answer) return fail(answer.error());
  std::cout << "approved; `skep status " << flags.stack << "` shows how it goes\n";
  return kSuccess;
}

int sync(const Session& session, const AskFlags& flags) {
  std::string where = "/api/v1/sync";
  if (!flags.stack.empty()) {
    const auto path = stack_path(session, flags.agent, flags.stack);
    if (!path) return fail(path.error());
    where = "/api/v1/stacks/" + *path + "/sync";
  }
  const auto answer = call_agent(session, flags.agent, "POST", where);
  if (!answer) return fail(answer.error());
  std::cout << "asked for; `skep status" << (flags.stack.empty() ? "" : " " + flags.stack)
            << "` shows how it goes\n";
  return kSuccess;
}

}  // namespace

void add_approve(Command& app, Session& session) {
  auto* verb = app.add_subcommand(
      "approve", "Let the agent carry out what it holds back: adoption with changes, mass removal");
  auto flags = std::make_shared<AskFlags>();
  verb->add_option("STACK", flags->stack, "Stack, by name or directory");
  verb->add_flag("--history",
                 flags->history,
                 "Instead: take the rewritten history of the branch that the agent refused");
  add_agent_flags(*verb, flags->agent);
  verb->footer("Example:  skep plan MY-APP; skep approve MY-APP");
  verb->callback(
      [&session, flags] { session.verb = [&session, flags] { return approve(session, *flags); }; });
}

void add_sync(Command& app, Session& session) {
  auto* verb = app.add_subcommand("sync", "Make the agent look at git and the swarm now");
  auto flags = std::make_shared<AskFlags>();
  verb->add_option("STACK",
                   flags->stack,
                   "Stack, by name or directory, that is carried out as git says whatever it waits "
                   "for (default: look at all, and try again what failed)");
  add_agent_flags(*verb, flags->agent);
  verb->footer("Example:  git push && skep sync MY-APP");
  verb->callback(
      [&session, flags] { session.verb = [&session, flags] { return sync(session, *flags); }; });
}

}  // namespace skep::cli
