#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "compose/compose.hpp"
#include "core/finding.hpp"
#include "yaml/node.hpp"

/// Tools of the extensions: trees are edited in place, most of it before interpolation.
namespace skep::compose {

/// Keys that carry what the CLI's schema has no place for; it allows `x-` keys everywhere needed.
inline constexpr std::string_view kCarriedDependsOn = "x-skep-depends-on";
inline constexpr std::string_view kCarriedContent = "x-skep-content";
inline constexpr std::string_view kCarriedBuild = "x-skep-build";
inline constexpr std::string_view kCarriedEnvironment = "x-skep-environment";
/// Of a service: its keys without a value that were taken out, for what stands below them.
inline constexpr std::string_view kCarriedEmptyKeys = "x-skep-empty-keys";

/// What every extension needs. Other files are read and parsed once.
class Rewrite {
 public:
  Rewrite(const Input& input, Findings& findings) : input_(input), findings_(findings) {}

  [[nodiscard]] const Input& input() const { return input_; }
  void error(const SourcePosition& at, std::string message);
  void warning(const SourcePosition& at, std::string message);
  /// The text with its variables put in; nothing where it is no text or a variable is missing
  /// (reported). `path` names it in messages.
  std::optional<std::string> interpolated(const yaml::Node& node, const std::string& path);
  /// The same before its time, to see what it will be: nothing is reported, and nothing given where
  /// something would be, be it a warning.
  [[nodiscard]] std::optional<std::string> expanded(const yaml::Node& node) const;
  /// Another compose file, a mapping; nullptr where it cannot be used (reported at `at`).
  const yaml::Node* file(const std::string& path, const SourcePosition& at);
  /// Reports each key of a mapping that is none of `known` and begins no extension, with the
  /// nearest one that is.
  void only_known_keys(const yaml::Node& mapping,
                       const std::string& path,
                       const std::vector<std::string>& known);
  /// Of one of the stack's own files; none of another's, which nobody keeps.
  const std::vector<std::string_view>& lines_of(const std::string& file);
  /// Counts what was put into the stack beyond its own files; false, and an error, where it is too
  /// much. Small texts can ask for very large trees.
  bool spend(std::size_t nodes, const SourcePosition& at);

 private:
  const Input& input_;
  Findings& findings_;
  std::map<std::string, std::optional<yaml::Node>> files_;
  std::map<std::string, std::vector<std::string_view>> lines_;
  std::size_t spent_ = 0;
};

/// Removes a key from a mapping; nothing where it is not there.
std::optional<yaml::Entry> take(yaml::Node& map, std::string_view key);
/// Adds or replaces.
void put(yaml::Node& map, std::string_view key, yaml::Node value);
/// Equal in content, wherever they stand.
[[nodiscard]] bool same(const yaml::Node& a, const yaml::Node& b);
/// Equal for nodes that are same(), and only for those.
[[nodiscard]] std::string fingerprint(const yaml::Node& node);
/// With the node itself.
[[nodiscard]] std::size_t count_nodes(const yaml::Node& node);
/// The directory of an absolute path.
[[nodiscard]] std::string directory_of(const std::string& path);

/// Merges the files of the top-level `include` into the tree.
void apply_include(yaml::Node& root, Rewrite& rewrite);
/// Replaces `extends` of every service by what it stands for.
void apply_extends(yaml::Node& root, Rewrite& rewrite);
/// Makes values of the wrong type, whose meaning is clear, what the schema wants. For a tree whose
/// variables are put in.
void relax_values(yaml::Node& root, Rewrite& rewrite);
/// Takes out the service keys that Swarm cannot honour and says for each what happens instead.
void drop_service_keys(yaml::Node& service, const std::string& name, Rewrite& rewrite);
/// Those keys, sorted.
[[nodiscard]] std::vector<std::string> dropped_service_keys();
/// The same for what the engine is never asked of a network.
void drop_network_keys(yaml::Node& network, const std::string& name, Rewrite& rewrite);
/// Lays one service over the one that it extends: mappings by key, lists appended.
[[nodiscard]] yaml::Node overlay(yaml::Node base,
                                 const yaml::Node& over,
                                 std::string_view key = "");
/// Makes the relative paths of a service or a secret or config absolute: they start in `directory`.
void rebase_service(yaml::Node& service, const std::string& directory, const Rewrite& rewrite);
void rebase_file_object(yaml::Node& object, const std::string& directory, const Rewrite& rewrite);

}  // namespace skep::compose
