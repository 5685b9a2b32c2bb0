#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "swarm/fields.hpp"
#include "swarm/service_spec.hpp"

namespace skep::diff {

/// Every value of a struct by its JSON pointer: the net under all special words, so that no
/// difference can be missed. What is empty is left out, but for what an optional holds.
class Flatten {
 public:
  template <typename T>
  static std::map<std::string, std::string> of(const T& value) {
    Flatten flatten;
    flatten.walk("", value, false);
    return std::move(flatten.values_);
  }

 private:
  template <typename T>
  void walk(const std::string& path, const T& value, bool always) {
    if constexpr (swarm::HasFields<T>) {
      if (always) values_.insert_or_assign(path, "{}");
      T::fields(value,
                [&](std::string_view name, const auto& member, swarm::Presence /*presence*/ = {}) {
                  walk(path + "/" + std::string(name), member, false);
                });
    } else if constexpr (std::is_same_v<T, bool>) {
      put(path, value ? "true" : "false", always || value);
    } else if constexpr (std::is_arithmetic_v<T>) {
      put(path, std::to_string(value), always || value != T{});
    } else if constexpr (std::is_same_v<T, swarm::Nanoseconds>) {
      put(path, std::to_string(value.count()), always || value.count() != 0);
    } else {
      put(path, value, always || !value.empty());
    }
  }
  template <typename T>
  void walk(const std::string& path, const std::optional<T>& value, bool /*always*/) {
    if (value) walk(path, *value, true);
  }
  template <typename T>
  void walk(const std::string& path, const std::vector<T>& list, bool /*always*/) {
    for (std::size_t i = 0; i < list.size(); ++i)
      walk(path + "/" + std::to_string(i), list[i], true);
  }
  void walk(const std::string& path, const swarm::StringMap& map, bool /*always*/) {
    for (const auto& [key, value] : map) {
      std::string escaped;
      for (const char c : key) escaped += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
      put(path + "/" + escaped, value, true);
    }
  }
  void put(const std::string& path, std::string text, bool present) {
    if (present) values_.insert_or_assign(path, std::move(text));
  }

  std::map<std::string, std::string> values_;
};

}  // namespace skep::diff
