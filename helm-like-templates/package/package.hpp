#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/finding.hpp"
#include "helm-like-templates/package/schema.hpp"
#include "helm-like-templates/renderer/render.hpp"
#include "yaml/node.hpp"

namespace skep::package {

/// A stack template: a folder with template.yaml, values.yaml, values.schema.json, templates/ and
/// README.md, of which only templates/ must be there.
class Package {
 public:
  /// Text by path below the template's folder ("templates/app.yml").
  using Files = std::map<std::string, std::string, std::less<>>;

  /// `place` begins the positions of mistakes: "templates/web-app". A package with errors among
  /// its findings renders nothing.
  static Package from(std::string name, std::string place, Files files);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const std::string& version() const noexcept { return version_; }
  [[nodiscard]] const std::string& description() const noexcept { return description_; }
  [[nodiscard]] const Findings& findings() const noexcept { return findings_; }
  [[nodiscard]] const Files& files() const noexcept { return files_; }
  [[nodiscard]] const yaml::Node& defaults() const noexcept { return defaults_; }
  /// nullptr where the template has no schema.
  [[nodiscard]] const yaml::Node* schema() const noexcept { return schema_ ? &*schema_ : nullptr; }
  [[nodiscard]] const SchemaPatterns& patterns() const noexcept { return *patterns_; }
  /// All its templates, helpers included; nothing where one cannot be read: that is a finding.
  [[nodiscard]] const std::optional<templates::Parsed>& parsed() const noexcept { return parsed_; }
  /// Names of the sources that are rendered, in the order in which they are merged.
  [[nodiscard]] const std::vector<std::string>& rendered() const noexcept { return rendered_; }

 private:
  void read_about(const std::string& file);
  std::optional<yaml::Node> read_yaml(const std::string& file);
  void complain(std::string message, SourcePosition at);

  std::string name_, place_, version_, description_;
  Files files_;
  yaml::Node defaults_;
  std::optional<yaml::Node> schema_;
  std::shared_ptr<const SchemaPatterns> patterns_ = std::make_shared<SchemaPatterns>();
  std::optional<templates::Parsed> parsed_;
  std::vector<std::string> rendered_;
  Findings findings_;
};

/// A values file of a stack.
struct ValuesFile {
  std::string name;  ///< For positions: "apps/MY-APP/values.yaml".
  std::string text;
};

/// `--set` or `--set-string`.
struct Setting {
  std::string text;
  bool as_text = false;
};

/// Where a template meets a stack.
struct Input {
  std::vector<ValuesFile> values;  ///< Later ones win.
  std::vector<Setting> settings;   ///< Win over files.
  std::string values_place;        ///< Where a missing value belongs: "apps/MY-APP/values.yaml".
  templates::Value stack;
  templates::Value cluster;
  std::string environment;
  templates::FileLookup files;
  templates::Secrets* secrets = nullptr;  ///< Null where there are none to care for.
};

/// A compose text that a template rendered to.
struct Document {
  std::string source;  ///< "templates/web-app/templates/app.yml"
  std::string text;

  /// The name under which mistakes in the text are shown: it is not in any file.
  [[nodiscard]] std::string name() const { return source + " (rendered)"; }
};

struct Output {
  std::vector<Document> documents;  ///< To be merged in this order. Only where there is no error.
  yaml::Node values;                ///< `.Values`
  Findings findings;
};

/// Values, then their check by the schema, then every template. What renders to nothing but white
/// space and comments is left out. The limits are for the whole stack.
[[nodiscard]] Output render(const Package& package,
                            const Input& input,
                            const templates::Limits& limits = {});

/// For a mistake in a rendered text: the line that it is about, shortened, as "; the rendered line
/// is: …"; "" where it is blank.
[[nodiscard]] std::string rendered_line(std::string line);

}  // namespace skep::package
