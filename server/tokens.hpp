#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace skep::server {

/// What somebody may do; each one also what stands before it.
enum class Role {
  viewer,     ///< Read.
  operator_,  ///< Sync, suspend, resume, roll back, approve, change the log's level.
};

struct Identity {
  std::string name;  ///< For the audit: "token ci".
  Role role = Role::viewer;
  bool operator==(const Identity&) const = default;
};

/// The bearer tokens that are known over TCP. Only their digests are here, so neither memory nor
/// configuration gives a token away.
class Tokens {
 public:
  Tokens() = default;
  /// Each entry is [ROLE:][NAME=]SHA256: who acted, for the audit, and the digest in hex. Without a
  /// role it is an operator's. Errors: invalid_input; the message shows no digest.
  static Result<Tokens> parse(const std::vector<std::string>& entries);

  [[nodiscard]] bool empty() const noexcept { return tokens_.empty(); }
  /// Whose an Authorization header's value is ("Bearer …"); nothing where nobody's. Takes the same
  /// time whichever token fits and wherever a wrong one differs.
  [[nodiscard]] std::optional<Identity> identity(std::string_view authorization) const;

 private:
  struct Token {
    Identity identity;
    std::string sha256;  ///< Lower-case hex.
  };
  std::vector<Token> tokens_;
};

}  // namespace skep::server
