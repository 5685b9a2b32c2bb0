#include "yaml/events.hpp"

#include <istream>
#include <optional>
#include <streambuf>
#include <string_view>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "yaml/hints.hpp"

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

class Collector final : public YAML::EventHandler {
 public:
  Collector(const SourceText& source, std::size_t max_nodes, int max_depth, RawDocument& document)
      : source_(source), max_nodes_(max_nodes), max_depth_(max_depth), document_(document) {
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
    add(mark, 0, RawNode::Kind::alias).anchor = static_cast<std::uint32_t>(anchor);
  }
  void OnScalar(const YAML::Mark& mark,
                const std::string& tag,
                YAML::anchor_t anchor,
                const std::string& value) override {
    auto& node = add(mark, anchor, RawNode::Kind::plain);
    node.tag = short_tag(tag);
    node.text = value;
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
    const auto offset = static_cast<std::size_t>(mark.pos < 0 ? 0 : mark.pos);
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
    } else if (source_.text().compare(node.offset, 1, "-") == 0) {
      entry.column = source_.indent_of(node.offset);
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
  RawDocument& document_;
  std::vector<Open> open_;
};

}  // namespace

Result<RawDocument> read_events(const SourceText& source, std::size_t max_nodes, int max_depth) {
  RawDocument document;
  std::string copy = source.text();
  ViewBuffer buffer(copy);
  std::istream stream(&buffer);
  try {
    Collector collector(source, max_nodes, max_depth, document);
    YAML::Parser parser(stream);
    parser.HandleNextDocument(collector);
  } catch (const LimitReached& limit) {
    return source.error(limit.offset, limit.message);
  } catch (const YAML::Exception& problem) {
    const auto offset = static_cast<std::size_t>(problem.mark.pos < 0 ? 0 : problem.mark.pos);
    std::optional<std::size_t> last_value;
    if (!document.nodes.empty()) last_value = document.nodes.back().offset;
    return source.error(offset, problem.msg + hint_for(problem.msg, source, offset, last_value));
  }
  return document;
}

}  // namespace skep::yaml
