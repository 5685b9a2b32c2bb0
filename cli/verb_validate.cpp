#include <nlohmann/json.hpp>

#include "cli/deployment.hpp"
#include "cli/repository_run.hpp"

namespace skep::cli {
namespace {

struct ValidateFlags {
  RepositoryFlags repository;
  DeployFlags compose;
  std::string directory;
  std::string output = "text";
};

nlohmann::json to_json(const Finding& finding) {
  nlohmann::json json = {
      {"severity", finding.severity == Finding::Severity::error ? "error" : "warning"},
      {"file", finding.at.file},
      {"line", finding.at.line},
      {"column", finding.at.column},
      {"message", finding.message}};
  if (!finding.stack.empty()) json["stack"] = finding.stack;
  return json;
}

int report(const Findings& findings, std::size_t stacks, const std::string& output) {
  std::size_t errors = 0;
  for (const auto& finding : findings)
    errors += finding.severity == Finding::Severity::error ? 1 : 0;
  if (output == "json") {
    nlohmann::json json = {{"stacks", stacks}, {"findings", nlohmann::json::array()}};
    for (const auto& finding : findings) json["findings"].push_back(to_json(finding));
    std::cout << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  } else {
    if (!findings.empty()) std::cout << to_string(findings) << "\n";
    std::cout << stacks << (stacks == 1 ? " stack, " : " stacks, ") << errors << " errors, "
              << findings.size() - errors << " warnings\n";
  }
  return errors == 0 ? kSuccess : kFailure;
}

int validate(const Session& session, ValidateFlags flags) {
  if (!flags.compose.files.empty()) {
    if (!flags.directory.empty()) {
      return fail({ErrorKind::invalid_input,
                   "-c names the files of one stack; leave PATH (" + flags.directory + ") away"});
    }
    flags.compose.stack = "stack";  // Its name is in no finding.
    const auto output = read_compose(session, flags.compose, false);
    if (!output) return fail(output.error());
    return report(output->findings, 1, flags.output);
  }
  const auto log = make_logger(session, false);
  if (!flags.directory.empty()) flags.repository.repo = flags.directory;
  auto repository = load_repository(session, flags.repository, *log);
  if (!repository) return fail(repository.error());
  const auto& desired = repository->desired;
  return report(findings_of(desired, {}), desired.stacks.size(), flags.output);
}

}  // namespace

void add_validate(Command& app, Session& session) {
  auto* verb = app.add_subcommand("validate",
                                  "Check a whole repository, or a compose file, without an engine");
  auto flags = std::make_shared<ValidateFlags>();
  flags->repository.placeholders = true;
  verb->add_option("PATH", flags->directory, "Directory of the repository (default: --repo)");
  verb->add_option("-o,--output", flags->output, "text or json")
      ->one_of({"text", "json"})
      ->capture_default_str();
  add_compose_file_flags(*verb, flags->compose);
  add_repository_flags(*verb, flags->repository);
  add_setting_flags(*verb, flags->repository);
  verb->footer(
      "Examples:  skep validate examples/cluster-repo\n"
      "           skep validate -c docker-compose.yml");
  verb->callback([&session, flags] {
    session.verb = [&session, flags] { return validate(session, *flags); };
  });
}

}  // namespace skep::cli
