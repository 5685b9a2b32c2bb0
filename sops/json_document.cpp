#include <charconv>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "sops/document.hpp"

namespace skep::sops {
namespace {

constexpr int kDeepest = 200;

void append_utf8(std::string& text, std::uint32_t code) {
  const auto add = [&text](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80U) {
    add(code);
  } else if (code < 0x800U) {
    add(0xC0U | (code >> 6U));
    add(0x80U | (code & 0x3FU));
  } else if (code < 0x10000U) {
    add(0xE0U | (code >> 12U));
    add(0x80U | ((code >> 6U) & 0x3FU));
    add(0x80U | (code & 0x3FU));
  } else {
    add(0xF0U | (code >> 18U));
    add(0x80U | ((code >> 12U) & 0x3FU));
    add(0x80U | ((code >> 6U) & 0x3FU));
    add(0x80U | (code & 0x3FU));
  }
}

/// RFC 8259 into leaves with their places, which a general parser would not tell. Numbers are
/// floating point, as in SOPS.
class JsonReader {
 public:
  explicit JsonReader(Document& document) : document_(document), text_(document.text) {}

  Result<void> run() {
    skip_blanks();
    if (peek() != '{') {
      fail("a JSON object is wanted at the top: wrap the value as {\"data\": …}");
    } else {
      object({}, 0);
    }
    skip_blanks();
    if (!error_ && at_ != text_.size()) fail("there is more behind the JSON object");
    if (error_) return *std::move(error_);
    return {};
  }

  [[nodiscard]] const FlatMetadata& metadata() const { return metadata_; }
  [[nodiscard]] bool has_metadata() const { return has_metadata_; }

 private:
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_blanks() {
    while (at_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }
  void fail(std::string message) {
    if (error_) return;
    error_ = Error{ErrorKind::invalid_input, std::move(message), document_.position(at_)};
  }
  bool take(char wanted) {
    skip_blanks();
    if (peek() != wanted) {
      fail(std::string("expected '") + wanted + "' in JSON");
      return false;
    }
    ++at_;
    return true;
  }

  std::optional<std::uint32_t> four_digits() {
    std::uint32_t code = 0;
    if (at_ + 4 > text_.size()) return std::nullopt;
    const auto* first = text_.data() + at_;
    const auto [end, result] = std::from_chars(first, first + 4, code, 16);
    if (result != std::errc() || end != first + 4) return std::nullopt;
    at_ += 4;
    return code;
  }

  std::string string() {
    std::string value;
    if (!take('"')) return value;
    while (true) {
      if (at_ >= text_.size() || static_cast<unsigned char>(text_[at_]) < 0x20U) {
        fail("a JSON string does not end");
        return value;
      }
      const char c = text_[at_++];
      if (c == '"') return value;
      if (c != '\\') {
        value += c;
        continue;
      }
      const char escaped = peek();
      ++at_;
      constexpr std::string_view kFrom = "\"\\/bfnrt";
      constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
      if (const auto known = kFrom.find(escaped); escaped != '\0' && known != kFrom.npos) {
        value += kTo[known];
        continue;
      }
      auto code = escaped == 'u' ? four_digits() : std::nullopt;
      if (!code) {
        --at_;
        fail("unknown escape in a JSON string");
        return value;
      }
      if (*code >= 0xD800U && *code < 0xDC00U && text_.substr(at_, 2) == "\\u") {
        const auto back = at_;
        at_ += 2;
        const auto low = four_digits();
        if (low && *low >= 0xDC00U && *low < 0xE000U) {
          code = 0x10000U + ((*code - 0xD800U) << 10U) + (*low - 0xDC00U);
        } else {
          at_ = back;
        }
      }
      if (*code >= 0xD800U && *code < 0xE000U) code = 0xFFFDU;
      append_utf8(value, *code);
    }
  }

  Value scalar() {
    if (peek() == '"') return {Value::Type::text, string()};
    for (const auto& [word, text] : {std::pair<std::string_view, const char*>{"true", "True"},
                                     std::pair<std::string_view, const char*>{"false", "False"}}) {
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      return {Value::Type::boolean, text};
    }
    const auto end = text_.find_first_not_of("+-0123456789.eE", at_);
    const auto token = text_.substr(at_, end == std::string_view::npos ? end : end - at_);
    double number = 0;
    const auto [stop, code] = std::from_chars(token.data(), token.data() + token.size(), number);
    if (token.empty() || code != std::errc() || stop != token.data() + token.size()) {
      fail("expected a JSON value");
      return {};
    }
    at_ += token.size();
    return {Value::Type::real, plain_number(number)};
  }

  /// One value below `path`; `name` is its place within the metadata, "" outside of it.
  void value(const Path& path, const std::string& name, int depth) {
    skip_blanks();
    if (depth > kDeepest) fail("the JSON is nested deeper than 200 levels");
    if (error_) return;
    if (peek() == '{') return object(path, depth + 1, name);
    if (peek() == '[') return list(path, name, depth + 1);
    if (text_.substr(at_, 4) == "null") {
      at_ += 4;
      return;
    }
    Leaf leaf;
    leaf.begin = at_;
    leaf.value = scalar();
    leaf.end = at_;
    leaf.path = path;
    if (error_) return;
    if (!name.empty()) {
      if (is_stamp(name)) document_.stamps[name] = {leaf.begin, leaf.end};
      const bool yes = leaf.value.type == Value::Type::boolean && leaf.value.text == "True";
      metadata_.emplace_back(name, yes ? "true" : std::move(leaf.value.text));
    } else {
      document_.leaves.push_back(std::move(leaf));
    }
  }

  void list(const Path& path, const std::string& name, int depth) {
    ++at_;
    skip_blanks();
    if (peek() == ']') {
      ++at_;
      return;
    }
    for (std::size_t index = 0; !error_; ++index) {
      value(path, name.empty() ? name : name + "__list_" + std::to_string(index), depth);
      skip_blanks();
      if (peek() == ']') break;
      if (!take(',')) return;
    }
    if (!error_) ++at_;
  }

  void object(const Path& path, int depth, const std::string& name = {}) {
    ++at_;
    std::set<std::string> seen;
    skip_blanks();
    std::size_t previous_end = at_;  // Behind the '{' or the last value.
    bool first = true;
    if (peek() == '}') {
      ++at_;
      return;
    }
    while (!error_) {
      skip_blanks();
      const auto key_at = at_;
      const auto key = string();
      if (error_) return;
      if (!seen.insert(key).second) {
        at_ = key_at;
        return fail("the key \"" + key + "\" stands twice in one object");
      }
      if (!take(':')) return;
      const bool metadata = depth == 0 && key == "sops";
      if (metadata) {
        has_metadata_ = true;
        skip_blanks();
        if (peek() != '{') return fail("sops is not a mapping");
        object({}, 1, "sops");
        document_.metadata_begin = previous_end;
        document_.metadata_end = at_;
      } else if (!name.empty()) {
        value({}, name == "sops" && depth == 1 ? key : name + "__map_" + key, depth);
      } else {
        auto inner = path;
        inner.push_back(key);
        value(inner, {}, depth);
      }
      if (error_) return;
      const auto value_end = at_;
      skip_blanks();
      if (peek() == '}') break;
      if (!take(',')) return;
      if (metadata && first) document_.metadata_end = at_;  // Its comma goes with it.
      if (!metadata || !first) previous_end = value_end;
      first = false;
    }
    ++at_;
  }

  Document& document_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::optional<Error> error_;
  FlatMetadata metadata_;
  bool has_metadata_ = false;
};

}  // namespace

Result<Document> read_json(std::string_view text, const std::string& file, Format format) {
  Document document;
  document.format = format;
  document.file = file;
  document.text = text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text;
  JsonReader reader(document);
  if (auto read = reader.run(); !read) return std::move(read).error();
  if (reader.has_metadata()) {
    auto parsed = parse_metadata(reader.metadata());
    if (!parsed) {
      return Error{parsed.error().kind,
                   parsed.error().message,
                   document.position(document.metadata_offset())};
    }
    document.metadata = *std::move(parsed);
  }
  if (format == Format::binary) {
    const bool one = document.leaves.size() == 1 && document.leaves.front().path == Path{"data"};
    if (!one) {
      return Error{ErrorKind::invalid_input,
                   "an encrypted binary file holds one value, data",
                   SourcePosition{file}};
    }
  }
  return document;
}

}  // namespace skep::sops
