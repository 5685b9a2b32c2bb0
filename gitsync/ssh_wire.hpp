#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

/// The data types of SSH's messages and files. Source: RFC 4251 §5. Private to this folder.
namespace skep::gitsync {

/// Four bytes, the most significant one first; advances past them.
[[nodiscard]] inline std::optional<std::uint32_t> take_number(std::string_view& bytes) {
  if (bytes.size() < 4) return std::nullopt;
  std::uint32_t number = 0;
  for (const char byte : bytes.substr(0, 4))
    number = (number << 8U) | static_cast<unsigned char>(byte);
  bytes.remove_prefix(4);
  return number;
}

/// Four bytes of length, then the bytes; advances past them.
[[nodiscard]] inline std::optional<std::string_view> take_string(std::string_view& bytes) {
  auto rest = bytes;
  const auto length = take_number(rest);
  if (!length || *length > rest.size()) return std::nullopt;
  bytes = rest.substr(*length);
  return rest.substr(0, *length);
}

}  // namespace skep::gitsync
