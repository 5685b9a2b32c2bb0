#pragma once

#include <string>
#include <string_view>

#include "helm-like-templates/renderer/functions.hpp"

namespace skep::templates {

// Values to and from JSON and YAML, byte for byte as Helm's toJson and toYaml write them. Errors:
// limits, a value that holds itself, a number that is none, malformed text.

struct JsonStyle {
  bool pretty = false;  ///< Two spaces a level.
  bool html = true;     ///< <, > and & as \u003c …, as Go does it.
};
Result<std::string> to_json(Env& env, const Value& value, const JsonStyle& style);
Result<Value> from_json(Env& env, std::string_view text);

/// Without the line end at the end.
Result<std::string> to_yaml(Env& env, const Value& value);
Result<Value> from_yaml(Env& env, std::string_view text);

/// A number as Go's encoding/json writes it.
[[nodiscard]] std::string json_number(double number);

}  // namespace skep::templates
