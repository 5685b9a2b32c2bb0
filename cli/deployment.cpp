#include "cli/deployment.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <thread>
#include <tuple>
#include <utility>

#include "cli/digest_key.hpp"
#include "cli/host_files.hpp"
#include "core/digest.hpp"
#include "reconciler/apply.hpp"
#include "reconciler/decide.hpp"
#include "reconciler/observation/health.hpp"
#include "reconciler/observation/node_loss.hpp"
#include "reconciler/observation/task_references.hpp"
#include "repository/dotenv.hpp"
#include "repository/settings.hpp"

namespace skep::cli {
namespace {

using namespace std::chrono_literals;
using ports::Health;

/// As long as `docker stack deploy --detach=false` looks on.
constexpr auto kStable = std::chrono::seconds(5);
constexpr auto kLook = 300ms;
constexpr auto kRolloutShows = 3s;
constexpr int kMostConflicts = 5;
constexpr int kMostHandovers = 40;  ///< Of a port, each waited for kLook.

/// Rule A1.2: the flag may be repeated, and each value is one CSV record.
std::vector<std::string> split_files(const std::vector<std::string>& flags) {
  std::vector<std::string> files;
  for (const auto& flag : flags) {
    std::string field;
    bool quoted = false;
    for (std::size_t i = 0; i < flag.size(); ++i) {
      const char c = flag[i];
      if (c == '"' && quoted && i + 1 < flag.size() && flag[i + 1] == '"') {
        field += flag[++i];
      } else if (c == '"') {
        quoted = !quoted;
      } else if (c == ',' && !quoted) {
        if (!field.empty()) files.push_back(std::move(field));
        field.clear();
      } else {
        field += c;
      }
    }
    if (!field.empty()) files.push_back(std::move(field));
  }
  return files;
}

/// Rule A1.4.
std::string working_directory(const std::vector<std::string>& files) {
  const auto current = std::filesystem::current_path();
  if (files.front() == "-") return current.string();
  return std::filesystem::absolute(files.front()).lexically_normal().parent_path().string();
}

Result<std::map<std::string, std::string>> environment_of(const Session& session,
                                                          const DeployFlags& flags) {
  if (!session.bad_environment.empty()) {
    return Error{ErrorKind::invalid_input,
                 "unexpected environment variable '" + session.bad_environment.front() + "'"};
  }
  auto environment = session.environment;
  Findings findings;
  for (const auto& file : flags.environment_files) {
    auto text = read_file(file);
    if (!text) return std::move(text).error().within("--env-file");
    // The process wins, as with Docker Compose.
    for (auto& [name, value] : repository::parse_dotenv(*text, file, findings))
      environment.try_emplace(name, std::move(value));
  }
  if (has_errors(findings)) return to_error(findings);
  return environment;
}

diff::ResolveImage resolve_mode(const std::string& word) {
  if (word == "changed") return diff::ResolveImage::changed;
  return word == "never" ? diff::ResolveImage::never : diff::ResolveImage::always;
}

/// The CLI's own lines (rule D2.3).
void announce(const diff::Action& action) {
  const auto kind = word_of(action.kind);
  switch (action.verb) {
    case diff::Verb::create:
      std::cout << "Creating " << kind << " " << action.name << "\n";
      break;
    case diff::Verb::replace:
      std::cout << "Replacing " << kind << " " << action.name << "\n";
      break;
    case diff::Verb::remove:
      std::cout << "Removing " << kind << " " << action.name << "\n";
      break;
    case diff::Verb::update:
      if (action.kind == diff::ObjectKind::service) {
        std::cout << "Updating service " << action.name << " (id: " << action.live_id << ")\n";
      }
  }
  std::cout.flush();
}

}  // namespace

void add_compose_file_flags(Command& app, DeployFlags& flags) {
  app.add_option(
         "-c,--compose-file", flags.files, "Path to a Compose file, or \"-\" to read from stdin")
      ->one_at_a_time();
  app.add_option(
         "--env-file", flags.environment_files, "File with variables; those of the process win")
      ->one_at_a_time();
  app.add_flag(
      "--strict", flags.strict, "Accept and do only what `docker stack deploy` does: no extension");
}

void add_compose_flags(Command& app, DeployFlags& flags) {
  add_compose_file_flags(app, flags);
  app.add_option("--resolve-image",
                 flags.resolve_image,
                 "Query the registry to resolve image digest and supported platforms (\"always\", "
                 "\"changed\", \"never\")")
      ->capture_default_str()
      ->one_of({"always", "changed", "never"});
  app.add_flag("--prune", flags.prune, "Prune services that are no longer referenced");
  app.add_flag("--with-registry-auth",
               flags.registry_auth,
               "Send registry authentication details to Swarm agents");
}

Result<compose::Output> read_compose(const Session& session,
                                     const DeployFlags& flags,
                                     bool keep_file) {
  auto name = swarm::StackName::parse(flags.stack);
  if (!name) return std::move(name).error();
  const auto files = split_files(flags.files);
  if (files.empty())
    return Error{ErrorKind::invalid_input, "specify a Compose file (with --compose-file)"};
  auto environment = environment_of(session, flags);
  if (!environment) return std::move(environment).error();
  const HostFiles reader;
  compose::Input input;
  input.stack = *std::move(name);
  input.working_directory = working_directory(files);
  input.environment = *std::move(environment);
  input.reader = &reader;
  input.strict = flags.strict;
  input.keep_file = keep_file;
  input.home = session.variable("HOME");
  for (const auto& file : files) {
    auto text = read_file(file);
    if (!text) return std::move(text).error();
    input.files.push_back({file == "-" ? "<stdin>" : file, *std::move(text)});
  }
  auto output = compose::load(input);
  sort_and_unique(output.findings);
  return output;
}

Result<swarm::StackSpec> load_compose(const Session& session, const DeployFlags& flags) {
  auto output = read_compose(session, flags, false);
  if (!output) return std::move(output).error();
  // Warnings beside a mistake are often what explains it.
  Findings warnings;
  for (const auto& finding : output->findings) {
    if (finding.severity == Finding::Severity::warning) warnings.push_back(finding);
  }
  if (!warnings.empty() && !flags.quiet) std::cerr << to_string(warnings) << "\n";
  if (has_errors(output->findings)) return to_error(output->findings);
  return std::move(output->stack);
}

Deployment::Deployment(const Session& session,
                       const DeployFlags& flags,
                       engine::SocketEngine& engine,
                       swarm::StackSpec desired,
                       repository::SecretDigest digest)
    : session_(session),
      flags_(flags),
      engine_(engine),
      desired_(std::move(desired)),
      digest_(std::move(digest)) {
  policy_.resolve_image = resolve_mode(flags.resolve_image);
  policy_.prune = flags.prune;
  policy_.rotate = !flags.strict;
  policy_.collect_generations = !flags.strict;
  policy_.held_by_tasks = [this](const std::vector<swarm::ObjectId>& services) {
    return reconciler::held_by_tasks(engine_, services, session_.stop);
  };
  policy_.secret_holds = [this](const swarm::LiveSecret& live, const swarm::SecretSpec& spec) {
    const auto known = digest_.compare(live, spec);
    if (known != diff::SecretAnswer::unknown) return known;
    auto asked = spec;
    asked.name = live.name;
    const auto answer = engine_.secret_holds(live.id, asked, session_.stop);
    return answer ? *answer : diff::SecretAnswer::unknown;
  };
  policy_.secret_suffix = [this](const swarm::SecretSpec& spec) {
    return digest_.has_key() ? digest_.of(spec) : to_hex(random_bytes(4));
  };
}

Result<void> Deployment::resolve_images(const std::vector<std::string>& images) {
  std::mutex mutex;
  std::atomic<std::size_t> next = 0;
  std::vector<std::jthread> workers;
  for (std::size_t i = 0; i < std::min<std::size_t>(images.size(), 8); ++i) {
    workers.emplace_back([&] {
      for (auto at = next++; at < images.size(); at = next++) {
        auto resolved = engine_.resolve_image(images[at], session_.stop);
        const std::lock_guard lock(mutex);
        if (resolved) {
          policy_.resolved[images[at]] = *std::move(resolved);
        } else if (resolved.error().kind != ErrorKind::cancelled) {
          unresolved_[images[at]] = resolved.error().kind;
        }
      }
    });
  }
  workers.clear();
  if (session_.stop.stop_requested()) return Error{ErrorKind::cancelled, "interrupted"};
  return {};
}

void Deployment::tell_of_unresolved(const diff::Plan& plan) {
  for (const auto& [image, kind] : unresolved_) {
    if (flags_.quiet || !told_unresolved_.insert(image).second) continue;
    bool keeps = true;
    for (const auto& [key, service] : desired_.services) {
      const auto planned = plan.desired.services.find(key);
      if (service.spec.task_template.container.image != image ||
          planned == plan.desired.services.end())
        continue;
      const auto& chosen = planned->second.spec.task_template.container.image;
      keeps = keeps && chosen.find('@') != std::string::npos;
    }
    std::cerr << "image " << image << " could not be accessed on a registry";
    if (image.find('@') != std::string::npos) {
      std::cerr << " to record its platforms; its digest is the one of the file.";
    } else if (keeps) {
      std::cerr << "; the digest that runs is kept.";
    } else {
      std::cerr << " to record its digest. Each node will access it independently, possibly "
                   "leading to different nodes running different versions of the image.";
    }
    if (kind == ErrorKind::unauthorized) {
      std::cerr << (flags_.registry_auth
                        ? " The registry refuses the login: `docker login` renews it."
                        : " The registry wants a login: `docker login`, then deploy with "
                          "--with-registry-auth.");
    }
    std::cerr << "\n";
  }
}

bool Deployment::waits_for_holder(const Error& error, const diff::Plan& plan) const {
  if (!reconciler::waits_for_port(error)) return false;
  const auto names = [&](const std::string& service) {
    return error.message.find("by service '" + service + "'") != std::string::npos;
  };
  // One that was updated before may hold the port for a moment more.
  return std::any_of(plan.actions.begin(),
                     plan.actions.end(),
                     [&](const diff::Action& action) {
                       return action.kind == diff::ObjectKind::service && names(action.name);
                     }) ||
         std::any_of(updated_.begin(), updated_.end(), [&](const auto& entry) {
           return names(entry.first);
         });
}

Error Deployment::placed(Error error, const diff::Action& action) const {
  if (error.at) return error;
  if (action.kind == diff::ObjectKind::service) {
    const auto service = desired_.services.find(action.key);
    if (service != desired_.services.end()) error.at = service->second.at;
  } else if (action.kind == diff::ObjectKind::network) {
    const auto at = desired_.networks_at.find(action.key);
    if (at != desired_.networks_at.end()) error.at = at->second;
  }
  return error;
}

Result<diff::Plan> Deployment::plan() {
  auto live = engine_.observe(session_.stop);
  if (!live) return std::move(live).error();
  live_ = *std::move(live);
  if (policy_.engine_api.empty()) {
    if (auto version = engine_.api().version(session_.stop))
      policy_.engine_api = *std::move(version);
  }
  std::vector<std::string> open;
  for (auto& image : diff::images_to_resolve(desired_, live_, policy_)) {
    if (policy_.resolved.count(image) == 0 && unresolved_.count(image) == 0)
      open.push_back(std::move(image));
  }
  if (auto resolved = resolve_images(open); !resolved) return std::move(resolved).error();
  auto made = diff::plan(desired_, live_, policy_);
  tell_of_unresolved(made);
  return made;
}

bool Deployment::rolls_unseen(const swarm::LiveService& service) const {
  const auto updated = updated_.find(service.spec.name);
  return updated != updated_.end() && service.update.state.empty() &&
         session_.clock.steady() - updated->second < kRolloutShows;
}

std::map<std::string, std::string> Deployment::postponed(const diff::Plan& plan) {
  std::map<std::string, SteadyTime> awaited;
  std::set<std::string> ending;  // Keys of services that others wait for until they have completed.
  for (const auto& [key, service] : desired_.services) {
    const auto* found = live_.find_service(service.spec.name);
    if (found != nullptr && rolls_unseen(*found)) awaited.insert(*updated_.find(found->spec.name));
    for (const auto& need : service.depends_on) {
      if (need.condition == swarm::ServiceDependency::Condition::completed)
        ending.insert(need.service);
    }
  }
  std::set<std::string> completed;
  for (const auto& key : ending) {
    const auto at = desired_.services.find(key);
    const auto* found =
        at == desired_.services.end() ? nullptr : live_.find_service(at->second.spec.name);
    if (found == nullptr) continue;
    const auto tasks = engine_.tasks({found->id}, session_.stop);
    if (!tasks) continue;  // Asked again in a moment.
    const auto failure = reconciler::failure_for_good(*found, *tasks);
    if (!plan.touches_service(found->spec.name) && !failure.empty())
      never_completes_ = Failed{found->spec.name, failure};
    if (reconciler::has_done_its_work(*found, *tasks)) completed.insert(found->spec.name);
  }
  return reconciler::postponed_services(plan, live_, false, awaited, completed);
}

Result<std::chrono::milliseconds> Deployment::patience() const {
  if (const auto patience = repository::parse_duration(flags_.timeout)) return *patience;
  return Error{ErrorKind::invalid_input, "--timeout must be a duration such as 90s or 5m"};
}

Result<void> Deployment::apply(diff::Plan plan) {
  const auto patience = this->patience();
  if (!patience) return patience.error();
  ports::Observer nobody;
  int handovers = 0;
  int conflicts = 0;
  auto progressed = session_.clock.steady();
  std::set<std::string> told;
  // What is tried again is said once.
  std::set<std::tuple<diff::Verb, diff::ObjectKind, std::string, bool>> announced;
  const auto announce_once = [&](const diff::Action& action) {
    if (announced.emplace(action.verb, action.kind, action.name, action.gives_up.empty()).second)
      announce(action);
  };
  while (true) {
    if (plan.blocked()) {
      for (const auto& note : plan.notes) {
        if (note.severity == diff::Note::Severity::blocked)
          return Error{ErrorKind::invalid_input, note.text, note.at};
      }
    }
    reconciler::ApplyOptions options;
    if (!plan.empty()) options.postponed = postponed(plan);
    const auto result =
        reconciler::apply(plan, live_, options, engine_, nobody, announce_once, session_.stop);
    if (!result.results.empty()) progressed = session_.clock.steady();
    for (const auto& done : result.results) {
      for (const auto& warning : done.warnings) std::cerr << warning << "\n";
      if (!done.error && done.action.verb == diff::Verb::update)
        updated_[done.action.name] = session_.clock.steady();
      changed_ = changed_ || (!done.error && done.action.kind == diff::ObjectKind::service &&
                              done.action.verb != diff::Verb::remove);
    }
    const auto* error = result.first_error();
    if (error == nullptr && !result.postponed) return {};
    bool pause = !options.postponed.empty();
    if (error != nullptr && waits_for_holder(*error, plan) && handovers++ < kMostHandovers) {
      pause = true;
    } else if (error != nullptr &&
               (error->kind != ErrorKind::conflict || conflicts++ >= kMostConflicts)) {
      const auto failed = std::find_if(result.results.begin(),
                                       result.results.end(),
                                       [](const auto& done) { return done.error.has_value(); });
      return placed(*error, failed->action);
    }
    for (const auto& [name, lacks] : options.postponed) {
      if (!flags_.quiet && told.insert(name).second)
        std::cout << "Waiting with " << name << ": " << lacks << std::endl;
    }
    if (!options.postponed.empty() && never_completes_) {
      const auto& name = never_completes_->service;
      return Error{ErrorKind::unavailable,
                   options.postponed.begin()->first + " waits for what never completes: " + name +
                       " failed: " + never_completes_->error + "; `docker service logs " + name +
                       "` shows more. Mend it and deploy again, or run it again as it is with "
                       "`docker service update --force " +
                       name + "`"};
    }
    if (!options.postponed.empty() && session_.clock.steady() - progressed > *patience) {
      const auto& [name, lacks] = *options.postponed.begin();
      return Error{ErrorKind::unavailable,
                   "no progress for " + flags_.timeout + ": " + name + " waits: " + lacks +
                       "; `docker stack ps " + flags_.stack + "` shows why"};
    }
    if (pause && !session_.clock.sleep_for(kLook, session_.stop))
      return Error{ErrorKind::cancelled, "interrupted; the swarm goes on by itself"};
    auto again = this->plan();
    if (!again) return std::move(again).error();
    plan = *std::move(again);
  }
}

Result<void> Deployment::wait() {
  const auto timeout = patience();
  if (!timeout) return timeout.error();
  std::map<std::string, std::string> shown;
  std::set<std::string> seen;  // A service that falls over and comes up again makes no progress.
  std::optional<SteadyTime> up_since;
  auto progressed = session_.clock.steady();
  while (true) {
    auto live = engine_.observe(session_.stop);
    if (!live) return std::move(live).error();
    auto pause = 0ms;  // That swarm itself lets pass between two tasks.
    if (auto counted = reconciler::discount_lost_tasks(*live, engine_, session_.stop); !counted)
      return std::move(counted).error();
    bool done = true;
    std::string trouble;
    for (const auto& [key, service] : desired_.services) {
      const auto* found = live->find_service(service.spec.name);
      if (found == nullptr)
        return Error{ErrorKind::conflict, service.spec.name + " was removed meanwhile"};
      std::vector<swarm::Task> tasks;
      if (reconciler::needs_tasks(*found)) {
        auto read = engine_.tasks({found->id}, session_.stop);
        if (read) tasks = *std::move(read);
      }
      const auto status = reconciler::describe_service(*found, tasks, session_.clock.now());
      auto health = reconciler::health_of(*found, tasks, session_.clock.now());
      if (health == Health::healthy && rolls_unseen(*found)) health = Health::progressing;
      pause = std::max(pause, reconciler::pause_between_tasks(*found));
      std::string line = service.spec.name + ": " + std::to_string(status.running) + "/" +
                         std::to_string(status.desired) + " running, " +
                         (status.updated > 0 ? std::to_string(status.updated) + " updated, " : "") +
                         std::string(to_string(health));
      if (!status.trouble.empty()) line += ": " + status.trouble;
      if (shown[key] != line) {
        shown[key] = line;
        if (seen.insert(line).second) progressed = session_.clock.steady();
        if (!flags_.quiet) std::cout << line << std::endl;
      }
      if (health == Health::degraded)
        return Error{ErrorKind::unavailable,
                     service.spec.name + " does not come up: " + status.trouble};
      if (health != Health::healthy && trouble.empty()) trouble = line;
      done = done && health == Health::healthy;
    }
    const auto now = session_.clock.steady();
    if (!done) {
      up_since.reset();
    } else if (!up_since) {
      up_since = now;
      if (changed_ && !flags_.quiet)
        std::cout << "Waiting " << kStable.count() << " seconds to see that the tasks stay up"
                  << std::endl;
    }
    if (done && (!changed_ || now - *up_since >= kStable)) return {};
    if (!done && now - progressed > *timeout + pause) {
      return Error{ErrorKind::unavailable, "no progress for " + flags_.timeout + ": " + trouble};
    }
    if (!session_.clock.sleep_for(kLook, session_.stop))
      return Error{ErrorKind::cancelled, "interrupted; the swarm goes on by itself"};
  }
}

}  // namespace skep::cli
