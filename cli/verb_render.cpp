#include <nlohmann/json.hpp>

#include "cli/repository_run.hpp"
#include "swarm/json.hpp"

namespace skep::cli {
namespace {

struct RenderFlags {
  RepositoryFlags repository;
  std::string stack;
};

nlohmann::ordered_json parse(const std::string& text) {
  return nlohmann::ordered_json::parse(text);
}

int render(const Session& session, RenderFlags flags) {
  flags.repository.settings_for = {flags.stack};
  const auto log = make_logger(session, false);
  auto repository = load_repository(session, flags.repository, *log);
  if (!repository) return fail(repository.error());
  auto only = chosen_stacks(repository->desired, {flags.stack});
  if (!only) return fail(only.error());
  const auto findings = findings_of(repository->desired, *only);
  if (!findings.empty()) std::cerr << to_string(findings) << "\n";
  if (has_errors(findings)) return kFailure;
  for (const auto& stack : repository->desired.stacks) {
    if (only->count(stack->source.name) == 0) continue;
    nlohmann::ordered_json json;
    json["stack"] = stack->source.name;
    for (const auto* section : {"networks", "secrets", "configs", "services"})
      json[section] = nlohmann::ordered_json::array();
    for (const auto& [key, network] : stack->spec.networks)
      json["networks"].push_back(parse(to_json(network)));
    for (const auto& [key, secret] : stack->spec.secrets)
      json["secrets"].push_back(parse(to_masked_json(secret)));
    for (const auto& [key, config] : stack->spec.configs)
      json["configs"].push_back(parse(to_json(config)));
    for (const auto& [key, service] : stack->spec.services)
      json["services"].push_back(parse(to_json(service.spec)));
    std::cout << json.dump(2) << "\n";
  }
  return kSuccess;
}

}  // namespace

void add_render(Command& app, Session& session) {
  auto* verb = app.add_subcommand(
      "render", "Show what a stack becomes: the Engine API objects, secrets masked");
  auto flags = std::make_shared<RenderFlags>();
  flags->repository.placeholders = true;
  verb->add_option("STACK", flags->stack, "Stack, by name or directory")->required();
  add_repository_flags(*verb, flags->repository);
  add_setting_flags(*verb, flags->repository);
  verb->footer("Example:  skep render MY-APP");
  verb->callback(
      [&session, flags] { session.verb = [&session, flags] { return render(session, *flags); }; });
}

}  // namespace skep::cli
