#include "helm-like-templates/renderer/lexer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "helm-like-templates/renderer/unicode.hpp"

namespace skep::templates {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";
constexpr std::array<std::string_view, 10> kKeywords = {
    "block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"};

bool is_blank(char c) { return kSpaces.find(c) != std::string_view::npos; }
bool is_word(Rune rune) { return rune == '_' || is_letter(rune) || is_digit(rune); }

class Lexer {
 public:
  Lexer(std::string_view text, std::vector<std::unique_ptr<std::string>>& messages)
      : text_(text), messages_(messages) {}

  std::vector<Token> run() {
    bool more = true;
    while (more) more = text() && action();
    return std::move(tokens_);
  }

 private:
  using Type = Token::Type;

  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void emit(Type type, std::size_t start) {
    tokens_.push_back({type, text_.substr(start, at_ - start), start});
  }
  bool fail(std::size_t offset, std::string message) {
    messages_.push_back(std::make_unique<std::string>(std::move(message)));
    tokens_.push_back({Type::error, *messages_.back(), offset});
    return false;
  }
  // " -}}" and "}}".
  [[nodiscard]] std::size_t closing() const {
    if (is_blank(peek()) && peek(1) == '-' && peek(2) == '}' && peek(3) == '}' &&
        at_ + 3 < text_.size())
      return 4;
    return rest().starts_with("}}") ? 2 : 0;
  }
  void close(std::size_t size) {
    at_ += size;
    if (size == 4) at_ = std::min(text_.find_first_not_of(kSpaces, at_), text_.size());
  }

  // The text up to the next action; false at the end.
  bool text() {
    const auto start = at_;
    at_ = std::min(text_.find("{{", start), text_.size());
    const auto next = at_;
    if (peek(2) == '-' && next + 3 < text_.size() && is_blank(peek(3))) {
      while (at_ > start && is_blank(text_[at_ - 1])) --at_;
    }
    if (at_ > start) emit(Type::text, start);
    at_ = next;
    if (at_ < text_.size()) return true;
    emit(Type::end, at_);
    return false;
  }

  bool action() {
    const auto start = at_;
    at_ += 2;
    const bool trims = peek() == '-' && at_ + 1 < text_.size() && is_blank(peek(1));
    if (text_.substr(at_ + (trims ? 2 : 0)).starts_with("/*")) {
      const auto end = text_.find("*/", at_ + (trims ? 4 : 2));
      if (end == std::string_view::npos) return fail(start, "unclosed comment");
      at_ = end + 2;
      const auto size = closing();
      if (size == 0) return fail(start, "comment ends before closing delimiter");
      close(size);
      return true;
    }
    emit(Type::left_delimiter, start);
    if (trims) at_ += 2;
    parens_ = 0;
    for (;;) {
      if (const auto size = closing(); size != 0) {
        if (parens_ > 0) return fail(at_, "unclosed left paren");
        const auto before = at_;
        if (size == 4) at_ += 2;
        at_ += 2;
        emit(Type::right_delimiter, before);
        at_ = before;
        close(size);
        return true;
      }
      if (at_ >= text_.size()) return fail(start, "unclosed action");
      if (!inside()) return false;
    }
  }

  bool inside() {
    const auto start = at_;
    const char c = peek();
    if (is_blank(c)) {
      while (at_ < text_.size() && is_blank(peek()) && closing() == 0) ++at_;
      emit(Type::space, start);
      return true;
    }
    if (c == '"' || c == '\'') return quoted(c);
    if (c == '`') {
      at_ = text_.find('`', at_ + 1);
      if (at_ == std::string_view::npos) return fail(start, "unterminated raw quoted string");
      ++at_;
      emit(Type::string, start);
      return true;
    }
    const bool digit = c >= '0' && c <= '9';
    if (digit || c == '+' || c == '-' || (c == '.' && peek(1) >= '0' && peek(1) <= '9'))
      return number();
    if (c == '$' || c == '.') {
      ++at_;
      if (!terminated()) {
        words();
        if (!terminated()) return bad_character();
      }
      emit(c == '$' ? Type::variable : at_ == start + 1 ? Type::dot : Type::field, start);
      return true;
    }
    if (c == '(' || c == ')') {
      parens_ += c == '(' ? 1 : -1;
      if (parens_ < 0) return fail(start, "unexpected right paren");
    }
    if (const auto next = decode(rest()); next.valid && is_word(next.rune)) {
      words();
      if (!terminated()) return bad_character();
      emit(word_type(text_.substr(start, at_ - start)), start);
      return true;
    }
    ++at_;
    switch (c) {
      case '=':
        emit(Type::assign, start);
        return true;
      case ':':
        if (peek() != '=') return fail(start, "expected :=");
        ++at_;
        emit(Type::declare, start);
        return true;
      case '|':
        emit(Type::pipe, start);
        return true;
      case '(':
        emit(Type::left_paren, start);
        return true;
      case ')':
        emit(Type::right_paren, start);
        return true;
      default:
        break;
    }
    at_ = start;
    if (c <= ' ' || c > '~') return bad_character();
    ++at_;
    emit(Type::character, start);
    return true;
  }

  void words() {
    for (auto next = decode(rest()); next.valid && is_word(next.rune); next = decode(rest()))
      at_ += next.size;
  }

  bool bad_character() {
    if (at_ >= text_.size()) return fail(at_, "unclosed action");
    const auto next = decode(rest());
    std::string shown;
    if (next.valid && is_print(next.rune)) {
      append(shown, next.rune);
    } else {
      shown = "that is not printable";
    }
    return fail(at_, "unexpected character " + shown + " in an action" + hint_at_index());
  }

  /// Where a field's name has a dash: how such a key is reached.
  [[nodiscard]] std::string hint_at_index() const {
    constexpr std::string_view kName =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    if (peek() != '-' || at_ + 1 >= text_.size() || kName.find(text_[at_ + 1]) == kName.npos)
      return "";
    const auto before = text_.substr(0, at_);
    const auto dot = before.find_last_not_of(kName);
    if (dot == std::string_view::npos || dot + 1 == at_ || text_[dot] != '.') return "";
    auto begin = dot;  // Of what the key is in: .Values, $, $x.y, or only the dot.
    while (begin > 0 && (kName.find(text_[begin - 1]) != kName.npos || text_[begin - 1] == '.' ||
                         text_[begin - 1] == '$'))
      --begin;
    const auto end = std::min(text_.find_first_not_of(std::string(kName) + "-", at_), text_.size());
    const std::string holder(begin == dot ? "." : text_.substr(begin, dot - begin));
    return "; a key with a dash is reached by (index " + holder + " \"" +
           std::string(text_.substr(dot + 1, end - dot - 1)) + "\")";
  }

  static Type word_type(std::string_view word) {
    if (word == "true" || word == "false") return Type::boolean;
    if (word == "nil") return Type::nil;
    const auto found = std::find(kKeywords.begin(), kKeywords.end(), word);
    return found == kKeywords.end() ? Type::identifier : Type::keyword;
  }

  // What may follow a name.
  [[nodiscard]] bool terminated() const {
    if (at_ >= text_.size() || is_blank(peek())) return true;
    return std::string_view(".,|:)(").find(peek()) != std::string_view::npos ||
           rest().starts_with("}}");
  }

  bool quoted(char q) {
    const auto start = at_++;
    for (; at_ < text_.size() && peek() != q && peek() != '\n'; ++at_) {
      if (peek() == '\\') ++at_;
      if (at_ < text_.size() && peek() == '\n') break;
    }
    if (at_ >= text_.size() || peek() != q) {
      at_ = std::min(at_, text_.size());
      return fail(start,
                  q == '"' ? "unterminated quoted string" : "unterminated character constant");
    }
    ++at_;
    emit(q == '"' ? Type::string : Type::number, start);
    return true;
  }

  void run_of(std::string_view set) {
    while (at_ < text_.size() && set.find(peek()) != std::string_view::npos) ++at_;
  }
  bool accept(std::string_view set) {
    if (at_ >= text_.size() || set.find(peek()) == std::string_view::npos) return false;
    ++at_;
    return true;
  }

  bool number() {
    const auto start = at_;
    accept("+-");
    std::string_view digits = "0123456789_";
    bool decimal = true;
    bool hex = false;
    if (accept("0")) {
      if (accept("xX")) {
        digits = "0123456789abcdefABCDEF_";
        hex = true;
      } else if (accept("oO")) {
        digits = "01234567_";
      } else if (accept("bB")) {
        digits = "01_";
      }
      decimal = digits.size() == 11;
    }
    run_of(digits);
    if (accept(".")) run_of(digits);
    if (accept(decimal ? "eE" : hex ? "pP" : "")) {
      accept("+-");
      run_of("0123456789_");
    }
    accept("i");
    const auto next = decode(rest());
    if ((next.valid && is_word(next.rune)) || peek() == '+' || peek() == '-') {
      ++at_;
      return fail(start, "bad number syntax: " + std::string(text_.substr(start, at_ - start)));
    }
    emit(Type::number, start);
    return true;
  }

  std::string_view text_;
  std::vector<std::unique_ptr<std::string>>& messages_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int parens_ = 0;
};

}  // namespace

SourcePosition Text::position(std::size_t offset) const {
  offset = std::min(offset, text.size());
  const std::string_view before(text.data(), offset);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const auto start = before.rfind('\n');
  const auto line = start == std::string_view::npos ? before : before.substr(start + 1);
  const auto characters = std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  });
  return {name, static_cast<int>(lines) + 1, static_cast<int>(characters) + 1};
}

std::vector<Token> lex(std::string_view text, std::vector<std::unique_ptr<std::string>>& messages) {
  return Lexer(text, messages).run();
}

}  // namespace skep::templates
