#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace skep::engine {

/// A member of an object, where it is a string; "" where it is not, or there is no object.
[[nodiscard]] inline std::string text_of(const nlohmann::json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

}  // namespace skep::engine
