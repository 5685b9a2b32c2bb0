#include <algorithm>

#include <nlohmann/json.hpp>

#include "cli/deployment.hpp"
#include "cli/digest_key.hpp"
#include "cli/policy_flag.hpp"
#include "cli/repository_run.hpp"
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

std::string heading(const ports::StackStatus& stack) {
  return stack.path.empty() ? stack.name : stack.path;
}

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

void print_text(const Session& session, const reconciler::Turn& turn) {
  for (const auto& note : turn.notes) std::cout << note << "\n";
  std::size_t unchanged = 0;
  for (const auto& stack : turn.stacks) {
    if (stack.plan && stack.plan->empty() && stack.plan->notes.empty() && !stack.held) {
      ++unchanged;
      continue;
    }
    if (stack.plan) std::cout << diff::to_text(*stack.plan, heading(stack), {session.color});
    const bool told = stack.plan && stack.plan->blocked();  // The plan's own note says it.
    if (!stack.message.empty() && !told) std::cout << "  ! " << stack.message << "\n";
  }
  if (unchanged == turn.stacks.size()) {
    std::cout << "No changes: " << unchanged << " stack" << (unchanged == 1 ? " is" : "s are")
              << " as git says.\n";
  } else if (unchanged > 0) {
    std::cout << unchanged << " other stack" << (unchanged == 1 ? "" : "s") << " without changes\n";
  }
}

void print_json(const repository::DesiredState& desired, const reconciler::Turn& turn) {
  nlohmann::json json;
  json["format"] = 1;
  json["revision"] = desired.revision.commit;
  json["digest"] = plan_digest(desired, turn.stacks);
  json["notes"] = turn.notes;
  json["stacks"] = nlohmann::json::array();
  for (const auto& stack : turn.stacks) {
    nlohmann::json entry;
    entry["stack"] = stack.name;
    entry["path"] = stack.path;
    entry["message"] = stack.message;
    entry["held"] = stack.held;
    entry["plan"] = stack.plan ? nlohmann::json::parse(diff::to_json(*stack.plan, heading(stack)))
                               : nlohmann::json();
    json["stacks"].push_back(std::move(entry));
  }
  std::cout << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
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
    print_json(desired, *turn);
  } else if (flags.output == "markdown") {
    for (const auto& stack : turn->stacks) {
      if (stack.plan) std::cout << diff::to_markdown(*stack.plan, heading(stack)) << "\n";
    }
  } else {
    print_text(session, *turn);
  }
  bool changes = !turn->notes.empty();
  for (const auto& stack : turn->stacks) {
    if (!stack.plan || stack.plan->blocked()) return kFailure;
    changes = changes || !stack.plan->empty();
  }
  if (has_errors(run->findings)) return kFailure;
  return changes ? kChanges : kSuccess;
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
