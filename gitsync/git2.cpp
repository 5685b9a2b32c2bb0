#include "gitsync/git2.hpp"

#include "gitsync/one_line.hpp"
#include "gitsync/proxy.hpp"

namespace skep::gitsync {

Error git_error_of(int code, std::string_view doing) {
  const git_error* const last = ::git_error_last();
  // An address may hold a password: that of a proxy does.
  std::string text = last != nullptr && last->message != nullptr
                         ? one_line(without_credentials(last->message), 400)
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
