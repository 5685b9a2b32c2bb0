#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "sops/metadata.hpp"
#include "sops/value.hpp"

namespace skep::sops {

enum class Format { yaml, json, dotenv, binary, ini };

/// One value where it stands in a text.
struct Leaf {
  Path path;
  Value value;               ///< As written: an encrypted one is a text.
  std::size_t begin = 0;     ///< First byte of what is replaced when the value changes.
  std::size_t end = 0;       ///< One past the last.
  bool in_brackets = false;  ///< YAML: between [ ] or { }.
  bool block = false;        ///< YAML: written as | or >, its last line end left out.
  int parent_column = 0;     ///< YAML: from 0, of the key or dash that it belongs to.
  /// Comments before it and before each entry that it stands in, for rules about comments.
  std::vector<std::string> comments;
};

/// A comment; it has a value's protection, but no part in the MAC.
struct Comment {
  Path path;  ///< Of the mapping that it stands in.
  std::string text;
  std::size_t begin = 0;  ///< Behind the '#'.
  std::size_t end = 0;
  std::vector<std::string> comments;  ///< Before it, as of a Leaf.
  bool loose = false;                 ///< It cannot be told what SOPS takes it to belong to.
};

/// A file's text and what is in it, in the order of the text. Values are changed by cutting and
/// pasting, so that everything else stays as a person wrote it.
struct Document {
  Format format = Format::yaml;
  std::string file;  ///< For positions.
  std::string text;
  std::vector<Leaf> leaves;
  std::vector<Comment> comments;
  std::optional<Metadata> metadata;
  std::size_t metadata_begin = 0;  ///< What goes when the file is decrypted.
  std::size_t metadata_end = 0;
  std::vector<std::pair<std::size_t, std::size_t>> more_metadata;  ///< Further lines (dotenv, INI).
  /// By is_stamp() name, where its value stands.
  std::map<std::string, std::pair<std::size_t, std::size_t>> stamps;
  /// YAML: the top's keys do not begin in the first column, so no further key can be written.
  bool closed = false;

  [[nodiscard]] SourcePosition position(std::size_t offset) const;
  /// Where the metadata begins: of its own text, and for errors about it.
  [[nodiscard]] std::size_t metadata_offset() const;
};

/// What of the metadata an edit exchanges.
[[nodiscard]] constexpr bool is_stamp(std::string_view name) {
  return name == "mac" || name == "lastmodified";
}

/// Errors: invalid_input, positioned: what cannot be read, what cannot be kept when values are
/// exchanged (several documents, aliases), metadata that cannot be used. Never quotes values.
Result<Document> read_document(std::string_view text, const std::string& file, Format format);

// One a format; read_document() chooses.
Result<Document> read_yaml(std::string_view text, const std::string& file);
Result<Document> read_json(std::string_view text, const std::string& file, Format format);
Result<Document> read_dotenv(std::string_view text, const std::string& file);
Result<Document> read_ini(std::string_view text, const std::string& file);

/// A place of the document and what stands there instead.
struct Replacement {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string text;
};
/// `changes` do not overlap, and come in any order.
[[nodiscard]] std::string with_changes(const Document& document, std::vector<Replacement> changes);

/// How a value is written where this leaf stands; `sealed` for the text of an encrypted one.
[[nodiscard]] std::string written(const Document& document, const Leaf& leaf, const Value& value);
[[nodiscard]] std::string written_sealed(const Document& document,
                                         const Leaf& leaf,
                                         const std::string& sealed);
/// The document's text with these changes and its metadata taken out.
[[nodiscard]] std::string without_metadata(const Document& document,
                                           std::vector<Replacement> changes);
/// The same with this text of metadata instead.
[[nodiscard]] std::string with_metadata(const Document& document,
                                        std::vector<Replacement> changes,
                                        const std::string& metadata);
/// Metadata as it is written into this document.
[[nodiscard]] std::string written_metadata(const Document& document, const Metadata& metadata);
/// The metadata that stands in an encrypted document, with other stamps. All else keeps its bytes:
/// the keys of other readers, and what a later sops may add.
[[nodiscard]] std::string restamped_metadata(const Document& encrypted, const Metadata& stamps);

}  // namespace skep::sops
