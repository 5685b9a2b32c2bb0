#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "diff/plan.hpp"

namespace skep::diff {

struct TextStyle {
  bool color = false;
};

/// The words of design §4: a heading line with the counts and the consequence, then + ~ - lines.
/// Control characters are stripped.
[[nodiscard]] std::string to_text(const Plan& plan,
                                  std::string_view title,
                                  const TextStyle& style = {});
/// For a pull request's comment; fences are longer than any in the content, no mention can be made.
/// `more` are lines below the plan's own.
[[nodiscard]] std::string to_markdown(const Plan& plan,
                                      std::string_view title,
                                      const std::vector<std::string>& more = {});
/// The same for what has no plan.
[[nodiscard]] std::string markdown(std::string_view title,
                                   std::string_view headline,
                                   const std::vector<std::string>& lines);
/// One JSON object; the form is documented in docs/plan-json.md.
[[nodiscard]] std::string to_json(const Plan& plan, std::string_view title);
/// "rolling restart of app (2 tasks) · db untouched"
[[nodiscard]] std::string summary(const Plan& plan);

}  // namespace skep::diff
