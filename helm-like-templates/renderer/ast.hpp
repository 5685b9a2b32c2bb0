#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "helm-like-templates/renderer/lexer.hpp"
#include "helm-like-templates/renderer/literal.hpp"

namespace skep::templates {

struct Pipe;
struct Function;

/// An operand of a command.
struct Expr {
  enum class Kind : std::uint8_t {
    dot,
    nil,
    boolean,
    number,
    string,
    field,     ///< .a.b
    variable,  ///< $x.a.b; names[0] is "$x"
    function,
    pipe,   ///< (…)
    chain,  ///< (…).a.b, function.a.b
  };
  Kind kind = Kind::dot;
  std::size_t offset = 0;
  std::size_t end = 0;  ///< Offset behind it: messages show the text between.
  Value value;          ///< Of a literal.
  Number number;
  std::vector<std::string> names;
  const Function* function = nullptr;
  std::unique_ptr<Pipe> pipe;
  std::unique_ptr<Expr> base;  ///< Of a chain.
};

/// A call or a lone operand.
struct Command {
  std::vector<Expr> operands;
};

struct Pipe {
  std::size_t offset = 0;
  std::size_t end = 0;
  bool assigns = false;  ///< `=` and not `:=`.
  std::vector<std::string> variables;
  std::vector<Command> commands;
};

struct Node {
  enum class Kind : std::uint8_t { text, action, if_, range, with, template_, break_, continue_ };
  Kind kind = Kind::text;
  std::size_t offset = 0;
  std::string text;  ///< Of a text; of a template: its name.
  std::unique_ptr<Pipe> pipe;
  std::vector<Node> body;
  std::vector<Node> otherwise;
  bool has_else = false;
};

struct Template {
  TextPtr source;
  std::vector<Node> nodes;
};

/// Named templates; tpl() looks into its own first.
using Templates = std::map<std::string, std::shared_ptr<const Template>, std::less<>>;

}  // namespace skep::templates
