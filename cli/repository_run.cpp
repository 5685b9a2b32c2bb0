#include "cli/repository_run.hpp"

#include <algorithm>

#include "cli/age_keys.hpp"
#include "cli/digest_key.hpp"
#include "cli/policy_flag.hpp"
#include "gitsync/file_checkout.hpp"

namespace skep::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kBetweenTurns = 300ms;

/// `--set-file KEY=PATH[,KEY=PATH…]` as `--set-string` says it: each sign that means something has
/// a backslash.
Result<std::string> setting_from_file(const std::string& text) {
  std::string setting;
  std::size_t next = 0;
  do {
    const auto equals = text.find('=', next);
    std::string path;
    auto end = equals == std::string::npos ? text.size() : equals + 1;
    for (; end < text.size() && text[end] != ','; ++end) {
      if (text[end] == '\\' && end + 1 < text.size()) ++end;  // A comma in a path has one.
      path += text[end];
    }
    if (path.empty()) {
      return Error{ErrorKind::invalid_input,
                   "--set-file " + text + ": write KEY=PATH, such as config=./app.conf"};
    }
    const auto content = read_file(path);
    if (!content) return content.error();
    setting += (next == 0 ? "" : ",") + text.substr(next, equals + 1 - next);
    for (const char c : *content) {
      if (c == '\\' || c == ',' || c == '{') setting += '\\';
      setting += c;
    }
    next = end + 1;
  } while (next < text.size());
  return setting;
}

}  // namespace

Result<repository::LoadOptions> load_options(const Session& session, const RepositoryFlags& flags) {
  repository::LoadOptions options;
  auto root = configuration_root(flags);
  if (!root) return std::move(root).error();
  options.root = *std::move(root);
  auto host_checkout = host_checkout_of(flags);
  if (!host_checkout) return std::move(host_checkout).error();
  options.host_checkout = *std::move(host_checkout);
  // It becomes part of file names.
  const auto& environment = flags.environment;
  if (environment.starts_with('.') || environment.size() > 60 ||
      environment.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") !=
          std::string::npos) {
    return Error{ErrorKind::invalid_input,
                 "--environment must be a word of letters, digits, - _ or ., such as prod"};
  }
  options.templates.environment = environment;
  for (const auto& text : flags.settings) options.templates.settings.push_back({text, false});
  for (const auto& text : flags.text_settings) options.templates.settings.push_back({text, true});
  for (const auto& text : flags.file_settings) {
    auto setting = setting_from_file(text);
    if (!setting) return std::move(setting).error();
    options.templates.settings.push_back({*std::move(setting), true});
  }
  for (auto stack : flags.settings_for) {
    while (stack.size() > 1 && stack.back() == '/') stack.pop_back();
    options.templates.settings_for.insert(std::move(stack));
  }
  auto digest = read_digest_key(flags.digest_key_file);
  if (!digest) return std::move(digest).error();
  options.digest = *std::move(digest);
  auto keys = read_age_keys(session, flags.age_key_file);
  if (!keys) return std::move(keys).error();
  options.decryption = std::make_shared<const repository::Decryption>(
      repository::Decryption{.identities = *std::move(keys),
                             .placeholders = flags.placeholders,
                             .redaction = session.redaction});
  return options;
}

Result<Repository> load_repository(const Session& session,
                                   const RepositoryFlags& flags,
                                   spdlog::logger& log,
                                   bool repo_files_on_host) {
  auto options = load_options(session, flags);
  if (!options) return std::move(options).error();
  options->repo_files_on_host = repo_files_on_host;
  return load_repository(session, flags, log, *std::move(options));
}

Result<Repository> load_repository(const Session& session,
                                   const RepositoryFlags& flags,
                                   spdlog::logger& log,
                                   repository::LoadOptions options) {
  Repository repository;
  repository.load = std::move(options);
  auto source = open_source(session, flags, log);
  if (!source) return std::move(source).error();
  repository.source = *std::move(source);
  auto snapshot = repository.source->fetch(session.stop);
  if (!snapshot) return std::move(snapshot).error();
  repository.snapshot = *std::move(snapshot);
  auto desired = repository::load_desired_state(*repository.snapshot, repository.load, nullptr);
  if (!desired) return std::move(desired).error();
  repository.desired = *std::move(desired);
  if (repository.desired.stacks.empty() && repository.desired.all_findings().empty() &&
      repository.desired.disabled.empty()) {
    const auto& root = repository.load.root;
    const auto there = repository.snapshot->find(root);
    if (!root.is_root() && there &&
        (!*there || (*there)->kind != ports::TreeEntry::Kind::directory)) {
      return Error{ErrorKind::invalid_input,
                   "--path: " + repository.source->describe() + " has no directory " + root.text()};
    }
    std::string groups;
    for (const auto& group : repository.desired.cluster.groups)
      groups += (groups.empty() ? "" : ", ") + group.name + "/*";
    return Error{ErrorKind::invalid_input,
                 repository.source->describe() +
                     ": no stack found; skep looks for directories in " + groups +
                     " (see --path, or groups: in skep.yaml)"};
  }
  return repository;
}

Error no_such_stack(const repository::DesiredState& desired, const std::string& word) {
  std::vector<std::string> names;
  for (const auto& stack : desired.stacks) names.push_back(stack->source.name);
  auto message = "no stack " + word + " in the repository";
  if (const auto near = nearest(word, names); !near.empty())
    message += "; did you mean " + near + "?";
  return Error{ErrorKind::invalid_input, message};
}

Result<std::set<std::string>> chosen_stacks(const repository::DesiredState& desired,
                                            const std::vector<std::string>& words,
                                            std::set<std::string>* others) {
  std::set<std::string> chosen;
  for (auto word : words) {
    while (word.size() > 1 && word.back() == '/') word.pop_back();
    const auto at =
        std::find_if(desired.stacks.begin(), desired.stacks.end(), [&](const auto& stack) {
          const auto& source = stack->source;
          return source.name == word || source.directory.text() == word ||
                 source.group + "/" + source.name == word;
        });
    if (at == desired.stacks.end()) {
      if (others == nullptr) return no_such_stack(desired, word);
      others->insert(word.substr(word.rfind('/') + 1));
      continue;
    }
    chosen.insert((*at)->source.name);
  }
  return chosen;
}

Findings findings_of(const repository::DesiredState& desired, const std::set<std::string>& only) {
  auto findings = desired.all_findings();
  for (const auto& stack : desired.stacks) {
    if (!only.empty() && only.count(stack->source.name) == 0) continue;
    for (auto& finding : stack->all_findings()) {
      if (only.size() != 1) finding.stack = stack->source.directory.text();
      findings.push_back(std::move(finding));
    }
  }
  return findings;
}

Result<RepositoryRun> open_run(const Session& session,
                               const RepositoryFlags& flags,
                               const std::vector<std::string>& stacks,
                               const std::string& instance,
                               bool also_left_git) {
  RepositoryRun run;
  run.log = make_logger(session, false);
  const bool tries =
      !flags.settings.empty() || !flags.text_settings.empty() || !flags.file_settings.empty();
  if (tries && stacks.size() != 1) {
    return Error{ErrorKind::invalid_input,
                 "--set is for one stack made from a template: name the stack"};
  }
  auto chosen = flags;
  chosen.settings_for = stacks;
  auto repository = load_repository(session, chosen, *run.log);
  if (!repository) return std::move(repository).error();
  run.repository = *std::move(repository);
  auto only =
      chosen_stacks(run.repository.desired, stacks, also_left_git ? &run.not_in_git : nullptr);
  if (!only) return std::move(only).error();
  run.only = *std::move(only);
  run.only.insert(run.not_in_git.begin(), run.not_in_git.end());
  run.findings = findings_of(run.repository.desired, run.only);
  if (!run.findings.empty()) std::cerr << to_string(run.findings) << "\n";
  auto engine = open_manager(session, true);
  if (!engine) return std::move(engine).error();
  run.engine = *std::move(engine);
  if (const auto& directory = run.repository.load.host_checkout; !directory.empty()) {
    run.checkout = std::make_unique<gitsync::FileCheckout>(directory);
    run.options.checkout = run.checkout.get();
  }
  // What was healthy once was not made with what is being tried now.
  auto load = run.repository.load;
  load.templates.settings.clear();
  run.options.instance = instance;
  run.options.only = run.only;
  run.options.respect_windows = false;
  run.options.digest = run.repository.load.digest;
  if (!flags.policy_file.empty()) {  // Else a person may do what the engine lets them do.
    auto access = read_access_policy(flags.policy_file);
    if (!access) return std::move(access).error();
    run.options.access = *std::move(access);
  }
  run.options.mask = [set = session.redaction](std::string& text) { text = set->mask_field(text); };
  run.options.revision = [source = run.repository.source.get(), load = std::move(load)](
                             const std::string& commit, const std::string& stack) {
    return repository::stack_at(*source, load, commit, stack);
  };
  return run;
}

Result<reconciler::Turn> run_until_settled(
    reconciler::Reconciler& reconciler,
    const repository::DesiredState& desired,
    const Session& session,
    const std::function<void(const reconciler::Turn&)>& on_turn) {
  int failures = 0;
  while (true) {
    auto turn = reconciler.turn(desired, session.stop);
    if (session.stop.stop_requested())
      return Error{ErrorKind::cancelled, "interrupted; the swarm goes on by itself"};
    if (!turn) {
      if (turn.error().kind != ErrorKind::conflict || ++failures > 10) return turn;
      continue;
    }
    on_turn(*turn);
    if (!turn->wrote && !turn->moving) return turn;
    if (!turn->wrote) session.clock.sleep_for(kBetweenTurns, session.stop);
  }
}

}  // namespace skep::cli
