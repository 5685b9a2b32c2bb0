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
/// What an environment varies beside the files that a stack is made from, whatever those are.
constexpr std::string_view kEnvironmentsBase = "docker-compose.yml";
constexpr std::string_view kValues = "values.yaml";

using Entries = std::vector<ports::TreeEntry>;

void complain_of(StackSource& stack, std::string message, SourcePosition at) {
  stack.findings.push_back({Finding::Severity::error, std::move(message), std::move(at)});
}

/// Of these stems in either spelling of the ending, the files that are there.
std::vector<std::string> files_of(const Entries& entries, const std::vector<std::string>& stems) {
  std::vector<std::string> names;
  for (const auto& stem : stems) {
    for (const auto* ending : {".yml", ".yaml"}) {
      if (has_file(entries, stem + ending)) names.push_back(stem + ending);
    }
  }
  return names;
}

/// Remembers what is to be said of a file if nobody reads it.
void note(StackSource& stack, const std::string& name, const std::string& message) {
  stack.overlooked.emplace(*stack.directory.join(name), name + " is not read" + message);
}

/// "(values: [a, b]), or remove it"
std::string to_be_named(const std::string& key,
                        const std::vector<std::string>& before,
                        const std::string& name) {
  auto text = "(" + key + ": [";
  for (const auto& one : before) text += one + ", ";
  return text + name + "]), or remove it";
}

void note_values(StackSource& stack, const Entries& entries, const std::string& environment) {
  const auto& settings = stack.settings;
  const auto plain = files_of(entries, {"values", "values.sops"});
  if (!settings.template_name) {
    for (const auto& name : plain)
      note(stack,
           name,
           ", for the stack is made from no template: add template: NAME to skep.yaml, or remove "
           "the file");
    return;
  }
  auto read = settings.values.value_or(std::vector<std::string>());
  if (!settings.values && has_file(entries, kValues)) read.emplace_back(kValues);
  for (const auto& name : plain)
    note(stack, name, ": name it in skep.yaml " + to_be_named("values", read, name));
  if (environment.empty()) return;
  const auto of = "." + environment;
  for (const auto& name :
       files_of(entries, {"values" + of, "values" + of + ".sops", "values.sops" + of}))
    note(stack,
         name,
         ": --environment " + environment + " adds F" + of +
             ".yaml for each values file F.yaml of the stack, and F" + of +
             ".sops.yaml for each F.sops.yaml; rename it, or remove it");
}

void note_compose_files(StackSource& stack,
                        const Entries& entries,
                        const std::string& environment) {
  const auto base = stack.compose_files.empty() ? std::string(kEnvironmentsBase)
                                                : std::string(stack.compose_files[0].name());
  for (const auto& name : files_of(entries, {"docker-compose.override", "compose.override"}))
    note(stack,
         name,
         ", as `docker stack deploy` does not read it either: name it in skep.yaml behind the file "
         "that it overrides " +
             to_be_named("compose", {base}, name));
  if (environment.empty()) return;
  const auto of = "." + environment;
  std::vector<std::string> stems;
  for (const auto file : kDefaultFiles)
    stems.push_back(std::string(file.substr(0, file.rfind('.'))) + of);
  for (const auto& name : files_of(entries, stems))
    note(stack,
         name,
         ": --environment " + environment + " adds docker-compose" + of + ".yml, and F" + of +
             ".yml for each compose file F.yml of the stack; rename it, or remove it");
}

/// The compose files that skep.yaml names.
void find_compose_files(StackSource& stack, const TreeReader& reader, const Entries& entries) {
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

void find_default_compose_file(StackSource& stack, const Entries& entries) {
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
void refuse_default_compose_files(StackSource& stack, const Entries& entries) {
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
                const Entries& entries,
                const std::string& environment) {
  const auto& settings = stack.settings;
  if (settings.template_name) {
    refuse_default_compose_files(stack, entries);
    if (settings.values) {
      find_values_files(stack);
    } else if (has_file(entries, kValues)) {
      stack.values_files.push_back(*stack.directory.join(kValues));
    }
    auto bases = stack.values_files;
    if (!settings.values && bases.empty()) bases.push_back(*stack.directory.join(kValues));
    add_variants(reader, bases, environment, stack.values_files);
  } else if (settings.compose.empty()) {
    find_default_compose_file(stack, entries);
  } else {
    find_compose_files(stack, reader, entries);
  }
  auto bases = stack.compose_files;
  bases.push_back(*stack.directory.join(kEnvironmentsBase));
  add_variants(reader, bases, environment, stack.compose_files);
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
  note_values(stack, entries, environment);
  note_compose_files(stack, entries, environment);
}

}  // namespace skep::repository
