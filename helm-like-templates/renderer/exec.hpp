#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "helm-like-templates/renderer/ast.hpp"
#include "helm-like-templates/renderer/functions.hpp"

namespace skep::templates {

/// Walks parsed templates over data, once.
class Executor final : public Env {
 public:
  /// `secrets` may be null, and outlives the executor.
  Executor(Templates templates, const Limits& limits, const FileLookup& files, Secrets* secrets);
  /// Takes apart what templates built, rings of maps included.
  ~Executor() override;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// Errors: invalid_input, positioned.
  Result<std::string> run(const std::string& main, const Value& data);

  Result<std::string> include(const std::string& name, const Value& data) override;
  Result<std::string> tpl(const std::string& text, const Value& data) override;

 private:
  enum class Flow { on, break_, continue_ };
  struct Variable {
    std::string_view name;
    Value value;
  };

  Result<std::string> render(const Template& what, const Value& data);

  // Actions.
  Result<Flow> walk(const Value& dot, const std::vector<Node>& nodes);
  Result<Flow> walk(const Value& dot, const Node& node);
  Result<Flow> walk_range(const Value& dot, const Node& node);
  Result<Flow> walk_round(const Node& node, const Value& key, const Value& element);
  Result<void> call_template(const Value& dot, const Node& node);
  Result<void> write(std::string_view text, std::size_t offset);

  // Expressions.
  Result<Value> evaluate(const Value& dot, const Pipe& pipe);
  Result<Value> evaluate(const Value& dot, const Command& command, const Value* final);
  Result<Value> operand(const Value& dot, const Expr& expr, Args method_args, bool has_args);
  Result<Value> chain(
      Value receiver, const Expr& expr, std::size_t first, Args args, bool has_args);
  Result<Value> field(
      const Value& receiver, const Expr& expr, std::size_t index, Args args, bool has_args);
  Result<Value> file_method(const std::string& name, const Expr& expr, Args args);
  Result<Value> argument(const Value& dot, const Expr& expr, char param);
  Result<Value> fitted(Value value, const Expr& expr, char param) const;
  Result<Value> call(const Value& dot,
                     const Command* command,
                     const Expr& name,
                     const Value* final);
  Result<Value> short_circuit(const Value& dot,
                              const Command* command,
                              const Expr& name,
                              const Value* final);
  Result<Value> variable(const Expr& expr) const;
  [[nodiscard]] bool hold_secret(const std::vector<Value>& args) const;
  void tell_derived(const std::vector<Value>& args, Value& made);
  Result<Value> copied(const Value& value, int depth);

  [[nodiscard]] std::string text_at(std::size_t offset, std::size_t end) const;
  [[nodiscard]] Error error(std::size_t offset, std::size_t end, const std::string& message) const;
  [[nodiscard]] Error error(const Expr& expr, const std::string& message) const {
    return error(expr.offset, expr.end, message);
  }
  /// Where a template was called, for an error inside of it.
  [[nodiscard]] Error called_at(Error error, std::size_t offset) const;
  Result<void> step(std::size_t offset);
  void keep(const Value& value);

  Templates templates_;
  Secrets* secrets_;
  const Template* current_ = nullptr;
  std::size_t call_offset_ = 0;  ///< Of the include or tpl that is being evaluated.
  std::vector<Variable> variables_;
  std::size_t scope_ = 0;  ///< Where the current template's variables begin.
  std::string* out_ = nullptr;
  std::size_t written_ = 0;
  int depth_ = 0;
  int nesting_ = 0;
  std::vector<Value> kept_;
};

}  // namespace skep::templates
