#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "core/finding.hpp"
#include "core/result.hpp"
#include "yaml/node.hpp"

namespace skep::package {

/// What one check may cost; over it is an error that names the limit.
struct SchemaLimits {
  std::size_t steps = 1'000'000;         ///< Schemas applied and values compared.
  int depth = 200;                       ///< Schemas inside of each other, references included.
  std::size_t pattern = 1000;            ///< Characters of a pattern.
  std::size_t pattern_memory = 1 << 20;  ///< Bytes that a compiled pattern may take.
  std::size_t findings = 50;
};

/// The patterns of a schema, compiled when they are first met: for many checks with one schema. Not
/// for several threads.
class SchemaPatterns {
 public:
  SchemaPatterns();
  ~SchemaPatterns();
  SchemaPatterns(const SchemaPatterns&) = delete;
  SchemaPatterns& operator=(const SchemaPatterns&) = delete;

  struct State;
  [[nodiscard]] State& state() const noexcept { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

/// Checks values against a JSON schema: draft-07 without references to other files, patterns by
/// RE2. Findings stand where the value was written and name its key and what is allowed. Mistakes
/// of the schema itself stand in the schema. A text with `stand_in` in it, unless that is empty, is
/// one that is not known: nothing but its type is looked at.
[[nodiscard]] Findings check(const yaml::Node& schema,
                             const yaml::Node& values,
                             const SchemaLimits& limits = {},
                             std::string_view stand_in = {},
                             const SchemaPatterns& patterns = {});

/// Keywords that check() does not know and so passes over, each with its place.
[[nodiscard]] Findings unknown_keywords(const yaml::Node& schema);

}  // namespace skep::package
