#include "yaml/parse.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "yaml/events.hpp"
#include "yaml/guard.hpp"
#include "yaml/hints.hpp"
#include "yaml/scalar.hpp"
#include "yaml/source_text.hpp"

namespace skep::yaml {
namespace {

constexpr std::string_view kMergeNeedsMap =
    "map merge requires map or sequence of maps as the value";

/// How Go's %#v shows a string.
std::string go_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out + "\"";
}

/// Above this share of decoding steps spent in aliases Go calls a document a bomb; the share is for
/// documents of up to 400,000 steps, and ours are no longer.
constexpr double kAliasShare = 0.99;
constexpr std::size_t kMostExcuses = 100;

class Decoder {
 public:
  Decoder(const SourceText& source,
          const RawDocument& document,
          const Limits& limits,
          Findings* excused)
      : source_(source),
        document_(document),
        limits_(limits),
        excused_(excused),
        open_(document.anchors.size()) {}

  Result<Node> run() {
    Node root = document_.nodes.empty() ? Node(Null{}, {source_.file(), 1, 1})
                                        : decode(document_.nodes.front(), 1, nullptr);
    if (error_) return *std::move(error_);
    return root;
  }

 private:
  using Kind = RawNode::Kind;

  [[nodiscard]] const RawNode* child(std::uint32_t id) const {
    return id == RawNode::kNone ? nullptr : &document_.nodes[id];
  }
  [[nodiscard]] const RawNode& target(const RawNode& alias) const {
    return document_.nodes.at(document_.anchored.at(alias.anchor));
  }

  void fail(std::size_t offset, std::string message) {
    if (!error_) error_ = source_.error(offset, std::move(message));
  }

  /// Where findings are collected, what else is wrong with the text is told with this one.
  void refuse(std::size_t offset, std::string message) {
    if (excused_ == nullptr || excused_->size() >= kMostExcuses) {
      return fail(offset, std::move(message));
    }
    excused_->push_back({Finding::Severity::error, std::move(message), source_.position(offset)});
  }

  /// Counts as Go does, so that what it calls a bomb is one here.
  bool spend(std::size_t offset, int depth) {
    ++steps_;
    if (alias_depth_ > 0) ++alias_steps_;
    if (alias_steps_ > 100 && steps_ > 1000 &&
        static_cast<double>(alias_steps_) / static_cast<double>(steps_) > kAliasShare) {
      fail(offset, "document contains excessive aliasing");
    } else if (steps_ > limits_.nodes) {
      fail(offset,
           "more than " + std::to_string(limits_.nodes) + " values after aliases are expanded");
    } else if (depth > limits_.depth) {
      fail(offset, "nested more than " + std::to_string(limits_.depth) + " levels deep");
    }
    return !error_;
  }

  /// `key` stands before a mapping's value: an empty value has no place of its own.
  Node decode(const RawNode& raw, int depth, const RawNode* key) {
    if (!spend(raw.offset, depth)) return {};
    if (excused_ != nullptr && !raw.tag.empty()) warn_of_tag(raw);
    switch (raw.kind) {
      case Kind::null: {
        const bool written =
            raw.offset < source_.text().size() &&
            std::string_view("~nN").find(source_.text()[raw.offset]) != std::string_view::npos;
        const auto offset = key != nullptr && !written ? key->offset : raw.offset;
        return {Null{}, source_.position(offset)};
      }
      case Kind::plain:
      case Kind::quoted:
        return scalar(raw);
      case Kind::alias:
        return alias(raw, depth);
      case Kind::list:
        return list(raw, depth);
      case Kind::map:
        return map(raw, depth);
    }
    return {};
  }

  /// docker compose has two tags of its own; nobody else knows them.
  void warn_of_tag(const RawNode& raw) {
    if (raw.tag != "!reset" && raw.tag != "!override") return;
    if (excused_->size() >= kMostExcuses) return;
    const bool scalar = raw.kind != Kind::list && raw.kind != Kind::map;
    excused_->push_back(
        {Finding::Severity::warning,
         "the tag " + raw.tag + " means nothing to docker stack deploy: " +
             (scalar ? "the value is taken as text"
                     : "this is merged with what earlier files say, as without the tag"),
         source_.position(raw.offset)});
  }

  Node scalar(const RawNode& raw) {
    auto at = source_.position(raw.offset);
    if (raw.tag == "!!str") return {raw.text, std::move(at)};
    if (raw.tag.empty()) {
      if (raw.kind == Kind::quoted) return {raw.text, std::move(at)};
      return {resolve_plain(raw.text), std::move(at)};
    }
    std::string reason;
    auto value = resolve_tagged(raw.tag, raw.text, reason);
    if (!value) {
      fail(raw.offset, std::move(reason));
      return {};
    }
    return {*std::move(value), std::move(at)};
  }

  Node alias(const RawNode& raw, int depth) {
    if (open_[raw.anchor]) {
      fail(raw.offset, "anchor '" + document_.anchors[raw.anchor] + "' value contains itself");
      return {};
    }
    open_[raw.anchor] = true;
    ++alias_depth_;
    auto value = decode(target(raw), depth, nullptr);
    --alias_depth_;
    open_[raw.anchor] = false;
    return value;
  }

  Node list(const RawNode& raw, int depth) {
    List items;
    for (const auto* item = child(raw.first_child); item != nullptr && !error_;
         item = child(item->next)) {
      items.push_back(decode(*item, depth + 1, nullptr));
      // Whoever finds it wrong means that it was put here, not what is written at its anchor.
      if (item->kind == Kind::alias && items.back().as<List>() != nullptr) {
        items.back() = {std::move(items.back().value()), source_.position(item->offset)};
      }
    }
    return {std::move(items), source_.position(raw.offset)};
  }

  /// A merge key is `<<` without quotes, tagged as one or not at all.
  static bool is_merge(const RawNode& key) {
    return key.text == "<<" &&
           ((key.kind == Kind::plain && key.tag.empty()) || key.tag == "!!merge");
  }

  /// Compared as written, as Go does it: `1` and "1" are the same key. An alias counts as what it
  /// stands for, where Go lets the later key win without a word.
  void refuse_duplicates(const RawNode& raw) {
    std::unordered_map<std::string_view, const RawNode*> seen;
    for (const auto* key = child(raw.first_child); key != nullptr;) {
      const auto& scalar = key->kind == Kind::alias ? target(*key) : *key;
      if (scalar.kind == Kind::plain || scalar.kind == Kind::quoted) {
        const auto [first, fresh] = seen.emplace(scalar.text, key);
        if (!fresh && !excuse(*key, *first->second)) duplicate(*key, scalar.text, *first->second);
      }
      key = child(child(key->next)->next);
    }
  }
  /// Whether a key that is there already does no harm, where that is asked for.
  bool excuse(const RawNode& key, const RawNode& first) {
    if (excused_ == nullptr) return false;
    const bool merges = is_merge(key) && is_merge(first);
    if (!merges && !same(*child(key.next), *child(first.next), 0)) return false;
    if (excused_->size() < kMostExcuses) {
      excused_->push_back(
          {Finding::Severity::warning,
           merges ? "a second << is merged after the first; docker stack deploy refuses it: write "
                    "one, <<: [*a, *b]"
                  : "the key is there already, with the same value; docker stack deploy refuses it",
           source_.position(key.offset)});
    }
    return true;
  }

  [[nodiscard]] bool same(const RawNode& a, const RawNode& b, int depth) const {
    if (depth > limits_.depth || a.kind != b.kind || a.tag != b.tag) return false;
    if (a.kind == Kind::alias)
      return document_.anchored.at(a.anchor) == document_.anchored.at(b.anchor);
    if (a.text != b.text) return false;
    const auto* left = child(a.first_child);
    const auto* right = child(b.first_child);
    while (left != nullptr && right != nullptr && same(*left, *right, depth + 1)) {
      left = child(left->next);
      right = child(right->next);
    }
    return left == nullptr && right == nullptr;
  }

  void duplicate(const RawNode& key, std::string_view text, const RawNode& first) {
    const auto line = std::to_string(source_.position(first.offset).line);
    refuse(key.offset, "mapping key " + go_quoted(text) + " already defined at line " + line);
  }

  Node map(const RawNode& raw, int depth) {
    Map entries;
    std::unordered_map<std::string, bool> taken;
    read_map(raw, depth, false, entries, taken);
    return {std::move(entries), source_.position(raw.offset)};
  }

  /// Appends the entries that are not `taken` yet: own ones first, then those of the merge keys.
  void read_map(const RawNode& raw,
                int depth,
                bool merged,
                Map& entries,
                std::unordered_map<std::string, bool>& taken) {
    refuse_duplicates(raw);
    std::vector<const RawNode*> merges;
    bool has_merge = excused_ != nullptr;  // Then a key may be there twice, too.
    for (const auto* key = child(raw.first_child); key != nullptr;
         key = child(child(key->next)->next)) {
      has_merge = has_merge || is_merge(*key);
    }
    for (const auto* key = child(raw.first_child); key != nullptr && !error_;) {
      const auto* value = child(key->next);
      if (is_merge(*key)) {
        merges.push_back(value);
      } else if (auto name = key_text(*key, depth, merged)) {
        const bool tracked = merged || has_merge;
        if (!tracked || taken.emplace(*name, true).second) {
          Node content = decode(*value, depth + 1, key);
          entries.push_back(
              Entry{*std::move(name), source_.position(key->offset), std::move(content)});
        }
      }
      key = child(value->next);
    }
    for (const auto* merge : merges) {
      if (!error_) read_merge(*merge, depth, entries, taken);
    }
  }

  void read_merge(const RawNode& merge,
                  int depth,
                  Map& entries,
                  std::unordered_map<std::string, bool>& taken) {
    if (merge.kind != Kind::list) {
      return read_merged_map(merge, depth, entries, taken);
    }
    for (const auto* item = child(merge.first_child); item != nullptr && !error_;
         item = child(item->next)) {
      read_merged_map(*item, depth, entries, taken);
    }
  }

  void read_merged_map(const RawNode& item,
                       int depth,
                       Map& entries,
                       std::unordered_map<std::string, bool>& taken) {
    if (!spend(item.offset, depth)) return;
    if (item.kind == Kind::map) return read_map(item, depth + 1, true, entries, taken);
    if (item.kind != Kind::alias || target(item).kind != Kind::map) {
      return fail(item.offset, std::string(kMergeNeedsMap));
    }
    if (open_[item.anchor]) {
      return fail(item.offset,
                  "anchor '" + document_.anchors[item.anchor] + "' value contains itself");
    }
    open_[item.anchor] = true;
    ++alias_depth_;
    read_map(target(item), depth + 1, true, entries, taken);
    --alias_depth_;
    open_[item.anchor] = false;
  }

  std::optional<std::string> key_text(const RawNode& raw, int depth, bool merged) {
    if (!spend(raw.offset, depth)) return std::nullopt;
    const auto& key = raw.kind == Kind::alias ? target(raw) : raw;
    if (key.kind == Kind::list || key.kind == Kind::map) {
      fail(raw.offset,
           "invalid map key: a list or a mapping cannot be a key; a text that begins with { or [ "
           "needs quotes");
      return std::nullopt;
    }
    const bool scalar = key.kind != Kind::null;
    const bool text = scalar && (key.tag == "!!str" || key.tag == "!!merge" ||
                                 (key.tag.empty() && (key.kind == Kind::quoted || is_text(key))));
    // A merged mapping's keys are read as text into a mapping whose own keys are all text.
    if (text || (merged && scalar && key.tag.empty() && !key.text.empty())) return key.text;
    auto message = scalar ? "key " + key.text + " is not a string: put it in quotes"
                          : "an empty key is not a string: put it in quotes";
    refuse(raw.offset, std::move(message));
    return key.text;
  }
  static bool is_text(const RawNode& key) {
    return std::holds_alternative<std::string>(resolve_plain(key.text));
  }

  const SourceText& source_;
  const RawDocument& document_;
  const Limits& limits_;
  Findings* excused_;
  std::vector<bool> open_;  ///< Anchors that are being expanded, by number.
  int alias_depth_ = 0;
  std::size_t steps_ = 0;
  std::size_t alias_steps_ = 0;
  std::optional<Error> error_;
};

}  // namespace

Result<Node> parse(std::string_view text,
                   std::string file,
                   const Limits& limits,
                   Findings* excused) {
  if (text.size() > limits.bytes) {
    return Error{ErrorKind::invalid_input,
                 "larger than " + std::to_string(limits.bytes) + " bytes",
                 SourcePosition{std::move(file), 0, 0}};
  }
  const auto source = SourceText::from(text, std::move(file));
  if (!source) return source.error();
  auto document = read_events(*source, limits.nodes, limits.depth);
  if (!document) return explained(std::move(document).error(), *source);
  if (auto checked = check_source(*source, *document); !checked) {
    return explained(std::move(checked).error(), *source);
  }
  auto root = Decoder(*source, *document, limits, excused).run();
  if (!root) return explained(std::move(root).error(), *source);
  return root;
}

}  // namespace skep::yaml
