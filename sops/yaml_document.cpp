#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "sops/document.hpp"
#include "sops/yaml_scalar.hpp"
#include "yaml/documents.hpp"
#include "yaml/parse.hpp"
#include "yaml/source_text.hpp"

namespace skep::sops {
namespace {

/// "2020-01-02 03:04:05 +0000 UTC", as Go prints it, in RFC 3339.
std::string rfc3339(const std::string& printed) {
  std::string text = printed;
  const auto zone = text.find(' ', 11);
  if (zone == std::string::npos) return printed;
  auto offset = text.substr(zone + 1, 5);
  text.resize(zone);
  text[10] = 'T';
  if (offset == "+0000") return text + "Z";
  return text + offset.insert(3, ":");
}

/// Lines and columns back to bytes.
class Offsets {
 public:
  explicit Offsets(std::string_view text) : text_(text), lines_{0} {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') lines_.push_back(i + 1);
    }
  }
  [[nodiscard]] std::size_t of(const SourcePosition& at) const {
    if (at.line < 1 || std::size_t(at.line) > lines_.size()) return text_.size();
    auto offset = lines_[std::size_t(at.line) - 1];
    for (int column = 1; column < at.column && offset < text_.size(); ++column) {
      ++offset;
      while (offset < text_.size() && (static_cast<unsigned char>(text_[offset]) & 0xC0U) == 0x80U)
        ++offset;
    }
    return offset;
  }
  [[nodiscard]] int column(std::size_t offset) const {
    const auto line = std::upper_bound(lines_.begin(), lines_.end(), offset) - 1;
    return static_cast<int>(offset - *line);
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> lines_;
};

class YamlReader {
 public:
  explicit YamlReader(Document& document)
      : document_(document), text_(document.text), offsets_(document.text) {}

  Result<void> run(const yaml::Node& root) {
    const auto* map = root.as<yaml::Map>();
    if (map == nullptr) {
      if (root.is_null()) {
        find_comments();
        return {};
      }
      return Error{ErrorKind::invalid_input,
                   "a mapping is wanted at the top: SOPS keeps keys in the open and encrypts "
                   "their values",
                   root.at()};
    }
    mapping(root, *map, {}, false, true);
    if (error_) return *std::move(error_);
    find_comments();
    return {};
  }

  [[nodiscard]] const FlatMetadata& metadata() const { return metadata_; }
  [[nodiscard]] const std::optional<SourcePosition>& metadata_at() const { return metadata_at_; }

 private:
  /// A key or a list's dash, and where comments before it belong.
  struct Mark {
    std::size_t begin = 0;
    std::size_t end = 0;  ///< Behind a quoted key.
    Path path;
    std::size_t parent = kTop;  ///< The mark of the entry that this one stands in.
    int column = 0;             ///< Of the key or the dash.
    std::vector<std::string> comments;
  };
  static constexpr std::size_t kTop = static_cast<std::size_t>(-1);

  void fail(const SourcePosition& at, std::string message) {
    if (!error_) error_ = Error{ErrorKind::invalid_input, std::move(message), at};
  }

  /// The byte that a value begins with; nothing after an error.
  std::optional<std::size_t> begin_of(const yaml::Node& node) {
    const auto offset = offsets_.of(node.at());
    const auto begin = offset < last_ ? std::nullopt : behind_tag(text_, offset);
    if (!begin) {
      fail(node.at(),
           "anchors, aliases and merge keys cannot be kept in an encrypted file: write the "
           "values out");
      return std::nullopt;
    }
    last_ = offset;
    return begin;
  }

  void mapping(
      const yaml::Node& node, const yaml::Map& map, const Path& path, bool flow, bool top = false) {
    const auto begin = begin_of(node);
    if (!begin) return;
    flow = flow || text_[*begin] == '{';
    for (const auto& entry : map) {
      const auto key = offsets_.of(entry.key_at);
      if (key < last_) return fail(entry.key_at, "merge keys cannot be kept in an encrypted file");
      last_ = key;
      if (top && (flow || offsets_.column(key) != 0)) document_.closed = true;
      Mark mark{key, key, path, entry_, offsets_.column(key), {}};
      if (text_[key] == '"' || text_[key] == '\'') {
        if (const auto end = scalar_end(text_, key, 0, std::nullopt)) mark.end = end->end;
      }
      marks_.push_back(mark);
      if (top && entry.key == "sops") {
        if (flow) return fail(entry.key_at, "sops: must not stand between brackets");
        take_metadata(entry);
        continue;
      }
      auto inner = path;
      inner.push_back(entry.key);
      const auto outer = std::exchange(entry_, marks_.size() - 1);
      value(entry.value, inner, flow, offsets_.column(key));
      entry_ = outer;
      if (error_) return;
    }
  }

  void take_metadata(const yaml::Entry& entry) {
    metadata_at_ = entry.key_at;
    const auto* map = entry.value.as<yaml::Map>();
    if (map == nullptr) return fail(entry.key_at, "sops is not a mapping");
    flatten(entry.value, "");
    for (const auto& [key, key_at, value] : *map) {
      if (!is_stamp(key) || value.is_null()) continue;
      const auto place = scalar_place(value, offsets_.column(offsets_.of(key_at)));
      if (!place) return;
      document_.stamps[key] = {place->first, place->second.end};
    }
    const auto begin = offsets_.of(entry.key_at);
    auto end = text_.find('\n', begin);
    // Up to the next line that begins in the first column.
    while (end != std::string_view::npos && end + 1 < text_.size() &&
           (is_blank(text_[end + 1]) || text_[end + 1] == '#'))
      end = text_.find('\n', end + 1);
    document_.metadata_begin = begin;
    document_.metadata_end = end == std::string_view::npos ? text_.size() : end + 1;
    last_ = std::max(last_, begin);
  }

  void flatten(const yaml::Node& node, const std::string& name) {
    if (const auto* map = node.as<yaml::Map>()) {
      for (const auto& entry : *map)
        flatten(entry.value, name.empty() ? entry.key : name + "__map_" + entry.key);
    } else if (const auto* list = node.as<yaml::List>()) {
      for (std::size_t i = 0; i < list->size(); ++i)
        flatten((*list)[i], name + "__list_" + std::to_string(i));
    } else if (!node.is_null()) {
      auto value = scalar(node);
      if (value.type == Value::Type::boolean) value.text = value.text == "True" ? "true" : "false";
      metadata_.emplace_back(name, std::move(value.text));
    }
  }

  void value(const yaml::Node& node, const Path& path, bool flow, int parent_column) {
    if (node.is_null() || error_) return;
    if (const auto* map = node.as<yaml::Map>()) return mapping(node, *map, path, flow);
    if (const auto* list = node.as<yaml::List>()) {
      const auto begin = begin_of(node);
      if (!begin) return;
      const bool brackets = flow || text_[*begin] == '[';
      const auto dash = offsets_.column(*begin);
      for (const auto& item : *list) {
        if (item.is_null()) continue;
        const auto at = offsets_.of(item.at());
        marks_.push_back({at, at, path, entry_, brackets ? offsets_.column(at) : dash, {}});
        const auto outer = std::exchange(entry_, marks_.size() - 1);
        value(item, path, brackets, dash);
        entry_ = outer;
        if (error_) return;
      }
      return;
    }
    const auto place = scalar_place(node, parent_column);
    if (!place) return;
    const auto& end = place->second;
    Leaf leaf;
    leaf.path = path;
    leaf.value = scalar(node);
    leaf.begin = offsets_.of(node.at());
    leaf.end = end.end;
    leaf.in_brackets = flow;
    leaf.block = end.block;
    leaf.parent_column = parent_column;
    if (error_) return;
    document_.leaves.push_back(std::move(leaf));
    entry_of_leaf_.push_back(entry_);
    last_ = end.end > 0 ? end.end - 1 : 0;
  }

  /// Where a scalar begins, behind its tag, and ends; nothing after an error.
  std::optional<std::pair<std::size_t, ScalarEnd>> scalar_place(const yaml::Node& node,
                                                                int parent_column) {
    const auto begin = begin_of(node);
    if (!begin) return std::nullopt;
    const auto* string = node.as<std::string>();
    const auto end =
        scalar_end(text_,
                   *begin,
                   parent_column,
                   string == nullptr ? std::nullopt : std::optional<std::string_view>(*string));
    if (end) return std::pair(*begin, *end);
    fail(node.at(), "skep cannot tell where this value ends; put it into quotes");
    return std::nullopt;
  }

  Value scalar(const yaml::Node& node) {
    using Type = Value::Type;
    if (const auto* text = node.as<std::string>()) return {Type::text, *text};
    if (const auto* yes = node.as<bool>()) return {Type::boolean, *yes ? "True" : "False"};
    if (const auto* number = node.as<std::int64_t>())
      return {Type::integer, std::to_string(*number)};
    if (const auto* real = node.as<double>()) return {Type::real, plain_number(*real)};
    if (const auto* time = node.as<yaml::Timestamp>()) return {Type::time, rfc3339(time->printed)};
    fail(node.at(), "the number is too large for SOPS: put it into quotes");
    return {};
  }

  /// Everything between values is keys, punctuation and comments.
  void find_comments() {
    std::size_t next_mark = 0;
    std::size_t next_leaf = 0;
    const auto& leaves = document_.leaves;
    Path line_path;  // Of the key on the same line.
    for (std::size_t at = 0; at < text_.size(); ++at) {
      if (document_.metadata_end > document_.metadata_begin && at == document_.metadata_begin) {
        at = document_.metadata_end - 1;
        continue;
      }
      while (next_mark < marks_.size() && marks_[next_mark].begin < at) ++next_mark;
      if (next_mark < marks_.size() && marks_[next_mark].begin == at) {
        line_path = marks_[next_mark].path;
        if (marks_[next_mark].end > at) {
          at = marks_[next_mark].end - 1;
          continue;
        }
      }
      while (next_leaf < leaves.size() && leaves[next_leaf].begin < at) ++next_leaf;
      if (next_leaf < leaves.size() && leaves[next_leaf].begin == at &&
          leaves[next_leaf].end > at) {
        at = leaves[next_leaf].end - 1;
        continue;
      }
      if (text_[at] != '#' || (at > 0 && !is_blank(text_[at - 1]))) continue;
      auto end = std::min(text_.find('\n', at), text_.size());
      const auto next = end;
      if (end > at && text_[end - 1] == '\r') --end;
      const auto line = text_.rfind('\n', at);
      const auto start = line == std::string_view::npos ? 0 : line + 1;
      const bool alone = text_.find_first_not_of(" \t", start) == at;
      auto following = next_mark;
      while (following < marks_.size() && marks_[following].begin < at) ++following;
      Comment comment;
      if (!alone) {
        comment.path = line_path;
      } else if (following < marks_.size()) {
        comment.path = marks_[following].path;
      }
      comment.text = text_.substr(at + 1, end - at - 1);
      comment.begin = at + 1;
      comment.end = end;
      attach(comment,
             alone ? entry_below(following, start, at) : entry_before(next_leaf, start, at));
      document_.comments.push_back(std::move(comment));
      at = next;
    }
    for (std::size_t i = 0; i < entry_of_leaf_.size(); ++i)
      document_.leaves[i].comments = comments_of(entry_of_leaf_[i]);
  }

  /// Those of an entry and of all that it stands in.
  std::vector<std::string> comments_of(std::size_t entry) const {
    std::vector<std::string> all;
    for (; entry != kTop; entry = marks_[entry].parent)
      all.insert(all.end(), marks_[entry].comments.begin(), marks_[entry].comments.end());
    return all;
  }

  /// Of a comment on a line of its own: the entry that begins below it in the same column, without
  /// an empty line between. What stands before everything belongs to the first entry.
  std::size_t entry_below(std::size_t following, std::size_t line, std::size_t at) const {
    if (following >= marks_.size()) return kTop;
    const auto& mark = marks_[following];
    if (static_cast<std::size_t>(mark.column) != at - line) return kTop;
    if (following == 0) return following;
    bool blank = false;
    for (auto i = at; i < mark.begin; ++i) {
      if (text_[i] == '\n') {
        if (blank) return kTop;
        blank = true;
      } else if (!is_blank(text_[i])) {
        blank = false;
      }
    }
    return following;
  }

  /// Of a comment behind something: the entry of the value that stands before it on the line.
  std::size_t entry_before(std::size_t next_leaf, std::size_t line, std::size_t at) const {
    const auto& leaves = document_.leaves;
    while (next_leaf < leaves.size() && leaves[next_leaf].begin < at) ++next_leaf;
    if (next_leaf == 0) return kTop;
    const auto& leaf = leaves[next_leaf - 1];
    if (leaf.in_brackets || leaf.block || leaf.begin < line) return kTop;
    const auto entry = entry_of_leaf_[next_leaf - 1];
    const bool own =
        entry != kTop && marks_[entry].begin >= line &&
        text_.substr(leaf.end, at - leaf.end).find_first_not_of(" \t") == std::string_view::npos;
    return own ? entry : kTop;
  }

  void attach(Comment& comment, std::size_t entry) {
    comment.loose = entry == kTop;
    if (comment.loose) return;
    comment.comments = comments_of(entry);
    marks_[entry].comments.push_back(comment.text);
  }

  Document& document_;
  std::string_view text_;
  Offsets offsets_;
  std::size_t last_ = 0;  ///< Where the reader stands: an alias's value lies before it.
  std::optional<Error> error_;
  std::vector<Mark> marks_;
  std::size_t entry_ = kTop;                ///< The mark of the entry that is being read.
  std::vector<std::size_t> entry_of_leaf_;  ///< Beside the document's leaves.
  FlatMetadata metadata_;
  std::optional<SourcePosition> metadata_at_;
};

}  // namespace

Result<Document> read_yaml(std::string_view text, const std::string& file) {
  auto source = yaml::SourceText::from(text, file);
  if (!source) return std::move(source).error();
  Document document;
  document.format = Format::yaml;
  document.file = file;
  document.text = source->text();
  if (const auto second = yaml::second_document(document.text)) {
    return Error{ErrorKind::invalid_input,
                 "several YAML documents in one encrypted file are not supported: use one file "
                 "each",
                 document.position(*second)};
  }
  auto root = yaml::parse(document.text, file);
  if (!root) return std::move(root).error();
  YamlReader reader(document);
  if (auto read = reader.run(*root); !read) return std::move(read).error();
  if (reader.metadata_at()) {
    auto parsed = parse_metadata(reader.metadata());
    if (!parsed) return Error{parsed.error().kind, parsed.error().message, reader.metadata_at()};
    document.metadata = *std::move(parsed);
  }
  return document;
}

}  // namespace skep::sops
