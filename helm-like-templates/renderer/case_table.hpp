#pragma once

#include <cstddef>
#include <cstdint>

namespace skep::templates {

/// Characters whose upper, lower and title case lie at the same distance.
struct CaseRange {
  char32_t low;
  char32_t high;
  std::int32_t delta[3];  ///< To upper, lower, title case.
};

/// Upper and lower case alternate in the range.
constexpr std::int32_t kAlternating = 0x110000;

/// Sorted; made by tests/templates/generator/casetable from the tables of Go's package unicode.
extern const CaseRange kCaseRanges[];
extern const std::size_t kCaseRangeCount;

}  // namespace skep::templates
