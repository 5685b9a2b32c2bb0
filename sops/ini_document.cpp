#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "sops/document.hpp"
#include "sops/flat_text.hpp"

namespace skep::sops {
namespace {

constexpr std::string_view kBlanks = " \t\r";
/// Of keys before any section, and part of their path.
constexpr std::string_view kNoSection = "DEFAULT";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return text.substr(text.size());
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// The library that SOPS reads INI with takes more than this, in ways that differ from other
/// readers': what could be taken in two ways is refused.
class IniReader {
 public:
  explicit IniReader(Document& document) : document_(document), text_(document.text) {}

  Result<void> run() {
    for (std::size_t begin = 0; begin < text_.size() && !error_;) {
      const auto end = std::min(text_.find('\n', begin), text_.size());
      line(begin, text_.substr(begin, end - begin));
      begin = end + 1;
    }
    keep_comment();
    if (in_metadata_) document_.more_metadata.back().second = text_.size();
    if (error_) return *std::move(error_);
    return {};
  }

  [[nodiscard]] const FlatMetadata& metadata() const { return metadata_; }

 private:
  void fail(std::size_t offset, std::string message) {
    if (!error_)
      error_ = Error{ErrorKind::invalid_input, std::move(message), document_.position(offset)};
  }

  void line(std::size_t begin, std::string_view line) {
    const auto content = trimmed(line);
    const auto at = begin + static_cast<std::size_t>(content.data() - line.data());
    if (content.empty()) return;
    if (content.front() == '#' || content.front() == ';') return comment(at, content);
    if (content.front() == '[') return section(begin, at, content);
    entry(at, content);
  }

  /// Lines of comments that follow each other are one comment of what stands below them.
  void comment(std::size_t at, std::string_view content) {
    const auto mark = std::min(content.find_first_not_of("#; "), content.size());
    if (!comment_) {
      comment_ = Comment{};
      comment_->begin = at + mark;
    }
    comment_->end = at + content.size();
    comment_->text = text_.substr(comment_->begin, comment_->end - comment_->begin);
  }

  void keep_comment() {
    if (!comment_) return;
    comment_->path = {section_};
    comment_->loose = true;
    if (!in_metadata_) document_.comments.push_back(*std::move(comment_));
    comment_.reset();
  }

  void section(std::size_t begin, std::size_t at, std::string_view content) {
    const auto close = content.find(']');
    if (close == std::string_view::npos) return fail(at, "a [ without its ]");
    if (in_metadata_) document_.more_metadata.back().second = begin;
    section_ = trimmed(content.substr(1, close - 1));
    if (!sections_.insert(section_).second || section_ == kNoSection)
      return fail(at, "the section stands twice in the file, or is called DEFAULT");
    in_metadata_ = section_ == "sops";
    const bool blank = begin > 1 && text_.substr(begin - 2, 2) == "\n\n";
    if (in_metadata_) document_.more_metadata.emplace_back(begin - (blank ? 1 : 0), text_.size());
    keep_comment();
  }

  void entry(std::size_t at, std::string_view content) {
    keep_comment();
    const auto equals = content.find_first_of("=:");
    const auto key = trimmed(content.substr(0, equals));
    if (equals == std::string_view::npos || key.empty()) return fail(at, "expected key = value");
    if (key.front() == '"' || key.front() == '`') return fail(at, "a key in quotes");
    const auto value = trimmed(content.substr(equals + 1));
    const auto value_at = value.empty()
                              ? at + equals + 1
                              : at + static_cast<std::size_t>(value.data() - content.data());
    if (in_metadata_) {
      if (is_stamp(key)) document_.stamps[std::string(key)] = {value_at, value_at + value.size()};
      metadata_.emplace_back(key,
                             with_line_feeds(without_quotes(value).value_or(std::string(value))));
      return;
    }
    Leaf leaf;
    leaf.path = {section_, std::string(key)};
    if (!keys_.insert(leaf.path).second) return fail(at, "the key stands twice in its section");
    auto plain = without_quotes(value);
    if (!plain)
      return fail(value_at, "write the value on one line, without \", ` or \\ at its ends");
    leaf.value = {Value::Type::text, *std::move(plain)};
    leaf.begin = value_at;
    leaf.end = value_at + value.size();
    document_.leaves.push_back(std::move(leaf));
  }

  /// Nothing where readers differ about it.
  static std::optional<std::string> without_quotes(std::string_view value) {
    if (value.empty()) return std::string();
    const char first = value.front();
    if (first == '"' || first == '\'' || first == '`') {
      const auto inner = value.size() < 2 ? value : value.substr(1, value.size() - 2);
      const bool whole = value.size() >= 2 && value.back() == first;
      if (!whole || inner.find(first) != std::string_view::npos) return std::nullopt;
      return std::string(inner);
    }
    if (value.find_first_of("#;") != std::string_view::npos || value.back() == '\\')
      return std::nullopt;
    return std::string(value);
  }

  Document& document_;
  std::string_view text_;
  std::string section_{kNoSection};
  std::set<std::string> sections_;
  std::set<Path> keys_;
  std::optional<Comment> comment_;
  bool in_metadata_ = false;
  FlatMetadata metadata_;
  std::optional<Error> error_;
};

}  // namespace

std::string ini_text(std::string_view text) {
  if (text.find_first_of("\n`") != std::string_view::npos)
    return "\"\"\"" + std::string(text) + "\"\"\"";
  if (text.find_first_of("#;") != std::string_view::npos) return "`" + std::string(text) + "`";
  return trimmed(text).size() != text.size() ? "\"" + std::string(text) + "\"" : std::string(text);
}

Result<Document> read_ini(std::string_view text, const std::string& file) {
  Document document;
  document.format = Format::ini;
  document.file = file;
  document.text = text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text;
  IniReader reader(document);
  if (auto read = reader.run(); !read) return std::move(read).error();
  if (!document.more_metadata.empty()) {
    auto parsed = parse_metadata(reader.metadata());
    if (!parsed) {
      return Error{parsed.error().kind,
                   parsed.error().message,
                   document.position(document.more_metadata.front().first)};
    }
    document.metadata = *std::move(parsed);
  }
  return document;
}

}  // namespace skep::sops
