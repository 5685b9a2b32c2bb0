#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "cli/completion.hpp"
#include "cli/repository_run.hpp"
#include "helm-like-templates/catalog/catalog.hpp"
#include "helm-like-templates/package/package.hpp"

namespace skep::cli {
namespace {

namespace fs = std::filesystem;

struct TemplateFlags {
  RepositoryFlags repository;
  std::string name;
  std::string from;
};

Error unknown(const std::string& name, const std::vector<std::string>& names) {
  auto message = "there is no template " + name;
  if (const auto near = nearest(name, names); !near.empty())
    message += "; did you mean " + near + "?";
  return {ErrorKind::invalid_input, message + " (`skep template list` shows all)"};
}

std::vector<std::string> shipped_names() {
  std::vector<std::string> names;
  for (const auto& shipped : catalog::all()) names.emplace_back(shipped.name);
  return names;
}

/// A template as it is found for a stack: the repository's own first.
struct Found {
  std::string name, version, description, source;
  package::Package::Files files;
};

package::Package::Files files_of(const catalog::Template& shipped) {
  package::Package::Files files;
  for (const auto& file : shipped.files) files.emplace(file.path, file.text);
  return files;
}

Found described(const std::string& name, const std::string& source, package::Package::Files files) {
  const auto package = package::Package::from(name, name, files);
  return {name, package.version(), package.description(), source, std::move(files)};
}

/// Templates of the repository, by name. A directory that is none has none.
Result<std::vector<Found>> own_templates(const Session& session, const RepositoryFlags& flags) {
  const auto log = make_logger(session, false);
  auto root = configuration_root(flags);
  if (!root) return std::move(root).error();
  auto source = open_source(session, flags, *log);
  if (!source) return std::move(source).error();
  auto snapshot = (*source)->fetch(session.stop);
  if (!snapshot) return std::move(snapshot).error();
  const auto directory = *root->join("templates");
  auto entries = (*snapshot)->list(directory);
  if (!entries) return std::move(entries).error();
  std::vector<Found> found;
  for (const auto& entry : *entries) {
    if (entry.kind != ports::TreeEntry::Kind::directory || entry.name.starts_with('.')) continue;
    const auto place = *directory.join(entry.name);
    package::Package::Files files;
    for (const auto* file : {"template.yaml", "values.yaml", "README.md"}) {
      auto text = (*snapshot)->read(*place.join(file));
      if (text && *text) files.emplace(file, std::move((*text)->text));
    }
    found.push_back(described(entry.name, place.text(), std::move(files)));
  }
  return found;
}

Result<std::vector<Found>> all_templates(const Session& session, const RepositoryFlags& flags) {
  auto found = own_templates(session, flags);
  if (!found) return found;
  for (const auto& shipped : catalog::all()) {
    const bool replaced = std::any_of(
        found->begin(), found->end(), [&](const Found& own) { return own.name == shipped.name; });
    if (!replaced)
      found->push_back(described(std::string(shipped.name), "catalog", files_of(shipped)));
  }
  std::sort(
      found->begin(), found->end(), [](const Found& a, const Found& b) { return a.name < b.name; });
  return found;
}

int list_templates(const Session& session, const TemplateFlags& flags) {
  const auto found = all_templates(session, flags.repository);
  if (!found) return fail(found.error());
  std::size_t widest = 4;
  std::size_t source = 6;
  for (const auto& one : *found) {
    widest = std::max(widest, one.name.size());
    source = std::max(source, one.source.size());
  }
  const auto row = [&](const std::string& name,
                       const std::string& version,
                       const std::string& from,
                       const std::string& description) {
    auto line = name + std::string(widest + 2 - name.size(), ' ') + version;
    line += std::string(version.size() < 8 ? 9 - version.size() : 1, ' ') + from;
    std::cout << line << std::string(source + 2 - from.size(), ' ') << description << "\n";
  };
  row("NAME", "VERSION", "SOURCE", "DESCRIPTION");
  for (const auto& one : *found) row(one.name, one.version, one.source, one.description);
  return kSuccess;
}

int show_template(const Session& session, const TemplateFlags& flags) {
  const auto found = all_templates(session, flags.repository);
  if (!found) return fail(found.error());
  std::vector<std::string> names;
  for (const auto& one : *found) {
    names.push_back(one.name);
    if (one.name != flags.name) continue;
    const auto text = [&](const char* file) {
      const auto at = one.files.find(file);
      return at == one.files.end() ? std::string() : at->second;
    };
    std::cout << "# " << one.name << " " << one.version << ", from "
              << (one.source == "catalog" ? "the catalog that ships with skep" : one.source) << ": "
              << one.description
              << "\n# Values with their defaults; copy to the stack's values.yaml what differs.\n\n"
              << text("values.yaml");
    return kSuccess;
  }
  return fail(unknown(flags.name, names));
}

/// The directory that new files go into: the work tree, never a remote.
Result<fs::path> work_tree(const RepositoryFlags& flags) {
  std::error_code code;
  const auto directory = fs::path(flags.repo) / flags.path;
  if (fs::is_directory(directory, code)) return directory;
  return Error{ErrorKind::invalid_input,
               "--repo must be a directory here: files are written into it, and you commit them"};
}

Result<void> write_new(const fs::path& directory,
                       const std::vector<std::pair<std::string, std::string>>& files) {
  std::error_code code;
  if (fs::exists(fs::symlink_status(directory, code))) {
    return Error{ErrorKind::invalid_input,
                 directory.lexically_normal().string() +
                     " is there already; nothing was written. Remove it, or choose another name"};
  }
  for (const auto& [name, text] : files) {
    const auto path = directory / name;
    fs::create_directories(path.parent_path(), code);
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    if (!file) {
      return Error{ErrorKind::unavailable, "write " + path.string() + ": " + std::strerror(errno)};
    }
  }
  return {};
}

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= 63 && name.front() != '.' && name.front() != '-' &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
             std::string::npos;
}

int report(const Result<void>& written, const fs::path& directory, const std::string& next) {
  if (!written) return fail(written.error());
  std::cout << "Wrote " << directory.lexically_normal().string() << ". " << next << "\n";
  return kSuccess;
}

int vendor_template(const TemplateFlags& flags) {
  const auto* shipped = catalog::find(flags.name);
  if (shipped == nullptr) return fail(unknown(flags.name, shipped_names()));
  const auto root = work_tree(flags.repository);
  if (!root) return fail(root.error());
  std::vector<std::pair<std::string, std::string>> files;
  for (const auto& file : shipped->files) files.emplace_back(file.path, file.text);
  const auto directory = *root / "templates" / flags.name;
  return report(write_new(directory, files),
                directory,
                "Stacks with template: " + flags.name + " are made from it from now on.");
}

/// The smallest template that shows how one is made.
std::vector<std::pair<std::string, std::string>> skeleton(const std::string& name) {
  return {
      {"template.yaml",
       "name: " + name + "\nversion: 0.1.0\ndescription: A service behind no proxy\n"},
      {"values.yaml",
       "# The image, with a tag.\nimage: nginx:1.27\n\n"
       "# Tasks that run at the same time.\nreplicas: 1\n\n"
       "# Variables of the container.\nenv: {}\n"},
      {"values.schema.json",
       R"({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object",
  "additionalProperties": false,
  "required": ["image"],
  "properties": {
    "image": { "type": "string", "minLength": 1 },
    "replicas": { "type": "integer", "minimum": 0 },
    "env": { "type": "object", "additionalProperties": { "type": ["string", "number", "boolean"] } }
  }
}
)"},
      {"templates/_helpers.tpl",
       "{{- /* Labels that all services carry. */ -}}\n"
       "{{- define \"" +
           name +
           ".labels\" -}}\n"
           "stack: {{ .Stack.Name | quote }}\n"
           "{{- end }}\n"},
      {"templates/app.yml",
       "services:\n"
       "  app:\n"
       "    image: {{ quote .Values.image }}\n"
       "    {{- with .Values.env }}\n"
       "    environment:\n"
       "      {{- range $name, $value := . }}\n"
       "      {{ $name }}: {{ $value | toString | quote }}\n"
       "      {{- end }}\n"
       "    {{- end }}\n"
       "    deploy:\n"
       "      replicas: {{ .Values.replicas }}\n"
       "      labels:\n"
       "        {{- include \"" +
           name + ".labels\" . | nindent 8 }}\n"},
      {"README.md", "# " + name + "\n\nWhat it is for, and a worked example.\n"},
  };
}

/// All keys of a values file as comments, so that people see what there is without fixing it.
std::string commented(std::string_view values) {
  std::string text;
  while (!values.empty()) {
    const auto line = values.substr(0, values.find('\n'));
    values.remove_prefix(std::min(line.size() + 1, values.size()));
    if (line.empty() || line.starts_with('#')) {
      text += line;
    } else {
      text += "#";
      text += line;
    }
    text += '\n';
  }
  return text;
}

int new_from_template(const Session& session, const TemplateFlags& flags) {
  const auto root = work_tree(flags.repository);
  if (!root) return fail(root.error());
  if (flags.from.empty()) {
    if (!is_name(flags.name)) {
      return fail({ErrorKind::invalid_input,
                   "a template's name is letters, digits, - _ and .; for a stack made from a "
                   "template: skep template new apps/NAME --from TEMPLATE"});
    }
    const auto directory = *root / "templates" / flags.name;
    return report(write_new(directory, skeleton(flags.name)),
                  directory,
                  "Use it: skep template new apps/MY-APP --from " + flags.name);
  }
  const auto below = RepoPath::parse(flags.name);
  if (!below) return fail(below.error());
  const bool in_group = !below->parent().is_root() && below->parent().parent().is_root();
  if (!in_group || !is_name(std::string(below->name()))) {
    return fail({ErrorKind::invalid_input,
                 "name the stack's directory as GROUP/NAME, such as apps/MY-APP: skep looks for "
                 "stacks there and no deeper"});
  }
  const auto found = all_templates(session, flags.repository);
  if (!found) return fail(found.error());
  std::vector<std::string> names;
  for (const auto& one : *found) {
    names.push_back(one.name);
    if (one.name != flags.from) continue;
    const auto values = one.files.find("values.yaml");
    const auto directory = *root / below->text();
    return report(
        write_new(directory,
                  {{"skep.yaml", "template: " + one.name + "\n"},
                   {"values.yaml",
                    "# Values for the template " + one.name + " " + one.version +
                        ". Remove the number sign before what should differ from the default.\n\n" +
                        commented(values == one.files.end() ? "" : values->second)}}),
        directory,
        "Edit values.yaml, then: skep render " + below->text());
  }
  return fail(unknown(flags.from, names));
}

}  // namespace

std::vector<std::string> template_names(const Session& session) {
  auto names = shipped_names();
  RepositoryFlags flags;
  if (const auto repo = session.variable("SKEP_REPO"); !repo.empty()) flags.repo = repo;
  std::error_code code;
  if (!fs::is_directory(flags.repo, code)) return names;  // No remote is asked for a completion.
  const auto own = own_templates(session, flags);
  if (!own) return names;
  for (const auto& one : *own) names.push_back(one.name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

void add_template(Command& app, Session& session) {
  auto* verb = app.add_subcommand("template", "Templates that stacks are made from");
  auto flags = std::make_shared<TemplateFlags>();
  auto* list = verb->add_subcommand(
      "list", "Show all templates: the repository's own, and those that ship with skep");
  auto* show = verb->add_subcommand("show", "Show the values of a template, with their defaults");
  auto* create = verb->add_subcommand(
      "new", "Make a template in templates/NAME, or with --from a stack in the directory NAME");
  auto* vendor = verb->add_subcommand(
      "vendor", "Copy a template that ships into templates/NAME, to keep or change it");
  for (auto* one : {list, show, create, vendor}) {
    if (one != list) {
      auto* name = one->add_option("NAME", flags->name, "Name of a template")->required();
      if (one != create) name->names("TEMPLATE");
    }
    add_repository_flags(*one, flags->repository);
  }
  create->add_option("--from", flags->from, "Template that the new stack is made from")
      ->names("TEMPLATE");
  list->footer("Example:  skep template list");
  show->footer("Example:  skep template show web-app > apps/MY-APP/values.yaml");
  create->footer(
      "Examples:  skep template new apps/MY-APP --from web-app    a stack: skep.yaml, values.yaml\n"
      "           skep template new my-template                   a template of your own");
  vendor->footer("Example:  skep template vendor web-app");
  verb->footer(
      "Examples:  skep template list\n"
      "           skep template new apps/MY-APP --from web-app");
  verb->callback([&session] {
    if (session.verb) return;
    session.verb = [] {
      return fail({ErrorKind::invalid_input,
                   "name what to do: skep template list, show NAME, new NAME or vendor NAME"});
    };
  });
  list->callback([&session, flags] {
    session.verb = [&session, flags] { return list_templates(session, *flags); };
  });
  show->callback([&session, flags] {
    session.verb = [&session, flags] { return show_template(session, *flags); };
  });
  create->callback([&session, flags] {
    session.verb = [&session, flags] { return new_from_template(session, *flags); };
  });
  vendor->callback(
      [&session, flags] { session.verb = [flags] { return vendor_template(*flags); }; });
}

}  // namespace skep::cli
