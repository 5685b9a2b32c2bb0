#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace skep::yaml {

void append_utf8(std::string& out, std::uint32_t code);

/// A YAML stream as UTF-8 without a byte order mark, proven free of what no YAML text may hold:
/// malformed UTF-8 and control characters. A lone carriage return has become a line feed; nothing
/// else has moved, so lines and columns are those that the person's editor shows.
class SourceText {
 public:
  /// Takes UTF-8 and, behind a byte order mark, UTF-16. Errors: invalid_input, positioned.
  static Result<SourceText> from(std::string_view bytes, std::string file);

  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] const std::string& file() const noexcept { return file_; }
  /// Of the character at a byte offset; columns count characters, not bytes.
  [[nodiscard]] SourcePosition position(std::size_t offset) const;
  /// Bytes between the start of the offset's line and the offset.
  [[nodiscard]] int indent_of(std::size_t offset) const;
  [[nodiscard]] Error error(std::size_t offset, std::string message) const;

 private:
  SourceText(std::string text, std::string file);
  [[nodiscard]] std::size_t line_start(std::size_t offset) const;

  std::string text_;
  std::string file_;
  std::vector<std::size_t> line_starts_;
};

}  // namespace skep::yaml
