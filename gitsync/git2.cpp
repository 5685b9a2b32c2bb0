#include "gitsync/git2.hpp"

#include <algorithm>
#include <cctype>

#include "gitsync/one_line.hpp"
#include "gitsync/proxy.hpp"

namespace skep::gitsync {
namespace {

/// The library names its temporary files at random, and the same trouble is to have the same words.
std::string without_random_names(std::string text) {
  constexpr std::string_view kMark = "_git2_";
  const auto is_random = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  for (auto at = text.find(kMark); at != std::string::npos; at = text.find(kMark, at)) {
    at += kMark.size();
    const auto end =
        std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), is_random);
    text.erase(text.begin() + static_cast<std::ptrdiff_t>(at), end);
  }
  return text;
}

}  // namespace

Error git_error_of(int code, std::string_view doing) {
  const git_error* const last = ::git_error_last();
  // An address may hold a password: that of a proxy does.
  std::string text = last != nullptr && last->message != nullptr
                         ? without_random_names(one_line(without_credentials(last->message), 400))
                         : "code " + std::to_string(code);
  const bool no_memory = last != nullptr && last->klass == GIT_ERROR_NOMEMORY;
  git_error_clear();
  if (no_memory) text = "out of memory";
  const bool refused = code == GIT_EAUTH || code == GIT_ECERTIFICATE;
  return Error{refused ? ErrorKind::unauthorized : ErrorKind::unavailable, std::move(text)}.within(
      doing);
}

std::string to_hex(const git_oid& id) {
  std::string text(GIT_OID_HEXSZ, '\0');
  git_oid_fmt(text.data(), &id);
  return text;
}

Result<git_oid> parse_oid(std::string_view hex) {
  git_oid id = {};
  if (hex.size() != GIT_OID_HEXSZ || git_oid_fromstrn(&id, hex.data(), hex.size()) < 0)
    return Error{ErrorKind::invalid_input,
                 "\"" + one_line(hex, 80) + "\" is no commit id of 40 hex digits"};
  return id;
}

}  // namespace skep::gitsync
