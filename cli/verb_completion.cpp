#include <nlohmann/json.hpp>

#include "cli/agent_client.hpp"
#include "cli/completion.hpp"
#include "server/status_json.hpp"

namespace skep::cli {
namespace {

constexpr const char* kBash = R"sh(# bash: put this into ~/.bashrc:  source <(skep completion bash)
_skep() {
  local IFS=$'\n'
  COMPREPLY=($(skep __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
  [ ${#COMPREPLY[@]} -gt 0 ] || compopt -o default
}
complete -F _skep skep
)sh";

constexpr const char* kZsh = R"sh(#compdef skep
# zsh: put this into ~/.zshrc after compinit:  source <(skep completion zsh)
_skep() {
  local -a found
  local line
  for line in "${(@f)$(skep __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
  done
  if (( $#found )); then _describe skep found; else _files; fi
}
compdef _skep skep
)sh";

constexpr const char* kFish =
    R"sh(# fish: skep completion fish > ~/.config/fish/completions/skep.fish
function __skep_complete
  set -l words (commandline -opc)
  skep __complete -- $words[2..] (commandline -ct) 2>/dev/null
end
complete -c skep -a '(__skep_complete)'
)sh";

/// The names that the running agent knows, if it is here; silently none else.
std::vector<std::string> known_to_agent(const Session& session, bool services) {
  AgentFlags flags;
  if (const auto socket = session.environment.find("SKEP_SOCKET");
      socket != session.environment.end())
    flags.socket = socket->second;
  if (flags.socket.empty()) return {};
  const auto answer = ask_socket(session, flags, "GET", "/api/v1/status");
  if (!answer) return {};
  const auto status = server::parse_status(answer->body);
  std::vector<std::string> names;
  if (!status) return names;
  for (const auto& stack : status->stacks) {
    if (services) {
      for (const auto& service : stack.services) names.push_back(service.name);
    } else {
      names.push_back(stack.name);
    }
  }
  return names;
}

}  // namespace

int complete(const Session& session, const Command& app, std::vector<std::string> words) {
  if (!words.empty() && words.front() == "--") words.erase(words.begin());
  const auto completion = app.complete(words);
  for (const auto& [text, help] : completion.words) std::cout << text << "\t" << help << "\n";
  const std::string last = words.empty() ? std::string() : words.back();
  if (last.starts_with('-')) return kSuccess;
  const auto offer = [&](const std::vector<std::string>& names, const char* what) {
    for (const auto& name : names) {
      if (name.starts_with(last)) std::cout << name << "\t" << what << "\n";
    }
  };
  if (completion.value.starts_with("STACK")) offer(known_to_agent(session, false), "stack");
  if (completion.value == "SERVICE") offer(known_to_agent(session, true), "service");
  if (completion.value == "TEMPLATE") offer(template_names(session), "template");
  return kSuccess;
}

void add_completion(Command& app, Session& session) {
  auto* verb = app.add_subcommand("completion", "Print the script that completes skep in a shell");
  auto shell = std::make_shared<std::string>();
  verb->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->one_of({"bash", "zsh", "fish"});
  verb->footer("Example:  skep completion bash > /etc/bash_completion.d/skep");
  verb->callback([&session, shell] {
    session.verb = [shell] {
      std::cout << (*shell == "bash" ? kBash : *shell == "zsh" ? kZsh : kFish);
      return kSuccess;
    };
  });
}

}  // namespace skep::cli
