#pragma once

#include <cstdio>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "core/clock.hpp"

namespace skep::server {

/// Its fields stay in the order in which they were written.
using OrderedJson = nlohmann::ordered_json;

/// As the API writes a time, "2026-11-21T09:17:42.123Z"; null for what is not known.
[[nodiscard]] inline OrderedJson time_json(const std::optional<WallTime>& time) {
  if (!time || *time == WallTime{}) return nullptr;
  const auto whole = std::chrono::floor<std::chrono::seconds>(*time);
  auto text = to_rfc3339(whole);
  char milliseconds[8];
  std::snprintf(
      milliseconds, sizeof milliseconds, ".%03d", static_cast<int>((*time - whole).count() % 1000));
  return text.insert(text.size() - 1, milliseconds);
}

/// On one line; bytes that are not UTF-8 are replaced.
[[nodiscard]] inline std::string text_of(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace skep::server
