#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/error.hpp"

namespace skep::yaml {

struct Null {
  bool operator==(const Null&) const = default;
};

/// `2020-01-02` and the like, written without quotes (rule A2.10): a string for validation, this
/// text where it is stringified.
struct Timestamp {
  std::string printed;       ///< "2020-01-02 00:00:00 +0000 UTC", as Go prints it.
  std::string written = {};  ///< "2020-01-02", as it stands in the file.
  bool operator==(const Timestamp&) const = default;
};

class Node;

/// A key and its value; keys keep the order of the file, are unique, and merge keys (`<<`) are
/// already carried out.
struct Entry;

using List = std::vector<Node>;
using Map = std::vector<Entry>;

/// One value of a YAML document as Go's yaml.v3 decodes it, and where it stands. A plain value:
/// copy, compare, build by hand.
class Node {
 public:
  using Value = std::
      variant<Null, bool, std::int64_t, std::uint64_t, double, std::string, Timestamp, List, Map>;

  Node() = default;
  Node(Value content, SourcePosition position);

  [[nodiscard]] const Value& value() const noexcept { return value_; }
  [[nodiscard]] Value& value() noexcept { return value_; }
  /// Of the value's first character; where an alias stands, of its target (but of the alias itself
  /// where that puts a list into a list).
  [[nodiscard]] const SourcePosition& at() const noexcept { return at_; }

  template <typename T>
  [[nodiscard]] const T* as() const noexcept {
    return std::get_if<T>(&value_);
  }
  template <typename T>
  [[nodiscard]] T* as() noexcept {
    return std::get_if<T>(&value_);
  }
  [[nodiscard]] bool is_null() const noexcept { return std::holds_alternative<Null>(value_); }
  /// The value under a key of a mapping; nullptr where this is no mapping or has no such key.
  [[nodiscard]] const Node* find(std::string_view key) const noexcept;
  [[nodiscard]] Node* find(std::string_view key) noexcept;
  /// "mapping", "list", "string", "integer", "number", "boolean", "null", "timestamp": for
  /// messages.
  [[nodiscard]] std::string_view type_name() const noexcept;

  /// Content and positions.
  bool operator==(const Node& other) const;

 private:
  Value value_;
  SourcePosition at_;
};

struct Entry {
  std::string key;
  SourcePosition key_at;
  Node value;
  bool operator==(const Entry&) const = default;
};

}  // namespace skep::yaml
