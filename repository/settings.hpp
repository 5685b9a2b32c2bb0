#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/finding.hpp"
#include "core/result.hpp"
#include "diff/plan.hpp"
#include "repository/hooks.hpp"
#include "repository/ignore.hpp"
#include "repository/windows.hpp"
#include "swarm/object_spec.hpp"
#include "yaml/node.hpp"

/// What `skep.yaml` says: of the whole repository, and of one stack (design §3). Every key is
/// optional; unknown keys are errors.
namespace skep::repository {

enum class SyncMode {
  automatic,
  manual,   ///< Planned and reported; carried out when a person says `skep sync` or `skep apply`.
  observe,  ///< Planned and reported only.
};
enum class SelfHeal { on, off, warn };
/// What becomes of a stack whose rollout failed or ran past its deadline.
enum class OnFailure {
  rollback,  ///< Back to the last healthy revision, and the content is not pushed again by itself.
  pause,     ///< Left as it stands, until the next commit or a person.
  keep,      ///< Retried.
};
/// What becomes of bind mounts of files that live in the repository (design §7).
enum class RepoFiles {
  config,    ///< A file becomes a config, which reaches every node.
  checkout,  ///< The agent keeps the files in a directory of the nodes.
  host,      ///< The path is passed on.
};

/// The settings that a stack may have and that `defaults:` may give to all stacks.
struct StackPolicy {
  SyncMode sync = SyncMode::automatic;
  SelfHeal self_heal = SelfHeal::on;
  bool adopt_automatically = false;
  bool prune = true;
  std::chrono::seconds timeout{300};  ///< Of a rollout without progress.
  diff::ResolveImage resolve_image = diff::ResolveImage::changed;
  bool allow_replace = false;
  OnFailure on_failure = OnFailure::rollback;
  RepoFiles repo_files = RepoFiles::config;
  /// Directories of the repository that may become one config per file: relative to the stack's
  /// directory or to the repository's root.
  std::vector<std::string> repo_directories;
  bool strict = false;  ///< The CLI's behaviour and nothing more.
  /// When what git changed may be carried out. What somebody edited is healed at any time.
  std::vector<Window> windows;
  bool operator==(const StackPolicy&) const = default;
};

struct StackSettings {
  std::optional<std::string> name;
  SourcePosition name_at;
  bool enabled = true;
  std::vector<std::string>
      compose;  ///< Relative to the stack's directory; empty: the default names.
  std::vector<SourcePosition> compose_at;    ///< Of each of them.
  std::optional<std::string> template_name;  ///< Instead of compose files.
  SourcePosition template_at;
  /// Values files for the template, relative to the stack's directory; nothing: values.yaml where
  /// it is there.
  std::optional<std::vector<std::string>> values;
  SourcePosition values_at;
  std::vector<std::string> depends_on;
  std::vector<SourcePosition> depends_on_at;  ///< Of each of them.
  std::vector<IgnoreRule> ignore;
  std::vector<HookSettings> hooks;  ///< In the order in which they run.
  StackPolicy policy;
};

struct GroupSettings {
  std::string name;   ///< The directory: "apps".
  std::string after;  ///< Name of the group that goes first; "" for none.
  SourcePosition at;
};

/// A secret or config that stacks call `external: true`: made where it is missing, never changed.
struct ClusterFile {
  std::string file;  ///< From the configuration's root.
  SourcePosition at;
  bool operator==(const ClusterFile&) const = default;
};

struct ClusterSettings {
  std::map<std::string, swarm::NetworkSpec>
      networks;                       ///< Shared; by name. Ensured, never pruned, never replaced.
  std::vector<GroupSettings> groups;  ///< In the order in which they are reconciled.
  /// Labels that git owns, by hostname; other labels of these nodes are somebody else's.
  std::map<std::string, swarm::StringMap> nodes;
  std::map<std::string, ClusterFile> secrets, configs;  ///< By name.
  std::map<std::string, std::string> variables;
  StackPolicy defaults;
};

/// Both report all mistakes at once and return what could be read. `root` is Null for an empty
/// file.
[[nodiscard]] ClusterSettings read_cluster_settings(const yaml::Node& root, Findings& findings);
[[nodiscard]] StackSettings read_stack_settings(const yaml::Node& root,
                                                const StackPolicy& defaults,
                                                Findings& findings);

/// "90s", "5m", "1h30m", "7d"; nothing where the text is no positive duration.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace skep::repository
