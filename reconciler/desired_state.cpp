#include "reconciler/desired_state.hpp"

#include <algorithm>
#include <set>

#include "compose/compose.hpp"
#include "core/digest.hpp"
#include "reconciler/dotenv.hpp"
#include "reconciler/jobs.hpp"
#include "reconciler/redaction.hpp"
#include "reconciler/repo_files.hpp"
#include "reconciler/shared_names.hpp"
#include "reconciler/watched_snapshot.hpp"
#include "swarm/json.hpp"

namespace skep::reconciler {
namespace {

using StackPointer = std::shared_ptr<const DesiredStack>;

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
void warn_of_plain_secrets(DesiredStack& stack, const std::vector<std::string>& secrets) {
  const auto holds = [&secrets](std::string_view value) {
    return std::any_of(secrets.begin(), secrets.end(), [value](const std::string& secret) {
      const bool tells = secret.size() >= RedactionSet::kShort;
      return !secret.empty() &&
             (tells ? value.find(secret) != std::string_view::npos : value == secret);
    });
  };
  for (const auto& [key, service] : stack.spec.services) {
    for (const auto& variable : service.spec.task_template.container.env) {
      const auto equals = variable.find('=');
      if (equals == std::string::npos || !holds(std::string_view(variable).substr(equals + 1)))
        continue;
      stack.findings.push_back(
          {Finding::Severity::warning,
           "environment: " + variable.substr(0, equals) + " of service " + key +
               " holds a decrypted value in plain, which everybody sees who may inspect the "
               "service: give it to the service as a secret",
           service.at});
    }
  }
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

StackPointer render(const ports::Snapshot& snapshot,
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
    input.strict = source.settings.policy.strict;
    input.unset_variable_is_error = true;
    input.keep_file = options.keep_compose;
    input.environment = environment_of(source, cluster, reader, stack->findings);
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
      auto output = compose::load(input);
      const bool renamed = output.name && !source.settings.name && *output.name != source.name;
      if (auto chosen = swarm::StackName::parse(output.name.value_or("")); renamed && chosen) {
        source.name = chosen->text();
        input.stack = *std::move(chosen);
        output = compose::load(input);
      }
      stack->spec = std::move(output.stack);
      stack->compose_file = std::move(output.file);
      stack->compose_version = std::move(output.version);
      stack->origins = std::move(output.origins);
      show_rendered_lines(documents, output.findings);
      stack->findings.insert(stack->findings.end(), output.findings.begin(), output.findings.end());
      RepoFileOptions files;
      files.mode = options.repo_files_on_host ? RepoFiles::host : source.settings.policy.repo_files;
      files.directories = source.settings.policy.repo_directories;
      files.host_checkout = options.host_checkout;
      stack->checkout = resolve_repo_files(stack->spec, files, reader, stack->findings);
      check_ignored(*stack, source.settings.ignore);
      warn_of_plain_secrets(*stack, reader.secrets());
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
  for (auto& finding : stack->findings) {  // What follows from the stack as a whole has no place.
    if (finding.at.file.empty()) finding.at.file = source.directory.text();
  }
  if (options.decryption)
    hide_secrets(stack->findings, reader.secrets(), *options.decryption->redaction);
  sort_and_unique(stack->findings);
  stack->reads = reader.reads();
  stack->source = std::move(source);
  return stack;
}

bool same_settings(const ClusterSettings& a, const ClusterSettings& b) {
  return a.variables == b.variables && a.defaults == b.defaults;
}

/// The stack of the previous state, if rendering again would give the same.
StackPointer unchanged(const ports::Snapshot& snapshot,
                       const StackSource& source,
                       const DesiredState* previous) {
  if (previous == nullptr) return nullptr;
  const auto at = std::find_if(
      previous->stacks.begin(), previous->stacks.end(), [&](const StackPointer& stack) {
        return stack->source.directory == source.directory;
      });
  if (at == previous->stacks.end()) return nullptr;
  const auto& old = **at;
  if (old.source.reads != source.reads || old.source.compose_files != source.compose_files ||
      old.source.values_files != source.values_files)
    return nullptr;
  if (old.source.findings != source.findings || !still_true(old.reads, snapshot)) return nullptr;
  if (old.conflicts.empty()) return *at;
  auto copy = std::make_shared<DesiredStack>(old);
  copy->conflicts.clear();
  return copy;
}

/// Adds a conflict to a stack that may be shared with another state: by copy.
void blame(StackPointer& stack, std::string message, SourcePosition at) {
  auto copy = std::make_shared<DesiredStack>(*stack);
  copy->conflicts.push_back({Finding::Severity::error, std::move(message), std::move(at)});
  stack = std::move(copy);
}

SourcePosition position_of(const DesiredStack& stack) {
  if (stack.source.settings.name) return stack.source.settings.name_at;
  return {stack.source.directory.text()};
}

/// Two directories with one name would take turns at destroying each other's services (trap 11).
void check_names(std::vector<StackPointer>& stacks) {
  std::map<std::string, std::vector<std::size_t>> by_name;
  for (std::size_t i = 0; i < stacks.size(); ++i) by_name[stacks[i]->source.name].push_back(i);
  for (const auto& [name, users] : by_name) {
    if (users.size() < 2) continue;
    for (const auto i : users) {
      const auto other = users.front() == i ? users[1] : users.front();
      blame(stacks[i],
            "the stack name " + name + " is also that of " +
                stacks[other]->source.directory.text() +
                "; set a different name: in one of the two skep.yaml",
            position_of(*stacks[i]));
    }
  }
}

/// A port of the ingress network belongs to one service of the whole swarm (trap 6), and none may
/// have it on the nodes either. The stack that comes later in the order is refused.
void check_ports(std::vector<StackPointer>& stacks) {
  struct Owner {
    std::size_t stack = 0;
    std::string service;
    bool on_nodes = false;  ///< With mode: host, as any number of services may have it.
  };
  std::map<std::pair<std::uint32_t, std::string>, std::vector<Owner>> owners;
  for (std::size_t i = 0; i < stacks.size(); ++i) {
    if (stacks[i]->broken()) continue;
    std::vector<std::pair<std::string, SourcePosition>> clashes;
    for (const auto& [key, service] : stacks[i]->spec.services) {
      if (!service.spec.endpoint_spec) continue;
      for (const auto& port : service.spec.endpoint_spec->ports) {
        if (port.published == 0) continue;
        const auto protocol = port.protocol_or_tcp();
        const bool on_nodes = port.mode == "host";
        auto& all = owners[{port.published, protocol}];
        const auto rival = std::find_if(all.begin(), all.end(), [&](const Owner& other) {
          return other.stack != i && !(on_nodes && other.on_nodes);
        });
        if (rival == all.end()) {
          all.push_back({i, service.spec.name, on_nodes});
          continue;
        }
        clashes.emplace_back(
            "port " + std::to_string(port.published) + "/" + protocol + " of service " +
                service.spec.name + " is already published by service " + rival->service + " of " +
                stacks[rival->stack]->source.directory.text() +
                (on_nodes == rival->on_nodes
                     ? ""
                     : ", one of them with mode: host, which the engine does not take together") +
                "; publish another port, or switch one of the stacks off with enabled: false",
            service.at);
      }
    }
    for (auto& [message, at] : clashes) blame(stacks[i], std::move(message), std::move(at));
  }
}

void warn_of_shared_names(std::vector<StackPointer>& stacks) {
  std::vector<const swarm::StackSpec*> specs;
  for (const auto& stack : stacks) specs.push_back(stack->broken() ? nullptr : &stack->spec);
  for (auto& shared : shared_names(specs)) {
    auto copy = std::make_shared<DesiredStack>(*stacks[shared.stack]);
    copy->conflicts.push_back(std::move(shared.finding));
    stacks[shared.stack] = std::move(copy);
  }
}

/// depends_on between stacks: unknown names and cycles are errors before any write.
void check_dependencies(std::vector<StackPointer>& stacks) {
  std::map<std::string, std::size_t> by_name;
  for (std::size_t i = 0; i < stacks.size(); ++i) by_name.emplace(stacks[i]->source.name, i);
  std::vector<std::string> names;
  for (const auto& [name, index] : by_name) names.push_back(name);
  for (auto& stack : stacks) {
    const auto settings = stack->source.settings;
    for (const auto& dependency : settings.depends_on) {
      if (by_name.count(dependency) != 0) continue;
      auto message =
          "depends_on names the stack " + dependency + ", which is not in the repository";
      if (const auto near = nearest(dependency, names); !near.empty())
        message += "; did you mean " + near + "?";
      blame(stack, std::move(message), settings.depends_on_at);
    }
  }
  // A stack is on a cycle when it can be reached from itself.
  for (auto& stack : stacks) {
    std::set<std::string> seen;
    std::vector<std::string> open = stack->source.settings.depends_on;
    while (!open.empty()) {
      const auto name = open.back();
      open.pop_back();
      if (!seen.insert(name).second) continue;
      if (const auto at = by_name.find(name); at != by_name.end()) {
        const auto& next = stacks[at->second]->source.settings.depends_on;
        open.insert(open.end(), next.begin(), next.end());
      }
    }
    if (seen.count(stack->source.name) != 0) {
      blame(stack,
            "depends_on makes a cycle: " + stack->source.name + " waits for itself by way of " +
                stack->source.settings.depends_on.front(),
            stack->source.settings.depends_on_at);
    }
  }
}

/// Stacks after those that they depend on, otherwise in the order of groups. Cycles were refused
/// before.
void order_by_dependency(std::vector<StackPointer>& stacks) {
  std::vector<StackPointer> ordered;
  std::set<std::string> placed;
  std::vector<StackPointer> waiting = std::move(stacks);
  while (!waiting.empty()) {
    const auto ready = std::find_if(waiting.begin(), waiting.end(), [&](const StackPointer& stack) {
      const auto& needs = stack->source.settings.depends_on;
      return std::all_of(needs.begin(), needs.end(), [&](const std::string& need) {
        return placed.count(need) != 0 ||
               std::none_of(waiting.begin(), waiting.end(), [&](const StackPointer& other) {
                 return other->source.name == need;
               });
      });
    });
    const auto next = ready == waiting.end() ? waiting.begin() : ready;
    placed.insert((*next)->source.name);
    ordered.push_back(*next);
    waiting.erase(next);
  }
  stacks = std::move(ordered);
}

/// Names of what the cluster cannot have → why.
struct Unreadable {
  std::map<std::string, std::string> secrets, configs;
};

/// The contents of the cluster's own secrets and configs.
Unreadable read_cluster_files(const ports::Snapshot& snapshot,
                              const LoadOptions& options,
                              DesiredState& state) {
  Unreadable unreadable;
  const auto& root = options.root;
  const TreeReader reader(snapshot, root, root, options.decryption.get());
  const auto read = [&](const std::map<std::string, ClusterFile>& files,
                        std::map<std::string, std::string>& failed,
                        auto&& use) {
    for (const auto& [name, wanted] : files) {
      const auto complain = [&, subject = name, at = wanted.at](const std::string& message) {
        state.file_findings.push_back({Finding::Severity::error, subject + ": " + message, at});
        failed[subject] = message;
      };
      const auto path = root.join("./" + wanted.file);
      if (!path) {
        complain(path.error().message);
        continue;
      }
      auto file = reader.file(*path);
      if (!file) {
        complain(to_string(file.error()));
      } else if (!*file) {
        complain("there is no file " + path->text() + " in the repository");
      } else if ((*file)->text.empty()) {
        complain("the file " + path->text() + " is empty");
      } else {
        use(name, std::move((*file)->text));
      }
    }
  };
  read(state.cluster.configs, unreadable.configs, [&](const std::string& name, std::string data) {
    swarm::ConfigSpec spec;
    spec.name = name;
    spec.data = std::move(data);
    state.configs.push_back(std::move(spec));
  });
  read(state.cluster.secrets, unreadable.secrets, [&](const std::string& name, std::string data) {
    swarm::SecretSpec spec;
    spec.name = name;
    spec.data = Secret(std::move(data));
    state.secrets.push_back(std::move(spec));
  });
  state.file_findings.insert(
      state.file_findings.end(), reader.findings().begin(), reader.findings().end());
  return unreadable;
}

/// Promise 5: one file that cannot be read hurts those that use it.
void hold_users_of(const Unreadable& unreadable, std::vector<StackPointer>& stacks) {
  const auto check = [](StackPointer& stack,
                        const std::map<std::string, SourcePosition>& used,
                        const std::map<std::string, std::string>& failed,
                        const std::string& word) {
    for (const auto& [name, at] : used) {
      const auto why = failed.find(name);
      if (why == failed.end()) continue;
      blame(
          stack,
          "the " + word + " " + name + " of the cluster's skep.yaml cannot be read: " + why->second,
          at);
    }
  };
  for (auto& stack : stacks) {
    if (stack->broken()) continue;
    const auto spec = stack->spec;
    check(stack, spec.external_secrets, unreadable.secrets, "secret");
    check(stack, spec.external_configs, unreadable.configs, "config");
  }
}

}  // namespace

Findings DesiredStack::all_findings() const {
  auto all = findings;
  all.insert(all.end(), conflicts.begin(), conflicts.end());
  sort_and_unique(all);
  return all;
}

Findings DesiredState::all_findings() const {
  auto all = findings;
  all.insert(all.end(), file_findings.begin(), file_findings.end());
  sort_and_unique(all);
  return all;
}

bool DesiredState::says_the_same(const DesiredState& other) const {
  return revision.commit == other.revision.commit && findings == other.findings &&
         file_findings == other.file_findings &&
         std::equal(stacks.begin(),
                    stacks.end(),
                    other.stacks.begin(),
                    other.stacks.end(),
                    [](const auto& a, const auto& b) {
                      return a->source.name == b->source.name && a->content == b->content &&
                             a->secrets == b->secrets && a->deadlines == b->deadlines &&
                             a->findings == b->findings && a->conflicts == b->conflicts;
                    });
}

Result<DesiredState> load_desired_state(const ports::Snapshot& given,
                                        const LoadOptions& options,
                                        const DesiredState* previous) {
  const WatchedSnapshot snapshot(given);
  auto discovery = discover(snapshot, options.root, options.templates.environment);
  if (!discovery) return std::move(discovery).error();
  DesiredState state;
  state.revision = snapshot.revision();
  state.cluster = discovery->cluster;
  state.findings = discovery->findings;
  state.obstructed = discovery->obstructed;
  const auto unreadable = read_cluster_files(snapshot, options, state);
  if (previous != nullptr && !same_settings(previous->cluster, state.cluster)) previous = nullptr;
  TemplateShelf shelf(snapshot, options.root);
  for (auto& source : discovery->stacks) {
    auto stack = unchanged(snapshot, source, previous);
    if (!stack) {
      stack = render(snapshot, std::move(source), state.cluster, options, shelf);
      ++state.rendered;
    }
    state.stacks.push_back(std::move(stack));
  }
  for (const auto& source : discovery->disabled) state.disabled.push_back(source.name);
  check_names(state.stacks);
  check_ports(state.stacks);
  check_dependencies(state.stacks);
  if (!unreadable.secrets.empty() || !unreadable.configs.empty())
    hold_users_of(unreadable, state.stacks);
  warn_of_shared_names(state.stacks);
  order_by_dependency(state.stacks);
  state.troubled = snapshot.troubled();
  return state;
}

Result<std::shared_ptr<const DesiredStack>> stack_at(const ports::Source& source,
                                                     const LoadOptions& options,
                                                     const std::string& commit,
                                                     const std::string& name) {
  const auto snapshot = source.snapshot_at(commit);
  if (!snapshot) return snapshot.error();
  auto state = load_desired_state(**snapshot, options, nullptr);
  if (!state) return std::move(state).error();
  for (const auto& stack : state->stacks) {
    if (stack->source.name != name) continue;
    if (stack->broken()) return to_error(stack->all_findings());
    return stack;
  }
  return Error{ErrorKind::invalid_input,
               "the revision " + commit.substr(0, 12) + " has no stack " + name};
}

}  // namespace skep::reconciler
