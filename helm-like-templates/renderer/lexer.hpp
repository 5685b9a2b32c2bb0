#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace skep::templates {

/// A template's text, kept as long as anything refers to a place in it.
struct Text {
  std::string name;
  std::string text;

  /// Columns count characters.
  [[nodiscard]] SourcePosition position(std::size_t offset) const;
};
using TextPtr = std::shared_ptr<const Text>;

struct Token {
  enum class Type : std::uint8_t {
    text,
    left_delimiter,
    right_delimiter,
    space,
    identifier,
    keyword,
    field,     ///< ".name"
    variable,  ///< "$name" or "$"
    dot,
    nil,
    boolean,
    number,   ///< Also '…'.
    string,   ///< With its quotes.
    assign,   ///< =
    declare,  ///< :=
    pipe,
    left_paren,
    right_paren,
    character,  ///< Any other ASCII character.
    error,      ///< The text is the message; nothing follows.
    end,
  };
  Type type = Type::end;
  std::string_view text;  ///< Points into the source, or to a literal.
  std::size_t offset = 0;
};

/// Splits a template as Go's text/template does, whitespace control and comments carried out.
/// `messages` keeps the texts of error tokens.
std::vector<Token> lex(std::string_view text, std::vector<std::unique_ptr<std::string>>& messages);

}  // namespace skep::templates
