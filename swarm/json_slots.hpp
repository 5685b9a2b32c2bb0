#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "swarm/fields.hpp"
#include "swarm/service_spec.hpp"

/// Places that a streaming JSON reader fills, by type: one constant table per type, made from its
/// fields().
namespace skep::swarm::json {

struct Type;

/// Where a value goes; no type: it is skipped.
struct Slot {
  void* target = nullptr;
  const Type* type = nullptr;
};

/// What can be done with a place of one type; absent functions cannot.
struct Type {
  Slot (*unwrap)(void*) = nullptr;  ///< Of an optional: makes the value that stands inside.
  Slot (*member)(void*, std::string_view) = nullptr;  ///< Of a struct or map.
  Slot (*element)(void*) = nullptr;                   ///< Of a list: appends one.
  bool (*set_string)(void*, std::string_view) = nullptr;
  bool (*set_bool)(void*, bool) = nullptr;
  bool (*set_signed)(void*, std::int64_t) = nullptr;
  bool (*set_unsigned)(void*, std::uint64_t) = nullptr;
  bool (*set_double)(void*, double) = nullptr;
  /// Unknown members below it are kept, in this map of the struct.
  StringMap* (*unknown)(void*) = nullptr;
};

template <typename T>
const Type& type_of();

template <typename T>
Slot slot_of(T& value) {
  return {&value, &type_of<T>()};
}

/// A list whose elements are converted one by one as they are complete: `To take(From&&)`.
template <typename From, typename To>
struct Converting {
  std::vector<To> done;
  std::optional<From> current;
  void flush() {
    if (current) done.push_back(convert(std::move(*current)));
    current.reset();
  }
};

template <typename T>
struct Traits;

template <HasFields T>
struct Traits<T> {
  static Type make() {
    Type type;
    type.member = [](void* target, std::string_view name) {
      Slot found;
      T::fields(*static_cast<T*>(target),
                [&](std::string_view field, auto& member, Presence /*presence*/ = {}) {
                  if (found.type == nullptr && field == name) found = slot_of(member);
                });
      return found;
    };
    if constexpr (std::is_same_v<T, ServiceSpec>)
      type.unknown = [](void* target) { return &static_cast<T*>(target)->unknown; };
    return type;
  }
};

template <typename T>
struct Traits<std::optional<T>> {
  static Type make() {
    Type type;
    type.unwrap = [](void* target) {
      return slot_of(static_cast<std::optional<T>*>(target)->emplace());
    };
    return type;
  }
};

template <typename T>
struct Traits<std::vector<T>> {
  static Type make() {
    Type type;
    type.element = [](void* target) {
      return slot_of(static_cast<std::vector<T>*>(target)->emplace_back());
    };
    return type;
  }
};

template <typename From, typename To>
struct Traits<Converting<From, To>> {
  static Type make() {
    Type type;
    type.element = [](void* target) {
      auto& list = *static_cast<Converting<From, To>*>(target);
      list.flush();
      return slot_of(list.current.emplace());
    };
    return type;
  }
};

template <>
struct Traits<StringMap> {
  static Type make() {
    Type type;
    type.member = [](void* target, std::string_view name) {
      return slot_of((*static_cast<StringMap*>(target))[std::string(name)]);
    };
    return type;
  }
};

template <>
struct Traits<std::string> {
  static Type make() {
    Type type;
    type.set_string = [](void* target, std::string_view text) {
      *static_cast<std::string*>(target) = text;
      return true;
    };
    return type;
  }
};

template <>
struct Traits<bool> {
  static Type make() {
    Type type;
    type.set_bool = [](void* target, bool flag) {
      *static_cast<bool*>(target) = flag;
      return true;
    };
    return type;
  }
};

template <typename T>
requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) struct Traits<T> {
  static Type make() {
    Type type;
    type.set_signed = [](void* target, std::int64_t number) {
      if constexpr (std::is_unsigned_v<T>) {
        if (number < 0) return false;
      }
      *static_cast<T*>(target) = static_cast<T>(number);
      return static_cast<std::int64_t>(static_cast<T>(number)) == number;
    };
    type.set_unsigned = [](void* target, std::uint64_t number) {
      *static_cast<T*>(target) = static_cast<T>(number);
      return number <= static_cast<std::uint64_t>(std::numeric_limits<T>::max());
    };
    return type;
  }
};

template <>
struct Traits<Nanoseconds> {
  static Type make() {
    Type type;
    type.set_signed = [](void* target, std::int64_t number) {
      *static_cast<Nanoseconds*>(target) = Nanoseconds(number);
      return true;
    };
    type.set_unsigned = [](void* target, std::uint64_t number) {
      *static_cast<Nanoseconds*>(target) = Nanoseconds(static_cast<std::int64_t>(number));
      return number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    };
    return type;
  }
};

template <>
struct Traits<float> {
  static Type make() {
    Type type;
    type.set_double = [](void* target, double number) {
      *static_cast<float*>(target) = static_cast<float>(number);
      return true;
    };
    type.set_signed = [](void* target, std::int64_t number) {
      *static_cast<float*>(target) = static_cast<float>(number);
      return true;
    };
    type.set_unsigned = [](void* target, std::uint64_t number) {
      *static_cast<float*>(target) = static_cast<float>(number);
      return true;
    };
    return type;
  }
};

template <typename T>
const Type& type_of() {
  static const Type type = Traits<T>::make();
  return type;
}

}  // namespace skep::swarm::json
