#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/result.hpp"

namespace skep::yaml {
class Node;
}

namespace skep::templates {

class Value;

/// Absence. Go tells "no value at all" from "an interface that holds nothing": a field of the
/// second is an error ("nil pointer evaluating interface {}.tag"), of the first it is nothing.
struct Nil {
  bool of_interface = false;
};

/// A whole number. Numbers of YAML and JSON and of templates are `int`, as people read them;
/// arithmetic gives `int64`, a byte of a string is `uint8`, a part of a version `uint64`. Go's
/// functions tell these apart (typeOf, deepEqual, parameters of type int), so the value does too.
struct Int {
  enum class Type : std::uint8_t { int_, int64, uint8, uint64 };
  std::int64_t value = 0;
  Type type = Type::int_;
};

/// Never changed once a Value holds it.
struct List {
  enum class Type : std::uint8_t { any, string, int_, list };
  std::vector<Value> items;
  Type type = Type::any;
  bool nil = false;  ///< Go's nil slice: empty, and `null` in JSON.
  bool of_secret =
      false;  ///< Pieces of a decrypted text, which may be too short to be known as such.
};

/// Shared and changed in place (`set`, `merge`), as Go's maps are.
struct Map {
  enum class Type : std::uint8_t { any, string, version, files };
  std::map<std::string, Value, std::less<>> entries;
  Type type = Type::any;
  bool nil = false;  ///< Go's nil map: empty, and nothing can be stored in it.
};

/// What a template computes with. Copies are cheap: text, lists and maps are shared.
class Value {
 public:
  using Text = std::shared_ptr<const std::string>;
  using Variant =
      std::variant<Nil, bool, Int, double, Text, std::shared_ptr<const List>, std::shared_ptr<Map>>;

  Value() = default;
  explicit Value(Nil nil) : value_(nil) {}
  explicit Value(bool truth) : value_(truth) {}
  explicit Value(Int number) : value_(number) {}
  explicit Value(int number) : value_(Int{number}) {}
  explicit Value(std::int64_t number) : value_(Int{number}) {}
  explicit Value(double number) : value_(number) {}
  explicit Value(std::string text) : value_(std::make_shared<const std::string>(std::move(text))) {}
  explicit Value(std::string_view text) : Value(std::string(text)) {}
  explicit Value(const char* text) : Value(std::string(text)) {}
  explicit Value(List list);
  explicit Value(Map map);

  /// A value as it stands in a values file: whole numbers are integers, keys are sorted.
  static Value from(const yaml::Node& node);

  [[nodiscard]] const Variant& variant() const noexcept { return value_; }
  [[nodiscard]] bool is_nil() const noexcept { return std::holds_alternative<Nil>(value_); }
  [[nodiscard]] const bool* boolean() const noexcept { return std::get_if<bool>(&value_); }
  [[nodiscard]] const Int* integer() const noexcept { return std::get_if<Int>(&value_); }
  [[nodiscard]] const double* real() const noexcept { return std::get_if<double>(&value_); }
  [[nodiscard]] const std::string* text() const noexcept;
  [[nodiscard]] const List* list() const noexcept;
  [[nodiscard]] Map* map() const noexcept;
  [[nodiscard]] const std::shared_ptr<Map>* shared_map() const noexcept {
    return std::get_if<std::shared_ptr<Map>>(&value_);
  }

  /// The value under a key of a map; Nil where this is no map or has no such key.
  [[nodiscard]] Value find(std::string_view key) const;

 private:
  Variant value_;
};

/// Go's names: "map[string]interface {}", "[]string", "float64"; "interface {}" of Nil.
[[nodiscard]] std::string_view type_name(const Value& value);
/// "map", "slice", "string", "int", "float64", "bool", "invalid" …
[[nodiscard]] std::string_view kind_name(const Value& value);

/// Go's truth: not zero, not empty, not nil.
[[nodiscard]] bool is_true(const Value& value);

/// Elements of a list or map, bytes of a text, else 0.
[[nodiscard]] std::size_t length(const Value& value);

/// Values files in Helm's way: maps are merged deeply, everything else is replaced, a null deletes
/// the key. Neither side is changed.
[[nodiscard]] Value overlay(const Value& base, const Value& over);

}  // namespace skep::templates
