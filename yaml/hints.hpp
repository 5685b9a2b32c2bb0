#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/error.hpp"
#include "yaml/source_text.hpp"

namespace skep::yaml {

/// What a parser's complaint mostly means to the person who typed the text, beginning with "; ", or
/// nothing. `offset` is where the parser noticed it, `last_value` where the value before it begins.
[[nodiscard]] std::string hint_for(const std::string& complaint,
                                   const SourceText& source,
                                   std::size_t offset,
                                   std::optional<std::size_t> last_value = std::nullopt);

/// The error of a text that is not YAML yet: where marks of an unfinished merge stand before it,
/// they are the error, and in a line of a template that is said. Any other as it is.
[[nodiscard]] Error explained(Error error, const SourceText& source);

}  // namespace skep::yaml
