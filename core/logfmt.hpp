#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace skep {

class Secret;

/// A log field's value; a Secret prints as ***.
class LogValue {
 public:
  LogValue(std::string_view text) : text_(text) {}           // NOLINT(google-explicit-constructor)
  LogValue(const char* text) : text_(text) {}                // NOLINT(google-explicit-constructor)
  LogValue(const std::string& text) : text_(text) {}         // NOLINT(google-explicit-constructor)
  LogValue(const Secret& /*secret*/) : text_("***") {}       // NOLINT(google-explicit-constructor)
  LogValue(bool value) : text_(value ? "true" : "false") {}  // NOLINT(google-explicit-constructor)
  template <typename Number>
  requires std::is_arithmetic_v<Number> LogValue(Number value)
      : text_(std::to_string(value)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

/// A constant sentence and fields: `plan applied stack=proxy changes=3`. Values with blanks, quotes
/// or control characters are quoted.
[[nodiscard]] std::string logfmt(
    std::string_view sentence, std::initializer_list<std::pair<std::string_view, LogValue>> fields);

/// What logfmt() was given.
struct LogLine {
  std::string sentence;
  std::vector<std::pair<std::string, std::string>> fields;
  bool operator==(const LogLine&) const = default;
};

[[nodiscard]] std::string logfmt(const LogLine& line);

/// Takes a line apart again. Where what follows the sentence is no list of fields, all of it is
/// the sentence.
[[nodiscard]] LogLine parse_logfmt(std::string_view line);

}  // namespace skep
