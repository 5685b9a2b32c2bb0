#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compose/types.hpp"
#include "core/result.hpp"

namespace skep::compose {

struct ParsedPorts {
  std::vector<Port> ports;            ///< In the CLI's order (rule B1.6).
  std::vector<std::string> warnings;  ///< An address that was dropped (rule B1.7).
};

/// `[ip:][published:]target[/protocol]` with ranges (rules B1.1 … B1.7). Errors: invalid_input.
Result<ParsedPorts> parse_ports(std::string_view text);

/// What a port is noted under in Service::key_at.
[[nodiscard]] std::string port_place(std::uint32_t published,
                                     std::uint32_t target,
                                     std::string_view protocol);

}  // namespace skep::compose
