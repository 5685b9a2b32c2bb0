#include <algorithm>
#include <string>

#include "helm-like-templates/renderer/exec.hpp"
#include "helm-like-templates/renderer/format.hpp"

namespace skep::templates {
namespace {

std::string_view param_type(char param) {
  switch (param) {
    case 's':
      return "string";
    case 'i':
      return "int";
    case 'f':
      return "float64";
    case 'b':
      return "bool";
    case 'm':
      return "map[string]interface {}";
    default:
      return "interface {}";
  }
}

std::string conversion_hint(char param, const Value& value) {
  const bool number = value.integer() != nullptr || value.real() != nullptr;
  if (param == 's' && (number || value.boolean() != nullptr)) return "; convert it with toString";
  if (param == 'i' && (number || value.text() != nullptr)) return "; convert it with int";
  if (param == 'f' && (number || value.text() != nullptr)) return "; convert it with float64";
  return "";
}

bool fits(char param, const Value& value) {
  switch (param) {
    case 's':
      return value.text() != nullptr;
    case 'i':
      return value.integer() != nullptr && value.integer()->type == Int::Type::int_;
    case 'f':
      return value.real() != nullptr;
    case 'b':
      return value.boolean() != nullptr;
    case 'm':
      return value.map() != nullptr && value.map()->type == Map::Type::any;
    default:
      return true;
  }
}

/// What a person meant who wrote a name of the top in other letters: ".values" → ".Values".
std::string top_level_name(std::string_view written) {
  const std::string root(written.starts_with('$') ? "$" : "");
  written.remove_prefix(root.size());
  for (const std::string_view name : {".Values", ".Stack", ".Cluster", ".Files"}) {
    const bool meant =
        written != name &&
        std::equal(written.begin(), written.end(), name.begin(), name.end(), [](char a, char b) {
          return (a | 0x20) == (b | 0x20);
        });
    if (meant) return root + std::string(name);
  }
  return "";
}

// The letter of a parameter, the last one standing for all that follow if it may be repeated.
char param_at(const Function& function, std::size_t index) {
  const auto params = function.params;
  if (params.ends_with('*') && index + 2 >= params.size()) return params[params.size() - 2];
  return params[index];
}

/// Whether one of the texts is so, those of lists included.
template <typename Condition>
bool any_text(const std::vector<Value>& values, const Condition& condition) {
  return std::any_of(values.begin(), values.end(), [&](const Value& value) {
    if (const auto* text = value.text()) return condition(*text);
    const auto* list = value.list();
    return list != nullptr &&
           std::any_of(list->items.begin(), list->items.end(), [&](const Value& item) {
             return item.text() != nullptr && condition(*item.text());
           });
  });
}

bool is_among(const std::vector<Value>& values, const std::string& text) {
  return any_text(values, [&](const std::string& other) { return other == text; });
}

bool is_list_of_secret(const Value& value) {
  return value.list() != nullptr && value.list()->of_secret;
}

}  // namespace

Result<Value> Executor::evaluate(const Value& dot, const Pipe& pipe) {
  const auto counted = ++nesting_;
  (void)counted;
  auto allowed = step(pipe.offset);
  Value value;
  bool first = true;
  std::optional<Error> failed;
  if (!allowed) failed = std::move(allowed).error();
  for (const auto& command : pipe.commands) {
    if (failed) break;
    auto next = evaluate(dot, command, first ? nullptr : &value);
    if (!next) {
      failed = std::move(next).error();
      break;
    }
    value = std::move(*next);
    if (value.is_nil()) value = Value();
    first = false;
  }
  --nesting_;
  if (failed) return std::move(*failed);
  for (const auto& name : pipe.variables) {
    if (!pipe.assigns) {
      variables_.push_back({name, value});
      continue;
    }
    auto i = variables_.size();
    while (i > scope_ && variables_[i - 1].name != name) --i;
    if (i == scope_) return error(pipe.offset, pipe.end, "undefined variable: " + name);
    variables_[i - 1].value = value;
  }
  return value;
}

Result<Value> Executor::evaluate(const Value& dot, const Command& command, const Value* final) {
  const auto& first = command.operands[0];
  if (first.kind == Expr::Kind::function) return call(dot, &command, first, final);
  const bool has_args = command.operands.size() > 1 || final != nullptr;
  const bool may_be_method = first.kind == Expr::Kind::field || first.kind == Expr::Kind::chain ||
                             (first.kind == Expr::Kind::variable && first.names.size() > 1);
  if (!may_be_method) {
    if (has_args) return error(first, "can't give argument to non-function");
    if (first.kind == Expr::Kind::nil) return error(first, "nil is not a command");
    return operand(dot, first, {}, false);
  }
  std::vector<Value> args;
  for (std::size_t i = 1; i < command.operands.size(); ++i) {
    auto arg = argument(dot, command.operands[i], 'a');
    if (!arg) return arg;
    args.push_back(std::move(*arg));
  }
  if (final != nullptr) args.push_back(*final);
  return operand(dot, first, args, has_args);
}

Result<Value> Executor::variable(const Expr& expr) const {
  for (auto i = variables_.size(); i-- > scope_;) {
    if (variables_[i].name == expr.names[0]) return variables_[i].value;
  }
  return error(expr, "undefined variable: " + expr.names[0]);
}

Result<Value> Executor::operand(const Value& dot, const Expr& expr, Args args, bool has_args) {
  switch (expr.kind) {
    case Expr::Kind::dot:
      return dot;
    case Expr::Kind::field:
      return chain(dot, expr, 0, args, has_args);
    case Expr::Kind::variable: {
      auto value = variable(expr);
      if (!value || expr.names.size() == 1) return value;
      return chain(std::move(*value), expr, 1, args, has_args);
    }
    case Expr::Kind::function:
      return call(dot, nullptr, expr, nullptr);
    case Expr::Kind::pipe:
      return evaluate(dot, *expr.pipe);
    case Expr::Kind::chain: {
      auto base = operand(dot, *expr.base, {}, false);
      if (!base) return base;
      return chain(std::move(*base), expr, 0, args, has_args);
    }
    case Expr::Kind::nil:
      return Value();
    default:
      return expr.value;
  }
}

Result<Value> Executor::chain(
    Value receiver, const Expr& expr, std::size_t first, Args args, bool has_args) {
  for (auto i = first; i < expr.names.size(); ++i) {
    const bool last = i + 1 == expr.names.size();
    auto next = field(receiver, expr, i, last ? args : Args(), last && has_args);
    if (!next) return next;
    receiver = std::move(*next);
  }
  return receiver;
}

Result<Value> Executor::field(
    const Value& receiver, const Expr& expr, std::size_t index, Args args, bool has_args) {
  const auto& name = expr.names[index];
  if (const auto* nil = std::get_if<Nil>(&receiver.variant())) {
    if (!nil->of_interface) return Value();
    std::string missing =
        expr.kind == Expr::Kind::chain ? text_at(expr.base->offset, expr.base->end) : std::string();
    for (std::size_t i = 0; i < index; ++i) {
      if (expr.kind != Expr::Kind::variable || i > 0) missing += '.';
      missing += expr.names[i];
    }
    const auto meant = top_level_name(missing);
    // What Helm has at the top and a swarm has not.
    const bool of_helm = missing == ".Release" || missing == ".Chart" || missing == ".Capabilities";
    return error(
        expr,
        "nil pointer evaluating interface {}." + name + " (" + (missing.empty() ? "." : missing) +
            (!meant.empty() ? " is not set; did you mean " + meant + "?)"
             : of_helm
                 ? " is Helm's; here there are .Stack.Name, .Stack.Group, .Stack.Path, "
                   ".Environment and .Cluster.Variables)"
                 : " is not set; set it in the values or guard it with if, with or default)"));
  }
  const auto* map = receiver.map();
  if (map == nullptr)
    return error(expr,
                 "can't evaluate field " + name + " in type " + std::string(type_name(receiver)));
  if (map->type == Map::Type::files) return file_method(name, expr, args);
  if (map->type == Map::Type::version && is_version_method(name)) {
    const auto* other = args.size() == 1 ? args[0].map() : nullptr;
    if (other == nullptr || other->type != Map::Type::version)
      return error(expr, "a version is expected: ." + name + " (semver \"1.2.3\")");
    return version_method(name, *map, *other);
  }
  if (has_args) return error(expr, name + " is not a method but has arguments");
  const auto found = map->entries.find(name);
  if (found != map->entries.end()) return found->second.is_nil() ? Value(Nil{true}) : found->second;
  if (map->type == Map::Type::version)
    return error(expr, "can't evaluate field " + name + " in type *semver.Version");
  return map->type == Map::Type::string ? Value("") : Value(Nil{true});
}

Result<Value> Executor::file_method(const std::string& name, const Expr& expr, Args args) {
  if (name != "Get" && name != "Lines")
    return error(expr, "files have no " + name + "; there are .Files.Get and .Files.Lines");
  if (args.size() != 1 || args[0].text() == nullptr)
    return error(expr, "a path is expected: .Files." + name + " \"path\"");
  auto content = files() ? files()(*args[0].text())
                         : Result<std::optional<std::string>>(std::optional<std::string>());
  if (!content) return error(expr, quote(*args[0].text()) + ": " + content.error().message);
  const auto text = content->value_or("");
  if (auto paid = charge(text.size()); !paid) return error(expr, paid.error().message);
  if (name == "Get") return Value(text);
  List lines;
  lines.type = List::Type::string;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    lines.items.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return Value(std::move(lines));
}

Result<Value> Executor::fitted(Value value, const Expr& expr, char param) const {
  if (const auto* nil = std::get_if<Nil>(&value.variant())) {
    if (param == 'a') return Value();
    if (param == 'm' && !nil->of_interface) {
      Map none;
      none.nil = true;
      return Value(std::move(none));
    }
    return error(expr,
                 "the value is not set; expected " + std::string(param_type(param)) +
                     " (set it, or give a default)");
  }
  if (fits(param, value)) return value;
  return error(expr,
               "wrong type for value; expected " + std::string(param_type(param)) + "; got " +
                   std::string(type_name(value)) + conversion_hint(param, value));
}

Result<Value> Executor::argument(const Value& dot, const Expr& expr, char param) {
  switch (expr.kind) {
    case Expr::Kind::nil:
      if (param != 'a' && param != 'm')
        return error(expr, "cannot assign nil to " + std::string(param_type(param)));
      return fitted(Value(), expr, param);
    case Expr::Kind::number:
      if (param == 'i' && expr.number.whole) return Value(*expr.number.whole);
      if (param == 'f') return Value(expr.number.real);
      break;
    default:
      break;
  }
  if (expr.kind == Expr::Kind::boolean || expr.kind == Expr::Kind::number ||
      expr.kind == Expr::Kind::string) {
    if (fits(param, expr.value)) return expr.value;
    return error(expr, "expected " + std::string(param_type(param)));
  }
  auto value = operand(dot, expr, {}, false);
  if (!value) return value;
  return fitted(std::move(*value), expr, param);
}

Result<Value> Executor::short_circuit(const Value& dot,
                                      const Command* command,
                                      const Expr& name,
                                      const Value* final) {
  const bool stops_at = name.function->name == "or";
  const auto count = command == nullptr ? 0 : command->operands.size() - 1;
  if (count == 0 && final == nullptr)
    return error(name, "wrong number of args: want at least 1 got 0");
  Value value;
  for (std::size_t i = 0; i < count; ++i) {
    auto next = argument(dot, command->operands[i + 1], 'a');
    if (!next) return next;
    value = std::move(*next);
    if (is_true(value) == stops_at) return value;
  }
  return final != nullptr ? *final : value;
}

bool Executor::hold_secret(const std::vector<Value>& args) const {
  return any_text(args, [&](const std::string& text) { return secrets_->holds(text); }) ||
         std::any_of(args.begin(), args.end(), is_list_of_secret);
}

void Executor::tell_derived(const std::vector<Value>& args, Value& made) {
  if (const auto* text = made.text()) {
    // What was handed through is as public as before, and what shows a secret is masked anyway.
    if (!is_among(args, *text) && !secrets_->holds(*text)) secrets_->derived(*text);
  } else if (const auto* list = made.list()) {
    auto marked = *list;
    for (auto& item : marked.items) {
      tell_derived(args, item);
      const auto* piece = item.text();
      marked.of_secret = marked.of_secret || (piece != nullptr && !is_among(args, *piece));
    }
    marked.of_secret = marked.of_secret || std::any_of(args.begin(), args.end(), is_list_of_secret);
    made = Value(std::move(marked));
  } else if (auto* map = made.map()) {
    // Parsed out of a text, that is; one that was given holds what is no secret, too.
    const bool parsed = std::none_of(args.begin(), args.end(), [](const Value& arg) {
      return arg.map() != nullptr || arg.list() != nullptr;
    });
    if (!parsed) return;
    for (auto& [key, value] : map->entries) tell_derived(args, value);
  }
}

Result<Value> Executor::call(const Value& dot,
                             const Command* command,
                             const Expr& name,
                             const Value* final) {
  if (auto allowed = step(name.offset); !allowed) return std::move(allowed).error();
  const auto& function = *name.function;
  if (function.builtin && (function.name == "and" || function.name == "or"))
    return short_circuit(dot, command, name, final);
  const auto end = command == nullptr ? name.end : command->operands.back().end;
  const auto given = command == nullptr ? 0 : command->operands.size() - 1;
  const auto count = given + (final == nullptr ? 0 : 1);
  const bool variadic = function.params.ends_with('*');
  const auto fixed = variadic ? function.params.size() - 2 : function.params.size();
  if (variadic ? count < fixed : count != fixed)
    return error(name.offset,
                 end,
                 "wrong number of args for " + std::string(function.name) + ": want " +
                     (variadic ? "at least " : "") + std::to_string(fixed) + " got " +
                     std::to_string(count));
  std::vector<Value> args;
  args.reserve(count);
  std::size_t cost = 0;
  for (std::size_t i = 0; i < given; ++i) {
    auto arg = argument(dot, command->operands[i + 1], param_at(function, i));
    if (!arg) return arg;
    args.push_back(std::move(*arg));
  }
  if (final != nullptr) {
    auto arg = fitted(*final, name, param_at(function, given));
    if (!arg) return arg;
    args.push_back(std::move(*arg));
  }
  for (const auto& arg : args) cost += length(arg) / 32;
  auto paid = spend(cost);
  call_offset_ = name.offset;
  const bool of_secret = secrets_ != nullptr && hold_secret(args);
  const auto kept = of_secret ? args : std::vector<Value>();
  auto result = paid ? function.call(*this, args) : Result<Value>(std::move(paid).error());
  if (!result) {
    if (result.error().at) return result;
    const bool for_want_of_key = paid && of_secret && secrets_->masked() && function.name != "fail";
    if (for_want_of_key) return Value(Secrets::kStandIn);
    return error(name.offset, end, result.error().message);
  }
  if (of_secret) tell_derived(kept, *result);
  const auto size = result->list() != nullptr ? length(*result) * 48 + 64 : length(*result);
  if (result->map() == nullptr) {
    if (auto room = charge(size + 32); !room) return error(name.offset, end, room.error().message);
  } else if (auto room = charge(64); !room) {
    return error(name.offset, end, room.error().message);
  }
  keep(*result);
  return result;
}

}  // namespace skep::templates
