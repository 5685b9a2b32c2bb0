#include <algorithm>

#include "cli/deployment.hpp"
#include "cli/digest_key.hpp"
#include "cli/policy_flag.hpp"
#include "cli/repository_run.hpp"
#include "cli/turn_report.hpp"
#include "diff/render.hpp"

namespace skep::cli {
namespace {

struct PlanFlags {
  RepositoryFlags repository;
  DeployFlags compose;
  std::vector<std::string> stacks;
  std::string instance = "default";
  std::string output = "text";
};

/// One stack from a file, without a repository: what `skep deploy` would do.
int plan_file(const Session& session, PlanFlags& flags) {
  if (flags.stacks.size() != 1) {
    return fail({ErrorKind::invalid_input, "name the stack: skep plan -c FILE STACK"});
  }
  flags.compose.stack = flags.stacks.front();
  auto desired = load_compose(session, flags.compose);
  if (!desired) return fail(desired.error());
  auto engine = open_manager(session, flags.compose.registry_auth);
  if (!engine) return fail(engine.error());
  auto digest = read_digest_key(flags.repository.digest_key_file);
  if (!digest) return fail(digest.error());
  Deployment deployment(session, flags.compose, **engine, *std::move(desired), *std::move(digest));
  const auto plan = deployment.plan();
  if (!plan) return fail(plan.error());
  if (flags.output == "json") {
    std::cout << diff::to_json(*plan, flags.compose.stack) << "\n";
  } else if (flags.output == "markdown") {
    std::cout << diff::to_markdown(*plan, flags.compose.stack);
  } else {
    std::cout << diff::to_text(*plan, flags.compose.stack, {session.color});
  }
  if (plan->blocked()) return kFailure;
  return plan->empty() ? kSuccess : kChanges;
}

int plan_repository(const Session& session, const PlanFlags& flags) {
  auto run = open_run(session, flags.repository, flags.stacks, flags.instance, true);
  if (!run) return fail(run.error());
  const auto& desired = run->repository.desired;
  run->options.plan_only = true;
  ports::Observer nobody;
  reconciler::Reconciler reconciler(
      *run->engine, nobody, session.clock, *run->log, run->options, [] {});
  const auto turn = run_until_settled(reconciler, desired, session, [](const reconciler::Turn&) {});
  if (!turn) return fail(turn.error());
  for (const auto& name : run->not_in_git) {
    const bool known =
        std::any_of(turn->stacks.begin(), turn->stacks.end(), [&, own = &name](const auto& stack) {
          return stack.name == *own;
        });
    if (!known) return fail(no_such_stack(desired, name));
  }
  if (flags.output == "json") {
    std::cout << to_json(*turn, desired.revision.commit, run->only, masking(session)) << "\n";
  } else if (flags.output == "markdown") {
    std::cout << to_markdown(*turn);
  } else {
    std::cout << to_text(*turn, session.color);
  }
  for (const auto& stack : turn->stacks) {
    if (!stack.plan || stack.plan->blocked()) return kFailure;
  }
  if (has_errors(run->findings)) return kFailure;
  return has_changes(*turn) ? kChanges : kSuccess;
}

}  // namespace

void add_plan(Command& app, Session& session) {
  auto* verb = app.add_subcommand(
      "plan", "Show what would change and what it would do; exit 0 nothing, 2 changes, 1 error");
  verb->alias("diff");
  auto flags = std::make_shared<PlanFlags>();
  flags->repository.placeholders = true;
  verb->add_option("STACK", flags->stacks, "Stacks, by name or directory (default: all)");
  verb->add_option("--instance", flags->instance, "Name of the agent whose stacks these are")
      ->envname("SKEP_INSTANCE")
      ->capture_default_str();
  verb->add_option("-o,--output", flags->output, "text, json or markdown")
      ->one_of({"text", "json", "markdown"})
      ->capture_default_str();
  add_repository_flags(*verb, flags->repository);
  add_policy_flag(*verb, flags->repository.policy_file);
  add_setting_flags(*verb, flags->repository);
  add_compose_flags(*verb, flags->compose);
  verb->footer(
      "Examples:  skep plan                      all stacks of the repository in this directory\n"
      "           skep plan apps/MY-APP          one of them\n"
      "           skep plan -c FILE STACK        one Compose file, as `skep deploy` would carry it "
      "out");
  verb->callback([&session, flags] {
    session.verb = [&session, flags] {
      return flags->compose.files.empty() ? plan_repository(session, *flags)
                                          : plan_file(session, *flags);
    };
  });
}

}  // namespace skep::cli
