#pragma once

#include <string>
#include <string_view>

#include "diff/plan.hpp"

/// Words that the text and the markdown of a plan share. Private to this folder.
namespace skep::diff {

[[nodiscard]] std::string_view word_of(Impact impact);
[[nodiscard]] std::string_view word_of(Note::Severity severity);
[[nodiscard]] char sign_of(Verb verb);
[[nodiscard]] char sign_of(FieldChange::Kind kind);
/// "3 changes", "no changes".
[[nodiscard]] std::string count_of_changes(const Plan& plan);

}  // namespace skep::diff
