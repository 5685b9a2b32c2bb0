#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace skep {

/// One remark about what a person wrote. Parsers do not stop at the first mistake: they collect
/// findings, so that one push shows all that is wrong.
struct Finding {
  enum class Severity { error, warning };
  Severity severity = Severity::error;
  std::string message;  ///< Says what was found, what is allowed and, for a typo, the nearest valid
                        ///< word. Never holds a secret.
  SourcePosition at;
  std::string stack = {};  ///< The directory of the stack that it is about, where findings of
                           ///< several are in one list; else "".
  bool operator==(const Finding&) const = default;
};

using Findings = std::vector<Finding>;

[[nodiscard]] bool has_errors(const Findings& findings);
/// By file, line, column; equal ones once.
void sort_and_unique(Findings& findings);
/// One line per finding: "file:line:column: error: message"; "error: stack apps/web: message" where
/// the file, such as a template's, does not say whose it is.
[[nodiscard]] std::string to_string(const Findings& findings);
/// An invalid_input Error that shows all errors among the findings, positioned at the first.
[[nodiscard]] Error to_error(const Findings& findings);

/// The candidate that a person most likely meant by `word`, or "" if none is near.
[[nodiscard]] std::string nearest(std::string_view word,
                                  const std::vector<std::string>& candidates);

}  // namespace skep
