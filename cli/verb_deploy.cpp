#include "cli/deployment.hpp"
#include "cli/digest_key.hpp"
#include "diff/render.hpp"

namespace skep::cli {
namespace {

int deploy(const Session& session, const DeployFlags& flags) {
  if (!flags.orchestrator.empty()) {
    std::cerr << "warning: --orchestrator is ignored, as the Docker CLI does\n";
  }
  auto desired = load_compose(session, flags);
  if (!desired) return fail(desired.error());
  auto engine = open_manager(session, flags.registry_auth);
  if (!engine) return fail(engine.error());
  auto digest = read_digest_key(flags.digest_key_file);
  if (!digest) return fail(digest.error());
  Deployment deployment(session, flags, **engine, *std::move(desired), *std::move(digest));
  auto plan = deployment.plan();
  if (!plan) return fail(plan.error());
  for (const auto& note : plan->notes) {
    if (note.severity == diff::Note::Severity::warning) {
      std::cerr << "warning: " << note.text << "\n";
    } else if (note.severity == diff::Note::Severity::info && !flags.quiet) {
      std::cerr << "note: " << note.text << "\n";
    }
  }
  if (plan->empty() && !plan->blocked()) {
    if (!flags.quiet)
      std::cout << "Stack " << flags.stack << " is up to date; nothing was written\n";
  } else if (auto applied = deployment.apply(*std::move(plan)); !applied) {
    return fail(applied.error());
  }
  if (flags.detach) return kSuccess;
  if (auto waited = deployment.wait(); !waited) return fail(waited.error());
  return kSuccess;
}

}  // namespace

void add_deploy(Command& app, Session& session) {
  auto* verb = app.add_subcommand(
      "deploy", "Deploy a stack from Compose files, as `docker stack deploy` does");
  auto flags = std::make_shared<DeployFlags>();
  verb->add_option("STACK", flags->stack, "Name of the stack")->required();
  add_compose_flags(*verb, *flags);
  add_digest_key_flag(*verb, flags->digest_key_file);
  verb->add_flag("-d,--detach,!--no-detach", flags->detach, "Do not wait until the services run");
  verb->add_flag("-q,--quiet", flags->quiet, "Suppress progress output");
  verb->add_option("--timeout", flags->timeout, "Give up waiting after this long without progress")
      ->capture_default_str();
  // Scripts of the Docker CLI's earlier days have it.
  verb->add_option("--orchestrator", flags->orchestrator)->group("");
  verb->footer("Example:  skep deploy -c docker-compose.yml MY-APP");
  verb->callback(
      [&session, flags] { session.verb = [&session, flags] { return deploy(session, *flags); }; });
}

}  // namespace skep::cli
