#include <algorithm>

#include "cli/agent_client.hpp"
#include "cli/agent_words.hpp"
#include "core/ascii.hpp"

namespace skep::cli {
namespace {

struct ExplainFlags {
  AgentFlags agent;
  std::string name, output = "text";
};

std::string sign_of(const std::string& state) {
  return state == "good"      ? "ok"
         : state == "waiting" ? "waits"
         : state == "stopped" ? "stopped"
                              : "failed";
}

void print_service(const nlohmann::json& service) {
  std::cout << "  " << column(text_of(service, "name"), 20) << number_of(service, "running") << "/"
            << number_of(service, "desired") << "  " << text_of(service, "image");
  if (const auto update = text_of(service, "update_state"); !update.empty())
    std::cout << "  (" << update << ")";
  std::cout << "\n";
  if (const auto trouble = text_of(service, "trouble"); !trouble.empty())
    std::cout << "      " << trouble << "\n";
  for (const auto& line : list_of(service, "log")) {
    if (line.is_string()) std::cout << "      | " << printable(line.get<std::string>()) << "\n";
  }
}

void print_explanation(const nlohmann::json& explanation) {
  std::cout << text_of(explanation, "stack") << ": " << text_of(explanation, "summary") << "\n\n";
  for (const auto& condition : list_of(explanation, "conditions")) {
    std::cout << "  " << column(sign_of(text_of(condition, "state")), 7)
              << column(text_of(condition, "name"), 11) << text_of(condition, "text");
    if (const auto since = time_of(condition, "since");
        !since.empty() && text_of(condition, "state") != "good")
      std::cout << ", since " << since;
    if (const auto until = time_of(condition, "until"); !until.empty())
      std::cout << (text_of(condition, "name") == "retry" ? ", next at " : ", until ") << until;
    std::cout << "\n";
    if (const auto remedy = text_of(condition, "remedy");
        !remedy.empty() && text_of(condition, "state") != "good")
      std::cout << std::string(24, ' ') << "→ " << remedy << "\n";
  }
  const auto services = list_of(explanation, "services");
  if (services.empty()) return;
  std::cout << "\nservices\n";
  for (const auto& service : services) print_service(service);
}

int explain(const Session& session, const ExplainFlags& flags) {
  const auto path = stack_path(session, flags.agent, flags.name);
  if (!path) return fail(path.error());
  const auto answer = ask_json(session, flags.agent, "/api/v1/stacks/" + *path + "/explain");
  if (!answer) return fail(answer.error());
  if (flags.output == "json") {
    std::cout << answer->dump() << "\n";
  } else {
    print_explanation(*answer);
  }
  return kSuccess;
}

std::string revision_of(const nlohmann::json& revision) {
  const auto commit = text_of(revision, "commit");
  const auto subject = text_of(revision, "subject");
  return (commit.empty() ? "work tree" : commit.substr(0, 12)) +
         (subject.empty() ? "" : "  \"" + subject + "\"");
}

void print_trace(const nlohmann::json& trace) {
  const auto line = [](const char* name, const std::string& value) {
    if (!value.empty()) std::cout << column(name, 8) << value << "\n";
  };
  line("service", text_of(trace, "service"));
  line("image", text_of(trace, "image"));
  line("stack", text_of(trace, "stack"));
  const auto at = trace.find("at");
  if (at != trace.end() && at->is_object()) {
    line("file",
         text_of(*at, "file") + ":" + std::to_string(number_of(*at, "line")) + ":" +
             std::to_string(number_of(*at, "column")));
    const auto change = trace.find("last_change");
    const bool known = change != trace.end() && change->is_object();
    const auto& commit = known ? *change : trace.at("running");
    // Where the file's own commit is too far back, the whole revision is what can be said.
    line(known ? "commit" : "at", revision_of(commit));
    line("author", text_of(commit, "author"));
    line("date", time_of(commit, "committed_at"));
    if (known) line("running", revision_of(trace.at("running")));
  }
  line("note", text_of(trace, "note"));
}

int trace(const Session& session, const ExplainFlags& flags) {
  const auto answer =
      ask_json(session, flags.agent, "/api/v1/services/" + percent_encoded(flags.name) + "/trace");
  if (!answer) return fail(answer.error());
  if (flags.output == "json") {
    std::cout << answer->dump() << "\n";
  } else {
    print_trace(*answer);
  }
  return kSuccess;
}

}  // namespace

void add_explain(Command& app, Session& session) {
  auto* verb = app.add_subcommand(
      "explain", "Why a stack is not what git says: what it waits for, what failed, what to do");
  auto flags = std::make_shared<ExplainFlags>();
  verb->add_option("STACK", flags->name, "Stack, by name or directory")->required();
  verb->add_option("-o,--output", flags->output, "text or json")
      ->one_of({"text", "json"})
      ->capture_default_str();
  add_agent_flags(*verb, flags->agent);
  verb->footer("Example:  skep explain MY-APP");
  verb->callback(
      [&session, flags] { session.verb = [&session, flags] { return explain(session, *flags); }; });
}

void add_trace(Command& app, Session& session) {
  auto* verb = app.add_subcommand(
      "trace", "Where a service comes from: stack, file and line, commit, author");
  auto flags = std::make_shared<ExplainFlags>();
  verb->add_option("SERVICE", flags->name, "Service, as the swarm names it (STACK_SERVICE)")
      ->required();
  verb->add_option("-o,--output", flags->output, "text or json")
      ->one_of({"text", "json"})
      ->capture_default_str();
  add_agent_flags(*verb, flags->agent);
  verb->footer("Example:  skep trace MY-APP_web");
  verb->callback(
      [&session, flags] { session.verb = [&session, flags] { return trace(session, *flags); }; });
}

}  // namespace skep::cli
