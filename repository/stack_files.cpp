#include "repository/stack_files.hpp"

#include <algorithm>
#include <array>

namespace skep::repository {
namespace {

constexpr std::array<std::string_view, 6> kDefaultFiles = {"docker-compose.yml",
                                                           "docker-compose.yaml",
                                                           "compose.yaml",
                                                           "compose.yml",
                                                           "docker-stack.yml",
                                                           "stack.yml"};

void complain_of(StackSource& stack, std::string message, SourcePosition at) {
  stack.findings.push_back({Finding::Severity::error, std::move(message), std::move(at)});
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

}  // namespace

bool has_file(const std::vector<ports::TreeEntry>& entries, std::string_view name) {
  return std::any_of(entries.begin(), entries.end(), [&](const ports::TreeEntry& entry) {
    return entry.name == name && entry.kind != ports::TreeEntry::Kind::directory;
  });
}

void find_stack_files(StackSource& stack,
                      const TreeReader& reader,
                      const std::vector<ports::TreeEntry>& entries,
                      const std::string& environment) {
  find_files(stack, reader, entries, environment);
  note_overlooked(stack, entries);
}

}  // namespace skep::repository
