#include <nlohmann/json.hpp>

#include "cli/agent_client.hpp"

namespace skep::cli {
namespace {

struct RequestFlags {
  AgentFlags agent;
  std::string method, path;
};

int health(const Session& session, const RequestFlags& flags) {
  const auto answer = ask_agent(session, flags.agent, "GET", "/healthz");
  if (!answer) return fail(answer.error());
  std::cout << answer->body << "\n";
  return answer->status == 200 ? kSuccess : kFailure;
}

/// For ask_agent() of another skep, which runs this one inside the agent's container.
int request(const Session& session, const RequestFlags& flags) {
  const auto answer = ask_agent(session, flags.agent, flags.method, flags.path);
  if (!answer) return fail(answer.error());
  const nlohmann::json json = {{"status", answer->status}, {"body", answer->body}};
  std::cout << json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  return kSuccess;
}

}  // namespace

void add_health(Command& app, Session& session) {
  auto* verb =
      app.add_subcommand("health", "Exit 0 while the agent is alive: the container's health check");
  auto flags = std::make_shared<RequestFlags>();
  add_agent_flags(*verb, flags->agent);
  verb->footer("Example:  skep health");
  verb->callback(
      [&session, flags] { session.verb = [&session, flags] { return health(session, *flags); }; });

  auto* hidden = app.add_subcommand("__request", "");
  hidden->hide();
  auto asked = std::make_shared<RequestFlags>();
  hidden->add_option("METHOD", asked->method)->required();
  hidden->add_option("PATH", asked->path)->required();
  add_agent_flags(*hidden, asked->agent);
  hidden->callback(
      [&session, asked] { session.verb = [&session, asked] { return request(session, *asked); }; });
}

}  // namespace skep::cli
