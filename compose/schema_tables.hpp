#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// The compose schema of versions 3.0 to 3.13 as data (rule A8.3); schema.cpp reads it.
namespace skep::compose {

/// First and last minor version of something, both included.
struct Since {
  int first = 0;
  int last = 99;
  [[nodiscard]] bool holds(int minor) const { return first <= minor && minor <= last; }
};

struct ListType;
struct ObjectType;

/// What may stand at a place: any of the scalars, a list, a mapping.
struct Type {
  enum Scalar : unsigned {
    kString = 1U,
    kNumber = 2U,
    kInteger = 4U,
    kBoolean = 8U,
    kNull = 16U,
  };
  enum class Format { none, ports, duration };

  unsigned scalars = 0;
  std::string_view expected;  ///< What the CLI says it must be: "a string, number or null".
  Format format = Format::none;
  std::vector<std::string_view> words = {};  ///< If any: the only strings.
  bool not_negative = false;
  std::shared_ptr<const ListType> list = {};
  std::shared_ptr<const ObjectType> object = {};
};

struct ListType {
  Type item;
  bool unique = false;
};

struct KeyType {
  std::string_view name;
  Type type;
  Since since = {};
};

struct ObjectType {
  std::vector<KeyType> keys = {};
  /// Of keys that are not in the list; nothing where there are none.
  std::shared_ptr<const Type> others = {};
  /// Which other keys those are.
  enum class Names { any, not_empty, object_name, lower_letters } names = Names::any;
  /// Takes unknown keys without a look.
  bool open = false;
  Since extensions = {99, 99};  ///< Versions in which `x-` keys are allowed.
  std::vector<std::string_view> required = {};
};

/// The whole file.
[[nodiscard]] const Type& file_schema();

}  // namespace skep::compose
