#include "server/tokens.hpp"

#include <algorithm>
#include <cctype>

#include "core/ascii.hpp"
#include "core/digest.hpp"

namespace skep::server {
namespace {

constexpr std::size_t kDigestDigits = 64;
constexpr std::size_t kLongestApiToken = 1024;

constexpr std::size_t kLongestTokenName = 60;

bool is_token_name(std::string_view text) {
  return text.size() <= kLongestTokenName &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-' || c == '@';
         });
}

std::optional<Role> role_of(std::string_view word) {
  if (word == "viewer") return Role::viewer;
  if (word == "operator") return Role::operator_;
  return std::nullopt;
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c); });
}

}  // namespace

Result<Tokens> Tokens::parse(const std::vector<std::string>& entries) {
  Tokens tokens;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto wrong = [&](std::string_view why) {
      return Error{.kind = ErrorKind::invalid_input,
                   .message = "API token " + std::to_string(i + 1) + std::string(why)};
    };
    std::string_view rest = entries[i];
    auto role = std::optional(Role::operator_);
    if (const auto colon = rest.find(':'); colon != std::string_view::npos) {
      role = role_of(rest.substr(0, colon));
      if (!role) return wrong(" has another role than viewer and operator");
      rest.remove_prefix(colon + 1);
    }
    std::string_view name;
    if (const auto equals = rest.find('='); equals != std::string_view::npos) {
      name = rest.substr(0, equals);
      if (!is_token_name(name)) return wrong("'s name is not of letters, digits and . _ - @");
      rest.remove_prefix(equals + 1);
    }
    if (rest.size() != kDigestDigits || !is_hex(rest)) {
      return wrong(
          " is no SHA-256 in hex (64 digits); make one with: printf %s \"$TOKEN\" | sha256sum");
    }
    auto digest = lower(rest);
    if (digest == sha256_hex("")) return wrong(" is the digest of nothing: was the token empty?");
    tokens.tokens_.push_back({.identity = {.name = name.empty() ? "token " + std::to_string(i + 1)
                                                                : "token " + std::string(name),
                                           .role = *role},
                              .sha256 = std::move(digest)});
  }
  return tokens;
}

std::optional<Identity> Tokens::identity(std::string_view authorization) const {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size() ||
      authorization.size() > kScheme.size() + kLongestApiToken ||
      lower(authorization.substr(0, kScheme.size())) != kScheme) {
    return std::nullopt;
  }
  const auto digest = sha256_hex(authorization.substr(kScheme.size()));
  const Token* found = nullptr;
  for (const auto& token : tokens_) {
    if (same_bytes(token.sha256, digest)) found = &token;
  }
  if (found == nullptr) return std::nullopt;
  return found->identity;
}

}  // namespace skep::server
