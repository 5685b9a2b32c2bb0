#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compose/types.hpp"
#include "core/finding.hpp"
#include "yaml/node.hpp"

namespace skep::compose {

/// A value of the file that may be absent, its dotted path, and where mistakes about it are
/// reported. Reading one gives the empty value where it is absent or null, and reports a finding
/// where its type is wrong. A view: the tree and the findings outlive it.
class Field {
 public:
  /// `strict`: mistakes are said in the CLI's words, and what it takes without a word is taken so.
  Field(const yaml::Node& root, std::string path, Findings& findings, bool strict)
      : node_(&root),
        path_(std::move(path)),
        at_(root.at()),
        findings_(&findings),
        strict_(strict) {}

  [[nodiscard]] bool strict() const { return strict_; }

  /// Written, even as null.
  [[nodiscard]] bool written() const { return node_ != nullptr; }
  /// Written, and not null.
  [[nodiscard]] bool present() const { return node_ != nullptr && !node_->is_null(); }
  [[nodiscard]] const yaml::Node* node() const { return node_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Of the value, or of what should hold it.
  [[nodiscard]] const SourcePosition& at() const { return at_; }

  /// Keys are matched exactly, else without regard to case: the CLI's decoder does so wherever the
  /// schema leaves an object open (rule A8.11).
  [[nodiscard]] Field operator[](std::string_view key) const;
  [[nodiscard]] std::vector<Field> items() const;
  struct Member;
  [[nodiscard]] std::vector<Member> members() const;
  [[nodiscard]] bool is_list() const { return node_ != nullptr && node_->as<yaml::List>(); }
  [[nodiscard]] bool is_map() const { return node_ != nullptr && node_->as<yaml::Map>(); }
  [[nodiscard]] bool is_text() const { return node_ != nullptr && node_->as<std::string>(); }

  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool boolean() const;
  /// Fractions are cut off; a negative one is reported with the CLI's name for it (rule A8.10).
  [[nodiscard]] std::optional<std::uint64_t> count(std::string_view cli_name) const;
  [[nodiscard]] std::optional<std::int64_t> integer() const;
  [[nodiscard]] double number() const;
  [[nodiscard]] std::optional<Nanoseconds> duration() const;
  [[nodiscard]] std::int64_t size() const;
  /// A list of strings.
  [[nodiscard]] std::vector<std::string> texts() const;
  /// One string or a list of them.
  [[nodiscard]] std::vector<std::string> one_or_more_texts() const;
  /// A string cut into words, or a list of words (rule B3).
  [[nodiscard]] std::vector<std::string> words(std::string_view cli_name) const;
  /// Mapping or list of KEY=VALUE; null for a key without a value (rules B0.1, B0.2).
  [[nodiscard]] Environment pairs() const;
  /// As pairs(), "" for a key without a value.
  [[nodiscard]] StringMap strings() const;

  void error(std::string message) const;
  void warning(std::string message) const;

 private:
  Field(
      const yaml::Node* node, std::string path, SourcePosition at, Findings* findings, bool strict)
      : node_(node),
        path_(std::move(path)),
        at_(std::move(at)),
        findings_(findings),
        strict_(strict) {}
  void wrong_type(std::string_view expected) const;

  const yaml::Node* node_;
  std::string path_;
  SourcePosition at_;
  Findings* findings_;
  bool strict_;
};

struct Field::Member {
  std::string key;
  SourcePosition key_at;
  Field value;
};

}  // namespace skep::compose
