#include "yaml/events.hpp"

#include <algorithm>
#include <istream>
#include <optional>
#include <set>
#include <streambuf>
#include <string_view>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "yaml/hints.hpp"
#include "yaml/insertions.hpp"

namespace skep::yaml {
namespace {

/// Leaves yaml-cpp's recursion; never gets out of this file.
struct LimitReached {
  std::size_t offset;
  std::string message;
};

class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::string& text) {
    setg(text.data(), text.data(), text.data() + text.size());
  }
};

std::string short_tag(const std::string& tag) {
  constexpr std::string_view kStandard = "tag:yaml.org,2002:";
  if (tag == "?" || tag == "!") return "";
  if (std::string_view(tag).starts_with(kStandard)) return "!!" + tag.substr(kStandard.size());
  return tag;
}

constexpr std::string_view kSpace = " \t\r\n";

/// Where the text begins that stands on the line of its tags and anchors, behind them, where these
/// begin an entry. yaml-cpp takes them for those of a mapping's first key, and so wants the lines
/// of the text indented more than they are; with own_line() before the text it does not.
std::optional<std::size_t> text_behind_properties(const SourceText& source, std::size_t at) {
  const std::string_view text = source.text();
  auto first = at;  // Of those on the line of the text.
  while (at < text.size() && (text[at] == '&' || text[at] == '!')) {
    const auto end = std::min(text.find_first_of(kSpace, at), text.size());
    at = std::min(text.find_first_not_of(kSpace, end), text.size());
    if (text.substr(end, at - end).find('\n') != std::string_view::npos) first = at;
  }
  const auto indent = static_cast<std::size_t>(source.indent_of(first));
  const auto before = text.substr(first - indent, indent);
  const bool entry = before.find_first_not_of(" -?:") == std::string_view::npos;
  return first < at && at < text.size() && entry ? std::optional(at) : std::nullopt;
}

std::string own_line(const SourceText& source, std::size_t at) {
  return '\n' + std::string(static_cast<std::size_t>(source.indent_of(at)), ' ');
}

bool is_block_text(const SourceText& source, std::size_t at) {
  return source.text()[at] == '|' || source.text()[at] == '>';
}

/// yaml-cpp takes the colon behind an alias for a part of its name, where it ends a name for Go.
std::optional<std::size_t> colon_of_alias(std::string_view text, std::size_t alias) {
  if (alias >= text.size() || text[alias] != '*') return std::nullopt;
  const auto end = text.find_first_of(": \t\r\n,[]{}", alias);
  const bool colon = end != std::string_view::npos && text[end] == ':' &&
                     (end + 1 == text.size() || kSpace.find(text[end + 1]) != kSpace.npos);
  return colon ? std::optional(end) : std::nullopt;
}

/// What is inserted for yaml-cpp to read a text as Go does. Where one is needed is a guess as long
/// as the text is not understood: it may stand inside of another text.
struct Guesses {
  Insertions inserted;
  Insertions wanted;            ///< By the reading of a text with `inserted`.
  Insertions met;               ///< Those of `inserted` that turned out to be needed.
  std::set<std::size_t> wrong;  ///< Places where there must be none.

  [[nodiscard]] bool may_insert(std::size_t offset) const {
    return !inserted.has(offset) && wrong.count(offset) == 0;
  }
};

class Collector final : public YAML::EventHandler {
 public:
  Collector(const SourceText& source,
            std::size_t max_nodes,
            int max_depth,
            Guesses& guesses,
            RawDocument& document)
      : source_(source),
        max_nodes_(max_nodes),
        max_depth_(max_depth),
        guesses_(guesses),
        document_(document) {
    document_.anchors.emplace_back();
    document_.anchored.push_back(RawNode::kNone);
  }

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}

  void OnAnchor(const YAML::Mark& /*mark*/, const std::string& name) override {
    document_.anchors.push_back(name);
    document_.anchored.push_back(RawNode::kNone);
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(mark, anchor, RawNode::Kind::null);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto& node = add(mark, 0, RawNode::Kind::alias);
    node.anchor = static_cast<std::uint32_t>(anchor);
    const auto colon = colon_of_alias(source_.text(), node.offset);
    if (colon && guesses_.inserted.has(*colon)) guesses_.met.add(*colon, " ");
  }
  void OnScalar(const YAML::Mark& mark,
                const std::string& tag,
                YAML::anchor_t anchor,
                const std::string& value) override {
    auto& node = add(mark, anchor, RawNode::Kind::plain);
    node.tag = short_tag(tag);
    node.text = value;
    const char first = node.offset < source_.text().size() ? source_.text()[node.offset] : ' ';
    if ((first == '&' || first == '!') && !open_.empty() && !open_.back().flow)
      part_from_text(node);
  }
  void OnSequenceStart(const YAML::Mark& mark,
                       const std::string& tag,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    open(mark, tag, anchor, style, RawNode::Kind::list);
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark,
                  const std::string& tag,
                  YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(mark, tag, anchor, style, RawNode::Kind::map);
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  struct Open {
    std::uint32_t node = 0;
    std::uint32_t last_child = RawNode::kNone;
    bool flow = false;
    std::size_t children = 0;  ///< Of a mapping without brackets.
    int column = -1;           ///< Of the innermost block collection.
  };

  RawNode& add(const YAML::Mark& mark, YAML::anchor_t anchor, RawNode::Kind kind) {
    const auto offset = guesses_.inserted.original(static_cast<std::size_t>(std::max(mark.pos, 0)));
    auto& nodes = document_.nodes;
    if (nodes.size() >= max_nodes_) {
      throw LimitReached{offset, "more than " + std::to_string(max_nodes_) + " values in one file"};
    }
    const auto id = static_cast<std::uint32_t>(nodes.size());
    if (anchor != 0) document_.anchored.at(anchor) = id;
    nodes.emplace_back();
    auto& node = nodes.back();
    node.kind = kind;
    node.offset = offset;
    if (!open_.empty()) {
      auto& parent = open_.back();
      if (parent.last_child == RawNode::kNone) {
        nodes[parent.node].first_child = id;
        // A tag or an anchor moves the mark of a mapping, never that of its first key.
        if (!parent.flow && nodes[parent.node].kind == RawNode::Kind::map) {
          parent.column = source_.indent_of(question_mark_before(offset).value_or(offset));
        }
      } else {
        nodes[parent.last_child].next = id;
      }
      parent.last_child = id;
      node.block_key = !parent.flow && nodes[parent.node].kind == RawNode::Kind::map &&
                       parent.children++ % 2 == 0;
      node.parent_column = parent.column;
    }
    return node;
  }

  void part_from_text(const RawNode& node) {
    const auto text = text_behind_properties(source_, node.offset);
    if (!text) return;
    if (guesses_.inserted.has(*text)) return guesses_.met.add(*text, own_line(source_, *text));
    if (is_block_text(source_, *text) || (!node.block_key && goes_on(*text, node.parent_column))) {
      guesses_.wanted.add(*text, own_line(source_, *text));
    }
  }

  /// Whether a text without quotes that begins at an offset may have more than one line.
  [[nodiscard]] bool goes_on(std::size_t at, int parent) const {
    const std::string_view text = source_.text();
    if (std::string_view("\"'[{#").find(text[at]) != std::string_view::npos) return false;
    const auto next = text.find_first_not_of(kSpace, std::min(text.find('\n', at), text.size()));
    return next != std::string_view::npos && text[next] != '#' && source_.indent_of(next) > parent;
  }

  /// Where a mapping's first key stands behind "? ", on its line or the one before, the mapping
  /// begins there.
  [[nodiscard]] std::optional<std::size_t> question_mark_before(std::size_t key) const {
    const auto& text = source_.text();
    auto at = key;
    // Between the two there are blanks, line ends, a tag or an anchor.
    while (at > 0) {
      auto end = text.find_last_not_of(" \t\r\n", at - 1);
      if (end == std::string::npos) return std::nullopt;
      auto start = text.find_last_of(" \t\r\n", end);
      start = start == std::string::npos ? 0 : start + 1;
      if (end == start && text[start] == '?') return start;
      if (text[start] != '!' && text[start] != '&') return std::nullopt;
      at = start;
    }
    return std::nullopt;
  }

  /// Of a list that begins at an offset, behind its tag, anchor and comments.
  [[nodiscard]] std::optional<std::size_t> first_dash(std::size_t at) const {
    const std::string_view text = source_.text();
    while (at < text.size() && text[at] != '-') {
      const bool property = text[at] == '&' || text[at] == '!';
      if (!property && text[at] != '#') return std::nullopt;
      const auto end = property ? text.find_first_of(kSpace, at) : text.find('\n', at);
      at = std::min(text.find_first_not_of(kSpace, std::min(end, text.size())), text.size());
    }
    return at < text.size() ? std::optional(at) : std::nullopt;
  }

  void open(const YAML::Mark& mark,
            const std::string& tag,
            YAML::anchor_t anchor,
            YAML::EmitterStyle::value style,
            RawNode::Kind kind) {
    auto& node = add(mark, anchor, kind);
    node.flow = style == YAML::EmitterStyle::Flow;
    node.tag = short_tag(tag);
    Open entry;
    entry.node = static_cast<std::uint32_t>(document_.nodes.size() - 1);
    entry.flow = node.flow;
    if (node.flow) {
      entry.column = open_.empty() ? -1 : open_.back().column;
    } else if (const auto dash = first_dash(node.offset)) {
      entry.column = source_.indent_of(*dash);
    }
    open_.push_back(entry);
    if (static_cast<int>(open_.size()) > max_depth_) {
      throw LimitReached{node.offset,
                         "nested more than " + std::to_string(max_depth_) + " levels deep"};
    }
  }

  const SourceText& source_;
  std::size_t max_nodes_;
  int max_depth_;
  Guesses& guesses_;
  RawDocument& document_;
  std::vector<Open> open_;
};

/// For a mistake that yaml-cpp sees behind what it misread as no block text or as no key, on the
/// nearest such line behind `from`, the last value that was understood.
void want_for_mistake(const SourceText& source,
                      std::size_t from,
                      std::size_t mistake,
                      Guesses& guesses) {
  const std::string_view text = source.text();
  auto alias = colon_of_alias(text, mistake);
  for (auto line = std::min(mistake, text.size()); line > from; --line) {
    const auto end_above = text.rfind('\n', line - 1);
    line = end_above == std::string_view::npos ? 0 : end_above + 1;
    const auto entry = std::min(text.find_first_not_of(" -?:", line), text.size());
    const auto block = text_behind_properties(source, entry);
    // What looks like an alias below it is its text.
    if (block && is_block_text(source, *block) && guesses.may_insert(*block)) {
      return guesses.wanted.add(*block, own_line(source, *block));
    }
    if (!alias || !guesses.may_insert(*alias)) alias = colon_of_alias(text, entry);
    if (line == 0) break;
  }
  if (alias && guesses.may_insert(*alias)) guesses.wanted.add(*alias, " ");
}

Result<RawDocument> read_once(const SourceText& source,
                              std::size_t max_nodes,
                              int max_depth,
                              Guesses& guesses) {
  RawDocument document;
  std::string copy = guesses.inserted.applied_to(source.text());
  ViewBuffer buffer(copy);
  std::istream stream(&buffer);
  try {
    Collector collector(source, max_nodes, max_depth, guesses, document);
    YAML::Parser parser(stream);
    parser.HandleNextDocument(collector);
  } catch (const LimitReached& limit) {
    return source.error(limit.offset, limit.message);
  } catch (const YAML::Exception& problem) {
    const auto offset =
        guesses.inserted.original(static_cast<std::size_t>(std::max(problem.mark.pos, 0)));
    std::optional<std::size_t> last_value;
    if (!document.nodes.empty()) last_value = document.nodes.back().offset;
    if (guesses.wanted.empty()) {
      want_for_mistake(source, last_value.value_or(0), offset, guesses);
    }
    return source.error(offset, problem.msg + hint_for(problem.msg, source, offset, last_value));
  }
  return document;
}

/// Each guess may cost a reading of the text.
constexpr std::size_t kMostReadings = 100;
constexpr std::size_t kMostBytesRead = 32U << 20U;

}  // namespace

Result<RawDocument> read_events(const SourceText& source, std::size_t max_nodes, int max_depth) {
  Guesses guesses;
  for (std::size_t readings = 1;; ++readings) {
    guesses.wanted = {};
    guesses.met = {};
    auto document = read_once(source, max_nodes, max_depth, guesses);
    const auto wrong = guesses.inserted.without(guesses.met);
    if (guesses.wanted.empty() && (!document || wrong.empty())) return document;
    if (readings >= kMostReadings || readings * source.text().size() >= kMostBytesRead) {
      return source.error(guesses.wanted.empty() ? wrong.front() : guesses.wanted.first(),
                          "too many tags, anchors and aliases like this one in a file: give it a "
                          "line of its own, or write the alias with a blank before its colon");
    }
    if (guesses.wanted.empty()) {
      guesses.wrong.insert(wrong.begin(), wrong.end());
      guesses.inserted = guesses.met;
    } else {
      guesses.inserted.add(guesses.wanted);
    }
  }
}

}  // namespace skep::yaml
