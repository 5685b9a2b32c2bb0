#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "yaml/source_text.hpp"

namespace skep::yaml {

/// A node as written: before tags, aliases and merge keys mean anything. Children are linked; those
/// of a mapping alternate key, value.
struct RawNode {
  /// Every scalar comes out of read_events() as plain; check_source() tells the quoted ones.
  enum class Kind : std::uint8_t { null, plain, quoted, alias, list, map };
  static constexpr std::uint32_t kNone = 0xFFFFFFFFU;

  Kind kind = Kind::null;
  bool block_key = false;  ///< A key of a mapping that is written without brackets.
  bool flow = false;       ///< Of a list or map: written with brackets.
  std::string tag;         ///< Short form ("!!int", "!local"); "" where none is written.
  std::string text;        ///< Of a scalar.
  /// Of its first character, a tag or anchor included; of an empty value: of the next token.
  std::size_t offset = 0;
  std::uint32_t anchor = 0;  ///< Of an alias: the anchor it cites.
  std::uint32_t first_child = kNone;
  std::uint32_t next = kNone;  ///< The sibling that follows.
  /// Column (from 0) of the block collection that a scalar stands in; -1 at the top or unknown.
  int parent_column = -1;
};

struct RawDocument {
  std::vector<RawNode>
      nodes;  ///< In the order of the text; the first is the root. Empty: no document.
  std::vector<std::string> anchors;     ///< Names, by number; [0] is not used.
  std::vector<std::uint32_t> anchored;  ///< The node that carries an anchor, by number.
};

/// Reads the first document with yaml-cpp, which is the only place that knows it. Errors:
/// invalid_input for a syntax error, for more than `max_nodes` nodes, for nesting over `max_depth`.
Result<RawDocument> read_events(const SourceText& source, std::size_t max_nodes, int max_depth);

}  // namespace skep::yaml
