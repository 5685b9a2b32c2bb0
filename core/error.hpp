#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace skep {

/// A place in a text that a person wrote. Lines and columns count from 1; 0 means "not known".
struct SourcePosition {
  std::string file;  ///< As the user would type it: relative to the repository, or as given on the
                     ///< command line.
  int line = 0;
  int column = 0;
  bool operator==(const SourcePosition&) const = default;
};

/// "apps/web/docker-compose.yml:14:7"; parts that are not known are left out.
[[nodiscard]] std::string to_string(const SourcePosition& position);

/// Says what the caller does next, not what happened.
enum class ErrorKind {
  invalid_input,  ///< The commit, file or argument must change; never retried.
  unauthorized,   ///< A person must change a credential or a policy; retried slowly.
  unavailable,    ///< Network, engine or disk trouble; retried with backoff.
  conflict,       ///< The object changed since it was observed; observe again at once.
  cancelled,      ///< The stop token asked; not a failure.
};

[[nodiscard]] std::string_view to_string(ErrorKind kind);

/// A failure that the world can cause. The message is lower case, one or more lines, no final dot,
/// never holds a secret.
struct Error {
  ErrorKind kind = ErrorKind::invalid_input;
  std::string message;
  std::optional<SourcePosition> at = {};

  /// The same error, one step further out: "fetch: repository not found".
  [[nodiscard]] Error within(std::string_view doing) &&;
};

/// "file:line:column: message", or just the message.
[[nodiscard]] std::string to_string(const Error& error);

}  // namespace skep
