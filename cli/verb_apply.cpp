#include <algorithm>
#include <optional>

#include "cli/policy_flag.hpp"
#include "cli/repository_run.hpp"
#include "cli/turn_report.hpp"

namespace skep::cli {
namespace {

struct ApplyFlags {
  RepositoryFlags repository;
  std::vector<std::string> stacks;
  std::string instance = "default";
  std::string plan_file;
  bool approve = false;
  bool quiet = false;
};

/// One line whenever the state of a stack changes.
class Progress {
 public:
  explicit Progress(bool quiet) : quiet_(quiet) {}

  void show(const reconciler::Turn& turn) {
    if (quiet_) return;
    for (const auto& stack : turn.stacks) {
      std::string line = stack.path.empty() ? stack.name : stack.path;
      line +=
          ": " + std::string(to_string(stack.sync)) + ", " + std::string(to_string(stack.health));
      for (const auto& service : stack.services) {
        if (service.running == service.desired && service.trouble.empty()) continue;
        line += "; " + service.name + " " + std::to_string(service.running) + "/" +
                std::to_string(service.desired);
      }
      if (!stack.message.empty()) line += "; " + stack.message;
      auto& shown = shown_[stack.name];
      if (shown == line) continue;
      shown = line;
      std::cout << line << std::endl;
    }
  }

 private:
  bool quiet_;
  std::map<std::string, std::string> shown_;
};

int apply(const Session& session, const ApplyFlags& flags) {
  auto stacks = flags.stacks;
  std::optional<SavedPlan> saved;
  if (!flags.plan_file.empty()) {
    auto text = read_file(flags.plan_file);
    if (!text) return fail(text.error());
    auto plan = read_saved_plan(flags.plan_file, *text);
    if (!plan) return fail(plan.error());
    saved = *std::move(plan);
    if (stacks.empty()) stacks.assign(saved->selection.begin(), saved->selection.end());
  }
  // A plan may be that of a stack which left git.
  auto run = open_run(session, flags.repository, stacks, flags.instance, saved.has_value());
  if (!run) return fail(run.error());
  const auto& desired = run->repository.desired;
  ports::Observer nobody;
  if (saved) {
    if (run->only != saved->selection) {
      return fail({ErrorKind::invalid_input,
                   flags.plan_file + " is about other stacks than those named here: leave them "
                                     "out, or plan and review again"});
    }
    auto planning = run->options;
    planning.plan_only = true;
    reconciler::Reconciler planner(*run->engine, nobody, session.clock, *run->log, planning, [] {});
    const auto turn = run_until_settled(planner, desired, session, [](const reconciler::Turn&) {});
    if (!turn) return fail(turn.error());
    const auto now = to_json(*turn, desired.revision.commit, run->only, masking(session));
    if (auto reviewed = check_reviewed(*saved, now); !reviewed) return fail(reviewed.error());
  }
  reconciler::Reconciler reconciler(
      *run->engine, nobody, session.clock, *run->log, run->options, [] {});
  for (const auto& stack : desired.stacks) {
    reconciler.request(stack->source.name);
    if (flags.approve && (run->only.empty() || run->only.count(stack->source.name) != 0))
      reconciler.approve(stack->source.name);
  }
  Progress progress(flags.quiet);
  const auto turn = run_until_settled(
      reconciler, desired, session, [&](const reconciler::Turn& t) { progress.show(t); });
  if (!turn) return fail(turn.error());
  if (turn->all_good() && !has_errors(run->findings)) return kSuccess;
  std::cerr << "skep: not everything is as git says; the lines above say what and why\n";
  const bool held = std::any_of(
      turn->stacks.begin(), turn->stacks.end(), [](const auto& stack) { return stack.held; });
  if (held && !flags.approve) {
    std::cerr << "skep: where no agent runs, `skep apply --approve STACK` stands for `skep approve "
                 "STACK`\n";
  }
  return kFailure;
}

}  // namespace

void add_apply(Command& app, Session& session) {
  auto* verb =
      app.add_subcommand("apply", "Carry out what differs, once, and wait until it is healthy");
  auto flags = std::make_shared<ApplyFlags>();
  verb->add_option("STACK", flags->stacks, "Stacks, by name or directory (default: all)");
  verb->add_option("--instance", flags->instance, "Name of the agent whose stacks these are")
      ->envname("SKEP_INSTANCE")
      ->capture_default_str();
  verb->add_option("--plan",
                   flags->plan_file,
                   "Carry out exactly this saved plan (skep plan -o json), or refuse");
  verb->add_flag("--approve",
                 flags->approve,
                 "Also what waits for `skep approve`: adoption with changes, mass removal");
  verb->add_flag("-q,--quiet", flags->quiet, "Suppress progress output");
  add_repository_flags(*verb, flags->repository);
  add_policy_flag(*verb, flags->repository.policy_file);
  add_setting_flags(*verb, flags->repository);
  verb->footer("Example:  skep plan -o json > plan.json; skep apply --plan plan.json");
  verb->callback(
      [&session, flags] { session.verb = [&session, flags] { return apply(session, *flags); }; });
}

}  // namespace skep::cli
