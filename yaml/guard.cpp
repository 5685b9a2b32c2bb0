#include "yaml/guard.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "yaml/hints.hpp"
#include "yaml/quoted.hpp"

namespace skep::yaml {
namespace {

constexpr std::string_view kTab =
    "found a tab where a value, a key or its indentation begins: indent with spaces";

bool is_break(char c) { return c == '\n' || c == '\r'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_space(char c) { return is_blank(c) || is_break(c); }
bool is_anchor_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c == '-';
}

bool is_tag_char(char c) {
  return is_anchor_char(c) ||
         std::string_view(";/?:@&=+$,.!~*'()[]%").find(c) != std::string_view::npos;
}

/// To Go's scanner these end a line, to yaml-cpp they are letters.
bool has_foreign_break(std::string_view text) {
  return text.find("\xC2\x85") != std::string_view::npos ||
         text.find("\xE2\x80\xA8") != std::string_view::npos ||
         text.find("\xE2\x80\xA9") != std::string_view::npos;
}

class Guard {
 public:
  Guard(const SourceText& source, RawDocument& document) : source_(source), text_(source.text()) {
    for (auto& node : document.nodes) {
      if (node.kind == RawNode::Kind::plain) scalars_.push_back(&node);
    }
  }

  Result<void> run() {
    prologue();
    while (!error_ && at_ < text_.size() && !at_document_marker()) step();
    if (error_) return *error_;
    skip_absent_scalars(text_.size());
    return {};
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\n';
  }
  [[nodiscard]] bool at_line_start() const { return at_ == 0 || is_break(text_[at_ - 1]); }
  [[nodiscard]] bool marker_at(std::string_view marker) const {
    return at_line_start() && text_.substr(at_, 3) == marker && is_space(peek(3));
  }
  bool at_document_marker() {
    if (!marker_at("---") && !marker_at("...")) return false;
    if (flow_ > 0) fail(at_, "found a document marker inside brackets");
    return true;
  }
  void fail(std::size_t offset, std::string message) {
    if (!error_) error_ = source_.error(offset, std::move(message));
    at_ = text_.size();
  }
  void skip_line() {
    while (at_ < text_.size() && text_[at_] != '\n') ++at_;
  }

  /// Between a comment that has its line for itself and the next one, tabs are no indentation.
  void skip_to_next_comment(std::size_t comment) {
    const auto indent = static_cast<std::size_t>(source_.indent_of(comment));
    const auto before = text_.substr(comment - indent, indent);
    if (before.find_first_not_of(" \t-") != std::string_view::npos) return;
    const auto next = text_.find_first_not_of(" \t\r\n", at_);
    if (next == std::string_view::npos || text_[next] != '#') return;
    if (flow_ == 0) key_allowed_ = true;
    at_ = next;
  }

  /// Directives and the marker of the first document.
  void prologue() {
    bool version = false;
    bool any = false;
    while (at_ < text_.size()) {
      auto line = text_.substr(at_, std::min(text_.find('\n', at_), text_.size()) - at_);
      const auto start = line.find_first_not_of(" \r");
      if (line.starts_with('%')) {
        any = true;
        const auto words = split(line.substr(1));
        if (words.empty() || (words[0] != "YAML" && words[0] != "TAG")) {
          return fail(at_, "found an unknown directive");
        }
        if (words[0] == "YAML") {
          if (version) return fail(at_, "found duplicate %YAML directive");
          if (words.size() < 2 || words[1] != "1.1") {
            return fail(at_, "found incompatible YAML document: only %YAML 1.1 is known");
          }
          version = true;
        } else if (words.size() >= 3) {
          handles_.insert(std::string(words[1]));
        }
      } else if (start != std::string_view::npos && line[start] != '#') {
        break;
      } else if (start != std::string_view::npos) {
        const auto comment = at_ + start;
        at_ += line.size();
        skip_to_next_comment(comment);
        continue;
      }
      at_ = std::min(at_ + line.size() + 1, text_.size());
    }
    if (marker_at("---")) {
      at_ += 3;
      key_allowed_ = false;  // until the line ends
    } else if (any) {
      fail(at_, "did not find expected document start '---' after the directives");
    }
  }

  static std::vector<std::string_view> split(std::string_view line) {
    std::vector<std::string_view> words;
    for (std::size_t i = 0; i < line.size();) {
      if (is_space(line[i])) {
        ++i;
        continue;
      }
      const auto start = i;
      while (i < line.size() && !is_space(line[i])) ++i;
      words.push_back(line.substr(start, i - start));
    }
    return words;
  }

  void step() {
    const char c = peek();
    const bool indicator = is_space(peek(1));
    if (c == '\n' || c == '\r') {
      if (flow_ == 0) key_allowed_ = true;
      ++at_;
    } else if (c == ' ') {
      ++at_;
    } else if (c == '\t') {
      if (flow_ == 0 && key_allowed_) return fail(at_, std::string(kTab));
      ++at_;
    } else if (c == '#') {
      const auto start = at_;
      skip_line();
      if (has_foreign_break(text_.substr(start, at_ - start))) {
        return fail(start, "found a Unicode line separator in a comment, where it ends the line");
      }
      skip_to_next_comment(start);
    } else if (starts_scalar_here()) {
      scalar();
    } else if (c == '[' || c == '{') {
      ++flow_;
      token(c);
    } else if ((c == ']' || c == '}') && flow_ > 0) {
      --flow_;
      token(c);
    } else if (c == ',' && flow_ > 0) {
      if (after_nothing()) return fail(at_, "did not find expected node content before ','");
      token(c);
    } else if (c == ':' && (indicator || flow_ > 0)) {
      if (flow_ > 0 && after_nothing()) {
        return fail(at_, "did not find expected node content before ':'");
      }
      // Go reads "[a:]" as the text "a:", yaml-cpp as a mapping: nobody gets the other's meaning.
      if (flow_ > 0 && plain_end_ == at_ &&
          std::string_view(",[]{}").find(peek(1)) != std::string_view::npos) {
        return fail(at_, "did not find a blank after ':' inside brackets");
      }
      const bool complex = key_allowed_;
      question_ = false;
      token(c);
      key_allowed_ = complex && flow_ == 0;
    } else if ((c == '-' || c == '?') && (flow_ > 0 ? !property_ : indicator)) {
      token(c);
      question_ = question_ || c == '?';
      key_allowed_ = flow_ == 0;
    } else if (c == '&' || c == '*') {
      anchor();
    } else if (c == '!') {
      tag();
    } else {
      scalar();
    }
  }

  void token(char c) {
    previous_ = c;
    property_.reset();
    key_allowed_ = false;
    ++at_;
  }
  [[nodiscard]] bool after_nothing() const {
    return previous_ == '[' || previous_ == '{' || previous_ == ',';
  }

  void begin_property() {
    skip_absent_scalars(at_);
    // One before it on an earlier line is the collection's, where the key has its own.
    const bool of_next = next_scalar() != nullptr && next_scalar()->offset == at_;
    if (!property_ || of_next) property_ = at_;
    previous_ = '&';
    key_allowed_ = false;
  }

  void anchor() {
    const bool alias = peek() == '*';
    begin_property();
    const auto start = at_++;
    while (at_ < text_.size() && is_anchor_char(text_[at_])) ++at_;
    const bool key = alias && peek() == ':' && is_space(peek(1));
    const bool ended =
        key || is_space(peek()) ||
        (flow_ > 0 && std::string_view(",]}").find(peek()) != std::string_view::npos);
    if (at_ == start + 1 || !ended) {
      return fail(at_, "did not find expected alphabetic or numeric character in an anchor's name");
    }
    if (alias) property_.reset();
  }

  void tag() {
    begin_property();
    const auto start = at_;
    while (at_ < text_.size() && !is_space(text_[at_])) ++at_;
    const auto word = text_.substr(start, at_ - start);
    const bool verbatim = word.starts_with("!<");
    const auto inner = verbatim ? word.substr(2, word.size() - 3) : word;
    if (!std::all_of(inner.begin(), inner.end(), is_tag_char) ||
        (verbatim && !word.ends_with('>')) ||
        (flow_ > 0 && !verbatim && word.find_first_of(",[]{}") != std::string_view::npos)) {
      return fail(start, "did not find expected whitespace or line break after a tag");
    }
    const auto second = word.starts_with("!<") ? std::string_view::npos : word.find('!', 1);
    if (second != std::string_view::npos && second > 1 &&
        handles_.count(std::string(word.substr(0, second + 1))) == 0) {
      fail(start, "found undefined tag handle " + std::string(word.substr(0, second + 1)));
    }
  }

  [[nodiscard]] RawNode* next_scalar() const {
    return next_ < scalars_.size() ? scalars_[next_] : nullptr;
  }
  [[nodiscard]] bool starts_scalar_here() const {
    const bool property = peek() == '!' || peek() == '&' || peek() == '*';
    return !property && !property_ && next_scalar() != nullptr && next_scalar()->offset == at_;
  }
  /// A tag may stand alone ("a: !!str"): a scalar without text of its own.
  void skip_absent_scalars(std::size_t offset) {
    while (next_ < scalars_.size() && scalars_[next_]->text.empty() &&
           scalars_[next_]->offset < offset && property_ != scalars_[next_]->offset) {
      ++next_;
    }
    const bool follows = next_ + 1 < scalars_.size() && scalars_[next_ + 1]->offset == offset;
    if (follows && scalars_[next_]->text.empty() && scalars_[next_]->offset < offset) {
      ++next_;
      property_.reset();
    }
  }

  /// Go ends the document before a line that is indented less than its first key, and does not
  /// look at the rest: what is written there would be lost without a word.
  [[nodiscard]] std::string_view hint() const {
    if (flow_ > 0 || next_scalar() != nullptr || !at_line_start()) return "";
    return "; this line is indented less than the first one, so docker stack deploy would ignore "
           "all from here on";
  }

  void scalar() {
    skip_absent_scalars(at_);
    auto* node = next_scalar();
    const bool expected =
        node != nullptr && (node->offset == at_ || (property_ && node->offset == *property_));
    if (!expected) {
      // Nulls are no scalars to yaml-cpp, whatever they are written with.
      for (const std::string_view word : {"~", "null", "Null", "NULL", "\"\"", "''"}) {
        if (text_.substr(at_, word.size()) == word) {
          at_ += word.size();
          return end_scalar(-1);
        }
      }
      return fail(at_, "did not find expected node content" + std::string(hint()));
    }
    ++next_;
    const char c = peek();
    if (c == ':' && flow_ > 0) return fail(at_, "did not find expected node content before ':'");
    const auto start = at_;
    const bool needs_colon = node->block_key && !question_;
    question_ = false;
    if (c == '"' || c == '\'') {
      node->kind = RawNode::Kind::quoted;
      quoted(c, *node);
    } else if ((c == '|' || c == '>') && flow_ == 0) {
      node->kind = RawNode::Kind::quoted;
      block(*node);
    } else {
      plain(*node);
    }
    if (error_ || !needs_colon) return;
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    if (at_ >= text_.size() || text_[at_] != ':' || key_allowed_) {
      const auto message = "could not find expected ':' after " + node->text.substr(0, 40);
      fail(start, message + hint_for(message, source_, start));
    }
  }

  /// `parent` is -2 where tabs need no look.
  void end_scalar(int parent) {
    previous_ = 'a';
    property_.reset();
    key_allowed_ = false;
    if (parent < -1) return;
    // Go's scanner eats the blank lines after a plain scalar with it, tabs included where they
    // stand right of the indentation.
    bool left = false;
    while (at_ < text_.size() && is_space(text_[at_])) {
      if (is_break(text_[at_])) {
        left = true;
        key_allowed_ = flow_ == 0;
      } else if (left && text_[at_] == '\t' && source_.indent_of(at_) <= parent) {
        return fail(at_, std::string(kTab));
      }
      ++at_;
    }
  }

  void quoted(char quote, RawNode& node) {
    const auto start = at_++;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == quote) {
        if (quote == '\'' && peek(1) == '\'') {
          ++at_;
          continue;
        }
        ++at_;
        if (node.block_key && has_foreign_break(text_.substr(start, at_ - start))) {
          return fail(start, "found a Unicode line separator in a key; write it as an escape");
        }
        // yaml-cpp loses line ends before the closing quote, and writes \N and \_ as single bytes.
        node.text = quoted_text(text_.substr(start + 1, at_ - start - 2), quote);
        return end_scalar(-2);
      }
      if (quote == '"' && c == '\\') {
        if (peek(1) == '/') return fail(at_, "found unknown escape character '/'");
        ++at_;
      }
    }
    fail(start, "found a quote that is never closed");
  }

  void plain(const RawNode& node) {
    const std::string_view value = node.text;
    if (has_foreign_break(value)) {
      return fail(at_, "found a Unicode line separator in text without quotes");
    }
    for (std::size_t i = 0; i < value.size();) {
      if (!is_space(value[i])) {
        if (at_ >= text_.size() || text_[at_] != value[i]) {
          return fail(at_, "did not find expected text");
        }
        ++i;
        ++at_;
        continue;
      }
      while (i < value.size() && is_space(value[i])) ++i;
      if (!continuation(node.parent_column)) return;
    }
    plain_end_ = at_;
    end_scalar(node.parent_column);
  }

  /// Blanks and line ends inside a plain scalar.
  bool continuation(int parent) {
    bool new_line = false;
    while (at_ < text_.size() && is_space(text_[at_])) {
      if (is_break(text_[at_])) {
        new_line = true;
      } else if (new_line && text_[at_] == '\t' && source_.indent_of(at_) <= parent) {
        fail(at_, std::string(kTab));
        return false;
      }
      ++at_;
    }
    if (new_line && flow_ == 0 && source_.indent_of(at_) <= parent) {
      fail(at_, "could not find expected ':'");
      return false;
    }
    return true;
  }

  void block(RawNode& node) {
    const bool folded = peek() == '>';
    bool keep = false;
    bool strip = false;
    int indent = 0;
    while (at_ < text_.size() && text_[at_] != '\n') {
      const char c = text_[at_];
      if (c == '#') {
        skip_line();
        break;
      }
      keep = keep || c == '+';
      strip = strip || c == '-';
      if (c >= '1' && c <= '9') indent = std::max(node.parent_column, 0) + (c - '0');
      ++at_;
    }
    const auto minimum = std::max(node.parent_column + 1, 1);
    if (at_ < text_.size()) ++at_;
    std::size_t breaks = 0;  // Since the last text.
    std::size_t blanks = 0;  // At the end of that text.
    while (at_ < text_.size()) {
      auto first = at_;
      while (first < text_.size() && text_[first] == ' ') ++first;
      const bool empty_line = first >= text_.size() || is_break(text_[first]);
      if (!empty_line && text_[first] == '\t' &&
          (indent == 0 || static_cast<int>(first - at_) < indent)) {
        return fail(first, std::string(kTab));
      }
      if (!empty_line) {
        const auto column = static_cast<int>(first - at_);
        if (indent == 0) {
          if (column < minimum && has_text(node)) {
            return fail(first, "could not find expected ':'");
          }
          indent = std::max(column, minimum);
        }
        if (column < indent) break;
      }
      // Blanks right of the indentation are text.
      const auto begin = at_ + static_cast<std::size_t>(indent);
      const bool is_text = !empty_line || (indent > 0 && first > begin);
      skip_line();
      if (is_text) {
        breaks = 0;
        blanks = blanks_before(at_, begin);
      }
      if (at_ < text_.size()) {
        ++breaks;
        ++at_;
      }
    }
    // yaml-cpp loses one of the line ends that >+ keeps, and folds the last one into a blank where
    // the file ends with an indentation.
    if (folded && has_text(node)) {
      node.text.resize(node.text.find_last_not_of('\n') + 1);
      const auto end = node.text.find_last_not_of(" \t") + 1 + blanks;
      if (end < node.text.size()) node.text.resize(end);
      node.text.append(keep ? breaks : strip ? 0 : std::min<std::size_t>(breaks, 1), '\n');
    }
    end_scalar(-2);
    key_allowed_ = true;
  }

  /// At the end of a line that ends at an offset, back to `begin`.
  [[nodiscard]] std::size_t blanks_before(std::size_t end, std::size_t begin) const {
    if (end > begin && text_[end - 1] == '\r') --end;
    auto first = end;
    while (first > begin && is_blank(text_[first - 1])) --first;
    return end - first;
  }

  static bool has_text(const RawNode& node) {
    return node.text.find_first_not_of('\n') != std::string::npos;
  }

  const SourceText& source_;
  std::string_view text_;
  std::vector<RawNode*> scalars_;
  std::size_t next_ = 0;
  std::size_t at_ = 0;
  std::size_t plain_end_ = 0;  ///< Behind the last plain scalar.
  int flow_ = 0;
  /// In block context: nothing but indentation and indicators since the line began, so a tab here
  /// would be indentation.
  bool key_allowed_ = true;
  bool question_ = false;  ///< After "? ": the key that follows needs no colon.
  char previous_ = '\n';
  /// Where the tag or anchor of the coming value begins; of a mapping's, until its first key.
  std::optional<std::size_t> property_;
  std::set<std::string, std::less<>> handles_;
  std::optional<Error> error_;
};

}  // namespace

Result<void> check_source(const SourceText& source, RawDocument& document) {
  return Guard(source, document).run();
}

}  // namespace skep::yaml
