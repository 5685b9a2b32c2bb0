#pragma once

#include <string>
#include <utility>
#include <vector>

namespace skep {

/// While it lives, every line that this thread logs carries the field: "all lines of a pass carry
/// its id", without every function of the pass taking it as an argument. Scopes nest, and end in
/// the opposite order.
class LogScope {
 public:
  LogScope(std::string name, std::string value);
  ~LogScope();
  LogScope(const LogScope&) = delete;
  LogScope& operator=(const LogScope&) = delete;

  /// Of this thread, outermost first.
  [[nodiscard]] static const std::vector<std::pair<std::string, std::string>>& fields();
};

}  // namespace skep
