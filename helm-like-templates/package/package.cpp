#include "helm-like-templates/package/package.hpp"

#include <algorithm>
#include <utility>

#include "helm-like-templates/package/schema.hpp"
#include "helm-like-templates/package/values.hpp"
#include "yaml/documents.hpp"
#include "yaml/parse.hpp"

namespace skep::package {
namespace {

constexpr std::size_t kMaxRendered = 64;
constexpr std::size_t kMaxLine = 160;

bool is_template(std::string_view file) {
  return file.starts_with("templates/") &&
         (file.ends_with(".yml") || file.ends_with(".yaml") || file.ends_with(".tpl"));
}

/// `_helpers.tpl`, `_names.yml`: only for what they define.
bool only_defines(std::string_view file) {
  return file.substr(file.rfind('/') + 1).starts_with('_') || file.ends_with(".tpl");
}

void add(Findings& findings, Error error, const std::string& file) {
  findings.push_back({Finding::Severity::error,
                      std::move(error.message),
                      error.at.value_or(SourcePosition{file})});
}

/// All of a file that has one document.
Result<yaml::Node> one_document(const std::string& text, const std::string& file) {
  auto node = yaml::parse(text, file);
  if (!node) return node;
  if (auto single = yaml::check_single_document(text, file); !single)
    return std::move(single).error();
  return node;
}

/// The stack's own values, without the template's defaults.
yaml::Node values_of(const Input& input, Findings& findings) {
  yaml::Node values(yaml::Map(), {input.values_place});
  for (const auto& file : input.values) {
    auto node = one_document(file.text, file.name);
    if (!node) {
      add(findings, std::move(node).error(), file.name);
    } else if (node->as<yaml::Map>() != nullptr) {
      merge(values, *std::move(node));
    } else if (!node->is_null()) {
      findings.push_back({Finding::Severity::error,
                          "values must be a mapping of keys to values",
                          {file.name, 1, 1}});
    }
  }
  for (const auto& setting : input.settings) {
    if (auto done = set(values, setting.text, setting.as_text); !done)
      findings.push_back({Finding::Severity::error, done.error().message, {}});
  }
  return values;
}

}  // namespace

void Package::complain(std::string message, SourcePosition at) {
  findings_.push_back({Finding::Severity::error, std::move(message), std::move(at)});
}

std::optional<yaml::Node> Package::read_yaml(const std::string& file) {
  const auto found = files_.find(file);
  if (found == files_.end()) return std::nullopt;
  const auto place = place_ + "/" + file;
  auto node = one_document(found->second, place);
  if (!node) {
    add(findings_, std::move(node).error(), place);
    return std::nullopt;
  }
  return *std::move(node);
}

void Package::read_about(const std::string& file) {
  const auto about = read_yaml(file);
  if (!about || about->is_null()) return;
  const auto* map = about->as<yaml::Map>();
  if (map == nullptr)
    return complain("must be a mapping of name, version and description", about->at());
  for (const auto& entry : *map) {
    const auto* text = entry.value.as<std::string>();
    const bool known = entry.key == "name" || entry.key == "version" || entry.key == "description";
    if (!known) {
      auto message = "unknown key " + entry.key;
      if (const auto near = nearest(entry.key, {"name", "version", "description"}); !near.empty())
        message += "; did you mean " + near + "?";
      complain(message + " (allowed: name, version, description)", entry.key_at);
    } else if (text == nullptr) {
      complain(entry.key + " must be a string: put it in quotes", entry.value.at());
    } else if (entry.key == "version") {
      version_ = *text;
    } else if (entry.key == "description") {
      description_ = *text;
    } else if (*text != name_) {
      complain("name must be " + name_ + ", as the template's folder", entry.value.at());
    }
  }
}

Package Package::from(std::string name, std::string place, Files files) {
  Package package;
  package.name_ = std::move(name);
  package.place_ = std::move(place);
  package.files_ = std::move(files);
  package.read_about("template.yaml");
  package.defaults_ = yaml::Node(yaml::Map(), {package.place_ + "/values.yaml"});
  if (auto defaults = package.read_yaml("values.yaml"); defaults && !defaults->is_null()) {
    if (defaults->as<yaml::Map>() == nullptr)
      package.complain("values must be a mapping of keys to values", defaults->at());
    package.defaults_ = *std::move(defaults);
  }
  package.schema_ = package.read_yaml("values.schema.json");
  std::vector<templates::Source> sources;
  for (const auto& [path, text] : package.files_) {
    if (!is_template(path)) continue;
    sources.push_back({package.place_ + "/" + path, text});
    if (!only_defines(path)) package.rendered_.push_back(sources.back().name);
  }
  if (auto all = templates::Parsed::from(sources)) {
    package.parsed_ = *std::move(all);
  } else {
    add(package.findings_, std::move(all).error(), package.place_);
  }
  if (package.rendered_.empty()) {
    package.complain("the template has no file to render: expected templates/*.yml",
                     {package.place_});
  } else if (package.rendered_.size() > kMaxRendered) {
    package.complain(
        "the template has more than " + std::to_string(kMaxRendered) + " files to render",
        {package.place_});
  }
  return package;
}

Output render(const Package& package, const Input& input, const templates::Limits& limits) {
  Output output;
  output.findings = package.findings();
  const auto own = values_of(input, output.findings);
  if (has_errors(output.findings) || !package.parsed()) return output;
  output.values = over_defaults(package.defaults(), own);
  if (package.schema() != nullptr) {
    auto findings = check(
        *package.schema(),
        output.values,
        {},
        input.secrets != nullptr && input.secrets->masked() ? templates::Secrets::kStandIn : "",
        package.patterns());
    // A default that may not stay is mended in the stack's values.
    for (auto& finding : findings) {
      if (finding.at.file == package.defaults().at().file)
        finding.message += "; set it in " + input.values_place;
    }
    output.findings.insert(output.findings.end(), findings.begin(), findings.end());
    if (has_errors(output.findings)) return output;
  }
  templates::Context context;
  context.values = templates::Value::from(output.values);
  context.stack = input.stack;
  context.cluster = input.cluster;
  context.environment = input.environment;
  context.files = input.files;
  context.secrets = input.secrets;
  auto share = limits;
  share.steps /= package.rendered().size();
  for (const auto& name : package.rendered()) {
    auto text = templates::render(*package.parsed(), name, context, share);
    if (!text) {
      add(output.findings, std::move(text).error(), name);
      continue;
    }
    share.output -= std::min(share.output, text->size());
    if (yaml::is_blank(*text)) continue;
    output.documents.push_back({name, *std::move(text)});
    const auto& document = output.documents.back();
    auto single = yaml::check_single_document(document.text, document.name());
    if (!single) add(output.findings, std::move(single).error(), name);
  }
  // A mistake of a helper is found in every file that includes it.
  sort_and_unique(output.findings);
  if (output.documents.empty() && !has_errors(output.findings)) {
    output.findings.push_back(
        {Finding::Severity::error,
         "the template " + package.name() + " renders to nothing with these values",
         {input.values_place}});
  }
  return output;
}

std::string rendered_line(std::string line) {
  constexpr std::string_view kBlanks = " \t\r";
  const auto from = line.find_first_not_of(kBlanks);
  if (from == std::string::npos) return "";
  line = line.substr(from, line.find_last_not_of(kBlanks) + 1 - from);
  if (line.size() > kMaxLine) {
    auto cut = kMaxLine;
    while ((static_cast<unsigned char>(line[cut]) & 0xC0U) == 0x80U) --cut;
    line = line.substr(0, cut) + "…";
  }
  return "; the rendered line is: " + line;
}

}  // namespace skep::package
