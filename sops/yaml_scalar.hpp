#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace skep::sops {

/// Line ends too.
[[nodiscard]] constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// One past the last byte of a YAML scalar.
struct ScalarEnd {
  std::size_t end = 0;
  bool block = false;  ///< Written as | or >; its last line end is not counted.
};

/// Where the tag that may stand at `begin` ends and its value begins; nothing for an anchor.
[[nodiscard]] std::optional<std::size_t> behind_tag(std::string_view text, std::size_t begin);

/// Finds the end of the scalar that begins at `begin`, behind its tag. `parent_column` is that of
/// the key or dash it belongs to, from 0. `decoded` is what a parser made of it, where it is a
/// string; then the text of a plain scalar has the same characters. Nothing where the two do not
/// fit.
[[nodiscard]] std::optional<ScalarEnd> scalar_end(std::string_view text,
                                                  std::size_t begin,
                                                  int parent_column,
                                                  std::optional<std::string_view> decoded);

}  // namespace skep::sops
