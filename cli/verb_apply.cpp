#include <nlohmann/json.hpp>

#include "cli/policy_flag.hpp"
#include "cli/repository_run.hpp"
#include "diff/render.hpp"

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

/// Refuses when what would be done is no longer what was reviewed.
Result<void> check_reviewed(const std::string& file,
                            const repository::DesiredState& desired,
                            const reconciler::Turn& now) {
  auto text = read_file(file);
  if (!text) return std::move(text).error();
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_object() || !json.contains("digest") || !json["digest"].is_string()) {
    return Error{ErrorKind::invalid_input,
                 file + " is no saved plan; make one with `skep plan -o json > FILE`"};
  }
  if (json["digest"].get<std::string>() == plan_digest(desired, now.stacks)) return {};
  return Error{ErrorKind::conflict,
               "git or the swarm changed since " + file + " was made: plan and review again"};
}

int apply(const Session& session, const ApplyFlags& flags) {
  auto run = open_run(session, flags.repository, flags.stacks, flags.instance);
  if (!run) return fail(run.error());
  const auto& desired = run->repository.desired;
  ports::Observer nobody;
  if (!flags.plan_file.empty()) {
    auto planning = run->options;
    planning.plan_only = true;
    reconciler::Reconciler planner(*run->engine, nobody, session.clock, *run->log, planning, [] {});
    const auto turn = run_until_settled(planner, desired, session, [](const reconciler::Turn&) {});
    if (!turn) return fail(turn.error());
    if (auto reviewed = check_reviewed(flags.plan_file, desired, *turn); !reviewed)
      return fail(reviewed.error());
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
