#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/finding.hpp"
#include "core/result.hpp"
#include "yaml/node.hpp"

namespace skep::yaml {

/// What a text may cost; over any of them is an error that names the limit, before the memory is
/// spent.
struct Limits {
  std::size_t bytes = 8U << 20U;
  std::size_t nodes = 400'000;  ///< After alias expansion and merges.
  int depth = 200;
};

/// The first document of `text`, decoded as Go's yaml.v3 does it: YAML 1.2 core schema with its 1.1
/// habits, aliases expanded, merge keys carried out, duplicate keys refused (rules A2.2 … A2.12).
/// Non-string keys below the top are refused with a position (rule A2.11). An empty text is Null.
/// `file` names the text in positions. Errors: invalid_input, positioned.
///
/// With `excused`, what Go refuses though its meaning is clear is taken, with a warning there: a
/// second merge key in a mapping (the earlier one wins, as in a list of both), and a key that is
/// written twice with the same value. Keys that are no string and other keys that are there twice
/// are errors there, so that what else is wrong with the text is told with them.
Result<Node> parse(std::string_view text,
                   std::string file,
                   const Limits& limits = {},
                   Findings* excused = nullptr);

}  // namespace skep::yaml
