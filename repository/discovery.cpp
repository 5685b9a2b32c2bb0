#include "repository/discovery.hpp"

#include "core/ascii.hpp"
#include "repository/stack_files.hpp"
#include "swarm/stack_spec.hpp"
#include "yaml/documents.hpp"
#include "yaml/parse.hpp"

namespace skep::repository {
namespace {

constexpr std::string_view kSettings = "skep.yaml";

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
    find_stack_files(stack, reader, *entries, environment);
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
