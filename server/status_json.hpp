#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "reconciler/ports/control.hpp"

namespace skep::server {

/// What GET /api/v1/status answers: one JSON object, every field always there, null for what is not
/// known. Times are RFC 3339 in UTC with milliseconds. A value that a plan marks as secret is
/// "***" whatever the plan holds. Bytes that are not UTF-8 are replaced.
[[nodiscard]] std::string to_json(const ports::AgentStatus& status);
/// One stack, in the same form as there.
[[nodiscard]] std::string to_json(const ports::StackStatus& status);

/// Reads what to_json wrote, so that the CLI can print what a running agent answered. A plan comes
/// back with what people read of it (actions, notes, untouched services), without its specs. Fields
/// that are not known are skipped and missing ones keep their defaults, for the other side may be
/// of another version. Errors: invalid_input, with the field's path.
[[nodiscard]] Result<ports::AgentStatus> parse_status(std::string_view json);

}  // namespace skep::server
