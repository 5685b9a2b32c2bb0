#include "repository/template_stack.hpp"

#include <algorithm>
#include <utility>

#include "helm-like-templates/catalog/catalog.hpp"

namespace skep::repository {
namespace {

constexpr std::size_t kMaxFiles = 200;
constexpr std::size_t kMaxName = 100;
constexpr int kDeepest = 10;

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && name.front() != '.' &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
             std::string_view::npos;
}

package::Package from_catalog(const catalog::Template& shipped) {
  package::Package::Files files;
  for (const auto& file : shipped.files) files.emplace(file.path, file.text);
  const std::string name(shipped.name);
  return package::Package::from(name, name, std::move(files));
}

/// Adds the files below `part` of a template's directory, those of its directories too, as Helm
/// does.
Result<void> list_below(const TreeReader& reader,
                        const RepoPath& directory,
                        const std::string& part,
                        std::vector<std::string>& files) {
  const auto place = *directory.join(part);
  const auto entries = reader.list(place);
  if (!entries) return entries.error();
  if (std::count(part.begin(), part.end(), '/') > kDeepest) {
    return Error{ErrorKind::invalid_input,
                 place.text() + " is more than " + std::to_string(kDeepest) + " directories deep"};
  }
  for (const auto& entry : *entries) {
    const auto below = part + "/" + entry.name;
    if (entry.kind == ports::TreeEntry::Kind::directory) {
      if (auto listed = list_below(reader, directory, below, files); !listed) return listed;
    } else {
      files.push_back(below);
    }
    if (files.size() > kMaxFiles) {
      return Error{
          ErrorKind::invalid_input,
          directory.text() + "/templates holds more than " + std::to_string(kMaxFiles) + " files"};
    }
  }
  return {};
}

/// Reads what the language needs; anything else is read when a template asks for it.
Result<package::Package> from_repository(const TreeReader& reader,
                                         const std::string& name,
                                         const RepoPath& directory) {
  package::Package::Files files;
  const auto take = [&](const std::string& below) -> Result<void> {
    auto file = reader.file(*directory.join(below));
    if (!file) return std::move(file).error();
    if (*file) files.emplace(below, std::move((*file)->text));
    return {};
  };
  for (const auto* file : {"template.yaml", "values.yaml", "values.schema.json"}) {
    if (auto taken = take(file); !taken) return std::move(taken).error();
  }
  auto there = reader.find(*directory.join("templates"));
  if (!there) return std::move(there).error();
  if (*there) {
    std::vector<std::string> below;
    if (auto listed = list_below(reader, directory, "templates", below); !listed)
      return std::move(listed).error();
    for (const auto& file : below) {
      if (auto taken = take(file); !taken) return std::move(taken).error();
    }
  }
  return package::Package::from(name, directory.text(), std::move(files));
}

templates::Value map_of(std::initializer_list<std::pair<const char*, templates::Value>> entries) {
  templates::Map map;
  for (const auto& [key, value] : entries) map.entries.emplace(key, value);
  return templates::Value(std::move(map));
}

/// Helm writes its own names with a capital letter, and people's names as people do; design.md
/// writes all in small letters. Both work.
templates::Value stack_data(const StackSource& source) {
  const templates::Value name(source.name);
  const templates::Value group(source.group);
  const templates::Value path(source.directory.text());
  return map_of({{"Name", name},
                 {"Group", group},
                 {"Path", path},
                 {"name", name},
                 {"group", group},
                 {"path", path}});
}

templates::Value cluster_data(const std::map<std::string, std::string>& variables) {
  templates::Map map;
  for (const auto& [name, value] : variables) map.entries.emplace(name, templates::Value(value));
  const templates::Value all(std::move(map));
  return map_of({{"Variables", all}, {"variables", all}});
}

/// `.Files.Get`: a file below the stack's directory, else one below the template's.
Result<std::optional<std::string>> get_file(const std::string& path,
                                            const StackSource& source,
                                            const TemplateShelf::Entry& made_from,
                                            const TreeReader& reader) {
  using Found = std::optional<std::string>;
  const auto below = [&](const RepoPath& directory) -> Result<RepoPath> {
    auto joined = path.starts_with('/') ? Result<RepoPath>(Error{}) : directory.join("./" + path);
    if (joined && joined->is_below(directory)) return joined;
    return Error{ErrorKind::invalid_input,
                 "\"" + path.substr(0, 200) +
                     "\" is neither below the stack's directory nor below the template's, and "
                     "nothing else can be read; copy the file there"};
  };
  auto near = below(source.directory);
  if (!near) return std::move(near).error();
  auto file = reader.file(*near);
  if (!file) return std::move(file).error();
  if (*file) return Found(std::move((*file)->text));
  if (made_from.directory.is_root()) {
    const auto clean = RepoPath::parse(path);
    if (!clean) return clean.error();
    const auto shipped = made_from.package->files().find(clean->text());
    return shipped == made_from.package->files().end() ? Found() : Found(shipped->second);
  }
  auto far = below(made_from.directory);
  if (!far) return std::move(far).error();
  file = reader.file(*far);
  if (!file) return std::move(file).error();
  return *file ? Found(std::move((*file)->text)) : Found();
}

void complain_of_values(Findings& findings, std::string message, SourcePosition at) {
  findings.push_back({Finding::Severity::error, std::move(message), std::move(at)});
}

/// What a template makes of decrypted values is masked as they are: "no plain text in any output"
/// holds for what `b64dec`, `upper` or `sha256sum` gave, too.
class TemplateSecrets final : public templates::Secrets {
 public:
  /// `reader` outlives this.
  explicit TemplateSecrets(const TreeReader& reader) : reader_(reader) {}
  [[nodiscard]] bool holds(const std::string& text) const override {
    return reader_.reveals(text) || (masked() && text.find(kStandIn) != std::string::npos);
  }
  void derived(const std::string& text) override {
    // Of a short one nothing can be said but what would mask a word that is everywhere.
    if (text.size() >= RedactionSet::kShort && !masked()) reader_.keep_secret(text);
  }
  [[nodiscard]] bool masked() const override { return reader_.masked(); }

 private:
  const TreeReader& reader_;
};

bool is_named(const StackSource& source, const TemplateOptions& options) {
  return options.settings_for.count(source.name) != 0 ||
         options.settings_for.count(source.directory.text()) != 0;
}

void read_values(const StackSource& source,
                 const TreeReader& reader,
                 package::Input& input,
                 Findings& findings) {
  for (const auto& path : source.values_files) {
    auto file = reader.file(path);
    if (!file) {
      complain_of_values(
          findings, file.error().message, file.error().at.value_or(SourcePosition{path.text()}));
    } else if (!*file) {
      complain_of_values(findings,
                         "values: there is no file " + path.text() + " in the repository",
                         source.settings.values_at);
    } else {
      input.values.push_back({path.text(), std::move((*file)->text)});
    }
  }
  input.values_place =
      input.values.empty() ? source.directory.text() + "/values.yaml" : input.values.front().name;
}

}  // namespace

TemplateShelf::Entry TemplateShelf::read(const std::string& name) const {
  Entry entry;
  if (!is_name(name)) {
    entry.trouble = "template: must be the name of a template, such as web-app";
    return entry;
  }
  auto directory = root_.join("./templates/" + name);
  if (!directory) {
    entry.trouble = directory.error().message;
    return entry;
  }
  const TreeReader reader(snapshot_, root_, *directory);
  const auto there = reader.find(*directory);
  if (!there) {
    entry.trouble = there.error().message;
  } else if (*there) {
    entry.directory = *directory;
    if ((*there)->kind != ports::TreeEntry::Kind::directory) {
      entry.trouble = directory->text() + " must be a directory";
    } else if (auto package = from_repository(reader, name, *directory)) {
      entry.package = std::make_shared<const package::Package>(*std::move(package));
    } else {
      entry.trouble = package.error().message;
    }
  } else if (const auto* shipped = catalog::find(name)) {
    entry.package = std::make_shared<const package::Package>(from_catalog(*shipped));
  } else {
    entry.trouble = "there is no template " + name + ": neither " + directory->text() +
                    " in the repository nor one that ships";
    std::vector<std::string> names;
    if (const auto own = snapshot_.list(directory->parent())) {
      for (const auto& other : *own) names.push_back(other.name);
    }
    for (const auto& other : catalog::all()) names.emplace_back(other.name);
    if (const auto near = nearest(name, names); !near.empty())
      entry.trouble += "; did you mean " + near + "?";
    entry.trouble += " (`skep template list` shows all)";
  }
  entry.reads = reader.reads();
  return entry;
}

const TemplateShelf::Entry& TemplateShelf::find(const std::string& name) {
  const auto known = entries_.find(name);
  if (known != entries_.end()) return known->second;
  return entries_.emplace(name, read(name)).first->second;
}

std::vector<package::Document> render_template(const StackSource& source,
                                               const std::map<std::string, std::string>& variables,
                                               const TemplateOptions& options,
                                               TemplateShelf& shelf,
                                               const TreeReader& reader,
                                               Findings& findings) {
  const auto& made_from = shelf.find(*source.settings.template_name);
  reader.note(made_from.reads);
  if (made_from.package == nullptr) {
    complain_of_values(findings, made_from.trouble, source.settings.template_at);
    return {};
  }
  package::Input input;
  read_values(source, reader, input, findings);
  const bool tried = options.settings_for.empty() || options.settings_for.count(source.name) != 0 ||
                     options.settings_for.count(source.directory.text()) != 0;
  if (tried) input.settings = options.settings;
  input.stack = stack_data(source);
  input.cluster = cluster_data(variables);
  input.environment = options.environment;
  input.files = [&](const std::string& path) { return get_file(path, source, made_from, reader); };
  TemplateSecrets secrets(reader);
  input.secrets = &secrets;
  if (has_errors(findings)) return {};
  auto output = package::render(*made_from.package, input);
  findings.insert(findings.end(), output.findings.begin(), output.findings.end());
  return std::move(output.documents);
}

void refuse_settings(const StackSource& source,
                     const TemplateOptions& options,
                     Findings& findings) {
  if (source.settings.template_name || options.settings.empty() || !is_named(source, options))
    return;
  complain_of_values(
      findings,
      "--set is for stacks that are made from a template, and this one is not: its skep.yaml "
      "has no template:",
      {source.directory.text()});
}

void show_rendered_lines(const std::vector<package::Document>& documents,
                         const std::function<std::vector<std::string>(const std::string&)>& shown,
                         Findings& findings) {
  for (const auto& document : documents) {
    const auto name = document.name();
    std::vector<std::string> lines;
    for (auto& finding : findings) {
      if (finding.at.file != name || finding.at.line < 1) continue;
      if (lines.empty()) lines = shown(document.text);
      const auto line = static_cast<std::size_t>(finding.at.line);
      if (line <= lines.size()) finding.message += package::rendered_line(lines[line - 1]);
    }
  }
}

}  // namespace skep::repository
