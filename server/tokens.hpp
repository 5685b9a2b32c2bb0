#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace skep::server {

/// The bearer tokens that may write over TCP. Only their digests are known here, so neither memory
/// nor configuration gives a token away.
class Tokens {
 public:
  Tokens() = default;
  /// Each entry is a SHA-256 in hex, with "NAME=" before it where the audit should name who acted.
  /// Errors: invalid_input; the message shows no digest.
  static Result<Tokens> parse(const std::vector<std::string>& entries);

  [[nodiscard]] bool empty() const noexcept { return tokens_.empty(); }
  /// Who may act by an Authorization header's value ("Bearer …"); nothing where nobody. Takes the
  /// same time whichever token fits and wherever a wrong one differs.
  [[nodiscard]] std::optional<std::string> actor(std::string_view authorization) const;

 private:
  struct Token {
    std::string name;
    std::string sha256;  ///< Lower-case hex.
  };
  std::vector<Token> tokens_;
};

}  // namespace skep::server
