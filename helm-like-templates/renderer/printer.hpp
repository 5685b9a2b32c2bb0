#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "helm-like-templates/renderer/functions.hpp"
#include "helm-like-templates/renderer/unicode.hpp"

namespace skep::templates {

/// A verb of printf and its flags.
struct Spec {
  bool plus = false;
  bool minus = false;
  bool sharp = false;
  bool go_syntax = false;  ///< %#v; the other flag is not set then.
  bool space = false;
  bool zero = false;
  std::optional<std::int64_t> width;
  std::optional<std::int64_t> precision;
  char32_t verb = 'v';
};

/// Writes values as the verbs of Go's package fmt say.
class Printer {
 public:
  explicit Printer(Env& env) : env_(env) {}

  std::string out;  ///< Everything that was written.

  /// `depth` lists and maps around it. Errors: limits, a value that holds itself.
  Result<void> value(const Value& value, const Spec& spec, int depth = 0);

 private:
  Result<void> print_map(const Map& map, const Spec& spec, int depth);
  Result<void> print_list(const List& list, const Spec& spec, int depth);
  void scalar(const Value& value, const Spec& spec);
  void integer(const Value& value, const Int& number, const Spec& spec);
  static Rune rune_of(std::int64_t number);
  void digits(std::int64_t number, unsigned base, const Spec& spec, bool prefixed);
  static std::string float_text(double number, char verb, int precision);
  /// What # asks for: a point always, and the zeros that %g leaves out.
  static std::string with_zeros(std::string number, char verb, int precision);
  void real(const Value& value, double number, const Spec& spec);
  void text(const Value& value, const std::string& text, const Spec& spec);
  static std::string_view cut(std::string_view text, const Spec& spec);
  void hex(const std::string& text, const Spec& spec);
  void pad(std::string_view text, const Spec& spec);
  void bad_verb(const Value& value, const Spec& spec);

  Env& env_;
};

}  // namespace skep::templates
