#include "helm-like-templates/renderer/expression_parser.hpp"

#include <algorithm>
#include <utility>

#include "helm-like-templates/renderer/functions.hpp"

namespace skep::templates {
namespace {

using Type = Token::Type;

std::string shown(const Token& token) {
  if (token.type == Type::end) return "end of the template";
  if (token.type == Type::right_delimiter) return "}}";
  if (token.type == Type::space) return "space";
  return std::string(token.text.substr(0, 40));
}

std::string unknown_function(std::string_view name, const Function* refused) {
  if (refused != nullptr)
    return "function " + quote(name) + " is refused: " + std::string(refused->refusal);
  auto message = "function " + quote(name) + " is not defined";
  if (const auto similar = similar_function(name); !similar.empty())
    message += "; did you mean " + quote(similar) + "?";
  return message;
}

}  // namespace

Error ExpressionParser::unexpected(const Token& token, std::string_view context) const {
  if (token.type == Type::error) return error(token.offset, std::string(token.text));
  return error(token.offset, "unexpected " + shown(token) + " in " + std::string(context));
}

// $x := …, $i, $x := … (range only), $x = …
Result<void> ExpressionParser::declarations(Pipe& pipe, const std::string& context) {
  while (peek_past_space().type == Type::variable) {
    const auto start = at_;
    const auto& variable = next();
    const auto& after = peek_past_space();
    if (after.type == Type::assign || after.type == Type::declare) {
      pipe.assigns = after.type == Type::assign;
      next();
      pipe.variables.emplace_back(variable.text);
      variables_.emplace_back(variable.text);
      return {};
    }
    if (after.type != Type::character || after.text != ",") {
      at_ = start;
      return {};
    }
    next();
    pipe.variables.emplace_back(variable.text);
    variables_.emplace_back(variable.text);
    if (context != "range" || pipe.variables.size() > 1)
      return error(variable.offset, "too many declarations in " + context);
    const auto type = peek_past_space().type;
    if (type != Type::variable && type != Type::right_delimiter && type != Type::right_paren)
      return error(peek().offset, "range can only initialize variables");
  }
  return {};
}

Result<Pipe> ExpressionParser::pipeline(const std::string& context, Type end) {
  if (++depth_ > kMaxDepth) return error(peek().offset, "nested too deeply");
  Pipe pipe;
  pipe.offset = peek_past_space().offset;
  if (auto declared = declarations(pipe, context); !declared) return std::move(declared).error();
  for (;;) {
    const auto& token = peek_past_space();
    if (token.type == end) {
      pipe.end = token.offset;
      closed_at_ = token.offset;
      next();
      break;
    }
    switch (token.type) {
      case Type::boolean:
      case Type::dot:
      case Type::field:
      case Type::identifier:
      case Type::number:
      case Type::nil:
      case Type::string:
      case Type::variable:
      case Type::left_paren:
        break;
      default:
        return unexpected(token, context);
    }
    auto parsed = command();
    if (!parsed) return std::move(parsed).error();
    pipe.commands.push_back(std::move(*parsed));
  }
  if (pipe.commands.empty()) return error(pipe.offset, "missing value for " + context);
  for (std::size_t i = 1; i < pipe.commands.size(); ++i) {
    const auto& first = pipe.commands[i].operands[0];
    if (first.kind <= Expr::Kind::string)
      return error(first.offset,
                   "non executable command in pipeline stage " + std::to_string(i + 1));
  }
  --depth_;
  return pipe;
}

Result<Command> ExpressionParser::command() {
  Command command;
  for (;;) {
    peek_past_space();
    auto parsed = operand();
    if (!parsed) return std::move(parsed).error();
    if (*parsed) command.operands.push_back(std::move(**parsed));
    const auto& token = peek();
    if (token.type == Type::space) {
      next();
      continue;
    }
    if (token.type == Type::pipe)
      next();
    else if (token.type != Type::right_delimiter && token.type != Type::right_paren)
      return unexpected(token, "operand");
    break;
  }
  if (command.operands.empty()) return error(peek().offset, "empty command");
  return command;
}

Result<std::optional<Expr>> ExpressionParser::operand() {
  const auto& first = peek();
  auto parsed = term();
  if (!parsed) return std::move(parsed).error();
  if (!*parsed) return std::optional<Expr>();
  Expr expr = std::move(**parsed);
  expr.offset = first.offset;
  if (peek().type == Type::field) {
    if (expr.kind <= Expr::Kind::string)
      return error(peek().offset, "unexpected . after term " + std::string(first.text));
    if (expr.kind != Expr::Kind::field && expr.kind != Expr::Kind::variable) {
      Expr chain;
      chain.kind = Expr::Kind::chain;
      chain.offset = expr.offset;
      expr.end = peek().offset;
      chain.base = std::make_unique<Expr>(std::move(expr));
      expr = std::move(chain);
    }
    while (peek().type == Type::field) expr.names.emplace_back(next().text.substr(1));
  }
  expr.end = peek().offset;
  return std::optional<Expr>(std::move(expr));
}

Result<std::optional<Expr>> ExpressionParser::term() {
  const auto token = peek();
  Expr expr;
  switch (token.type) {
    case Type::identifier: {
      expr.kind = Expr::Kind::function;
      expr.names.emplace_back(token.text);
      expr.function = find_function(token.text);
      if (expr.function == nullptr || expr.function->call == nullptr)
        return error(token.offset, unknown_function(token.text, expr.function));
      break;
    }
    case Type::dot:
      expr.kind = Expr::Kind::dot;
      break;
    case Type::nil:
      expr.kind = Expr::Kind::nil;
      break;
    case Type::variable:
      expr.kind = Expr::Kind::variable;
      expr.names.emplace_back(token.text);
      if (std::find(variables_.begin(), variables_.end(), token.text) == variables_.end())
        return error(token.offset, "undefined variable " + quote(token.text));
      break;
    case Type::field:
      expr.kind = Expr::Kind::field;
      expr.names.emplace_back(token.text.substr(1));
      break;
    case Type::boolean:
      expr.kind = Expr::Kind::boolean;
      expr.value = Value(token.text == "true");
      break;
    case Type::number: {
      auto number = parse_number(token.text);
      if (!number) return error(token.offset, number.error().message);
      expr.kind = Expr::Kind::number;
      expr.value = number->value;
      expr.number = std::move(*number);
      break;
    }
    case Type::string: {
      auto text = unquote(token.text);
      if (!text) return error(token.offset, text.error().message);
      expr.kind = Expr::Kind::string;
      expr.value = Value(std::move(*text));
      break;
    }
    case Type::left_paren: {
      next();
      auto parsed = pipeline("parenthesized pipeline", Type::right_paren);
      if (!parsed) return std::move(parsed).error();
      expr.kind = Expr::Kind::pipe;
      expr.pipe = std::make_unique<Pipe>(std::move(*parsed));
      return std::optional<Expr>(std::move(expr));
    }
    default:
      return std::optional<Expr>();
  }
  next();
  return std::optional<Expr>(std::move(expr));
}

}  // namespace skep::templates
