#include "server/tokens.hpp"

#include <algorithm>
#include <cctype>

#include "core/ascii.hpp"
#include "core/digest.hpp"

namespace skep::server {
namespace {

constexpr std::size_t kHexDigits = 64;
constexpr std::size_t kLongestToken = 1024;

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c); });
}

}  // namespace

Result<Tokens> Tokens::parse(const std::vector<std::string>& entries) {
  Tokens tokens;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string_view entry = entries[i];
    const auto equals = entry.find('=');
    const auto name =
        equals == std::string_view::npos ? std::string_view() : entry.substr(0, equals);
    const auto digest = equals == std::string_view::npos ? entry : entry.substr(equals + 1);
    if (digest.size() != kHexDigits || !is_hex(digest)) {
      return Error{.kind = ErrorKind::invalid_input,
                   .message = "API token " + std::to_string(i + 1) +
                              " is no SHA-256 in hex (64 digits); make one with: printf %s "
                              "\"$TOKEN\" | sha256sum"};
    }
    tokens.tokens_.push_back(
        {.name = name.empty() ? "token " + std::to_string(i + 1) : "token " + std::string(name),
         .sha256 = lower(digest)});
  }
  return tokens;
}

std::optional<std::string> Tokens::actor(std::string_view authorization) const {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size() ||
      authorization.size() > kScheme.size() + kLongestToken ||
      lower(authorization.substr(0, kScheme.size())) != kScheme) {
    return std::nullopt;
  }
  const auto digest = sha256_hex(authorization.substr(kScheme.size()));
  const Token* found = nullptr;
  for (const auto& token : tokens_) {
    if (same_bytes(token.sha256, digest)) found = &token;
  }
  if (found == nullptr) return std::nullopt;
  return found->name;
}

}  // namespace skep::server
