#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "helm-like-templates/renderer/ast.hpp"

namespace skep::templates {

/// The tokens of a template, and what stands inside of an action: pipelines, with the variables
/// that they declare and use. What actions mean is for the class that is made from this one.
class ExpressionParser {
 protected:
  // Control structures, parentheses and branches of an else-if inside of each other.
  static constexpr int kMaxDepth = 250;

  explicit ExpressionParser(TextPtr source)
      : source_(std::move(source)), tokens_(lex(source_->text, messages_)) {}

  [[nodiscard]] Error error(std::size_t offset, std::string message) const {
    return {ErrorKind::invalid_input, std::move(message), source_->position(offset)};
  }
  [[nodiscard]] Error unexpected(const Token& token, std::string_view context) const;

  const Token& peek() const { return tokens_[at_]; }
  const Token& next() {
    const auto& token = tokens_[at_];
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  const Token& peek_past_space() {
    while (peek().type == Token::Type::space) next();
    return peek();
  }
  const Token& next_past_space() {
    peek_past_space();
    return next();
  }
  bool is_keyword(const Token& token, std::string_view word) const {
    return token.type == Token::Type::keyword && token.text == word;
  }
  Result<void> expect_close(std::string_view context) {
    const auto& token = next_past_space();
    if (token.type != Token::Type::right_delimiter) return unexpected(token, context);
    return {};
  }

  /// Up to and with the token `end`. `context` names the action, for messages and for range.
  Result<Pipe> pipeline(const std::string& context, Token::Type end);

  TextPtr source_;
  std::vector<std::unique_ptr<std::string>> messages_;
  std::vector<Token> tokens_;
  std::vector<std::string> variables_ = {"$"};
  std::size_t at_ = 0;
  std::size_t closed_at_ = 0;  ///< Of the last pipeline's closing delimiter.
  int depth_ = 0;

 private:
  Result<void> declarations(Pipe& pipe, const std::string& context);
  Result<Command> command();
  Result<std::optional<Expr>> operand();
  Result<std::optional<Expr>> term();
};

}  // namespace skep::templates
