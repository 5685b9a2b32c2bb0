#include <nlohmann/json.hpp>

#include "cli/repository_run.hpp"

namespace skep::cli {
namespace {

struct ValidateFlags {
  RepositoryFlags repository;
  std::string directory;
  std::string output = "text";
};

nlohmann::json to_json(const Finding& finding) {
  return {{"severity", finding.severity == Finding::Severity::error ? "error" : "warning"},
          {"file", finding.at.file},
          {"line", finding.at.line},
          {"column", finding.at.column},
          {"message", finding.message}};
}

int validate(const Session& session, ValidateFlags flags) {
  const auto log = make_logger(session, false);
  if (!flags.directory.empty()) flags.repository.repo = flags.directory;
  auto repository = load_repository(session, flags.repository, *log);
  if (!repository) return fail(repository.error());
  const auto findings = findings_of(repository->desired, {});
  std::size_t errors = 0;
  for (const auto& finding : findings)
    errors += finding.severity == Finding::Severity::error ? 1 : 0;
  if (flags.output == "json") {
    nlohmann::json json = {{"stacks", repository->desired.stacks.size()},
                           {"findings", nlohmann::json::array()}};
    for (const auto& finding : findings) json["findings"].push_back(to_json(finding));
    std::cout << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  } else {
    if (!findings.empty()) std::cout << to_string(findings) << "\n";
    std::cout << repository->desired.stacks.size() << " stacks, " << errors << " errors, "
              << findings.size() - errors << " warnings\n";
  }
  return errors == 0 ? kSuccess : kFailure;
}

}  // namespace

void add_validate(Command& app, Session& session) {
  auto* verb = app.add_subcommand("validate", "Check a whole repository without an engine");
  auto flags = std::make_shared<ValidateFlags>();
  flags->repository.placeholders = true;
  verb->add_option("PATH", flags->directory, "Directory of the repository (default: --repo)");
  verb->add_option("-o,--output", flags->output, "text or json")
      ->one_of({"text", "json"})
      ->capture_default_str();
  add_repository_flags(*verb, flags->repository);
  add_setting_flags(*verb, flags->repository);
  verb->footer("Example:  skep validate examples/cluster-repo");
  verb->callback([&session, flags] {
    session.verb = [&session, flags] { return validate(session, *flags); };
  });
}

}  // namespace skep::cli
