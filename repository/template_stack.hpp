#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/finding.hpp"
#include "helm-like-templates/package/package.hpp"
#include "repository/discovery.hpp"
#include "repository/tree_reader.hpp"

namespace skep::repository {

/// The templates that the stacks of one snapshot are made from, each read once: the repository's
/// own `templates/NAME` before those that ship. Not for several threads.
class TemplateShelf {
 public:
  /// `snapshot` outlives the shelf.
  TemplateShelf(const ports::Snapshot& snapshot, RepoPath root)
      : snapshot_(snapshot), root_(std::move(root)) {}

  struct Entry {
    std::shared_ptr<const package::Package> package;  ///< nullptr where there is none.
    RepoPath directory;   ///< In the repository; its root for a template that ships.
    std::string trouble;  ///< Why there is none.
    Reads reads;          ///< What was asked of the snapshot on the way.
  };
  const Entry& find(const std::string& name);

 private:
  Entry read(const std::string& name) const;

  const ports::Snapshot& snapshot_;
  RepoPath root_;
  std::map<std::string, Entry> entries_;
};

/// What a person gives for one rendering, beside the repository.
struct TemplateOptions {
  std::string environment;
  std::vector<package::Setting> settings;  ///< `--set`, `--set-string`, in order.
  std::set<std::string> settings_for;      ///< Names or directories of stacks; empty: all.
};

/// A stack that is made from a template → compose texts in the order in which they are merged.
/// Everything that is read goes through `reader`, so that it is known what the result depends on.
[[nodiscard]] std::vector<package::Document> render_template(
    const StackSource& source,
    const std::map<std::string, std::string>& variables,
    const TemplateOptions& options,
    TemplateShelf& shelf,
    const TreeReader& reader,
    Findings& findings);

/// `--set` for a stack that is not made from a template, and so has no values.
void refuse_settings(const StackSource& source, const TemplateOptions& options, Findings& findings);

/// Says beside each mistake in a rendered text what its line is, for no file has it. `shown` gives
/// the lines of such a text as they may be shown.
void show_rendered_lines(const std::vector<package::Document>& documents,
                         const std::function<std::vector<std::string>(const std::string&)>& shown,
                         Findings& findings);

}  // namespace skep::repository
