#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace skep::sops {

/// The text form of an age file: base64 in lines of 64 characters between two marks, with a line
/// end behind the last one. Source: age-encryption.org/v1, "ASCII armor".
[[nodiscard]] std::string armored(std::string_view bytes);

/// Whether the text begins with the first mark; blanks before it count for nothing.
[[nodiscard]] bool is_armored(std::string_view text);

/// Strict: every full line has 64 characters, nothing but blanks stands around the marks, and no
/// two texts mean the same bytes but for line ends. Nothing where it is not so.
[[nodiscard]] std::optional<std::string> unarmored(std::string_view text);

/// RFC 4648 §4 without padding, and the only spelling of its bytes.
[[nodiscard]] std::optional<std::string> from_bare_base64(std::string_view text);
[[nodiscard]] std::string bare_base64(std::string_view bytes);

}  // namespace skep::sops
