#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/secret.hpp"

namespace skep::gitsync {

/// Where a remote repository is; never holds a password. Only schemes that are on our own list
/// exist: nothing that runs a program (ext::, fd::), nothing that git would take for an option.
class RemoteUrl {
 public:
  enum class Scheme { file, http, https, ssh };

  /// What stood before the '@' of an http(s) URL, decoded.
  struct UserInfo {
    std::string user;
    Secret password;
  };
  struct Parsed;
  struct Policy {
    bool allow_plain_http = false;  ///< http:// to other hosts than the own machine.
  };

  /// Takes an absolute path, file://, https://, http://, ssh:// and user@host:path. Errors:
  /// invalid_input; the message never repeats what may be a credential.
  static Result<Parsed> parse(std::string_view text, Policy policy);
  static Result<Parsed> parse(std::string_view text);

  [[nodiscard]] Scheme scheme() const noexcept { return scheme_; }
  [[nodiscard]] const std::string& host() const noexcept { return host_; }  ///< "" for file.
  [[nodiscard]] std::uint16_t port() const noexcept {
    return port_;
  }  ///< The scheme's own if unset.
  /// ssh only; "git" where the URL names none.
  [[nodiscard]] const std::string& user() const noexcept { return user_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// What libgit2 gets and what people see: the same, for there is no secret in it.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

  bool operator==(const RemoteUrl&) const = default;

 private:
  RemoteUrl() = default;
  Scheme scheme_ = Scheme::file;
  std::uint16_t port_ = 0;
  std::string host_, user_, path_, text_;

  static Result<Parsed> parse_hierarchical(std::string_view text, Policy policy);
  static Result<Parsed> parse_scp(std::string_view text);
};

struct RemoteUrl::Parsed {
  RemoteUrl url;
  UserInfo user_info;
};

/// Whether a person who typed this means a remote (has a scheme or is user@host:path), not a
/// directory.
[[nodiscard]] bool names_remote(std::string_view text);

}  // namespace skep::gitsync
