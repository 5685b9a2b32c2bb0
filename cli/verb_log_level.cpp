#include "cli/agent_client.hpp"
#include "cli/agent_words.hpp"

namespace skep::cli {
namespace {

struct LogLevelFlags {
  AgentFlags agent;
  std::string level;
};

int log_level(const Session& session, const LogLevelFlags& flags) {
  if (!flags.level.empty()) {
    const auto done =
        call_agent(session, flags.agent, "POST", "/api/v1/log-level?level=" + flags.level);
    if (!done) return fail(done.error());
  }
  const auto answer = call_agent(session, flags.agent, "GET", "/api/v1/log-level");
  if (!answer) return fail(answer.error());
  std::cout << text_of(nlohmann::json::parse(*answer, nullptr, false), "level") << "\n";
  return kSuccess;
}

}  // namespace

void add_log_level(Command& app, Session& session) {
  auto* verb = app.add_subcommand("log-level",
                                  "Show or change how much the running agent logs, until it ends");
  auto flags = std::make_shared<LogLevelFlags>();
  verb->add_option("LEVEL", flags->level, "error, warning, info, debug or trace")
      ->one_of({"error", "warning", "info", "debug", "trace"});
  add_agent_flags(*verb, flags->agent);
  verb->footer("Example:  skep log-level debug");
  verb->callback([&session, flags] {
    session.verb = [&session, flags] { return log_level(session, *flags); };
  });
}

}  // namespace skep::cli
