#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "helm-like-templates/renderer/render.hpp"
#include "helm-like-templates/renderer/value.hpp"

namespace skep::templates {

/// What functions may ask of the rendering that they are part of; keeps its limits.
class Env {
 public:
  Env(const Limits& limits, const FileLookup& files) : limits_(limits), files_(files) {}
  virtual ~Env() = default;
  Env(const Env&) = delete;
  Env& operator=(const Env&) = delete;

  /// Errors: invalid_input once the rendering has done more than its limit.
  Result<void> spend(std::size_t steps);
  /// To be called before memory of that size is filled. Errors: as spend().
  Result<void> charge(std::size_t bytes);
  /// What is left for charge().
  [[nodiscard]] std::size_t room() const { return limits_.memory - memory_; }

  virtual Result<std::string> include(const std::string& name, const Value& data) = 0;
  virtual Result<std::string> tpl(const std::string& text, const Value& data) = 0;
  [[nodiscard]] const FileLookup& files() const noexcept { return files_; }

 protected:
  [[nodiscard]] const Limits& limits() const noexcept { return limits_; }

 private:
  const Limits& limits_;
  const FileLookup& files_;
  std::size_t steps_ = 0;
  std::size_t memory_ = 0;
};

using Args = std::span<const Value>;

/// A function of the language. `params` has a letter per parameter - a: anything, s: string, i:
/// int, f: float64, b: bool, m: map - and a * behind the one that may be repeated or left out.
struct Function {
  std::string_view name;
  std::string_view params;
  Result<Value> (*call)(Env& env, Args args) = nullptr;
  bool builtin = false;           ///< Part of Go's text/template: the engine has it too.
  std::string_view refusal = {};  ///< Why there is no such function; call is then nullptr.
};

/// nullptr where there is none of that name.
[[nodiscard]] const Function* find_function(std::string_view name);
/// A defined function whose name is nearly the same; "" where there is none.
[[nodiscard]] std::string_view similar_function(std::string_view name);

/// Lists and maps inside of each other, beyond which a value is taken to hold itself.
constexpr int kMaxNesting = 200;

// The groups, each in its own source.
std::span<const Function> core_functions();
std::span<const Function> string_functions();
std::span<const Function> word_functions();
std::span<const Function> list_functions();
std::span<const Function> dict_functions();
std::span<const Function> math_functions();
std::span<const Function> encoding_functions();
std::span<const Function> regex_functions();
std::span<const Function> version_functions();
std::span<const Function> path_functions();
std::span<const Function> refused_functions();

/// An Error of kind invalid_input without a position: the executor knows where.
[[nodiscard]] Error failure(std::string message);

/// Go's reflect.DeepEqual. Errors: nesting, limits.
Result<bool> deep_equal(Env& env, const Value& a, const Value& b, int depth = 0);

/// Compare, Equal, LessThan and GreaterThan of what `semver` gives.
[[nodiscard]] bool is_version_method(std::string_view name);
[[nodiscard]] Value version_method(std::string_view name, const Map& version, const Map& other);

// spf13/cast: what toInt64 and toFloat64 of the Sprig functions give; 0 for what is no number.
[[nodiscard]] std::int64_t to_int64(const Value& value);
[[nodiscard]] double to_float64(const Value& value);

/// Sprig's strval: a string as it is, anything else as printf's %v shows it.
Result<std::string> text_of(Env& env, const Value& value);
/// Texts of a list's elements, nil ones left out; of a lone value: that value.
Result<std::vector<std::string>> texts_of(Env& env, const Value& value);
[[nodiscard]] Value string_list(std::vector<std::string> texts);
[[nodiscard]] Value list_value(std::vector<Value> items);
/// `before` and the text. Errors: that of the text.
[[nodiscard]] Result<Value> text_value(Result<std::string> text, std::string_view before = {});

}  // namespace skep::templates
