#include "repository/discovery.hpp"

#include <algorithm>
#include <array>

#include "core/ascii.hpp"
#include "swarm/stack_spec.hpp"
#include "yaml/documents.hpp"
#include "yaml/parse.hpp"

namespace skep::repository {
namespace {

constexpr std::string_view kSettings = "skep.yaml";
constexpr std::array<std::string_view, 6> kDefaultFiles = {"docker-compose.yml",
                                                           "docker-compose.yaml",
                                                           "compose.yaml",
                                                           "compose.yml",
                                                           "docker-stack.yml",
                                                           "stack.yml"};

/// A settings file's tree; Null where there is no such file; nothing where it could not be read (a
/// finding says why).
std::optional<yaml::Node> read_settings(const TreeReader& reader,
                                        const RepoPath& path,
                                        Findings& findings) {
  auto file = reader.file(path);
  if (!file) {
    findings.push_back({Finding::Severity::error, file.error().message, {path.text()}});
    return std::nullopt;
  }
  if (!*file) return yaml::Node();
  auto node = yaml::parse((*file)->text, path.text());
  const auto single = yaml::check_single_document((*file)->text, path.text());
  if (!node || !single) {
    const auto& error = node ? single.error() : node.error();
    findings.push_back(
        {Finding::Severity::error, error.message, error.at.value_or(SourcePosition{path.text()})});
    return std::nullopt;
  }
  return *std::move(node);
}

void complain_of(StackSource& stack, std::string message, SourcePosition at) {
  stack.findings.push_back({Finding::Severity::error, std::move(message), std::move(at)});
}

bool has_file(const std::vector<ports::TreeEntry>& entries, std::string_view name) {
  return std::any_of(entries.begin(), entries.end(), [&](const ports::TreeEntry& entry) {
    return entry.name == name && entry.kind != ports::TreeEntry::Kind::directory;
  });
}

/// A settings file under a name that nobody reads would be missed without a word.
void refuse_misnamed_settings(const std::vector<ports::TreeEntry>& entries,
                              const RepoPath& directory,
                              Findings& findings) {
  for (const auto& entry : entries) {
    const auto name = lower(entry.name);
    const bool meant =
        name == "skep.yml" || name == ".skep.yaml" || name == ".skep.yml" || name == kSettings;
    if (!meant || entry.name == kSettings || entry.kind == ports::TreeEntry::Kind::directory)
      continue;
    const auto path = directory.join(entry.name);
    if (!path) continue;
    findings.push_back({Finding::Severity::error,
                        entry.name + (has_file(entries, kSettings)
                                          ? " is not read, for skep.yaml stands beside it: move "
                                            "what it says there, and remove it"
                                          : " is not read: call it skep.yaml"),
                        {path->text()}});
  }
}

/// Files that look as if they counted: what nobody reads of them is to be said once all is read.
void note_overlooked(StackSource& stack, const std::vector<ports::TreeEntry>& entries) {
  const auto note = [&](std::string_view name, const std::string& message) {
    if (has_file(entries, name))
      stack.overlooked.emplace(*stack.directory.join(name), std::string(name) + message);
  };
  if (!stack.settings.template_name) {
    for (const auto* name : {"values.yaml", "values.yml"})
      note(name,
           " is not read, for the stack is made from no template: add template: NAME to "
           "skep.yaml, or remove the file");
  }
  for (const auto* base : {"docker-compose.override.", "compose.override."}) {
    for (const auto* ending : {"yml", "yaml"}) {
      const auto name = std::string(base) + ending;
      note(name,
           " is not read, as `docker stack deploy` does not read it either: name it in skep.yaml "
           "behind the file that it overrides (compose: [" +
               (stack.compose_files.empty() ? std::string("docker-compose.yml")
                                            : std::string(stack.compose_files[0].name())) +
               ", " + name + "]), or remove it");
    }
  }
}

/// The compose files that skep.yaml names.
void find_compose_files(StackSource& stack,
                        const TreeReader& reader,
                        const std::vector<ports::TreeEntry>& entries) {
  const auto& settings = stack.settings;
  for (std::size_t i = 0; i < settings.compose.size(); ++i) {
    const auto& name = settings.compose[i];
    const auto& at = settings.compose_at[i];
    auto path = stack.directory.join("./" + name);
    if (!path) {
      complain_of(stack, "compose: " + path.error().message, at);
      continue;
    }
    const auto entry = reader.find(*path);
    if (!entry || *entry) {  // What cannot be read is kept: reading it says why.
      stack.compose_files.push_back(*std::move(path));
      continue;
    }
    std::vector<std::string> names;
    for (const auto& one : entries) names.push_back(one.name);
    const auto near = nearest(name, names);
    complain_of(stack,
                "compose: there is no file " + path->text() +
                    (near.empty() ? "" : "; did you mean " + near + "?"),
                at);
  }
}

/// The values files that it names; who reads them says which are missing.
void find_values_files(StackSource& stack) {
  for (const auto& name : *stack.settings.values) {
    auto path = stack.directory.join("./" + name);
    if (path) {
      stack.values_files.push_back(*std::move(path));
    } else {
      complain_of(stack, "values: " + path.error().message, stack.settings.values_at);
    }
  }
}

void find_default_compose_file(StackSource& stack, const std::vector<ports::TreeEntry>& entries) {
  std::vector<std::string> found;
  for (const auto name : kDefaultFiles) {
    if (has_file(entries, name)) found.emplace_back(name);
  }
  if (found.size() > 1) {
    complain_of(stack,
                "more than one default compose file: " + found[0] + " and " + found[1] +
                    "; keep one, or name the files in skep.yaml: compose: [" + found[0] + ", …]",
                {stack.directory.text()});
  } else if (found.empty()) {
    complain_of(stack,
                "no compose file: expected docker-compose.yml (or compose.yaml, "
                "docker-stack.yml, stack.yml), or template: NAME in skep.yaml; "
                "a running stack of this directory is left as it is; remove the "
                "directory to remove the stack",
                {stack.directory.text()});
  } else {
    stack.compose_files.push_back(*stack.directory.join(found[0]));
  }
}

/// A stack is made from one thing: a compose file that nobody reads would look as if it counted.
void refuse_default_compose_files(StackSource& stack,
                                  const std::vector<ports::TreeEntry>& entries) {
  for (const auto name : kDefaultFiles) {
    if (!has_file(entries, name)) continue;
    complain_of(stack,
                "the stack is made from the template " + *stack.settings.template_name +
                    ", so nobody reads " + std::string(name) +
                    " beside it; remove the file, or remove template:",
                stack.settings.template_at);
  }
}

/// "docker-compose.yml", "prod" → "docker-compose.prod.yml"; in the other spelling of the ending
/// where only that is there. The end ".sops.yml" stays together; one that was taken apart counts,
/// too.
std::optional<RepoPath> variant_of(const TreeReader& reader,
                                   const RepoPath& base,
                                   const std::string& environment) {
  constexpr std::string_view kSealed = ".sops";
  const auto& text = base.text();
  const auto slash = text.rfind('/');
  const auto dot = text.rfind('.');
  if (dot == std::string::npos || (slash != std::string::npos && dot < slash)) return std::nullopt;
  const auto stem = text.substr(0, dot);
  std::vector<std::string> starts = {stem + "." + environment};
  if (stem.ends_with(kSealed)) {
    starts.insert(
        starts.begin(),
        stem.substr(0, stem.size() - kSealed.size()) + "." + environment + std::string(kSealed));
  }
  std::vector<std::string> endings = {text.substr(dot)};
  if (endings[0] == ".yml") endings.emplace_back(".yaml");
  if (endings[0] == ".yaml") endings.emplace_back(".yml");
  for (const auto& start : starts) {
    for (const auto& ending : endings) {
      auto path = RepoPath::parse(start + ending);
      if (!path) return std::nullopt;
      const auto entry = reader.find(*path);
      // What cannot be read is kept: reading it says why.
      if (!entry || *entry) return *std::move(path);
    }
  }
  return std::nullopt;
}

void add_variants(const TreeReader& reader,
                  const std::vector<RepoPath>& bases,
                  const std::string& environment,
                  std::vector<RepoPath>& files) {
  if (environment.empty()) return;
  for (const auto& base : bases) {
    auto variant = variant_of(reader, base, environment);
    if (variant && std::find(files.begin(), files.end(), *variant) == files.end())
      files.push_back(*std::move(variant));
  }
}

/// The base files first, then those of the environment.
void find_files(StackSource& stack,
                const TreeReader& reader,
                const std::vector<ports::TreeEntry>& entries,
                const std::string& environment) {
  const auto& settings = stack.settings;
  if (settings.template_name) {
    refuse_default_compose_files(stack, entries);
    if (settings.values) {
      find_values_files(stack);
    } else if (has_file(entries, "values.yaml")) {
      stack.values_files.push_back(*stack.directory.join("values.yaml"));
    }
    auto bases = stack.values_files;
    if (!settings.values && bases.empty()) bases.push_back(*stack.directory.join("values.yaml"));
    add_variants(reader, bases, environment, stack.values_files);
    add_variants(
        reader, {*stack.directory.join("docker-compose.yml")}, environment, stack.compose_files);
    return;
  }
  if (settings.compose.empty()) {
    find_default_compose_file(stack, entries);
  } else {
    find_compose_files(stack, reader, entries);
  }
  add_variants(reader, std::vector(stack.compose_files), environment, stack.compose_files);
}

StackSource discover_stack(const ports::Snapshot& snapshot,
                           const RepoPath& root,
                           const std::string& group,
                           const RepoPath& directory,
                           const StackPolicy& defaults,
                           const std::string& environment) {
  StackSource stack;
  stack.group = group;
  stack.directory = directory;
  stack.settings.policy = defaults;
  const TreeReader reader(snapshot, root, directory);
  const auto settings_path = *directory.join(kSettings);
  if (const auto node = read_settings(reader, settings_path, stack.findings)) {
    stack.settings = read_stack_settings(*node, defaults, stack.findings);
  }
  stack.name = stack.settings.name.value_or(std::string(directory.name()));
  if (const auto name = swarm::StackName::parse(stack.name); !name) {
    stack.findings.push_back(
        {Finding::Severity::error, name.error().message, stack.settings.name_at});
  }
  const auto entries = snapshot.list(directory);
  if (entries) {
    refuse_misnamed_settings(*entries, directory, stack.findings);
    find_files(stack, reader, *entries, environment);
    note_overlooked(stack, *entries);
  } else {
    stack.findings.push_back(
        {Finding::Severity::error, entries.error().message, {directory.text()}});
  }
  stack.reads = reader.reads();
  return stack;
}

/// A directory with nothing in it but other directories or hidden files is still meant as a stack;
/// one that holds no file at all, or that is hidden, is not.
bool may_be_stack(const ports::TreeEntry& entry) {
  return entry.kind == ports::TreeEntry::Kind::directory && !entry.name.starts_with('.');
}

/// What leads to files elsewhere, where a stack could be: no stack has a dot in its name.
bool looks_like_stack(const ports::TreeEntry& entry) {
  return (entry.kind == ports::TreeEntry::Kind::symlink ||
          entry.kind == ports::TreeEntry::Kind::submodule) &&
         entry.name.find('.') == std::string::npos;
}

std::string_view word_of(ports::TreeEntry::Kind kind) {
  switch (kind) {
    case ports::TreeEntry::Kind::symlink:
      return "a symbolic link";
    case ports::TreeEntry::Kind::submodule:
      return "a submodule";
    case ports::TreeEntry::Kind::directory:
      return "a directory";
    case ports::TreeEntry::Kind::file:
      break;
  }
  return "a file";
}

}  // namespace

Result<Discovery> discover(const ports::Snapshot& snapshot,
                           const RepoPath& root,
                           const std::string& environment) {
  Discovery discovery;
  const TreeReader reader(snapshot, root, root);
  if (const auto node = read_settings(reader, *root.join(kSettings), discovery.findings)) {
    discovery.cluster = read_cluster_settings(*node, discovery.findings);
  }
  const auto top = snapshot.list(root);
  if (!top) return top.error();
  refuse_misnamed_settings(*top, root, discovery.findings);
  for (const auto& group : discovery.cluster.groups) {
    auto directory = root.join("./" + group.name);
    if (!directory) {
      discovery.findings.push_back({Finding::Severity::error, directory.error().message, group.at});
      continue;
    }
    auto entries = snapshot.list(*directory);
    if (!entries) return std::move(entries).error();
    for (const auto& entry : *entries) {
      if (entry.kind != ports::TreeEntry::Kind::directory) {
        const auto path = directory->join(entry.name);
        if (!path) continue;
        discovery.obstructed[path->text()] = word_of(entry.kind);
        if (looks_like_stack(entry)) {
          discovery.findings.push_back(
              {Finding::Severity::warning,
               std::string(word_of(entry.kind)) +
                   ", which skep does not follow: no stack is made from it; put the files "
                   "themselves there, or use include: for what stacks share",
               {path->text()}});
        }
      }
      if (!may_be_stack(entry)) continue;
      auto stack = discover_stack(snapshot,
                                  root,
                                  group.name,
                                  *directory->join(entry.name),
                                  discovery.cluster.defaults,
                                  environment);
      auto& list = stack.settings.enabled ? discovery.stacks : discovery.disabled;
      list.push_back(std::move(stack));
    }
  }
  return discovery;
}

}  // namespace skep::repository
