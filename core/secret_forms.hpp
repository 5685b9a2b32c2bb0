#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace skep {

/// A secret, and what programs that repeat it make of it: escaped as JSON, YAML and Go do, with its
/// quotes doubled, percent-encoded, in base64 (also in the midst of something longer). Each once.
[[nodiscard]] std::vector<std::string> forms_of(std::string_view secret);

/// What of the base64 text of `prefix + secret + suffix` depends on the secret alone, for a prefix
/// of `offset` bytes (modulo 3).
[[nodiscard]] std::string inner_base64(std::string_view secret, std::size_t offset);

}  // namespace skep
