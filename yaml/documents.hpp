#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace skep::yaml {

/// Nothing but white space, comments and document marks.
[[nodiscard]] bool is_blank(std::string_view text);

/// The first line of a further document, as a byte offset; nothing where there is none.
[[nodiscard]] std::optional<std::size_t> second_document(std::string_view text);

/// parse() reads the first document and passes over all others: what a person wrote there would be
/// dropped without a word. Errors: invalid_input, positioned, where a further one is not blank.
[[nodiscard]] Result<void> check_single_document(std::string_view text, const std::string& file);

}  // namespace skep::yaml
