#include "helm-like-templates/renderer/placeholder.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "helm-like-templates/renderer/functions.hpp"

namespace skep::templates {
namespace {

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_swarm_field(const Expr& expr) {
  if (expr.kind != Expr::Kind::field || expr.names.size() < 2) return false;
  const auto& object = expr.names[0];
  const auto& field = expr.names[1];
  const auto size = expr.names.size();
  if (object == "Service")
    return (size == 2 && one_of(field, {"ID", "Name", "Labels"})) ||
           (size > 2 && field == "Labels");
  if (object == "Node")
    return (size == 2 && one_of(field, {"ID", "Hostname", "Platform"})) ||
           (size == 3 && field == "Platform" && one_of(expr.names[2], {"OS", "Architecture"}));
  return object == "Task" && size == 2 && one_of(field, {"ID", "Name", "Slot"});
}

template <typename Visit>
void each(const Pipe& pipe, const Visit& visit) {
  for (const auto& command : pipe.commands) {
    for (const auto& operand : command.operands) {
      visit(operand);
      if (operand.pipe) each(*operand.pipe, visit);
      if (operand.base) {
        visit(*operand.base);
        if (operand.base->pipe) each(*operand.base->pipe, visit);
      }
    }
  }
}

}  // namespace

const Expr* swarm_field(const Pipe& pipe) {
  const Expr* found = nullptr;
  each(pipe, [&](const Expr& expr) {
    if (found == nullptr && is_swarm_field(expr)) found = &expr;
  });
  return found;
}

bool is_placeholder(const Pipe& pipe) {
  if (!pipe.variables.empty() || swarm_field(pipe) == nullptr) return false;
  bool all = true;
  each(pipe, [&](const Expr& expr) {
    switch (expr.kind) {
      case Expr::Kind::field:
        all = all && is_swarm_field(expr);
        break;
      case Expr::Kind::function:
        all = all && expr.function->builtin;
        break;
      case Expr::Kind::dot:
      case Expr::Kind::variable:
      case Expr::Kind::chain:
        all = false;
        break;
      default:
        break;
    }
  });
  return all;
}

}  // namespace skep::templates
