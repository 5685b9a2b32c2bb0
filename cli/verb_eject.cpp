#include <algorithm>
#include <filesystem>

#include <unistd.h>

#include "cli/deployment.hpp"
#include "cli/digest_key.hpp"
#include "cli/repository_run.hpp"
#include "diff/render.hpp"
#include "gitsync/remote_url.hpp"
#include "reconciler/state.hpp"
#include "swarm/labels.hpp"

namespace skep::cli {
namespace {

struct EjectFlags {
  RepositoryFlags repository;
  DeployFlags compose;
  std::string instance = "default";
  bool yes = false;
};

constexpr int kMostEjectConflicts = 5;

/// The stack as `docker stack deploy` would send it, from the repository: its files are mounted
/// from a checkout, for that is what the CLI does.
Result<swarm::StackSpec> load_from_repository(const Session& session, EjectFlags& flags) {
  const auto log = make_logger(session, false);
  auto& repository = flags.repository;
  if (repository.host_checkout.empty() && !gitsync::names_remote(repository.repo)) {
    repository.host_checkout =
        std::filesystem::absolute(repository.repo).lexically_normal().string();
  }
  auto loaded = load_repository(session, repository, *log, true);
  if (!loaded) return std::move(loaded).error();
  const auto chosen = chosen_stacks(loaded->desired, {flags.compose.stack});
  if (!chosen) return chosen.error();
  flags.compose.stack = *chosen->begin();
  const auto findings = findings_of(loaded->desired, *chosen);
  if (has_errors(findings)) return to_error(findings);
  const auto& stacks = loaded->desired.stacks;
  const auto at = std::find_if(stacks.begin(), stacks.end(), [&](const auto& stack) {
    return stack->source.name == flags.compose.stack;
  });
  return (*at)->spec;
}

std::string keys_that_restart(const diff::Plan& plan) {
  std::string keys;
  for (const auto& action : plan.actions) {
    if (action.kind != diff::ObjectKind::service || action.impact == diff::Impact::none) continue;
    keys += (keys.empty() ? "" : ", ") + action.key;
  }
  return keys;
}

/// Services that mount something under another name in the one than in the other.
std::string keys_that_rename(const diff::Plan& from, const diff::Plan& to) {
  const auto names = [](const swarm::ServiceSpec& spec) {
    std::vector<std::string> mounted;
    for (const auto& config : spec.task_template.container.configs)
      mounted.push_back(config.config_name);
    for (const auto& secret : spec.task_template.container.secrets)
      mounted.push_back(secret.secret_name);
    return mounted;
  };
  std::string keys;
  for (const auto& [key, service] : to.desired.services) {
    const auto at = from.desired.services.find(key);
    if (at != from.desired.services.end() && names(at->second.spec) != names(service.spec))
      keys += (keys.empty() ? "" : ", ") + key;
  }
  return keys;
}

/// What restarts is only done when a person says so.
Result<void> ask(const EjectFlags& flags, const std::string& restarting) {
  if (restarting.empty() || flags.yes) return {};
  if (isatty(STDIN_FILENO) == 1) {
    std::cout << "This restarts: " << restarting << ". Go on? [y/N] " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    if (answer == "y" || answer == "Y" || answer == "yes") return {};
    return Error{ErrorKind::cancelled, "nothing was changed"};
  }
  return Error{ErrorKind::invalid_input,
               "this restarts " + restarting + "; nothing was changed: say --yes to go on"};
}

/// From here on no agent touches the stack, however far this process comes.
Result<void> release(const Session& session, const EjectFlags& flags, ports::Engine& engine) {
  reconciler::StateStore store(engine, flags.instance);
  for (int attempt = 0;; ++attempt) {
    auto live = engine.observe(session.stop);
    if (!live) return std::move(live).error();
    auto state = store.read(*live);
    if (!state) return std::move(state).error();
    const auto record = state->stacks.find(flags.compose.stack);
    if (record == state->stacks.end()) return {};
    reconciler::StackRecord left;
    left.path = record->second.path;
    left.jobs = record->second.jobs;
    left.ejected = true;
    record->second = left;
    auto written = store.write(*state, *live, session.stop);
    if (written) return {};
    if (written.error().kind != ErrorKind::conflict || attempt == kMostEjectConflicts)
      return std::move(written).error();
  }
}

bool has_our_label(const swarm::StringMap& labels) {
  return std::any_of(labels.begin(), labels.end(), [](const auto& label) {
    return label.first.starts_with(swarm::kOurPrefix);
  });
}

/// Generations that a rollback or a running task still needs stay; only their labels go. The engine
/// takes an update of labels without the data.
Result<std::vector<std::string>> strip_generations(const Session& session,
                                                   const std::string& stack,
                                                   ports::Engine& engine) {
  auto live = engine.observe(session.stop);
  if (!live) return std::move(live).error();
  std::vector<std::string> stripped;
  const auto without_ours = [](swarm::StringMap labels) {
    std::erase_if(labels,
                  [](const auto& label) { return label.first.starts_with(swarm::kOurPrefix); });
    return labels;
  };
  const auto stacks = swarm::stacks_of(*live);
  const auto own = stacks.find(stack);
  if (own == stacks.end()) return stripped;
  for (const auto* config : own->second.configs) {
    if (!has_our_label(config->labels)) continue;
    swarm::ConfigSpec spec;
    spec.name = config->name;
    spec.labels = without_ours(config->labels);
    spec.templating = config->templating;
    auto updated = engine.update_config(config->id, config->version, spec, session.stop);
    if (!updated) return std::move(updated).error().within(config->name);
    stripped.push_back(config->name);
  }
  for (const auto* secret : own->second.secrets) {
    if (!has_our_label(secret->labels)) continue;
    swarm::SecretSpec spec;
    spec.name = secret->name;
    spec.labels = without_ours(secret->labels);
    spec.driver = secret->driver;
    spec.templating = secret->templating;
    auto updated = engine.update_secret(secret->id, secret->version, spec, session.stop);
    if (!updated) return std::move(updated).error().within(secret->name);
    stripped.push_back(secret->name);
  }
  return stripped;
}

/// One plan carried out, and waited for.
Result<void> carry_out(Deployment& deployment, diff::Plan plan, bool wait) {
  if (plan.empty()) return {};
  if (auto applied = deployment.apply(std::move(plan)); !applied) return applied;
  return wait ? deployment.wait() : Result<void>();
}

void say_what_stays(const swarm::LiveState& live, const std::string& stack) {
  const auto stacks = swarm::stacks_of(live);
  const auto own = stacks.find(stack);
  if (own == stacks.end()) return;
  for (const auto* network : own->second.networks) {
    if (has_our_label(network->spec.labels))
      std::cout << "note: network " << network->spec.name
                << " keeps its label; the engine cannot change a network, and the CLI does not "
                   "compare it\n";
  }
  for (const auto* service : own->second.services) {
    if (has_our_label(service->spec.labels))
      std::cout << "note: job " << service->spec.name
                << " keeps its label, for every update would run it again\n";
  }
}

void warn_of_extensions(const Session& session, const EjectFlags& flags) {
  if (flags.compose.files.empty()) return;
  auto strict = flags.compose;
  strict.strict = true;
  strict.quiet = true;
  if (const auto loaded = load_compose(session, strict); !loaded)
    std::cerr << "warning: the Docker CLI refuses this file, for it uses what only skep knows: "
              << to_string(loaded.error()) << "\n";
}

int eject(const Session& session, EjectFlags& flags) {
  auto desired = flags.compose.files.empty() ? load_from_repository(session, flags)
                                             : load_compose(session, flags.compose);
  if (!desired) return fail(desired.error());
  const auto& stack = desired->name.text();
  auto digest = read_digest_key(flags.repository.digest_key_file);
  if (!digest) return fail(digest.error());
  auto engine = open_manager(session, flags.compose.registry_auth);
  if (!engine) return fail(engine.error());
  flags.compose.stack = stack;
  flags.compose.prune = false;
  Deployment deployment(session, flags.compose, **engine, *desired, *std::move(digest));

  deployment.policy().plain_names = true;
  auto plan = deployment.plan();
  if (!plan) return fail(plan.error());
  const auto& live = deployment.live();
  if (swarm::stacks_of(live).count(stack) == 0)
    return fail({ErrorKind::invalid_input, "no stack " + stack + " runs on this swarm"});
  // Where a service uses the plain name with older content, it first moves to a generation.
  std::optional<diff::Plan> first;
  if (plan->blocked()) {
    deployment.policy().plain_names = false;
    auto ordinary = deployment.plan();
    if (!ordinary) return fail(ordinary.error());
    if (!ordinary->blocked() && !ordinary->empty()) first = *std::move(ordinary);
  }
  const auto& shown = first ? *first : *plan;
  std::cout << diff::to_text(shown, stack, {session.color});
  if (!first && plan->blocked()) return fail({ErrorKind::invalid_input, "nothing was changed"});
  auto restarting = keys_that_restart(shown);
  if (const auto again = first ? keys_that_rename(*first, *plan) : ""; !again.empty()) {
    std::cout << "note: a second step goes back to the plain names, and restarts (a job: runs "
                 "again) "
              << again << "\n";
    restarting += (restarting.empty() ? "" : ", and in a second step ") + again;
  }
  if (auto asked = ask(flags, restarting); !asked) return fail(asked.error());

  if (auto released = release(session, flags, **engine); !released) return fail(released.error());
  if (first) {
    std::cout << "first step: older content gives its plain name up\n";
    if (auto done = carry_out(deployment, *std::move(first), true); !done)
      return fail(done.error());
    deployment.policy().plain_names = true;
    plan = deployment.plan();
    if (!plan) return fail(plan.error());
  }
  if (auto done = carry_out(deployment, *std::move(plan), !flags.compose.detach); !done)
    return fail(done.error());
  // The generations that the services have just left.
  auto rest = deployment.plan();
  if (!rest) return fail(rest.error());
  if (auto done = carry_out(deployment, *std::move(rest), false); !done) return fail(done.error());
  const auto stripped = strip_generations(session, stack, **engine);
  if (!stripped) return fail(stripped.error());
  for (const auto& name : *stripped)
    std::cout << "note: " << name
              << " stays without a label of ours: `docker service rollback` may need it; "
                 "`docker stack rm` removes it\n";
  say_what_stays(deployment.live(), stack);
  warn_of_extensions(session, flags);
  std::cout << "Stack " << stack
            << " belongs to the Docker CLI again; no agent touches it until `skep approve " << stack
            << "`\n";
  return kSuccess;
}

}  // namespace

void add_eject(Command& app, Session& session) {
  auto* verb = app.add_subcommand(
      "eject", "Give a stack back to the Docker CLI: plain names, no label of ours");
  auto flags = std::make_shared<EjectFlags>();
  flags->compose.resolve_image = "changed";
  verb->add_option("STACK", flags->compose.stack, "Stack, by name or directory")->required();
  verb->add_option("--instance", flags->instance, "Name of the agent whose stack this is")
      ->envname("SKEP_INSTANCE")
      ->capture_default_str();
  verb->add_flag("-y,--yes", flags->yes, "Restart what has to restart without asking");
  verb->add_flag(
      "-d,--detach,!--no-detach", flags->compose.detach, "Do not wait until the services run");
  verb->add_flag("-q,--quiet", flags->compose.quiet, "Suppress progress output");
  verb->add_option(
          "--timeout", flags->compose.timeout, "Give up waiting after this long without progress")
      ->capture_default_str();
  add_repository_flags(*verb, flags->repository);
  add_compose_flags(*verb, flags->compose);
  verb->footer(
      "Examples:  skep eject -c docker-compose.yml MY-APP      as `docker stack deploy` reads the "
      "file here\n"
      "           skep eject --repo . MY-APP                   from the repository\n"
      "Afterwards `docker stack deploy` of the same file changes nothing.");
  verb->callback(
      [&session, flags] { session.verb = [&session, flags] { return eject(session, *flags); }; });
}

}  // namespace skep::cli
