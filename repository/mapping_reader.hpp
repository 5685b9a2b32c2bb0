#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/finding.hpp"
#include "yaml/node.hpp"

namespace skep::repository {

/// Adds an error at `at`.
void complain(Findings& findings, const SourcePosition& at, std::string message);

/// Reads one mapping of a skep.yaml: each key has a reader; keys that nobody knows are errors with
/// the nearest right one. Everything that is wrong becomes a finding at its position, and what it
/// would have set keeps its value. `findings` outlives the reader.
class MappingReader {
 public:
  using Read = std::function<void(const yaml::Node&)>;

  /// `path` is where the mapping stands, for messages: "networks.web", or "" for the whole file.
  /// `file` is what the file is called there.
  MappingReader(std::string path, Findings& findings, std::string file = "skep.yaml")
      : path_(std::move(path)), file_(std::move(file)), findings_(findings) {}

  MappingReader& key(std::string name, Read read);

  /// Null reads as an empty mapping, as everywhere in YAML files that people write.
  void read(const yaml::Node& node);

  void text(const yaml::Node& node, const std::string& name, std::string& into);
  void boolean(const yaml::Node& node, const std::string& name, bool& into);
  /// `places` gets the position of each.
  void strings(const yaml::Node& node,
               const std::string& name,
               std::vector<std::string>& into,
               std::vector<SourcePosition>* places = nullptr);

  /// One of a few words, each with its meaning; `true` and `false` may be among them.
  template <typename Value>
  void word(const yaml::Node& node,
            const std::string& name,
            const std::vector<std::pair<std::string, Value>>& words,
            Value& into) {
    const auto text = written_word(node);
    std::string allowed;
    for (const auto& [candidate, value] : words) {
      if (candidate == text) {
        into = value;
        return;
      }
      allowed += (allowed.empty() ? "" : ", ") + candidate;
    }
    complain(findings_, node.at(), named(name) + " must be one of: " + allowed);
  }

  /// The key with the path before it, as messages name it.
  [[nodiscard]] std::string named(const std::string& name) const;

 private:
  [[nodiscard]] static std::string written_word(const yaml::Node& node);
  void unknown(const yaml::Entry& entry);

  std::string path_, file_;
  Findings& findings_;
  std::vector<std::pair<std::string, Read>> readers_;
};

}  // namespace skep::repository
