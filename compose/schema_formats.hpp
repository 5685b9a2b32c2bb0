#pragma once

#include <string_view>

/// The two formats that the compose schema names (rules A8.3, A8.9): a text has the format iff the
/// later stage can read it.
namespace skep::compose {

/// A short port, `[ip:][published:]target[/protocol]` (rule B1).
[[nodiscard]] bool valid_port_text(std::string_view text);
/// A duration as Go writes it, "1m30s" (rule B11).
[[nodiscard]] bool valid_duration_text(std::string_view text);

}  // namespace skep::compose
