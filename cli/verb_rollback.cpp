#include "cli/agent_client.hpp"
#include "core/ascii.hpp"

namespace skep::cli {
namespace {

struct RollbackFlags {
  AgentFlags agent;
  std::string stack, revision;
};

int rollback(const Session& session, const RollbackFlags& flags) {
  const auto path = stack_path(session, flags.agent, flags.stack);
  if (!path) return fail(path.error());
  const auto answer = call_agent(
      session,
      flags.agent,
      "POST",
      "/api/v1/stacks/" + *path + "/rollback" +
          (flags.revision.empty() ? "" : "?revision=" + percent_encoded(flags.revision)));
  if (!answer) return fail(answer.error());
  std::cout << "is being rolled back; `skep explain " << flags.stack
            << "` shows how it goes. What git has now stays away until a commit changes the stack, "
               "or `skep sync "
            << flags.stack << "`\n";
  return kSuccess;
}

}  // namespace

void add_rollback(Command& app, Session& session) {
  auto* verb = app.add_subcommand(
      "rollback", "Send a stack back to its last healthy revision, until git changes it again");
  auto flags = std::make_shared<RollbackFlags>();
  verb->add_option("STACK", flags->stack, "Stack, by name or directory")->required();
  verb->add_option("REVISION",
                   flags->revision,
                   "Commit, or the beginning of its id (default: the last healthy one that differs "
                   "from what git has now)");
  add_agent_flags(*verb, flags->agent);
  verb->footer("Example:  skep history MY-APP; skep rollback MY-APP 1a2b3c4d");
  verb->callback([&session, flags] {
    session.verb = [&session, flags] { return rollback(session, *flags); };
  });
}

}  // namespace skep::cli
