#include "reconciler/discovery.hpp"

#include <algorithm>
#include <array>

#include "swarm/stack_spec.hpp"
#include "yaml/parse.hpp"

namespace skep::reconciler {
namespace {

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
  if (!node) {
    findings.push_back({Finding::Severity::error,
                        node.error().message,
                        node.error().at.value_or(SourcePosition{path.text()})});
    return std::nullopt;
  }
  return *std::move(node);
}

void find_compose_files(StackSource& stack,
                        const std::vector<ports::TreeEntry>& entries,
                        const std::string& at) {
  if (!stack.settings.compose.empty()) {
    for (const auto& name : stack.settings.compose) {
      auto path = stack.directory.join("./" + name);
      if (path) {
        stack.compose_files.push_back(*path);
      } else {
        stack.findings.push_back(
            {Finding::Severity::error, "compose: " + path.error().message, {at}});
      }
    }
    return;
  }
  std::vector<std::string> found;
  for (const auto name : kDefaultFiles) {
    const bool there =
        std::any_of(entries.begin(), entries.end(), [&](const ports::TreeEntry& entry) {
          return entry.name == name && entry.kind != ports::TreeEntry::Kind::directory;
        });
    if (there) found.emplace_back(name);
  }
  if (found.size() > 1) {
    stack.findings.push_back(
        {Finding::Severity::error,
         "more than one default compose file: " + found[0] + " and " + found[1] +
             "; keep one, or name the files in skep.yaml: compose: [" + found[0] + ", …]",
         {stack.directory.text()}});
  } else if (found.empty()) {
    stack.findings.push_back({Finding::Severity::error,
                              "no compose file: expected docker-compose.yml (or compose.yaml, "
                              "docker-stack.yml, stack.yml); "
                              "a running stack of this directory is left as it is; remove the "
                              "directory to remove the stack",
                              {stack.directory.text()}});
  } else {
    stack.compose_files.push_back(*stack.directory.join(found[0]));
  }
}

StackSource discover_stack(const ports::Snapshot& snapshot,
                           const RepoPath& root,
                           const std::string& group,
                           const RepoPath& directory,
                           const StackPolicy& defaults) {
  StackSource stack;
  stack.group = group;
  stack.directory = directory;
  stack.settings.policy = defaults;
  const TreeReader reader(snapshot, root, directory);
  const auto settings_path = *directory.join("skep.yaml");
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
    find_compose_files(stack, *entries, settings_path.text());
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

}  // namespace

Result<Discovery> discover(const ports::Snapshot& snapshot, const RepoPath& root) {
  Discovery discovery;
  const TreeReader reader(snapshot, root, root);
  if (const auto node = read_settings(reader, *root.join("skep.yaml"), discovery.findings)) {
    discovery.cluster = read_cluster_settings(*node, discovery.findings);
  }
  for (const auto& group : discovery.cluster.groups) {
    auto directory = root.join("./" + group.name);
    if (!directory) {
      discovery.findings.push_back({Finding::Severity::error, directory.error().message, group.at});
      continue;
    }
    auto entries = snapshot.list(*directory);
    if (!entries) return std::move(entries).error();
    for (const auto& entry : *entries) {
      if (!may_be_stack(entry)) continue;
      auto stack = discover_stack(
          snapshot, root, group.name, *directory->join(entry.name), discovery.cluster.defaults);
      auto& list = stack.settings.enabled ? discovery.stacks : discovery.disabled;
      list.push_back(std::move(stack));
    }
  }
  return discovery;
}

}  // namespace skep::reconciler
