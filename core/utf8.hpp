#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace skep {

struct Utf8Character {
  std::uint32_t point = 0;
  std::size_t length = 0;  ///< Bytes.
};

/// What `text` begins with; nothing where that is no well-formed UTF-8 (RFC 3629: shortest forms
/// only, no surrogates) or there is no text.
[[nodiscard]] std::optional<Utf8Character> first_character(std::string_view text);

}  // namespace skep
