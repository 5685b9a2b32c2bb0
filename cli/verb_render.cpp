#include <algorithm>
#include <array>
#include <filesystem>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "cli/deployment.hpp"
#include "cli/repository_run.hpp"
#include "compose/shown_stack.hpp"
#include "compose/to_text.hpp"
#include "diff/words.hpp"
#include "swarm/json.hpp"

namespace skep::cli {
namespace {

struct RenderFlags {
  RepositoryFlags repository;
  DeployFlags compose;
  std::string stack;
  std::string output = "text";
  bool show_secrets = false;
};

nlohmann::ordered_json parse(const std::string& text) {
  return nlohmann::ordered_json::parse(text);
}

/// Where short values end, which are not looked for everywhere.
void mask_fields(nlohmann::ordered_json& node, const RedactionSet& set, bool inside = false) {
  if (node.is_string()) {
    if (inside) node = set.mask_field(node.get<std::string>());
    return;
  }
  if (!node.is_structured()) return;
  for (auto& [key, value] : node.items()) {
    const bool free = key == "Env" || key == "Labels" || key == "Args" || key == "Command";
    mask_fields(value, set, inside || free);
  }
}

/// The marks that stand for the repository while its files are read, as people write them.
std::string written_path(const std::string& path, const std::string& stack_directory) {
  const std::string marker(repository::kWorkingDirectoryMarker);
  if (path == marker || path.starts_with(marker + "/")) return "$PWD" + path.substr(marker.size());
  if (!path.starts_with(compose::kRepositoryRoot)) return path;
  const auto from = std::string(compose::kRepositoryRoot) + "/" + stack_directory;
  const auto relative = std::filesystem::path(path).lexically_relative(from).string();
  return relative.starts_with("..") ? relative : "./" + relative;
}

/// As in plans.
std::string masked(std::string_view name, const std::string& value) {
  const bool secret = diff::is_credential(name, value);
  return secret && !value.empty() ? "***" : value;
}

/// What is shown of a text. Empty with --show-secrets.
compose::ShowText shown_texts(const RedactionSet& set, const RenderFlags& flags) {
  if (flags.show_secrets) return {};
  // Kinds and paths are no values, whatever their names are.
  return [&set](std::string_view name, const std::string& value) {
    static constexpr std::array<std::string_view, 9> kWords = {
        "type", "mode", "source", "target", "driver", "external", "name", "config", "registry"};
    const bool word = std::find(kWords.begin(), kWords.end(), name) != kWords.end();
    // A digit or two are a number of replicas rather than a password.
    if (!word && value.size() > 2 && set.reveals(value)) return std::string(RedactionSet::kMask);
    return word ? value : masked(name, value);
  };
}

void print_json(const std::string& name,
                const swarm::StackSpec& stack,
                const RedactionSet& set,
                const compose::ShowText& show) {
  const auto spec = compose::shown(stack, show);
  nlohmann::ordered_json json;
  json["stack"] = name;
  for (const auto* section : {"networks", "secrets", "configs", "services"})
    json[section] = nlohmann::ordered_json::array();
  for (const auto& [key, network] : spec.networks)
    json["networks"].push_back(parse(to_json(network)));
  for (const auto& [key, secret] : spec.secrets)
    json["secrets"].push_back(parse(to_masked_json(secret)));
  for (const auto& [key, config] : spec.configs) json["configs"].push_back(parse(to_json(config)));
  for (const auto& [key, service] : spec.services)
    json["services"].push_back(parse(to_json(service.spec)));
  mask_fields(json, set);
  std::cout << json.dump(2) << "\n";
}

/// "apps/web/docker-compose.yml:4", "web-app/templates/app.yml (rendered), line 5".
std::string described(const SourcePosition& at) {
  if (!at.file.ends_with(")")) return to_string(SourcePosition{at.file, at.line, 0});
  return at.file + ", line " + std::to_string(at.line);
}

void print_text(const repository::DesiredStack& stack,
                const Repository& repository,
                const RedactionSet& set,
                const RenderFlags& flags) {
  const auto& source = stack.source;
  const auto& root = repository.load.root;
  const auto directory = root.is_root() ? source.directory.text()
                                        : source.directory.text().substr(root.text().size() + 1);
  compose::TextOptions options;
  options.show = shown_texts(set, flags);
  options.path = [&](const std::string& path) { return written_path(path, directory); };
  for (const auto& [key, places] : stack.origins) {
    std::string from;
    for (const auto& at : places) from += (from.empty() ? "from " : " and ") + described(at);
    options.comments[key].push_back(std::move(from));
  }
  std::cout << "# Stack " << source.name << ", rendered by skep from " << source.directory.text()
            << " at " << repository.snapshot->revision().abbreviated();
  if (source.settings.template_name)
    std::cout << ", template " << *source.settings.template_name
              << (stack.template_version.empty() ? "" : " " + stack.template_version);
  if (!repository.load.templates.environment.empty())
    std::cout << ", environment " << repository.load.templates.environment;
  std::cout << "\n" << compose::to_text(*stack.compose_file, stack.compose_version, options);
}

/// Files of this machine, without a repository: what `skep deploy` would make of them.
int render_files(const Session& session, RenderFlags& flags) {
  flags.compose.stack = flags.stack;
  const auto output = read_compose(session, flags.compose, flags.output == "text");
  if (!output) return fail(output.error());
  if (!output->findings.empty()) std::cerr << to_string(output->findings) << "\n";
  if (has_errors(output->findings)) return kFailure;
  const auto show = shown_texts(*session.redaction, flags);
  if (flags.output == "json") {
    print_json(flags.stack, output->stack, *session.redaction, show);
  } else {
    std::cout << compose::to_text(*output->file, output->version, {.show = show});
  }
  return kSuccess;
}

int render(const Session& session, RenderFlags flags) {
  if (flags.show_secrets && isatty(STDOUT_FILENO) != 1) {
    return fail({ErrorKind::invalid_input,
                 "--show-secrets shows passwords on a terminal only, and this is none"});
  }
  if (!flags.compose.files.empty()) return render_files(session, flags);
  flags.repository.settings_for = {flags.stack};
  const auto log = make_logger(session, false);
  auto options = load_options(session, flags.repository);
  if (!options) return fail(options.error());
  options->keep_compose = flags.output == "text";
  if (flags.show_secrets) {  // Nothing that is decrypted goes into the set that masks the output.
    auto decryption = *options->decryption;
    decryption.redaction = std::make_shared<RedactionSet>();
    options->decryption = std::make_shared<const repository::Decryption>(std::move(decryption));
  }
  auto repository = load_repository(session, flags.repository, *log, *std::move(options));
  if (!repository) return fail(repository.error());
  auto only = chosen_stacks(repository->desired, {flags.stack});
  if (!only) return fail(only.error());
  const auto findings = findings_of(repository->desired, *only);
  if (!findings.empty()) std::cerr << to_string(findings) << "\n";
  if (has_errors(findings)) return kFailure;
  for (const auto& stack : repository->desired.stacks) {
    if (only->count(stack->source.name) == 0) continue;
    if (flags.output == "json") {
      print_json(stack->source.name,
                 stack->spec,
                 *session.redaction,
                 shown_texts(*session.redaction, flags));
    } else {
      print_text(*stack, *repository, *session.redaction, flags);
    }
  }
  return kSuccess;
}

}  // namespace

void add_render(Command& app, Session& session) {
  auto* verb = app.add_subcommand(
      "render", "Show what a stack becomes: one compose file, with passwords masked");
  auto flags = std::make_shared<RenderFlags>();
  flags->repository.placeholders = true;
  verb->add_option("STACK", flags->stack, "Stack, by name or directory")->required();
  verb->add_option(
          "-o,--output", flags->output, "text: a compose file; json: the Engine API objects")
      ->one_of({"text", "json"})
      ->capture_default_str();
  verb->add_flag("--show-secrets", flags->show_secrets, "Do not mask; on a terminal only");
  add_compose_file_flags(*verb, flags->compose);
  add_repository_flags(*verb, flags->repository);
  add_setting_flags(*verb, flags->repository);
  verb->footer(
      "Examples:  skep render MY-APP\n"
      "           skep render MY-APP --environment prod | docker stack config -c -\n"
      "           skep render hello --set replicas=3          a stack made from a template\n"
      "           skep render -c docker-compose.yml MY-APP");
  verb->callback(
      [&session, flags] { session.verb = [&session, flags] { return render(session, *flags); }; });
}

}  // namespace skep::cli
