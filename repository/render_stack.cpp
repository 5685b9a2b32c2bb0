#include "repository/render_stack.hpp"

#include <algorithm>
#include <utility>

#include "compose/compose.hpp"
#include "core/digest.hpp"
#include "repository/dotenv.hpp"
#include "repository/hide_secrets.hpp"
#include "repository/job_hashes.hpp"
#include "repository/places.hpp"
#include "repository/repo_files.hpp"
#include "repository/stand_ins.hpp"
#include "swarm/json.hpp"

namespace skep::repository {
namespace {

std::string content_hash(const swarm::StackSpec& spec, const SecretDigest& digest) {
  std::string text;
  for (const auto& [key, service] : spec.services) text += to_json(service.spec);
  for (const auto& [key, network] : spec.networks) text += to_json(network);
  for (const auto& [key, config] : spec.configs) text += to_json(config);
  for (const auto& [key, secret] : spec.secrets) {
    text += to_masked_json(secret);
    if (digest.has_key()) text += digest.of(secret);
  }
  return sha256_hex(text).substr(0, 16);
}

std::string hash_of_secrets(const swarm::StackSpec& spec) {
  std::string text;
  for (const auto& [key, secret] : spec.secrets) {
    text += key + '\0' + sha256_hex(secret.data.reveal());
  }
  return sha256_hex(text);
}

/// How long its rollout and its hooks may take.
std::string deadlines_of(const DesiredStack& stack, const StackPolicy& policy) {
  auto text = std::to_string(policy.timeout.count());
  for (const auto& hook : stack.hooks)
    text += " " + hook.key + "=" + std::to_string(hook.deadline.count());
  return text;
}

Finding unreadable(const RepoPath& path, const Error& error) {
  return {Finding::Severity::error, error.message, error.at.value_or(SourcePosition{path.text()})};
}

/// The CLI would take variables from somebody's shell; here they come from the repository only
/// (design §3).
std::map<std::string, std::string> environment_of(const StackSource& source,
                                                  const ClusterSettings& cluster,
                                                  const TreeReader& reader,
                                                  Findings& findings) {
  auto variables = cluster.variables;
  for (const auto* name : {".env", ".env.sops"}) {
    const auto path = *source.directory.join(name);
    const auto entry = reader.find(path);
    // Some keep their env files in a directory of that name.
    if (entry && *entry && (*entry)->kind == ports::TreeEntry::Kind::directory) continue;
    auto file = reader.file(path);
    if (!file) {
      findings.push_back(unreadable(path, file.error()));
    } else if (*file) {
      for (auto& [variable, value] : parse_dotenv((*file)->text, path.text(), findings))
        variables[variable] = std::move(value);
    }
  }
  variables["PWD"] = kWorkingDirectoryMarker;
  return variables;
}

/// What stands in a variable is shown to everybody who may inspect the service. One remark a
/// variable; short values, which would be found by chance, only where they are all of it.
Findings plain_secrets(const swarm::StackSpec& spec, const std::vector<std::string>& secrets) {
  Findings remarks;
  const auto holds = [&secrets](std::string_view value) {
    return std::any_of(secrets.begin(), secrets.end(), [value](const std::string& secret) {
      const bool tells = secret.size() >= RedactionSet::kShort;
      return !secret.empty() &&
             (tells ? value.find(secret) != std::string_view::npos : value == secret);
    });
  };
  for (const auto& [key, service] : spec.services) {
    for (const auto& variable : service.spec.task_template.container.env) {
      const auto equals = variable.find('=');
      if (equals == std::string::npos || !holds(std::string_view(variable).substr(equals + 1)))
        continue;
      remarks.push_back(
          {Finding::Severity::warning,
           "environment: " + variable.substr(0, equals) + " of service " + key +
               " holds a decrypted value in plain, which everybody sees who may inspect the "
               "service: give it to the service as a secret",
           service.at});
    }
  }
  return remarks;
}

void check_ignored(DesiredStack& stack, const std::vector<IgnoreRule>& rules) {
  std::vector<std::string> keys;
  for (const auto& [key, service] : stack.spec.services) keys.push_back(key);
  if (has_errors(stack.findings)) return;
  for (const auto& rule : rules) {
    if (stack.spec.services.count(rule.service) != 0) continue;
    auto message = "ignore: there is no service " + rule.service + " in this stack";
    if (const auto near = nearest(rule.service, keys); !near.empty())
      message += "; did you mean " + near + "?";
    stack.findings.push_back({Finding::Severity::error, std::move(message), rule.at});
  }
}

struct Rendered {
  std::shared_ptr<DesiredStack> stack;
  bool masked = false;  ///< Something encrypted was read without a key.
};

Rendered render(const ports::Snapshot& snapshot,
                StackSource source,
                const ClusterSettings& cluster,
                const LoadOptions& options,
                TemplateShelf& shelf) {
  const auto& root = options.root;
  auto stack = std::make_shared<DesiredStack>();
  stack->findings = source.findings;
  const TreeReader reader(snapshot, root, source.directory, options.decryption.get());
  const auto name = swarm::StackName::parse(source.name);
  std::vector<package::Document> documents;
  std::map<std::string, std::string> variables;
  Findings remarks;  // They quote no value.
  const auto redaction =
      options.decryption ? options.decryption->redaction : std::make_shared<RedactionSet>();
  refuse_settings(source, options.templates, stack->findings);
  if (name && source.settings.template_name) {
    const auto& made_from = shelf.find(*source.settings.template_name);
    if (made_from.package != nullptr) stack->template_version = made_from.package->version();
    documents = render_template(
        source, cluster.variables, options.templates, shelf, reader, stack->findings);
  }
  if (name && (!documents.empty() || !source.compose_files.empty())) {
    compose::Input input;
    input.stack = *name;
    if (source.settings.name) input.stack_at = source.settings.name_at;
    input.strict = source.settings.policy.strict;
    input.unset_variable_is_error = true;
    input.keep_file = options.keep_compose;
    variables = environment_of(source, cluster, reader, stack->findings);
    input.environment = variables;
    input.reader = &reader;
    const auto below_root = root.is_root() ? source.directory.text()
                                           : source.directory.text().substr(root.text().size() + 1);
    input.working_directory = std::string(compose::kRepositoryRoot) + "/" + below_root;
    for (const auto& document : documents) input.files.push_back({document.name(), document.text});
    for (const auto& path : source.compose_files) {
      auto file = reader.file(path);
      if (!file) {
        stack->findings.push_back(unreadable(path, file.error()));
      } else if (!*file) {
        stack->findings.push_back(
            {Finding::Severity::error, "no such file in the repository", {path.text()}});
      } else {
        input.files.push_back({path.text(), std::move((*file)->text)});
      }
    }
    if (!has_errors(stack->findings)) {
      const auto loaded = [&] {
        return reader.masked()
                   ? load_with_stand_ins(input, RedactionSet::kMask, options.decryption->stand_ins)
                   : compose::load(input);
      };
      auto output = loaded();
      const bool renamed = output.name && !source.settings.name && *output.name != source.name;
      if (auto chosen = swarm::StackName::parse(output.name.value_or("")); renamed && chosen) {
        source.name = chosen->text();
        input.stack = *std::move(chosen);
        output = loaded();
      }
      stack->spec = std::move(output.stack);
      stack->compose_file = std::move(output.file);
      stack->compose_version = std::move(output.version);
      stack->origins = std::move(output.origins);
      show_rendered_lines(
          documents,
          [&](const std::string& text) {
            return lines_without_secrets(text, reader.secrets(), *redaction);
          },
          output.findings);
      stack->findings.insert(stack->findings.end(), output.findings.begin(), output.findings.end());
      RepoFileOptions files;
      files.mode = options.repo_files_on_host ? RepoFiles::host : source.settings.policy.repo_files;
      files.directories = source.settings.policy.repo_directories;
      files.host_checkout = options.host_checkout;
      stack->checkout = resolve_repo_files(stack->spec, files, reader, stack->findings);
      check_ignored(*stack, source.settings.ignore);
      remarks = plain_secrets(stack->spec, reader.secrets());
      if (!stack->broken()) {
        stack->content = content_hash(stack->spec, options.digest);
        if (!options.digest.has_key()) stack->secrets = hash_of_secrets(stack->spec);
        stack->hooks = take_hooks(
            stack->spec, source.settings.hooks, source.settings.policy.timeout, stack->findings);
        stack->jobs = job_hashes(stack->spec);
        stack->deadlines = deadlines_of(*stack, source.settings.policy);
      }
    }
  }
  stack->findings.insert(stack->findings.end(), reader.findings().begin(), reader.findings().end());
  Places places(reader.texts(), root, variables);
  for (const auto& document : documents) places.add(document.name(), document.text);
  hide_secrets(stack->findings, reader.secrets(), *redaction, [&places](const SourcePosition& at) {
    return places.text_at(at);
  });
  hide_secrets(remarks, reader.secrets(), *redaction);
  stack->findings.insert(stack->findings.end(), remarks.begin(), remarks.end());
  for (auto& finding : stack->findings) {  // What follows from the stack as a whole has no place.
    if (finding.at.file.empty()) finding.at.file = source.directory.text();
  }
  sort_and_unique(stack->findings);
  stack->reads = reader.reads();
  stack->source = std::move(source);
  return {std::move(stack), reader.masked()};
}

}  // namespace

std::shared_ptr<const DesiredStack> render_stack(const ports::Snapshot& snapshot,
                                                 StackSource source,
                                                 const ClusterSettings& cluster,
                                                 const LoadOptions& options,
                                                 TemplateShelf& shelf) {
  auto rendered = render(snapshot, source, cluster, options, shelf);
  if (rendered.masked && !rendered.stack->broken()) {
    auto decryption = *options.decryption;
    decryption.stand_ins = sops::StandIns::other;
    auto other = options;
    other.decryption = std::make_shared<const Decryption>(std::move(decryption));
    rendered.stack->with_other_stand_ins =
        render(snapshot, std::move(source), cluster, other, shelf).stack;
  }
  return std::move(rendered.stack);
}

}  // namespace skep::repository
